"""Models from disk: every layout that they come in, and what is wrong with those that fail."""

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from infill import settings
from infill.diffusion import folders, model
from infill.diffusion.schedule import NoiseSchedule
from infill.errors import BadOption, EngineFailed, MissingWeights
from tests.diffusion.models import SIDE, save_pipeline, tiny_unet
from tests.parity.guided_unet import random_unet

X = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 3, SIDE, SIDE), np.float32))
T = torch.tensor([3, 700])


def wanted() -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = tiny_unet()(X, T).sample
    return found


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    return save_pipeline(tmp_path / "model", noise={"variance_type": "fixed_large"})


class TestLayouts:
    def test_a_pipeline(self, pipeline: Path) -> None:
        found = model.load(str(pipeline))
        eps, value = found(X, T)
        assert value is None
        assert torch.allclose(eps, wanted(), atol=1e-5)
        assert (found.side, found.channels) == (SIDE, 3)
        assert found.schedule.variance == "fixed_large"
        ((source, digest),) = found.sha256.items()
        assert source.endswith("diffusion_pytorch_model.safetensors")
        assert len(digest) == 64
        assert model.side_of(str(pipeline)) == SIDE

    def test_the_network_alone_has_the_noise_of_ho_et_al(self, pipeline: Path) -> None:
        found = model.load(str(pipeline / "unet"))
        assert torch.allclose(found(X, T)[0], wanted(), atol=1e-5)
        usual = NoiseSchedule.linear()
        assert np.allclose(found.schedule.alphas_cumprod, usual.alphas_cumprod)
        assert found.schedule.variance == "fixed_small"

    def test_all_in_one_folder_with_old_names_in_a_pickle_of_tensors(self, tmp_path: Path) -> None:
        """As the first models on the hub lie there, google/ddpm-celebahq-256 among them."""
        network = tiny_unet()
        old = {}
        for name, value in network.state_dict().items():
            if ".attentions." in name:
                for new, before in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"),
                                    ("to_out.0", "proj_attn")):  # fmt: skip
                    name = name.replace(new, before)
            old[name] = value
        assert any("proj_attn" in name for name in old)
        torch.save(old, tmp_path / "diffusion_pytorch_model.bin")
        network.save_config(tmp_path)
        (tmp_path / "scheduler_config.json").write_text(json.dumps({"beta_end": 0.03}))
        found = model.load(str(tmp_path))
        assert torch.allclose(found(X, T)[0], wanted(), atol=1e-5)
        assert found.schedule.betas[-1] == pytest.approx(0.03)

    def test_half_precision_on_disk_is_computed_in_float32(self, pipeline: Path) -> None:
        path = pipeline / "unet" / "diffusion_pytorch_model.safetensors"
        save_file({name: value.half() for name, value in load_file(path).items()}, path)
        found = model.load(str(pipeline))
        assert {value.dtype for value in found.unet.parameters()} == {torch.float32}
        assert torch.allclose(found(X, T)[0], wanted(), atol=5e-3)

    def test_six_channels_are_noise_and_variance(self, tmp_path: Path) -> None:
        folder = save_pipeline(tmp_path, out_channels=6, noise={"variance_type": "learned_range"})
        eps, value = model.load(str(folder))(X, T)
        assert value is not None
        assert eps.shape == value.shape == X.shape

    @pytest.mark.parametrize("kind", ["sample", "v_prediction"])
    def test_whatever_it_predicts_becomes_the_noise(self, kind: str, tmp_path: Path) -> None:
        folder = save_pipeline(tmp_path, noise={"prediction_type": kind})
        eps, _ = model.load(str(folder))(X, T)
        bars = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)[T].reshape(2, 1, 1, 1)
        if kind == "sample":
            expected = (X - bars.sqrt() * wanted()) / (1 - bars).sqrt()
        else:  # v = √ᾱ ε - √(1-ᾱ) x_0 with x = √ᾱ x_0 + √(1-ᾱ) ε
            expected = bars.sqrt() * wanted() + (1 - bars).sqrt() * X
        assert torch.allclose(eps, expected, atol=1e-3)


