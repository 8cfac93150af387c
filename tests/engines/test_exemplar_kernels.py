"""The compiled loops of `exemplar`, against arrays worked out by hand and against NumPy."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from infill.engines.exemplar.simd import PADDING
from tests.engines.exemplar_scenes import (
    FAR,
    box,
    distances,
    level_of,
    matched,
    random_level,
    search,
    small_masks,
)


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
