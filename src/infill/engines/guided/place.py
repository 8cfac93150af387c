"""Where the object goes: its scale and place in the hole, and bringing the picture there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infill.geometry import Box, bounds

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

SPILL = 4.0
"""A pixel of the object outside of the hole is lost, and costs as much as this many inside win."""

COARSE = 128  # longest side of the hole, in pixels, at which places are tried
LARGEST, SMALLEST = 1.6, 0.5  # scales that are tried, of the one at which the boxes fit
SCALES, FINER = 25, 9  # how many, and how many between the neighbours of the best
HALF = 0.5
TIE = 0.995  # of the best overlap: what reaches it is as good, and the most central is taken


@dataclass(frozen=True)
class Place:
    """Target pixel (x, y) goes to (scale · x + left, scale · y + top) of the frame.

    Coordinates run from the top left corner of the picture; pixel centres lie at halves.
    """

    scale: float
    left: float
    top: float


def box_fit(thing: Box, hole: Box) -> Place:
    """The object's box as large as it fits into the hole's, keeping its shape, in the middle."""
    return given(thing, hole, 1.0, 0.0, 0.0)


def given(thing: Box, hole: Box, scale: float, shift_x: float, shift_y: float) -> Place:
    """`box_fit` made `scale` times as large about its middle, then shifted.

    shift_x, shift_y: in widths and heights of the hole's box, to the right and down.
    """
    size = scale * min(hole.width / thing.width, hole.height / thing.height)
    middle_x = hole.left + hole.width * (0.5 + shift_x)
    middle_y = hole.top + hole.height * (0.5 + shift_y)
    return Place(
        size,
        middle_x - size * (thing.left + thing.right) / 2,
        middle_y - size * (thing.top + thing.bottom) / 2,
    )


def best_fit(thing: Mask, hole: Mask) -> Place:
    """The place at which object and hole overlap most: max |A ∩ H| − SPILL · |A \\ H|.

    A is the object (h, w) bool scaled and shifted, H the hole (H, W) bool. All places are tried
    at once for each scale (a correlation by Fourier transform), at most COARSE pixels wide;
    first scales from half to 1.6 times the one at which the boxes fit, then finer ones about the
    best. Where several places are as good, the one nearest to the hole's centre of mass wins.
    """
    part, room = bounds(thing), bounds(hole)
    scaling = min(1.0, COARSE / max(room.width, room.height))
    border = max(2, round(0.3 * scaling * max(room.width, room.height)))
    value = _value(hole, room, scaling, border)
    fit = box_fit(part, room).scale * scaling
    shape = thing[part.slices].astype(np.float32)
    if 2 * fit < 1:  # larger than any scale that is tried: reduced once, not for each anew
        shape = resized(shape, _size(part, 2 * fit))
    step = (LARGEST / SMALLEST) ** (1 / (SCALES - 1))
    tries = _tried(part, shape, value, fit * np.geomspace(LARGEST, SMALLEST, SCALES))
    best = max(tries, key=lambda one: one.overlap)
    finer = _tried(part, shape, value, best.scale * np.geomspace(step, 1 / step, FINER))
    best = max(best, *finer, key=lambda one: one.overlap)
    size = best.scale / scaling
    return Place(
        size,
        room.left + (best.column - border) / scaling - size * part.left,
        room.top + (best.row - border) / scaling - size * part.top,
    )


def _value(hole: Mask, room: Box, scaling: float, border: int) -> Floats:
    """What covering each pixel of the reduced hole's surroundings wins, from 1 to −SPILL."""
    height, width = (max(1, round(scaling * side)) for side in (room.height, room.width))
    inside = np.pad(resized(hole[room.slices].astype(np.float32), (height, width)), border)
    return inside * np.float32(1 + SPILL) - np.float32(SPILL)


@dataclass(frozen=True)
class _Try:
    """The best place at one scale: what is won, and where the object's box begins."""

    overlap: float
    scale: float
    row: int
    column: int


def _tried(part: Box, shape: Floats, value: Floats, scales: NDArray[np.float64]) -> list[_Try]:
    """The best place of `shape` (the object, of box `part`) at each scale, if it has room."""
    held = [axis.mean() for axis in np.nonzero(value > 0)]
    found = []
    for scale in scales:
        size = _size(part, float(scale))
        if size[0] > value.shape[0] or size[1] > value.shape[1]:
            continue
        small = resized(shape, size)
        places = (value.shape[0] - size[0] + 1, value.shape[1] - size[1] + 1)
        full = (value.shape[0] + size[0] - 1, value.shape[1] + size[1] - 1)
        product = np.fft.rfft2(value, full) * np.conj(np.fft.rfft2(small, full))
        overlap = np.fft.irfft2(product, full)[: places[0], : places[1]]
        best = float(overlap.max())
        rows, columns = np.nonzero(overlap >= best - (1 - TIE) * abs(best))
        mass = [axis.mean() for axis in np.nonzero(small >= HALF * small.max())]
        nearest = int(np.hypot(rows + mass[0] - held[0], columns + mass[1] - held[1]).argmin())
        found.append(_Try(best, float(scale), int(rows[nearest]), int(columns[nearest])))
    return found


def _size(part: Box, scale: float) -> tuple[int, int]:
    return max(1, round(scale * part.height)), max(1, round(scale * part.width))


def resized(array: Floats, shape: tuple[int, int]) -> Floats:
    """(h, w) or (h, w, 3) float32 at another size: areas averaged if smaller, linear if larger."""
    import cv2

    shrinks = shape[0] <= array.shape[0] and shape[1] <= array.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(array, (shape[1], shape[0]), interpolation=how), np.float32)


def brought(array: Floats, place: Place, shape: tuple[int, int], *, edge: bool) -> Floats:
    """The target's pixels or mask in the frame: (H, W) or (H, W, 3) float32 of `shape`.

    edge: repeat the border's colour beyond the picture (else 0 there). Reduced by averaging
    areas first where it shrinks, so that nothing aliases, and then shifted linearly.
    """
    import cv2

    height, width = array.shape[:2]
    size = (max(1, round(place.scale * height)), max(1, round(place.scale * width)))
    reduced = place.scale < 1
    source = resized(array, size) if reduced else array
    rows = _axis(place.top, place.scale * height, source.shape[0])
    columns = _axis(place.left, place.scale * width, source.shape[1])
    matrix = np.array([[columns[0], 0, columns[1]], [0, rows[0], rows[1]]])
    mode = cv2.BORDER_REPLICATE if edge else cv2.BORDER_CONSTANT
    moved = cv2.warpAffine(
        source, matrix, (shape[1], shape[0]), flags=cv2.INTER_LINEAR, borderMode=mode
    )
    return np.asarray(moved, np.float32)


def _axis(start: float, extent: float, count: int) -> tuple[float, float]:
    """Scale and shift by which OpenCV maps `count` pixels (centres at whole numbers) to `extent`
    pixels from `start` on: those that the place states, whatever the rounding of `count`, but
    never less than one pixel.
    """
    start, extent = start + min(0.0, extent - 1) / 2, max(1.0, extent)
    return extent / count, start + extent / count / 2 - 0.5


def covered(thing: Mask, place: Place, shape: tuple[int, int]) -> Mask:
    """(H, W) bool of `shape`: the pixels of the frame that `thing` (h, w) bool covers by half.

    By half of what it covers most: a thing thinner than a pixel does not vanish.
    """
    share = brought(thing.astype(np.float32), place, shape, edge=False)
    return share > HALF * share.max()
