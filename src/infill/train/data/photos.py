"""Photos one by one: read from their files every time, or out of one file of decoded bytes."""

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from infill.data.layouts import Listing
from infill.errors import InfillError, Unreadable, Unwritable
from infill.files import write_atomically
from infill.picture import Picture

Bytes = NDArray[np.uint8]
Tell = Callable[[str], None]

LONGEST = 2
"""A photo's long side is cut to so many short sides, about its middle."""


class Photos(Protocol):
    """Photos by number, each (H, W, 3) uint8 RGB, not to be written."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Bytes: ...


@dataclass(frozen=True)
class Streamed:
    """Photos that are decoded whenever they are asked for: none is kept in memory.

    One that cannot be read is told, and the next one stands in for it.
    """

    listing: Listing
    tell: Tell = lambda _: None

    def __len__(self) -> int:
        return len(self.listing)

    def __getitem__(self, index: int) -> Bytes:
        for number in range(index, index + len(self)):
            try:
                return eight_bits(Picture.load(self.listing.path(number % len(self))).pixels)
            except InfillError as error:
                self.tell(f"left out: {error}")
        raise Unreadable(f"none of the {len(self)} photos in {self.listing.root} can be read")


@dataclass(frozen=True)
class Thumbnails:
    """Small photos of different shapes, end to end in one array, in memory or mapped from a file.

    pixels: uint8, flat; photo i is `pixels[starts[i]:]` seen as (*sizes[i], 3), RGB.
    sizes:  int64, (N, 2): height and width.
    starts: int64, (N,).
    """

    pixels: Bytes
    sizes: NDArray[np.int64]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, index: int) -> Bytes:
        height, width = self.sizes[index]
        start = self.starts[index]
        return self.pixels[start : start + height * width * 3].reshape(height, width, 3)

    @staticmethod
    def of(photos: list[Bytes]) -> "Thumbnails":
        """Thumbnails of uint8 arrays, each (H, W, 3)."""
        sizes = np.array([photo.shape[:2] for photo in photos], np.int64).reshape(-1, 2)
        flat = [photo.ravel() for photo in photos]
        return Thumbnails(np.concatenate(flat), sizes, starts_of(sizes))


def starts_of(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) int64: where each photo of these sizes (N, 2) begins."""
    ends: NDArray[np.int64] = np.cumsum(sizes.prod(axis=1) * 3)
    return ends - sizes.prod(axis=1) * 3


def eight_bits(pixels: NDArray[Any]) -> Bytes:
    """uint8 or uint16 pixels as uint8."""
    return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)


def thumbnail(pixels: NDArray[Any], short: int) -> Bytes:
    """A photo (H, W, 3), uint8 or uint16, brought to a short side of `short` pixels by averaging.

    A photo longer than `LONGEST` short sides loses its ends; a smaller one is enlarged.
    """
    import cv2

    pixels = eight_bits(pixels)
    height, width = pixels.shape[:2]
    limit = LONGEST * min(height, width)
    top, left = max(0, height - limit) // 2, max(0, width - limit) // 2
    pixels = pixels[top : height - top, left : width - left]
    height, width = pixels.shape[:2]
    scale = short / min(height, width)
    size = (max(short, round(width * scale)), max(short, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=method), np.uint8)


def decoded(
    listing: Listing, short: int, path: Path, *, threads: int = 1, tell: Tell = lambda _: None
) -> Thumbnails:
    """All photos as thumbnails of short side `short`, mapped from the file `path`.

    The file is made if it is not there, damaged, or of other photos or another size: by `threads`
    threads, under another name first, so that one who is killed leaves nothing that looks whole.
    Beside it lies its index, `path` with .json. A photo that cannot be read is left out and told.

    Raises `Unreadable` if none can be read, `Unwritable` (a full disk).
    """
    mark = f"{short} {listing.mark()}"
    sizes = _read_index(path, mark)
    if sizes is None:
        sizes = _decode(listing, short, path, threads, tell)
        index = json.dumps({"mark": mark, "sizes": sizes.tolist()})
        write_atomically(_index(path), index.encode(), overwrite=True)
    pixels = np.memmap(path, np.uint8, mode="r")
    return Thumbnails(pixels, sizes, starts_of(sizes))


def _index(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _read_index(path: Path, mark: str) -> NDArray[np.int64] | None:
    """The sizes of the photos in the file, or None if it is not the file that is wanted."""
    try:
        index = json.loads(_index(path).read_text())
        sizes = np.array(index["sizes"], np.int64).reshape(-1, 2)
        whole = path.stat().st_size == int(sizes.prod(axis=1).sum()) * 3
        return sizes if whole and index["mark"] == mark else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # damaged, or something else: it can be made again


def _decode(
    listing: Listing, short: int, path: Path, threads: int, tell: Tell
) -> NDArray[np.int64]:
    """Write the file; the sizes of the photos in it."""
    sizes: list[tuple[int, int]] = []

    def content(file: Any) -> None:
        said = begun = time.monotonic()
        for number, found in enumerate(_in_order(listing, short, threads), 1):
            if isinstance(found, InfillError):
                tell(f"left out: {found}")
            else:
                file.write(found)
                sizes.append(found.shape[:2])
            now = time.monotonic()
            if now - said > 10:
                left = (now - begun) / number * (len(listing) - number)
                tell(f"decoded {number} of {len(listing)} photos, {left:.0f} s left")
                said = now
        if not sizes:
            raise Unreadable(f"none of the {len(listing)} photos in {listing.root} can be read")

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unwritable(f"{path.parent} cannot be made: {error.strerror}") from error
    write_atomically(path, content, overwrite=True)
    return np.array(sizes, np.int64)


def _in_order(listing: Listing, short: int, threads: int) -> Iterator[Bytes | InfillError]:
    """Thumbnails in the order of the names; decoders work outside Python's lock."""

    def one(index: int) -> Bytes | InfillError:
        try:
            return thumbnail(Picture.load(listing.path(index)).pixels, short)
        except InfillError as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Bytes | InfillError]] = deque()
        for index in range(len(listing)):
            waiting.append(pool.submit(one, index))
            if len(waiting) > 8 * threads:  # as many are held in memory, not all
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def open_photos(
    listing: Listing,
    short: int,
    path: Path,
    *,
    threads: int = 1,
    tell: Tell = lambda _: None,
) -> Photos:
    """`decoded` photos, or `Streamed` ones where `short` is 0."""
    if short == 0:
        return Streamed(listing, tell)
    return decoded(listing, short, path, threads=threads, tell=tell)
