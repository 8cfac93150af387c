"""What a file says beside its pixels survives, in every format that has a place for it."""

import io
import json
import struct

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.files import HEIGHT, WIDTH, XMP, chunk, exif, icc, photo, png16, saved, tiff

from infill.errors import FormatCannotHold, Unreadable
from infill.picture import Metadata, Picture, holds_text, read_text
from infill.picture import exif as blocks

EVERYWHERE = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"]
RECIPE = json.dumps({"engine": "flat", "mask": "ä" + "x" * 150_000, "quote": '"'})


def full(array=None, **changes):
    """A picture with one of everything."""
    picture = Picture.from_array(photo() if array is None else array)
    values = {"icc": icc(), "exif": exif(), "xmp": XMP, "dpi": (300.0, 150.0), **changes}
    return Picture(picture.pixels, picture.alpha, picture.grey, Metadata(**values))


def tags_of(data):
    """EXIF as Pillow reads it: first directory, camera's directory, GPS."""
    found = Image.open(io.BytesIO(data)).getexif()
    return dict(found), found.get_ifd(0x8769), found.get_ifd(0x8825)


class TestRoundTrip:
    @pytest.mark.parametrize("format", EVERYWHERE)
    @pytest.mark.parametrize("channels", [1, 3])
    def test_everything_survives(self, format, channels):
        profile = icc(b"GRAY") if channels == 1 else icc()
        first = full(photo(channels), icc=profile, dpi=(300.0, 300.0))
        second = Picture.load(first.to_bytes(format)).metadata
        assert second.icc == profile
        assert second.xmp == XMP
        assert second.dpi == pytest.approx((300, 300), abs=0.02)
        assert second.notes == ()
        third = Picture.load(Picture.load(first.to_bytes(format)).to_bytes(format)).metadata
        assert third.exif == second.exif
        assert third.dpi == pytest.approx((300, 300), abs=0.02)

    @pytest.mark.parametrize("format", EVERYWHERE)
    @pytest.mark.parametrize("order", ["<", ">"])
    def test_other_programs_read_the_same(self, format, order):
        block = exif(order=order)
        data = full(exif=block, dpi=(300.0, 300.0)).to_bytes(format)
        image = Image.open(io.BytesIO(data))
        assert image.info["icc_profile"] == icc()
        assert image.info["xmp"] == XMP
        if format in ("JPEG", "PNG", "TIFF"):
            assert [round(float(v)) for v in image.info["dpi"]] == [300, 300]
        first, camera, gps = tags_of(data)
        assert first[0x010F] == "Maker"
        assert first.get(0x0112, 1) == 1
        assert first[0x011A] == 300
        assert float(camera[0x829A]) == 1 / 125
        assert (camera[0xA002], camera[0xA003]) == (WIDTH, HEIGHT)
        assert camera[0x927C].startswith(b"NOTE")
        assert gps[1] == "N"

    @pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF"])
    def test_maker_notes_stay_where_they_point_to(self, format):
        block = Picture.load(full().to_bytes(format)).metadata.exif
        (pointer,) = struct.unpack_from("<I", block, block.index(b"NOTE") + 4)
        assert block[pointer : pointer + 8] == b"secret!!"

    def test_bmp_keeps_the_resolution(self):
        assert Picture.load(full().to_bytes("bmp")).metadata.dpi == pytest.approx(
            (300, 150), abs=0.02
        )

    @pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "AVIF"])
    def test_resolution_without_exif(self, format):
        first = full(exif=None, dpi=(72.5, 96.0))
        second = Picture.load(first.to_bytes(format)).metadata
        assert second.dpi == pytest.approx((72.5, 96), abs=0.02)

    def test_resolution_in_centimetres(self):
        data = saved(Image.fromarray(photo()), "TIFF", resolution=100, resolution_unit="cm")
        assert Picture.load(data).metadata.dpi == pytest.approx((254, 254))

    @pytest.mark.parametrize("dpi", [4e9, 0.001])
    def test_absurd_resolutions_are_dropped(self, dpi):
        per_metre = max(1, min(2**32 - 1, round(dpi / 0.0254)))
        content = struct.pack(">IIB", per_metre, per_metre, 1)
        picture = Picture.load(png16(photo(3, np.uint16), chunk(b"pHYs", content)))
        assert picture.metadata.dpi is None

    def test_no_resolution_is_made_up(self):
        for format in (*EVERYWHERE, "BMP"):
            data = Picture.from_array(photo()).to_bytes(format)
            if format == "BMP":  # whose header always states one
                continue
            assert Picture.load(data).metadata.dpi is None

    def test_a_16_bit_png_with_everything(self):
        """Read again by Pillow and by OpenCV, which between them see all of it."""
        samples = photo(4, np.uint16)
        data = full(samples, text={"Title": "Grüße"}).to_bytes("png", text={"infill": RECIPE})
        image = Image.open(io.BytesIO(data))
        image.load()
        assert image.info["icc_profile"] == icc()
        assert image.info["xmp"] == XMP
        assert image.text["Title"] == "Grüße"
        assert image.text["infill"] == RECIPE
        assert image.getexif()[0x010F] == "Maker"
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(decoded[:, :, [2, 1, 0, 3]], samples)
        again = Picture.load(data)
        np.testing.assert_array_equal(again.pixels, samples[:, :, :3])
        np.testing.assert_array_equal(again.alpha, samples[:, :, 3])
        assert again.metadata.icc == icc()
        assert again.metadata.exif == exif()
        assert dict(again.metadata.text) == {"Title": "Grüße"}

    @pytest.mark.parametrize("channels", [1, 2, 3, 4])
    def test_16_bit_tiff_is_read_by_others(self, channels):
        import tifffile

        samples = photo(channels, np.uint16)
        picture = Picture.load(png16(samples))
        data = Picture(
            picture.pixels, picture.alpha, picture.grey, full().metadata
        ).to_bytes("tif")  # fmt: skip
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            tags = {tag.code: tag.value for tag in file.pages[0].tags.values()}
        assert tags[258] == (16,) * channels if channels > 1 else tags[258] == 16
        assert tags[34675] == icc()
        assert tags[700] == XMP
        np.testing.assert_array_equal(
            Picture.load(data).pixels, samples[:, :, :3] if channels > 2 else picture.pixels
        )
        if channels in (1, 3):
            decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
            decoded = decoded[:, :, ::-1] if channels == 3 else decoded[:, :, None]
            np.testing.assert_array_equal(decoded, samples)

    def test_colour_chunks_of_a_png(self):
        gamma, space = chunk(b"gAMA", struct.pack(">I", 100000)), chunk(b"cICP", b"\x09\x10\0\1")
        again = Picture.load(png16(photo(3, np.uint16), gamma, space)).to_bytes("png")
        assert gamma in again
        assert space in again

    def test_a_grey_profile_leaves_with_the_grey(self):
        data = full(photo(1), icc=icc(b"GRAY")).to_bytes("png")
        picture = Picture.load(data)
        coloured = picture.pixels.copy()
        coloured[0, 0] = (1, 2, 3)
        assert Picture.load(picture.with_pixels(coloured).to_bytes("png")).metadata.icc is None

    def test_large_profiles_and_packets(self):
        """Larger than one JPEG segment: a profile goes into several, EXIF and XMP cannot."""
        profile = icc() + bytes(200_000)
        assert Picture.load(full(icc=profile).to_bytes("jpeg")).metadata.icc == profile
        packet = XMP + b" " * 70_000
        assert Picture.load(full(xmp=packet).to_bytes("jpeg")).metadata.xmp is None
        for format in ("PNG", "WEBP", "TIFF", "AVIF"):
            assert Picture.load(full(xmp=packet).to_bytes(format)).metadata.xmp == packet


