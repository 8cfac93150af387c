"""NIQE: how far a photo's local statistics are from those of sharp, undistorted photos.

A. Mittal, R. Soundararajan and A. C. Bovik, "Making a 'completely blind' image quality
analyzer", IEEE Signal Processing Letters 20 (2013) 209-212. No truth is needed. What is
undistorted is a model, the mean and covariance of the statistics of a set of photos; ours
(`niqe_model.npz` beside this file) is fitted by `python -m benchmarks.niqe_model` to 1,230 blocks
of 150 photos that are free to use or share (the file names them and their terms), each brought
to a shorter side of 256 pixels. So its scores can't be compared with those by another model.
"""

import io
import math
from functools import cache
from importlib import resources
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.metrics.base import MetricCard, OverPhotos, check

Plane = NDArray[np.float64]
Corners = NDArray[np.intp]

BLOCK = 96
"""Side of a block, in pixels; half of that at half the size."""

FEATURES = 36
"""Statistics of a block: 18 at each of two scales."""

LEAST = 2
"""Blocks of which there is a covariance."""

MOST = 400
"""Of more blocks that touch the hole, so many are taken at even steps: it bounds the time."""

SHIFTS = ((0, 1), (1, 0), (1, 1), (-1, 1))
"""Neighbours whose products are looked at: across, down and both diagonals."""

SHRINKING = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256
"""Keys' cubic (a = −½) widened to twice its width and taken at ±½, ±1½, ±2½, ±3½ pixels."""

ROUNDING = 1e-9
"""A difference of values in [0, 255] that is smaller than this is none."""

_BLOCKS_AT_ONCE = 32  # bounds the memory
_ROWS_AT_ONCE = 256


class Niqe(OverPhotos):
    """NIQE of the whole photo, and the mean distance at the hole; 0 = as the model.

    The photo's grey values (rounded to 8 bits, 0 to 255) less their local Gaussian mean, over
    their local deviation plus 1, at full and half size. Of each block of 96 × 96 pixels (48 × 48
    at half size) the parameters of generalised Gaussians fitted to these values and to the
    products of neighbours (Lasmar, Stitou and Berthoumieu 2009) make 36 numbers; with ν₁, Σ₁ the
    model's mean and covariance and ν₂, Σ₂ those of the blocks (eq. 10):

        niqe = √((ν₁ − ν₂)ᵀ ((Σ₁ + Σ₂) / 2)⁺ (ν₁ − ν₂))

    For the whole photo blocks lie side by side from the top left corner, as in the paper.

    A hole has few blocks, and those that are part photo and part fill differ so much that the
    large Σ₂ makes any distance small. So for the hole each block f that touches it has its own
    distance, and the mean of these counts each by its share of hole pixels; the blocks here
    overlap by half:

        masked_niqe = Σ share(f) √((f − ν₁)ᵀ Σ₁⁺ (f − ν₁)) / Σ share(f)

    Both have the model's units; a single block is further off than a mean of many, so that the
    two are not to be compared with each other.
    """

    card: ClassVar[MetricCard] = MetricCard(
        name="niqe",
        summary="distance of local statistics from those of sharp photos, whole and at the hole",
        labels={"niqe": "NIQE", "masked_niqe": "NIQE at the hole"},
        better={"niqe": "lower", "masked_niqe": "lower"},
        criterion="realism",
        against="nothing",
        scored=False,
        paper="Mittal, Soundararajan and Bovik 2013",
    )

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """`niqe`, NaN without two usable blocks, and `masked_niqe`, NaN without one at the hole.

        A block of one value has no statistics and is left out.
        truth: only its shape is looked at.
        """
        check(truth, filled, mask)
        grid = corners(mask.shape, BLOCK)
        at_hole, shares = touching(mask)
        every = np.unique(np.concatenate([grid, at_hole]), axis=0)
        if not len(every):
            return {"niqe": math.nan, "masked_niqe": math.nan}
        found = dict(zip(map(tuple, every.tolist()), features(filled, every), strict=True))
        whole, inside = (
            np.array([found[place] for place in map(tuple, places.tolist())]).reshape(-1, FEATURES)
            for places in (grid, at_hole)
        )
        return {"niqe": distance(whole), "masked_niqe": mean_distance(inside, shares)}


