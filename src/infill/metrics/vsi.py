"""VSI: how alike two photos look, weighted by what catches the eye.

L. Zhang, Y. Shen and H. Li, "VSI: A visual saliency-induced index for perceptual image quality
assessment", IEEE Transactions on Image Processing 23 (2014) 4270-4281; the saliency is that of
L. Zhang, Z. Gu and H. Li, "SDSP: a novel saliency detection method by combining simple priors",
ICIP 2013. Sizes are changed and borders treated as in the authors' published code: the photo
brought to 256 × 256 by bilinear interpolation (a wider triangle where it shrinks) and the map
back; means of F × F pixels, zeros outside.
"""

import math
from functools import cache
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.metrics.base import MetricCard, OverPhotos, check

Plane = NDArray[np.float64]
Values = NDArray[np.float32] | NDArray[np.float64]

C_SALIENCY, C_GRADIENT, C_COLOUR = 1.27, 386.0, 130.0
"""Keep the similarities of small values from being decided by noise (values in [0, 255])."""

ALPHA, BETA = 0.40, 0.02
"""Powers of the gradients' and of the colours' similarity."""

SIDE = 256
"""Saliency is found in a photo of this height and width."""

OMEGA, SIGMA_F = 0.021, 1.34
"""Middle and width of the log-Gabor filter, the prior for certain frequencies."""

SIGMA_D, SIGMA_C = 145.0, 0.001
"""Width of the prior for the middle of the photo (pixels of 256), and of that for warm colours."""

RGB_TO_LMN = np.array([[0.06, 0.63, 0.27], [0.30, 0.04, -0.35], [0.34, -0.60, 0.17]])

RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)

WHITE = np.array([0.9642, 1.0, 0.8251])
"""D50, as the authors take it."""


class Vsi(OverPhotos):
    """VSI of the whole photo, and with the weights in the hole alone; in [0, 1], 1 = alike."""

    card: ClassVar[MetricCard] = MetricCard(
        name="vsi",
        summary="similarity of gradients, colours and saliency, weighted by saliency",
        labels={"vsi": "VSI", "masked_vsi": "VSI in the hole"},
        better={"vsi": "higher", "masked_vsi": "higher"},
        digits={"vsi": 4, "masked_vsi": 4},
        paper="Zhang, Shen and Li 2014",
    )

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """`vsi` over the whole photo; `masked_vsi` with each place's weight times its share of
        the hole, NaN for an empty mask. Symmetric in truth and fill.
        """
        check(truth, filled, mask)
        similarity, weight = vsi_maps(truth, filled)
        factor = shrinking(mask.shape)
        share = _means(mask.astype(np.float64), factor)
        return {
            "vsi": _pool(similarity, weight, np.ones_like(weight)),
            "masked_vsi": _pool(similarity, weight, share) if mask.any() else math.nan,
        }


def vsi_maps(truth: NDArray[np.float32], filled: NDArray[np.float32]) -> tuple[Plane, Plane]:
    """Local similarity S (eq. 9) and weight VS_m (eq. 10), both at 1 / F of the size.

    truth, filled: (H, W, 3) float32 in [0, 1].
    """
    factor = shrinking(truth.shape[:2])
    saliencies, gradients, lmns = [], [], []
    for photo in (truth, filled):
        saliencies.append(_means(saliency(photo), factor))
        lmn = _means(photo, factor) @ (RGB_TO_LMN.T * 255)
        gradients.append(_gradient(np.ascontiguousarray(lmn[..., 0])))
        lmns.append(lmn)
    of_saliency = _similarity(saliencies[0], saliencies[1], C_SALIENCY)
    of_gradient = _similarity(gradients[0], gradients[1], C_GRADIENT)
    of_colour = np.prod(_similarity(lmns[0][..., 1:], lmns[1][..., 1:], C_COLOUR), axis=2)
    similarity = of_saliency * of_gradient**ALPHA * _real_power(of_colour, BETA)
    return similarity, np.maximum(*saliencies)


def saliency(pixels: NDArray[np.float32]) -> Plane:
    """SDSP: what catches the eye, (H, W) in [0, 1]; 0 everywhere in a photo of one colour."""
    height, width = pixels.shape[:2]
    lab = _lab(resize(resize(pixels, SIDE, 0), SIDE, 1))
    spectrum = np.fft.rfft2(lab, axes=(0, 1)) * _log_gabor()[..., None]
    filtered = np.fft.irfft2(spectrum, s=(SIDE, SIDE), axes=(0, 1))
    by_frequency = np.sqrt(np.square(filtered).sum(axis=2))
    warmth = np.square([_stretched(lab[..., channel]) for channel in (1, 2)]).sum(axis=0)
    by_colour = 1 - np.exp(-warmth / SIGMA_C**2)
    found = by_frequency * _centre() * by_colour
    return _stretched(resize(resize(found, height, 0), width, 1))


