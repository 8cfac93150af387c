"""The guide of the patch synthesis: which patches go where, seen from afar."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from infill.engines.base import no_progress
from infill.engines.exemplar import Options
from infill.engines.exemplar.guide import Guide
from infill.engines.exemplar.synthesis import synthesise
from tests.engines.exemplar_scenes import (
    box,
    distances,
    matched,
    random_level,
    search,
    two_textures,
)

SHAPE = (96, 128)
HOLE = box(SHAPE, (32, 64), (44, 84))


def guided(photo: np.ndarray, shown: float, pull: float = 1.0, seed: int = 0) -> np.ndarray:
    """The hole's pixels with a guide of one grey."""
    picture = np.full((*SHAPE, 3), shown, np.float32)
    pixels = np.where(HOLE[..., None], np.float32(0), photo)
    made = synthesise(
        pixels,
        HOLE,
        options=Options(),
        seed=seed,
        threads=1,
        progress=no_progress,
        guide=Guide(picture, blur=4.0, pull=pull),
    )
    return made[HOLE]


class TestDistance:
    """What `search` adds to the distance of two patches."""

    @pytest.mark.parametrize(("pull", "slack"), [(0, 0), (3, 0), (7, 20), (49 * 8, 255)])
    def test_is_the_squared_difference_beyond_the_slack(self, pull: int, slack: int) -> None:
        level = matched(random_level(1, (20, 24), box((20, 24), (7, 13), (8, 15))), seed=2)
        level.low = np.random.default_rng(3).integers(0, 256, 20 * 24 * 3, dtype=np.uint8)
        source, distance = search(level, pull=pull, slack=slack)
        seen = level.low.reshape(-1, 3).astype(np.int64)
        apart = np.maximum(abs(seen[level.targets] - seen[source]) - slack, 0)
        near = distances(level.flat, level.width, level.targets, source)
        assert_array_equal(distance, near + pull * (apart**2).sum(1))

    def test_decides_what_is_nearest(self) -> None:
        level = matched(random_level(4, (30, 30), box((30, 30), (10, 18), (10, 18))), seed=5)
        level.low = np.zeros(30 * 30 * 3, np.uint8)
        level.low.reshape(30, 30, 3)[:, 15:] = 200  # the right half is another place from afar
        for turn in range(8):
            found = search(level, pull=49 * 8, slack=10, tries=6, reach=30, seed=turn)
            level.source, level.distance = found
        assert ((level.source % 30 >= 15) == (level.targets % 30 >= 15)).all()


class TestGuide:
    @pytest.mark.parametrize(("shown", "expected"), [(0.75, 0.75), (0.3, 0.3)])
    def test_says_which_of_two_textures_it_is(self, shown: float, expected: float) -> None:
        filled = guided(two_textures(SHAPE), shown)
        assert abs(np.median(filled) - expected) < 0.1
        assert (abs(filled - expected) < 0.2).mean() > 0.8

    def test_gives_no_pixel_of_its_own(self) -> None:
        photo = two_textures(SHAPE)
        photo[..., 1] = 0.9 * photo[..., 0]
        filled = guided(photo, 0.75)
        assert filled.std() > 0.02  # the grain, which the guide has none of
        assert abs(filled[:, 1] - 0.9 * filled[:, 0]).max() < 0.02

    def test_more_pull_comes_closer(self) -> None:
        ramp = np.broadcast_to(np.linspace(0.1, 0.9, 128)[None, :, None], (*SHAPE, 3))
        noise = np.random.default_rng(1).normal(0, 0.02, (*SHAPE, 1))
        photo = np.clip(ramp + noise, 0, 1).astype(np.float32)
        away = [
            np.mean([abs(guided(photo, 0.25, pull, seed).mean() - 0.25) for seed in range(3)])
            for pull in (0.0, 0.1, 4.0)
        ]
        assert away[0] > away[1] > away[2]

    def test_same_bytes_at_any_number_of_threads(self) -> None:
        photo = two_textures(SHAPE)
        pixels = np.where(HOLE[..., None], np.float32(0), photo)
        guide = Guide(np.full((*SHAPE, 3), 0.6, np.float32), blur=4.0, pull=1.0)
        made = {
            synthesise(
                pixels,
                HOLE,
                options=Options(),
                seed=3,
                threads=threads,
                progress=no_progress,
                guide=guide,
            ).tobytes()
            for threads in (1, 2, 5)
        }
        assert len(made) == 1
