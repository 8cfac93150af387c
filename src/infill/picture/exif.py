"""EXIF, changed in place so that everything else in it stays as the camera wrote it.

EXIF is a small TIFF: a chain of directories (IFD), each a list of 12-byte entries (tag, type,
count, value or offset of the value). Maker notes hold offsets into the whole block, which any
program that takes the block apart and writes it anew breaks; so entries are patched where they
lie, and what must be added is appended.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from infill.picture.model import Metadata

if TYPE_CHECKING:
    from PIL.Image import Exif

WIDTH, HEIGHT, ORIENTATION = 0x0100, 0x0101, 0x0112
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
PIXEL_WIDTH, PIXEL_HEIGHT = 0xA002, 0xA003
THUMBNAIL_AT, THUMBNAIL_LENGTH, STRIPS_AT, STRIP_LENGTHS = 0x0201, 0x0202, 0x0111, 0x0117

DESCRIPTIVE = frozenset(
    {0x010D, 0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x011D, 0x0128, 0x0131, 0x0132, 0x013B}
    | {0x013C, 0x4746, 0x4749, 0x8298, 0x83BB, *range(0x9C9B, 0x9CA0), EXIF_IFD, GPS_IFD}
    | {0x830E, 0x8482, 0x8480, 0x8468, 0x87AF, 0x87B0, 0x87B1, 0xA480, 0xA481}  # GeoTIFF, GDAL
)
"""Tags of a TIFF's first directory that describe the photo and not how its pixels are stored."""

_MOST_DPI = 100_000
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SHORT, _LONG, _RATIONAL = 3, 4, 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: where it lies in the block, and where its value does."""

    at: int
    tag: int
    type: int
    count: int
    value_at: int
    length: int


class Block:
    """An EXIF block that is being read and patched. Raises ValueError where it is damaged."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)
        if data[:4] not in (b"II*\x00", b"MM\x00*"):
            raise ValueError("EXIF does not start as it must")
        self.order = "<" if data[:2] == b"II" else ">"
        self.whole = True

    def unpack(self, form: str, at: int) -> tuple[Any, ...]:
        try:
            return struct.unpack_from(self.order + form, self.data, at)
        except struct.error as error:
            raise ValueError("EXIF ends too early") from error

    def pack(self, form: str, at: int, *values: int) -> None:
        struct.pack_into(self.order + form, self.data, at, *values)

    def first(self) -> int:
        return int(self.unpack("I", 4)[0])

    def entries(self, at: int) -> list[Entry]:
        """The entries of the directory at that offset."""
        (count,) = self.unpack("H", at)
        return [self._entry(at + 2 + 12 * i) for i in range(count)]

    def _entry(self, at: int) -> Entry:
        tag, kind, count = self.unpack("HHI", at)
        length = _SIZES.get(kind, 1) * count
        value_at = at + 8 if length <= 4 else int(self.unpack("I", at + 8)[0])
        return Entry(at, tag, kind, count, value_at, length)

    def next_at(self, at: int) -> int:
        """Where the offset of the directory after that at `at` is stored."""
        return at + 2 + 12 * int(self.unpack("H", at)[0])

    def number(self, entry: Entry, index: int = 0) -> float:
        """A value of a SHORT, LONG or RATIONAL entry; NaN of another."""
        if entry.type == _SHORT:
            return float(self.unpack("H", entry.value_at + 2 * index)[0])
        if entry.type in (_LONG, 13):
            return float(self.unpack("I", entry.value_at + 4 * index)[0])
        if entry.type == _RATIONAL:
            above, below = self.unpack("II", entry.value_at + 8 * index)
            return above / below if below else float("nan")
        return float("nan")

    def set_number(self, entry: Entry, value: int) -> None:
        """Overwrite the value of a SHORT or LONG entry."""
        if entry.type == _SHORT and value < 2**16:
            self.pack("H", entry.value_at, value)
        elif entry.type == _LONG:
            self.pack("I", entry.value_at, value)

    def walk(self) -> Iterator[Entry]:
        """The entries of the first directory and of those that hang from it.

        Raises ValueError if the first is damaged. A damaged one below it is passed over, since
        programs that wrote a wrong offset for one are many, after setting `whole` to False.
        """
        waiting, seen = [self.first()], set()
        while waiting:
            at = waiting.pop()
            seen.add(at)
            try:
                entries = self.entries(at)
            except ValueError:
                if len(seen) == 1:
                    raise
                self.whole = False
                continue
            for entry in entries:
                yield entry
                if entry.tag in (EXIF_IFD, GPS_IFD, INTEROP_IFD):
                    waiting.extend({int(self.number(entry))} - seen)


