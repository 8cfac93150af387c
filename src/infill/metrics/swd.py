"""Sliced Wasserstein distance between many fills and many photos, patch by patch.

T. Karras, T. Aila, S. Laine and J. Lehtinen, "Progressive growing of GANs for improved quality,
stability, and variation", ICLR 2018, section 5 and the authors' published code: patches of the
levels of Laplacian pyramids are compared as sets. It needs no network, no truth for each fill
and no pairs; small numbers say that the fills have the photos' structure at that size.
"""

import math
from collections.abc import Iterable
from functools import cache
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.metrics.base import MetricCard, check

LEVELS = ("fine", "middle", "coarse")
"""The photo's own size, half and a quarter; of the last the low pass, not a difference."""

PATCH = 7
"""Side of a patch, in pixels of its level."""

MOST = 128
"""Patches of a photo and level at most."""

DIRECTIONS = 512
"""Random directions; always the same ones."""

LEAST = 256
"""Patches of a level that either set must have."""

CAPACITY = 32_768
"""Patches of a level that are held of a set at once: it bounds the memory (30 MB a level)."""

VALUES = 3 * PATCH**2

_DIRECTIONS_AT_ONCE = 64  # bounds the memory that projections take

Patches = NDArray[np.floating[Any]]


class Swd:
    """Sliced Wasserstein distance × 1000 at three sizes, and their mean; 0 = the same patches.

    Of each photo up to 128 patches of 7×7 pixels are kept at each of three levels of its
    Laplacian pyramid (5×5 binomial, so the fine level holds what is lost at half the size). A
    set's patches are brought to mean 0 and deviation 1 in each channel, both sets are projected
    on 512 random directions, and in one dimension the distance is the mean difference of the
    sorted values (Rabin, Peyré, Delon and Bernot 2011).

    The patches are those whose middle lies in the hole (at a coarser level: at a pixel with any
    share of it), so that a hole's rim sees up to 3 pixels of the photo around it. A mask that
    is True everywhere gives the whole photo's patches, and an empty one none. Where they lie
    depends on the mask alone: a fill and the photo beside it are looked at in the same places.

    As in the paper each set is scaled by its own deviation, so that a change of contrast alone
    is not seen; sharpness and texture see it.
    """

    card: ClassVar[MetricCard] = MetricCard(
        name="swd",
        summary="distance between the patches of all fills and of all photos, × 1000",
        labels={
            "swd_fine": "SWD fine",
            "swd_middle": "SWD middle",
            "swd_coarse": "SWD coarse",
            "swd": "SWD",
        },
        better=dict.fromkeys(("swd_fine", "swd_middle", "swd_coarse", "swd"), "lower"),
        digits=dict.fromkeys(("swd_fine", "swd_middle", "swd_coarse", "swd"), 1),
        criterion="realism",
        paper="Karras, Aila, Laine and Lehtinen 2018",
        least=50,
    )

    def missing(self) -> str | None:
        """Nothing: it needs no weights."""
        return None

    def describe(
        self, pixels: NDArray[np.float32], mask: NDArray[np.bool_]
    ) -> NDArray[np.floating[Any]]:
        """(n, 148) float16: the number of the level (0, 1, 2), then the patch's 3 × 49 values.

        pixels: (H, W, 3) float32 RGB in [0, 1]; mask: (H, W) bool, True = hole. At most 384
        rows; none where no patch within the photo has its middle in the hole.
        """
        check(pixels, pixels, mask)
        rows = [np.empty((0, 1 + VALUES), np.float16)]
        for number, (level, hole) in enumerate(_pyramid(pixels, mask)):
            found = _patches(level, hole)
            rows.append(np.insert(found, 0, number, axis=1).astype(np.float16))
        return np.concatenate(rows)

    def compare(self, truths: Iterable[Patches], fills: Iterable[Patches]) -> dict[str, float]:
        """The four figures; NaN for a level of which a set has fewer than 256 patches.

        The mean is NaN where a level is. Of more than 32,768 patches of a level so many are
        kept, each as likely as another, the same ones each time.
        """
        kept = [_gather(truths), _gather(fills)]
        scores = [distance(*(sets[number] for sets in kept)) for number in range(len(LEVELS))]
        named = {f"swd_{name}": score for name, score in zip(LEVELS, scores, strict=True)}
        return {**named, "swd": math.fsum(scores) / len(scores)}


def distance(one: Patches, other: Patches) -> float:
    """Sliced distance × 1000 of two sets of patches, (n, 147) and (m, 147); NaN below LEAST.

    Of sets of two sizes the sorted values are compared at the shares of the smaller one's.
    """
    if min(len(one), len(other)) < LEAST:
        return math.nan
    scaled = [_scaled(patches) for patches in (one, other)]
    total = 0.0
    for start in range(0, DIRECTIONS, _DIRECTIONS_AT_ONCE):
        chosen = directions()[start : start + _DIRECTIONS_AT_ONCE]
        first, second = (np.sort(chosen @ patches.T, axis=1) for patches in scaled)
        size = min(first.shape[1], second.shape[1])
        apart = np.abs(_at_shares(first, size) - _at_shares(second, size))
        total += float(apart.mean(axis=1, dtype=np.float64).sum())
    return 1000 * total / DIRECTIONS