class TestMemory:
    def test_a_model_is_loaded_once(self, pipeline: Path) -> None:
        assert model.load(str(pipeline)) is model.load(str(pipeline))

    def test_and_again_when_its_files_have_changed(self, pipeline: Path) -> None:
        before = model.load(str(pipeline))
        save_pipeline(pipeline, seed=1)
        after = model.load(str(pipeline))
        assert after is not before
        assert after.sha256 != before.sha256
        assert not torch.allclose(after(X, T)[0], before(X, T)[0])

    def test_the_global_seed_is_left_alone(self, pipeline: Path) -> None:
        torch.manual_seed(4)
        state = torch.get_rng_state()
        model.load(str(pipeline))
        assert torch.equal(torch.get_rng_state(), state)


class TestTheSideOfACheckpoint:
    SHAPE: ClassVar[dict[str, Any]] = {
        "base": 64, "multiples": (1, 1), "depth": 1, "attention": [1], "head": 64, "classes": 7,
    }  # fmt: skip

    @pytest.mark.parametrize("ending", [".pt", ".old.pt", ".safetensors"])
    def test_is_told_without_a_class_and_without_a_network(
        self, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / f"imagenet{ending}"
        state = random_unet(**self.SHAPE).state_dict()
        if ending == ".safetensors":
            save_file(state, path)
        else:  # PyTorch's first format was no zip file
            torch.save(state, path, _use_new_zipfile_serialization=ending == ".pt")
        built = []
        monkeypatch.setattr(model, "_network", lambda *given: built.append(given))
        assert model.side_of(str(path)) == 64
        assert not built

    def test_of_another_file_is_refused(self, tmp_path: Path) -> None:
        torch.save({"weight": torch.zeros(1)}, tmp_path / "e.pt")
        with pytest.raises(MissingWeights, match="guided-diffusion"):
            model.side_of(str(tmp_path / "e.pt"))


class TestPrecision:
    def test_shorter_numbers_are_close(self, pipeline: Path) -> None:
        found = model.load(str(pipeline), precision="bfloat16")
        eps, _ = found(X, T)
        assert eps.dtype == torch.float32
        assert 0 < (eps - wanted()).abs().max() < 0.1
        assert not found.fell_back

    def test_what_is_no_number_is_made_again_in_float32(self, pipeline: Path) -> None:
        found = model.load(str(pipeline), precision="float16")
        plain, calls = found.unet, []

        class Overflows(torch.nn.Module):
            def forward(self, x: torch.Tensor, t: torch.Tensor, **more: Any) -> Any:
                calls.append(torch.is_autocast_enabled("cpu"))
                made = plain(x, t, **more)[0]
                return (made * (torch.nan if calls[-1] else 1),)

        broken = model.UNetDenoiser(
            Overflows(), SIDE, 3, found.schedule, {}, precision=torch.float16
        )
        for _ in range(2):
            assert torch.allclose(broken(X, T)[0], wanted(), atol=1e-5)
        assert broken.fell_back
        assert calls == [True, False, False]
        assert not broken.afresh().fell_back
        assert broken.afresh().unet is broken.unet

    def test_no_numbers_at_all_is_an_error(self, pipeline: Path) -> None:
        path = pipeline / "unet" / "diffusion_pytorch_model.safetensors"
        save_file({name: value * torch.nan for name, value in load_file(path).items()}, path)
        with pytest.raises(EngineFailed, match="no numbers"):
            model.load(str(pipeline))(X, T)

    def test_unknown(self, pipeline: Path) -> None:
        with pytest.raises(BadOption, match="float32"):
            model.load(str(pipeline), precision="float8")


class TestWhatIsWrong:
    def refused(self, folder: Path, *words: str) -> None:
        with pytest.raises(MissingWeights) as caught:
            model.load(str(folder))
        sentence = str(caught.value)
        assert "\n" not in sentence
        for word in words:
            assert word in sentence

    def test_nothing_in_it(self, tmp_path: Path) -> None:
        self.refused(tmp_path, "config.json", "save_pretrained")

    def test_no_weights(self, pipeline: Path) -> None:
        (pipeline / "unet" / "diffusion_pytorch_model.safetensors").unlink()
        self.refused(pipeline, "diffusion_pytorch_model.safetensors", "download")
        with pytest.raises(MissingWeights):
            model.side_of(str(pipeline))

    def test_parts_of_the_weights(self, pipeline: Path) -> None:
        path = pipeline / "unet" / "diffusion_pytorch_model.safetensors"
        state = load_file(path)
        state.pop("mid_block.resnets.0.conv1.weight")
        save_file(state, path)
        self.refused(pipeline, "mid_block.resnets.0.conv1.weight", "lack")

    def test_a_torn_file(self, pipeline: Path) -> None:
        path = pipeline / "unet" / "diffusion_pytorch_model.safetensors"
        path.write_bytes(path.read_bytes()[:1000])
        self.refused(pipeline, str(path), "download")

    def test_weights_of_another_size(self, pipeline: Path) -> None:
        path = pipeline / "unet" / "config.json"
        told = json.loads(path.read_text())
        path.write_text(json.dumps({**told, "block_out_channels": [16, 16]}))
        self.refused(pipeline, "fit")

    def test_another_kind_of_network(self, pipeline: Path) -> None:
        path = pipeline / "unet" / "config.json"
        told = json.loads(path.read_text())
        path.write_text(json.dumps({**told, "_class_name": "UNet2DConditionModel"}))
        self.refused(pipeline, "UNet2DConditionModel", "unconditional")

    @pytest.mark.parametrize("content", ["{", "[1]", '{"sample_size": [8, 16]}'])
    def test_a_configuration_that_says_nothing(self, pipeline: Path, content: str) -> None:
        (pipeline / "unet" / "config.json").write_text(content)
        self.refused(pipeline)

    @pytest.mark.parametrize(
        "told", [{"beta_schedule": "laplacian"}, {"variance_type": "learned_range"}]
    )
    def test_a_scheduler_that_does_not_fit(self, pipeline: Path, told: dict[str, str]) -> None:
        (pipeline / "scheduler" / "scheduler_config.json").write_text(json.dumps(told))
        self.refused(pipeline)

    def test_a_pickle_that_would_run_code(self, tmp_path: Path) -> None:
        class Runs:
            def __reduce__(self) -> Any:
                return (Path(tmp_path / "ran").touch, ())

        for name, content in (("a.pt", {"w": Runs()}), ("b.ckpt", Runs())):
            path = tmp_path / name
            path.write_bytes(pickle.dumps(content))
            self.refused(path, "code")
            torch.save(content, path)
            self.refused(path, "code")
        assert not (tmp_path / "ran").exists()

    def test_a_packed_table_is_not_unpacked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(torch, "load", None)
        path = tmp_path / "a.pt"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("archive/data.pkl", b"\x80\x02" + b"N0" * (1 << 20) + b"}.")
            zipped.writestr("archive/version", "3\n")
        self.refused(path, "packed")

    def test_files_that_are_no_checkpoint(self, tmp_path: Path) -> None:
        for name, content in (("a.pt", b""), ("b.pt", b"no zip"), ("c.safetensors", b"xx")):
            (tmp_path / name).write_bytes(content)
            self.refused(tmp_path / name, name)
        (tmp_path / "photo.png").write_bytes(b"")
        self.refused(tmp_path / "photo.png", ".safetensors")
        torch.save({"weights": [1, 2]}, tmp_path / "d.pt")
        self.refused(tmp_path / "d.pt", "weights alone")
        torch.save({"weight": torch.zeros(1)}, tmp_path / "e.pt")
        self.refused(tmp_path / "e.pt", "guided-diffusion")

    def test_a_name_that_is_not_here_and_no_network(self) -> None:
        with settings.using(offline=1), pytest.raises(MissingWeights, match="someone/model"):
            model.load("someone/model")

    def test_a_label_for_a_model_without_classes(self, pipeline: Path) -> None:
        with pytest.raises(BadOption, match="classes"):
            model.load(str(pipeline), label=1)


def test_the_default_model_need_not_be_here_to_be_described() -> None:
    with settings.using(offline=1):
        assert (
            model.side_of("google/ddpm-celebahq-256") == folders.KNOWN["google/ddpm-celebahq-256"]
        )
