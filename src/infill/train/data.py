"""Photos as thumbnails: decoded once, kept as bytes, cut at random for every batch."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from infill.errors import InfillError, Unreadable
from infill.files import write_atomically
from infill.picture import SUFFIXES, Picture

Bytes = NDArray[np.uint8]

LONGEST = 2
"""A photo's long side is cut to so many short sides, about its middle."""


@dataclass(frozen=True)
class Thumbnails:
    """Small photos of different shapes, end to end in one array.

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
        lengths = [photo.size for photo in photos]
        return Thumbnails(
            np.concatenate([photo.ravel() for photo in photos]),
            np.array([photo.shape[:2] for photo in photos], np.int64),
            np.cumsum([0, *lengths[:-1]], dtype=np.int64),
        )


@dataclass(frozen=True)
class Split:
    """What is learnt from, and what the loss is checked on."""

    learn: Thumbnails
    held_out: Thumbnails


def photo_files(folder: Path) -> list[Path]:
    """The photos in a folder, by name. Raises `Unreadable` if there is no folder or no photo."""
    if not folder.is_dir():
        raise Unreadable(f"there is no folder {folder}; name one with photos, with --photos")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise Unreadable(f"{folder} holds no photo ({', '.join(SUFFIXES)})")
    return found


def is_held_out(name: str, fraction: float) -> bool:
    """Whether a photo is kept from learning: by a hash of its name alone, so that the same
    photos are held out however many others lie beside them."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return number < fraction * 2**64


def thumbnail(pixels: NDArray[Any], short: int) -> Bytes:
    """A photo (H, W, 3), uint8 or uint16, brought to a short side of `short` pixels by averaging.

    A photo longer than `LONGEST` short sides loses its ends.
    """
    import cv2

    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    height, width = pixels.shape[:2]
    limit = LONGEST * min(height, width)
    top, left = max(0, height - limit) // 2, max(0, width - limit) // 2
    pixels = pixels[top : height - top, left : width - left]
    height, width = pixels.shape[:2]
    scale = short / min(height, width)
    size = (max(short, round(width * scale)), max(short, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=method), np.uint8)


def read_photos(
    folder: Path,
    short: int,
    held_out: float,
    cache: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Split:
    """Every photo of a folder as a thumbnail of short side `short`, parted by `is_held_out`.

    cache: a file to keep the thumbnails in, so that the next run need not decode; one made of
           other photos, or of another size, is made again. A photo that cannot be read is left
           out, and `tell` says which.

    Raises `Unreadable` if nothing is left to learn from, or to check on.
    """
    files = photo_files(folder)
    listing = [f"{path.name} {path.stat().st_size}" for path in files]
    mark = hashlib.sha256("\n".join([str(short), *listing]).encode()).hexdigest()
    kept = _read_cache(cache, mark) if cache else None
    if kept is None:
        kept = _decode(files, short, tell)
        if cache:
            _write_cache(cache, mark, *kept)
    names, photos = kept
    parts: dict[bool, list[Bytes]] = {True: [], False: []}
    for index, name in enumerate(names):
        parts[is_held_out(name, held_out)].append(photos[index])
    if not parts[True] or not parts[False]:
        raise Unreadable(
            f"{folder} holds too few photos ({len(names)}) to hold {held_out:.0%} of them out"
        )
    return Split(Thumbnails.of(parts[False]), Thumbnails.of(parts[True]))


def _decode(
    files: list[Path], short: int, tell: Callable[[str], None]
) -> tuple[list[str], Thumbnails]:
    names, photos = [], []
    for path in files:
        try:
            pixels = Picture.load(path).pixels
        except InfillError as error:
            tell(f"left out: {error}")
            continue
        names.append(path.name)
        photos.append(thumbnail(pixels, short))
    if not photos:
        raise Unreadable(f"none of the {len(files)} photos in {files[0].parent} can be read")
    return names, Thumbnails.of(photos)


def _read_cache(path: Path, mark: str) -> tuple[list[str], Thumbnails] | None:
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["mark"]) != mark:
                return None
            photos = Thumbnails(kept["pixels"], kept["sizes"], kept["starts"])
            return [str(name) for name in kept["names"]], photos
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None  # damaged, or something else: it can be made again


def _write_cache(path: Path, mark: str, names: list[str], photos: Thumbnails) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(
        path,
        lambda file: np.savez(
            file,
            mark=np.array(mark),
            names=np.array(names),
            pixels=photos.pixels,
            sizes=photos.sizes,
            starts=photos.starts,
        ),
        overwrite=True,
    )


def batch(photos: Thumbnails, step: int, size: int, side: int, seed: int) -> Bytes:
    """The batch of one step: uint8 RGB, (size, side, side, 3), each a random square of a photo,
    mirrored half of the time.

    It follows from `seed` and `step` alone, so a run that is resumed sees what it would have
    seen. Every photo is seen once before any is seen again.
    """
    rng = np.random.default_rng([seed, step])
    out = np.empty((size, side, side, 3), np.uint8)
    for place in range(size):
        epoch, position = divmod(step * size + place, len(photos))
        photo = photos[_order(seed, epoch, len(photos))[position]]
        top, left = rng.integers(np.array(photo.shape[:2]) - side + 1)
        square = photo[top : top + side, left : left + side]
        out[place] = square[:, ::-1] if rng.random() < 0.5 else square
    return out


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch, count]).permutation(count)


def middles(photos: Thumbnails, side: int) -> Bytes:
    """The middle square of every photo: uint8 RGB, (N, side, side, 3)."""
    out = np.empty((len(photos), side, side, 3), np.uint8)
    for index in range(len(photos)):
        photo = photos[index]
        top, left = (np.array(photo.shape[:2]) - side) // 2
        out[index] = photo[top : top + side, left : left + side]
    return out
