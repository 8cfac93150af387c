"""Pictures written as files, keeping all that the format can hold."""

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadSetting, FormatCannotHold
from infill.memory import give_back
from infill.picture import exif, png, text, tiff
from infill.picture.formats import Format
from infill.picture.model import LARGE, Metadata, Picture, is_grey
from infill.threads import opencv_threads

if TYPE_CHECKING:
    from PIL.Image import Image

_JPEG_QUALITY, _WEBP_QUALITY, _AVIF_QUALITY = 95, 90, 95
_FINE = 90  # from this JPEG quality on chroma keeps its full resolution
_SEGMENT = 65533 - 29  # bytes of EXIF or XMP that one JPEG segment takes


def encode(
    picture: Picture,
    entry: Format,
    file: BinaryIO,
    quality: int | None,
    lossless: bool | None,
    texts: Mapping[str, str] | None,
) -> None:
    """Write the picture, which `entry` can hold, to a binary file. See `Picture.to_bytes`."""
    if quality is not None and not 1 <= quality <= 100:
        raise BadSetting(f"quality goes from 1 to 100, so it cannot be {quality}")
    if texts and not entry.text:
        raise FormatCannotHold(
            f"{entry.name} has no place for texts; save as .png, or write them beside the photo"
        )
    grey = is_grey(picture)
    metadata = replace(picture.metadata, icc=_fitting_profile(picture.metadata.icc, grey))
    texts = {**metadata.text, **(texts or {})}
    if entry.name == "JPEG":
        _jpeg(picture, grey, metadata, quality, texts, file)
    elif entry.name == "PNG":
        _png(picture, grey, metadata, texts, file)
    elif entry.name == "WEBP":
        file.write(_webp(picture, grey, metadata, quality, lossless, texts))
    elif entry.name == "TIFF":
        packed = text.pack(texts).decode() or None
        tiff.write(file, _samples(picture, grey), metadata, metadata.icc, packed)
    elif entry.name == "AVIF":
        file.write(_avif(picture, grey, metadata, quality, lossless, texts))
    else:
        dpi = {"dpi": metadata.dpi} if metadata.dpi else {}
        to_pil(picture, grey=grey, alpha=False).save(file, "BMP", **dpi)


def to_pil(picture: Picture, *, grey: bool | None = None, alpha: bool = True) -> "Image":
    """A Pillow image; 16 bits only for grey without alpha. See `Picture.to_pil`."""
    from PIL import Image

    grey = is_grey(picture) if grey is None else grey
    if grey or (alpha and picture.alpha is not None):
        samples = _samples(picture, grey, alpha=alpha)
        return Image.fromarray(samples[:, :, 0] if samples.shape[2] == 1 else samples)
    image = Image.new("RGB", (picture.width, picture.height), None)
    image.frombytes(picture.pixels.data)  # unlike fromarray, touches the memory once
    return image


def _samples(picture: Picture, grey: bool, *, alpha: bool = True) -> NDArray[Any]:
    """(H, W, 1 | 2 | 3 | 4): grey or RGB, then alpha."""
    colours: NDArray[Any] = picture.pixels[:, :, :1] if grey else picture.pixels
    if not alpha or picture.alpha is None:
        return np.ascontiguousarray(colours)
    return np.concatenate([colours, picture.alpha[:, :, None]], axis=2)


def _fitting_profile(icc: bytes | None, grey: bool) -> bytes | None:
    """The profile, unless it is one for grey and the picture has colours now."""
    return None if icc is not None and icc[16:20] == b"GRAY" and not grey else icc


def _jpeg(
    picture: Picture,
    grey: bool,
    metadata: Metadata,
    quality: int | None,
    texts: Mapping[str, str],
    file: BinaryIO,
) -> None:
    options: dict[str, Any] = {}
    coding = metadata.jpeg
    if coding is not None:
        options |= {"subsampling": coding.subsampling, "progressive": coding.progressive}
        if coding.rgb and not grey:
            options["keep_rgb"] = True
    if quality is not None:
        options["quality"] = quality
        if coding is None:
            options["subsampling"] = 0 if quality >= _FINE else 2
    elif coding is not None:
        options["qtables"] = _distinct(coding.tables[:1] if grey else coding.tables)
    else:
        options |= {"quality": _JPEG_QUALITY, "subsampling": 0}
    if metadata.exif and len(metadata.exif) <= _SEGMENT:
        options["exif"] = b"Exif\x00\x00" + metadata.exif
    if metadata.xmp and len(metadata.xmp) <= _SEGMENT:
        options["xmp"] = metadata.xmp
    if metadata.dpi:
        options["dpi"] = metadata.dpi
    comment = texts.get("Comment", "").encode()
    if comment and len(comment) < _SEGMENT:
        options["comment"] = comment
        texts = {key: value for key, value in texts.items() if key != "Comment"}
    image = to_pil(picture, grey=True, alpha=False) if grey else _padded(picture)
    sink: Any = _WithTexts(file, text.pack(texts))
    image.save(sink, "JPEG", icc_profile=metadata.icc, **options)