def upright(metadata: Metadata, width: int, height: int) -> tuple[Metadata, int]:
    """The metadata once the pixels are turned upright, and the orientation (1 to 8) they had.

    width, height: of the stored pixels. In the EXIF that is returned orientation is 1, the
    sizes are those of the upright picture, and there is no thumbnail, which would go on showing
    what is removed from the photo. Damaged EXIF is dropped, with a note.
    """
    orientation, block = 1, metadata.exif
    if block is not None:
        block = block.removeprefix(b"Exif\x00\x00")
        try:
            block, orientation, dpi = _clean(block, width, height)
            metadata = replace(metadata, dpi=metadata.dpi or dpi)
        except ValueError as error:
            block = None
            metadata = replace(metadata, notes=(*metadata.notes, f"{error}; it is not kept"))
    xmp = metadata.xmp
    if xmp is not None:
        if orientation == 1 and (match := _XMP_ORIENTATION.search(xmp)):
            stated = int(match[2])
            if not (block and _states_orientation(block)) and 1 <= stated <= 8:
                orientation = stated
        xmp = _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
        xmp = _XMP_PREVIEWS.sub(b"", xmp)
    dpi = metadata.dpi
    if dpi is not None and not (min(dpi) >= 1 and max(dpi) <= _MOST_DPI):
        dpi = None  # an accident, which the next format may have no room for
    return replace(metadata, exif=block, xmp=xmp, dpi=dpi), orientation


_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>))([0-9])")
_XMP_PREVIEWS = re.compile(
    rb"<xmp:Thumbnails>.*?</xmp:Thumbnails>"
    rb"|xmpNote:HasExtendedXMP\s*=\s*\"[^\"]*\""
    rb"|<xmpNote:HasExtendedXMP>[^<]*</xmpNote:HasExtendedXMP>",
    re.DOTALL,
)


def _states_orientation(data: bytes) -> bool:
    block = Block(data)
    return any(entry.tag == ORIENTATION for entry in block.entries(block.first()))


def _clean(data: bytes, width: int, height: int) -> tuple[bytes, int, tuple[float, float] | None]:
    """The block upright and without thumbnails, its orientation and its resolution."""
    block = Block(data)
    found = {entry.tag: entry for entry in block.entries(block.first())}
    orientation = 1
    if ORIENTATION in found:
        stated = block.number(found[ORIENTATION])
        orientation = int(stated) if stated in range(1, 9) else 1
        block.set_number(found[ORIENTATION], 1)
    if orientation >= 5:
        width, height = height, width
    end = 8
    for entry in block.walk():
        end = max(end, entry.at + 12 + 4, entry.value_at + entry.length)
        if entry.tag in (WIDTH, PIXEL_WIDTH):
            block.set_number(entry, width)
        elif entry.tag in (HEIGHT, PIXEL_HEIGHT):
            block.set_number(entry, height)
    _drop_thumbnails(block)
    kept = bytes(block.data)
    if block.whole and not any(kept[end:]):  # nothing but blanked thumbnails behind the last value
        kept = kept[: end + end % 2]
    return kept, orientation, _dpi(block, found)


def _drop_thumbnails(block: Block) -> None:
    """Unlink the directories after the first and blank them and the pictures they point to."""
    link = block.next_at(block.first())
    if link + 4 > len(block.data):
        return  # some programs leave the link out
    (at,) = block.unpack("I", link)
    block.pack("I", link, 0)
    seen: set[int] = set()
    with suppress(ValueError):  # what is damaged can no longer be found: it is unlinked anyway
        while at and at not in seen:
            seen.add(at)
            at = _blank_directory(block, at)


def _blank_directory(block: Block, at: int) -> int:
    """Blank one directory, its values and its thumbnail; return where the next one is."""
    entries = block.entries(at)
    found = {entry.tag: entry for entry in entries}
    for where, length in ((THUMBNAIL_AT, THUMBNAIL_LENGTH), (STRIPS_AT, STRIP_LENGTHS)):
        if where in found and length in found:
            for index in range(min(found[where].count, found[length].count)):
                start = int(block.number(found[where], index))
                _blank(block, start, int(block.number(found[length], index)))
    after = block.next_at(at)
    following = int(block.unpack("I", after)[0])
    for entry in entries:
        if entry.length > 4:
            _blank(block, entry.value_at, entry.length)
    _blank(block, at, after + 4 - at)
    return following


