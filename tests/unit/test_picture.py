"""Every format and mode is read as what it is, upright, and saved as what it was."""

import io

import numpy as np
import pytest
from PIL import Image
from tests.files import HEIGHT, SAMPLES, WIDTH, cmyk_icc, exif, photo, saved, three, tiff

from infill.errors import BadSetting, FormatCannotHold
from infill.picture import Metadata, Picture, as_picture, can_hold, losses

NEAR = 24
"""How far a lossy format may take one sample from the truth, of 255."""


@pytest.fixture(params=SAMPLES)
def sample(request):
    return SAMPLES[request.param]()


def same(picture, sample):
    """Whether a picture holds what the sample says, exactly or nearly."""
    assert picture.pixels.dtype == sample.pixels.dtype
    assert picture.grey == sample.grey
    assert (picture.alpha is None) == (sample.alpha is None)
    planes = [(picture.pixels, sample.pixels), (picture.alpha, sample.alpha)]
    for got, wanted in planes:
        if wanted is not None and sample.exact:
            np.testing.assert_array_equal(got, wanted)
        elif wanted is not None:
            assert np.abs(got.astype(int) - wanted.astype(int)).max() <= NEAR
    return True


def test_every_sample_is_read(sample):
    picture = Picture.load(sample.data)
    assert same(picture, sample)
    assert (picture.height, picture.width) == (HEIGHT, WIDTH)


def test_pixels_are_contiguous_and_read_only(sample):
    picture = Picture.load(sample.data)
    assert picture.pixels.flags.c_contiguous
    for plane in (picture.pixels, picture.alpha):
        if plane is not None:
            assert plane.dtype.isnative
            with pytest.raises(ValueError, match="read-only"):
                plane[0, 0] = 0


def test_path_bytes_and_file_object_are_the_same_source(tmp_path):
    data = SAMPLES["png"]().data
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    pictures = [as_picture(source) for source in (path, str(path), data, io.BytesIO(data))]
    for picture in pictures:
        np.testing.assert_array_equal(picture.pixels, pictures[0].pixels)
        assert picture.sha256 == pictures[0].sha256
    assert pictures[0].metadata.path == path
    assert pictures[2].metadata.path is None


def test_extension_of_the_input_does_not_matter(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(SAMPLES["png"]().data)
    assert Picture.load(path).metadata.format == "PNG"


def test_saved_in_its_own_format_it_reads_as_before(sample, tmp_path):
    first = Picture.load(sample.data)
    again = Picture.load(first.save(tmp_path / f"out{sample.suffix}"))
    assert same(again, sample)
    if sample.exact:
        np.testing.assert_array_equal(again.pixels, first.pixels)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".bmp", ".avif"])
def test_saved_in_every_format_that_can_hold_it(sample, suffix):
    first = Picture.load(sample.data)
    if not can_hold(suffix, first):
        with pytest.raises(FormatCannotHold, match=r"save as .*\.png"):
            first.to_bytes(suffix)
        return
    again = Picture.load(first.to_bytes(suffix, lossless=True if suffix == ".webp" else None))
    assert again.dtype == first.dtype
    if suffix in (".png", ".tif", ".bmp", ".webp"):
        np.testing.assert_array_equal(again.pixels, first.pixels)
        if first.alpha is not None:
            np.testing.assert_array_equal(again.alpha, first.alpha)
    if suffix != ".webp" and (suffix != ".avif" or first.alpha is None):
        assert again.grey == first.grey  # WebP has no grey, AVIF none with alpha


@pytest.mark.parametrize(
    ("name", "mode"),
    [("png-grey", "L"), ("png-grey-alpha", "LA"), ("tiff16-grey", "I;16"), ("png-alpha", "RGBA")],
)
def test_other_programs_see_the_same_mode(name, mode):
    data = Picture.load(SAMPLES[name]().data).to_bytes("png")
    assert Image.open(io.BytesIO(data)).mode == mode


def test_grey_becomes_colour_once_the_channels_differ():
    grey = Picture.load(SAMPLES["png-grey"]().data)
    pixels = grey.pixels.copy()
    pixels[3, 4] = (1, 2, 3)
    again = Picture.load(grey.with_pixels(pixels).to_bytes("png"))
    assert not again.grey
    np.testing.assert_array_equal(again.pixels, pixels)


def test_grey_jpeg_becomes_colour_once_the_channels_differ():
    grey = Picture.load(SAMPLES["jpeg-grey"]().data)
    pixels = grey.pixels.copy()
    pixels[:, :12] = (200, 40, 40)
    again = Picture.load(grey.with_pixels(pixels).to_bytes("jpeg"))
    assert not again.grey
    assert np.abs(again.pixels[4, 4].astype(int) - (200, 40, 40)).max() <= 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG", "WEBP", "AVIF"])
