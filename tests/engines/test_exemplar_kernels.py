"""The compiled loops of `exemplar`, against arrays worked out by hand and against NumPy."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from infill.engines.exemplar import kernels
from infill.engines.exemplar.level import Level
from infill.engines.exemplar.simd import PADDING, RADIUS
from tests.engines.exemplar_scenes import box, level_of, random_level, small_masks

NO_SHIFTS = np.zeros((0, 2), np.int32)
FAR = 2**30  # a distance worse than any


def distances(flat: np.ndarray, width: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The distances between patches around `first` and `second`, stated in NumPy."""
    height = (flat.size - PADDING) // 4 // width
    image = flat[: height * width * 4].reshape(height, width, 4).astype(np.int64)
    step = np.arange(-RADIUS, RADIUS + 1)
    patches = [
        image[(at // width)[:, None, None] + step[:, None], (at % width)[:, None, None] + step]
        for at in (np.asarray(first, np.int64), np.asarray(second, np.int64))
    ]
    return ((patches[0] - patches[1]) ** 2).sum((1, 2, 3))


def search(level: Level, start: int = 0, end: int | None = None, **given: object):
    """`kernels.search` with nothing tried but what is given; returns sources and distances."""
    chosen = {
        "jump": 1,
        "reach": 1,
        "tries": 0,
        "shifts": NO_SHIFTS,
        "shift_tries": 0,
        "apart": 0,
        "stale": True,
        "seed": 0,
    } | given
    source, distance = np.full_like(level.source, -7), np.full_like(level.distance, -7)
    kernels.search(
        level.flat,
        level.width,
        level.height,
        level.targets,
        level.target_at,
        level.usable,
        level.source,
        level.distance,
        source,
        distance,
        start,
        level.targets.size if end is None else end,
        *chosen.values(),
    )
    return source, distance


def matched(level: Level, seed: int) -> Level:
    """The level with random sources and the distances to them."""
    sources = level.sources()
    rng = np.random.default_rng(seed)
    level.source = sources[rng.integers(0, sources.size, level.targets.size)]
    level.distance = distances(level.flat, level.width, level.targets, level.source).astype(
        np.int32
    )
    return level


class TestPatchDistance:
    """Measured through `search` without candidates: it measures what it is given."""

    @staticmethod
    def measure(flat: np.ndarray, width: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        level = level_of(np.zeros((9, 9, 4), np.uint8), box((9, 9), (0, 1), (0, 1)))
        level.flat, level.width, level.height = flat, width, (flat.size - PADDING) // 4 // width
        level.targets, level.source = first.astype(np.int32), second.astype(np.int32)
        level.distance = np.zeros_like(level.targets)
        level.target_at = np.full(level.width * level.height, -1, np.int32)
        level.usable = np.zeros(level.width * level.height, np.uint8)
        source, distance = search(level)
        assert_array_equal(source, second)
        return distance

    @given(
        st.integers(0, 2**32),
        st.tuples(st.integers(7, 20), st.integers(7, 20)),
        st.sampled_from([256, 2]),
    )
    def test_every_patch_of_an_image_with_random_others(
        self, seed: int, shape: tuple[int, int], values: int
    ) -> None:
        rng = np.random.default_rng(seed)
        height, width = shape
        flat = rng.integers(0, values, height * width * 4 + PADDING, dtype=np.uint8)
        flat *= np.uint8(255 // (values - 1))  # the extremes alone, or all there are
        inner = np.arange(height * width).reshape(shape)[3:-3, 3:-3].ravel()
        other = rng.permutation(inner)
        assert_array_equal(
            self.measure(flat, width, inner, other), distances(flat, width, inner, other)
        )

    def test_first_and_last_place_at_the_largest_distance(self) -> None:
        flat = np.zeros(7 * 14 * 4 + PADDING, np.uint8)
        flat[:-PADDING].reshape(7, 14, 4)[:, 7:] = 255
        first, last = np.array([3 * 14 + 3]), np.array([3 * 14 + 10])
        for padding in (0, 255):
            flat[-PADDING:] = padding
            assert self.measure(flat, 14, first, last) == 7 * 7 * 4 * 255**2
            assert self.measure(flat, 14, last, first) == 7 * 7 * 4 * 255**2

    def test_what_lies_beside_and_behind_does_not_count(self) -> None:
        flat = np.zeros(7 * 16 * 4 + PADDING, np.uint8)
        image = flat[:-PADDING].reshape(7, 16, 4)
        image[:, 7:9] = 255  # right of the first patch, left of the last
        flat[-PADDING:] = 255
        assert self.measure(flat, 16, np.array([3 * 16 + 3]), np.array([3 * 16 + 12])) == 0

    @pytest.mark.parametrize("place", [(0, 0, 0), (0, 6, 3), (3, 3, 1), (6, 0, 2), (6, 6, 3)])
    def test_each_byte_counts_once(self, place: tuple[int, int, int]) -> None:
        flat = np.zeros(7 * 14 * 4 + PADDING, np.uint8)
        flat[:-PADDING].reshape(7, 14, 4)[place] = 9
        assert self.measure(flat, 14, np.array([45]), np.array([52])) == 81


class TestSearch:
    @given(st.integers(0, 2**31), small_masks(), st.integers(1, 8))
    def test_propagation_is_what_its_statement_says(
        self, seed: int, mask: np.ndarray, jump: int
    ) -> None:
        level = matched(random_level(seed, mask.shape, mask), seed)
        source, distance = search(level, jump=jump)
        for i, target in enumerate(level.targets.tolist()):
            y, x = divmod(target, level.width)
            candidates = [int(level.source[i])]
            for ny, nx in ((y, x + jump), (y, x - jump), (y + jump, x), (y - jump, x)):
                if 0 <= ny < level.height and 0 <= nx < level.width:
                    beside = ny * level.width + nx
                    place = int(level.source[level.target_at[beside]]) + target - beside
                    if level.target_at[beside] >= 0 and 0 <= place < level.usable.size:
                        candidates += [place] * int(level.usable[place])
            of_each = distances(
                level.flat, level.width, np.full(len(candidates), target), np.array(candidates)
            )
            assert distance[i] == of_each.min()
            assert source[i] == candidates[int(of_each.argmin())]

    @given(
        st.integers(0, 2**32 - 1),
        small_masks(),
        st.integers(1, 8),
        st.integers(0, 40),
        st.integers(0, 6),
        st.integers(0, 3),
        st.booleans(),
    )
    def test_sources_are_usable_and_distances_true_and_never_worse(
        self,
        seed: int,
        mask: np.ndarray,
        jump: int,
        reach: int,
        tries: int,
        shift_tries: int,
        stale: bool,
    ) -> None:
        level = matched(random_level(seed, mask.shape, mask), seed)
        before = level.distance.copy()
        if stale:
            level.distance[:] = 0  # must not be believed
        shifts = np.random.default_rng(seed).integers(-60, 60, (5, 2), dtype=np.int32)
        source, distance = search(
            level,
            jump=jump,
            reach=reach,
            tries=tries,
            shifts=shifts,
            shift_tries=shift_tries,
            stale=stale,
            seed=seed,
        )
        assert level.usable[source].all()
        assert_array_equal(distance, distances(level.flat, level.width, level.targets, source))
        assert (distance <= before).all()
        kept = distance == before
        assert_array_equal(source[kept], level.source[kept])

    @given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 10**6), max_size=5))
    def test_any_split_of_the_range_gives_the_same(self, seed: int, cuts: list[int]) -> None:
        mask = box((30, 34), (8, 20), (10, 26))
        level = matched(random_level(3, mask.shape, mask), 4)
        tried = {"reach": 20, "tries": 4, "seed": seed}
        whole = search(level, **tried)
        count = level.targets.size
        bounds = sorted({0, count, *(cut % count for cut in cuts)})
        for start, end in pairwise(bounds):
            part = search(level, start, end, **tried)
            for got, expected in zip(part, whole, strict=True):
                assert_array_equal(got[start:end], expected[start:end])
                assert (got[:start] == -7).all(), "written before its range"
                assert (got[end:] == -7).all(), "written behind its range"

    def test_what_is_no_better_changes_nothing(self) -> None:
        mask = box((30, 30), (10, 20), (10, 20))
        level = matched(level_of(np.full((30, 30, 4), 9, np.uint8), mask), 2)
        level.image[mask] = 9
        shifts = np.array([[0, 12], [12, 0]], np.int32)
        source, distance = search(level, reach=30, tries=5, shifts=shifts, shift_tries=3)
        assert_array_equal(source, level.source)
        assert (distance == 0).all()

    def test_seeds(self) -> None:
        mask = box((40, 40), (10, 30), (10, 30))
        level = matched(random_level(3, mask.shape, mask), 4)
        tried = {"reach": 40, "tries": 3}
        results = [search(level, **tried, seed=seed)[0] for seed in (5, 5, 6, 2**32 - 1)]
        assert_array_equal(results[0], results[1])
        for one, other in ((0, 2), (0, 3), (2, 3)):
            assert (results[one] != results[other]).mean() > 0.3

    def test_random_places_cover_the_window_and_stay_in_it(self) -> None:
        mask = box((24, 30), (0, 1), (0, 1))  # the targets are (3, 3) alone
        level = random_level(1, mask.shape, mask)
        assert level.targets.tolist() == [3 * 30 + 3]
        level.source[:] = 12 * 30 + 15
        level.distance[:] = FAR
        for reach in (1, 4, 50):
            found = {
                int(search(level, reach=reach, tries=1, stale=False, seed=seed)[0][0])
                for seed in range(9000 if reach == 50 else 900)
            }
            places = np.zeros(mask.shape, np.uint8)
            places[max(12 - reach, 3) : 13 + reach, max(15 - reach, 3) : 16 + reach] = 1
            usable = np.flatnonzero(level.usable & places.ravel())
            assert sorted(found) == usable.tolist()

    @pytest.mark.parametrize(
        ("shift", "taken"),
        [((0, 9), True), ((12, 5), True), ((-4, 0), False), ((0, 90), False), ((0, 0), False)],
    )
    def test_dominant_shifts(self, shift: tuple[int, int], taken: bool) -> None:
        mask = box((24, 30), (0, 1), (0, 1))
        level = random_level(1, mask.shape, mask)
        level.source[:] = 20 * 30 + 20
        level.distance[:] = FAR
        source, _ = search(level, shifts=np.array([shift], np.int32), shift_tries=1, stale=False)
        at = (3 + shift[0]) * 30 + 3 + shift[1]
        assert source[0] == (at if taken else 20 * 30 + 20)

    @given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([1, 2, 4, 8]))
    def test_sources_stay_apart(self, seed: int, apart: int, jump: int) -> None:
        mask = box((32, 36), (14, 17), (15, 18))
        level = random_level(seed, mask.shape, mask)
        level.targets = level.sources()  # as `dominant_shifts` does: known patches of each other
        level.target_at[:] = -1
        level.target_at[level.targets] = np.arange(level.targets.size)
        matched(level, seed)
        y, x = np.divmod(level.targets, level.width)

        def far(source: np.ndarray) -> np.ndarray:
            from_y, from_x = np.divmod(source, level.width)
            return (abs(from_y - y) >= apart) | (abs(from_x - x) >= apart)

        was_far = far(level.source)
        level.distance[~was_far] = FAR  # starts that are too near must be left if they can be
        source, _ = search(level, jump=jump, reach=40, tries=6, apart=apart, stale=False, seed=seed)
        assert far(source)[was_far].all()
        moved = source != level.source
        assert far(source)[moved].all()
        if (~was_far).sum() > 20:
            assert moved[~was_far].mean() > 0.5


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
