"""Models by folder and by file: what is missing, wrong or unsafe is said, in one sentence."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from infill.engines.base import ENGINES, make_options
from infill.engines.diffusers import loading, parts, single
from infill.engines.diffusers.presets import FLUX_FILL, SD, FluxFill, Sd
from infill.errors import BadOption, MissingWeights
from tests.engines.diffusers import published, scenes

CLIP = "cond_stage_model.transformer.text_model."  # in single files of Stable Diffusion
AS_SD = {"guidance_scale": 7.5}


@pytest.fixture
def copy(model: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of the tiny Stable Diffusion that may be broken."""
    return Path(shutil.copytree(model("sd"), tmp_path / "model"))


class TestAFolder:
    @pytest.mark.parametrize(
        ("gone", "told"),
        [
            ("unet", "lacks the folder unet"),
            ("tokenizer", "lacks the folder tokenizer"),
            ("vae/config.json", "lacks vae/config.json"),
            ("unet/diffusion_pytorch_model.safetensors", r"lacks unet's weights \(a .safetensors"),
            ("model_index.json", "has no readable model_index.json"),
        ],
    )
    def test_that_lacks_a_part_says_which(
        self, model: Callable[[str], Path], copy: Path, gone: str, told: str
    ) -> None:
        lost = copy / gone
        shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
        with pytest.raises(MissingWeights, match=told):
            scenes.filled("sd", model, model=str(copy))

    def test_with_pickles_is_refused(self, model: Callable[[str], Path], copy: Path) -> None:
        weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
        weights.rename(weights.with_suffix(".bin"))
        with pytest.raises(MissingWeights, match="is a pickle, which can run code"):
            scenes.filled("sd", model, model=str(copy))

    def test_that_lacks_one_of_several_files_says_which(
        self, model: Callable[[str], Path], copy: Path
    ) -> None:
        whole = copy / "unet" / "diffusion_pytorch_model.safetensors"
        name = "diffusion_pytorch_model-00001-of-00002.safetensors"
        whole.rename(whole.with_name(name))
        other = name.replace("00001-of", "00002-of")
        index = {"weight_map": {"a": name, "b": other}}
        whole.with_name(f"{whole.name}.index.json").write_text(json.dumps(index))
        with pytest.raises(MissingWeights, match=f"lacks unet/{other}"):
            scenes.filled("sd", model, model=str(copy))

    def test_in_half_precision_alone_is_read(
        self, model: Callable[[str], Path], copy: Path
    ) -> None:
        for part in ("unet", "vae", "text_encoder"):
            for file in (copy / part).glob("*.safetensors"):
                file.rename(file.with_suffix(".fp16.safetensors"))
        assert parts.variant(copy, ("unet", "vae", "text_encoder")) == "fp16"
        np.testing.assert_array_equal(
            scenes.filled("sd", model, model=str(copy)), scenes.filled("sd", model)
        )

    def test_of_another_family_is_refused(self, model: Callable[[str], Path]) -> None:
        with pytest.raises(BadOption, match="is a model of the family stable-diffusion-xl"):
            scenes.filled("sd", model, model=str(model("sdxl")))
        with pytest.raises(BadOption, match="not for stable-diffusion"):
            scenes.filled("sd", model, model=str(model("kandinsky-prior")))

    def test_names_the_hashes_of_its_files(self, model: Callable[[str], Path]) -> None:
        place = model("sd")
        made = scenes.made("sd", model)
        name = "unet/diffusion_pytorch_model.safetensors"
        expected = hashlib.sha256((place / name).read_bytes()).hexdigest()
        assert made.weights[f"{place}/{name}"] == expected
        assert len(made.weights) == 3

    def test_kandinsky_names_a_missing_prior(self, model: Callable[[str], Path]) -> None:
        with pytest.raises(MissingWeights, match=r"lacks the folder image_encoder; .* prior"):
            scenes.filled("kandinsky", model, prior=str(model("kandinsky")))


