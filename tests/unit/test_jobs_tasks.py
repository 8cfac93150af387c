"""What is handed to the workers, and the order in which it is done."""

import io
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import infill
from infill.errors import Cancelled
from infill.jobs import FillTask, Pool, SegmentTask
from infill.jobs.order import LONGEST, PIXELS_A_SECOND, Line, due
from infill.jobs.tasks import PREVIEW, preview, size_of
from infill.picture import Picture
from infill.segmenters.base import Prompt

RNG = np.random.default_rng(5)
PIXELS = RNG.integers(0, 255, (60, 80, 3), dtype=np.uint8)
MASK = np.zeros((60, 80), np.bool_)
MASK[20:30, 30:50] = True


def photo() -> Picture:
    return Picture.from_array(PIXELS)


class TestOrder:
    def test_a_small_job_overtakes_a_big_one(self) -> None:
        line: Line[str] = Line()
        line.add("big", 0.0, 10 * PIXELS_A_SECOND)
        line.add("small", 1.0, 0)
        assert (line.place("small"), line.place("big")) == (0, 1)
        assert [line.take(), line.take(), line.take()] == ["small", "big", None]

    def test_but_not_one_that_has_waited_long_enough(self) -> None:
        line: Line[str] = Line()
        line.add("big", 0.0, 10 * PIXELS_A_SECOND)
        line.add("small", 10.5, 0)
        assert line.take() == "big"

    def test_who_came_first_is_first_among_equals(self) -> None:
        line: Line[list[int]] = Line()
        first, second, third = [1], [2], [3]
        for item in (first, second, third):
            line.add(item, 5.0, 7)
        assert line.remove(second)
        assert not line.remove(second)
        assert line.items() == [first, third]
        assert len(line) == 2

    @given(st.lists(st.tuples(st.floats(0, 1000), st.integers(0, 10**9)), min_size=1))
    def test_nobody_is_overtaken_by_what_comes_much_later(
        self, jobs: list[tuple[float, int]]
    ) -> None:
        line: Line[tuple[float, int]] = Line()
        for job in jobs:
            line.add(job, *job)
        taken = [line.take() for _ in jobs]
        for index, first in enumerate(taken):
            for later in taken[index + 1 :]:
                assert first is not None
                assert later is not None
                assert first[0] <= later[0] + LONGEST
                assert due(*first) <= due(*later)


class TestFillTask:
    def test_gives_one_result_per_seed_as_the_pipeline_does(self) -> None:
        task = FillTask(photo(), MASK, "exemplar", {"effort": 0.5}, (3, 4))
        seen: list[tuple[float, str]] = []
        results = task(lambda fraction, stage: seen.append((fraction, stage)))
        for seed, result in zip((3, 4), results, strict=True):
            expected = infill.fill(photo(), MASK, engine="exemplar", seed=seed, effort=0.5)
            assert np.array_equal(result.picture.pixels, expected.picture.pixels)
            assert result.recipe.seed == seed
        fractions = [fraction for fraction, _ in seen]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1.0
        assert seen[-1][1] == "done, 2 of 2"

    def test_work_is_the_hole_times_the_seeds(self) -> None:
        assert FillTask(photo(), MASK, "flat", seeds=(1, 2, 3)).work == 600
        alpha = np.full((60, 80), 255, np.uint8)
        alpha[:2] = 0
        assert FillTask(Picture(PIXELS, alpha), None, "flat").work == 160
        assert FillTask(photo(), None, "flat").work == 0

    def test_stops_when_progress_says_so(self) -> None:
        def stop(fraction: float, stage: str) -> None:
            raise Cancelled("enough")

        with pytest.raises(Cancelled):
            FillTask(photo(), MASK, "flat")(stop)

    def test_in_a_pool_is_the_same_bytes(self) -> None:
        expected = infill.fill(photo(), MASK, engine="exemplar", seed=2)
        with Pool() as pool:
            job = pool.submit(FillTask(photo(), MASK, "exemplar", seeds=(2, 3)))
            assert job.wait(120)
            first, second = job.result()
            assert np.array_equal(first.picture.pixels, expected.picture.pixels)
            assert first.recipe.output_sha256 == expected.recipe.output_sha256
            assert second.proof.outside_max_diff == 0
            assert job.preview is not None
            with Image.open(io.BytesIO(job.preview)) as image:
                assert image.size == (80, 60)


class TestSegmentTask:
    def test_pickles_with_its_prompt(self) -> None:
        task = SegmentTask(photo(), Prompt(points=((40, 25),), box=(30, 20, 50, 30)))
        again = pickle.loads(pickle.dumps(task))
        assert again.prompt.points == ((40.0, 25.0),)
        assert again.prompt.box == (30, 20, 50, 30)
        assert (again.work, again.lane) == (4800, "click")


class TestSizes:
    def test_arrays_are_counted_once(self) -> None:
        result = infill.fill(photo(), MASK, engine="flat")
        assert size_of(result) == PIXELS.nbytes + MASK.nbytes
        assert size_of([result, result]) == size_of(result)
        assert size_of(FillTask(photo(), MASK, "flat")) == PIXELS.nbytes + MASK.nbytes
        assert size_of({"a": [PIXELS], "b": (1, None, "x")}) == PIXELS.nbytes

    def test_a_preview_is_small_and_of_eight_bits(self) -> None:
        wide = Picture.from_array(RNG.integers(0, 65535, (30, 1100, 3), dtype=np.uint16))
        with Image.open(io.BytesIO(preview(wide))) as image:
            assert max(image.size) <= PREVIEW
            assert image.mode == "RGB"
