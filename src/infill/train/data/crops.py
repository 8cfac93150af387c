"""The squares of one step: which photos, where they are cut, how they are changed.

Everything follows from the seed, the step and the place in the batch, so a run that is resumed,
or that several processes share, sees what it would have seen.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from infill.train.data.photos import Bytes, Photos
from infill.train.tables import DataConfig

Rng = np.random.Generator


def random_numbers(*key: int) -> Rng:
    """A generator of its own for each key: PCG64, quick to make."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


def batch(photos: Photos, step: int, size: int, side: int, seed: int) -> Bytes:
    """The batch of one step: uint8 RGB, (size, side, side, 3), each a random square of a photo
    as large as it is, mirrored half of the time.

    Every photo is seen once before any is seen again.
    """
    rng = np.random.default_rng([seed, step])
    out = np.empty((size, side, side, 3), np.uint8)
    for place in range(size):
        photo = photos[index_at(step * size + place, len(photos), seed)]
        top, left = rng.integers(np.array(photo.shape[:2]) - side + 1)
        square = photo[top : top + side, left : left + side]
        out[place] = square[:, ::-1] if rng.random() < 0.5 else square
    return out


def squares(
    photos: Photos, step: int, size: int, config: DataConfig, seed: int, places: range | None = None
) -> Bytes:
    """Random squares of photos brought to `config.side`: uint8 RGB, (len(places), side, side, 3).

    size:   of the whole batch, places 0 to size - 1; `places` are those that are wanted.
    """
    places = range(size) if places is None else places
    out = np.empty((len(places), config.side, config.side, 3), np.uint8)
    for row, place in enumerate(places):
        photo = photos[index_at(step * size + place, len(photos), seed)]
        out[row] = square(photo, config, random_numbers(seed, 0, step, place))
    return out


def square(photo: Bytes, config: DataConfig, rng: Rng) -> Bytes:
    """One random square of a photo (H, W, 3), changed as the configuration says."""
    low, high = config.scale
    wanted = round((low + (high - low) * rng.random()) * min(photo.shape[:2]))
    wanted = max(1, min(wanted, *photo.shape[:2]))
    top = int(rng.random() * (photo.shape[0] - wanted + 1))
    left = int(rng.random() * (photo.shape[1] - wanted + 1))
    cut = resized(photo[top : top + wanted, left : left + wanted], config.side)
    if rng.random() < config.flip:
        cut = cut[:, ::-1]
    return jittered(cut, rng, config.colour) if config.colour else cut


def resized(cut: Bytes, side: int) -> Bytes:
    """A square (S, S, 3) at (side, side, 3): averaged when it shrinks, else cubic."""
    if len(cut) == side:
        return cut
    import cv2

    way = cv2.INTER_AREA if len(cut) > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cut, (side, side), interpolation=way), np.uint8)


GREY = np.array([0.299, 0.587, 0.114], np.float32)


def jittered(pixels: Bytes, rng: Rng, most: float) -> Bytes:
    """(H, W, 3) uint8 with brightness, contrast and saturation each changed by a factor of
    1 - most to 1 + most: brightness about black, contrast about the mean grey, saturation about
    each pixel's own grey."""
    brightness, contrast, saturation = 1 + most * (2 * rng.random(3, np.float32) - 1)
    changed = pixels.astype(np.float32) * brightness
    grey = changed @ GREY
    changed = changed * saturation + grey[..., None] * (1 - saturation)
    mean = grey.mean()
    return np.clip((changed - mean) * contrast + mean + 0.5, 0, 255).astype(np.uint8)


def middles(photos: Photos, side: int) -> Bytes:
    """The middle square of every photo, as large as it is: uint8 RGB, (N, side, side, 3)."""
    out = np.empty((len(photos), side, side, 3), np.uint8)
    for index in range(len(photos)):
        photo = photos[index]
        top, left = (np.array(photo.shape[:2]) - side) // 2
        out[index] = photo[top : top + side, left : left + side]
    return out


def whole_middles(photos: Photos, side: int, count: int) -> Bytes:
    """The largest middle square of `count` photos (or of all that there are), evenly spread over
    them, brought to `side`: uint8 RGB, (n, side, side, 3)."""
    chosen = np.unique(np.linspace(0, len(photos) - 1, count).round().astype(int))
    cuts = []
    for index in chosen.tolist():
        photo = photos[index]
        short = min(photo.shape[:2])
        top, left = (photo.shape[0] - short) // 2, (photo.shape[1] - short) // 2
        cuts.append(resized(photo[top : top + short, left : left + short], side))
    return np.stack(cuts)


def index_at(position: int, count: int, seed: int) -> int:
    """Which of `count` photos comes at a position (from 0) of the whole run."""
    epoch, place = divmod(position, count)
    return int(_order(seed, epoch, count)[place])


@lru_cache(maxsize=3)
def _order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch, count]).permutation(count)