@cache
def directions() -> NDArray[np.float32]:
    """(512, 147) float32, each of length 1, not to be written."""
    drawn = np.random.default_rng(2018).standard_normal((DIRECTIONS, VALUES))
    found: NDArray[np.float32] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    found = found.astype(np.float32)
    found.flags.writeable = False
    return found


def _pyramid(
    pixels: NDArray[np.float32], mask: NDArray[np.bool_]
) -> Iterable[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Levels of the pyramid and the hole at each; fewer where the photo is too small for them."""
    for number in range(len(LEVELS)):
        if min(mask.shape) < PATCH:
            return
        if number == len(LEVELS) - 1:
            yield pixels, mask
            return
        smaller = cv2.pyrDown(pixels)
        size = pixels.shape[1::-1]
        yield pixels - cv2.pyrUp(smaller, dstsize=size).astype(np.float32), mask
        rows, columns = (side % 2 for side in mask.shape)
        even = np.pad(mask, ((0, rows), (0, columns)))
        pixels = smaller.astype(np.float32, copy=False)
        mask = even[0::2, 0::2] | even[0::2, 1::2] | even[1::2, 0::2] | even[1::2, 1::2]


def _patches(level: NDArray[np.float32], hole: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Up to MOST patches (n, 147), channel by channel, whose middles lie in the hole.

    Of more, one from each of so many equal stretches of the hole's pixels in reading order, at
    a random place of it that is always the same.
    """
    margin = PATCH // 2
    height, width = hole.shape
    rows, columns = np.nonzero(hole[margin : height - margin, margin : width - margin])
    if len(rows) > MOST:
        within = np.random.default_rng(7).random(MOST)
        chosen = ((np.arange(MOST) + within) * (len(rows) / MOST)).astype(np.intp)
        rows, columns = rows[chosen], columns[chosen]
    windows = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), axis=(0, 1))
    return windows[rows, columns].reshape(-1, VALUES)


def _gather(described: Iterable[Patches]) -> list[Patches]:
    """Of each level the patches of a set, (n, 147) float16, n at most CAPACITY.

    Once full a new patch takes the place of one drawn, with the odds that make every patch as
    likely to be there at the end (Vitter 1985, algorithm R).
    """
    rng = np.random.default_rng(1985)
    held = [np.empty((0, VALUES), np.float16) for _ in LEVELS]
    waiting: list[list[Patches]] = [[] for _ in LEVELS]
    seen = [0] * len(LEVELS)
    for rows in described:
        for number in range(len(LEVELS)):
            new = rows[rows[:, 0] == number, 1:].astype(np.float16, copy=False)
            free = max(0, CAPACITY - seen[number])
            waiting[number].append(new[:free].copy())
            late = new[free:]
            if len(late):
                held[number] = _joined(held[number], waiting[number])
                before = max(seen[number], CAPACITY)
                places = rng.integers(0, before + 1 + np.arange(len(late)))
                stays = places < CAPACITY
                held[number][places[stays]] = late[stays]
            seen[number] += len(new)
    return [_joined(*pair) for pair in zip(held, waiting, strict=True)]


def _joined(held: Patches, waiting: list[Patches]) -> Patches:
    """What is held and what waits as one array; nothing waits after it."""
    if not any(map(len, waiting)):
        waiting.clear()
        return held
    found = np.concatenate([held, *waiting])
    waiting.clear()
    return found


def _scaled(patches: Patches) -> NDArray[np.float32]:
    """Each channel of a set of patches with mean 0 and deviation 1; a flat one is left at 0."""
    values = patches.astype(np.float32).reshape(len(patches), 3, -1)
    values -= values.mean(axis=(0, 2), keepdims=True, dtype=np.float64).astype(np.float32)
    spread = values.std(axis=(0, 2), keepdims=True, dtype=np.float64)
    values /= np.where(spread > 1e-6, spread, np.inf).astype(np.float32)
    return values.reshape(len(patches), -1)


def _at_shares(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Sorted rows (k, n) at `size` even shares of their length, between two by the line."""
    count = values.shape[1]
    if count == size:
        return values
    places = np.clip((np.arange(size) + 0.5) * (count / size) - 0.5, 0, count - 1)
    low = places.astype(np.intp)
    high = np.minimum(low + 1, count - 1)
    part = (places - low).astype(np.float32)
    return values[:, low] * (1 - part) + values[:, high] * part