def _blank(block: Block, start: int, length: int) -> None:
    stop = min(start + length, len(block.data))
    if 8 <= start < stop:
        block.data[start:stop] = bytes(stop - start)


def _dpi(block: Block, found: Mapping[int, Entry]) -> tuple[float, float] | None:
    if X_RESOLUTION not in found or Y_RESOLUTION not in found:
        return None
    unit = block.number(found[RESOLUTION_UNIT]) if RESOLUTION_UNIT in found else 2
    factor = {2: 1.0, 3: 2.54}.get(int(unit))
    x, y = (block.number(found[tag]) for tag in (X_RESOLUTION, Y_RESOLUTION))
    if factor is None or not (x > 0 and y > 0):
        return None
    return x * factor, y * factor


def with_dpi(data: bytes | None, dpi: tuple[float, float]) -> bytes:
    """The block with that resolution, for formats that have no other place for it.

    A block that states one already is returned as it is. Otherwise its first directory is
    written once more behind everything else, three entries longer.
    """
    block = Block(data or b"II*\x00\x08\x00\x00\x00" + bytes(6))
    at = block.first()
    entries = block.entries(at)
    if any(entry.tag == X_RESOLUTION for entry in entries):
        return bytes(block.data)
    raw = {entry.tag: bytes(block.data[entry.at : entry.at + 12]) for entry in entries}
    block.data += bytes(len(block.data) % 2)
    values_at = len(block.data)
    form = block.order
    for value in dpi:
        block.data += struct.pack(form + "II", round(value * 10000), 10000)
    raw[X_RESOLUTION] = struct.pack(form + "HHII", X_RESOLUTION, _RATIONAL, 1, values_at)
    raw[Y_RESOLUTION] = struct.pack(form + "HHII", Y_RESOLUTION, _RATIONAL, 1, values_at + 8)
    raw[RESOLUTION_UNIT] = struct.pack(form + "HHIHH", RESOLUTION_UNIT, _SHORT, 1, 2, 0)
    block.pack("I", 4, len(block.data))
    block.data += struct.pack(form + "H", len(raw))
    block.data += b"".join(raw[tag] for tag in sorted(raw)) + bytes(4)
    return bytes(block.data)


def without_orientation(data: bytes) -> bytes:
    """The block without a statement about orientation; nothing else in it moves.

    Pillow writes AVIF's EXIF anew, and breaks maker notes, if it finds one.
    """
    block = Block(data)
    first = block.first()
    for entry in block.entries(first):
        if entry.tag == ORIENTATION:
            end = block.next_at(first) + 4
            rest = block.data[entry.at + 12 : end]
            block.data[entry.at : entry.at + len(rest)] = rest
            block.pack("H", first, int(block.unpack("H", first)[0]) - 1)
            break
    return bytes(block.data)


def from_pillow(source: "Exif") -> bytes | None:
    """An EXIF block of what Pillow read from a TIFF's directory, with its orientation."""
    from PIL.Image import Exif

    kept = Exif()
    kept.endian = source.endian
    for tag, value in source.items():
        if tag in DESCRIPTIVE or tag == ORIENTATION:
            kept[tag] = value
    for tag in (EXIF_IFD, GPS_IFD):
        directory = dict(source.get_ifd(tag))
        if INTEROP_IFD in directory:
            directory[INTEROP_IFD] = dict(source.get_ifd(INTEROP_IFD))
        if directory:
            kept[tag] = directory
        elif tag in kept:
            del kept[tag]
    return kept.tobytes().removeprefix(b"Exif\x00\x00") if len(kept) else None


def to_directory(data: bytes) -> dict[int, Any]:
    """The descriptive tags of a block by number, for the directory of a TIFF."""
    from PIL.Image import Exif

    source = Exif()
    source.load(data)
    found = {tag: source[tag] for tag in source if tag in DESCRIPTIVE}
    for tag in (EXIF_IFD, GPS_IFD):
        if tag in found:
            found[tag] = dict(source.get_ifd(tag))
            if INTEROP_IFD in found[tag]:
                found[tag][INTEROP_IFD] = dict(source.get_ifd(INTEROP_IFD))
            if not found[tag]:
                del found[tag]
    return found
