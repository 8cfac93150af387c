"""Photos read from files and from Pillow images."""

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from infill import settings
from infill.errors import (
    EmptyFile,
    InfillError,
    NotAPicture,
    TooManyPixels,
    TruncatedPicture,
    Unreadable,
)
from infill.picture import exif, png, tiff
from infill.picture.convert import picture_of, picture_of_samples
from infill.picture.formats import SUFFIXES, sniff, sniff_other
from infill.picture.model import LARGE, JpegCoding, Metadata, Picture, Pixels, Source
from infill.picture.text import comment_text, read_text

if TYPE_CHECKING:
    from PIL.Image import Image

RECIPE = "infill"
"""Name of the embedded text that is a recipe of ours; see `Metadata.text`."""


def load(source: Source) -> Picture:
    """See `Picture.load`."""
    return decode(*_slurp(source))


def decode(data: bytes, name: str, path: Path | None) -> Picture:
    """A Picture of the bytes of a file; `name` is what messages call it. See `Picture.load`."""
    format = sniff(data[:32])
    if format is None:
        other = sniff_other(data[:32]) or "no image, or of a kind that is not read"
        raise NotAPicture(f"{name} is {other}; give one of {', '.join(SUFFIXES)}")
    texts = {key: value for key, value in read_text(data).items() if key != RECIPE}
    with _damage(name):
        picture = _LOADERS[format](data, name)
    metadata = replace(picture.metadata, path=path, text=MappingProxyType(texts))
    picture = replace(picture, metadata=metadata)
    vars(picture)["sha256"] = ("file", hashlib.sha256(data).hexdigest())
    return picture


def from_pil(image: "Image") -> Picture:
    """See `Picture.from_pil`."""
    name = str(getattr(image, "filename", "") or "the image")
    with _damage(name):
        if image.format == "TIFF":
            image.load()  # which turns it upright, and its EXIF with it
        block = image.info.get("exif") or exif.from_pillow(image.getexif())
        comment = image.info.get("comment")
        metadata = Metadata(
            format="JPEG" if image.format == "MPO" else image.format,
            path=Path(name) if getattr(image, "filename", "") else None,
            exif=block,
            jpeg=_jpeg_coding(image) if hasattr(image, "quantization") else None,
            text={"Comment": comment_text(comment)} if isinstance(comment, bytes) else {},
            lossless=image.format not in ("JPEG", "MPO", "WEBP", "AVIF"),
            notes=_frames_note(image),
        )
        return _through_pillow(image, metadata, name)


def _through_pillow(
    image: "Image",
    metadata: Metadata,
    name: str,
    decode: Callable[[], Pixels | None] = lambda: None,
) -> Picture:
    """A Picture of an opened image, with what Pillow found about it besides `metadata`.

    decode: another way to the stored pixels (H, W, 3), or None where Pillow is to decode them.
    """
    check_size(*image.size, name)
    info = image.info
    xmp = info.get("xmp")
    dpi = info.get("dpi") if info.get("jfif_unit", 1) in (1, 2) else None
    if image.format in ("JPEG", "MPO") and "jfif_unit" not in info:
        dpi = None  # Pillow's guess; the EXIF knows better
    metadata = replace(
        metadata,
        icc=metadata.icc or info.get("icc_profile") or None,
        exif=metadata.exif or info.get("exif") or None,
        xmp=metadata.xmp or (xmp.encode() if isinstance(xmp, str) else xmp) or None,
        dpi=metadata.dpi or ((float(dpi[0]), float(dpi[1])) if dpi and all(dpi) else None),
    )
    metadata, orientation = exif.upright(metadata, *image.size)
    if orientation >= 5 and metadata.jpeg is not None:
        metadata = replace(metadata, jpeg=_turned_coding(metadata.jpeg))
    pixels = decode()
    if pixels is not None:
        return picture_of_samples(pixels, metadata, orientation)
    return picture_of(image, metadata, orientation, name)


def _frames_note(image: Any) -> tuple[str, ...]:
    if getattr(image, "is_animated", False) and image.format in ("PNG", "WEBP", "AVIF", "GIF"):
        return ("the file is animated; its first frame is used",)
    frames = getattr(image, "n_frames", 1)
    return (f"the file holds {frames} pictures; the first is used",) if frames > 1 else ()