class TestWeights:
    """The libraries make up what a file lacks, or leave it empty; here it is an error."""

    @pytest.mark.parametrize("part", ["text_encoder", "unet", "vae"])
    def test_that_lack_a_tensor_are_refused_and_not_kept(
        self, model: Callable[[str], Path], copy: Path, part: str
    ) -> None:
        (file,) = (copy / part).glob("*.safetensors")
        lost = _drop_a_tensor(file)
        loading.forget()
        for _ in range(2):  # the second time as well
            with pytest.raises(MissingWeights, match=rf"the tensor \S*{lost} is missing"):
                scenes.filled("sd", model, model=str(copy))
        assert not loading._kept

    def test_of_a_prior_are_looked_at(self, model: Callable[[str], Path], tmp_path: Path) -> None:
        for part in ("image_encoder", "prior"):
            place = Path(shutil.copytree(model("kandinsky-prior"), tmp_path / part))
            (file,) = (place / part).glob("*.safetensors")
            lost = _drop_a_tensor(file)
            with pytest.raises(MissingWeights, match=lost):
                scenes.filled("kandinsky", model, prior=str(place))

    @pytest.mark.parametrize(
        ("lost", "told"),
        [
            ("model.diffusion_model.out.0.weight", "the tensor conv_norm_out.weight is missing"),
            ("first_stage_model.decoder.conv_in.weight", "decoder.conv_in.weight is missing"),
            (f"{CLIP}final_layer_norm.weight", "final_layer_norm.weight is missing"),
            (f"{CLIP}embeddings.position_embedding.weight", "is not whole .*CLIPTextModel"),
        ],
    )
    def test_of_one_file_are_looked_at(
        self, model: Callable[[str], Path], tmp_path: Path, lost: str, told: str
    ) -> None:
        place, file = model("sd-standard"), tmp_path / "all.safetensors"
        whole = published.stable_diffusion(place)
        del whole[lost]
        save_file(whole, file)
        with pytest.raises(MissingWeights, match=told):
            scenes.filled("sd", model, model=str(file), config=str(place))

    def test_that_were_rewritten_are_read_again(
        self, model: Callable[[str], Path], copy: Path
    ) -> None:
        before = scenes.made("sd", model, model=str(copy))
        (file,) = (copy / "unet").glob("*.safetensors")
        state = load_file(file)
        save_file({name: value + 0.1 for name, value in state.items()}, file)
        stat = file.stat()
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))
        after = scenes.made("sd", model, model=str(copy))
        assert np.abs(after.pixels - before.pixels).max() > 1e-5
        assert after.weights != before.weights


def _drop_a_tensor(file: Path) -> str:
    """Write the file anew without one of its tensors; returns the end of that one's name."""
    state = load_file(file)
    lost = sorted(name for name in state if name.endswith("weight"))[0]
    del state[lost]
    save_file(state, file, metadata={"format": "pt"})
    return lost.removeprefix("text_model.")


class TestAName:
    def test_offline_is_not_looked_for(self, model: Callable[[str], Path]) -> None:
        with pytest.raises(MissingWeights, match=SD):
            scenes.filled("sd", model, model=SD)

    def test_says_what_to_fetch(self) -> None:
        engine = ENGINES.get("sd")
        options = make_options(engine, {"lora": "some/lora", "controlnet": "some/net"})
        names = [source.name for source in engine.sources(options)]
        assert names == [SD, "some/lora", "some/net"]
        (source,) = ENGINES.get("flux-fill").sources(make_options(ENGINES.get("flux-fill"), {}))
        assert source.name == FLUX_FILL
        assert source.licence == FluxFill.card.licence
        assert source.commercial_use is False
        wanted = "transformer/*.safetensors"
        assert wanted in source.wanted
        assert not any(one.startswith(("safety_checker", "*")) for one in source.wanted)

    def test_has_the_cards_licence_only_if_it_is_the_engines_own(self) -> None:
        engine = ENGINES.get("flux-fill")
        (other,) = engine.sources(make_options(engine, {"model": "some/model"}))
        assert (other.licence, other.commercial_use) == (None, None)
        engine = ENGINES.get("kandinsky")
        first, second = engine.sources(make_options(engine, {"model": "some/model"}))
        assert (first.licence, second.licence) == (None, engine.card.licence)
        assert all(one.licence for one in engine.sources(make_options(engine, {})))
        engine = ENGINES.get("diffusers")
        assert engine.licence.of == ()


