"""Shapes to pixels, with one convention and exact arithmetic wherever the input is whole.

Pixel (row i, column j) is the square [j, j + 1] × [i, i + 1] and its centre is
(x, y) = (j + 0.5, i + 0.5). A shape covers a pixel when it holds the pixel's centre, so the
polygon (0, 0), (4, 0), (4, 3), (0, 3) covers exactly 4 × 3 pixels. A centre that lies on an
outline belongs to the shape on its right or below it, so that two shapes which share an edge
share no pixel and leave none out.
"""

import math

import numpy as np
from numpy.typing import NDArray


def fill_box(box: tuple[float, float, float, float], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) bool mask, True where the centre lies in the box (x0, y0, x1, y1)."""
    mask = np.zeros(shape, np.bool_)
    left, top, right, bottom = (math.ceil(value - 0.5) for value in box)
    mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = True
    return mask


def draw_polygon(canvas: NDArray[np.bool_], points: NDArray[np.float64]) -> None:
    """Add one polygon to a (H, W) bool canvas by the even-odd rule: a loop in a loop is open.

    points: (N, 2) float64 of (x, y) in pixels, N >= 3, closed by itself; what lies outside the
    image is clipped. Time grows with the part of the polygon's bounding box inside the image.
    """
    height, width = canvas.shape
    top, bottom = _rows(points[:, 1], height)
    left = max(math.ceil(min(points[:, 0].min(), width) - 0.5), 0)
    right = min(math.ceil(max(points[:, 0].max(), 0.0) - 0.5), width)
    if top >= bottom or left >= right:
        return
    rows, xs = _crossings(points, top, bottom)
    columns = np.ceil(np.clip(xs, left, right + 1) - 0.5).astype(np.intp)
    columns = np.clip(columns, left, right) - left
    # Each crossing turns the rest of its row over; the running parity is then the inside.
    flips = np.zeros((bottom - top, right - left + 1), np.uint8)
    np.add.at(flips, (rows - top, columns), 1)
    flips &= 1
    inside = np.bitwise_xor.accumulate(flips, axis=1)[:, :-1]
    canvas[top:bottom, left:right] |= inside.view(np.bool_)


def draw_disc(canvas: NDArray[np.bool_], x: int, y: int, diameter: int) -> None:
    """Add a disc to a (H, W) bool canvas; (x, y) are twice its centre, in pixels.

    Exact: pixel (i, j) is in when (2j + 1 - x)² + (2i + 1 - y)² <= diameter².
    """
    height, width = canvas.shape
    top, bottom = max((y - diameter) // 2, 0), min((y + diameter) // 2 + 1, height)
    left, right = max((x - diameter) // 2, 0), min((x + diameter) // 2 + 1, width)
    rows = 2 * np.arange(top, bottom, dtype=np.int64) + 1 - y
    columns = 2 * np.arange(left, right, dtype=np.int64) + 1 - x
    canvas[top:bottom, left:right] |= rows[:, None] ** 2 + columns**2 <= diameter**2


def _rows(ys: NDArray[np.float64], height: int) -> tuple[int, int]:
    """First row and one past the last whose centre line the span of `ys` can cross."""
    low, high = np.clip([ys.min(), ys.max()], -1.0, height + 1.0)
    return max(math.ceil(low - 0.5), 0), min(math.ceil(high - 0.5), height)


def _crossings(
    points: NDArray[np.float64], top: int, bottom: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Row and x of every place where an edge crosses the centre line of rows top..bottom - 1."""
    start, end = points, np.roll(points, -1, axis=0)
    upward = start[:, 1] > end[:, 1]
    upper = np.where(upward[:, None], end, start)
    lower = np.where(upward[:, None], start, end)
    first = np.ceil(np.clip(upper[:, 1], top, bottom) - 0.5).astype(np.intp)
    last = np.ceil(np.clip(lower[:, 1], top, bottom) - 0.5).astype(np.intp)
    counts = np.maximum(last - first, 0)
    edge = np.repeat(np.arange(len(points)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = first[edge] + within
    rise = lower[edge, 1] - upper[edge, 1]  # never zero: a level edge crosses no line
    # Multiplied first and divided last: exact where a line of whole corners meets a centre.
    run = (rows + 0.5 - upper[edge, 1]) * (lower[edge, 0] - upper[edge, 0]) / rise
    return rows, upper[edge, 0] + run


def fill_hull(corners: NDArray[np.integer], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) bool mask of the pixels whose centres lie in a convex polygon or on its outline.

    corners: (N, 2) whole (x, y) of pixels (a pixel is named by its column and row here, so its
    centre is a lattice point), in order round the hull, N >= 1. Integer arithmetic throughout.
    """
    corners = corners.astype(np.int64)
    top, bottom = int(corners[:, 1].min()), int(corners[:, 1].max()) + 1
    left = np.full(bottom - top, shape[1], np.int64)
    right = np.full(bottom - top, -1, np.int64)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if ay > by:
            (ax, ay), (bx, by) = (bx, by), (ax, ay)
        rows = np.arange(ay, by + 1)
        if ay == by:
            lows, highs = np.array([min(ax, bx)]), np.array([max(ax, bx)])
        else:
            scaled = ax * (by - ay) + (rows - ay) * (bx - ax)
            lows, highs = -(-scaled // (by - ay)), scaled // (by - ay)
        span = rows - top
        left[span] = np.minimum(left[span], lows)
        right[span] = np.maximum(right[span], highs)
    mask = np.zeros(shape, np.bool_)
    columns = np.arange(shape[1])
    mask[top:bottom] = (columns >= left[:, None]) & (columns <= right[:, None])
    return mask
