"""Masks from arrays and from image files of every mode."""

import io
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from infill.errors import BadMask, MaskSizeMismatch, NotAPicture, PictureError, Unreadable
from infill.masks import as_mask, from_alpha, to_image
from infill.masks.parse import shape_of
from infill.picture import Picture
from infill.picture.plane import load_planes, planes_of

HOLE = np.array([[0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 1]], bool)


def grey(white: int = 255, dtype: type = np.uint8) -> np.ndarray:
    return np.where(HOLE, white, 0).astype(dtype)


def rgba(colour_in, colour_out, alpha_in: int, alpha_out: int) -> np.ndarray:
    inside, outside = (*colour_in, alpha_in), (*colour_out, alpha_out)
    return np.where(HOLE[..., None], inside, outside).astype(np.uint8)


@pytest.mark.parametrize(
    "array",
    [
        HOLE,
        HOLE[:, :, None],
        np.stack([HOLE] * 3, axis=2),
        grey(),
        grey()[:, :, None],
        np.stack([grey()] * 3, axis=2),
        grey(65535, np.uint16),
        np.stack([grey(65535, np.uint16)] * 3, axis=2),
        grey(1, np.float32),
        grey(1, np.float64),
        np.stack([grey(1, np.float16)] * 3, axis=2),
        grey(1),
        grey(1, np.int64),
        grey(255, np.int32),
        grey(255, np.uint16),
        grey(65535, np.int64),
        np.asfortranarray(grey()),
        np.repeat(grey(), 2, axis=1)[:, ::2],
    ],
    ids=lambda array: f"{array.dtype}{array.shape}{array.max()}",
)
def test_arrays_of_every_kind(array):
    mask = as_mask(array, (3, 5))
    assert mask.dtype == np.bool_
    assert np.array_equal(mask, HOLE)
    assert np.array_equal(as_mask(array, (3, 5), invert=True), ~HOLE)


def test_a_bool_array_is_not_copied_and_never_written():
    source = HOLE.copy()
    source.flags.writeable = False
    assert np.shares_memory(as_mask(source), source)
    assert not np.shares_memory(as_mask(source, invert=True), source)


@pytest.mark.parametrize(
    ("threshold", "holes"),
    [(0, 5), (0.25, 4), (0.5, 3), (127 / 255, 3), (0.9, 2), (254 / 255, 1), (1, 1)],
)
def test_the_threshold_is_the_least_that_is_no_hole(threshold, holes):
    values = np.array([[0, 1, 100, 128, 254, 255]], np.uint8)
    assert as_mask(values, threshold=threshold).sum() == holes
    exact = as_mask(values.astype(np.float64) / 255, threshold=threshold).sum()
    assert exact == holes
    assert as_mask(values.astype(np.uint16) * 257, threshold=threshold).sum() == holes


def test_half_grey_is_no_hole_and_the_next_is():
    assert as_mask(np.array([[127, 128, 255]], np.uint8)).tolist() == [[False, True, True]]
    assert as_mask(np.array([[32767, 32768, 65535]], np.uint16)).tolist() == [[False, True, True]]
    assert as_mask(np.array([[0.5, 0.5001, 0]])).tolist() == [[False, True, False]]


def test_colours_count_by_their_luminance():
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]]], np.uint8)
    assert as_mask(colours).tolist() == [[False, True, False, True]]
    assert as_mask(colours, threshold=0.2).tolist() == [[True, True, False, True]]
    assert as_mask(colours / 255.0).tolist() == [[False, True, False, True]]


WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (200, 0, 0)


@pytest.mark.parametrize(
    "pixels",
    [
        rgba(WHITE, BLACK, 255, 0),  # white on a transparent layer
        rgba(BLACK, BLACK, 255, 0),  # black on a transparent layer
        rgba(RED, WHITE, 200, 0),  # a half-opaque brush, white beneath what was erased
        rgba(WHITE, BLACK, 255, 255),  # white on black, alpha that says nothing
        rgba(WHITE, BLACK, 128, 128),
        rgba(WHITE, BLACK, 0, 0),
    ],
)
def test_alpha_counts_where_it_differs_and_luminance_where_not(pixels, tmp_path):
    assert np.array_equal(as_mask(pixels), HOLE)
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    assert np.array_equal(as_mask(tmp_path / "mask.png", HOLE), HOLE)
    assert np.array_equal(as_mask(Image.fromarray(pixels)), HOLE)
    assert np.array_equal(as_mask(Picture.from_array(pixels)), HOLE)