class _WithTexts:
    """What Pillow writes a JPEG to: passes it on piece by piece, the texts where they belong."""

    def __init__(self, file: BinaryIO, texts: bytes) -> None:
        self._file, self._texts = file, texts
        self._head: bytes | None = b""  # what came so far, until the texts are out

    def write(self, data: bytes) -> int:
        if self._head is None:
            return self._file.write(data)
        self._head += data
        try:
            at, segments = text.for_jpeg(io.BytesIO(self._head), self._texts)
        except EOFError:  # not all of the header yet
            return len(data)
        for part in (self._head[:at], segments, self._head[at:]):
            self._file.write(part)
        self._head = None
        return len(data)


def _padded(picture: Picture) -> "Image":
    """A Pillow image of RGB and a byte that says nothing, as Pillow holds RGB, but sooner."""
    from PIL import Image

    if picture.width * picture.height < LARGE:
        return to_pil(picture, grey=False, alpha=False)
    import cv2

    give_back()  # the copy is a third larger than the photo
    with opencv_threads():
        padded = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2RGBA)
    return Image.frombuffer("RGBX", (picture.width, picture.height), padded, "raw", "RGBX", 0, 1)


def _distinct(tables: tuple[tuple[int, ...], ...]) -> list[list[int]]:
    """Tables as Pillow takes them: component i uses table i, and the last one serves the rest."""
    last = len(tables)
    while last > 1 and tables[last - 1] == tables[last - 2]:
        last -= 1
    return [list(table) for table in tables[:last]]


def _png(
    picture: Picture, grey: bool, metadata: Metadata, texts: Mapping[str, str], file: BinaryIO
) -> None:
    if picture.dtype == np.uint16:
        data: memoryview | bytes = _deep_png(_samples(picture, grey))
    else:
        buffer = io.BytesIO()
        to_pil(picture, grey=grey).save(buffer, "PNG")
        data = buffer.getbuffer()
    file.write(data[: png.HEADER_END])
    file.write(png.metadata_chunks(metadata, texts))
    file.write(data[png.HEADER_END :])


def _deep_png(samples: NDArray[np.uint16]) -> bytes:
    import cv2

    if samples.shape[2] == 2:
        return png.encode_grey_alpha(samples)
    if samples.shape[2] >= 3:
        samples = samples[:, :, [2, 1, 0, 3][: samples.shape[2]]]
    options = [
        cv2.IMWRITE_PNG_COMPRESSION,
        4,
        cv2.IMWRITE_PNG_STRATEGY,
        cv2.IMWRITE_PNG_STRATEGY_DEFAULT,
        cv2.IMWRITE_PNG_FILTER,
        cv2.IMWRITE_PNG_ALL_FILTERS,
    ]
    done, data = cv2.imencode(".png", np.ascontiguousarray(samples), options)
    if not done:
        raise OSError("the PNG could not be encoded")
    return data.tobytes()


def _packets(metadata: Metadata) -> dict[str, bytes]:
    """The metadata as WebP and AVIF take it, which keep the resolution in the EXIF."""
    block = metadata.exif
    if metadata.dpi:
        block = exif.with_dpi(block, metadata.dpi)
    packets = {"icc_profile": metadata.icc, "exif": block, "xmp": metadata.xmp}
    return {key: value for key, value in packets.items() if value}


def _webp(
    picture: Picture,
    grey: bool,
    metadata: Metadata,
    quality: int | None,
    lossless: bool | None,
    texts: Mapping[str, str],
) -> bytes:
    if lossless is None:
        lossless = quality is None and metadata.lossless
    options: dict[str, Any] = {"lossless": lossless, "exact": True, **_packets(metadata)}
    if not lossless:
        options["quality"] = quality or _WEBP_QUALITY
    buffer = io.BytesIO()
    to_pil(picture, grey=grey).save(buffer, "WEBP", **options)
    packed = text.pack(texts)
    if not packed:
        return buffer.getvalue()
    alpha = picture.alpha is not None
    return text.into_webp(buffer.getvalue(), packed, picture.width, picture.height, alpha)


def _avif(
    picture: Picture,
    grey: bool,
    metadata: Metadata,
    quality: int | None,
    lossless: bool | None,
    texts: Mapping[str, str],
) -> bytes:
    options: dict[str, Any] = _packets(metadata)
    if "exif" in options:
        options["exif"] = exif.without_orientation(options["exif"])
    options["quality"] = 100 if lossless else quality or _AVIF_QUALITY
    options["subsampling"] = "4:0:0" if grey else "4:4:4"
    buffer = io.BytesIO()
    to_pil(picture, grey=grey).save(buffer, "AVIF", **options)
    packed = text.pack(texts)
    return text.into_avif(buffer.getvalue(), packed) if packed else buffer.getvalue()
