"""The nearest-neighbour field of `exemplar`, its levels and its threads."""

import threading

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from infill.engines.exemplar import field
from infill.engines.exemplar.level import MIN_SOURCES, Level, make_level, pyramid
from infill.engines.exemplar.simd import RADIUS
from infill.engines.exemplar.workers import Workers
from tests.engines.exemplar_scenes import box, grey, level_of, random_level, small_masks

ONE = Workers(1)


def levels_of(mask: np.ndarray, coarsest_depth: float) -> list[Level]:
    pixels = np.random.default_rng(1).random((*mask.shape, 3), np.float32)
    return pyramid(pixels, mask, 1.0, coarsest_depth, ONE)


class TestLevel:
    @given(small_masks())
    def test_targets_and_sources(self, mask: np.ndarray) -> None:
        level = random_level(0, mask.shape, mask)
        touched = np.lib.stride_tricks.sliding_window_view(mask, (7, 7)).any((2, 3))
        whole = np.zeros(mask.shape, np.bool_)
        whole[RADIUS:-RADIUS, RADIUS:-RADIUS] = ~touched
        targets = np.zeros(mask.shape, np.bool_)
        targets[RADIUS:-RADIUS, RADIUS:-RADIUS] = touched
        assert_array_equal(level.usable.reshape(mask.shape), whole)
        assert_array_equal(level.sources(), np.flatnonzero(whole))
        assert_array_equal(level.targets, np.flatnonzero(targets))
        assert_array_equal(level.hole, np.flatnonzero(mask))
        assert_array_equal(level.target_at[level.targets], np.arange(level.targets.size))
        assert (level.target_at >= 0).sum() == level.targets.size
        assert (level.depth.reshape(mask.shape) > 0).tolist() == mask.tolist()

    @pytest.mark.parametrize("shape", [(1, 1), (6, 50), (50, 6)])
    def test_too_small_for_a_patch(self, shape: tuple[int, int]) -> None:
        assert make_level(np.zeros((*shape, 4), np.uint8), np.zeros(shape, np.uint8)) is None

    def test_no_whole_patch_is_known(self) -> None:
        hole = np.zeros((13, 13), np.uint8)
        hole[6, 6] = 1
        assert make_level(np.zeros((13, 13, 4), np.uint8), hole) is None
        hole = np.pad(hole, ((0, 1), (0, 0)))
        level = make_level(np.zeros((14, 13, 4), np.uint8), hole)
        assert level is not None
        assert level.sources().tolist() == [10 * 13 + 3 + x for x in range(7)]

    def test_pyramid_ends_where_the_hole_is_shallow(self) -> None:
        mask = box((200, 220), (60, 140), (70, 150))  # 40 pixels deep
        depths = [level.depth.max() for level in levels_of(mask, 12)]
        assert len(depths) == 3
        assert depths[-1] <= 12 < depths[-2]
        assert [level.width for level in levels_of(mask, 12)] == [220, 110, 55]
        assert len(levels_of(mask, 45)) == 2, "one halving of every hole that is not thin"
        assert len(levels_of(box((200, 220), (100, 103), (0, 220)), 12)) == 1

    def test_no_level_without_enough_to_copy(self) -> None:
        mask = box((64, 64), (10, 54), (10, 54))  # a frame of 10 pixels: of 5 at half the size
        assert len(levels_of(mask, 1)) == 1
        for half in range(7, 20):  # side of what is known there
            mask = ~box((64, 64), (8, 8 + 2 * half), (8, 8 + 2 * half))
            smallest = levels_of(mask, 1)[-1]
            enough = (half - 6) ** 2 >= MIN_SOURCES
            assert smallest.width == (32 if enough else 64)


