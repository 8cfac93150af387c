"""Texture distance: how far the patches of a fill are from those of the truth, as a set.

A blurred fill is near the truth pixel by pixel, and yet no patch of it looks like a patch of
the truth. So the patches are compared as two distributions, by the sliced Wasserstein distance
(Rabin, Peyré, Delon and Bernot 2011): the mean over random directions of the distance between
the projections, which in one dimension is that between the sorted values.
"""

import math
from functools import cache
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.metrics.base import MetricCard, OverPhotos, check

PATCH = 7
"""Side of a patch, in pixels."""

DIRECTIONS = 128
"""Number of random directions; always the same ones."""

STEPS_PER_UNIT = 5000
"""Projections are rounded to this: no value of the distance is off by more than 0.2."""

MOST_PATCHES = 1_000_000
"""Of more patches than this, so many are taken at even steps: it bounds the time."""

Corners = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows and columns of the patches' top left pixels."""

_VALUES_AT_ONCE = 16_000_000  # bounds the memory that patches and projections take


class Texture(OverPhotos):
    """Sliced Wasserstein distance × 1000 between patches, mean of full and half size."""

    card: ClassVar[MetricCard] = MetricCard(
        name="texture",
        summary="distance between the sets of 7×7 patches in and at the hole, × 1000",
        labels={"texture": "texture distance"},
        criterion="realism",
        better={"texture": "lower"},
        digits={"texture": 1},
        paper="Rabin, Peyré, Delon and Bernot 2011 (sliced Wasserstein distance)",
    )

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """`{"texture": distance}`, 0 = the same patches.

        NaN for an empty mask and for a photo with a side below 7 pixels; the full size alone
        where only the half size is that small.
        """
        check(truth, filled, mask)
        if not mask.any():
            return {"texture": math.nan}
        half = [sliced_distance(half_size(truth), half_size(filled), half_mask(mask))]
        both = [sliced_distance(truth, filled, mask), *half]
        found = [value for value in both if not math.isnan(value)]
        return {"texture": 1000 * math.fsum(found) / len(found) if found else math.nan}


def sliced_distance(
    truth: NDArray[np.float32], filled: NDArray[np.float32], mask: NDArray[np.bool_]
) -> float:
    """Mean over the directions of the 1-D Wasserstein-2 distance between projected patches.

    truth, filled: (H, W, 3) float32 in [0, 1]; mask: (H, W) bool. The patches are all 7×7
    windows that lie within the photo and touch the hole, each less the mean of its 147 values;
    of more than a million, that many at even steps. In one dimension the distance of two
    sets of one size is the root-mean-square difference of their sorted values.
    Returns the distance in the photos' units, NaN where there are no patches.
    """
    rows, columns = np.nonzero(touching(mask))
    count = len(rows)
    if count == 0:
        return math.nan
    every = -(-count // MOST_PATCHES)
    corners = (rows[::every], columns[::every])
    step = max(1, _VALUES_AT_ONCE // (2 * len(corners[0])))
    total = 0.0
    for start in range(0, DIRECTIONS, step):
        chosen = directions()[start : start + step]
        apart = _sorted_projections(truth, corners, chosen).astype(np.float32)
        apart -= _sorted_projections(filled, corners, chosen)
        total += float(np.sqrt(np.square(apart, out=apart).mean(axis=1, dtype=np.float64)).sum())
    return total / DIRECTIONS / STEPS_PER_UNIT


@cache
def directions() -> NDArray[np.float32]:
    """(128, 147) float32: one unit direction a row, for (channel, y, x), less its mean.

    A patch less its mean, projected on a direction, is the patch projected on the direction
    less its mean: so the patches' means are removed here, once.
    """
    rng = np.random.default_rng(20110600)
    drawn = rng.standard_normal((DIRECTIONS, 3 * PATCH * PATCH))
    unit = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    fixed: NDArray[np.float32] = (unit - unit.mean(axis=1, keepdims=True)).astype(np.float32)
    fixed.flags.writeable = False
    return fixed


def touching(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H-6, W-6) bool: which 7×7 windows, by their top left corner, hold a hole pixel.

    An empty array where a side is below 7 pixels.
    """
    height, width = (side - PATCH + 1 for side in mask.shape)
    if height <= 0 or width <= 0:
        return np.zeros((0, 0), np.bool_)
    grown = cv2.dilate(mask.view(np.uint8), np.ones((PATCH, PATCH), np.uint8))
    margin = PATCH // 2
    return grown[margin : margin + height, margin : margin + width].astype(np.bool_)


def half_size(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2×2 pixels, (H//2, W//2, 3); an odd last row or column is left out."""
    height, width = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    even = pixels[:height, :width]
    total = even[0::2, 0::2] + even[0::2, 1::2] + even[1::2, 0::2] + even[1::2, 1::2]
    return total / np.float32(4)


def half_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The hole at half size, (H//2, W//2): every pixel with a share of the hole."""
    height, width = mask.shape[0] // 2 * 2, mask.shape[1] // 2 * 2
    even = mask[:height, :width]
    return even[0::2, 0::2] | even[0::2, 1::2] | even[1::2, 0::2] | even[1::2, 1::2]


def _sorted_projections(
    pixels: NDArray[np.float32], corners: Corners, chosen: NDArray[np.float32]
) -> NDArray[np.int16]:
    """(directions, patches) int16: each row sorted, in steps of 1 / STEPS_PER_UNIT.

    Whole numbers of 16 bits, because they are sorted by counting, eight times as fast. A patch
    less its mean is at most 6.07 long, so that none is cut off.
    """
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (PATCH, PATCH), axis=(0, 1))
    rows, columns = corners
    found = np.empty((len(chosen), len(rows)), np.int16)
    scaled = chosen * np.float32(STEPS_PER_UNIT)
    some = max(1, _VALUES_AT_ONCE // 8 // chosen.shape[1])
    for start in range(0, len(rows), some):
        part = slice(start, start + some)
        patches = windows[rows[part], columns[part]].reshape(-1, chosen.shape[1])
        values = scaled @ patches.T
        found[:, part] = np.rint(values, out=values)
    found.sort(axis=1, kind="stable")
    return found
