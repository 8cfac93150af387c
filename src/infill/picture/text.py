"""Texts inside image files: where each format keeps them, and how to read them back.

PNG has text chunks. Elsewhere the texts are one JSON object in a place that the format leaves
to private use and that other readers pass over: segments of a JPEG, a chunk of a WebP, a tag of
a TIFF, a box of an AVIF. BMP has no such place.
"""

import io
import json
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from infill.errors import Unreadable
from infill.picture import png, tiff
from infill.picture.formats import sniff
from infill.picture.model import Source

_SEGMENT = 0xEB  # APP11
_MARK = b"infill\0"
_PIECE = 65533 - len(_MARK) - 4
_CHUNK = b"infl"
_BOX = bytes.fromhex("8f1c6a5e0d0b4f0f9a5b696e66696c6c")
_MOST = 2**26


def pack(texts: Mapping[str, str]) -> bytes:
    """The texts as one ASCII JSON object; empty for none."""
    return json.dumps(dict(texts), ensure_ascii=True).encode("ascii") if texts else b""


def _unpack(data: bytes) -> dict[str, str]:
    found = json.loads(data) if data else {}
    if not isinstance(found, dict):
        return {}
    return {str(key): value for key, value in found.items() if isinstance(value, str)}


def read_text(source: Source) -> dict[str, str]:
    """The texts embedded in an image file, by name, without decoding its pixels.

    {} if there are none, if they are damaged, or if the file is no image. Raises `Unreadable`.
    """
    if isinstance(source, (bytes, bytearray)):
        return _read(io.BytesIO(source))
    if not isinstance(source, (str, os.PathLike)):
        return _read(source)
    try:
        with Path(source).open("rb") as file:
            return _read(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unreadable(f"{source} cannot be read: {reason.lower()}") from error


def _read(file: BinaryIO) -> dict[str, str]:
    file.seek(0)
    kind = sniff(file.read(32))
    reader = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "TIFF": _tiff, "AVIF": _avif}.get(
        kind or ""
    )
    if reader is None:
        return {}
    with suppress(ValueError, struct.error, SyntaxError, EOFError, KeyError, TypeError):
        return reader(file)
    return {}


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _png(file: BinaryIO) -> dict[str, str]:
    found: dict[str, str] = {}
    file.seek(len(png.SIGNATURE))
    with suppress(EOFError):
        while True:
            length, kind = struct.unpack(">I4s", _exactly(file, 8))
            if kind in (b"tEXt", b"zTXt", b"iTXt") and length <= _MOST:
                found.update(png.read_text_chunk(kind, _exactly(file, length)))
                file.seek(4, io.SEEK_CUR)
            elif kind == b"IEND":
                break
            else:
                file.seek(length + 4, io.SEEK_CUR)
    hidden = (png.XMP, png.RAW_PROFILE)  # metadata of other kinds in the guise of text
    return {key: value for key, value in found.items() if not key.startswith(hidden)}


def _segments(file: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """Marker, start and length of the content of each segment before the pixels of a JPEG."""
    file.seek(2)
    while True:
        mark = _exactly(file, 1)
        if mark != b"\xff":
            raise ValueError("no marker")
        while mark == b"\xff":
            mark = _exactly(file, 1)
        if mark[0] in (0xDA, 0xD9):
            return
        (length,) = struct.unpack(">H", _exactly(file, 2))
        start = file.tell()
        yield mark[0], start, length - 2
        file.seek(start + length - 2)


def _jpeg(file: BinaryIO) -> dict[str, str]:
    found: dict[str, str] = {}
    pieces: dict[int, bytes] = {}
    for marker, start, length in _segments(file):
        if marker == 0xFE:
            file.seek(start)
            found["Comment"] = comment_text(_exactly(file, length))
        elif marker == _SEGMENT and length > len(_MARK) + 4:
            file.seek(start)
            content = _exactly(file, length)
            if content.startswith(_MARK):
                index, _count = struct.unpack_from(">HH", content, len(_MARK))
                pieces[index] = content[len(_MARK) + 4 :]
    found.update(_unpack(b"".join(pieces[index] for index in sorted(pieces))))
    return found


def comment_text(comment: bytes) -> str:
    """The comment of a JPEG, whose encoding no standard fixes."""
    comment = comment.rstrip(b"\0")
    try:
        return comment.decode("utf-8")
    except UnicodeDecodeError:
        return comment.decode("latin-1")


def for_jpeg(file: BinaryIO, texts: bytes) -> tuple[int, bytes]:
    """The segments that hold the packed texts in a JPEG, and the offset to put them at.

    A segment holds less than 64 kB, so there may be several, numbered from 1. Their place is
    behind what describes the photo and in front of its tables.
    """
    at = 2
    for marker, start, length in _segments(file):
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            break
        at = start + length
    pieces = [texts[i : i + _PIECE] for i in range(0, len(texts), _PIECE)]
    segments = b""
    for index, piece in enumerate(pieces, start=1):
        content = _MARK + struct.pack(">HH", index, len(pieces)) + piece
        segments += struct.pack(">BBH", 0xFF, _SEGMENT, len(content) + 2) + content
    return at, segments


def _webp(file: BinaryIO) -> dict[str, str]:
    file.seek(12)
    while True:
        kind, length = struct.unpack("<4sI", _exactly(file, 8))
        if kind == _CHUNK and length <= _MOST:
            return _unpack(_exactly(file, length))
        file.seek(length + length % 2, io.SEEK_CUR)


def into_webp(data: bytes, texts: bytes, width: int, height: int, alpha: bool) -> bytes:
    """A WebP with the packed texts in a chunk of ours behind everything else.

    Such a chunk needs the extended header; a file that has none is given one.
    """
    body = data[12:]
    if body[:4] != b"VP8X":
        flags = struct.pack("<I", 0x10 if alpha else 0)
        sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        body = b"VP8X" + struct.pack("<I", 10) + flags + sizes + body
    body += _CHUNK + struct.pack("<I", len(texts)) + texts + bytes(len(texts) % 2)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _tiff(file: BinaryIO) -> dict[str, str]:
    file.seek(0)
    order = "<" if _exactly(file, 4)[:2] == b"II" else ">"
    file.seek(struct.unpack(order + "I", _exactly(file, 4))[0])
    (count,) = struct.unpack(order + "H", _exactly(file, 2))
    entries = _exactly(file, 12 * count)
    for i in range(count):
        tag, _kind, length, at = struct.unpack_from(order + "HHII", entries, 12 * i)
        if tag == tiff.TEXT and 4 < length <= _MOST:
            file.seek(at)
            return _unpack(_exactly(file, length).rstrip(b"\0"))
    return {}


def _avif(file: BinaryIO) -> dict[str, str]:
    file.seek(0)
    while True:
        start = file.tell()
        length, kind = struct.unpack(">I4s", _exactly(file, 8))
        if length == 1:
            (length,) = struct.unpack(">Q", _exactly(file, 8))
        if kind == b"uuid" and 24 < length <= _MOST and _exactly(file, 16) == _BOX:
            return _unpack(_exactly(file, length - (file.tell() - start)))
        if length < 8:  # 0: up to the end of the file
            return {}
        file.seek(start + length)


def into_avif(data: bytes, texts: bytes) -> bytes:
    """An AVIF with the packed texts in a box of ours behind everything else."""
    return data + struct.pack(">I4s", 24 + len(texts), b"uuid") + _BOX + texts
