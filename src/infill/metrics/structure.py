"""Structure continuity: whether lines that reach the hole's border go on beyond it.

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

RADIUS = 4
"""A side's structure near a place is looked at in a window of 2 RADIUS + 1 pixels a side."""

LEAST = 2 * RADIUS + 1
"""Gradients that each side must have in the window."""

APART = 2 * RADIUS
"""Pixels from the hole at which the photo's own continuity is measured."""

FAINTEST = 1 / 255
"""Mean weight of the lines across the border below which none reaches it; in units a pixel."""

REACH = APART + RADIUS + 6
"""Pixels around the hole that are looked at."""

TINY = 1e-20  # keeps 0 / 0 at 0

CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


class Structure(OverPhotos):
    """1 less what lines lose in continuity at the border, beside the photo's own; 1 = they go on.

    At each pixel b just within a border both sides have their structure tensor, the mean of
    ∇I ∇Iᵀ summed over the channels (Di Zenzo 1986), over those pixels of the window around b
    whose gradient (Scharr) takes pixels of that side alone. With λ₁ ≥ λ₂ its eigenvalues and θ
    the direction of λ₁, each side's lines are the vector

        u = √(λ₁ − λ₂) (cos 2θ, sin 2θ)

    (the angle doubled, since a line has no sign). Two sides go on into each other by

        s(b) = max(0, 2 u₁ · u₂ / (|u₁|² + |u₂|²))

    which is 1 for one direction and strength, 0.8 for half the strength and 0 at 45°. Lines
    along the border need no counterpart, and texture has no lines: with n the border's normal a
    side's weight is w = |u| sin²(θ − n) (λ₁ − λ₂) / (λ₁ + λ₂). A line that begins at the border
    is as wrong as one that ends there, so the greater weight of the two counts:

        S = Σ w(b) s(b) / Σ w(b),   w(b) = max(w₁(b), w₂(b))

    Not all lines of a photo go on, so S of the hole's border (hole against known pixels) is
    held beside S of a border in the photo itself, that of the hole grown by APART pixels (the
    known pixels within it against those beyond); 1 where no line crosses that one:

        structure = 1 − max(0, S(beside) − S(hole))
    """

    card: ClassVar[MetricCard] = MetricCard(
        name="structure",
        summary="lines that cross the hole's border, beside the photo's own; 1 = they go on",
        labels={"structure": "lines that go on"},
        better={"structure": "higher"},
        digits={"structure": 3},
        against="nothing",
        paper="Di Zenzo 1986 (structure tensor of a colour photo)",
    )

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """`{"structure": share}` in [0, 1]; NaN where nothing that is worth it meets the border.

        That is where no place of the border has gradients on both sides (a hole or a known
        part less than 3 pixels wide), or where the lines' mean weight is below FAINTEST.
        truth: only its shape is looked at.
        """
        check(truth, filled, mask)
        return {"structure": structure(filled, mask)}