def _slurp(source: Source) -> tuple[bytes, str, Path | None]:
    """The bytes of a source, what to call it in messages, and its path if it has one."""
    path = None
    if isinstance(source, (bytes, bytearray, memoryview)):
        data, name = bytes(source), "the data"
    elif isinstance(source, (str, os.PathLike)):
        path, name = Path(source), os.fspath(source)
        data = _file_bytes(path)
    else:
        data, name = source.read(), str(getattr(source, "name", "the data"))
        if not isinstance(data, bytes):
            raise Unreadable(f"{name} is open as text; open it in binary mode")
    if not data:
        raise EmptyFile(f"{name} is empty: it has zero bytes")
    return data, name, path


def _file_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(32)
            if head and sniff(head) is None:
                return head  # no photo, so the rest, which may be endless, is not read
            if not file.seekable():
                return head + file.read()
            file.seek(0)
            return file.read()
    except FileNotFoundError as error:
        raise Unreadable(f"{path} does not exist; check the name") from error
    except IsADirectoryError as error:
        raise Unreadable(f"{path} is a folder; name a photo in it") from error
    except PermissionError as error:
        raise Unreadable(f"{path} may not be read; check its permissions") from error
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from error


@contextmanager
def _damage(name: str) -> Iterator[None]:
    """Everything that a decoder raises about a file of the right kind becomes one error."""
    try:
        yield
    except (InfillError, MemoryError):
        raise
    except Exception as error:
        if type(error).__name__ == "DecompressionBombError":
            raise TooManyPixels(
                f"{name} has more pixels than Pillow decodes of its format; make it smaller"
            ) from error
        reason = " ".join(str(error).split()) or type(error).__name__
        raise TruncatedPicture(
            f"{name} is damaged or ends too early ({reason}); get a whole copy of it"
        ) from error


def check_size(width: int, height: int, name: str) -> None:
    """Raise `TooManyPixels` if the header promises more than the settings allow."""
    limit = settings.current().max_pixels
    if width * height > limit:
        raise TooManyPixels(
            f"{name} has {width} x {height} = {width * height} pixels and the limit is {limit}; "
            "make it smaller or raise INFILL_MAX_PIXELS"
        )


def _load_jpeg(data: bytes, name: str) -> Picture:
    from PIL.JpegImagePlugin import JpegImageFile

    image = JpegImageFile(io.BytesIO(data))
    notes = ("the file holds more pictures; the first is used",) if "mp" in image.info else ()
    metadata = Metadata(format="JPEG", jpeg=_jpeg_coding(image), lossless=False, notes=notes)
    if image.mode != "RGB" or image.width * image.height < LARGE:
        return _through_pillow(image, metadata, name)
    return _through_pillow(image, metadata, name, lambda: _rgb_of_jpeg(data, image.size))


def _rgb_of_jpeg(data: bytes, size: tuple[int, int]) -> Pixels | None:
    """The stored pixels (H, W, 3) of a colour JPEG, by OpenCV: the same ones, a third sooner.

    Both use libjpeg-turbo, but Pillow decodes into four bytes a pixel, which then have to be
    copied into three. None for a damaged file: Pillow says what is wrong with it.
    """
    import cv2

    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels: Any = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # more pixels than OpenCV's own limit
        return None
    return pixels if pixels is not None and pixels.shape == (size[1], size[0], 3) else None


def _jpeg_coding(image: Any) -> JpegCoding | None:
    """The coding of an opened JPEG; None for CMYK, whose tables fit no RGB."""
    from PIL.JpegImagePlugin import get_sampling

    if image.mode not in ("L", "RGB"):
        return None
    layers = image.layer
    letters = bytes(layer[0] for layer in layers) == b"RGB"
    return JpegCoding(
        tables=tuple(tuple(image.quantization[layer[3]]) for layer in layers),
        subsampling=max(0, get_sampling(image)),  # -1, an odd one: keep all chroma
        progressive=bool(image.info.get("progressive")),
        rgb=len(layers) == 3 and (letters or image.info.get("adobe_transform") == 0),
    )


