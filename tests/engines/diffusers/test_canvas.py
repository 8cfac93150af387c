"""The hole in whole cells, and the smooth floor below it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infill.engines.diffusers import canvas


def test_cells_that_the_hole_touches_are_hole() -> None:
    hole = np.zeros((4, 6), np.bool_)
    hole[1, 2] = True
    expected = np.zeros((4, 6), np.bool_)
    expected[0:2, 2:4] = True
    np.testing.assert_array_equal(canvas.whole_cells(hole, 2), expected)


def test_a_picture_of_broken_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole number of cells of 4"):
        canvas.whole_cells(np.ones((8, 6), np.bool_), 4)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 4, 8]))
def test_whole_cells_hold_the_hole_and_only_what_they_touch(seed: int, cell: int) -> None:
    hole = np.random.default_rng(seed).random((16, 24)) < 0.03
    whole = canvas.whole_cells(hole, cell)
    assert not (hole & ~whole).any()
    cells = (16 // cell, cell, 24 // cell, cell)
    touched = hole.reshape(cells).any((1, 3))
    np.testing.assert_array_equal(whole.reshape(cells).all((1, 3)), touched)
    np.testing.assert_array_equal(whole.reshape(cells).any((1, 3)), touched)


class TestFloor:
    def test_a_slope_goes_on_through_the_hole(self) -> None:
        rows, columns = np.mgrid[0:48, 0:64]
        slope = np.stack([rows / 60, columns / 70, (rows + columns) / 140], -1).astype(np.float32)
        hole = np.zeros((48, 64), np.bool_)
        hole[15:33, 20:44] = True
        floor = canvas.smooth_floor(np.where(hole[..., None], 0, slope), hole)
        np.testing.assert_array_equal(floor[~hole], slope[~hole])
        assert np.abs(floor - slope)[hole].max() < 0.05

    def test_what_lies_in_the_hole_is_not_looked_at(self) -> None:
        rng = np.random.default_rng(3)
        pixels = rng.random((33, 41, 3), np.float32)
        hole = rng.random((33, 41)) < 0.4
        other = np.where(hole[..., None], rng.random(pixels.shape, np.float32), pixels)
        np.testing.assert_array_equal(
            canvas.smooth_floor(pixels, hole), canvas.smooth_floor(other, hole)
        )

    @pytest.mark.parametrize("shape", [(1, 1, 3), (3, 70, 3), (64, 5, 3)])
    def test_one_known_pixel_gives_its_colour_to_all(self, shape: tuple[int, int, int]) -> None:
        pixels = np.zeros(shape, np.float32)
        pixels[0, 0] = (0.25, 0.5, 0.75)
        hole = np.ones(shape[:2], np.bool_)
        hole[0, 0] = False
        floor = canvas.smooth_floor(pixels, hole)
        np.testing.assert_allclose(floor, np.broadcast_to(pixels[0, 0], shape), atol=1e-6)
