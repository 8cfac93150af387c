"""Bad files get one sentence that names the file and the mend, and nothing is written."""

import io
import os
import struct
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image
from tests.files import SAMPLES, chunk, photo, png16, tiff

from infill import settings
from infill.errors import (
    EmptyFile,
    FormatCannotHold,
    InfillError,
    NotAPicture,
    PictureError,
    TooManyPixels,
    TruncatedPicture,
    Unreadable,
    Unwritable,
    WouldOverwrite,
)
from infill.picture import Picture, as_picture, check_output

ONE_PER_KIND = [
    "jpeg", "jpeg-progressive", "png", "png-palette-alpha", "png16", "webp", "webp-lossless-alpha",
    "tiff", "tiff-lzw", "tiff-1-bit", "tiff16", "tiff16-deflate", "tiff16-planes",
    "tiff16-grey-alpha", "bmp", "bmp-1-bit", "avif",
]  # fmt: skip


def refused(data, error, tmp_path, name="photo.png"):
    """Reading raises `error` with one sentence that names the file; return the sentence."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(error) as caught:
        Picture.load(path)
    assert type(caught.value) is error
    sentence = str(caught.value)
    assert name in sentence
    assert "\n" not in sentence
    assert error.exit_code == 2
    return sentence


class TestTruncated:
    @pytest.mark.parametrize("name", ONE_PER_KIND)
    def test_at_every_place(self, name):
        """A file that is cut anywhere is refused, or loses nothing by it."""
        sample = SAMPLES[name]()
        whole = Picture.load(sample.data)
        step = max(1, len(sample.data) // 60)
        cuts = [*range(1, len(sample.data), step), len(sample.data) - 1]
        harmless = 0
        for stop in cuts:
            try:
                got = Picture.load(sample.data[:stop])
            except (TruncatedPicture, NotAPicture):
                continue
            harmless += 1
            np.testing.assert_array_equal(got.pixels, whole.pixels)
        assert harmless <= 2

    @pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "bmp", "avif", "png16"])
    def test_the_sentence(self, name, tmp_path):
        data = SAMPLES[name]().data
        sentence = refused(data[: len(data) * 2 // 3], TruncatedPicture, tmp_path)
        assert "damaged or ends too early" in sentence
        assert "whole copy" in sentence

    @pytest.mark.parametrize("name", ["png", "png16", "png-palette"])
    def test_a_flipped_bit_in_a_png(self, name):
        data = bytearray(SAMPLES[name]().data)
        data[data.index(b"IDAT") + 20] ^= 4
        with pytest.raises(TruncatedPicture, match="checksum of its IDAT"):
            Picture.load(bytes(data))

    def test_pixels_missing_inside_a_sound_png(self):
        """OpenCV would return what there is."""
        import zlib

        data = png16(photo(3, np.uint16))
        start = data.index(b"IDAT") - 4
        rows = zlib.compress(b"\0" * 500)
        short = data[:start] + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
        with pytest.raises(TruncatedPicture):
            Picture.load(short)

    def test_pillow_is_left_strict(self):
        from PIL import ImageFile

        Picture.load(SAMPLES["jpeg"]().data)
        assert ImageFile.LOAD_TRUNCATED_IMAGES is False

    @pytest.mark.parametrize("name", ONE_PER_KIND)
    def test_noise_in_the_file_never_escapes_the_tree(self, name):
        """Damage of any sort gives a picture or an error of ours, nothing else."""
        data = SAMPLES[name]().data
        rng = np.random.default_rng(1)
        for _ in range(40):
            broken = bytearray(data)
            for place in rng.integers(0, len(data), 5):
                broken[place] = rng.integers(256)
            with settings.using(max_pixels=10**6), suppress(PictureError):
                assert isinstance(Picture.load(bytes(broken)), Picture)


class TestNoPicture:
    @pytest.mark.parametrize(
        ("data", "word"),
        [
            (b"hello, this is a letter", "no image"),
            (b"\x00", "no image"),
            (b"GIF89a" + bytes(30), "a GIF"),
            (b"%PDF-1.7" + bytes(30), "a PDF"),
            (b"\x00\x00\x00\x18ftypheic" + bytes(30), "a HEIC"),
            (b"<svg xmlns=''></svg>", "an SVG"),
            (b"8BPS" + bytes(30), "Photoshop"),
        ],
    )
    def test_other_files(self, data, word, tmp_path):
        sentence = refused(data, NotAPicture, tmp_path)
        assert word in sentence
        assert ".png" in sentence

    def test_zero_bytes(self, tmp_path):
        assert "zero bytes" in refused(b"", EmptyFile, tmp_path)
        for source in (b"", io.BytesIO()):
            with pytest.raises(EmptyFile):
                as_picture(source)

    @pytest.mark.parametrize(
        ("samples", "options", "word"),
        [
            (photo().astype(np.float32), {"photometric": "rgb"}, "floating-point"),
            (photo(1)[:, :, 0].astype(np.int16), {}, "signed"),
            (photo(1)[:, :, 0].astype(np.uint32), {}, "32-bit"),
            (np.zeros((8, 8, 7), np.uint16), {"photometric": "rgb"}, "7 channels"),
        ],
    )
    def test_tiffs_that_are_no_photos(self, samples, options, word, tmp_path):
        assert word in refused(tiff(samples, **options), NotAPicture, tmp_path)

    def test_raw_files_in_tiff_clothes(self, tmp_path):
        data = tiff(photo(), photometric="rgb", extratags=[(50706, 1, 4, b"\1\4\0\0", True)])
        assert "develop" in refused(data, NotAPicture, tmp_path)

    @pytest.mark.parametrize("thing", [None, 3, object(), {"a": 1}, [1, 2]])
    def test_objects_of_other_kinds(self, thing):
        with pytest.raises(NotAPicture, match="is no photo; give a path"):
            as_picture(thing)


class TestTooMany:
    @pytest.mark.parametrize("name", SAMPLES)
    def test_the_limit_is_checked_for_every_kind(self, name, tmp_path):
        data = SAMPLES[name]().data
        with settings.using(max_pixels=24 * 37 - 1):
            sentence = refused(data, TooManyPixels, tmp_path)
        assert "888 pixels and the limit is 887" in sentence
        assert "INFILL_MAX_PIXELS" in sentence
        with settings.using(max_pixels=24 * 37):
            assert Picture.load(data).width == 37

    def test_the_limit_is_checked_before_decoding(self):
        """The headers promise pixels that would not fit into memory, and that are not there."""
        size = struct.pack(">II", 60000, 60000)
        png = bytearray(SAMPLES["png"]().data)
        png[16:24] = size
        png[8:33] = chunk(b"IHDR", bytes(png[16:29]))
        deep = bytearray(SAMPLES["png16"]().data)
        deep[16:24] = size
        deep[8:33] = chunk(b"IHDR", bytes(deep[16:29]))
        bmp = bytearray(SAMPLES["bmp"]().data)
        bmp[18:26] = struct.pack("<II", 60000, 60000)
        jpeg = bytearray(SAMPLES["jpeg"]().data)
        at = jpeg.index(b"\xff\xc0")
        jpeg[at + 5 : at + 9] = struct.pack(">HH", 60000, 60000)
        for data in (png, deep, bmp, jpeg):
            with pytest.raises(TooManyPixels):
                Picture.load(bytes(data))

    def test_pillows_own_limit_does_not_interfere(self, monkeypatch):
        """Ours is larger; Pillow warns at its own and raises at twice that."""
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        # A stripe is as far below the limit as it is in earnest: Pillow 12 checks crops, too.
        monkeypatch.setattr("infill.picture.convert._STRIPE", 100)
        for name in ("jpeg", "png", "png16", "tiff", "tiff-lzw", "tiff16", "bmp", "avif"):
            sample = SAMPLES[name]()
            assert Picture.load(sample.data).pixels.shape == sample.pixels.shape
        assert Image.MAX_IMAGE_PIXELS == 100
        # Pillow 13 leaves no way round for WebP, and that is said; Pillow 12 reads it.
        webp = SAMPLES["webp"]()
        with suppress(TooManyPixels):
            assert Picture.load(webp.data).pixels.shape == webp.pixels.shape


class TestUnreadable:
    def test_missing(self, tmp_path):
        with pytest.raises(Unreadable, match=r"photo\.jpg does not exist"):
            Picture.load(tmp_path / "photo.jpg")

    def test_folder(self, tmp_path):
        with pytest.raises(Unreadable, match="is a folder"):
            Picture.load(tmp_path)

    def test_strange_paths(self, tmp_path):
        with pytest.raises(Unreadable, match="cannot be read"):
            Picture.load("nul\0")
        with pytest.raises(Unreadable, match="cannot be read"):
            Picture.load(tmp_path / ("x" * 300))

    def test_no_permission(self, tmp_path, monkeypatch):
        from pathlib import Path

        def closed(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", closed)  # root may read anything
        with pytest.raises(Unreadable, match="may not be read"):
            Picture.load(tmp_path / "photo.jpg")

    def test_a_text_file_object(self):
        with pytest.raises(Unreadable, match="binary mode"):
            Picture.load(io.StringIO("text"))

    def test_a_file_without_end_that_is_no_photo(self):
        with pytest.raises(NotAPicture):
            Picture.load("/dev/zero")

    def test_a_pipe(self, tmp_path):
        import threading

        path = tmp_path / "pipe"
        os.mkfifo(path)
        data = SAMPLES["png"]().data
        writer = threading.Thread(target=path.write_bytes, args=(data,))
        writer.start()
        assert Picture.load(path).width == 37
        writer.join()


class TestOutput:
    def test_unknown_extensions(self, tmp_path):
        picture = Picture.from_array(photo())
        for name in ("out.gif", "out", "out.jp2", "out.png.bak", ".png"):
            with pytest.raises(FormatCannotHold, match=r"save as one of .*\.png"):
                check_output(tmp_path / name, picture)
            with pytest.raises(FormatCannotHold):
                picture.save(tmp_path / name)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("suffix", [".JPG", ".Jpeg", ".PNG", ".TIFF", ".tif", ".webp", ".dib"])
    def test_known_extensions(self, suffix, tmp_path):
        path = Picture.from_array(photo()).save(tmp_path / f"out{suffix}")
        assert Picture.load(path).width == 37

    def test_what_cannot_be_held_is_said_before_anything_is_written(self, tmp_path):
        deep = Picture.from_array(photo(3, np.uint16))
        with pytest.raises(
            FormatCannotHold,
            match=r"out\.jpg: JPEG cannot hold 16 bits per channel; save as \.png or \.tif",
        ):
            check_output(tmp_path / "out.jpg", deep)
        with pytest.raises(FormatCannotHold):
            deep.save(tmp_path / "out.jpg")
        assert list(tmp_path.iterdir()) == []

    def test_the_input_is_never_overwritten_unasked(self, tmp_path):
        path = tmp_path / "photo.png"
        path.write_bytes(SAMPLES["png"]().data)
        picture = Picture.load(path).with_pixels(255 - photo())
        with pytest.raises(WouldOverwrite, match="is the input"):
            check_output(path, picture)
        with pytest.raises(WouldOverwrite):
            picture.save(path)
        assert path.read_bytes() == SAMPLES["png"]().data
        picture.save(path, overwrite=True)
        assert path.read_bytes() != SAMPLES["png"]().data

    def test_other_inputs(self, tmp_path):
        mask = tmp_path / "mask.png"
        mask.write_bytes(b"mask")
        with pytest.raises(WouldOverwrite, match="is the input"):
            check_output(mask, None, inputs=[mask])
        check_output(tmp_path / "out.png", None, inputs=[mask])

    def test_missing_folder(self, tmp_path):
        with pytest.raises(Unwritable, match="no folder"):
            Picture.from_array(photo()).save(tmp_path / "missing" / "out.png")

    def test_an_encoder_that_fails_leaves_nothing(self, tmp_path, monkeypatch):
        def fails(*_, **__):
            raise OSError("encoder error -2")

        monkeypatch.setattr(Image.Image, "save", fails)
        with pytest.raises(Unwritable, match="encoder error"):
            Picture.from_array(photo()).save(tmp_path / "out.jpg")
        assert list(tmp_path.iterdir()) == []


def test_every_error_is_of_the_one_tree():
    for error in (EmptyFile, NotAPicture, TooManyPixels, TruncatedPicture, Unreadable, Unwritable):
        assert issubclass(error, InfillError)


def test_pixels_of_two_planes_that_do_not_match():
    from infill.errors import BadPixels

    with pytest.raises(BadPixels, match="alpha must be"):
        Picture(photo(), np.zeros((3, 3), np.uint8))
    with pytest.raises(BadPixels, match="alpha must be"):
        Picture(photo(), np.zeros((24, 37), np.uint16))
    with pytest.raises(BadPixels, match="pixels must be"):
        Picture(photo(4))
