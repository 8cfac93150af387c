"""A seam-free join: the smooth change of colour that makes copied pieces meet.

Copied pieces differ in brightness from the photo around them and from each other. The colours
that would have the gradients of the pieces, and meet the photo at the hole's border, solve
Poisson's equation (Perez et al. 2003, equation 3, with the screening of Bhat et al. 2008). Only
their smooth part is wanted: sharp changes would blur the texture where pieces meet. So the
*correction* is solved for, on cells of a few pixels a side, and spread between their centres.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from infill.engines.exemplar.workers import Workers

CELL = 4  # pixels a side, and twice that in a large hole
LARGE = 100_000  # hole pixels
EDGE = 0.20  # of the full range: a jump counts as no more, since a larger one is an edge that
# two pieces disagree on by a pixel, and would cast a glow
SCREEN = 0.003  # pull of the correction towards zero, per pixel
STEPS = 80  # conjugate-gradient steps at most
SMALL = 1e-6  # squared residual, relative to the first, at which they end

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]


def joined(
    pixels: Floats, hole: Ints, origin: Ints, mask: NDArray[np.bool_], workers: Workers
) -> Floats:
    """Colours of the hole's pixels: copies of `pixels` at `origin`, corrected to meet.

    pixels (H, W, 3) float32 in [0, 1]; hole and origin: int32 flat indices, as many; mask (H, W)
    bool, True = hole. Returns (len(hole), 3) float32 in [0, 1].
    """
    height, width = mask.shape
    side = CELL if hole.size < LARGE else 2 * CELL
    index = np.full(height * width, -1, np.int32)
    index[hole] = np.arange(hole.size, dtype=np.int32)
    rows, columns = -(-height // side), -(-width // side)
    y, x = np.divmod(hole, width)
    count = np.bincount((y // side) * columns + x // side, minlength=rows * columns)
    cells = np.flatnonzero(count)
    cell_at = np.full((rows, columns), -1, np.int32)
    cell_at.reshape(-1)[cells] = np.arange(cells.size, dtype=np.int32)
    flat = np.ascontiguousarray(pixels).reshape(-1, 3)
    pull = SCREEN * count[cells].astype(np.float64)
    right, below = np.zeros((2, cells.size))
    wanted = np.zeros((cells.size, 3))
    _gather(flat, width, hole, index, origin, side, cell_at, wanted, pull, right, below)
    neighbours = np.full((rows + 1, columns + 1), -1, np.int32)
    neighbours[:-1, :-1] = cell_at
    inner = cell_at >= 0
    to_right = neighbours[:-1, 1:][inner]
    to_below = neighbours[1:, :-1][inner]
    correction = _solve(wanted, pull, right, below, to_right, to_below)
    result = np.empty((hole.size, 3), np.float32)
    workers.run(_spread, hole.size, flat, width, hole, origin, side, cell_at, correction, result)
    return result


@njit(inline="always")
def _clipped(jump: float) -> float:
    """A jump in brightness, as far as it is one; see `EDGE`."""
    return min(max(jump, -EDGE), EDGE)


@njit(nogil=True, cache=True, boundscheck=False)
def _gather(
    flat: Floats,
    width: int,
    hole: Ints,
    index: Ints,
    origin: Ints,
    cell_side: int,
    cell_at: Ints,
    wanted: Doubles,
    pull: Doubles,
    right: Doubles,
    below: Doubles,
) -> None:
    """Sum up, for cells and pairs of neighbouring cells, the jumps that must be made good.

    For two neighbouring pixels p and q the correction c should satisfy c(p) - c(q) = e, where e
    is what the pieces' own gradient says less what the copies give. Outside the hole c = 0.
    """
    size = index.size
    to_known = 2.0 / (cell_side + 1)  # a border lies half a cell from the centre
    jump = np.zeros(3)
    for i in range(hole.size):
        p = hole[i]
        y = p // width
        x = p - y * width
        here = origin[i]
        for side in range(4):
            step = (1, width, -1, -width)[side]
            if (
                (side == 0 and x + 1 >= width)
                or (side == 2 and x == 0)
                or p + step < 0
                or p + step >= size
            ):
                continue
            q = p + step
            j = index[q]
            beside = here + step  # where q would come from if it moved with p
            p_speaks = 0 <= beside < size and index[beside] < 0
            if j < 0:
                if p_speaks:
                    cell = cell_at[y // cell_side, x // cell_side]
                    pull[cell] += to_known
                    for c in range(3):
                        wanted[cell, c] += to_known * _clipped(flat[q, c] - flat[beside, c])
                continue
            if side > 1:
                continue  # each pair inside the hole once
            there = origin[j]
            jump[:] = 0.0
            if there != beside:
                back = there - step  # where p would come from if it moved with q
                q_speaks = 0 <= back < size and index[back] < 0
                share = 0.5 if p_speaks and q_speaks else 1.0
                for c in range(3):
                    if p_speaks:
                        jump[c] += share * (flat[there, c] - flat[beside, c])
                    if q_speaks:
                        jump[c] += share * (flat[back, c] - flat[here, c])
            # The pair lies between the centres of two cells, on the row or column it is in.
            across = x if side == 0 else y
            low = (2 * across + 2 - cell_side + 2 * cell_side) // (2 * cell_side) - 1
            row = y // cell_side if side == 0 else low
            column = low if side == 0 else x // cell_side
            next_row = row if side == 0 else low + 1
            next_column = low + 1 if side == 0 else column
            if low < 0 or next_row >= cell_at.shape[0] or next_column >= cell_at.shape[1]:
                continue
            a = cell_at[row, column]
            b = cell_at[next_row, next_column]
            if a < 0 or b < 0:
                continue
            if side == 0:
                right[a] += 1.0 / (cell_side * cell_side)
            else:
                below[a] += 1.0 / (cell_side * cell_side)
            for c in range(3):
                wanted[a, c] += _clipped(jump[c]) / cell_side
                wanted[b, c] -= _clipped(jump[c]) / cell_side


@njit(nogil=True, cache=True, boundscheck=False)
def _solve(
    wanted: Doubles, pull: Doubles, right: Doubles, below: Doubles, to_right: Ints, to_below: Ints
) -> Doubles:
    """The corrections (cells, 3): conjugate gradients with the diagonal as preconditioner."""
    cells = pull.size
    diagonal = pull + 1e-9
    for i in range(cells):
        for weight, j in ((right[i], to_right[i]), (below[i], to_below[i])):
            if j >= 0:
                diagonal[i] += weight
                diagonal[j] += weight
    solution = np.zeros((cells, 3))
    residual = wanted.copy()
    direction = np.zeros((cells, 3))
    image = np.empty((cells, 3))
    before = np.ones(3)
    first = np.zeros(3)
    for step in range(STEPS):
        now = np.zeros(3)
        for i in range(cells):
            for c in range(3):
                now[c] += residual[i, c] * residual[i, c] / diagonal[i]
        if step == 0:
            first[:] = now
        if (now <= SMALL * first).all():
            break
        for i in range(cells):
            for c in range(3):
                keep = now[c] / max(before[c], 1e-30) if step else 0.0
                direction[i, c] = residual[i, c] / diagonal[i] + keep * direction[i, c]
                image[i, c] = (pull[i] + 1e-9) * direction[i, c]
        for i in range(cells):
            for weight, j in ((right[i], to_right[i]), (below[i], to_below[i])):
                if j >= 0:
                    for c in range(3):
                        flow = weight * (direction[i, c] - direction[j, c])
                        image[i, c] += flow
                        image[j, c] -= flow
        along = np.zeros(3)
        for i in range(cells):
            for c in range(3):
                along[c] += direction[i, c] * image[i, c]
        for i in range(cells):
            for c in range(3):
                length = now[c] / max(along[c], 1e-30)
                solution[i, c] += length * direction[i, c]
                residual[i, c] -= length * image[i, c]
        before[:] = now
    return solution


@njit(nogil=True, cache=True, boundscheck=False)
def _spread(
    flat: Floats,
    width: int,
    hole: Ints,
    origin: Ints,
    cell_side: int,
    cell_at: Ints,
    correction: Doubles,
    result: Floats,
    start: int,
    end: int,
) -> None:
    """Copy each pixel and add the correction, bilinear between the centres of the hole's cells."""
    rows, columns = cell_at.shape
    for i in range(start, end):
        p = hole[i]
        y = p // width
        at_y = (y + 0.5) / cell_side - 0.5
        at_x = (p - y * width + 0.5) / cell_side - 0.5
        top = math.floor(at_y)
        left = math.floor(at_x)
        total = red = green = blue = 0.0
        for row in range(max(top, 0), min(top + 2, rows)):
            for column in range(max(left, 0), min(left + 2, columns)):
                cell = cell_at[row, column]
                if cell >= 0:
                    w = (1 - abs(at_y - row)) * (1 - abs(at_x - column))
                    total += w
                    red += w * correction[cell, 0]
                    green += w * correction[cell, 1]
                    blue += w * correction[cell, 2]
        o = origin[i]
        result[i, 0] = min(max(flat[o, 0] + red / total, 0.0), 1.0)
        result[i, 1] = min(max(flat[o, 1] + green / total, 0.0), 1.0)
        result[i, 2] = min(max(flat[o, 2] + blue / total, 0.0), 1.0)