def test_grey_with_alpha():
    both = np.stack([grey(), np.full_like(grey(), 255)], axis=2)
    assert np.array_equal(as_mask(both), HOLE)
    both = np.stack([np.zeros_like(grey()), grey()], axis=2)
    assert np.array_equal(as_mask(both), HOLE)


def test_a_hole_cut_out_of_the_photo_itself():
    cut = rgba(BLACK, RED, 0, 255)
    assert np.array_equal(from_alpha(Picture.from_array(cut)), HOLE)
    assert np.array_equal(from_alpha(Picture.from_array(cut), invert=True), ~HOLE)
    soft = Picture.from_array(rgba(BLACK, RED, 100, 255))
    assert np.array_equal(from_alpha(soft), HOLE)
    assert np.array_equal(from_alpha(soft, threshold=0.4), HOLE)
    with pytest.raises(BadMask, match="no transparent pixels"):
        from_alpha(soft, threshold=0.39)


def test_a_photo_that_is_nowhere_more_than_a_trace_opaque():
    trace = Picture.from_array(rgba(BLACK, RED, 0, 1))
    assert from_alpha(trace).all()
    assert np.array_equal(from_alpha(trace, threshold=0), HOLE)


@pytest.mark.parametrize("channels", [3, 4])
def test_a_photo_without_transparent_pixels(tmp_path, channels):
    path = tmp_path / "opaque.png"
    Image.fromarray(np.full((2, 3, channels), 255, np.uint8)).save(path)
    with pytest.raises(BadMask, match=r"opaque\.png has no transparent pixels.*give a mask"):
        from_alpha(Picture.load(path))


def _palette(transparent: bool) -> Image.Image:
    image = Image.fromarray(np.where(HOLE, 2, 1).astype(np.uint8), "P")
    image.putpalette([9, 9, 9, 10, 20, 0, 250, 255, 240])
    if transparent:
        image.info["transparency"] = 1
    return image


