"""Properties of saving and loading, for any size, depth, channels and content."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from infill.picture import Picture, can_hold, read_text

LOSSLESS = st.sampled_from(["png", "tiff", "webp", "bmp"])


SIDES = st.integers(1, 40)


@st.composite
def pictures(draw):
    """Any picture: 8 or 16 bits, grey or RGB, with alpha or without."""
    dtype = draw(st.sampled_from([np.uint8, np.uint16]))
    height, width = draw(SIDES), draw(SIDES)
    grey, alpha = draw(st.booleans()), draw(st.booleans())
    values = st.integers(0, np.iinfo(dtype).max)
    shape = (height, width, 1 if grey else 3)
    colours = draw(arrays.arrays(dtype, shape, elements=values))
    pixels = np.repeat(colours, 3, axis=2) if grey else colours
    plane = draw(arrays.arrays(dtype, shape[:2], elements=values)) if alpha else None
    return Picture(pixels, plane, grey)


def equal(a, b):
    np.testing.assert_array_equal(a.pixels, b.pixels)
    assert a.dtype == b.dtype
    assert (a.alpha is None) == (b.alpha is None)
    if a.alpha is not None:
        np.testing.assert_array_equal(a.alpha, b.alpha)


@settings(max_examples=150, deadline=None)
@given(pictures(), LOSSLESS)
def test_lossless_formats_keep_every_bit(picture, format):
    if not can_hold(format, picture):
        return
    again = Picture.load(picture.to_bytes(format))
    if picture.alpha is not None and again.alpha is None:  # opaque alpha may go
        assert picture.alpha.min() == np.iinfo(picture.dtype).max
        again = Picture(again.pixels, picture.alpha, again.grey, again.metadata)
    equal(again, picture)
    assert format == "webp" or again.grey == picture.grey


@settings(max_examples=60, deadline=None)
@given(pictures(), st.sampled_from(["jpeg", "avif", "webp"]), st.integers(1, 100))
def test_lossy_formats_keep_size_and_channels(picture, format, quality):
    if not can_hold(format, picture):
        return
    again = Picture.load(picture.to_bytes(format, quality=quality))
    assert again.pixels.shape == picture.pixels.shape
    assert again.dtype == picture.dtype


@settings(max_examples=60, deadline=None)
@given(pictures(), LOSSLESS)
def test_saving_twice_gives_the_same_bytes(picture, format):
    if can_hold(format, picture):
        data = picture.to_bytes(format)
        assert picture.to_bytes(format) == data
        once = Picture.load(data)
        assert Picture.load(once.to_bytes(format)).to_bytes(format) == once.to_bytes(format)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True).filter(
            lambda key: key.lower() != "comment"
        ),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        max_size=4,
    ),
    st.sampled_from(["png", "jpeg", "webp", "tiff", "avif"]),
)
def test_any_texts_come_back(texts, format):
    picture = Picture.from_array(np.zeros((4, 4, 3), np.uint8))
    assert read_text(picture.to_bytes(format, text=texts)) == texts


@settings(max_examples=60, deadline=None)
@given(pictures())
def test_fingerprints_tell_pictures_apart(picture):
    changed = picture.pixels.copy()
    changed[0, 0, 0] ^= 1
    assert picture.with_pixels(changed).sha256 != picture.sha256
    assert picture.with_pixels(picture.pixels.copy()).sha256 == picture.sha256
