"""MS-SSIM: structural similarity over five sizes of the photo.

Z. Wang, E. P. Simoncelli and A. C. Bovik, "Multiscale structural similarity for image quality
assessment", 37th Asilomar Conference on Signals, Systems and Computers (2003) 1398-1402: the
window and constants of SSIM; contrast and structure at every scale, the luminance at the
coarsest alone (eq. 7). Each scale is the means of 2×2 pixels of the one before.
"""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from infill.metrics.base import MetricCard, OverPhotos, check
from infill.metrics.ssim import C1, C2, WINDOW, smoothed
from infill.metrics.texture import half_mask, half_size

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of each scale, from the full size on (section 3.2 of the paper)."""

_ROWS_AT_ONCE = 256  # bounds the memory: the maps of a strip of this many rows

Plane = NDArray[np.float64]


class MsSsim(OverPhotos):
    """MS-SSIM over the three channels, in [0, 1]; 1 = alike.

    The mean of each scale's map is taken over places and channels, and only then raised to the
    scale's weight; a mean below 0 counts as 0. Where a photo is too small for five scales (a
    side below 176 pixels), as many as the window fits are taken, with their weights brought to
    the sum of all five, as in the loss of that name that networks are trained with.
    """

    card: ClassVar[MetricCard] = MetricCard(
        name="ms-ssim",
        summary="structural similarity over five scales, whole photo and inside the hole",
        labels={"ms_ssim": "MS-SSIM", "masked_ms_ssim": "MS-SSIM in the hole"},
        better={"ms_ssim": "higher", "masked_ms_ssim": "higher"},
        digits={"ms_ssim": 3, "masked_ms_ssim": 3},
        paper="Wang, Simoncelli and Bovik 2003",
    )

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """`ms_ssim` over the whole photo, `masked_ms_ssim` with the means over hole pixels.

        At every scale a hole pixel is one with any share of the hole, and means are over pixels
        at least 5 from the border. NaN where a side is below 11 pixels; for the hole also where
        none of it lies within that margin at some scale.
        """
        check(truth, filled, mask)
        side = min(mask.shape)
        if side < WINDOW:
            return {"ms_ssim": math.nan, "masked_ms_ssim": math.nan}
        count = scales_of(side)
        whole: list[float] = []
        inside: list[float] = []
        for scale in range(count):
            for kept, value in zip(
                (whole, inside), _means(truth, filled, mask, scale == count - 1), strict=True
            ):
                kept.append(value)
            truth, filled, mask = half_size(truth), half_size(filled), half_mask(mask)
        return {"ms_ssim": _pool(whole), "masked_ms_ssim": _pool(inside)}


def scales_of(side: int) -> int:
    """How many of the five scales a photo is large enough for: at each the window must fit."""
    count = 1
    while count < len(WEIGHTS) and side // 2**count >= WINDOW:
        count += 1
    return count


def _pool(means: Sequence[float]) -> float:
    """The weighted geometric mean over the scales, NaN where one is."""
    weights = WEIGHTS[: len(means)]
    share = sum(weights) / sum(WEIGHTS)
    if any(map(math.isnan, means)):
        return math.nan
    return math.prod(
        max(0.0, mean) ** (weight / share) for mean, weight in zip(means, weights, strict=True)
    )


def _means(
    truth: NDArray[np.float32],
    filled: NDArray[np.float32],
    mask: NDArray[np.bool_],
    coarsest: bool,
) -> tuple[float, float]:
    """Mean of one scale's map where the window fits, over all places and over the hole's."""
    margin = WINDOW // 2
    height, width = mask.shape
    hole = mask[margin : height - margin, margin : width - margin]
    total = inside = 0.0
    for top in range(0, len(hole), _ROWS_AT_ONCE):
        part = slice(top, top + _ROWS_AT_ONCE + WINDOW - 1)
        found = _map(truth[part], filled[part], coarsest)
        total += float(found.sum())
        inside += float(found[hole[top : top + _ROWS_AT_ONCE]].sum())
    count = int(hole.sum())
    return total / (3 * hole.size), inside / (3 * count) if count else math.nan


def _map(truth: NDArray[np.float32], filled: NDArray[np.float32], coarsest: bool) -> Plane:
    """Contrast times structure at every place where the window fits, (H-10, W-10, 3).

    At the coarsest scale times the luminance.
    """
    a, b = truth.astype(np.float64), filled.astype(np.float64)
    mean_a, mean_b = smoothed(a), smoothed(b)
    powers = mean_a * mean_a + mean_b * mean_b
    both = mean_a * mean_b
    variances = smoothed(a * a + b * b) - powers
    covariance = smoothed(a * b) - both
    found: Plane = (2 * covariance + C2) / (variances + C2)
    return found * (2 * both + C1) / (powers + C1) if coarsest else found
