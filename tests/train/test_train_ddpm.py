"""The diffusion network: trained on a few photos, written, and loaded by diffusers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from infill.train import losses
from infill.train.__main__ import main
from infill.train.config import DdpmConfig
from infill.train.data import Thumbnails
from infill.train.ddpm import as_tensor, build, checker, predictor, scheduler
from infill.train.sheet import arranged

TINY = DdpmConfig(side=8, thumbnail=10, channels=(8, 16), attention=(False, True), groups=4, head=8)
FLAGS = [
    *("--side", "8", "--minutes", "100"),
    *(
        text
        for value in (
            "channels=[8,16]",
            "attention=[false,true]",
            "groups=4",
            "head=8",
            "batch=4",
            "warmup=2",
            "held_out=0.3",
            "log_steps=1",
        )
        for text in ("--set", value)
    ),
]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Any:
    """One thread on the processor, so that sums are made in one order."""
    monkeypatch.setenv("INFILL_THREADS", "1")
    monkeypatch.setenv("INFILL_DEVICE", "cpu")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(16):
        pixels = np.kron(rng.integers(0, 255, (3, 4, 3)), np.ones((6, 6, 1))).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


@pytest.fixture
def trained(photos: Path, tmp_path: Path) -> Path:
    out = tmp_path / "model"
    assert (
        main(["ddpm", "--photos", str(photos), "--out", str(out), *FLAGS, "--set", "steps=3"]) == 0
    )
    return out


class TestCommand:
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
        for name, seed in (("again", "0"), ("other", "1")):
            flags = [*FLAGS, "--set", "steps=3", "--seed", seed]
            main(["ddpm", "--photos", str(photos), "--out", str(tmp_path / name), *flags])
            files.append(tmp_path / name / "unet/diffusion_pytorch_model.safetensors")
        first = (trained / "unet/diffusion_pytorch_model.safetensors").read_bytes()
        assert files[0].read_bytes() == first
        assert files[1].read_bytes() != first

    def test_a_run_of_another_configuration_is_not_gone_on_with(
        self, trained: Path, photos: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        flags = [*FLAGS, "--set", "steps=5"]
        assert main(["ddpm", "--photos", str(photos), "--out", str(trained), *flags]) == 2
        assert "another configuration" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("flags", "sentence"),
        [
            (["--photos", "nowhere", "--out", "o"], "there is no folder nowhere"),
            (["--photos", "p", "--out", "o", "--set", "speed=3"], "'speed=3' sets nothing"),
            (["--photos", "p", "--out", "o", "--side", "30"], "cannot be halved"),
            (["--photos", "p", "--out", "o", "--minutes", "0"], "minutes must be above 0"),
            (["--photos", "p", "--out", "file/o"], "file/o cannot be made"),
        ],
    )
    def test_mistakes_are_one_sentence(
        self,
        flags: list[str],
        sentence: str,
        capsys: pytest.CaptureFixture[str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("file").write_text("no folder")
        Path("p").mkdir()
        Image.new("RGB", (9, 9)).save("p/one.png")
        assert main(["ddpm", *flags]) == 2
        error = capsys.readouterr().err
        assert sentence in error
        assert len(error.splitlines()) == 1


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