def resize(values: Values, size: int, axis: int) -> Plane:
    """Bilinear interpolation to `size` along an axis, the triangle widened where it shrinks.

    Pixel i of n spans [i, i + 1] / n; what would lie outside is mirrored. float64 whatever came.
    """
    if values.shape[axis] == size:
        return values.astype(np.float64, copy=False)
    places, weights = _taps(values.shape[axis], size)
    form = [1] * values.ndim
    form[axis] = size
    shape = list(values.shape)
    shape[axis] = size
    total = np.zeros(shape)
    for place, weight in zip(places, weights, strict=True):
        total += np.take(values, place, axis=axis) * weight.reshape(form)
    return total


@cache
def _taps(old: int, new: int) -> tuple[NDArray[np.intp], Plane]:
    """For every tap of the triangle, which pixels it takes and how much: each (taps, new)."""
    scale = min(1.0, new / old)
    middles = (np.arange(new) + 0.5) * (old / new) - 0.5
    first = np.floor(middles - 1 / scale).astype(np.intp)
    places = first + np.arange(math.ceil(2 / scale) + 2)[:, None]
    weights = np.maximum(0, 1 - np.abs(places - middles) * scale)
    weights /= weights.sum(axis=0)
    used = weights.any(axis=1)
    turned = places % (2 * old)
    mirrored = np.minimum(turned, 2 * old - 1 - turned)
    return mirrored[used], weights[used]


@cache
def _log_gabor() -> Plane:
    """(256, 129): exp(−ln²(r / ω₀) / 2σ_F²) at the frequencies of rfft2; 0 at 0."""
    down, across = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None]
    radius = np.hypot(down, across)
    # Beyond half a cycle the authors set the frequency to 0, where the logarithm has no value
    # and the filter none.
    usable = (radius > 0) & (radius <= 0.5)
    powers = np.log(np.where(usable, radius, 1) / OMEGA) ** 2
    found: Plane = np.where(usable, np.exp(-powers / (2 * SIGMA_F**2)), 0)
    return found


@cache
def _centre() -> Plane:
    """(256, 256): exp(−d² / σ_D²), d in pixels from the pixel just before the middle."""
    away = np.square(np.arange(1, SIDE + 1) - SIDE / 2)
    found: Plane = np.exp(-(away[:, None] + away[None]) / SIGMA_D**2)
    return found


def _lab(pixels: Plane) -> Plane:
    """CIE L*a*b* of sRGB in [0, 1], with the authors' white and constants."""
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    relative = linear @ RGB_TO_XYZ.T / WHITE
    curved = np.where(relative > 0.008856, np.cbrt(relative), (903.3 * relative + 16) / 116)
    x, y, z = np.moveaxis(curved, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _stretched(values: Plane) -> Plane:
    """Brought to [0, 1]; 0 where all are equal."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def shrinking(shape: tuple[int, ...]) -> int:
    """F: how many times smaller the photo is compared, so that its shorter side is about 256."""
    return max(1, math.floor(min(shape) / 256 + 0.5))


def _means(values: Values, factor: int) -> Plane:
    """Means of F × F pixels at every F-th row and column, zeros outside."""
    if factor == 1:
        return values.astype(np.float64, copy=False)
    anchor = ((factor - 1) // 2,) * 2
    smooth = cv2.boxFilter(
        values, -1, (factor, factor), anchor=anchor, borderType=cv2.BORDER_CONSTANT
    )
    return smooth[::factor, ::factor].astype(np.float64)


def _gradient(plane: Plane) -> Plane:
    """Length of the Scharr gradient (sides of 16), zeros outside the photo (eq. 5 to 7)."""
    across, down = (
        cv2.Scharr(plane, cv2.CV_64F, x, 1 - x, scale=1 / 16, borderType=cv2.BORDER_CONSTANT)
        for x in (1, 0)
    )
    found: Plane = np.hypot(across, down)
    return found


def _similarity(a: Plane, b: Plane, constant: float) -> Plane:
    """(2ab + C) / (a² + b² + C)."""
    found: Plane = (2 * a * b + constant) / (a * a + b * b + constant)
    return found


def _real_power(values: Plane, power: float) -> Plane:
    """The real part of values ** power, which for a negative value is |v|^p cos πp."""
    found: Plane = np.abs(values) ** power
    return np.where(values < 0, found * math.cos(math.pi * power), found)


def _pool(similarity: Plane, weight: Plane, share: Plane) -> float:
    """Mean by weight and share (eq. 10); by the share alone where nothing there has a weight."""
    weights = weight * share
    if not weights.any():
        weights = share
    return float((similarity * weights).sum() / weights.sum())