def distance(blocks: Plane) -> float:
    """Eq. 10 for the statistics of some blocks, (n, 36); NaN where fewer than two are usable."""
    usable = blocks[np.isfinite(blocks).all(axis=1)]
    if len(usable) < LEAST:
        return math.nan
    mean, covariance = model()
    apart = mean - usable.mean(axis=0)
    both = (covariance + np.cov(usable, rowvar=False)) / 2
    return math.sqrt(max(0.0, float(apart @ np.linalg.pinv(both) @ apart)))


def mean_distance(blocks: Plane, shares: Plane) -> float:
    """Mean of the distances of blocks (n, 36) from the model, each by its share (n,); or NaN."""
    usable = np.isfinite(blocks).all(axis=1)
    if not usable.any():
        return math.nan
    mean, _ = model()
    apart = blocks[usable] - mean
    squares = np.einsum("ni,ij,nj->n", apart, _inverse(), apart)
    return float(np.average(np.sqrt(np.maximum(squares, 0)), weights=shares[usable]))


@cache
def _inverse() -> Plane:
    return np.linalg.pinv(model()[1]).astype(np.float64, copy=False)


@cache
def model() -> tuple[Plane, Plane]:
    """Mean (36,) and covariance (36, 36) of what is undistorted, read once."""
    held = resources.files("infill.metrics").joinpath("niqe_model.npz").read_bytes()
    with np.load(io.BytesIO(held), allow_pickle=False) as stored:
        return stored["mean"], stored["covariance"]


def corners(shape: tuple[int, ...], step: int) -> Corners:
    """Rows and columns of the top left pixels of blocks at even steps, (n, 2)."""
    rows, columns = (np.arange(0, side - BLOCK + 1, step) for side in shape)
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
    return grid.reshape(-1, 2).astype(np.intp)


