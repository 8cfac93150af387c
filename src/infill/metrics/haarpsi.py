"""HaarPSI: how alike two photos look, from local Haar wavelet coefficients.

R. Reisenhofer, S. Bosse, G. Kutyniok and T. Wiegand, "A Haar wavelet-based perceptual
similarity index for image quality assessment", Signal Processing: Image Communication 61
(2018) 33-43. The colour version, with the constants and the conventions at the border
(zeros outside) of the authors' published code.
"""

import math
from collections.abc import Sequence
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.metrics.base import MetricCard, OverPhotos, check

Plane = NDArray[np.float32]

C = 30.0
"""Keeps the similarity of two coefficients near 0 from being decided by noise."""

ALPHA = 4.2
"""Steepness of the logistic function that the local similarities go through."""

HALF = np.float32(0.5)

RGB_TO_YIQ: Plane = np.array(
    [[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]], np.float32
)


class HaarPsi(OverPhotos):
    """HaarPSI of the whole photo and of the hole, in [0, 1]; 1 = alike."""

    card: ClassVar[MetricCard] = MetricCard(
        name="haarpsi",
        summary="perceptual similarity of local Haar wavelet coefficients, whole photo and hole",
        labels={"haarpsi": "HaarPSI", "masked_haarpsi": "HaarPSI in the hole"},
        better={"haarpsi": "higher", "masked_haarpsi": "higher"},
        digits={"haarpsi": 3, "masked_haarpsi": 3},
        paper="Reisenhofer, Bosse, Kutyniok and Wiegand 2018",
    )

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """`haarpsi` of the whole photo; `masked_haarpsi`, in which each place counts by the share
        of hole in it (NaN for an empty mask); see `Metric.measure` for the arguments."""
        check(truth, filled, mask)
        if np.array_equal(truth, filled):
            return {"haarpsi": 1.0, "masked_haarpsi": 1.0 if mask.any() else math.nan}
        maps, weights = _maps(truth, filled)
        inside = math.nan
        if mask.any():
            share = _half_size_share(mask)
            inside = _pool(maps, [weight * share for weight in weights], share)
        return {"haarpsi": _pool(maps, weights), "masked_haarpsi": inside}


def haarpsi(reference: NDArray[np.float32], distorted: NDArray[np.float32]) -> float:
    """HaarPSI of two photos, (H, W, 3) float32 RGB in [0, 1]; returns a score in [0, 1].

    Symmetric in its arguments; exactly equal photos score exactly 1.
    """
    if np.array_equal(reference, distorted):
        return 1.0
    return _pool(*_maps(reference, distorted))


def _maps(reference: Plane, distorted: Plane) -> tuple[list[Plane], list[Plane]]:
    """Local similarities and their weights, each of half the photo's size: across, down, colour."""
    first, second = _half_size_yiq(reference), _half_size_yiq(distorted)
    maps: list[Plane] = []
    weights: list[Plane] = []
    for axis in (0, 1):
        fine, coarse = (
            _similarity(_haar(first[0], scale, axis), _haar(second[0], scale, axis))
            for scale in (1, 2)
        )
        maps.append((fine + coarse) * HALF)
        weights.append(np.maximum(_haar(first[0], 3, axis), _haar(second[0], 3, axis)))
    in_i, in_q = (_similarity(_local_mean(first[c]), _local_mean(second[c])) for c in (1, 2))
    maps.append((in_i + in_q) * HALF)
    weights.append((weights[0] + weights[1]) * HALF)
    return maps, weights


def _half_size_share(mask: NDArray[np.bool_]) -> Plane:
    """How much of each 2×2 block is hole, in [0, 1]; blocks as in `_half_size_yiq`."""
    height, width = mask.shape
    even = np.pad(mask, ((0, height % 2), (0, width % 2))).astype(np.float32)
    quarter = even[0::2, 0::2] + even[0::2, 1::2] + even[1::2, 0::2] + even[1::2, 1::2]
    share: Plane = quarter / np.float32(4)
    return share


def _half_size_yiq(pixels: Plane) -> list[Plane]:
    """Y, I and Q in [0, 255] units, each the 2×2 means at every other row and column.

    Stands for the distance between picture and viewer (the paper's preprocessing). An odd last
    row or column is averaged with zeros, as in the authors' code.
    """
    height, width = pixels.shape[:2]
    even = cv2.copyMakeBorder(
        pixels, 0, height % 2, 0, width % 2, cv2.BORDER_CONSTANT, value=(0, 0, 0)
    )
    quarter = even[0::2, 0::2] + even[0::2, 1::2] + even[1::2, 0::2] + even[1::2, 1::2]
    yiq = cv2.transform(quarter, np.multiply(RGB_TO_YIQ, 255 / 4, dtype=np.float32))
    return [np.ascontiguousarray(yiq[..., channel]) for channel in range(3)]


def _haar(plane: Plane, scale: int, axis: int) -> Plane:
    """Magnitudes of the undecimated Haar coefficients of one scale (1, 2, 3) and direction.

    The filter is 2^scale pixels wide, its halves along `axis` have opposite signs, and its
    elements are ±2^-scale; zeros outside the picture.
    """
    size = 2**scale
    flat = np.ones(size, np.float32)
    step = np.repeat(np.array([-1, 1], np.float32), size // 2) / np.float32(size)
    horizontal, vertical = (flat, step) if axis == 0 else (step, flat)
    anchor = (size // 2 - 1, size // 2 - 1)
    found = cv2.sepFilter2D(
        plane, cv2.CV_32F, horizontal, vertical, anchor=anchor, borderType=cv2.BORDER_CONSTANT
    )
    return np.abs(found, out=found)


def _local_mean(plane: Plane) -> Plane:
    """Magnitude of the 2×2 mean at each pixel, zeros outside the picture."""
    mean = cv2.boxFilter(plane, -1, (2, 2), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    return np.abs(mean, out=mean)


def _similarity(a: Plane, b: Plane) -> Plane:
    """(2ab + C) / (a² + b² + C): 1 where two magnitudes are equal."""
    constant = np.float32(C)
    similarity: Plane = np.divide(a * b / HALF + constant, a * a + b * b + constant)
    return similarity


def _pool(maps: Sequence[Plane], weights: Sequence[Plane], share: Plane | None = None) -> float:
    """The weighted mean of the logistic of the similarities, taken back and squared.

    share: how much each place counts where no weight is above 0; None = all alike.

    Computed from what the logistic lacks of 1, 1 / (1 + exp(alpha s)), since that is what has
    few digits where two photos are alike.
    """
    total = lacking = 0.0
    for similarity, weight in zip(maps, weights, strict=True):
        lack = 1 / (1 + np.exp(np.float32(ALPHA) * similarity))
        lacking += float(np.sum(lack * weight, dtype=np.float64))
        total += float(np.sum(weight, dtype=np.float64))
    if total == 0:  # neither picture has any structure: no place counts more than another
        flat = np.ones_like(weights[0]) if share is None else share
        return _pool(maps, [flat] * len(maps))
    mean = lacking / total
    return min(1.0, (math.log((1 - mean) / mean) / ALPHA) ** 2)
