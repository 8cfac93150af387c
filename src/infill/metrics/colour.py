"""Colour mismatch: how far the colour steps at the hole's border, beside how it changes there.

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

RING = 4
"""Width of each of the three rings, in pixels."""

RADIUS = 8
"""The colour of a ring near a place is its mean in a window of 2 RADIUS + 1 pixels a side."""

LEAST = 2 * RADIUS + 1
"""Pixels that each ring must have in the window: one full row of it."""

RGB_TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
"""Linear sRGB to CIE XYZ under D65 (ITU-R BT.709)."""

WHITE = np.array([0.95047, 1.0, 1.08883])
"""D65, 2° observer."""


class Colour(OverPhotos):
    """Mean colour step across the border (ΔE) less the photo's own over the same distance.

    Three rings of RING pixels run along the border: I, the hole pixels nearest to a known one;
    O, the known pixels nearest to the hole; P, the known pixels next behind O. At each hole
    pixel b of the border m_I(b), m_O(b) and m_P(b) are the mean CIE Lab colours of the rings'
    pixels in the window around b. The middles of neighbouring rings are RING pixels apart, so
    what the photo changes of itself from O to P it may also change from O to I:

        colour = max(0, mean |m_I(b) − m_O(b)| − mean |m_O(b) − m_P(b)|)

    over all b at which each ring has LEAST pixels in the window. |·| is CIE 1976 ΔE, of which
    about 2.3 can just be seen. Colours are compared place by place, so that a fill that is too
    dark on one side and too light on the other is not right on the average.
    """

    card: ClassVar[MetricCard] = MetricCard(
        name="colour",
        summary="colour step at the hole's border (ΔE) beyond the photo's own beside it",
        labels={"colour": "colour step"},
        better={"colour": "lower"},
        against="nothing",
        scored=False,
        paper="CIE 15:2004 (colour difference of 1976)",
    )

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """`{"colour": ΔE}`; NaN where no place of the border has all three rings.

        truth: only its shape is looked at.
        """
        check(truth, filled, mask)
        return {"colour": colour_step(filled, mask)}


def colour_step(filled: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """The ΔE that `Colour` states, or NaN.

    filled: (H, W, 3) float32 in [0, 1]; mask: (H, W) bool, True = hole.
    """
    if not mask.any():
        return math.nan
    around = bounds(mask).grown(2 * RING + RADIUS, mask.shape)
    pixels, hole = filled[around.slices], np.ascontiguousarray(mask[around.slices])
    inward, distance = depth(hole), depth(~hole)
    rings = [
        hole & (inward <= RING),
        ~hole & (distance <= RING),
        ~hole & (distance > RING) & (distance <= 2 * RING),
    ]
    border = np.nonzero(hole & (inward <= 1))
    lab = np.zeros(pixels.shape, np.float32)
    near = rings[0] | rings[1] | rings[2]
    lab[near] = to_lab(pixels[near])
    found = [_means(lab, ring, border) for ring in rings]
    full = np.logical_and.reduce([count >= LEAST for _, count in found])
    if not full.any():
        return math.nan
    inner, outer, behind = (mean[full] for mean, _ in found)
    across = np.linalg.norm(inner - outer, axis=1).mean()
    beside = np.linalg.norm(outer - behind, axis=1).mean()
    return max(0.0, float(across - beside))


def to_lab(pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    """CIE L*a*b* under D65 of sRGB colours in [0, 1], (..., 3) to (..., 3) float64."""
    values = pixels.astype(np.float64)
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    relative = linear @ RGB_TO_XYZ.T / WHITE
    limit = 6 / 29
    curved = np.where(relative > limit**3, np.cbrt(relative), relative / (3 * limit**2) + 4 / 29)
    x, y, z = np.moveaxis(curved, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _means(
    lab: NDArray[np.float32], ring: NDArray[np.bool_], at: tuple[NDArray[np.intp], ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean colour (n, 3) of a ring's pixels in the windows around n places, and their numbers."""
    only = np.where(ring[..., None], lab, np.float32(0))
    size = (2 * RADIUS + 1, 2 * RADIUS + 1)
    kept: dict[str, int | bool] = {"normalize": False, "borderType": cv2.BORDER_CONSTANT}
    totals = cv2.boxFilter(only, cv2.CV_64F, size, **kept)[at]  # type: ignore[call-overload]
    counts = cv2.boxFilter(ring.astype(np.float32), cv2.CV_64F, size, **kept)[at]  # type: ignore[call-overload]
    return totals / np.maximum(counts, 1)[:, None], counts
