"""The shifts at which a photo repeats itself."""

import numpy as np
import pytest

from infill.engines.exemplar.level import Level, pyramid
from infill.engines.exemplar.shifts import dominant_shifts
from infill.engines.exemplar.workers import Workers
from tests.engines.exemplar_scenes import box, grey


def facade(
    shape: tuple[int, int], period: tuple[int, int], noise: float, mask: np.ndarray
) -> Level:
    """A wall with windows every `period` pixels down and across, each with a lit corner."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    y, x = y % period[0], x % period[1]
    window = (y > 3) & (x > 4) & (y < period[0] - 2) & (x < period[1] - 3)
    wall = 0.7 - 0.4 * window + 0.2 * (window & (y < 8) & (x < 9))
    pixels = grey(wall) + np.random.default_rng(0).normal(0, noise, (*shape, 3))
    pixels = np.where(mask[..., None], 0, pixels.clip(0, 1)).astype(np.float32)
    return pyramid(pixels, mask, 14.0, 1000.0, Workers(1))[0]


@pytest.mark.parametrize("noise", [0.0, 0.03])
@pytest.mark.parametrize(
    ("shape", "period"),
    [((100, 112), (16, 20)), ((90, 120), (22, 15)), ((170, 180), (24, 32))],  # the last is halved
)
def test_periods_of_a_facade(shape: tuple[int, int], period: tuple[int, int], noise: float) -> None:
    level = facade(shape, period, noise, box(shape, (30, 60), (40, 75)))
    for seed in (0, 1):
        shifts = dominant_shifts(level, seed, Workers(1))
        assert shifts.dtype == np.int32
        assert 4 <= len(shifts) <= 32
        best = shifts[:4]
        off = (best + np.array(period) // 2) % period - np.array(period) // 2
        assert abs(off).max() <= (0 if noise == 0 else 1), best
        found = {tuple(shift) for shift in abs(shifts).tolist()}
        assert (0, period[1]) in found or (0, 2 * period[1]) in found
        assert (period[0], 0) in found or (2 * period[0], 0) in found


def test_a_guide_has_no_say_in_how_the_photo_repeats_itself() -> None:
    shape = (70, 80)
    level = facade(shape, (16, 20), 0.03, box(shape, (30, 50), (40, 60)))
    alone = dominant_shifts(level, 0, Workers(1))
    level.low = np.random.default_rng(1).integers(0, 256, 70 * 80 * 3, dtype=np.uint8)
    level.pull = 49 * 8
    assert (dominant_shifts(level, 0, Workers(1)) == alone).all()
