"""Peak signal-to-noise ratio, of the whole photo and of the hole alone."""

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from infill.metrics.base import MetricCard, OverPhotos, check

_VALUES_AT_ONCE = 1_000_000  # bounds the memory


class Psnr(OverPhotos):
    """PSNR in dB over all three channels, peak 1; infinity where the match is exact."""

    card: ClassVar[MetricCard] = MetricCard(
        name="psnr",
        summary="peak signal-to-noise ratio in dB, whole photo and inside the hole",
        labels={"psnr": "PSNR", "masked_psnr": "PSNR in the hole"},
        better={"psnr": "higher", "masked_psnr": "higher"},
    )

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """`psnr` over every pixel, `masked_psnr` over hole pixels (NaN for an empty mask)."""
        check(truth, filled, mask)
        inside = psnr(truth[mask], filled[mask]) if mask.any() else math.nan
        return {"psnr": psnr(truth, filled), "masked_psnr": inside}


def psnr(truth: NDArray[np.float32], filled: NDArray[np.float32]) -> float:
    """10 log10(1 / mean squared difference), in dB, of two arrays of one shape in [0, 1]."""
    a, b = truth.reshape(-1), filled.reshape(-1)
    total = 0.0
    for start in range(0, a.size, _VALUES_AT_ONCE):
        part = slice(start, start + _VALUES_AT_ONCE)
        total += float(np.square(a[part] - b[part], dtype=np.float64).sum())
    return -10 * math.log10(total / a.size) if total > 0 else math.inf
