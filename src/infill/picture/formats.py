"""The file formats, what each can hold, and how a file's first bytes name it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infill.errors import FormatCannotHold
from infill.files import StrPath, check_writable
from infill.picture.model import Picture


@dataclass(frozen=True)
class Format:
    """One file format.

    deep, alpha, text: whether it can hold 16 bits a channel, alpha, embedded texts.
    longest:           the longest side it can hold, in pixels.
    keeps:             the metadata it can hold.
    """

    name: str
    suffixes: tuple[str, ...]
    deep: bool = False
    alpha: bool = True
    text: bool = True
    longest: int = 2**31 - 1
    keeps: frozenset[str] = frozenset({"icc", "exif", "xmp", "dpi"})


FORMATS = (
    Format("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), alpha=False, longest=65500),
    Format("PNG", (".png",), deep=True),
    Format("WEBP", (".webp",), longest=16383),
    Format("TIFF", (".tif", ".tiff"), deep=True),
    Format("BMP", (".bmp", ".dib"), alpha=False, text=False, keeps=frozenset({"dpi"})),
    Format("AVIF", (".avif",), longest=32768),
)
SUFFIXES = tuple(suffix for entry in FORMATS for suffix in entry.suffixes)
"""Every extension that can be read and written, with its dot, in small letters."""

_OTHERS = (
    (0, b"GIF8", "a GIF"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000"),
    (0, b"\xff\x0a", "a JPEG XL"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL"),
    (4, b"ftyphe", "a HEIC"),
    (4, b"ftypmif1", "a HEIC"),
    (4, b"ftypcrx", "a camera raw file"),
    (0, b"<svg", "an SVG drawing"),
)


def sniff(head: bytes) -> str | None:
    """The name of the format that a file starting with `head` (32 bytes) is in, or None."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "TIFF"
    if head.startswith(b"BM"):
        return "BMP"
    if head[4:8] == b"ftyp" and (head[8:11] == b"avi" or b"avif" in head[8:32]):
        return "AVIF"
    return None


def sniff_other(head: bytes) -> str | None:
    """What a file is that is no photo we read, with its article, or None."""
    for start, magic, name in _OTHERS:
        if head[start : start + len(magic)] == magic:
            return name
    return None


def find(name: StrPath) -> Format:
    """The format of a path, an extension or a format's name. Raises `FormatCannotHold`."""
    text = str(name)
    suffix = (Path(text).suffix or text).lower()
    for entry in FORMATS:
        if suffix in entry.suffixes or f".{suffix}" in entry.suffixes or suffix == entry.name:
            return entry
    if Path(text).suffix:
        what = f"{text}: the extension {suffix} names no format that is written"
    else:
        what = f"{text!r} has no extension and is no format that is written"
    raise FormatCannotHold(f"{what}; save as one of {', '.join(SUFFIXES)}")


def holds_text(name: StrPath) -> bool:
    """Whether texts can be embedded in that format (all but BMP). Raises `FormatCannotHold`."""
    return find(name).text


def can_hold(name: StrPath, picture: Picture) -> bool:
    """Whether the format of a path or extension is known and can hold the picture."""
    try:
        check_holds(name, picture)
    except FormatCannotHold:
        return False
    return True


def check_holds(name: StrPath, picture: Picture) -> Format:
    """The format of a path, extension or name that can hold the picture.

    Raises `FormatCannotHold` if it cannot, naming the extensions that can: 16 bits need PNG or
    TIFF, transparency anything but JPEG and BMP (alpha that is opaque everywhere is no obstacle).
    """
    entry = find(name)
    lacking = _lacking(entry, picture)
    if lacking:
        mend = [other.suffixes[0] for other in FORMATS if not _lacking(other, picture)]
        raise FormatCannotHold(f"{name}: {entry.name} cannot hold {lacking}; save as {_or(mend)}")
    return entry


def check_output(
    path: StrPath,
    picture: Picture | None = None,
    *,
    overwrite: bool = False,
    inputs: Iterable[StrPath] = (),
) -> Format:
    """Raise now what `picture.save(path)` would raise after the work; return the format.

    picture: the photo, whose own path counts among `inputs`; None checks the path alone.

    Raises `FormatCannotHold`, `Unwritable`, `WouldOverwrite`.
    """
    entry = find(path) if picture is None else check_holds(path, picture)
    own = picture.metadata.path if picture is not None else None
    check_writable(path, overwrite=overwrite, inputs=[*inputs, *([own] if own else [])])
    return entry


def losses(name: StrPath, picture: Picture) -> tuple[str, ...]:
    """What of the picture's metadata the format drops: some of "icc", "exif", "xmp", "dpi"."""
    entry = find(name)
    has = {key: getattr(picture.metadata, key) for key in ("icc", "exif", "xmp", "dpi")}
    return tuple(key for key, value in has.items() if value and key not in entry.keeps)


def _lacking(entry: Format, picture: Picture) -> str | None:
    if picture.dtype == np.uint16 and not entry.deep:
        return "16 bits per channel"
    if not entry.alpha and has_transparency(picture):
        return "transparency"
    if max(picture.width, picture.height) > entry.longest:
        return f"a side of more than {entry.longest} pixels"
    return None


def has_transparency(picture: Picture) -> bool:
    """Whether any pixel is not opaque."""
    return picture.alpha is not None and bool(
        picture.alpha.min() < np.iinfo(picture.alpha.dtype).max
    )


def _or(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