def _turned_coding(coding: JpegCoding) -> JpegCoding:
    """The coding for pixels whose rows have become columns.

    The tables turn with them. Chroma that was halved across would have to be halved down, which
    Pillow cannot write, so it keeps its full resolution.
    """
    tables = tuple(tuple(t[8 * (i % 8) + i // 8] for i in range(64)) for t in coding.tables)
    return replace(coding, tables=tables, subsampling=2 if coding.subsampling == 2 else 0)


def _load_png(data: bytes, name: str) -> Picture:
    from PIL.PngImagePlugin import PngImageFile

    found = png.parse(data)
    check_size(found.width, found.height, name)
    metadata = Metadata(
        format="PNG",
        icc=found.icc,
        exif=found.exif,
        xmp=found.xmp,
        dpi=found.dpi,
        png=found.colour,
        notes=("the file is animated; its first frame is used",) if found.animated else (),
    )
    if found.depth < 16:
        return _through_pillow(PngImageFile(io.BytesIO(data)), metadata, name)
    metadata, orientation = exif.upright(metadata, found.width, found.height)
    return picture_of_samples(png.decode_deep(data, found), metadata, orientation)


def _load_webp(data: bytes, name: str) -> Picture:
    from PIL.WebPImagePlugin import WebPImageFile

    size, lossless = _webp_header(data)
    check_size(*size, name)
    image = WebPImageFile(io.BytesIO(data))
    metadata = Metadata(format="WEBP", lossless=lossless, notes=_frames_note(image))
    return _through_pillow(image, metadata, name)


def _webp_header(data: bytes) -> tuple[tuple[int, int], bool]:
    """Width and height of a WebP, and whether it is lossless, without decoding it."""
    kind = data[12:16]
    if kind == b"VP8X":
        size = (
            int.from_bytes(data[24:27], "little") + 1,
            int.from_bytes(data[27:30], "little") + 1,
        )
    elif kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    else:
        size = (
            int.from_bytes(data[26:28], "little") & 0x3FFF,
            int.from_bytes(data[28:30], "little") & 0x3FFF,
        )
    at = 12
    while at + 8 <= len(data) and data[at : at + 4] not in (b"VP8 ", b"VP8L", b"ANMF"):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return size, data[at : at + 4] == b"VP8L"


def _load_tiff(data: bytes, name: str) -> Picture:
    layout = tiff.layout(data, name)
    check_size(layout.width, layout.height, name)
    metadata = tiff.read_metadata(layout, data)
    metadata, orientation = exif.upright(metadata, layout.width, layout.height)
    if layout.deep:
        return picture_of_samples(tiff.decode_deep(data, layout), metadata, orientation)
    return picture_of(_opened_tiff(data), metadata, 1, name)


def _opened_tiff(data: bytes) -> "Image":
    """A TIFF of 8 bits, decoded; Pillow turns it upright by itself."""
    from PIL import Image
    from PIL.TiffImagePlugin import TiffImageFile

    image = TiffImageFile(io.BytesIO(data))
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.size[0] * image.size[1] > limit:
        # Pillow would check the size against its own limit, but not if it finds memory ready.
        image.im = Image.core.new(image.mode, getattr(image, "_tile_size", image.size))
    image.load()
    return image


def _load_bmp(data: bytes, name: str) -> Picture:
    from PIL.BmpImagePlugin import BmpImageFile

    return _through_pillow(BmpImageFile(io.BytesIO(data)), Metadata(format="BMP"), name)


def _load_avif(data: bytes, name: str) -> Picture:
    from PIL.AvifImagePlugin import AvifImageFile

    image = AvifImageFile(io.BytesIO(data))
    notes = _frames_note(image)
    at = data.find(b"av1C")
    if at >= 0 and data[at + 6] & 0x40:  # high_bitdepth
        notes = (*notes, "the file has more than 8 bits a channel; it is read at 8")
    return _through_pillow(image, Metadata(format="AVIF", lossless=False, notes=notes), name)


_LOADERS: dict[str, Callable[[bytes, str], Picture]] = {
    "JPEG": _load_jpeg,
    "PNG": _load_png,
    "WEBP": _load_webp,
    "TIFF": _load_tiff,
    "BMP": _load_bmp,
    "AVIF": _load_avif,
}
