"""Irregular blobs: closed wavy outlines, like objects that someone has drawn round."""

import math

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadMask
from infill.masks.dice import Dice, Rng, wanted_area
from infill.masks.parse import Like, Mask, shape_of
from infill.masks.raster import draw_polygon

POINTS = 512  # of an outline
HARMONICS = range(2, 9)
MOST_BLOBS = 64
GRID = 65536  # outlines are rounded to this part of a pixel, so that every machine agrees
COARSE = 256  # side in pixels of the photo on which the scale is first looked for

Outline = tuple[tuple[float, float], NDArray[np.float64]]


def blobs(shape: Like, mask_ratio: float = 0.25, *, rng: Rng = 0, count: int | None = None) -> Mask:
    """Irregular blobs of random place, size and outline that cover `mask_ratio` of the photo.

    An outline is a stretched circle whose radius is disturbed by its harmonics 2 to 8 with
    random phases and amplitudes that fall as 1/k (a star-shaped Fourier outline, as in Zahn &
    Roskies, "Fourier descriptors for plane closed curves", 1972). All blobs are scaled together
    about their centres until their union has the area, mostly to within half a row of pixels.

    mask_ratio: in (0, 1].
    count:      how many blobs; None = 1 to 4 at random. They may overlap and cross the border.

    returns: (H, W) bool, True = hole. Raises `BadMask` for a ratio or count out of range.
    """
    height, width = shape_of(shape)
    area = wanted_area(mask_ratio, (height, width))
    if count is not None and not 1 <= count <= MOST_BLOBS:
        raise BadMask(f"the count of blobs is from 1 to {MOST_BLOBS}, not {count}")
    dice = Dice(rng)
    outlines = [_outline(dice) for _ in range(dice.whole(1, 4) if count is None else count)]
    # Centres are in parts of the photo and radii in its larger side, so that the scale found
    # on a small photo nearly holds for the large one, where each look costs far more.
    shrunk = max(max(height, width) / COARSE, 1.0)
    small = max(round(height / shrunk), 1), max(round(width / shrunk), 1)
    part = area / (height * width) * small[0] * small[1]
    low, high = _search(outlines, small, part, 0.0, 0.25, slack=0.5)
    if small != (height, width):
        low, high = low * 0.98, high * 1.02
    low, high = _search(outlines, (height, width), area, low, high, slack=width / 2)
    choices = [_drawn(outlines, (height, width), scale) for scale in (low, high)]
    return min(choices, key=lambda mask: abs(np.count_nonzero(mask) - area))


def _search(
    outlines: list[Outline],
    shape: tuple[int, int],
    area: float,
    low: float,
    high: float,
    slack: float,
) -> tuple[float, float]:
    """Scales below and above the wanted area, or twice one that meets it within the slack."""
    while np.count_nonzero(_drawn(outlines, shape, low)) > area:
        low /= 2
    while np.count_nonzero(_drawn(outlines, shape, high)) < area:
        low, high = high, high * 2
    for _ in range(40):
        middle = (low + high) / 2
        excess = np.count_nonzero(_drawn(outlines, shape, middle)) - area
        if abs(excess) <= slack:
            return middle, middle
        low, high = (middle, high) if excess < 0 else (low, middle)
    return low, high


def _outline(dice: Dice) -> Outline:
    """A centre in parts of the photo, and (POINTS, 2) offsets of about unit length."""
    centre = dice.between(0.1, 0.9), dice.between(0.1, 0.9)
    angles = np.arange(POINTS) * (2 * math.pi / POINTS)
    radius = np.ones(POINTS)
    for k in HARMONICS:
        amplitude = dice.between(0, 0.5) / k  # together below 0.86, so the radius stays positive
        radius += amplitude * np.cos(k * angles + dice.between(0, 2 * math.pi))
    radius *= dice.between(0.6, 1.4)
    stretch, turn = dice.between(1, 1.6), dice.between(0, math.pi)
    x, y = radius * np.cos(angles) * stretch, radius * np.sin(angles) / stretch
    cosine, sine = math.cos(turn), math.sin(turn)
    return centre, np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=1)


def _drawn(outlines: list[Outline], shape: tuple[int, int], scale: float) -> Mask:
    height, width = shape
    mask = np.zeros(shape, np.bool_)
    for (x, y), offsets in outlines:
        points = offsets * (scale * max(height, width)) + (x * width, y * height)
        draw_polygon(mask, np.round(points * GRID) / GRID)
    return mask
