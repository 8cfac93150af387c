"""Crops, pads and tiles: exact small cases, then that each has its inverse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from tests.strategies import size_rules

from infill import geometry
from infill.geometry import Box, Frame, SizeRule


def test_bounds() -> None:
    array = np.zeros((5, 6), np.uint16)
    assert geometry.bounds(array) == Box(0, 0, 0, 0)
    array[1, 4] = array[3, 2] = 9
    assert geometry.bounds(array) == Box(1, 2, 4, 5)


class TestPad:
    def test_mirrors_below_and_beside(self) -> None:
        array = np.array([[1, 2, 3], [4, 5, 6]])
        padded = geometry.pad(array, SizeRule(multiple=4))
        assert padded.tolist() == [[1, 2, 3, 3], [4, 5, 6, 6], [4, 5, 6, 6], [1, 2, 3, 3]]

    def test_one_pixel_grows_to_the_minimum(self) -> None:
        padded = geometry.pad(np.full((1, 1, 3), 7), SizeRule(multiple=8, minimum=9))
        assert padded.shape == (16, 16, 3)
        assert (padded == 7).all()

    def test_nothing_to_add_is_no_copy(self) -> None:
        array = np.zeros((8, 16))
        assert geometry.pad(array, SizeRule(multiple=8)) is array

    @given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=3, max_side=20)), size_rules)
    def test_unpad_undoes_it(self, array: np.ndarray, rule: SizeRule) -> None:
        padded = geometry.pad(array, rule)
        assert padded.shape[0] % rule.multiple == padded.shape[1] % rule.multiple == 0
        assert min(padded.shape[:2]) >= rule.minimum
        assert (geometry.unpad(padded, array.shape[:2]) == array).all()


class TestTiles:
    def test_exact(self) -> None:
        assert geometry.split((10, 5), 6, 2) == [Box(0, 0, 6, 5), Box(4, 0, 10, 5)]

    def test_disagreeing_parts_meet_half_way(self) -> None:
        boxes = geometry.split((1, 10), 6, 2)
        parts = [np.full((1, 6), 1), np.full((1, 6), 2)]
        assert geometry.join(parts, boxes).tolist() == [[1] * 5 + [2] * 5]

    @pytest.mark.parametrize("overlap", [-1, 4, 5])
    def test_overlap_must_be_below_the_side(self, overlap: int) -> None:
        with pytest.raises(ValueError, match="overlap"):
            geometry.split((10, 10), 4, overlap)

    @given(
        arrays(np.uint8, array_shapes(min_dims=2, max_dims=3, max_side=40)),
        st.integers(1, 30),
        st.data(),
    )
    def test_join_undoes_split(self, array: np.ndarray, side: int, data: st.DataObject) -> None:
        overlap = data.draw(st.integers(0, side - 1))
        boxes = geometry.split(array.shape[:2], side, overlap)
        assert all(max(box.height, box.width) <= side for box in boxes)
        assert (geometry.join([array[box.slices] for box in boxes], boxes) == array).all()


def test_strips_cover_the_height() -> None:
    rows = [row for part in geometry.strips(130) for row in range(130)[part]]
    assert rows == list(range(130))


class TestNative:
    @given(
        st.integers(1, 60_000),
        st.integers(1, 60_000),
        st.sampled_from([(16, 128, 320), (8, 64, 512), (64, 768, 1024)]),
    )
    def test_what_an_engine_gets_has_about_its_native_area(
        self, height: int, width: int, sizes: tuple[int, int, int]
    ) -> None:
        multiple, minimum, native = sizes
        rule = SizeRule(multiple=multiple, minimum=minimum, native=native)
        brought = Frame.of(Box(0, 0, height, width), rule).shape
        assert min(brought) >= minimum
        # A side may be rounded up by half a multiple, and the shorter one fill up to the minimum.
        most = 2 if min(height, width) < max(height, width) / 1.5 else 1.3
        assert brought[0] * brought[1] <= most * (native + multiple) ** 2 * (1 + multiple / minimum)
