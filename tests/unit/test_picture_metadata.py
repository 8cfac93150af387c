"""What a file says beside its pixels survives, in every format that has a place for it."""

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.files import HEIGHT, WIDTH, XMP, chunk, exif, icc, photo, png16, saved, tiff
from tests.unit.picture_samples import EVERYWHERE, RECIPE, full, tags_of

from infill.picture import Picture
from infill.picture import exif as blocks


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


def test_description_of_a_tiff_survives_as_exif():
    data = tiff(photo(), photometric="rgb", description="a view", software="camera 1.0")
    again = Picture.load(Picture.load(data).to_bytes("jpeg"))
    first, *_ = tags_of(again.to_bytes("tif"))
    assert first[0x010E] == "a view"
    assert first[0x0131] == "camera 1.0"