def structure(filled: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """The figure that `Structure` states, or NaN.

    filled: (H, W, 3) float32 in [0, 1]; mask: (H, W) bool, True = hole.
    """
    if not mask.any():
        return math.nan
    around = bounds(mask).grown(REACH, mask.shape)
    pixels, hole = filled[around.slices], np.ascontiguousarray(mask[around.slices])
    products = _products(pixels)
    across = continuity(products, hole, ~hole)
    beyond = depth(~hole)
    beside = continuity(products, ~hole & (beyond <= APART), beyond > APART)
    if math.isnan(across):
        return math.nan
    return 1 - max(0.0, (1.0 if math.isnan(beside) else beside) - across)


def continuity(
    products: NDArray[np.float32], inner: NDArray[np.bool_], outer: NDArray[np.bool_]
) -> float:
    """S of the border between two sides, in [0, 1]; NaN where no lines cross it.

    products: those of `_products`, (H, W, 4); inner, outer: (H, W) bool, nowhere both True.
    """
    at = np.nonzero(inner & cv2.dilate(outer.view(np.uint8), CROSS).astype(np.bool_))
    normal = _normals(outer, at)
    sides = [_lines(products, _whole(side), at) for side in (inner, outer)]
    both = np.logical_and(*(count >= LEAST for _, _, count in sides))
    if not both.any():
        return math.nan
    one, other = (lines[both] for lines, _, _ in sides)
    weight = np.maximum(*(_crossing(u, normal) * clear for u, clear, _ in sides))[both]
    total = float(weight.sum())
    if total < FAINTEST * len(weight):
        return math.nan
    power = np.square(one).sum(axis=1) + np.square(other).sum(axis=1)
    agreement = 2 * (one * other).sum(axis=1) / np.maximum(power, TINY)
    return min(1.0, float((weight * np.maximum(agreement, 0)).sum()) / total)


def _products(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W, 4): Σ Ix² − Σ Iy², 2 Σ Ix Iy and Σ Ix² + Σ Iy² over the channels, and 1."""
    across = cv2.Scharr(pixels, cv2.CV_32F, 1, 0, scale=1 / 32)
    down = cv2.Scharr(pixels, cv2.CV_32F, 0, 1, scale=1 / 32)
    xx, yy = (np.square(found).sum(axis=2) for found in (across, down))
    return np.dstack([xx - yy, 2 * (across * down).sum(axis=2), xx + yy, np.ones_like(xx)])


def _lines(
    products: NDArray[np.float32], side: NDArray[np.bool_], at: tuple[NDArray[np.intp], ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """At n places: u of a side (n, 2), its clearness (n,), of how many gradients (n,).

    λ₁ − λ₂ is the length of (J₁₁ − J₂₂, 2 J₁₂), 2θ is its direction, and λ₁ + λ₂ the trace; the
    clearness is their ratio.
    """
    only = np.where(side[..., None], products, np.float32(0))
    size = (2 * RADIUS + 1, 2 * RADIUS + 1)
    totals = cv2.boxFilter(only, cv2.CV_64F, size, normalize=False, borderType=cv2.BORDER_CONSTANT)[
        at
    ].astype(np.float64, copy=False)
    counts = totals[:, 3]
    doubled, trace = np.split(totals[:, :3] / np.maximum(counts, 1)[:, None], [2], axis=1)
    length = np.linalg.norm(doubled, axis=1, keepdims=True)
    clear = (length / np.maximum(trace, TINY))[:, 0]
    return doubled / np.sqrt(np.maximum(length, TINY)), clear, counts


def _normals(side: NDArray[np.bool_], at: tuple[NDArray[np.intp], ...]) -> NDArray[np.float64]:
    """(cos 2n, sin 2n) of the normal of a side's border at some places; 0 where it has none."""
    soft = cv2.GaussianBlur(side.astype(np.float32), (0, 0), RADIUS / 2)
    across = cv2.Scharr(soft, cv2.CV_64F, 1, 0)[at]
    down = cv2.Scharr(soft, cv2.CV_64F, 0, 1)[at]
    power = np.maximum(across**2 + down**2, TINY)
    return np.stack([across**2 - down**2, 2 * across * down], axis=1) / power[:, None]


def _crossing(lines: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """|u| sin²(θ − n), from the doubled angles: sin² x = (1 − cos 2x) / 2.

    θ is the direction of the gradient, so that it lies along the border where the line crosses.
    """
    strength = np.linalg.norm(lines, axis=1)
    weight: NDArray[np.float64] = (strength - (lines * normal).sum(axis=1)) / 2
    return np.maximum(weight, 0)


def _whole(side: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the 3 × 3 pixels that a gradient takes lie wholly on one side, within the photo."""
    found = cv2.erode(
        side.view(np.uint8),
        np.ones((3, 3), np.uint8),
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return found.astype(np.bool_)
