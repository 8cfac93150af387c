"""The diffusion network: trained on a few photos, written, and loaded by diffusers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.train.tools import write_photos

from infill.errors import MissingWeights
from infill.train.__main__ import main
from infill.train.data.photos import Thumbnails
from infill.train.ddpm import build, checker, predictor, scheduler
from infill.train.ddpm_tables import DdpmConfig
from infill.train.figures import as_tensor
from infill.train.losses import noise as losses
from infill.train.runs import How, Where, configured, start
from infill.train.tiles import arranged
from infill.train.turns import Progress

TINY = DdpmConfig(side=8, thumbnail=10, channels=(8, 16), attention=(False, True), groups=4, head=8)
TABLES: dict[str, dict[str, Any]] = {
    "run": {"task": "ddpm", "steps": 3, "batch": 4, "log_steps": 1},
    "network": {
        **{"side": 8, "thumbnail": 10, "channels": [8, 16], "attention": [False, True]},
        **{"groups": 4, "head": 8, "held_out": 0.3},
    },
    "optimiser": {"warmup": 2},
}


def learn(photos: Path, out: Path, how: How | None = None, **run: Any) -> tuple[Progress, bool]:
    tables = TABLES | {"data": {"photos": str(photos)}, "run": TABLES["run"] | run}
    where = Where(out, out.with_name(f"{out.name}.run"))
    return start(configured(tables), where, how or How(tell=lambda line: None))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos")


@pytest.fixture
def trained(photos: Path, tmp_path: Path) -> Path:
    out = tmp_path / "model"
    assert learn(photos, out)[1]
    return out


class TestRun:
    def test_diffusers_loads_what_it_wrote_and_samples(self, trained: Path) -> None:
        from diffusers import DDPMPipeline

        pipeline = DDPMPipeline.from_pretrained(trained, local_files_only=True)
        pipeline.set_progress_bar_config(disable=True)
        assert pipeline.scheduler.config.variance_type == "fixed_small"
        draw = torch.Generator("cpu").manual_seed(0)
        made = pipeline(batch_size=2, num_inference_steps=3, generator=draw, output_type="np")
        assert made.images.shape == (2, 8, 8, 3)
        assert np.isfinite(made.images).all()

    def test_the_model_is_the_averaged_network_in_float16(self, trained: Path) -> None:
        from safetensors.torch import load_file

        model = load_file(trained / "unet" / "diffusion_pytorch_model.safetensors")
        kept = load_file(trained.with_name("model.run") / "checkpoint.safetensors")
        assert {value.dtype for value in model.values()} == {torch.float16}
        for name, value in model.items():
            assert torch.equal(value, kept[f"average.{name}"].half())

    def test_tells_what_was_done(self, trained: Path) -> None:
        told = json.loads((trained / "training.json").read_text())
        assert told["step"] == 3
        assert told["photos"]["learnt_from"] + told["photos"]["held_out"] == 16
        assert told["network"]["channels"] == [8, 16]
        assert told["weights"] == sum(value.numel() for value in build(TINY).parameters())
        assert told["log"][-1]["held_out"] > 0

    def test_the_schedule_written_is_the_one_learnt_with(self, trained: Path) -> None:
        written = json.loads((trained / "scheduler" / "scheduler_config.json").read_text())
        betas = np.linspace(written["beta_start"], written["beta_end"], 1000)
        assert written["beta_schedule"] == "linear"
        assert written["prediction_type"] == "epsilon"
        expected = np.cumprod(1 - betas)
        np.testing.assert_allclose(scheduler(TINY).alphas_cumprod, expected, rtol=1e-4)

    def test_the_same_seed_gives_the_same_weights(
        self, trained: Path, photos: Path, tmp_path: Path
    ) -> None:
        files = []
        for name, seed in (("again", 0), ("other", 1)):
            learn(photos, tmp_path / name, seed=seed)
            files.append(tmp_path / name / "unet/diffusion_pytorch_model.safetensors")
        first = (trained / "unet/diffusion_pytorch_model.safetensors").read_bytes()
        assert files[0].read_bytes() == first
        assert files[1].read_bytes() != first

    def test_in_two_legs_it_ends_as_in_one(
        self, trained: Path, photos: Path, tmp_path: Path
    ) -> None:
        out, asked = tmp_path / "legs", iter([False, True])
        how = How(tell=lambda line: None, stop=lambda: next(asked))
        progress, ended = learn(photos, out, how)
        assert (progress.step, ended) == (2, False)
        progress, ended = learn(photos, out)
        assert (progress.step, ended) == (3, True)
        for folder in ("legs", "model"):
            assert (tmp_path / folder / "unet").is_dir()
        one, other = (path / "unet/diffusion_pytorch_model.safetensors" for path in (out, trained))
        assert one.read_bytes() == other.read_bytes()

    def test_a_run_of_another_configuration_is_not_gone_on_with(
        self, trained: Path, photos: Path
    ) -> None:
        with pytest.raises(MissingWeights, match="another configuration"):
            learn(photos, trained, steps=5)
        progress, _ = learn(photos, trained, How(changed=True, tell=lambda line: None), steps=5)
        assert progress.step == 5


def test_learning_lowers_the_loss_on_the_photos_learnt() -> None:
    """Eight photos, learnt by heart: the loss falls far below what it was."""
    torch.manual_seed(0)
    photo = np.kron(np.random.default_rng(0).integers(0, 255, (8, 2, 2, 3)), np.ones((1, 4, 4, 1)))
    clean = as_tensor(photo.astype(np.uint8))
    network, alphas = build(TINY), scheduler(TINY).alphas_cumprod
    weight = losses.snr_weight(alphas, 5.0)
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    values = []
    for step in range(80):
        draw = torch.Generator("cpu").manual_seed(step)
        loss = losses.noise_loss(predictor(network), clean, alphas, weight, draw)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        values.append(loss.item())
    assert np.mean(values[-10:]) < 0.3 * np.mean(values[:5])


def fill_with(value: float) -> Callable[[Any], None]:
    def change(network: Any) -> None:
        with torch.no_grad():
            network.conv_out.weight.zero_()
            network.conv_out.bias.fill_(value)

    return change


@torch.no_grad()
def test_the_check_is_the_mean_square_error_of_the_noise() -> None:
    photos = Thumbnails.of([np.full((10, 12, 3), 9 * index, np.uint8) for index in range(20)])
    check, network = checker(photos, TINY, bfloat16=False), build(TINY).eval()
    fill_with(0.0)(network)
    silent = check(network)
    assert silent["held_out"] == pytest.approx(1, abs=0.1)  # the noise itself
    assert silent == check(network)
    quarters = [silent[f"held_out_q{index}"] for index in (1, 2, 3, 4)]
    assert np.mean(quarters) == pytest.approx(silent["held_out"])
    fill_with(1.0)(network)
    assert check(network)["held_out"] == pytest.approx(2, abs=0.2)


def test_pixels_become_tensors_from_minus_one_to_one() -> None:
    pixels = np.zeros((1, 2, 2, 3), np.uint8)
    pixels[0, 0, 1] = (255, 0, 51)
    tensor = as_tensor(pixels)
    assert tensor.shape == (1, 3, 2, 2)
    assert tensor[0, :, 0, 1].tolist() == pytest.approx([1, -1, -0.6])
    assert tensor.dtype == torch.float32


@pytest.mark.parametrize("layers", [1, 2])
def test_the_network_keeps_the_shape(layers: int) -> None:
    network = build(DdpmConfig(**{**vars(TINY), "layers": layers}))
    made = predictor(network)(torch.zeros(2, 3, 8, 8), torch.tensor([0, 999]))
    assert made.shape == (2, 3, 8, 8)


class TestSheet:
    def make(self, model: Path, out: Path, *more: str) -> int:
        flags = ["--model", str(model), "--out", str(out), "--count", "3", "--steps", "4", *more]
        return main(["sheet", *flags])

    def test_shows_what_the_model_makes_the_same_for_the_same_seed(
        self, trained: Path, tmp_path: Path
    ) -> None:
        sheets = []
        for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
            assert self.make(trained, tmp_path / f"{name}.png", "--seed", seed) == 0
            with Image.open(tmp_path / f"{name}.png") as image:
                sheets.append(np.asarray(image))
        assert sheets[0].shape == (2 * 18 + 2, 2 * 18 + 2, 3)
        np.testing.assert_array_equal(sheets[0], sheets[1])
        assert not np.array_equal(sheets[0], sheets[2])

    def test_the_pictures_stand_in_order_enlarged_on_white(self) -> None:
        pictures = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1) * np.ones(
            (1, 2, 4, 3), np.uint8
        )
        sheet = arranged(pictures, scale=3, gap=1)
        assert sheet.shape == (2 * 7 + 1, 2 * 13 + 1, 3)
        for index, (top, left) in enumerate([(1, 1), (1, 14), (8, 1)]):
            assert np.all(sheet[top : top + 6, left : left + 12] == index)
        assert np.all(sheet[8:14, 14:26] == 255)
        assert np.all(sheet[0] == 255)

    @pytest.mark.parametrize(
        ("more", "sentence"),
        [
            (["--steps", "0"], "--steps must be at least 1"),
            (["--model", "nowhere"], "nowhere is no model folder"),
            (["--out", "sheet.xyz"], "sheet.xyz"),
        ],
    )
    def test_mistakes_are_one_sentence(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        more: list[str],
        sentence: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert self.make(tmp_path, Path("s.png"), *more) == 2
        error = capsys.readouterr().err
        assert sentence in error
        assert len(error.splitlines()) == 1
