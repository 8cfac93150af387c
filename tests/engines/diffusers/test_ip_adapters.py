"""IP-Adapters of the families whose denoiser is a transformer."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from infill.engines.base import ENGINES, make_options
from infill.engines.diffusers.adapters import ip_adapter as module
from infill.errors import BadOption, MissingWeights
from infill.weights.convert import convert
from tests.engines.diffusers import scenes, tiny, tiny_adapters

ENGINE = {"flux": "diffusers"}  # the family has no preset
FLUX_LIKE = ("flux", "flux-kontext", "chroma")
ALL = ("sd3", *FLUX_LIKE)


@pytest.fixture(scope="module")
def adapter(
    model: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """The folder of a family's tiny adapter, laid out as the published one with its reader."""
    root = tmp_path_factory.mktemp("ip")

    def folder(name: str) -> str:
        place = root / name
        if not place.exists() and name == "sd3":
            tiny_adapters.save_instantx(place / "ip-adapter.safetensors")
        elif not place.exists():
            tiny_adapters.save_xlabs(model(name), place / "ip_adapter.safetensors")
        return str(place)

    return folder


def made(
    name: str, model: Callable[[str], Path], seeds: tuple[int, ...] = (3,), **more: Any
) -> Any:
    engine = ENGINES.get(ENGINE.get(name, name))
    named = {"model": str(model(name))} | more
    options = make_options(engine, scenes.options_for(name, model, **named))
    pixels, mask = scenes.region()
    rngs = [np.random.default_rng(seed) for seed in seeds]
    return engine.fill_batch([pixels] * len(seeds), mask, options, rngs, lambda *_: None)


@pytest.mark.parametrize("name", ALL)
def test_the_fill_goes_by_the_reference_and_its_scale(
    name: str, model: Callable[[str], Path], adapter: Callable[[str], str]
) -> None:
    _, mask = scenes.region()
    (plain,) = made(name, model)
    given = {"ip_adapter": adapter(name)}
    one, other = (
        made(name, model, reference=scenes.reference(seed), **given)[0] for seed in (5, 6)
    )
    (again,) = made(name, model, reference=scenes.reference(5), **given)
    (none,) = made(name, model, reference=scenes.reference(5), ip_adapter_scale=0.0, **given)
    assert np.abs(one.pixels - plain.pixels)[mask].max() > 1e-3
    assert np.abs(one.pixels - other.pixels)[mask].max() > 1e-5
    np.testing.assert_array_equal(one.pixels, again.pixels)
    np.testing.assert_allclose(none.pixels, plain.pixels, atol=2e-5)
    assert any(key.endswith("image_encoder/model.safetensors") for key in one.weights)


@pytest.mark.parametrize("name", ALL)
def test_fills_several_candidates_without_a_prompt_and_with_a_negative_one(
    name: str, model: Callable[[str], Path], adapter: Callable[[str], str]
) -> None:
    given = {"ip_adapter": adapter(name), "reference": scenes.reference(), "prompt": ""}
    scale = "guidance_scale" if name == "sd3" else "true_cfg_scale"
    given |= {scale: 3.0, "negative_prompt": "blurred"}
    one, other = made(name, model, seeds=(3, 4), **given)
    (alone,) = made(name, model, seeds=(4,), **given)
    assert np.abs(one.pixels - other.pixels).max() > 1e-3
    np.testing.assert_allclose(other.pixels, alone.pixels, atol=2e-4)


def test_goes_with_a_controlnet_where_the_library_takes_both(
    model: Callable[[str], Path], adapter: Callable[[str], str], tmp_path: Path
) -> None:
    net = str(tiny_adapters.save_net("sd3", tmp_path / "net"))
    given = {"ip_adapter": adapter("sd3"), "reference": scenes.reference()}
    (both,) = made("sd3", model, controlnet=net, **given)
    (controlled,) = made("sd3", model, controlnet=net)
    assert np.abs(both.pixels - controlled.pixels).max() > 1e-4
    net = str(tiny_adapters.save_net("flux", tmp_path / "other"))
    given = {"ip_adapter": adapter("flux"), "reference": scenes.reference()}
    with pytest.raises(BadOption, match="one reference can't serve"):
        made("flux", model, controlnet=net, control="reference", **given)


@pytest.mark.parametrize("layers", [1, 3])
def test_sd3s_for_a_model_of_other_depth_is_refused(
    layers: int, model: Callable[[str], Path], tmp_path: Path
) -> None:
    file = tiny_adapters.save_instantx(tmp_path / "ip-adapter.safetensors", layers)
    words = rf"a model of stable-diffusion-3 \(it has {layers} layers, this model 2\); name one"
    with pytest.raises(BadOption, match=words):
        made("sd3", model, ip_adapter=str(file), reference=scenes.reference())


def test_a_pickle_as_the_authors_of_sd3s_nest_it_is_converted(
    model: Callable[[str], Path], adapter: Callable[[str], str], tmp_path: Path
) -> None:
    shutil.copytree(adapter("sd3"), tmp_path / "ip")
    file = tmp_path / "ip" / "ip-adapter.safetensors"
    nested: dict[str, dict[str, Any]] = {}
    for name, tensor in load_file(file).items():
        outer, _, inner = name.partition(".")
        nested.setdefault(outer, {})[inner] = tensor
    (expected,) = made("sd3", model, ip_adapter=str(file), reference=scenes.reference())
    file.unlink()
    torch.save(nested, file.with_suffix(".bin"))
    with pytest.raises(MissingWeights, match="type: infill download --convert"):
        made("sd3", model, ip_adapter=str(file.with_suffix(".bin")), reference=scenes.reference())
    convert(file.with_suffix(".bin"))
    (again,) = made("sd3", model, ip_adapter=str(file), reference=scenes.reference())
    np.testing.assert_array_equal(again.pixels, expected.pixels)


