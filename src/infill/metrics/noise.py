"""Noise mismatch: whether the fill is as noisy as the photo around it.

No truth is needed, so it also scores a fill that is meant to differ from what was there.
"""

import math
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.geometry import bounds
from infill.masks.morphology import depth
from infill.metrics.base import MetricCard, OverPhotos, check

WINDOW = 7
"""Noise is measured in squares of so many pixels a side."""

REACH = 32
"""The surroundings are the known pixels at most so far from the hole, in pixels."""

QUANTILE = 0.25
"""Of all squares the level that a quarter of them, the flattest, lie below."""

LEAST = 16
"""Squares that must lie in the hole, and beside it, for the quantile to say anything."""

STEP = 1 / 255 / math.sqrt(12)
"""Deviation of what rounding to 8 bits alone does; no photo is known to have less."""

KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""The difference of two Laplacians: it sees no plane and no straight edge along an axis."""


class Noise(OverPhotos):
    """|log₂| of the noise level in the hole over that beside it; 0 = as noisy, 1 = twice or half.

    J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64
    (1996) 300-302: with N the 3 × 3 difference of two Laplacians, Gaussian noise of deviation σ
    has a mean |I * N| of 6σ √(2/π). Here that mean is taken in squares of WINDOW pixels a side
    and three channels, and the level of a region is that of its flattest squares, since
    elsewhere N also answers to texture:

        σ(R) = √(π/72) · quantile₂₅ over squares in R of mean |I * N|
        noise = |log₂ √((σ(hole)² + s²) / (σ(beside)² + s²))|,   s = 1/255/√12

    A square counts for the hole where every pixel that it looks at (9 × 9) is in the hole, and
    for what is beside it where all are known and its middle is at most REACH pixels from the
    hole; all places count, not those of a grid alone.
    """

    card: ClassVar[MetricCard] = MetricCard(
        name="noise",
        summary="noise level in the hole beside that around it, as |log2|; 0 = the same",
        labels={"noise": "noise mismatch"},
        better={"noise": "lower"},
        against="nothing",
        paper="Immerkaer 1996 (noise level)",
    )

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """`{"noise": |log2|}`; NaN where fewer than LEAST squares lie in the hole or beside it.

        truth: only its shape is looked at.
        """
        check(truth, filled, mask)
        return {"noise": noise_mismatch(filled, mask)}


def noise_mismatch(filled: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """The figure that `Noise` states, or NaN.

    filled: (H, W, 3) float32 in [0, 1]; mask: (H, W) bool, True = hole.
    """
    if not mask.any() or min(mask.shape) < WINDOW + 2:
        return math.nan
    around = bounds(mask).grown(REACH + WINDOW, mask.shape)
    pixels, hole = filled[around.slices], np.ascontiguousarray(mask[around.slices])
    if min(hole.shape) < WINDOW + 2:
        return math.nan
    levels = noise_levels(pixels)
    within = [_whole(hole), _whole(~hole) & (depth(~hole) <= REACH)]
    inside, beside = (levels[region] for region in within)
    if min(len(inside), len(beside)) < LEAST:
        return math.nan
    sigmas = [float(np.quantile(found, QUANTILE)) for found in (inside, beside)]
    ratio = (sigmas[0] ** 2 + STEP**2) / (sigmas[1] ** 2 + STEP**2)
    return abs(math.log2(ratio)) / 2


def noise_levels(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Deviation of the noise in the square around each pixel, (H, W), in the photo's units.

    Where the square (and the pixel beside it that the kernel needs) is not wholly within the
    photo the number means nothing.
    """
    answer = np.abs(cv2.filter2D(pixels, cv2.CV_32F, KERNEL))
    mean = cv2.boxFilter(answer.mean(axis=2), cv2.CV_32F, (WINDOW, WINDOW))
    level: NDArray[np.float32] = mean * np.float32(math.sqrt(math.pi / 72))
    return level


def _whole(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the WINDOW + 2 pixels a side around a pixel lie wholly in the region."""
    side = WINDOW + 2
    kernel = np.ones((side, side), np.uint8)
    found = cv2.erode(region.view(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return found.astype(np.bool_)
