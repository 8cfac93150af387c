"""The engine `repaint`, on a tiny network with random weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from infill import fill, settings
from infill.diffusion import model as models
from infill.diffusion import plan as plans
from infill.diffusion import sampler
from infill.engines import repaint as engine_file
from infill.engines.base import make_options, no_progress
from infill.engines.controls import controls
from infill.engines.repaint import Repaint, plan_of
from infill.errors import BadOption, Cancelled, EngineFailed, FullMask, MissingWeights
from tests.conformance import assert_engine
from tests.diffusion.models import SIDE, save_pipeline
from tests.parity.guided_unet import random_unet

PHOTO = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
MASK = np.zeros((40, 50), np.bool_)
MASK[12:26, 18:30] = True
PIXELS = np.random.default_rng(1).random((SIDE, SIDE, 3), np.float32)
HOLE = np.zeros((SIDE, SIDE), np.bool_)
HOLE[4:12, 5:12] = True
OF_THE_CPU = RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_pipeline(tmp_path_factory.mktemp("model")))


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tiny networks more threads only wait for each other."""
    monkeypatch.setenv("INFILL_THREADS", "1")


def options(folder: str, **given: Any) -> Any:
    return make_options(Repaint(), {"model": folder, "num_inference_steps": 3, **given})


def run(folder: str, seed: int = 0, progress: Any = no_progress, **given: Any) -> np.ndarray:
    rng = np.random.default_rng(seed)
    made = Repaint().fill(PIXELS, HOLE, options(folder, **given), rng, progress)
    return made.pixels


def test_conformance(folder: str) -> None:
    quick = {"model": folder, "num_inference_steps": 1, "schedule": "custom"}
    assert_engine("repaint", threads=[1, 2], **quick)