def test_orientation_is_applied_once(orientation, format):
    upright = photo()
    undo = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
    stored = Image.fromarray(upright)
    if orientation > 1:
        stored = stored.transpose(_TURN[undo[orientation]])
    options = {"lossless": True} if format == "WEBP" else {}
    tags = Image.Exif()
    tags[0x0112] = orientation
    picture = Picture.load(saved(stored, format, exif=tags, **options))
    assert picture.pixels.shape == upright.shape
    limit = {"JPEG": 60, "AVIF": 60}.get(format, 0)
    assert np.abs(picture.pixels.astype(int) - upright.astype(int)).max() <= limit
    again = Picture.load(picture.to_bytes(format))
    assert np.abs(again.pixels.astype(int) - picture.pixels.astype(int)).max() <= limit


_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_orientation_of_16_bits(orientation, suffix):
    """Against the 8-bit path, whose turns are Pillow's."""
    block = exif(orientation)
    low = photo()
    deep = low.astype(np.uint16) * 257
    if suffix == ".png":
        from tests.files import chunk, png16

        data = png16(deep, chunk(b"eXIf", block))
    else:
        extra = [(0x0112, 3, 1, orientation, False)]
        data = tiff(deep, photometric="rgb", extratags=extra)
    tags = Image.Exif()
    tags.load(block)
    wanted = Picture.load(saved(Image.fromarray(low), "PNG", exif=tags))
    np.testing.assert_array_equal(Picture.load(data).pixels, wanted.pixels.astype(np.uint16) * 257)


def test_orientation_in_many_stripes(monkeypatch):
    monkeypatch.setattr("infill.picture.convert._STRIPE", 5 * WIDTH)
    for orientation in range(1, 9):
        tags = Image.Exif()
        tags[0x0112] = orientation
        image = Image.fromarray(photo(4))
        got = Picture.load(saved(image, "PNG", exif=tags))
        wanted = np.asarray(image.transpose(_TURN[orientation]) if orientation > 1 else image)
        np.testing.assert_array_equal(got.pixels, wanted[:, :, :3])
        np.testing.assert_array_equal(got.alpha, wanted[:, :, 3])


def test_cmyk_without_a_profile_is_converted_and_says_so():
    image = Image.merge("CMYK", _planes(photo(4)))
    for format in ("TIFF", "JPEG"):
        picture = Picture.load(saved(image, format))
        wanted = np.asarray(image.convert("RGB")).astype(int)
        limit = 0 if format == "TIFF" else 60
        assert np.abs(picture.pixels.astype(int) - wanted).max() <= limit
        assert "without a profile" in picture.metadata.notes[0]
        assert Picture.load(picture.to_bytes(format)).metadata.notes == ()


def test_cmyk_is_converted_with_its_profile_which_is_not_kept():
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    for format in ("TIFF", "JPEG"):
        picture = Picture.load(saved(cyan, format, icc_profile=cmyk_icc()))
        assert picture.pixels.min() >= 250  # that profile says that cyan ink is white
        assert picture.metadata.icc is None
        assert "with its profile" in picture.metadata.notes[0]


def test_cmyk_with_a_profile_that_does_not_fit_is_converted_all_the_same():
    picture = Picture.load(saved(Image.new("CMYK", (8, 8)), "TIFF", icc_profile=b"nonsense"))
    assert (picture.pixels == 255).all()
    assert "damaged" in picture.metadata.notes[0]


def _planes(samples):
    return [Image.fromarray(samples[:, :, c]) for c in range(samples.shape[2])]


def test_a_key_colour_becomes_alpha():
    grey = photo(1)[:, :, 0]
    key = int(grey[2, 3])
    picture = Picture.load(saved(Image.fromarray(grey), "PNG", transparency=key))
    np.testing.assert_array_equal(picture.alpha, np.where(grey == key, 0, 255))
    assert picture.grey
    rgb = photo()
    picture = Picture.load(
        saved(Image.fromarray(rgb), "PNG", transparency=tuple(int(v) for v in rgb[2, 3]))
    )
    np.testing.assert_array_equal(picture.alpha == 0, (rgb == rgb[2, 3]).all(axis=2))


