"""Pictures from arrays and Pillow images."""

import numpy as np
import pytest
from PIL import Image
from tests.files import SAMPLES, photo, saved, three

from infill.errors import BadPixels, FormatCannotHold, NotAPicture
from infill.picture import Picture, as_picture


class TestFromArray:
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_grey_rgb_and_rgba(self, dtype):
        grey, rgb, rgba = photo(1, dtype), photo(3, dtype), photo(4, dtype)
        for array in (grey, grey[:, :, 0]):
            picture = Picture.from_array(array)
            assert picture.grey
            np.testing.assert_array_equal(picture.pixels, three(grey))
        np.testing.assert_array_equal(Picture.from_array(rgb).pixels, rgb)
        assert not Picture.from_array(rgb).grey
        picture = Picture.from_array(rgba)
        np.testing.assert_array_equal(picture.pixels, rgba[:, :, :3])
        np.testing.assert_array_equal(picture.alpha, rgba[:, :, 3])

    def test_floats_become_8_bits(self):
        array = np.array([[[0.0, 0.5, 1.0]]])
        np.testing.assert_array_equal(Picture.from_array(array).pixels, [[[0, 128, 255]]])
        assert Picture.from_array(array.astype(np.float32)).dtype == np.uint8

    def test_a_later_change_of_the_array_does_not_show(self):
        for array in (photo(3), photo(4), photo(1)[:, :, 0]):
            picture = Picture.from_array(array)
            array[:] = 0
            assert picture.pixels.max() > 0
            assert picture.alpha is None or picture.alpha.max() > 0

    def test_a_read_only_array_is_not_copied(self):
        array = photo(3)
        array.flags.writeable = False
        assert np.shares_memory(Picture.from_array(array).pixels, array)

    def test_the_array_stays_writeable(self):
        array = photo(3)
        Picture.from_array(array)
        Picture.from_array(photo(3)).with_pixels(array)
        assert array.flags.writeable

    def test_views_and_other_byte_orders(self):
        array = photo(3, np.uint16)
        np.testing.assert_array_equal(
            Picture.from_array(array[::-1, ::2].astype(">u2")).pixels, array[::-1, ::2]
        )

    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.zeros((4, 4), bool), "bool"),
            (np.zeros((4, 4, 3), np.int64), "int64"),
            (np.zeros((4, 4, 3), complex), "complex"),
            (np.full((4, 4, 3), np.nan), "NaN"),
            (np.array([[0.0, np.inf]]), "infinity"),
            (np.full((4, 4, 3), 255.0), "from 255 to 255"),
            (np.full((4, 4), -0.1), r"\[0, 1\]"),
            (np.zeros((4, 4, 2), np.uint8), r"\(4, 4, 2\)"),
            (np.zeros((4, 4, 5), np.uint8), r"\(4, 4, 5\)"),
            (np.zeros((4,), np.uint8), r"\(4,\)"),
            (np.zeros((2, 4, 4, 3), np.uint8), r"\(2, 4, 4, 3\)"),
            (np.zeros((0, 4, 3), np.uint8), "empty"),
            (np.zeros((4, 0), np.float32), "empty"),
        ],
    )
    def test_bad_arrays(self, array, message):
        with pytest.raises(BadPixels, match=message):
            as_picture(array)


class TestFromPil:
    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "RGBX"])
    def test_every_mode(self, mode):
        image = Image.fromarray(photo()).convert(mode)
        picture = as_picture(image)
        np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("RGB")))
        assert picture.grey == (mode in ("1", "L", "LA"))
        assert (picture.alpha is not None) == (mode in ("LA", "RGBA"))

    def test_16_bit_grey(self):
        grey = photo(1, np.uint16)[:, :, 0]
        picture = Picture.from_pil(Image.fromarray(grey))
        np.testing.assert_array_equal(picture.pixels, three(grey))

    @pytest.mark.parametrize("mode", ["F", "I"])
    def test_32_bits_are_refused(self, mode):
        with pytest.raises(NotAPicture, match="convert it to 8 or 16 bits"):
            Picture.from_pil(Image.new(mode, (4, 4)))

    @pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF"])
    def test_an_opened_file_is_as_good_as_its_path(self, format, tmp_path):
        path = tmp_path / "photo"
        tags = Image.Exif()
        tags[0x0112] = 6
        tags[0x010F] = "Maker"
        path.write_bytes(saved(Image.fromarray(photo()), format, exif=tags, dpi=(300, 300)))
        loaded = Picture.load(path)
        with Image.open(path) as image:
            picture = Picture.from_pil(image)
        np.testing.assert_array_equal(picture.pixels, loaded.pixels)
        assert picture.metadata.jpeg == loaded.metadata.jpeg
        assert b"Maker" in picture.metadata.exif
        assert b"Maker" in loaded.metadata.exif
        assert picture.metadata.dpi == pytest.approx(loaded.metadata.dpi)
        assert picture.metadata.path == path
        assert picture.sha256[0] == "pixels"

    def test_to_pil_and_back(self):
        for name in ("png", "png-grey", "png-grey-alpha", "png-alpha", "png16-grey"):
            picture = Picture.load(SAMPLES[name]().data)
            again = Picture.from_pil(picture.to_pil())
            np.testing.assert_array_equal(again.pixels, picture.pixels)
            assert again.grey == picture.grey
            assert (again.alpha is None) == (picture.alpha is None)

    @pytest.mark.parametrize("name", ["png16", "png16-alpha", "png16-grey-alpha"])
    def test_pillow_has_no_mode_for_other_16_bit_pictures(self, name):
        with pytest.raises(FormatCannotHold, match="16 bits"):
            Picture.load(SAMPLES[name]().data).to_pil()
