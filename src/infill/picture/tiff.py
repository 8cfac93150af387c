"""TIFF: its layout, its 16-bit pixels, and whole files written with every tag.

Pillow reads and writes TIFF of 8 bits but neither 16-bit colour nor 16-bit alpha; OpenCV reads
16-bit samples but mixes up separate planes and two channels, and writes no metadata.
"""

import io
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from infill.errors import NotAPicture
from infill.picture import exif
from infill.picture.model import Metadata

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS, STRIP_COUNTS = 273, 274, 277, 278, 279
PLANAR, PREDICTOR, EXTRA, SAMPLE_FORMAT = 284, 317, 338, 339
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
XMP, ICC = 700, 34675
TEXT = 65111
"""A tag of the range that TIFF leaves to private use: our texts, as a JSON object."""

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_DEFLATE, _DIFFERENCES = 8, 2
_STRIP_BYTES = 2**18


@dataclass(frozen=True)
class Layout:
    """What the first directory says. extra: 0 unspecified, 1 premultiplied alpha, 2 alpha."""

    directory: Any
    width: int
    height: int
    bits: tuple[int, ...]
    samples: int
    photometric: int
    planar: int
    extra: tuple[int, ...]
    orientation: int
    frames: int

    @property
    def deep(self) -> bool:
        """16-bit samples of grey or RGB."""
        return set(self.bits) == {16} and self.photometric in (
            _WHITE_IS_ZERO,
            _BLACK_IS_ZERO,
            _RGB,
        )