def touching(mask: NDArray[np.bool_]) -> tuple[Corners, Plane]:
    """Blocks that overlap by half and hold a hole pixel: corners (n, 2), share of hole (n,)."""
    sums = cv2.integral(mask.view(np.uint8), sdepth=cv2.CV_64F)
    places = corners(mask.shape, BLOCK // 2)
    top, left = places[:, 0], places[:, 1]
    bottom, right = top + BLOCK, left + BLOCK
    held = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    chosen = np.flatnonzero(held > 0)
    chosen = chosen[:: max(1, -(-len(chosen) // MOST))]
    return places[chosen], held[chosen] / BLOCK**2


def features(pixels: NDArray[np.float32], places: Corners) -> Plane:
    """The 36 statistics of the blocks at some corners (even numbers), (n, 36) float64.

    pixels: (H, W, 3) float32 in [0, 1]. A row has a NaN where its block is flat.
    """
    grey = luma(pixels)
    parts = []
    for scale in (1, 2):
        normal = normalised(grey)
        side = BLOCK // scale
        windows = np.lib.stride_tricks.sliding_window_view(normal, (side, side))
        rows, columns = (places // scale).T
        found = [
            _statistics(windows[rows[start:end], columns[start:end]])
            for start, end in _batches(len(places))
        ]
        parts.append(np.concatenate(found))
        if scale == 1:
            grey = halved(grey)
    return np.concatenate(parts, axis=1)


def luma(pixels: NDArray[np.float32]) -> Plane:
    """Grey values of ITU-R BT.601 on whole numbers of [0, 255], (H, W) float64."""
    weights = np.array([0.2989, 0.587, 0.114])
    grey = np.empty(pixels.shape[:2])
    for top in range(0, len(grey), _ROWS_AT_ONCE):
        part = slice(top, top + _ROWS_AT_ONCE)
        grey[part] = np.rint(pixels[part].astype(np.float64) * 255 @ weights)
    return grey


def normalised(grey: Plane) -> Plane:
    """(I − μ) / (σ + 1), μ and σ in a Gaussian window of 7×7, deviation 7/6 (eq. 1 to 3).

    In a flat place I − μ is 0; what rounding leaves there has a sign, which would be counted.
    """
    mean, deviation = local_moments(grey)
    apart = grey - mean
    apart[np.abs(apart) < ROUNDING] = 0
    found: Plane = apart / (deviation + 1)
    return found


def local_moments(grey: Plane) -> tuple[Plane, Plane]:
    """Local mean and deviation, both (H, W); the photo's edge pixels go on beyond it."""
    line = np.exp(-(np.arange(-3, 4) ** 2) / (2 * (7 / 6) ** 2))
    line /= line.sum()
    mean, squares = (
        cv2.sepFilter2D(values, cv2.CV_64F, line, line, borderType=cv2.BORDER_REPLICATE)
        for values in (grey, grey * grey)
    )
    deviation: Plane = np.sqrt(np.abs(squares - mean * mean))
    return mean.astype(np.float64, copy=False), deviation


def halved(grey: Plane) -> Plane:
    """Half the size by the widened cubic; an odd last row or column is left out."""
    height, width = (side // 2 * 2 for side in grey.shape)
    even = np.ascontiguousarray(grey[:height, :width])
    smooth = cv2.sepFilter2D(
        even, cv2.CV_64F, SHRINKING, SHRINKING, anchor=(3, 3), borderType=cv2.BORDER_REFLECT
    )
    found: Plane = np.ascontiguousarray(smooth[::2, ::2], np.float64)
    return found


def _batches(count: int) -> list[tuple[int, int]]:
    return [(start, start + _BLOCKS_AT_ONCE) for start in range(0, count, _BLOCKS_AT_ONCE)]


def _statistics(blocks: Plane) -> Plane:
    """The 18 numbers of each block at one scale, (n, 18): eq. 4 to 8, in the paper's order."""
    shape, left, right = _fit(blocks)
    columns = [shape, (left + right) / 2]
    for shift in SHIFTS:
        shape, left, right = _fit(blocks * np.roll(blocks, shift, axis=(1, 2)))
        known = np.where(np.isfinite(shape), shape, 1)
        ratio = _at(known, 2) - _at(known, 1)
        columns += [shape, (right - left) * np.exp(ratio), left, right]
    return np.stack(columns, axis=1)


def _fit(values: Plane) -> tuple[Plane, Plane, Plane]:
    """Shape and left and right scale of asymmetric generalised Gaussians, (n,) each.

    By their moments (Lasmar et al. 2009). NaN where all of a block is on one side of 0.
    """
    lower = np.minimum(values, 0)
    below, above = (np.count_nonzero(found, axis=(1, 2)) for found in (values < 0, values > 0))
    left_squares = np.einsum("nij,nij->n", lower, lower)
    squares = np.einsum("nij,nij->n", values, values)
    size = values.shape[1] * values.shape[2]
    absolute = values.sum(axis=(1, 2)) - 2 * lower.sum(axis=(1, 2))
    usable = (below > 0) & (above > 0)
    left = np.sqrt(left_squares / np.maximum(below, 1))
    right = np.sqrt(np.maximum(squares - left_squares, 0) / np.maximum(above, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        skew = left / right
        kurtosis = (absolute / size) ** 2 / (squares / size)
        target = kurtosis * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shapes, ratios = _ratios()
    place = np.clip(np.searchsorted(ratios, target), 1, len(ratios) - 1)
    place -= target - ratios[place - 1] < ratios[place] - target
    shape = np.where(usable & np.isfinite(target), shapes[place], math.nan)
    known = np.where(np.isfinite(shape), shape, 1)
    scale = np.exp((_at(known, 1) - _at(known, 3)) / 2)
    return shape, left * scale, right * scale


@cache
def _ratios() -> tuple[Plane, Plane]:
    """Shapes from 0.2 to 10 in steps of 0.001 and Γ(2/α)² / (Γ(1/α) Γ(3/α)), which grows."""
    shapes = np.arange(200, 10001) / 1000
    gammas = _log_gammas()
    return shapes, np.exp(2 * gammas[2] - gammas[1] - gammas[3])


@cache
def _log_gammas() -> dict[int, Plane]:
    """ln Γ(k / α) for k = 1, 2, 3 at every shape of `_ratios`."""
    return {
        k: np.array([math.lgamma(k * 1000 / step) for step in range(200, 10001)]) for k in (1, 2, 3)
    }


def _at(shapes: Plane, k: int) -> Plane:
    """ln Γ(k / α) for shapes that are on the grid."""
    return _log_gammas()[k][np.rint(shapes * 1000).astype(np.intp) - 200]
