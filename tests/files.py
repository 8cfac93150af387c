"""Small real image files of every format and mode, made when a test asks for them.

Each `Sample` carries the bytes of a file and what reading it must give. `metadata` helpers make
ICC profiles, EXIF and XMP that are real enough for other programs to read.
"""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

HEIGHT, WIDTH = 24, 37
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
)


@dataclass(frozen=True)
class Sample:
    """A file and what it holds: pixels (H, W, 3), alpha (H, W) or None; exact or lossy."""

    suffix: str
    data: bytes
    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    grey: bool = False
    exact: bool = True


def photo(
    channels: int = 3, dtype: Any = np.uint8, height: int = HEIGHT, width: int = WIDTH
) -> NDArray[Any]:
    """(H, W, channels): gradients with a little noise, so that it compresses like a photo."""
    rng = np.random.default_rng(channels)
    y, x = np.mgrid[0:height, 0:width]
    planes = [np.sin(x / (5 + c) + c) + np.cos(y / (7 - c)) for c in range(channels)]
    values = np.stack(planes, axis=2) * 0.2 + 0.5 + rng.normal(0, 0.02, (height, width, channels))
    top = np.iinfo(dtype).max
    return np.clip(values * top, 0, top).astype(dtype)


def three(grey: NDArray[Any]) -> NDArray[Any]:
    """(H, W) or (H, W, 1) grey as (H, W, 3)."""
    return np.repeat(grey.reshape(*grey.shape[:2], 1), 3, axis=2)


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def tiff(samples: NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, samples, metadata=None, **options)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png16(samples: NDArray[np.uint16], *chunks: bytes) -> bytes:
    """A 16-bit PNG of (H, W, 1..4) samples, without filters, made by hand."""
    height, width, channels = samples.shape
    rows = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    lines = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1)
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            *chunks,
            chunk(b"IDAT", zlib.compress(lines.tobytes())),
            chunk(b"IEND", b""),
        ]
    )


