"""Compiled loops that average: votes, halving, roughness."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from infill.engines.exemplar import kernels
from infill.engines.exemplar.level import Level
from infill.engines.exemplar.simd import RADIUS
from tests.engines.exemplar_scenes import (
    box,
    level_of,
    matched,
    random_level,
    small_masks,
)


class TestWeigh:
    def test_by_hand(self) -> None:
        weight = np.zeros(4, np.float32)
        kernels.weigh(
            np.array([0, 100, 200, 10**7], np.int32),
            np.array([1, 0.5, 1, 1], np.float32),
            np.float32(0.01),
            weight,
            0,
            4,
        )
        expected = [1, 0.5 / math.e, 1 / math.e**2, 0]
        assert weight == pytest.approx(expected, rel=1e-5, abs=1e-15)
        assert (weight > 0).all(), "no patch is left without a say"

    def test_its_range_alone(self) -> None:
        weight = np.full(5, 7, np.float32)
        zero = np.zeros(5, np.int32)
        kernels.weigh(zero, np.ones(5, np.float32), np.float32(0.5), weight, 1, 3)
        assert weight.tolist() == [7, 1, 1, 7, 7]


class TestVote:
    @staticmethod
    def expected(level: Level, weight: np.ndarray) -> np.ndarray:
        """Weighted means of all proposals, in float64 and before rounding: (hole pixels, 4)."""
        image = level.image.astype(np.float64)
        total = np.zeros((level.height, level.width, 1))
        wanted = np.zeros_like(image)
        for i in range(level.targets.size):
            (ty, tx), (sy, sx) = (
                divmod(int(at[i]), level.width) for at in (level.targets, level.source)
            )
            here = slice(ty - RADIUS, ty + RADIUS + 1), slice(tx - RADIUS, tx + RADIUS + 1)
            there = slice(sy - RADIUS, sy + RADIUS + 1), slice(sx - RADIUS, sx + RADIUS + 1)
            wanted[here] += float(weight[i]) * image[there]
            total[here] += float(weight[i])
        inside = level.hole_map > 0
        return wanted[inside] / total[inside]

    @given(st.integers(0, 2**32 - 1), small_masks())
    def test_against_float64(self, seed: int, mask: np.ndarray) -> None:
        level = matched(random_level(seed, mask.shape, mask), seed)
        weight = np.random.default_rng(seed).uniform(0.01, 1, level.targets.size)
        weight = weight.astype(np.float32)
        before = level.image.copy()
        expected = self.expected(level, weight)
        kernels.vote(
            level.flat,
            level.width,
            level.height,
            level.hole,
            level.target_at,
            level.source,
            weight,
            0,
            level.hole.size,
        )
        # Half a level is lost by rounding to whole levels; single precision adds next to nothing.
        assert abs(level.image[mask] - expected).max(initial=0) <= 0.5 + 1e-3
        assert_array_equal(level.image[~mask], before[~mask])

    def test_by_hand(self) -> None:
        mask = box((7, 15), (3, 4), (7, 8))  # covered by all targets: x from 4 to 10
        image = np.zeros((7, 15, 4), np.uint8)
        image[3, 3] = (10, 20, 30, 255)  # centre of the one source on the left
        image[3, 11] = (50, 20, 90, 255)  # and of that on the right
        level = level_of(image, mask)
        assert (level.targets % 15).tolist() == [4, 5, 6, 7, 8, 9, 10]
        level.source[:] = 3 * 15 + 3
        level.source[4:] = 3 * 15 + 11
        # Only the target right on the hole proposes a pixel that is not black.
        weight = np.array([1, 1, 1, 2, 1, 1, 1], np.float32)
        arguments = (level.flat, 15, 7, level.hole, level.target_at, level.source, weight, 0, 1)
        kernels.vote(*arguments)
        assert level.image[3, 7].tolist() == [3, 5, 8, 64]  # a quarter of it: 2.5, 5, 7.5, 63.75
        level.source[3] = 3 * 15 + 11
        kernels.vote(*arguments)
        assert level.image[3, 7].tolist() == [13, 5, 23, 64]  # 12.5, 5, 22.5, 63.75

    def test_white_stays_white(self) -> None:
        mask = box((30, 30), (10, 20), (10, 20))
        level = matched(level_of(np.full((30, 30, 4), 255, np.uint8), mask), 1)
        weight = np.full(level.targets.size, 1 / 3, np.float32)
        arguments = (level.hole, level.target_at, level.source, weight, 0, level.hole.size)
        kernels.vote(level.flat, 30, 30, *arguments)
        assert (level.image == 255).all()


class TestHalve:
    @staticmethod
    def halve(image: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shape = (hole.shape[0] + 1) // 2, (hole.shape[1] + 1) // 2
        half_image, half_hole = np.full((*shape, 4), 77, np.uint8), np.full(shape, 77, np.uint8)
        kernels.halve(image, hole, half_image, half_hole, 0, shape[0])
        return half_image, half_hole

    def test_by_hand(self) -> None:
        values = np.array([[0, 1, 9, 200, 4], [1, 1, 8, 200, 5], [255, 3, 0, 0, 7]], np.uint8)
        hole = np.array([[0, 0, 0, 1, 0], [0, 0, 0, 1, 1], [0, 1, 1, 1, 0]], np.uint8)
        image = values[..., None] + np.zeros(4, np.uint8)
        half_image, half_hole = self.halve(image, hole)
        # 3/4 rounds to 1; 17/2 rounds up to 9; one known of four decides alone.
        assert half_image[..., 0].tolist() == [[1, 9, 4], [255, 0, 7]]
        assert half_hole.tolist() == [[0, 0, 0], [0, 1, 0]]
        assert (half_image == half_image[..., :1]).all()

    @given(st.integers(0, 2**32), st.integers(1, 15), st.integers(1, 15))
    def test_against_float64(self, seed: int, height: int, width: int) -> None:
        rng = np.random.default_rng(seed)
        image = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
        hole = (rng.random((height, width)) < 0.6).astype(np.uint8)
        half_image, half_hole = self.halve(image, hole)
        assert half_hole.shape == ((height + 1) // 2, (width + 1) // 2)
        for y, x in np.ndindex(half_hole.shape):
            four = np.s_[2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
            known = image[four][hole[four] == 0].astype(np.float64)
            assert half_hole[y, x] == (not len(known))
            if len(known):
                assert_array_equal(half_image[y, x], np.floor(known.mean(0) + 0.5))
            else:
                assert (half_image[y, x] == 0).all()


class TestRoughness:
    def test_by_hand(self) -> None:
        pixels = np.array([[0, 0.5, 1], [0.2, 0.5, 0.4]], np.float32)[..., None].repeat(3, -1)
        hole = np.array([[0, 0, 1], [0, 0, 0]], np.uint8)
        image = np.full((2, 3, 4), 7, np.uint8)
        total, count = np.full((2, 2, 3), 7, np.float32)
        kernels.roughness(pixels, hole, image, total, count, 0, 2)
        assert image[..., :3].tolist() == [
            [[0] * 3, [128] * 3, [0] * 3],
            [[51] * 3, [128] * 3, [102] * 3],
        ]
        assert count.tolist() == [[2, 1, 0], [1, 1, 0]]
        steps = [[(0.5 + 0.2) * 255, 0, 0], [0.3 * 255, 0.1 * 255, 0]]
        assert total == pytest.approx(np.array(steps), abs=0.01)

    def test_every_8_bit_level_survives_and_the_rest_is_clipped(self) -> None:
        levels = np.arange(256, dtype=np.float32) / 255
        pixels = np.concatenate([levels, [-0.5, 1.5, 1e6]]).astype(np.float32)
        pixels = pixels[None, :, None].repeat(3, -1).copy()
        image = np.zeros((1, 259, 4), np.uint8)
        total, count = np.zeros((2, 1, 259), np.float32)
        kernels.roughness(pixels, np.zeros((1, 259), np.uint8), image, total, count, 0, 1)
        assert image[0, :, 1].tolist() == [*range(256), 0, 255, 255]