class TestOneFile:
    def test_that_is_a_pickle_is_refused(
        self, model: Callable[[str], Path], tmp_path: Path
    ) -> None:
        (tmp_path / "sd.ckpt").write_bytes(b"\x80\x04.")
        for name in ("sd", "diffusers"):
            with pytest.raises(MissingWeights, match=r"is a pickle, .* take the same weights as"):
                scenes.filled(name, model, model=str(tmp_path / "sd.ckpt"))

    def test_that_is_damaged_is_refused(self, model: Callable[[str], Path], tmp_path: Path) -> None:
        (tmp_path / "sd.safetensors").write_bytes(b"not at all")
        with pytest.raises(MissingWeights, match=r"is damaged or no .safetensors file"):
            scenes.filled("sd", model, model=str(tmp_path / "sd.safetensors"))

    def test_of_nothing_known_is_refused(
        self, model: Callable[[str], Path], tmp_path: Path
    ) -> None:
        save_file({"something": torch.ones(1)}, tmp_path / "odd.safetensors")
        with pytest.raises(BadOption, match="holds no model that fills holes here"):
            scenes.filled("sd", model, model=str(tmp_path / "odd.safetensors"))

    def test_that_holds_all_is_read_by_the_layout_of_its_config(
        self, model: Callable[[str], Path], tmp_path: Path
    ) -> None:
        place = model("sd-standard")
        file = tmp_path / "all.safetensors"
        save_file(published.stable_diffusion(place), file)
        config = tmp_path / "config"  # as it is without the weights
        shutil.copytree(place, config, ignore=shutil.ignore_patterns("*.safetensors"))
        given = {"model": str(file), "config": str(config), "prompt": "a boat"}
        expected = scenes.filled("sd", model, model=str(place), prompt="a boat")
        made = scenes.made("sd", model, **given)
        np.testing.assert_allclose(made.pixels, expected, atol=1e-5)
        assert list(made.weights) == [file.name]
        np.testing.assert_allclose(
            scenes.filled("diffusers", model, **given, **AS_SD), expected, atol=1e-5
        )

    def test_that_holds_the_transformer_alone_takes_the_rest_from_config(
        self, model: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The library turns the publishers' keys into its own at full width alone, so this file
        has its own keys, and we are told what it holds."""
        monkeypatch.setattr(single, "_kind", lambda path: "flux-fill")
        place = model("flux-fill")
        file = tmp_path / "fill.safetensors"
        shutil.copy(place / "transformer" / "diffusion_pytorch_model.safetensors", file)
        made = scenes.made("flux-fill", model, model=str(file), config=str(place))
        np.testing.assert_allclose(made.pixels, scenes.filled("flux-fill", model), atol=1e-5)
        assert file.name in made.weights
        assert len(made.weights) == 4

    def test_of_flux2_klein_and_qwen_is_known_by_its_own_keys(
        self, model: Callable[[str], Path], tmp_path: Path
    ) -> None:
        files = {}
        for name in ("flux2-klein", "qwen-image"):
            files[name] = tmp_path / f"{name}.safetensors"
        save_file(published.flux2_klein(model("flux2-klein")), files["flux2-klein"])
        weights = model("qwen-image") / "transformer" / published.WEIGHTS
        shutil.copy(weights, files["qwen-image"])
        for name, file in files.items():
            given = {"model": str(file), "config": str(model(name))}
            assert single.family(file).name == name
            made = scenes.made(name, model, **given)
            np.testing.assert_allclose(made.pixels, scenes.filled(name, model), atol=1e-5)
            assert file.name in made.weights
        edit = {"model": str(files["qwen-image"]), "config": str(model("qwen-image-edit"))}
        options = make_options(ENGINES.get("qwen-image-edit"), edit)
        assert ENGINES.get("qwen-image-edit").load(options).family.name == "qwen-image-edit"

    def test_of_flux2s_larger_model_is_refused(
        self, model: Callable[[str], Path], tmp_path: Path
    ) -> None:
        states = published.flux2_klein(model("flux2-klein"))
        states["guidance_in.in_layer.weight"] = torch.ones(16, 16)
        save_file(states, tmp_path / "dev.safetensors")
        with pytest.raises(BadOption, match=r"no model that fills .* \(its keys say flux-2-dev\)"):
            scenes.filled("flux2-klein", model, model=str(tmp_path / "dev.safetensors"))

    def test_of_another_size_than_its_config_says_so(
        self, model: Callable[[str], Path], tmp_path: Path
    ) -> None:
        states = published.flux2_klein(model("flux2-klein"))
        states["img_in.weight"] = torch.ones(24, 32)
        file = tmp_path / "large.safetensors"
        save_file(states, file)
        with pytest.raises(BadOption, match="set config to the model that it was made from"):
            scenes.filled("flux2-klein", model, model=str(file), config=str(model("flux2-klein")))

    def test_without_its_config_says_so(self, model: Callable[[str], Path], tmp_path: Path) -> None:
        file = tmp_path / "fill.safetensors"
        save_file(FLUX_KEYS, file)
        assert single.family(file).name == "flux-fill"
        with pytest.raises(MissingWeights, match=FLUX_FILL):
            scenes.filled("flux-fill", model, model=str(file))
        with pytest.raises(BadOption, match="holds a model of the family flux-fill, not"):
            scenes.filled("sd", model, model=str(file))


FLUX_KEYS = {  # by which the library knows a FLUX.1 Fill
    "double_blocks.0.img_attn.norm.key_norm.scale": torch.ones(16),
    "guidance_in.in_layer.bias": torch.ones(16),
    "img_in.weight": torch.ones(16, 384),
}


def test_one_pipeline_is_kept(model: Callable[[str], Path]) -> None:
    loading.forget()
    engine = Sd()
    options = make_options(engine, scenes.options_for("sd", model))
    first = engine.load(options)
    assert engine.load(make_options(engine, scenes.options_for("sd", model, prompt="x"))) is first
    other = make_options(engine, scenes.options_for("sd", model, dtype="bfloat16"))
    assert engine.load(other) is not first
    assert len(loading._kept) == 1
