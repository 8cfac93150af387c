"""The guided engine over latent models: tiny random ones of every family that can be guided."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("transformers")

import torch

from infill import drift, settings
from infill.engines.base import ENGINES, Filled, make_options, no_progress
from infill.engines.guided import Guided, latents
from infill.engines.guided.guide import Guide
from infill.engines.guided.options import Options
from infill.engines.guided.sampling import Task
from infill.errors import BadOption, Cancelled, Drifted
from tests.engines.diffusers import tiny
from tests.engines.guided_scenes import bottle, target, texture

SIDE = 64
HOLE = np.zeros((SIDE, SIDE), np.bool_)
HOLE[8:56, 16:48] = True
SCENE = np.where(HOLE[..., None], 0, texture((SIDE, SIDE), (80, 120, 70), 1) / np.float32(255))
SCENE = SCENE.astype(np.float32)
TARGET = target(bottle((90, 120), 40, 20, 54))
ONE = {"candidates": 1}
FAMILIES = ("sd", "sdxl", "sd3", "sd-plain")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("latent")
    return {name: str(tiny.save(name, root / name)) for name in FAMILIES}


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    with settings.using(threads=1, offline=1):
        yield


def options(model: str, **given: Any) -> Options:
    wanted = {"reference": TARGET, "num_inference_steps": 3, "drift": "ignore", **ONE, **given}
    made = make_options(Guided(), {"model": model, **wanted})
    assert isinstance(made, Options)
    return made


def filled(chosen: Options, seed: int = 0, progress: Any = no_progress) -> Filled:
    return Guided().fill(SCENE, HOLE, chosen, np.random.default_rng(seed), progress)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_from_a_target_alone(name: str, folders: dict[str, str]) -> None:
    chosen = options(folders[name])
    first, again = filled(chosen, 1), filled(chosen, 1)
    assert first.pixels.shape == SCENE.shape
    assert first.pixels.dtype == np.float32
    assert np.isfinite(first.pixels).all()
    assert first.pixels.tobytes() == again.pixels.tobytes()
    assert first.weights, "the files of weights are named"
    free = filled(options(folders[name], lambda_start=0.0), 1)
    assert np.abs(first.pixels - free.pixels)[HOLE].max() > 1e-3, "the target has a say"


def test_without_lambda_it_is_the_plain_engine(folders: dict[str, str]) -> None:
    made = filled(options(folders["sd"], lambda_start=0.0, prompt="a bottle"), 4)
    plain = ENGINES.get("sd")
    chosen = make_options(
        plain, {"model": folders["sd"], "prompt": "a bottle", "num_inference_steps": 3}
    )
    expected = plain.fill(SCENE, HOLE, chosen, np.random.default_rng(4), no_progress)
    assert isinstance(expected, Filled)
    assert (made.pixels == expected.pixels).all()


def test_lambda_1_ends_in_the_targets_own_latents(
    folders: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last step, in the guided cells, x is what the autoencoder made of the target."""
    seen: list[torch.Tensor] = []
    plain = latents._Blend.__call__

    def watched(self: Any, *args: Any) -> torch.Tensor:
        seen.append(plain(self, *args))
        return seen[-1]

    monkeypatch.setattr(latents._Blend, "__call__", watched)
    for name in FAMILIES:
        chosen = options(folders[name], lambda_start=1.0, lambda_kind="constant")
        filled(chosen)
        pixels, where = Guided().goal(SCENE, HOLE, chosen)
        engine, own = latents._engine(chosen)
        expected = engine.encode(pixels, own)
        inside = latents.cell_weight(where, (8, 8)) == 1
        assert inside.sum() >= 2
        away = (seen[-1] - expected)[0][:, torch.from_numpy(inside)].abs().max()
        assert float(away) < 1e-4, name


class Scheduler:
    """x_t = (1 - t / 10) x_0 + t / 10 noise."""

    def scale_noise(self, clean: Any, times: Any, noise: Any) -> Any:
        share = float(times) / 10
        return (1 - share) * clean + share * noise


def test_the_blend_is_the_equation() -> None:
    where = np.zeros((16, 16), np.bool_)
    where[0:10, 8:16] = True  # with cells of 4 pixels: two rows and two columns of whole ones
    guide = Guide(np.zeros((16, 16, 3), np.float32), where)
    task = Task(SCENE, HOLE, guide, np.random.default_rng(2))
    goal = torch.full((1, 3, 4, 4), 5.0)
    told = options("sd", lambda_start=0.8, lambda_until=1.0)
    blend = latents._Blend([task], [goal], told)
    noise = torch.from_numpy(np.random.default_rng(2).standard_normal((1, 3, 4, 4), np.float32))
    now = torch.ones((1, 3, 4, 4))
    for step, level in ((0, 6), (1, 3), (2, 1), (3, None)):
        made = blend(step, 4, level, now, Scheduler())
        share = 0.8 * (1 - step / 4)
        there = goal if level is None else (1 - level / 10) * goal + level / 10 * noise
        expected = now.clone()
        expected[..., :2, 2:] += share * (there - now)[..., :2, 2:]
        assert torch.allclose(made, expected, atol=1e-6)


