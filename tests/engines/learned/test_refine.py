"""LaMa's refinement as an option of the engine."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import infill
from infill.engines.base import make_options
from infill.engines.learned import lama as engine_file
from infill.engines.learned.lama import Lama
from infill.errors import Cancelled

PHOTO = np.random.default_rng(0).integers(0, 256, (200, 240, 3), np.uint8)
MASK = np.zeros(PHOTO.shape[:2], np.bool_)
MASK[60:140, 80:170] = True


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pyramid begin at 64 pixels."""
    monkeypatch.setattr(engine_file, "SMALLEST", 64)


def filled(models: Callable[[str], str], **given: Any) -> Any:
    return infill.fill(PHOTO, MASK, engine="lama", model=models("lama"), **given)


def test_refined(models: Callable[[str], str]) -> None:
    plain = filled(models)
    few, more, again = (filled(models, refine=True, refine_steps=steps) for steps in (1, 4, 4))
    made = [one.picture.pixels for one in (plain, few, more, again)]
    assert all((one[~MASK] == PHOTO[~MASK]).all() for one in made)
    assert (made[0] != made[1]).any()
    assert (made[1] != made[2]).any()
    assert (made[2] == made[3]).all()
    assert more.notes == ()


def test_stops_within_a_step(models: Callable[[str], str]) -> None:
    told: list[tuple[float, str]] = []

    def stop(fraction: float, word: str) -> None:
        told.append((fraction, word))
        if word == "refine":
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        filled(models, refine=True, refine_steps=50, progress=stop)
    assert [word for _, word in told].count("refine") == 1


def test_a_small_photo_is_filled_once_and_a_note_says_so(models: Callable[[str], str]) -> None:
    result = filled(models, refine=True, max_side=64)
    assert result.notes[-1] == (
        "at 72 × 64 pixels there is nothing to refine (that begins at a shorter side of 91), so "
        "the network ran once"
    )


def test_the_limit_of_pixels_is_told(models: Callable[[str], str]) -> None:
    result = filled(models, refine=True, refine_steps=1, max_side=128)
    assert result.notes == (
        "the region of 240 × 200 pixels was filled at 144 × 120; set max_side higher for more",
    )
    lama = Lama()
    assert lama.size_rule(make_options(lama, {"refine": True})).native == 1342
    assert lama.size_rule(make_options(lama, {})).native == 1024


def test_how_often_the_network_runs() -> None:
    lama = Lama()
    assert lama.calls(make_options(lama, {})) == 1
    assert lama.calls(make_options(lama, {"refine": True})) == 31
