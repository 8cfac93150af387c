"""A larger canvas keeps the photo where it was, and all that came with it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infill.errors import BadPixels, TooManyPixels
from infill.picture import Picture
from infill.picture.canvas import extended
from infill.settings import using


@given(st.tuples(*[st.integers(0, 5)] * 4), st.sampled_from([np.uint8, np.uint16]), st.booleans())
def test_the_photo_lies_within_and_the_mask_is_the_rest(
    margins: tuple[int, int, int, int], dtype: type, clear: bool
) -> None:
    channels = 4 if clear else 3
    array = np.random.default_rng(0).integers(1, 200, (6, 7, channels)).astype(dtype)
    left, top, right, bottom = margins
    grown, mask = extended(Picture.from_array(array), *margins)
    assert grown.pixels.shape == (6 + top + bottom, 7 + left + right, 3)
    assert grown.dtype == dtype
    inner = grown.pixels[top : top + 6, left : left + 7]
    assert (inner == array[..., :3]).all()
    assert not mask[top : top + 6, left : left + 7].any()
    assert mask.sum() == mask.size - 42
    assert (grown.pixels[mask] == 0).all()
    if clear:
        assert grown.alpha is not None
        assert (grown.alpha[mask] == np.iinfo(dtype).max).all()
        assert (grown.alpha[~mask].reshape(6, 7) == array[..., 3]).all()


def test_metadata_stays() -> None:
    photo = Picture.from_array(np.zeros((4, 4, 3), np.uint8))
    assert extended(photo, 1)[0].metadata == photo.metadata


def test_margins_that_cannot_be() -> None:
    photo = Picture.from_array(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(BadPixels, match="right cannot be -1"):
        extended(photo, right=-1)
    with using(max_pixels=30), pytest.raises(TooManyPixels, match="8×4 pixels"):
        extended(photo, 4)
