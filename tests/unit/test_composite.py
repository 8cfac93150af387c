"""Rounding, pasting, the blend band, colour matching and the proof: exact small arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from infill import composite
from infill.composite import Proof
from infill.errors import EngineFailed
from infill.geometry import Box


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_step_of_either_depth_survives_the_way_to_floats_and_back(dtype: type) -> None:
    every = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)[:, None].repeat(3, 1)
    floats = composite.to_float(every)
    assert floats.dtype == np.float32
    assert floats.min() == 0
    assert floats.max() == 1
    assert (composite.to_depth(floats, every) == every).all()


def test_rounding_is_to_the_nearest_step_and_clips() -> None:
    values = np.array([[-1.0, 0.4 / 255, 0.6 / 255], [254.4 / 255, 254.6 / 255, 7.0]])
    like = np.zeros(1, np.uint8)
    assert composite.to_depth(values, like).tolist() == [[0, 0, 1], [254, 255, 255]]


def test_grey_takes_the_mean_of_the_channels() -> None:
    values = np.array([[0.0, 0.2, 0.7]], np.float32)
    rounded = composite.to_depth(values, np.zeros(1, np.uint8), grey=True)
    assert rounded.tolist() == [[76, 76, 76]]


class TestPaste:
    def test_writes_the_hole_alone(self) -> None:
        canvas = np.full((3, 3, 3), 10, np.uint8)
        hole = np.array([[True, False], [False, True]])
        composite.paste(canvas, Box(1, 1, 3, 3), np.ones((2, 2, 3), np.float32), hole)
        assert canvas[..., 0].tolist() == [[10, 10, 10], [10, 255, 10], [10, 10, 255]]

    def test_mixes_by_weight(self) -> None:
        canvas = np.full((1, 3, 3), 100, np.uint16)
        weight = np.array([[0.0, 0.25, 1.0]], np.float32)
        filled = np.full((1, 3, 3), 200 / 65535, np.float32)
        composite.paste(canvas, Box(0, 0, 1, 3), filled, weight)
        assert canvas[0, :, 0].tolist() == [100, 125, 200]

    def test_weight_zero_keeps_even_what_is_no_number(self) -> None:
        canvas = np.full((1, 2, 3), 100, np.uint8)
        filled = np.array([[[np.nan] * 3, [0.0] * 3]], np.float32)
        composite.paste(canvas, Box(0, 0, 1, 2), filled, np.array([[0.0, 1.0]], np.float32))
        assert canvas[0, :, 0].tolist() == [100, 0]


class TestBand:
    def test_widened_is_a_disc(self) -> None:
        mask = np.zeros((5, 5), np.bool_)
        mask[2, 2] = True
        rows = [
            "".join("#" if there else "." for there in row) for row in composite.widened(mask, 2)
        ]
        assert rows == ["..#..", ".###.", "#####", ".###.", "..#.."]

    def test_no_band_is_the_mask_itself(self) -> None:
        mask = np.zeros((5, 5), np.bool_)
        assert composite.widened(mask, 0) is mask

    def test_weight_falls_evenly(self) -> None:
        mask = np.zeros((1, 7), np.bool_)
        mask[0, 0] = True
        weight = composite.band_weight(mask, Box(0, 0, 1, 7), 3)
        assert weight.tolist() == [[1, 0.75, 0.5, 0.25, 0, 0, 0]]

    def test_weight_knows_of_a_hole_outside_its_box(self) -> None:
        mask = np.zeros((1, 7), np.bool_)
        mask[0, 0] = True
        assert composite.band_weight(mask, Box(0, 2, 1, 4), 3).tolist() == [[0.5, 0.25]]
        assert composite.band_weight(mask, Box(0, 5, 1, 7), 3).tolist() == [[0, 0]]

    @given(
        st.integers(1, 600).flatmap(lambda height: arrays(np.bool_, (height, 3))),
        st.floats(0, 40),
    )
    def test_the_weight_is_in_the_band_and_nowhere_else(
        self, mask: np.ndarray, band: float
    ) -> None:
        wide = composite.widened(mask, band)
        weight = composite.band_weight(mask, Box(0, 0, *mask.shape), band)
        assert ((weight > 0) == wide).all()
        assert (weight[mask] == 1).all()
        assert (weight[~mask] < 1).all()


class TestMatchColour:
    def test_shifts_each_hole_to_its_own_rim(self) -> None:
        photo = np.zeros((9, 40, 3), np.float32)
        photo[:, :20], photo[:, 20:] = 0.25, 0.75
        hole = np.zeros((9, 40), np.bool_)
        hole[3:6, 5:8] = hole[3:6, 30:33] = True
        filled = np.full((9, 40, 3), 9, np.float32)
        filled[hole] = 0.5
        matched = composite.match_colour(filled, photo, hole)
        assert np.allclose(matched[3:6, 5:8], 0.25)
        assert np.allclose(matched[3:6, 30:33], 0.75)
        assert (matched[~hole] == 9).all()

    def test_texture_is_kept(self) -> None:
        photo = np.full((9, 9, 3), 0.5, np.float32)
        hole = np.zeros((9, 9), np.bool_)
        hole[4, 3:5] = True
        filled = np.zeros((9, 9, 3), np.float32)
        filled[4, 3], filled[4, 4] = 0.1, 0.3
        matched = composite.match_colour(filled, photo, hole)
        assert np.allclose(matched[4, 3:5, 0], [0.4, 0.6])


class TestProof:
    before = np.arange(200 * 2 * 3, dtype=np.uint16).reshape(200, 2, 3)

    def test_counts_what_it_compared(self) -> None:
        changed = np.zeros((200, 2), np.bool_)
        changed[3, 1] = True
        after = self.before.copy()
        after[3, 1] = 9
        assert composite.prove(self.before, after, changed) == Proof(0, 399)

    @pytest.mark.parametrize("row", [0, 63, 64, 199])
    def test_finds_one_channel_of_one_pixel(self, row: int) -> None:
        changed = np.zeros((200, 2), np.bool_)
        changed[row, 0] = True
        after = self.before.copy()
        after[row, 1, 2] += 5
        with pytest.raises(EngineFailed, match="by up to 5 steps"):
            composite.prove(self.before, after, changed)

    def test_finds_alpha(self) -> None:
        changed = np.zeros((200, 2), np.bool_)
        alpha = np.full((200, 2), 9, np.uint16)
        other = alpha.copy()
        other[100, 0] = 8
        with pytest.raises(EngineFailed, match="by up to 1 steps"):
            composite.prove(self.before, self.before, changed, alpha, other)
        changed[100, 0] = True
        assert composite.prove(self.before, self.before, changed, alpha, other) == Proof(0, 399)

    def test_refuses_what_cannot_be_compared(self) -> None:
        changed = np.zeros((200, 2), np.bool_)
        alpha = np.zeros((200, 2), np.uint16)
        with pytest.raises(EngineFailed, match="alpha"):
            composite.prove(self.before, self.before, changed, alpha, None)
        with pytest.raises(EngineFailed, match="size or depth"):
            composite.prove(self.before, self.before.astype(np.uint8), changed)