def test_a_key_colour_of_16_bits_becomes_alpha():
    from tests.files import chunk, png16

    grey = photo(1, np.uint16)
    picture = Picture.load(png16(grey, chunk(b"tRNS", int(grey[2, 3, 0]).to_bytes(2, "big"))))
    np.testing.assert_array_equal(picture.alpha == 0, grey[:, :, 0] == grey[2, 3, 0])
    assert picture.grey
    np.testing.assert_array_equal(picture.pixels, three(grey))
    rgb = photo(3, np.uint16)
    key = b"".join(int(v).to_bytes(2, "big") for v in rgb[2, 3])
    picture = Picture.load(png16(rgb, chunk(b"tRNS", key)))
    np.testing.assert_array_equal(picture.alpha == 0, (rgb == rgb[2, 3]).all(axis=2))
    np.testing.assert_array_equal(picture.pixels, rgb)


def test_premultiplied_alpha_is_divided_out():
    samples = np.array([[[100, 200, 300, 65535], [100, 200, 300, 32768], [0, 0, 0, 0]]], np.uint16)
    data = tiff(samples, photometric="rgb", extrasamples=["assocalpha"])
    picture = Picture.load(data)
    np.testing.assert_array_equal(picture.alpha, samples[:, :, 3])
    np.testing.assert_array_equal(picture.pixels[0], [[100, 200, 300], [200, 400, 600], [0, 0, 0]])


def test_a_fourth_channel_that_is_no_alpha_is_left_away():
    data = tiff(photo(4, np.uint16), photometric="rgb", extrasamples=["unspecified"])
    picture = Picture.load(data)
    assert picture.alpha is None
    np.testing.assert_array_equal(picture.pixels, photo(4, np.uint16)[:, :, :3])


def test_of_several_frames_the_first_is_taken_with_a_note():
    frames = [Image.fromarray(photo(3) // n) for n in (1, 2, 3)]
    for format in ("PNG", "WEBP", "AVIF"):
        lossless = {"lossless": True} if format == "WEBP" else {}
        picture = Picture.load(
            saved(frames[0], format, save_all=True, append_images=frames[1:], **lossless)
        )
        assert picture.metadata.notes == ("the file is animated; its first frame is used",)
        assert np.abs(picture.pixels.astype(int) - photo(3)).max() <= (
            60 if format == "AVIF" else 0
        )
    picture = Picture.load(saved(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    assert picture.metadata.notes == ("the file holds 3 pictures; the first is used",)
    picture = Picture.load(saved(frames[0], "MPO", save_all=True, append_images=frames[1:]))
    assert picture.metadata.notes == ("the file holds more pictures; the first is used",)
    assert picture.metadata.format == "JPEG"


def test_fingerprints():
    import hashlib

    data = SAMPLES["png"]().data
    picture = Picture.load(data)
    assert picture.sha256 == ("file", hashlib.sha256(data).hexdigest())
    changed = picture.with_pixels(picture.pixels)
    assert changed.sha256[0] == "pixels"
    wanted = hashlib.sha256(b"uint8 (24, 37, 3)\n" + picture.pixels.tobytes()).hexdigest()
    assert changed.sha256 == ("pixels", wanted)
    assert Picture.from_array(photo(4)).sha256 != Picture.from_array(photo(4)[:, :, :3]).sha256


def test_opaque_alpha_is_no_obstacle():
    samples = photo(4)
    samples[:, :, 3] = 255
    opaque = Picture.from_array(samples)
    for suffix in (".jpg", ".bmp"):
        assert Picture.load(opaque.to_bytes(suffix)).alpha is None
    samples[0, 0, 3] = 254
    with pytest.raises(FormatCannotHold, match=r"transparency; save as \.png, \.webp"):
        Picture.from_array(samples).to_bytes(".jpg")


def test_sides_that_are_too_long():
    long = Picture.from_array(np.zeros((1, 16384), np.uint8))
    with pytest.raises(FormatCannotHold, match="16383 pixels; save as"):
        long.to_bytes("webp")
    assert Picture.load(long.to_bytes("png")).width == 16384


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_quality_out_of_range(quality):
    with pytest.raises(BadSetting, match="1 to 100"):
        Picture.from_array(photo()).to_bytes("jpeg", quality=quality)


def test_metadata_that_a_format_drops_is_named():
    picture = Picture.from_array(photo())
    full = Picture(picture.pixels, metadata=Metadata(icc=b"x", exif=b"x", xmp=b"x", dpi=(1, 1)))
    assert losses("out.bmp", full) == ("icc", "exif", "xmp")
    assert losses("out.png", full) == ()


def test_a_picture_travels_between_processes():
    import pickle

    picture = Picture.load(SAMPLES["jpeg"]().data)
    again = pickle.loads(pickle.dumps(picture))
    np.testing.assert_array_equal(again.pixels, picture.pixels)
    assert again.metadata == picture.metadata
    assert again.sha256 == picture.sha256
