"""Every preset, end to end through `infill.fill`, on a tiny model of its family."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import infill
from infill.engines.base import ENGINES, make_options
from infill.engines.diffusers.presets import Sd
from infill.errors import BadOption, Cancelled
from infill.pipeline import candidates
from infill.result import Result
from tests.conformance_engine import assert_card, assert_options
from tests.engines.diffusers import scenes

PRESETS = (
    *("sd", "sd2", "sdxl", "sd3", "flux-fill", "flux-kontext", "flux2-klein"),
    *("qwen-image", "qwen-image-edit", "z-image", "chroma", "kandinsky"),
)


@pytest.fixture(scope="module", params=PRESETS)
def preset(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        scenes.shrink(request.param, patch)
        yield request.param


@pytest.fixture(scope="module")
def given(preset: str, model: Callable[[str], Path]) -> dict[str, Any]:
    return {"engine": preset, **scenes.options_for(preset, model)}


@pytest.fixture(scope="module")
def made(given: dict[str, Any]) -> dict[int, Result]:
    """A fill by each of two seeds."""
    return {seed: infill.fill(scenes.photo(), scenes.hole(), seed=seed, **given) for seed in (4, 5)}


class Watcher:
    """A progress that keeps what it was told, and raises on the word it is given."""

    def __init__(self, stop_at: str | None = None) -> None:
        self.told: list[tuple[float, str]] = []
        self.shown: list[np.ndarray] = []
        self._stop_at = stop_at

    def __call__(self, fraction: float, stage: str) -> None:
        self.told.append((fraction, stage))
        if stage == self._stop_at:
            raise Cancelled("stopped")

    def preview(self, make: Callable[[], np.ndarray]) -> None:
        self.shown.append(make())

    @property
    def words(self) -> list[str]:
        return [word for _, word in self.told]


class TestEveryPreset:
    def test_fills_the_hole_and_nothing_else(self, made: dict[int, Result]) -> None:
        photo, mask, result = scenes.photo(), scenes.hole(), made[4]
        assert result.picture.pixels.shape == photo.shape
        assert result.proof.outside_max_diff == 0
        np.testing.assert_array_equal(result.picture.pixels[~mask], photo[~mask])
        assert (result.picture.pixels[mask] != photo[mask]).mean() > 0.5
        assert result.recipe.weights
        assert all(len(value) == 64 for value in result.recipe.weights.values())
        assert not result.recipe.same_output(made[5].recipe), "another seed, another picture"

    def test_same_seed_same_bytes_whatever_the_hole_hides(
        self, given: dict[str, Any], made: dict[int, Result]
    ) -> None:
        changed, mask = scenes.photo(), scenes.hole()
        changed[mask] = 255 - changed[mask]
        again = infill.fill(changed, mask, seed=4, **given)
        np.testing.assert_array_equal(again.picture.pixels, made[4].picture.pixels)

    def test_candidates_are_one_batch_each_with_its_own_noise(
        self, given: dict[str, Any], made: dict[int, Result]
    ) -> None:
        photo, mask = scenes.photo(), scenes.hole()
        both = candidates(photo, mask, seeds=[4, 5], **given)
        for result, seed in zip(both, (4, 5), strict=True):
            apart = result.picture.pixels.astype(int) - made[seed].picture.pixels
            assert np.abs(apart).max() <= 1, "a batch rounds otherwise, and no more"

    def test_stops_within_a_step(self, given: dict[str, Any]) -> None:
        watcher = Watcher(stop_at=f"step 1 of {scenes.STEPS}")
        with pytest.raises(Cancelled):
            infill.fill(scenes.photo(), scenes.hole(), progress=watcher, **given)
        assert watcher.words[-1] == f"step 1 of {scenes.STEPS}"

    def test_tells_and_shows_every_step(self, preset: str, model: Callable[[str], Path]) -> None:
        watcher = Watcher()
        engine = ENGINES.get(preset)
        options = make_options(engine, scenes.options_for(preset, model))
        pixels, mask = scenes.region()
        engine.fill(pixels, mask, options, np.random.default_rng(1), watcher)
        steps = [word for word in watcher.words if word.startswith("step")]
        assert steps == ["step 1 of 2", "step 2 of 2"]
        fractions = [fraction for fraction, _ in watcher.told]
        assert fractions == sorted(fractions)
        assert len(watcher.shown) == 2
        for shown in watcher.shown:
            assert shown.shape == pixels.shape
            assert shown.dtype == np.float32
            assert np.isfinite(shown).all()
            assert shown.min() >= 0
            assert shown.max() <= 1

    def test_needs_a_prompt_and_no_unknown_option(self, given: dict[str, Any]) -> None:
        photo, mask = scenes.photo(), scenes.hole()
        with pytest.raises(BadOption, match="needs a prompt: say in words"):
            infill.fill(photo, mask, **(given | {"prompt": "  "}))
        with pytest.raises(BadOption, match="has no option 'prompt_strength'"):
            infill.fill(photo, mask, prompt_strength=1, **given)


@pytest.mark.parametrize("name", [*PRESETS, "diffusers"])
def test_card_and_options_are_in_order(name: str) -> None:
    assert_options(ENGINES.get(name))
    if name != "diffusers":
        assert_card(name)
    card = ENGINES.get(name).card
    assert card.redraws
    assert card.extra == "diffusion"


def test_the_presets_own_size_needs_no_model_on_disk() -> None:
    engine = Sd()
    assert engine.size_rule(make_options(engine, {})) == Sd.card.size