class TestUpright:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF"])
    def test_exif_is_made_upright(self, orientation, format):
        data = saved(Image.fromarray(photo()), format, exif=b"Exif\0\0" + exif(orientation))
        picture = Picture.load(data)
        first, camera, _ = tags_of(picture.to_bytes(format))
        assert first.get(0x0112, 1) == 1
        assert (camera[0xA002], camera[0xA003]) == (picture.width, picture.height)
        assert picture.width == (HEIGHT if orientation >= 5 else WIDTH)

    def test_nothing_else_in_the_exif_changes(self):
        block = exif(3)
        data = saved(Image.fromarray(photo()), "PNG", exif=block)
        kept = Picture.load(data).metadata.exif
        assert len(kept) == len(block)
        assert sum(a != b for a, b in zip(kept, block, strict=True)) == 1

    @pytest.mark.parametrize("order", ["<", ">"])
    def test_thumbnails_are_gone(self, order):
        thumbnail = b"\xff\xd8" + b"what the photo showed before" * 40
        block = exif(6, thumbnail=thumbnail, order=order)
        kept = Picture.load(saved(Image.fromarray(photo()), "PNG", exif=block)).metadata.exif
        assert b"showed" not in kept
        assert kept.startswith(exif(1, order=order)[:100])
        assert len(kept) == len(exif(order=order))

    def test_xmp_is_made_upright_too(self):
        packet = XMP.replace(b'xmp:Rating="4"', b'tiff:Orientation="6" xmp:Rating="4"')
        data = saved(Image.fromarray(photo()), "JPEG", exif=b"Exif\0\0" + exif(6), xmp=packet)
        picture = Picture.load(data)
        assert picture.height == WIDTH
        assert b'tiff:Orientation="1"' in picture.metadata.xmp
        assert b'xmp:Rating="4"' in picture.metadata.xmp

    def test_xmp_orientation_counts_where_there_is_no_exif(self):
        for packet in (b'tiff:Orientation="6"', b"<tiff:Orientation>6</tiff:Orientation>"):
            data = saved(Image.fromarray(photo()), "JPEG", xmp=b"<x>" + packet + b"</x>")
            picture = Picture.load(data)
            assert picture.height == WIDTH
            assert Picture.load(picture.to_bytes("jpeg")).height == WIDTH
        states_one = saved(Image.fromarray(photo()), "JPEG", xmp=packet, exif=b"Exif\0\0" + exif())
        assert Picture.load(states_one).height == HEIGHT

    def test_previews_in_the_xmp_are_gone(self):
        packet = XMP.replace(b"/></rdf:RDF>", b"/><xmp:Thumbnails>AAAA</xmp:Thumbnails></rdf:RDF>")
        kept = Picture.load(saved(Image.fromarray(photo()), "WEBP", xmp=packet)).metadata.xmp
        assert kept == XMP

    @pytest.mark.parametrize(
        "block",
        [b"garbage", b"II*\0", b"II*\0\xff\xff\0\0", b"II*\0\x08\0\0\0\xff\xff", exif()[:60]],
    )
    def test_damaged_exif_is_dropped_with_a_note(self, block):
        picture = Picture.load(png16(photo(3, np.uint16), chunk(b"eXIf", block)))
        assert picture.metadata.exif is None
        assert "not kept" in picture.metadata.notes[0]

    def test_a_damaged_directory_below_the_first_does_no_harm(self):
        block = bytearray(exif(6))
        at = block.index(struct.pack("<HHI", 0x8825, 4, 1)) + 8
        block[at : at + 4] = struct.pack("<I", 10**6)
        picture = Picture.load(png16(photo(3, np.uint16), chunk(b"eXIf", bytes(block))))
        assert picture.height == WIDTH
        assert b"Maker" in picture.metadata.exif

    def test_directories_in_a_circle(self):
        block = bytearray(exif(thumbnail=b"t" * 20))
        link = 8 + 2 + 12 * 7
        block[link : link + 4] = struct.pack("<I", 8)
        picture = Picture.load(png16(photo(3, np.uint16), chunk(b"eXIf", bytes(block))))
        assert picture.height == HEIGHT

    def test_exif_as_imagemagick_wrote_it(self):
        block = b"Exif\0\0" + exif(6)
        raw = f"\nexif\n{len(block):8d}\n{block.hex()}\n"
        content = b"Raw profile type exif\0" + raw.encode()
        picture = Picture.load(png16(photo(3, np.uint16), chunk(b"tEXt", content)))
        assert picture.height == WIDTH
        assert picture.metadata.text == {}

    def test_resolution_is_added_behind_everything(self):
        plain = blocks.with_dpi(None, (240, 120))
        longer = blocks.with_dpi(plain, (1, 1))
        assert longer == plain
        tags = Image.Exif()
        tags.load(plain)
        assert (tags[0x011A], tags[0x011B], tags[0x0128]) == (240, 120, 2)


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


def test_description_of_a_tiff_survives_as_exif():
    data = tiff(photo(), photometric="rgb", description="a view", software="camera 1.0")
    again = Picture.load(Picture.load(data).to_bytes("jpeg"))
    first, *_ = tags_of(again.to_bytes("tif"))
    assert first[0x010E] == "a view"
    assert first[0x0131] == "camera 1.0"
