"""PNG chunks: checked, read, and put into a file that another library encoded."""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.picture.model import Metadata

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR = (b"gAMA", b"cHRM", b"sRGB", b"cICP")
XMP = "XML:com.adobe.xmp"
RAW_PROFILE = "Raw profile type"
_MOST_TEXT = 2**26  # bytes that one compressed text may grow to


@dataclass(frozen=True)
class Parsed:
    """What a PNG holds beside its pixels. colour_type: 0 grey, 2 RGB, 3 palette, 4 LA, 6 RGBA."""

    width: int
    height: int
    depth: int
    colour_type: int
    icc: bytes | None
    exif: bytes | None
    xmp: bytes | None
    dpi: tuple[float, float] | None
    colour: tuple[tuple[bytes, bytes], ...]
    transparent: bytes | None
    animated: bool


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and stop of the content of each chunk, up to the end chunk.

    Raises ValueError if the file ends before it, or if the checksum of a chunk that the
    pixels depend on is wrong.
    """
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        start, stop = at + 8, at + 8 + length
        if stop + 4 > len(data):
            break
        needed = kind[:1].isupper()
        if needed and zlib.crc32(memoryview(data)[at + 4 : stop]) != _number(data, stop):
            raise ValueError(f"the checksum of its {kind.decode('latin-1')} chunk is wrong")
        yield kind, start, stop
        if kind == b"IEND":
            return
        at = stop + 4
    raise ValueError("it has no end chunk")


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def parse(data: bytes) -> Parsed:
    """Check a whole PNG and read what it says beside its pixels. Raises ValueError."""
    found: dict[bytes, bytes] = {}
    texts: dict[str, str] = {}
    for kind, start, stop in chunks(data):
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            texts.update(read_text_chunk(kind, data[start:stop]))
        elif kind in (b"IHDR", b"iCCP", b"eXIf", b"pHYs", b"tRNS", b"acTL", *COLOUR):
            found.setdefault(kind, data[start:stop])
        elif kind == b"IDAT":
            found.setdefault(kind, b"")
    if b"IHDR" not in found or b"IDAT" not in found:
        raise ValueError("it has no pixels")
    width, height, depth, colour_type = struct.unpack_from(">IIBB", found[b"IHDR"])
    raw_exif, raw_xmp = _raw_profiles(texts)
    xmp = texts.get(XMP)
    return Parsed(
        width=width,
        height=height,
        depth=depth,
        colour_type=colour_type,
        icc=_profile(found.get(b"iCCP")),
        exif=found.get(b"eXIf") or raw_exif,
        xmp=xmp.encode() if xmp else raw_xmp,
        dpi=_dpi(found.get(b"pHYs")),
        colour=tuple((kind, found[kind]) for kind in COLOUR if kind in found),
        transparent=found.get(b"tRNS"),
        animated=b"acTL" in found,
    )


def read_text_chunk(kind: bytes, content: bytes) -> dict[str, str]:
    """The text of one tEXt, zTXt or iTXt chunk by its name; {} if the chunk is damaged."""
    try:
        key, _, rest = content.partition(b"\0")
        name = key.decode("latin-1")
        if kind == b"tEXt":
            return {name: rest.decode("latin-1")}
        if kind == b"zTXt":
            return {name: _inflated(rest[1:]).decode("latin-1")}
        _language, _, value = rest[2:].partition(b"\0")
        _translated, _, value = value.partition(b"\0")
        return {name: (_inflated(value) if rest[:1] == b"\x01" else value).decode("utf-8")}
    except (UnicodeDecodeError, zlib.error, IndexError):
        return {}


def _inflated(data: bytes) -> bytes:
    """Inflate at most `_MOST_TEXT` bytes, so that a small file cannot fill the memory."""
    return zlib.decompressobj().decompress(data, _MOST_TEXT)


def _profile(content: bytes | None) -> bytes | None:
    if content is None:
        return None
    try:
        return _inflated(content[content.index(b"\0") + 2 :]) or None
    except (ValueError, zlib.error):
        return None


def _raw_profiles(texts: Mapping[str, str]) -> tuple[bytes | None, bytes | None]:
    """EXIF and XMP as ImageMagick wrote them before PNG had a place for them, in hexadecimal."""
    return (
        _raw_profile(texts.get(f"{RAW_PROFILE} exif", texts.get(f"{RAW_PROFILE} APP1", ""))),
        _raw_profile(texts.get(f"{RAW_PROFILE} xmp", "")),
    )


def _raw_profile(value: str) -> bytes | None:
    lines = value.strip("\n").split("\n")  # kind of profile, its length, then the digits
    try:
        return bytes.fromhex("".join(lines[2:])) or None
    except ValueError:
        return None


def _dpi(content: bytes | None) -> tuple[float, float] | None:
    if content is None or len(content) < 9:
        return None
    x, y, unit = struct.unpack_from(">IIB", content)
    return (x * 0.0254, y * 0.0254) if unit == 1 and x and y else None


def decode_deep(data: bytes, found: Parsed) -> NDArray[np.uint16]:
    """The stored samples of a 16-bit PNG: (H, W, 1 | 2 | 3 | 4), alpha last. Raises ValueError."""
    import cv2

    decoded: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16:
        raise ValueError("its pixels cannot be decoded")
    if found.colour_type == 0:
        grey = decoded.reshape(found.height, found.width, 1)
        if found.transparent is None:
            return np.asarray(grey, np.uint16)
        opaque = grey != int.from_bytes(found.transparent[:2], "big")
        return np.concatenate([grey, opaque.astype(np.uint16) * np.uint16(65535)], axis=2)
    if found.colour_type == 4:  # handed out as blue, green, red, alpha
        return np.asarray(decoded[:, :, 2:4])
    order = [2, 1, 0, 3][: decoded.shape[2]]
    return np.asarray(decoded[:, :, order])


def encode_grey_alpha(samples: NDArray[np.uint16]) -> bytes:
    """A PNG of (H, W, 2) 16-bit grey and alpha, which neither Pillow nor OpenCV writes.

    Each row holds the differences to the row above (filter 2, "up").
    """
    height, width = samples.shape[:2]
    rows = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    filtered = np.full((height, rows.shape[1] + 1), 2, np.uint8)
    filtered[:, 1:] = rows
    filtered[1:, 1:] -= rows[:-1]
    header = struct.pack(">IIBBBBB", width, height, 16, 4, 0, 0, 0)
    return (
        SIGNATURE
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(filtered.tobytes(), 6))
        + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + kind + content + _checksum(kind, content)


def _checksum(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def metadata_chunks(metadata: Metadata, text: Mapping[str, str]) -> bytes:
    """The chunks that hold the metadata and the texts; they belong right behind the header."""
    parts = []
    if metadata.icc:
        parts.append(chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata.icc)))
    for kind, content in metadata.png:
        if not (kind == b"sRGB" and metadata.icc):  # a file may say one of the two
            parts.append(chunk(kind, content))
    if metadata.dpi:
        x, y = (round(value / 0.0254) for value in metadata.dpi)
        parts.append(chunk(b"pHYs", struct.pack(">IIB", x, y, 1)))
    if metadata.exif:
        parts.append(chunk(b"eXIf", metadata.exif))
    if metadata.xmp:
        parts.append(_text_chunk(XMP, metadata.xmp.decode("utf-8", "replace")))
    parts += [_text_chunk(name, value) for name, value in text.items()]
    return b"".join(parts)


def _text_chunk(name: str, value: str) -> bytes:
    """An uncompressed iTXt chunk: readers refuse compressed text that grows past a megabyte."""
    key = name.encode("latin-1", "replace")[:79]
    return chunk(b"iTXt", key + b"\0\0\0\0\0" + value.encode("utf-8"))


HEADER_END = len(SIGNATURE) + 25
"""Where the chunks go: behind the signature and the header chunk."""