def test_cells_count_only_if_they_are_whole_unless_none_is() -> None:
    where = np.zeros((16, 16), np.bool_)
    where[1:9, 4:12] = True
    assert latents.cell_weight(where, (4, 4)).sum() == 2
    where[:] = False
    where[1:4, 4:6] = True
    share = latents.cell_weight(where, (4, 4))
    assert share[0, 1] == pytest.approx(6 / 16)
    assert share.sum() == pytest.approx(6 / 16)


def test_candidates_in_one_batch_and_their_scores(folders: dict[str, str]) -> None:
    made = filled(options(folders["sdxl"], candidates=2), 3)
    assert sum(note.startswith("the best of 2 candidates") for note in made.notes) == 1


def test_cancel_within_a_step(folders: dict[str, str]) -> None:
    words: list[str] = []

    def stop(fraction: float, word: str) -> None:
        words.append(word)
        if word.startswith("step 1"):
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        filled(options(folders["sd"]), progress=stop)
    assert sum(word.startswith("step") for word in words) == 1


def test_the_size_is_the_models(folders: dict[str, str], tmp_path: Path) -> None:
    for name in latents.PRESETS:
        assert Guided().size_rule(options(name)) == ENGINES.get(name).card.size
    rule = Guided().size_rule(options(folders["sd"]))
    assert rule.native == 64
    assert latents.reads("sdxl")
    assert not latents.reads(str(tmp_path))
    assert not latents.reads("google/ddpm-celebahq-256")


def test_a_folder_of_a_model_of_pixels_is_none_of_latents(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "DDPMPipeline"}')
    assert not latents.reads(str(tmp_path))


class TestDrift:
    """Three candidates whose drift is made up: the numbers are those of their turns."""

    def filled(
        self, folder: str, monkeypatch: pytest.MonkeyPatch, refused: tuple[int, ...]
    ) -> Filled:
        turns = iter(range(3))

        def guard(scene: Any, picture: Any, mask: Any) -> Any:
            assert (mask == HOLE).all()
            turn = next(turns)
            if turn in refused:
                raise Drifted(f"candidate {turn} is another picture")
            return np.full_like(picture, turn / 10), f"candidate {turn} was moved"

        monkeypatch.setattr(drift, "guard", guard)
        return filled(options(folder, candidates=3, drift="correct"), 3)

    def test_each_candidate_has_its_own_note(
        self, folders: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = self.filled(folders["sd"], monkeypatch, ())
        best = round(float(made.pixels[0, 0, 0]) * 10)
        moved = [note for note in made.notes if note.endswith("was moved")]
        assert moved == [f"candidate {best} was moved"]

    def test_one_that_is_refused_is_left_out(
        self, folders: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = self.filled(folders["sd"], monkeypatch, (0,))
        assert "1 of 3 candidates left out: candidate 0 is another picture" in made.notes
        assert any(note.startswith("the best of 2 candidates") for note in made.notes)
        assert made.pixels[0, 0, 0] > 0.05

    def test_the_last_one_is_taken_as_it_is(
        self, folders: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = self.filled(folders["sd"], monkeypatch, (0, 1))
        assert made.pixels == pytest.approx(0.2)
        assert "candidate 2 was moved" in made.notes
        assert not any(note.startswith("the best of") for note in made.notes)

    def test_without_any_the_reason_is_raised(
        self, folders: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(Drifted, match="candidate 0 is another picture"):
            self.filled(folders["sd"], monkeypatch, (0, 1, 2))

    def test_a_seed_without_any_costs_no_other_seed(
        self, folders: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        turns = iter(range(4))

        def guard(scene: Any, picture: Any, mask: Any) -> Any:
            turn = next(turns)
            if turn < 2:
                raise Drifted(f"candidate {turn} is another picture")
            return picture, None

        monkeypatch.setattr(drift, "guard", guard)
        rngs = [np.random.default_rng(seed) for seed in (1, 2)]
        chosen = options(folders["sd"], candidates=2, drift="correct")
        first, second = Guided().fill_batch([SCENE] * 2, HOLE, chosen, rngs, no_progress)
        assert isinstance(first, Drifted)
        assert isinstance(second, Filled)


@pytest.mark.parametrize(
    "given",
    [{"jump_n_sample": 3}, {"eta": 0.5}, {"heat_width": 5}, {"resample_from": 0.2}],
)
def test_what_only_models_of_pixels_have_is_refused(
    given: dict[str, Any], folders: dict[str, str]
) -> None:
    with pytest.raises(BadOption, match="has no effect with the latent model"):
        filled(options(folders["sd"], **given))