def icc(space: bytes = b"RGB ") -> bytes:
    """A profile: sRGB; with another `space` only its header says so."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[16:20] = space
    return bytes(data)


def cmyk_icc() -> bytes:
    """A CMYK profile whose inks are not the usual ones: full cyan is white, all else is black."""
    white, black = (255, 128, 128), (0, 128, 128)
    corners = [
        white if (c, m, y, k) == (1, 0, 0, 0) else black
        for c in (0, 1)
        for m in (0, 1)
        for y in (0, 1)
        for k in (0, 1)
    ]
    ramp = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0])
    lut += struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut += ramp * 4 + bytes(value for corner in corners for value in corner) + ramp * 3
    white_point = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    text = b"test\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    tags = [(b"desc", description), (b"wtpt", white_point), (b"A2B0", lut)]
    tags += [(b"cprt", b"text\0\0\0\0none\0")]
    body, table, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags:
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content
    head = struct.pack(
        ">I4sI4s4s4s", at + len(body), b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab "
    )
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061)
    head += bytes(128 - len(head))
    return head + struct.pack(">I", len(tags)) + table + body


def exif(orientation: int = 1, *, thumbnail: bytes = b"", order: str = "<") -> bytes:
    """EXIF made by hand: make, orientation, resolution 300, exposure, size, GPS, a maker note.

    The maker note lies behind everything else and the camera's directory points into it, as
    cameras do. thumbnail: its bytes, in a second directory.
    """
    form = order

    def entry(tag: int, kind: int, count: int, value: bytes | int) -> bytes:
        place = struct.pack(form + "I", value) if isinstance(value, int) else value.ljust(4, b"\0")
        return struct.pack(form + "HHI", tag, kind, count) + place

    def short(value: int) -> bytes:
        return struct.pack(form + "H", value)

    def directory(entries: list[bytes], following: int) -> bytes:
        return (
            struct.pack(form + "H", len(entries)) + b"".join(entries)
            + struct.pack(form + "I", following)
        )  # fmt: skip

    first_at, values_at = 8, 8 + 2 + 12 * 7 + 4
    make, resolution = b"Maker\0", struct.pack(form + "II", 300, 1)
    camera_at = values_at + 8 + 8 + 8
    exposure_at = camera_at + 2 + 12 * 4 + 4
    note_at = exposure_at + 8
    note = b"NOTE" + struct.pack(form + "I", note_at + 8) + b"secret!!"
    gps_at = note_at + len(note)
    second_at = gps_at + 2 + 12 + 4
    picture_at = second_at + 2 + 12 * 2 + 4
    first = directory(
        [
            entry(0x010F, 2, len(make), values_at),
            entry(0x0112, 3, 1, short(orientation)),
            entry(0x011A, 5, 1, values_at + 8),
            entry(0x011B, 5, 1, values_at + 16),
            entry(0x0128, 3, 1, short(2)),
            entry(0x8769, 4, 1, camera_at),
            entry(0x8825, 4, 1, gps_at),
        ],
        second_at if thumbnail else 0,
    )
    camera = directory(
        [
            entry(0x829A, 5, 1, exposure_at),
            entry(0x927C, 7, len(note), note_at),
            entry(0xA002, 4, 1, WIDTH),
            entry(0xA003, 3, 1, short(HEIGHT)),
        ],
        0,
    )
    gps = directory([entry(0x0001, 2, 2, b"N\0")], 0)
    block = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(form + "I", first_at) + first
    block += make.ljust(8, b"\0") + resolution * 2 + camera + struct.pack(form + "II", 1, 125)
    block += note + gps
    if thumbnail:
        entries = [entry(0x0201, 4, 1, picture_at), entry(0x0202, 4, 1, len(thumbnail))]
        block += directory(entries, 0) + thumbnail
    return block


def _pil(format: str, mode: str, **options: Any) -> Callable[[], Sample]:
    """A maker of a file that Pillow writes from an image of that mode."""
    suffix = {"JPEG": ".jpg"}.get(format, f".{format.lower()}")
    exact = format in ("PNG", "TIFF", "BMP") or options.get("lossless") is True

    def make() -> Sample:
        image = _image(mode)
        data = saved(image, format, **options)
        transparent = mode in ("LA", "RGBA", "P+alpha")
        shown = np.asarray(image.convert("RGBA"))
        alpha = shown[:, :, 3] if transparent else None
        grey = mode in ("1", "L", "LA") and format != "WEBP" and (format, mode) != ("AVIF", "LA")
        return Sample(suffix, data, shown[:, :, :3], alpha, grey, exact)

    return make


def _image(mode: str) -> Image.Image:
    if mode == "P":
        return Image.fromarray(photo()).quantize(32)
    if mode == "P+alpha":
        image = Image.fromarray(photo()).quantize(16)
        image.info["transparency"] = bytes(range(0, 256, 16))
        return image
    if mode == "1":
        return Image.fromarray(photo(1)[:, :, 0] > 128)
    if mode in ("L", "LA"):
        samples = photo(len(mode))
        return Image.fromarray(samples[:, :, 0] if mode == "L" else samples)
    return Image.fromarray(photo(len(mode)))


def _deep_png(channels: int) -> Callable[[], Sample]:
    def make() -> Sample:
        samples = photo(channels, np.uint16)
        return _deep(".png", png16(samples), samples)

    return make


def _deep_tiff(channels: int, **options: Any) -> Callable[[], Sample]:
    def make() -> Sample:
        samples = photo(channels, np.uint16)
        stored = samples[:, :, 0] if channels == 1 else samples
        if options.get("planarconfig") == "separate":
            stored = np.moveaxis(samples, 2, 0)
        given = {"photometric": "rgb" if channels > 2 else "minisblack", **options}
        if channels in (2, 4):
            given["extrasamples"] = ["unassalpha"]
        return _deep(".tif", tiff(stored, **given), samples)

    return make


def _deep(suffix: str, data: bytes, samples: NDArray[Any]) -> Sample:
    channels = samples.shape[2]
    alpha = samples[:, :, -1] if channels in (2, 4) else None
    pixels = three(samples[:, :, 0]) if channels <= 2 else samples[:, :, :3]
    return Sample(suffix, data, pixels, alpha, channels <= 2)


def _white_is_zero() -> Sample:
    samples = photo(1, np.uint16)
    return _deep(".tif", tiff(65535 - samples[:, :, 0], photometric="miniswhite"), samples)


SAMPLES: dict[str, Callable[[], Sample]] = {
    "jpeg": _pil("JPEG", "RGB", quality=95, subsampling=0),
    "jpeg-grey": _pil("JPEG", "L", quality=95),
    "jpeg-progressive": _pil("JPEG", "RGB", quality=95, subsampling=0, progressive=True),
    "png": _pil("PNG", "RGB"),
    "png-grey": _pil("PNG", "L"),
    "png-grey-alpha": _pil("PNG", "LA"),
    "png-alpha": _pil("PNG", "RGBA"),
    "png-palette": _pil("PNG", "P"),
    "png-palette-alpha": _pil("PNG", "P+alpha"),
    "png-1-bit": _pil("PNG", "1"),
    "png16": _deep_png(3),
    "png16-grey": _deep_png(1),
    "png16-grey-alpha": _deep_png(2),
    "png16-alpha": _deep_png(4),
    "webp": _pil("WEBP", "RGB", quality=95),
    "webp-alpha": _pil("WEBP", "RGBA", quality=95, exact=True),
    "webp-lossless": _pil("WEBP", "RGB", lossless=True),
    "webp-lossless-alpha": _pil("WEBP", "RGBA", lossless=True, exact=True),
    "tiff": _pil("TIFF", "RGB"),
    "tiff-lzw": _pil("TIFF", "RGB", compression="tiff_lzw"),
    "tiff-grey": _pil("TIFF", "L", compression="tiff_adobe_deflate"),
    "tiff-grey-alpha": _pil("TIFF", "LA"),
    "tiff-alpha": _pil("TIFF", "RGBA"),
    "tiff-palette": _pil("TIFF", "P"),
    "tiff-1-bit": _pil("TIFF", "1", compression="group4"),
    "tiff16": _deep_tiff(3),
    "tiff16-big-endian": _deep_tiff(3, byteorder=">"),
    "tiff16-deflate": _deep_tiff(3, compression="deflate", predictor=True),
    "tiff16-big": _deep_tiff(3, bigtiff=True),
    "tiff16-tiles": _deep_tiff(3, tile=(16, 16)),
    "tiff16-planes": _deep_tiff(3, planarconfig="separate"),
    "tiff16-planes-alpha": _deep_tiff(4, planarconfig="separate", compression="deflate"),
    "tiff16-alpha": _deep_tiff(4),
    "tiff16-grey": _deep_tiff(1),
    "tiff16-grey-alpha": _deep_tiff(2),
    "tiff16-grey-alpha-deflate": _deep_tiff(2, compression="deflate", predictor=True),
    "tiff16-grey-alpha-big-endian": _deep_tiff(2, byteorder=">"),
    "tiff16-white-is-zero": _white_is_zero,
    "bmp": _pil("BMP", "RGB"),
    "bmp-grey": _pil("BMP", "L"),
    "bmp-palette": _pil("BMP", "P"),
    "bmp-1-bit": _pil("BMP", "1"),
    "avif": _pil("AVIF", "RGB", quality=95, subsampling="4:4:4"),
    "avif-grey": _pil("AVIF", "L", quality=95),
    "avif-alpha": _pil("AVIF", "RGBA", quality=95, subsampling="4:4:4"),
}
"""Every format and mode by name."""