FILES = {
    "one.png": lambda: Image.fromarray(HOLE),
    "grey.png": lambda: Image.fromarray(grey()),
    "labels.png": lambda: Image.fromarray(grey(1)),
    "deep.png": lambda: Image.fromarray(grey(65535, np.uint16)),
    "colour.png": lambda: Image.fromarray(grey()).convert("RGB"),
    "palette.png": lambda: _palette(False),
    "palette-alpha.png": lambda: _palette(True),
    "grey-alpha.png": lambda: Image.merge("LA", [Image.fromarray(a) for a in (grey(9), grey())]),
    "plain.bmp": lambda: Image.fromarray(grey()),
    "one.tif": lambda: Image.fromarray(HOLE),
    "deep.tif": lambda: Image.fromarray(grey(65535, np.uint16)),
    "colour.webp": lambda: Image.fromarray(grey()).convert("RGB"),
    "grey.avif": lambda: Image.fromarray(grey()),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_every_mode(name, tmp_path):
    path = tmp_path / name
    FILES[name]().save(path, **({"lossless": True} if name.endswith("webp") else {}))
    for source in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        assert np.array_equal(as_mask(source, (3, 5)), HOLE)
    with path.open("rb") as file:
        assert np.array_equal(as_mask(file, HOLE, invert=True), ~HOLE)
    luma, alpha = planes_of(Picture.load(path))
    quick_luma, quick_alpha = load_planes(path)
    assert np.array_equal(luma, quick_luma)
    assert (alpha is None) == (quick_alpha is None)
    assert alpha is None or np.array_equal(alpha, quick_alpha)


def test_deep_colour_png(tmp_path):
    import cv2

    path = tmp_path / "deep.png"
    cv2.imwrite(str(path), np.stack([grey(65535, np.uint16)] * 3, axis=2))
    assert np.array_equal(as_mask(path), HOLE)


@pytest.mark.parametrize("quality", [20, 60, 95])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_rings_and_the_mask_does_not(tmp_path, quality, mode):
    mask = np.zeros((64, 80), bool)
    mask[10:40, 22:61] = True
    path = tmp_path / "mask.jpg"
    Image.fromarray(to_image(mask)).convert("RGB").convert(mode).save(path, quality=quality)
    read = as_mask(path, mask)
    decoded = np.asarray(Image.open(path).convert("L"))
    assert len(np.unique(decoded)) > 2  # it does ring
    assert np.array_equal(read, mask)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_mask_comes_upright(tmp_path, orientation, suffix):
    mask = np.zeros((24, 40), bool)
    mask[:8, :16] = True
    mask[16:, 24:32] = True
    path = tmp_path / f"mask.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(to_image(mask)).save(path, exif=exif, quality=95)
    assert np.array_equal(as_mask(path), as_mask(Picture.load(path)))
    turned = {1: mask, 3: mask[::-1, ::-1], 6: np.rot90(mask, -1), 8: np.rot90(mask)}
    if orientation in turned:
        assert np.array_equal(as_mask(path), turned[orientation])


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_large_file_makes_no_large_arrays(tmp_path, mode):
    path = tmp_path / "mask.png"
    side = 2000
    image = Image.new(mode, (side, side))
    image.paste("white", (100, 100, 900, 900))
    image.save(path)
    as_mask(path)  # imports
    tracemalloc.start()
    mask = as_mask(path, (side, side))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert mask.sum() == 800 * 800
    assert peak < (4.2 if mode == "RGBA" else 3.2) * side * side  # bytes a pixel


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        ((6, 10), r"mask\.png is 5×3 pixels, but the photo is 10×6; resize the mask to 10×6"),
        ((5, 3), r"mask\.png is 5×3 pixels, but the photo is 3×5; it looks turned by 90°"),
        (np.zeros((3, 6, 3)), r"the photo is 6×3; resize"),
        (Picture.from_array(np.zeros((4, 5, 3), np.uint8)), "the photo is 5×4; resize"),
    ],
)
def test_a_mask_of_another_size(tmp_path, picture, message):
    path = tmp_path / "mask.png"
    Image.fromarray(grey()).save(path)
    with pytest.raises(MaskSizeMismatch, match=message):
        as_mask(path, picture)
    with pytest.raises(MaskSizeMismatch, match="the mask is 5×3"):
        as_mask(grey(), picture)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.array([[0.2, np.nan]]), r"in \[0, 1\] without NaN"),
        (np.array([[0.2, np.inf]]), r"in \[0, 1\]"),
        (np.array([[0.0, 255.0]]), r"in \[0, 1\] without NaN, not 0 to 255"),
        (np.array([[-1, 3]]), "0 to 65535, not -1 to 3"),
        (np.array([[70000]]), "0 to 65535"),
        (np.zeros(4), r"\(H, W\)"),
        (np.zeros((2, 2, 5)), r"\(H, W\)"),
        (np.zeros((2, 2, 2, 2)), r"\(H, W\)"),
        (np.zeros((0, 4), np.uint8), "at least 1×1"),
        (np.array([["a"]]), "numbers"),
        (np.array([[1j]]), "numbers"),
    ],
)
def test_arrays_that_are_no_mask(source, message):
    with pytest.raises(BadMask, match=message):
        as_mask(source)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_out_of_range(threshold):
    for source in (grey(), grey() / 255.0, HOLE):
        with pytest.raises(BadMask, match="threshold is from 0 to 1"):
            as_mask(source, threshold=threshold)


def test_files_that_are_none(tmp_path):
    with pytest.raises(Unreadable, match=r"none\.png"):
        as_mask(tmp_path / "none.png")
    text = tmp_path / "text.png"
    text.write_text("no image")
    with pytest.raises(NotAPicture, match=r"text\.png"):
        as_mask(text)
    with pytest.raises(NotAPicture):
        as_mask(3)
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (50, 50), np.uint8)).save(
        whole, "PNG"
    )
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.getvalue()[:1200])
    with pytest.raises(PictureError, match=r"cut\.png"):
        as_mask(cut)


def test_the_shape_of_what_a_mask_belongs_to():
    assert shape_of((3, 4)) == shape_of([3, 4, 3]) == shape_of(np.zeros((3, 4, 1))) == (3, 4)
    assert shape_of(Picture.from_array(np.zeros((3, 4), np.uint8))) == (3, 4)
    for nothing in ((0, 4), (4,), "photo.jpg", None):
        with pytest.raises(BadMask, match="at least 1×1"):
            shape_of(nothing)


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=20)), st.floats(0, 1))
def test_an_image_of_a_mask_is_read_as_that_mask(mask, threshold):
    image = to_image(mask)
    assert image.dtype == np.uint8
    assert set(np.unique(image)) <= {0, 255}
    assert np.array_equal(as_mask(image, mask, threshold=threshold), mask)
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    assert np.array_equal(as_mask(file.getvalue(), mask, threshold=threshold), mask)
