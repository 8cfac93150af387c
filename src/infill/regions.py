"""Parts a mask into regions: which boxes of a photo are filled, looking at which crops.

A photo is never handed to an engine whole. Its hole pixels are parted into disjoint boxes by
straight cuts (a recursive X-Y cut: Nagy & Seth, "Hierarchical representation of optically
scanned documents", 1984), and each box is looked at with some of the photo around it. So the
cost follows the holes, and two far scratches do not cost what lies between them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.errors import FullMask
from infill.geometry import Box, SizeRule, bounds, window

CELL = 16  # the side in pixels of the cells on which holes are parted
LARGE = 2_000_000  # pixels of a crop above which a sparse hole is parted even with no gap
OVERHEAD = 10_000  # what one more call of an engine costs, in pixels of crop


@dataclass(frozen=True)
class Region:
    """One call of an engine: `hole`, the box whose hole pixels it fills, inside `crop`.

    The hole boxes of a plan are disjoint and together hold every hole pixel.
    largest: whether no other region of the plan has more hole pixels (of equals, the first).
    """

    hole: Box
    crop: Box
    largest: bool = True


def plan(mask: NDArray[np.bool_], rule: SizeRule) -> list[Region]:
    """The regions to fill, in the order to fill them in: from the top, then from the left.

    mask: (H, W) bool, True = hole.

    Two holes are looked at apart where neither lies in the other's context and that saves
    work. A sparse hole whose crop would be large (a cable across the sky, scratches all over)
    is also cut where it is thinnest; the later region then sees what the earlier one filled.
    """
    shape = mask.shape
    counts = _cell_counts(mask)
    regions = []
    for cells in _clusters(counts, rule, shape):
        hole = _tight(mask, _pixels_of(cells, shape))
        count = int(np.count_nonzero(mask[hole.slices]))
        margin = rule.margin(max(hole.height, hole.width), count)
        regions.append((count, Region(hole, window(hole, margin, rule, shape))))
    ordered = sorted(regions, key=lambda one: one[1].hole)
    largest = max(ordered, key=lambda one: one[0], default=None)
    return [replace(one[1], largest=one is largest) for one in ordered]


def wider(region: Region, rule: SizeRule, shape: tuple[int, int]) -> Region:
    """The same hole with twice the context. Raises `FullMask` if it has the whole photo."""
    crop = region.crop
    if crop == Box(0, 0, *shape):
        raise FullMask(
            "there is nothing to fill from: every pixel of the photo is masked or transparent; "
            "mask less of it"
        )
    margin = max(1, crop.height, crop.width)
    return replace(region, crop=window(crop, margin, rule, shape))


def _cell_counts(mask: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Hole pixels in each CELL × CELL square of `mask`, the last row and column cut short."""
    height, width = mask.shape
    rows = np.zeros((-(-height // CELL), -(-width // CELL) * CELL), np.uint8)
    full = height // CELL
    view = np.ascontiguousarray(mask).view(np.uint8)
    view[: full * CELL].reshape(full, CELL, width).sum(1, np.uint8, rows[:full, :width])
    if full < len(rows):
        view[full * CELL :].sum(0, np.uint8, rows[full, :width])
    return rows.reshape(len(rows), -1, CELL).sum(2, np.uint16)


def _clusters(counts: NDArray[np.uint16], rule: SizeRule, shape: tuple[int, int]) -> list[Box]:
    """Disjoint boxes of cells that hold every cell with hole pixels."""
    found = []
    stack = [Box(0, 0, *counts.shape)]
    while stack:
        cells = stack.pop()
        if not counts[cells.slices].any():
            continue
        cells = _tight(counts, cells)
        parts = _best_cut(counts, cells, rule, shape)
        if parts:
            stack.extend(parts)
        else:
            found.append(cells)
    return found


def _best_cut(
    counts: NDArray[np.uint16], cells: Box, rule: SizeRule, shape: tuple[int, int]
) -> tuple[Box, Box] | None:
    """The cut of `cells` that saves most, or None if it is best looked at as one."""
    crop, _ = _cost(counts, cells, rule, shape)
    best, least = None, float(crop.area + OVERHEAD)
    for first, second, gap in _gaps(counts, cells):
        (one, near), (two, far) = (_cost(counts, part, rule, shape) for part in (first, second))
        cost = one.area + two.area + 2 * OVERHEAD
        if gap >= max(near, far) and cost < least:
            best, least = (first, second), cost
    if best or crop.area <= LARGE:
        return best

    longer = max(cells.height, cells.width)
    total = int(counts[cells.slices].sum(dtype=np.int64))
    if longer < 4 or total > (longer * CELL) ** 2 // 4:
        return None  # one large hole: to part it would make it worse, not cheaper
    first, second = _thinnest(counts, cells)
    larger = max(_cost(counts, part, rule, shape)[0].area for part in (first, second))
    return (first, second) if larger < 0.9 * crop.area else None


def _cost(
    counts: NDArray[np.uint16], cells: Box, rule: SizeRule, shape: tuple[int, int]
) -> tuple[Box, int]:
    """The crop that `cells` would be looked at in, and its margin in pixels."""
    hole = _pixels_of(cells, shape)
    total = int(counts[cells.slices].sum(dtype=np.int64))
    margin = rule.margin(max(hole.height, hole.width), total)
    return window(hole, margin, rule, shape), margin


def _gaps(counts: NDArray[np.uint16], cells: Box) -> Iterator[tuple[Box, Box, int]]:
    """The widest empty band of rows and of columns: the two sides, tight, and pixels between."""
    for axis in (0, 1):
        filled = np.flatnonzero(counts[cells.slices].any(1 - axis))
        steps = np.diff(filled)
        if len(steps) and steps.max() > 1:
            widest = int(steps.argmax())
            first, second = _cut(cells, axis, int(filled[widest]) + 1)
            gap = (int(steps[widest]) - 1) * CELL
            yield _tight(counts, first), _tight(counts, second), gap


def _thinnest(counts: NDArray[np.uint16], cells: Box) -> tuple[Box, Box]:
    """`cells` (at least four cells long) cut across its longer side where the hole is thinnest.

    Only the middle half is considered. The middle is preferred to its ends as much as half the
    mean thickness is worth: lopsided parts save little.
    """
    axis = 0 if cells.height >= cells.width else 1
    across = counts[cells.slices].sum(1 - axis, dtype=np.int64)
    length = len(across)
    places = np.arange(length // 4, length * 3 // 4 + 1)
    thickness = across[places - 1] + across[places]
    off_centre = np.abs(2 * places - length)  # whole numbers, so that ties are ties anywhere
    best = int(places[np.argmin(thickness * length * length + off_centre * 2 * across.sum())])
    first, second = _cut(cells, axis, best)
    return _tight(counts, first), _tight(counts, second)


def _cut(box: Box, axis: int, at: int) -> tuple[Box, Box]:
    if axis == 0:
        row = box.top + at
        return Box(box.top, box.left, row, box.right), Box(row, box.left, box.bottom, box.right)
    column = box.left + at
    return Box(box.top, box.left, box.bottom, column), Box(box.top, column, box.bottom, box.right)


def _tight(array: NDArray[Any], box: Box) -> Box:
    """The smallest box inside `box` that holds all that is not zero there (there must be some)."""
    inner = bounds(array[box.slices])
    return Box(
        box.top + inner.top, box.left + inner.left, box.top + inner.bottom, box.left + inner.right
    )


def _pixels_of(cells: Box, shape: tuple[int, int]) -> Box:
    return Box(
        cells.top * CELL,
        cells.left * CELL,
        min(cells.bottom * CELL, shape[0]),
        min(cells.right * CELL, shape[1]),
    )