def test_layers_without_numbers_are_told(
    model: Callable[[str], Path], adapter: Callable[[str], str], tmp_path: Path
) -> None:
    shutil.copytree(adapter("sd3"), tmp_path / "ip")
    file = tmp_path / "ip" / "ip-adapter.safetensors"
    save_file(load_file(file) | {"ip_adapter.foo.to_k_ip.weight": torch.zeros(2, 2)}, file)
    with pytest.raises(BadOption, match="is no IP-Adapter: its layers have no numbers"):
        made("sd3", model, ip_adapter=str(file), reference=scenes.reference())


def test_one_reference_does_not_serve_two_readers(adapter: Callable[[str], str]) -> None:
    given = {"ip_adapter": adapter("sd3"), "reference": scenes.reference()}
    with pytest.raises(BadOption, match="one reference can't serve"):
        make_options(ENGINES.get("sd3"), given | {"controlnet": "a/b", "control": "reference"})


def test_xlabs_for_a_model_of_other_depth_or_width_is_refused(
    model: Callable[[str], Path], adapter: Callable[[str], str], tmp_path: Path
) -> None:
    given = {"reference": scenes.reference()}
    deep = tiny_adapters.save_xlabs(model("flux"), tmp_path / "deep" / "ip.safetensors", layers=2)
    with pytest.raises(BadOption, match=r"a model of flux \(it has 2 layers, this model 1\)"):
        made("flux", model, ip_adapter=str(deep), **given)
    file = tiny_adapters.save_xlabs(model("flux"), tmp_path / "thin" / "ip.safetensors")
    states = load_file(file)
    lost = "double_blocks.0.processor.ip_adapter_double_stream_k_proj.weight"
    save_file({key: one for key, one in states.items() if key != lost}, file)
    with pytest.raises(BadOption, match=r"a model of flux \(its layers do not read"):
        made("flux", model, ip_adapter=str(file), **given)
    narrow = {key: one[:, :8] if key == lost else one for key, one in states.items()}
    save_file({key: one.contiguous() for key, one in narrow.items()}, file)
    with pytest.raises(BadOption, match="does not fit a model of flux"):
        made("flux", model, ip_adapter=str(file), **given)
    other = str(Path(adapter("sd3")) / "ip-adapter.safetensors")
    with pytest.raises(BadOption, match="does not fit a model of flux"):
        made("flux", model, ip_adapter=other, **given)


def test_with_a_reader_that_it_was_not_made_for_is_refused(
    model: Callable[[str], Path], tmp_path: Path
) -> None:
    file = tiny_adapters.save_xlabs(model("flux"), tmp_path / "ip_adapter.safetensors")
    config = tiny.vision().config
    config.projection_dim = 24
    other = transformers.CLIPVisionModelWithProjection(config)
    other.save_pretrained(tmp_path / "image_encoder")
    with pytest.raises(BadOption, match=r"reads pictures of width 16, but .* gives 24"):
        made("flux", model, ip_adapter=str(file), reference=scenes.reference())


def test_that_is_a_pickle_is_refused(model: Callable[[str], Path], tmp_path: Path) -> None:
    """As InstantX's is published; nothing of it is opened."""
    (tmp_path / "ip-adapter.bin").write_bytes(b"\x80\x04.")
    for name in (tmp_path / "ip-adapter.bin", tmp_path, "InstantX/SD3.5/ip-adapter.bin"):
        with pytest.raises(MissingWeights, match="which can run code"):
            made("sd3", model, ip_adapter=str(name), reference=scenes.reference())


def test_says_all_that_is_to_be_fetched(adapter: Callable[[str], str]) -> None:
    def names(engine: str, ip_adapter: str) -> list[str]:
        found = ENGINES.get(engine)
        given = {"ip_adapter": ip_adapter, "reference": scenes.reference()}
        return [one.name for one in found.sources(make_options(found, given))[1:]]

    clip, siglip = "openai/clip-vit-large-patch14", "google/siglip-so400m-patch14-384"
    assert names("flux-kontext", "XLabs-AI/flux-ip-adapter") == ["XLabs-AI/flux-ip-adapter", clip]
    assert names("chroma", "XLabs-AI/flux-ip-adapter/x.safetensors")[1:] == [clip]
    assert names("sd3", "some/adapter") == ["some/adapter", siglip]
    assert names("sd", "h94/IP-Adapter") == ["h94/IP-Adapter"]
    assert names("sd3", adapter("sd3")) == []  # it has its reader beside it
    assert names("sd3", str(Path(adapter("sd3")) / "ip-adapter.safetensors")) == []


def test_takes_the_reader_from_the_hub_where_none_lies_beside_it(
    model: Callable[[str], Path], adapter: Callable[[str], str], tmp_path: Path
) -> None:
    file = tmp_path / "ip_adapter.safetensors"
    file.write_bytes((Path(adapter("flux")) / file.name).read_bytes())
    with pytest.raises(MissingWeights, match="openai/clip-vit-large-patch14 are not on this"):
        made("flux", model, ip_adapter=str(file), reference=scenes.reference())
    assert module.encoders(file)[1] == tmp_path / "image_encoder"
