"""Sharpness: root-mean-square gradient inside the hole, fill over truth.

The root, because then a fill of half the contrast scores a half.
"""

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from infill.metrics.base import MetricCard, OverPhotos, check


class Sharpness(OverPhotos):
    """RMS gradient of the fill over that of the truth; 1 is right, below 1 is blurred."""

    card: ClassVar[MetricCard] = MetricCard(
        name="sharpness",
        summary="root-mean-square gradient inside the hole, fill over truth",
        labels={"sharpness": "sharpness"},
        criterion="realism",
        better={"sharpness": "one"},
    )

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """`{"sharpness": ratio}`; NaN where the truth has no gradient inside the hole."""
        check(truth, filled, mask)
        energy = gradient_energy(truth, mask)
        if energy == 0:
            return {"sharpness": math.nan}
        return {"sharpness": math.sqrt(gradient_energy(filled, mask) / energy)}


def gradient_energy(pixels: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Sum of squared differences of neighbours that both lie inside the hole, all channels.

    pixels: (H, W, 3) float32 in [0, 1]; mask: (H, W) bool, True = hole.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0.0
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    pixels, mask = pixels[box], mask[box]  # a small hole costs what it measures
    down = (pixels[1:] - pixels[:-1])[mask[1:] & mask[:-1]]
    right = (pixels[:, 1:] - pixels[:, :-1])[mask[:, 1:] & mask[:, :-1]]
    return float(np.square(down, dtype=np.float64).sum() + np.square(right, dtype=np.float64).sum())