class TestThePipeline:
    def test_only_the_hole_changes_and_the_recipe_names_the_weights(self, folder: str) -> None:
        result = fill(PHOTO, MASK, engine="repaint", model=folder, num_inference_steps=3)
        assert result.proof.outside_max_diff == 0
        assert (result.picture.pixels[MASK] != PHOTO[MASK]).any()
        ((source, digest),) = result.recipe.weights.items()
        assert source.startswith(folder)
        assert len(digest) == 64

    def test_the_models_own_size_is_what_it_gets(
        self, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shapes = []
        inner = sampler.repaint

        def spied(denoiser: Any, known: torch.Tensor, *more: Any, **named: Any) -> torch.Tensor:
            shapes.append(tuple(known.shape))
            return inner(denoiser, known, *more, **named)

        monkeypatch.setattr(sampler, "repaint", spied)
        large = np.tile(PHOTO, (2, 2, 1))
        wide = np.zeros(large.shape[:2], np.bool_)
        wide[10:60, 20:70] = True
        fill(large, wide, engine="repaint", model=folder, num_inference_steps=1)
        assert shapes == [(1, 3, SIDE, SIDE)]

    def test_a_seed_is_a_fill(self, folder: str) -> None:
        given = {"engine": "repaint", "model": folder, "num_inference_steps": 3}
        first, again, other = (
            fill(PHOTO, MASK, seed=seed, **given).picture.pixels for seed in (1, 1, 2)
        )
        assert (first == again).all()
        assert (first != other).any()


class TestCandidates:
    def test_a_batch_is_what_each_alone_would_be(self, folder: str) -> None:
        rngs = [np.random.default_rng(seed) for seed in (0, 1)]
        calls: list[float] = []
        made = Repaint().fill_batch(
            [PIXELS, PIXELS], HOLE, options(folder), rngs, lambda done, word: calls.append(done)
        )
        for seed, one in enumerate(made):
            assert np.abs(one.pixels - run(folder, seed)).max() < 1e-4
        assert not np.allclose(made[0].pixels, made[1].pixels)
        assert len(calls) == 1 + plan_of(options(folder)).calls, "one batch, not one by one"

    def test_one_by_one_where_memory_is_short(
        self, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alone = [run(folder, seed) for seed in (0, 1)]
        inner = models.UNetDenoiser.__call__
        calls = 0

        def short(self: Any, x: torch.Tensor, t: torch.Tensor) -> Any:
            nonlocal calls
            calls += 1
            if len(x) > 1 and calls == 2:
                raise torch.OutOfMemoryError("out of memory")
            return inner(self, x, t)

        monkeypatch.setattr(models.UNetDenoiser, "__call__", short)
        rngs = [np.random.default_rng(seed) for seed in (0, 1)]
        made = Repaint().fill_batch([PIXELS, PIXELS], HOLE, options(folder), rngs, no_progress)
        for one, expected in zip(made, alone, strict=True):
            assert (one.pixels == expected).all()
            assert "one by one" in one.notes[0]

    @pytest.mark.parametrize("error", [torch.OutOfMemoryError("out"), OF_THE_CPU, MemoryError()])
    @pytest.mark.parametrize("count", [1, 2])
    def test_no_memory_for_even_one(
        self, folder: str, error: Exception, count: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sizes = []

        def short(self: Any, x: torch.Tensor, t: torch.Tensor) -> Any:
            sizes.append(len(x))
            raise error

        monkeypatch.setattr(models.UNetDenoiser, "__call__", short)
        rngs = [np.random.default_rng(seed) for seed in range(count)]
        with pytest.raises(EngineFailed, match=r"memory of cpu .* choose a smaller one"):
            Repaint().fill_batch([PIXELS] * count, HOLE, options(folder), rngs, no_progress)
        assert sizes == ([1] if count == 1 else [2, 1])

    def test_another_error_is_not_taken_for_want_of_memory(
        self, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(self: Any, x: torch.Tensor, t: torch.Tensor) -> Any:
            raise RuntimeError("shapes do not match")

        monkeypatch.setattr(models.UNetDenoiser, "__call__", broken)
        with pytest.raises(RuntimeError, match="shapes do not match"):
            run(folder)


class TestWatching:
    def test_progress_and_preview_at_every_call(self, folder: str) -> None:
        class Watch:
            def __init__(self) -> None:
                self.told: list[float] = []
                self.shown: list[np.ndarray] = []

            def __call__(self, fraction: float, word: str) -> None:
                self.told.append(fraction)

            def preview(self, make: Callable[[], np.ndarray]) -> None:
                self.shown.append(make())

        watch = Watch()
        run(folder, progress=watch)
        calls = plan_of(options(folder)).calls
        assert watch.told == pytest.approx(np.arange(calls + 1) / calls)
        assert len(watch.shown) == calls
        for picture in watch.shown:
            assert picture.shape == PIXELS.shape
            assert picture.dtype == np.float32
            assert np.allclose(picture[~HOLE], PIXELS[~HOLE], atol=1e-5)

    def test_it_stops_within_one_call(self, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
        inner, calls = models.UNetDenoiser.__call__, []

        def counted(self: Any, x: torch.Tensor, t: torch.Tensor) -> Any:
            calls.append(1)
            return inner(self, x, t)

        monkeypatch.setattr(models.UNetDenoiser, "__call__", counted)

        def stop(fraction: float, word: str) -> None:
            if fraction > 0.3:
                raise Cancelled("stopped")

        with pytest.raises(Cancelled):
            run(folder, progress=stop, num_inference_steps=10, schedule="custom")
        assert len(calls) == 4


class TestOptions:
    def test_the_schedules(self, folder: str) -> None:
        default = make_options(Repaint(), {})
        assert plan_of(default) == plans.fast()
        assert default.model == "google/ddpm-celebahq-256"
        published = make_options(Repaint(), {"schedule": "published"})
        assert plan_of(published) == plans.published()
        custom = make_options(
            Repaint(),
            {"schedule": "custom", "num_inference_steps": 20, "jump_length": 4, "jump_n_sample": 3,
             "resample_from": 0.2, "resample_until": 0.9, "eta": 0.5},
        )  # fmt: skip
        expected = plans.make_plan(20, 4, 3, resample_from=0.2, resample_until=0.9, eta=0.5)
        assert plan_of(custom) == expected

    def test_each_option_changes_the_published_one(self) -> None:
        given = {"schedule": "published", "jump_n_sample": 5, "eta": 0.0}
        assert plan_of(make_options(Repaint(), given)) == plans.make_plan(250, 10, 5, eta=0.0)

    @pytest.mark.parametrize(
        ("given", "word"),
        [
            ({"num_inference_steps": 0}, "num_inference_steps"),
            ({"num_inference_steps": 2.5}, "whole"),
            ({"num_inference_steps": True}, "whole"),
            ({"jump_length": 0}, "jump_length"),
            ({"jump_length": 40, "num_inference_steps": 40, "jump_n_sample": 2}, "jump_length"),
            ({"jump_n_sample": 51}, "jump_n_sample"),
            ({"eta": 1.5}, "eta"),
            ({"eta": float("nan")}, "eta"),
            ({"resample_from": 0.6, "resample_until": 0.5}, "resample_from"),
            ({"schedule": "quick"}, "schedule"),
            ({"dtype": "float8"}, "dtype"),
            ({"model": ""}, "model"),
            ({"jumps": 3}, "jump_length"),
        ],
    )
    def test_refused(self, given: dict[str, Any], word: str) -> None:
        with pytest.raises(BadOption, match=word):
            make_options(Repaint(), given)

    def test_every_option_says_what_it_does(self) -> None:
        for control in controls(Repaint()):
            assert control.help.endswith("."), control.name

    @pytest.mark.parametrize("given", [{"eta": 0.0}, {"eta": 1.0}, {"jump_n_sample": 1}])
    def test_they_change_the_fill(self, folder: str, given: dict[str, Any]) -> None:
        base = {"num_inference_steps": 8, "jump_n_sample": 3, "eta": 0.4}
        plain = run(folder, **base)
        assert not np.allclose(plain, run(folder, **{**base, **given}))


class TestWhatIsWrong:
    def test_no_such_model_and_no_network(self) -> None:
        with settings.using(offline=1), pytest.raises(MissingWeights) as caught:
            fill(PHOTO, MASK, engine="repaint")
        assert "google/ddpm-celebahq-256" in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_folder_with_missing_parts(self, folder: str, tmp_path: Path) -> None:
        save_pipeline(tmp_path)
        (tmp_path / "unet" / "diffusion_pytorch_model.safetensors").unlink()
        with pytest.raises(MissingWeights, match="diffusion_pytorch_model"):
            fill(PHOTO, MASK, engine="repaint", model=str(tmp_path))

    def test_nothing_known(self, folder: str) -> None:
        with pytest.raises(FullMask):
            fill(PHOTO, np.ones_like(MASK), engine="repaint", model=folder)
        rng = np.random.default_rng(0)
        with pytest.raises(FullMask):
            Repaint().fill(PIXELS, np.ones_like(HOLE), options(folder), rng, no_progress)

    def test_more_steps_than_the_model_has(self, tmp_path: Path) -> None:
        few = save_pipeline(tmp_path, noise={"num_train_timesteps": 20})
        with pytest.raises(BadOption, match="20 steps"):
            run(str(few), num_inference_steps=21)

    def test_a_label_where_there_are_no_classes(self, folder: str) -> None:
        with pytest.raises(BadOption, match="class_label"):
            run(folder, class_label=3)

    def test_numbers_that_overflow_are_told(
        self, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inner = models.UNetDenoiser._predict

        def overflows(self: Any, x: torch.Tensor, t: torch.Tensor, precision: Any) -> torch.Tensor:
            made: torch.Tensor = inner(self, x, t, torch.float32)
            return made * torch.nan if precision == torch.float16 else made

        monkeypatch.setattr(models.UNetDenoiser, "_predict", overflows)
        made = Repaint().fill(
            PIXELS, HOLE, options(folder, dtype="float16"), np.random.default_rng(0), no_progress
        )
        assert "float32" in made.notes[0]
        monkeypatch.undo()
        assert np.allclose(made.pixels, run(folder))


def test_what_one_fill_met_does_not_change_the_next(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made() -> Any:
        chosen = options(folder, dtype="bfloat16")
        return Repaint().fill(PIXELS, HOLE, chosen, np.random.default_rng(0), no_progress)

    first, inner = made(), models.UNetDenoiser._predict

    def overflows(self: Any, x: torch.Tensor, t: torch.Tensor, precision: Any) -> torch.Tensor:
        found: torch.Tensor = inner(self, x, t, precision)
        return found * torch.nan if precision == torch.bfloat16 else found

    with monkeypatch.context() as patch:
        patch.setattr(models.UNetDenoiser, "_predict", overflows)
        assert "float32" in made().notes[0]
    again = made()
    assert again.pixels.tobytes() == first.pixels.tobytes()
    assert again.notes == ()


def test_a_checkpoint_with_classes_is_described_and_run(tmp_path: Path) -> None:
    shape = {"base": 64, "multiples": (1, 1), "depth": 1, "attention": [1], "head": 64}
    path = tmp_path / "imagenet.pt"
    torch.save(random_unet(**shape, classes=7).state_dict(), path)
    chosen = options(str(path), class_label=3, num_inference_steps=1, schedule="custom")
    rule = Repaint().size_rule(chosen)
    assert rule.native == 64
    pixels = np.random.default_rng(1).random((64, 64, 3), np.float32)
    hole = np.zeros((64, 64), np.bool_)
    hole[20:40, 20:40] = True
    made = Repaint().fill(pixels, hole, chosen, np.random.default_rng(0), no_progress)
    assert np.isfinite(made.pixels).all()


def test_the_size_follows_from_the_model(folder: str) -> None:
    rule = Repaint().size_rule(options(folder))
    assert (rule.native, rule.minimum, rule.square) == (SIDE, SIDE, True)
    default = Repaint().size_rule(make_options(Repaint(), {}))
    assert default == Repaint.card.size == engine_file.square(256)
