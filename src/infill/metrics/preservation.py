"""Preservation: how far the known pixels are from those of the photo that came in.

A fill has no business outside the hole; what it changes there, it was not asked to change.
"""

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from infill.metrics.base import MetricCard, OverPhotos, check

LEVELS = 255
"""Differences are stated in steps of 8 bits."""

_ROWS_AT_ONCE = 256  # bounds the memory


class Preservation(OverPhotos):
    """Largest and mean difference outside the hole in 8-bit levels, and PSNR there.

    With B the photo as it came in, F the filled one, K the known pixels (three values each):

        outside_max  = 255 max |F − B|,   outside_mean = 255 mean |F − B|   over K
        outside_psnr = 10 log₁₀(1 / mean (F − B)²)                          over K, in dB

    A photo of which not a bit outside has changed has 0, 0 and infinity; `reduce` counts those
    photos and keeps their infinity out of the mean.
    """

    card: ClassVar[MetricCard] = MetricCard(
        name="preservation",
        summary="difference outside the hole: largest and mean in 8-bit levels, PSNR in dB",
        labels={
            "outside_max": "largest change outside",
            "outside_mean": "mean change outside",
            "outside_psnr": "PSNR outside",
        },
        better={"outside_max": "lower", "outside_mean": "lower", "outside_psnr": "higher"},
        digits={"outside_max": 1, "outside_mean": 3},
        criterion="preservation",
        against="before",
    )

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """The three figures; NaN where the hole is the whole photo.

        truth: here the photo as it came in.
        """
        check(truth, filled, mask)
        largest = total = squares = 0.0
        known = ~mask
        count = 3 * int(np.count_nonzero(known))
        if not count:
            return dict.fromkeys(self.card.better, math.nan)
        for top in range(0, len(known), _ROWS_AT_ONCE):
            part = slice(top, top + _ROWS_AT_ONCE)
            apart = np.abs(filled[part] - truth[part])[known[part]].astype(np.float64) * LEVELS
            if not apart.size:
                continue
            largest = max(largest, float(apart.max()))
            total += float(apart.sum())
            squares += float(np.square(apart).sum())
        exact = squares == 0
        psnr = math.inf if exact else -10 * math.log10(squares / count / LEVELS**2)
        return {"outside_max": largest, "outside_mean": total / count, "outside_psnr": psnr}
