"""Seam strength: how hard the fill meets the photo, beside how rough the photo is just there.

No truth is needed, so it also scores a fill that is meant to differ from what was there.
"""

import math
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from infill.metrics.base import MetricCard, OverPhotos, check

REACH = 4
"""Steps of the photo that each crossing of the border is compared with."""

FLOOR = 1 / 510
"""Half a step of 8 bits, added above and below: what is smaller is rounding, not a seam."""


class Seam(OverPhotos):
    """Mean jump across the hole's border over the photo's own mean step beside it.

    Wherever a hole pixel q and a known pixel p are neighbours (4 of them), go on from p away
    from the hole: r₀ = p, r₁, r₂, … for up to REACH steps, as long as the pixels are known.
    With F the filled photo, means over all such pairs and the three channels,

        seam = (mean |F(q) − F(p)| + FLOOR) / (mean |F(rᵢ₊₁) − F(rᵢ)| + FLOOR)

    1 is a border that is no rougher than the photo beside it in the same direction; 2 is twice
    as rough; a fill that is smoother than its surroundings is below 1. The ratio is that of the
    measures of blocking across a JPEG's block borders (Wang, Sheikh and Bovik 2002), with the
    hole's border in their place.
    """

    card: ClassVar[MetricCard] = MetricCard(
        name="seam",
        summary="jump at the hole's border over the photo's own steps beside it; 1 = no seam",
        labels={"seam": "seam"},
        better={"seam": "one"},
        against="nothing",
        paper="after Wang, Sheikh and Bovik, No-Reference Perceptual Quality Assessment of JPEG "
        "Compressed Images, ICIP 2002",
    )

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """`{"seam": ratio}`; NaN where no border has two known pixels in a row beside it.

        truth: only its shape is looked at.
        """
        check(truth, filled, mask)
        return {"seam": seam(filled, mask)}


def seam(filled: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """The ratio that `Seam` states, or NaN.

    filled: (H, W, 3) float32 in [0, 1]; mask: (H, W) bool, True = hole.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return math.nan
    margin = REACH + 1  # a small hole in a large photo costs what it measures
    box = (
        slice(max(0, rows[0] - margin), rows[-1] + margin + 1),
        slice(max(0, columns[0] - margin), columns[-1] + margin + 1),
    )
    pixels, hole = filled[box], mask[box]
    jumps, steps = _Mean(), _Mean()
    for turn in range(4):  # each turn looks to the right
        for jump, step in _crossings(np.rot90(pixels, turn), np.rot90(hole, turn)):
            jumps.add(jump)
            steps.add(step)
    if not (jumps.count and steps.count):
        return math.nan
    return (jumps.value + FLOOR) / (steps.value + FLOOR)


def _crossings(
    pixels: NDArray[np.float32], hole: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Absolute differences (n, 3) across the hole's right-hand borders, and beside them."""
    width = hole.shape[1]
    y, x = np.nonzero(hole[:, :-1] & ~hole[:, 1:])
    x = x + 1  # the known pixel
    none = pixels[:0, 0]
    yield np.abs(pixels[y, x] - pixels[y, x - 1]), none
    for _ in range(REACH):
        on = x + 1 < width
        y, x = y[on], x[on] + 1
        known = ~hole[y, x]
        y, x = y[known], x[known]
        yield none, np.abs(pixels[y, x] - pixels[y, x - 1])


class _Mean:
    """The mean of all numbers that were added, in float64."""

    def __init__(self) -> None:
        self.total, self.count = 0.0, 0

    def add(self, numbers: NDArray[np.float32]) -> None:
        self.total += float(numbers.sum(dtype=np.float64))
        self.count += numbers.size

    @property
    def value(self) -> float:
        return self.total / self.count
