"""How a file was coded, and the texts in it: JPEG tables, lossless WebP, recipes."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.files import HEIGHT, WIDTH, chunk, exif, icc, photo, png16, saved
from tests.unit.picture_samples import EVERYWHERE, RECIPE, full

from infill.errors import FormatCannotHold, Unreadable
from infill.picture import Picture, holds_text, read_text


class TestJpeg:
    @pytest.mark.parametrize("subsampling", [0, 1, 2])
    @pytest.mark.parametrize("progressive", [False, True])
    @pytest.mark.parametrize("quality", [30, 75, 97])
    def test_tables_subsampling_and_scans_are_kept(self, subsampling, progressive, quality):
        data = saved(
            Image.fromarray(photo()),
            "JPEG",
            quality=quality,
            subsampling=subsampling,
            progressive=progressive,
        )
        again = Picture.load(data).to_bytes("jpeg")
        before, after = (Image.open(io.BytesIO(d)) for d in (data, again))
        assert after.quantization == before.quantization
        assert after.layer == before.layer
        assert bool(after.info.get("progressive")) == progressive

    def test_a_second_coding_changes_next_to_nothing(self):
        first = Picture.load(saved(Image.fromarray(photo(3, height=96, width=96)), "JPEG"))
        again = Picture.load(first.to_bytes("jpeg"))
        difference = np.abs(again.pixels.astype(int) - first.pixels)
        assert difference.max() <= 8
        assert difference.mean() < 0.2

    def test_grey_keeps_its_table(self):
        data = saved(Image.fromarray(photo(1)[:, :, 0]), "JPEG", quality=40)
        after = Image.open(io.BytesIO(Picture.load(data).to_bytes("jpeg")))
        assert after.quantization == Image.open(io.BytesIO(data)).quantization
        assert after.mode == "L"

    def test_tables_turn_with_the_photo(self):
        lopsided = [list(range(1, 65)), [2 * v for v in range(1, 65)]]
        image = Image.fromarray(photo(3, height=64, width=96))
        data = saved(image, "JPEG", qtables=lopsided, subsampling=1, exif=b"Exif\0\0" + exif(6))
        first = Picture.load(data)
        after = Image.open(io.BytesIO(first.to_bytes("jpeg")))
        for before, turned in zip(lopsided, after.quantization.values(), strict=True):
            np.testing.assert_array_equal(np.reshape(turned, (8, 8)), np.reshape(before, (8, 8)).T)
        assert after.layer[0][1:3] == (1, 1)  # 4:2:2 cannot be turned, so chroma stays whole
        again = Picture.load(first.to_bytes("jpeg"))
        assert np.abs(again.pixels.astype(int) - first.pixels).max() <= 8

    def test_three_tables_and_rgb_components(self):
        tables = [[3] * 64, [5] * 64, [7] * 64]
        data = saved(Image.fromarray(photo()), "JPEG", qtables=tables, keep_rgb=True)
        after = Image.open(io.BytesIO(Picture.load(data).to_bytes("jpeg")))
        assert [list(after.quantization[layer[3]]) for layer in after.layer] == tables
        assert [layer[0] for layer in after.layer] == [ord(letter) for letter in "RGB"]

    def test_a_quality_replaces_the_tables(self):
        data = saved(Image.fromarray(photo()), "JPEG", quality=30, subsampling=2)
        after = Image.open(io.BytesIO(Picture.load(data).to_bytes("jpeg", quality=90)))
        wanted = Image.open(io.BytesIO(saved(Image.fromarray(photo()), "JPEG", quality=90)))
        assert after.quantization == wanted.quantization
        assert after.layer[0][1:3] == (2, 2)

    @pytest.mark.parametrize(("quality", "chroma"), [(None, (1, 1)), (95, (1, 1)), (60, (2, 2))])
    def test_chroma_of_a_new_jpeg(self, quality, chroma):
        data = Picture.from_array(photo()).to_bytes("jpeg", quality=quality)
        assert Image.open(io.BytesIO(data)).layer[0][1:3] == chroma


class TestLossless:
    def webp_kind(self, picture, **options):
        data = picture.to_bytes("webp", **options)
        return "lossless" if b"VP8L" in data else "lossy"

    def test_webp_is_lossless_when_the_source_was(self):
        lossy = Picture.load(saved(Image.fromarray(photo()), "WEBP", quality=80))
        jpeg = Picture.load(saved(Image.fromarray(photo()), "JPEG"))
        png = Picture.load(saved(Image.fromarray(photo()), "PNG"))
        webp = Picture.load(saved(Image.fromarray(photo()), "WEBP", lossless=True))
        named = Picture.load(
            saved(Image.fromarray(photo()), "WEBP", lossless=True, icc_profile=icc(), exif=exif())
        )
        assert [self.webp_kind(p) for p in (lossy, jpeg)] == ["lossy"] * 2
        assert [self.webp_kind(p) for p in (png, webp, named)] == ["lossless"] * 3
        assert self.webp_kind(lossy, lossless=True) == "lossless"
        assert self.webp_kind(png, quality=80) == "lossy"
        assert self.webp_kind(png, lossless=False) == "lossy"

    def test_colours_under_full_transparency_are_kept(self):
        samples = photo(4)
        samples[:8, :, 3] = 0
        picture = Picture.from_array(samples)
        for format in ("PNG", "WEBP", "TIFF"):
            np.testing.assert_array_equal(
                Picture.load(picture.to_bytes(format)).pixels, samples[:, :, :3]
            )


class TestText:
    @pytest.mark.parametrize("format", EVERYWHERE)
    @pytest.mark.parametrize(
        "value", ["", "short", "ä€😀\n\"'\\", RECIPE, "x" * 65535, "y" * 10**6]
    )
    @pytest.mark.parametrize("rich", [False, True])
    def test_texts_come_back(self, format, value, rich, tmp_path):
        path = tmp_path / f"out.{format.lower()}"
        picture = full() if rich else Picture.from_array(photo())
        picture.save(path, text={"infill": value, "Title": "two"})
        assert read_text(path) == {"infill": value, "Title": "two"}
        assert read_text(path.read_bytes()) == read_text(path)
        with path.open("rb") as file:
            assert read_text(file) == read_text(path)
        again = Picture.load(path)
        assert dict(again.metadata.text) == {"Title": "two"}  # a recipe belongs to one file
        image = Image.open(path)
        image.load()
        assert image.size == (WIDTH, HEIGHT)

    @pytest.mark.parametrize("format", EVERYWHERE)
    def test_texts_change_no_pixel(self, format):
        picture = Picture.from_array(photo(3 if format == "JPEG" else 4))
        with_text = Picture.load(picture.to_bytes(format, text={"infill": RECIPE}))
        np.testing.assert_array_equal(
            with_text.pixels, Picture.load(picture.to_bytes(format)).pixels
        )
        assert cv2.imdecode(np.frombuffer(picture.to_bytes(format), np.uint8), 1) is not None

    def test_the_comment_of_a_jpeg(self):
        data = saved(Image.fromarray(photo()), "JPEG", comment="Grüße".encode("latin-1"))
        picture = Picture.load(data)
        assert picture.metadata.text == {"Comment": "Grüße"}
        again = picture.to_bytes("jpeg", text={"infill": "r"})
        assert Image.open(io.BytesIO(again)).info["comment"] == "Grüße".encode()
        assert read_text(again) == {"Comment": "Grüße", "infill": "r"}
        assert read_text(Picture.load(again).to_bytes("png")) == {"Comment": "Grüße"}

    def test_compressed_texts_of_a_png(self):
        import zlib

        packed = b"Title\0\0" + zlib.compress(b"deflated")
        international = b"Author\0\1\0de\0Autor\0" + zlib.compress("Zoë".encode())
        bomb = b"Bomb\0\0" + zlib.compress(bytes(2**20))
        data = png16(
            photo(3, np.uint16), chunk(b"zTXt", packed), chunk(b"iTXt", international),
            chunk(b"zTXt", b"Bad\0\0nonsense"), chunk(b"zTXt", bomb),
        )  # fmt: skip
        found = read_text(data)
        assert len(found.pop("Bomb")) == 2**20
        assert found == {"Title": "deflated", "Author": "Zoë"}

    def test_nothing_to_find(self, tmp_path):
        for format in (*EVERYWHERE, "BMP"):
            assert read_text(Picture.from_array(photo()).to_bytes(format)) == {}
        assert read_text(b"no image at all") == {}
        assert read_text(b"") == {}
        with pytest.raises(Unreadable, match="no such file"):
            read_text(tmp_path / "missing.png")
        with pytest.raises(Unreadable, match="directory"):
            read_text(tmp_path)

    @pytest.mark.parametrize("format", EVERYWHERE)
    def test_a_damaged_file_has_no_texts_but_raises_nothing(self, format):
        data = Picture.from_array(photo()).to_bytes(format, text={"infill": RECIPE})
        for stop in range(0, len(data), 997):
            assert set(read_text(data[:stop])) <= {"infill"}

    def test_bmp_has_no_place(self):
        assert not holds_text("out.bmp")
        assert holds_text("out.avif")
        with pytest.raises(FormatCannotHold, match="beside"):
            Picture.from_array(photo()).to_bytes("bmp", text={"infill": "r"})