class TestStart:
    @given(small_masks(), st.integers(0, 2**32 - 1))
    def test_at_random(self, mask: np.ndarray, seed: int) -> None:
        level = random_level(0, mask.shape, mask)
        field.start_at_random(level, seed)
        assert level.source.shape == level.targets.shape
        assert level.source.dtype == np.int32
        assert level.usable[level.source].all()
        first = level.source
        field.start_at_random(level, seed)
        assert_array_equal(level.source, first)

    def test_at_random_reaches_all(self) -> None:
        level = random_level(0, (20, 20), box((20, 20), (4, 6), (4, 6)))
        seen: set[int] = set()
        for seed in range(100):
            field.start_at_random(level, seed)
            seen |= set(level.source.tolist())
        assert seen == set(level.sources().tolist())

    @given(
        st.integers(48, 70),
        st.integers(48, 70),
        st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 30), st.integers(1, 30)),
        st.integers(0, 2**32 - 1),
    )
    def test_from_coarser(
        self, height: int, width: int, hole: tuple[int, int, int, int], seed: int
    ) -> None:
        y, x, high, wide = hole
        y, x = min(y, height - 2), min(x, width - 2)
        levels = levels_of(box((height, width), (y, y + high + 1), (x, x + wide + 1)), 0.5)
        assume(len(levels) > 1)  # a hole of two pixels may close
        fine, coarse = levels[:2]
        field.start_at_random(coarse, seed)
        field.start_from(fine, coarse)
        self.check(fine, coarse)

    @staticmethod
    def check(fine: Level, coarse: Level) -> None:
        assert fine.usable[fine.source].all()
        assert fine.source.dtype == np.int32
        exact = 0
        for target, source in zip(fine.targets.tolist(), fine.source.tolist(), strict=True):
            y, x = divmod(target, fine.width)
            # The half's own target, or the one next to it where the half is cut off at a border.
            half_y = min(max(y // 2, RADIUS), coarse.height - 1 - RADIUS)
            half_x = min(max(x // 2, RADIUS), coarse.width - 1 - RADIUS)
            j = coarse.target_at[half_y * coarse.width + half_x]
            if j < 0:
                continue
            from_y, from_x = divmod(int(coarse.source[j]), coarse.width)
            at_y, at_x = y + 2 * (from_y - half_y), x + 2 * (from_x - half_x)
            inside = RADIUS <= at_y < fine.height - RADIUS and RADIUS <= at_x < fine.width - RADIUS
            if inside and fine.usable[at_y * fine.width + at_x]:
                assert source == at_y * fine.width + at_x
                exact += 1
        assert exact > 0

    def test_where_the_doubled_shift_is_lost_the_nearest_source_is_taken(self) -> None:
        fine, coarse = levels_of(box((60, 60), (24, 36), (24, 36)), 3)[:2]
        coarse.source[:] = coarse.sources()[0]  # everything from the upper left corner
        field.start_from(fine, coarse)
        sources = np.stack(np.divmod(fine.sources(), 60))
        y, x = np.divmod(fine.targets, 60)
        from_y, from_x = np.divmod(fine.source, 60)
        half = np.divmod(coarse.sources()[0], 30)
        wanted_y = np.clip(y + 2 * (half[0] - y // 2), RADIUS, 60 - RADIUS - 1)
        wanted_x = np.clip(x + 2 * (half[1] - x // 2), RADIUS, 60 - RADIUS - 1)
        off = np.hypot(from_y - wanted_y, from_x - wanted_x)
        best = np.hypot(*(sources[:, None] - np.stack([wanted_y, wanted_x])[..., None])).min(1)
        assert (off <= best * 1.1 + 1e-6).all()  # OpenCV's 5×5 distances are near, not exact


class TestImprove:
    @staticmethod
    def searched(threads: int, seed: int) -> tuple[bytes, bytes]:
        level = random_level(2, (150, 160), box((150, 160), (25, 125), (30, 130)))
        assert level.targets.size > 8 * 1024, "as many as 8 threads share"
        field.start_at_random(level, 9)
        with Workers(threads) as workers:
            for turn in range(3):
                field.improve(
                    level,
                    workers,
                    turn=turn,
                    seed=seed,
                    reach=160,
                    tries=3,
                    shifts=np.array([[0, 40], [-30, 8]], np.int32),
                    shift_tries=1,
                    stale=turn == 0,
                )
            field.vote(level, workers, confidence=1.5, likeness=4.0)
        return level.source.tobytes() + level.distance.tobytes(), level.flat.tobytes()

    def test_threads_and_seeds(self) -> None:
        one = self.searched(1, 5)
        for threads in (2, 3, 8):
            assert self.searched(threads, 5) == one
        assert self.searched(3, 6)[0] != one[0]

    def test_turns_differ_and_distances_fall(self) -> None:
        level = random_level(2, (60, 60), box((60, 60), (20, 40), (20, 40)))
        field.start_at_random(level, 9)
        sources, means = [], []
        for turn in range(6):
            field.improve(level, ONE, turn=turn, seed=1, reach=60, tries=4, stale=turn == 0)
            sources.append(level.source.tobytes())
            means.append(float(level.distance.mean()))
        assert means == sorted(means, reverse=True)
        assert len(set(sources)) == 6

    def test_another_image_may_be_compared(self) -> None:
        level = random_level(2, (30, 30), box((30, 30), (10, 20), (10, 20)))
        field.start_at_random(level, 9)
        field.improve(level, ONE, turn=0, seed=1, reach=9, tries=1, image=np.zeros_like(level.flat))
        assert (level.distance == 0).all()


class TestVote:
    def test_deep_in_the_hole_the_weights_do_not_vanish(self) -> None:
        """confidence ** -depth is below what single precision holds; what is copied counts."""
        colour = (200, 100, 50, 25)
        image = np.full((260, 260, 4), colour, np.uint8)
        level = level_of(image, box((260, 260), (20, 240), (20, 240)))
        field.start_at_random(level, 0)
        for likeness in (4.0, None):
            for confidence in (1.5, 2.0, 3.0):
                level.image[level.hole_map > 0] = 0
                field.vote(level, ONE, confidence=confidence, likeness=likeness)
                assert (level.image == colour).all(), (likeness, confidence)

    def test_what_is_near_the_border_counts_more(self) -> None:
        """A black half and a white one: every pixel of the hole sides with its own border."""
        image = np.zeros((40, 80, 4), np.uint8)
        image[:, 40:] = 255
        level = level_of(image, box((40, 80), (10, 30), (30, 50)))
        x = level.targets % 80
        level.source = np.where(x < 40, 20 * 80 + 10, 20 * 80 + 70).astype(np.int32)
        field.vote(level, ONE, confidence=3.0, likeness=None)
        row = level.image[20, :, 0].astype(int)
        assert (np.diff(row) >= 0).all()
        assert row[36] == 0
        assert row[43] == 255
        field.vote(level, ONE, confidence=1.0, likeness=None)
        evenly = level.image[20, 30:50, 0].astype(int)
        share = np.clip((np.arange(30, 50) - 36) / 7, 0, 1)  # of the 7 columns of targets
        assert abs(evenly - 255 * share).max() <= 0.5

    def test_unlike_patches_count_less(self) -> None:
        image = np.full((30, 30, 4), 90, np.uint8)
        image[:, 20:] = 180
        level = level_of(image, box((30, 30), (14, 15), (14, 15)))
        at_left = np.arange(level.targets.size) % 2 == 0
        level.source = np.where(at_left, 5 * 30 + 5, 5 * 30 + 25).astype(np.int32)
        values = []
        for likeness in (None, 4.0, 0.25):
            level.distance = np.where(at_left, 1000, 3000).astype(np.int32)
            field.vote(level, ONE, confidence=1.0, likeness=likeness)
            values.append(int(level.image[14, 14, 0]))
        left, right = at_left.sum(), (~at_left).sum()
        # The 75th percentile of the distances is 3000.
        for value, scale in zip(values, (0, 1 / 12000, 1 / 750), strict=True):
            shares = np.exp(-1000 * scale) * left, np.exp(-3000 * scale) * right
            assert abs(value - np.average([90, 180], weights=shares)) <= 0.51


class TestCopy:
    @given(small_masks(), st.integers(0, 2**32 - 1))
    def test_every_pixel_is_one_known_pixel(self, mask: np.ndarray, seed: int) -> None:
        level = random_level(seed, mask.shape, mask)
        field.start_at_random(level, seed)
        before = level.image.copy()
        origin = field.copy(level, ONE)
        assert origin.shape == level.hole.shape
        assert origin.dtype == np.int32
        assert not mask.reshape(-1)[origin].any()
        assert_array_equal(level.image[~mask], before[~mask])
        assert_array_equal(level.image[mask], before.reshape(-1, 4)[origin])

    def test_pixels_move_as_their_targets_do(self) -> None:
        mask = box((30, 30), (0, 5), (0, 5))  # its corner is under patches that hang over
        level = random_level(1, mask.shape, mask)
        level.source = level.targets + 15 * 30 + 16
        assert level.usable[level.source].all()
        assert_array_equal(field.copy(level, ONE), level.hole + 15 * 30 + 16)
        level.source[level.target_at[3 * 30 + 3]] = 20 * 30 + 20  # serves pixels up to (3, 3)
        y, x = np.divmod(level.hole, 30)
        shift = np.where((y <= 3) & (x <= 3), 17 * 30 + 17, 15 * 30 + 16)
        assert_array_equal(field.copy(level, ONE), level.hole + shift)


class TestWorkers:
    @given(st.integers(1, 9), st.integers(0, 100), st.integers(1, 30))
    def test_every_item_once_with_what_is_around_it(
        self, threads: int, count: int, enough: int
    ) -> None:
        seen = np.zeros(count, int)
        calls = []

        def kernel(before: str, start: int, end: int, after: int) -> None:
            assert (before, after) == ("before", 3)
            calls.append((start, end))
            seen[start:end] += 1

        with Workers(threads) as workers:
            workers.run(kernel, count, "before", after=(3,), enough=enough)
        assert (seen == 1).all()
        assert len(calls) <= threads
        assert len(calls) == 1 or min(end - start for start, end in calls) >= enough

    def test_an_error_in_any_thread_comes_through_and_all_end(self) -> None:
        before = threading.active_count()

        def kernel(start: int, end: int) -> None:
            if end == 40:
                raise ArithmeticError("the last range")

        with pytest.raises(ArithmeticError, match="the last range"), Workers(4) as workers:
            workers.run(kernel, 40, enough=1)
        assert threading.active_count() == before


def test_pyramid_keeps_the_colours() -> None:
    """One colour stays that colour at all sizes, whatever the hole."""
    mask = box((100, 101), (20, 70), (30, 80)) | (np.indices((100, 101)).sum(0) % 3 == 0)
    mask[:, 85:] = False
    pixels = np.where(mask[..., None], np.float32(0), grey(np.full(mask.shape, 0.6)))
    levels = pyramid(pixels, mask, 1.0, 4.0, ONE)
    assert len(levels) > 1
    for level in levels:
        assert (level.image[level.hole_map == 0] == (153, 153, 153, 0)).all()
        assert (level.image[level.hole_map > 0] == 0).all()