def directory_of(file: BinaryIO) -> Any:
    """Pillow's view of the first directory: a mapping of tag numbers to values."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    file.seek(0)
    head = file.read(8)
    if head[2:3] == b"+" or head[3:4] == b"+":
        head += file.read(8)
    directory = ImageFileDirectory_v2(head)
    file.seek(directory.next)
    directory.load(file)
    return directory


def layout(data: bytes, name: str) -> Layout:
    """The layout of a TIFF.

    Raises ValueError if the file is damaged or ends before its pixels do, and `NotAPicture` for
    samples that are no photo of 8 or 16 bits.
    """
    found = directory_of(io.BytesIO(data))
    bits = _numbers(found, BITS, (1,))
    formats = set(_numbers(found, SAMPLE_FORMAT, (1,)))
    if formats - {1, 4} or max(bits) > 16:
        kind = "floating-point" if 3 in formats else "signed" if 2 in formats else "32-bit"
        raise NotAPicture(f"{name} has {kind} samples; convert it to 8 or 16 bits first")
    if 50706 in found:
        raise NotAPicture(f"{name} is a camera raw file (DNG); develop it to a TIFF first")
    large = b"+" in data[2:4]
    result = Layout(
        directory=found,
        width=_numbers(found, WIDTH)[0],
        height=_numbers(found, HEIGHT)[0],
        bits=bits,
        samples=_numbers(found, SAMPLES, (1,))[0],
        photometric=_numbers(found, PHOTOMETRIC)[0],
        planar=_numbers(found, PLANAR, (1,))[0],
        extra=_numbers(found, EXTRA, ()),
        orientation=_numbers(found, ORIENTATION, (1,))[0],
        frames=1 if large else _count_frames(data),
    )
    _check_strips(found, len(data))
    if result.deep and result.samples > (2 if result.photometric != _RGB else 4):
        raise NotAPicture(f"{name} has {result.samples} channels; keep grey or RGB, and alpha")
    return result


def _numbers(found: Any, tag: int, default: tuple[int, ...] | None = None) -> tuple[int, ...]:
    if tag not in found:
        if default is None:
            raise ValueError(f"tag {tag} is missing")
        return default
    value = found[tag]
    return tuple(int(v) for v in value) if isinstance(value, (tuple, list)) else (int(value),)


def _count_frames(data: bytes) -> int:
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", data, 4)
    seen: set[int] = set()
    while at and at not in seen and at + 2 <= len(data):
        seen.add(at)
        link = at + 2 + 12 * struct.unpack_from(order + "H", data, at)[0]
        if link + 4 > len(data):
            break
        (at,) = struct.unpack_from(order + "I", data, link)
    return len(seen)


def _check_strips(found: Any, length: int) -> None:
    for where, counts in ((STRIP_OFFSETS, STRIP_COUNTS), (TILE_OFFSETS, TILE_COUNTS)):
        if where in found and counts in found:
            pairs = zip(_numbers(found, where), _numbers(found, counts), strict=False)
            end = max(start + count for start, count in pairs)
            if end > length:
                raise ValueError(f"its pixels end at byte {end} and the file at byte {length}")


def decode_deep(data: bytes, found: Layout) -> NDArray[np.uint16]:
    """The stored samples: (H, W, 1 grey | 2 grey, alpha | 3 RGB | 4 RGB, alpha), as they lie.

    Raises ValueError for what cannot be decoded. Premultiplied alpha is divided out, a fourth
    channel that is no alpha is left away, and white is made 65535.
    """
    if found.planar == 2 and found.samples > 1:
        planes = [_decode(_view(data, found, plane), found, 1) for plane in range(found.samples)]
        samples = np.concatenate(planes, axis=2)
    elif found.samples == 2:
        samples = _decode_pairs(data, found)
    else:
        samples = _decode(_view(data, found), found, found.samples)
    colours = 3 if found.photometric == _RGB else 1
    if found.photometric == _WHITE_IS_ZERO:
        samples[:, :, 0] = 65535 - samples[:, :, 0]
    if samples.shape[2] > colours:
        kind = found.extra[0] if found.extra else 2
        if kind == 0:
            samples = samples[:, :, :colours]
        elif kind == 1:
            _divide_out(samples)
    return samples


def _decode(data: bytes, found: Layout, samples: int, times: int = 1) -> NDArray[np.uint16]:
    import cv2

    decoded: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    shape = (found.height, found.width * times, samples)
    if decoded is None or decoded.dtype != np.uint16 or decoded.size != np.prod(shape):
        raise ValueError("its pixels cannot be decoded")
    decoded = decoded.reshape(shape)
    if samples >= 3:
        decoded = decoded[:, :, [2, 1, 0, 3][:samples]]
    return np.array(decoded, np.uint16)


def _decode_pairs(data: bytes, found: Layout) -> NDArray[np.uint16]:
    """Two interleaved channels, read as one channel of twice the width."""
    if TILE_OFFSETS in found.directory:
        raise ValueError("two channels in tiles are not read")
    wide = _decode(_view(data, found, pairs=True), found, 1, times=2)
    samples = wide.reshape(found.height, found.width, 2)
    if _numbers(found.directory, PREDICTOR, (1,))[0] == _DIFFERENCES:
        samples = np.cumsum(samples, axis=1, dtype=np.uint16)
    return samples


def _view(data: bytes, found: Layout, plane: int | None = None, *, pairs: bool = False) -> bytes:
    """The same file with another first directory, of one plane if asked.

    It holds no orientation, which OpenCV would apply in part, no white-is-zero, and no tags that
    OpenCV does not know and would complain of.
    pairs: as one channel of twice the width, without undoing differences.
    """
    old = found.directory
    keep = (COMPRESSION, ROWS, PREDICTOR, TILE_WIDTH, TILE_HEIGHT)
    tags = {tag: _numbers(old, tag) for tag in keep if tag in old}
    tags |= {WIDTH: (found.width,), HEIGHT: (found.height,), PLANAR: (1,)}
    samples = 1 if plane is not None or pairs else found.samples
    tags |= {SAMPLES: (samples,), BITS: (16,) * samples}
    tags[PHOTOMETRIC] = (_RGB if samples >= 3 else _BLACK_IS_ZERO,)
    if samples == 4:
        tags[EXTRA] = (2,)
    for tag in (STRIP_OFFSETS, STRIP_COUNTS, TILE_OFFSETS, TILE_COUNTS):
        if tag in old:
            values = _numbers(old, tag)
            each = len(values) // (found.samples if plane is not None else 1)
            first = each * (plane or 0)
            tags[tag] = values[first : first + each]
    if pairs:
        tags |= {WIDTH: (found.width * 2,), PREDICTOR: (1,)}
    order = "<" if data[:2] == b"II" else ">"
    at = len(data) + len(data) % 2
    if at >= 2**32:
        raise ValueError("more than 4 GB of 16-bit TIFF are not read")
    head = data[:2] + struct.pack(order + "H", 42) + struct.pack(order + "I", at)
    rest = memoryview(data)[8:]
    return b"".join([head, rest, bytes(at - len(data)), _directory(tags, at, order)])


def _directory(tags: Mapping[int, tuple[int, ...]], at: int, order: str) -> bytes:
    """A directory of whole numbers that lies at offset `at`."""
    entries, values = b"", b""
    values_at = at + 2 + 12 * len(tags) + 4
    for tag in sorted(tags):
        numbers = struct.pack(f"{order}{len(tags[tag])}I", *tags[tag])
        if len(numbers) > 4:
            place = struct.pack(order + "I", values_at + len(values))
            values += numbers
        else:
            place = numbers
        entries += struct.pack(order + "HHI", tag, 4, len(tags[tag])) + place
    return struct.pack(order + "H", len(tags)) + entries + bytes(4) + values


def _divide_out(samples: NDArray[np.uint16]) -> None:
    """Turn colours that were multiplied by alpha into colours, in place."""
    alpha = np.maximum(samples[:, :, -1:], 1).astype(np.uint32)
    colours = samples[:, :, :-1]
    colours[:] = np.minimum((colours * np.uint32(65535) + alpha // 2) // alpha, 65535)


def read_metadata(found: Layout, data: bytes) -> Metadata:
    """What the first directory says about the photo, with its orientation in the EXIF."""
    from PIL.Image import Exif

    tags = found.directory
    block = Exif()
    block.endian = "<" if data[:2] == b"II" else ">"
    block.bigtiff = b"+" in data[2:4]
    block.load_from_fp(io.BytesIO(data), tags.offset)
    note = f"the file holds {found.frames} pictures; the first is used"
    xmp, icc = tags.get(XMP), tags.get(ICC)
    return Metadata(
        format="TIFF",
        icc=bytes(icc) if isinstance(icc, bytes) and icc else None,
        exif=exif.from_pillow(block),
        xmp=bytes(xmp) if isinstance(xmp, bytes) and xmp else None,
        notes=(note,) if found.frames > 1 else (),
    )


def write(
    file: BinaryIO, samples: NDArray[Any], metadata: Metadata, icc: bytes | None, text: str | None
) -> None:
    """Write (H, W, 1 | 2 | 3 | 4) samples of uint8 or uint16 and the metadata as a TIFF.

    Lossless: strips of horizontal differences, deflated. text: ASCII, into our private tag.
    """
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    height, width, channels = samples.shape
    bits = samples.dtype.itemsize * 8
    rows = max(1, _STRIP_BYTES // (width * channels * samples.dtype.itemsize))
    strips = [_deflated(samples[top : top + rows]) for top in range(0, height, rows)]
    tags = ImageFileDirectory_v2()
    described = exif.to_directory(metadata.exif) if metadata.exif else {}
    for tag, value in described.items():
        tags[tag] = value
    if metadata.dpi:
        tags[exif.X_RESOLUTION], tags[exif.Y_RESOLUTION] = metadata.dpi
        tags[exif.RESOLUTION_UNIT] = 2
    tags[WIDTH], tags[HEIGHT] = width, height
    tags[BITS] = (bits,) * channels
    tags[COMPRESSION], tags[PREDICTOR], tags[PLANAR] = _DEFLATE, _DIFFERENCES, 1
    tags[PHOTOMETRIC] = _RGB if channels >= 3 else _BLACK_IS_ZERO
    tags[SAMPLES], tags[ROWS] = channels, rows
    tags[SAMPLE_FORMAT] = (1,) * channels
    if channels in (2, 4):
        tags[EXTRA] = 2
    offsets, counts = [0], [len(strip) for strip in strips]
    for count in counts[:-1]:
        offsets.append(offsets[-1] + count)
    tags.tagtype[STRIP_OFFSETS] = tags.tagtype[STRIP_COUNTS] = 4
    tags[STRIP_OFFSETS], tags[STRIP_COUNTS] = tuple(offsets), tuple(counts)
    for tag, kind, content in ((XMP, 1, metadata.xmp), (ICC, 7, icc), (TEXT, 2, text)):
        if content:
            tags.tagtype[tag] = kind
            tags[tag] = content
    file.write(b"II*\x00\x08\x00\x00\x00" + tags.tobytes(8))
    file.writelines(strips)


def _deflated(rows: NDArray[Any]) -> bytes:
    """A strip: each sample as its difference to the one on its left, little-endian, deflated."""
    differences = rows.copy()
    differences[:, 1:] -= rows[:, :-1]
    little = differences.astype(rows.dtype.newbyteorder("<"), copy=False)
    return zlib.compress(little.tobytes(), 4)
