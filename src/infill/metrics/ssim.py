"""SSIM: structural similarity, from local means, variances and the covariance.

Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image quality assessment: from error
visibility to structural similarity", IEEE Transactions on Image Processing 13 (2004) 600-612:
Gaussian window of 11×11 pixels with standard deviation 1.5, K1 = 0.01, K2 = 0.03, and the mean
over the places where the window lies within the photo.
"""

import math
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.metrics.base import MetricCard, OverPhotos, check

WINDOW = 11
SIGMA = 1.5
C1, C2 = 0.01**2, 0.03**2

_ROWS_AT_ONCE = 512  # bounds the memory: the maps of a strip of this many rows


class Ssim(OverPhotos):
    """Mean SSIM of the three channels, in [-1, 1]; 1 = alike."""

    card: ClassVar[MetricCard] = MetricCard(
        name="ssim",
        summary="structural similarity, whole photo and inside the hole",
        labels={"ssim": "SSIM", "masked_ssim": "SSIM in the hole"},
        better={"ssim": "higher", "masked_ssim": "higher"},
        digits={"ssim": 3, "masked_ssim": 3},
        paper="Wang, Bovik, Sheikh and Simoncelli 2004",
    )

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """`ssim` over the whole photo, `masked_ssim` over hole pixels.

        Both are means over pixels at least 5 pixels from the photo's border, as the window
        needs; NaN where there are none (a side below 11 pixels, or a hole that lies in that
        margin).
        """
        check(truth, filled, mask)
        margin = WINDOW // 2
        height, width = mask.shape
        if min(height, width) < WINDOW:
            return {"ssim": math.nan, "masked_ssim": math.nan}
        total = inside = 0.0
        hole = mask[margin : height - margin, margin : width - margin]
        for top in range(0, len(hole), _ROWS_AT_ONCE):
            part = slice(top, top + _ROWS_AT_ONCE + WINDOW - 1)
            found = ssim_map(truth[part], filled[part])
            total += float(found.sum())
            inside += float(found[hole[top : top + _ROWS_AT_ONCE]].sum())
        count = int(hole.sum())
        return {
            "ssim": total / (3 * hole.size),
            "masked_ssim": inside / (3 * count) if count else math.nan,
        }


def ssim_map(truth: NDArray[np.float32], filled: NDArray[np.float32]) -> NDArray[np.float64]:
    """SSIM at every place where the window fits: (H-10, W-10, 3) float64 (eq. 13).

    truth, filled: (H, W, 3) float32 in [0, 1], both sides at least 11.
    """
    a, b = truth.astype(np.float64), filled.astype(np.float64)
    mean_a, mean_b = smoothed(a), smoothed(b)
    var_a = smoothed(a * a) - mean_a * mean_a
    var_b = smoothed(b * b) - mean_b * mean_b
    covariance = smoothed(a * b) - mean_a * mean_b
    likeness = (2 * mean_a * mean_b + C1) * (2 * covariance + C2)
    similarity: NDArray[np.float64] = likeness / (
        (mean_a * mean_a + mean_b * mean_b + C1) * (var_a + var_b + C2)
    )
    return similarity


def smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian means where the window fits, (H-10, W-10, 3)."""
    margin = WINDOW // 2
    smooth = cv2.GaussianBlur(values, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_REFLECT)
    inner: NDArray[np.float64] = smooth[margin:-margin, margin:-margin].astype(
        np.float64, copy=False
    )
    return inner
