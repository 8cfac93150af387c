"""Operations on a mask, each by an amount in pixels or in percent of the mask's own size.

A mask's own *size* is the square root of its area in pixels: the side of a square as large.
Distances are Euclidean, between pixel centres, so growing draws discs and not squares.

The border of the photo is no edge of the mask. What lies beyond it is unknown, so `shrink`
does not eat from it, `fill_holes` does not bridge to it, and `close` and `smooth` take what is
beyond to be as it is at the border. Work is confined to the mask's bounding box and a margin.

Every function takes a (H, W) bool mask, True = hole, and returns a new one.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.masks.amount import Amount, AmountLike
from infill.masks.parse import Mask
from infill.masks.raster import fill_hull

SLACK = 1 + 1e-6
"""Absorbs the rounding of float32 distances; squared distances are whole numbers, so true
differences are larger at any radius that a photo has."""

LARGEST_DISC = 12
"""Pixels of radius up to which a disc is dilated by directly, many times faster than the
distance transform; above it the transform wins, whose cost does not grow with the radius."""


def depth(mask: Mask) -> NDArray[np.float32]:
    """(H, W) float32: how far each pixel of the mask is from the nearest that is not in it, in
    pixels; 0 outside the mask, and very large where all is masked."""
    import cv2

    away = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away, np.float32)


def grow(mask: Mask, amount: AmountLike) -> Mask:
    """Add every pixel within `amount` of the mask."""
    radius = Amount.parse(amount).pixels(mask)
    window = _window(mask, radius)
    grown = np.zeros_like(mask)
    if window is not None:
        grown[window] = _within(mask[window], radius)
    return grown


def shrink(mask: Mask, amount: AmountLike, *, from_border: bool = False) -> Mask:
    """Take away every pixel within `amount` of a pixel that is not in the mask.

    from_border: also take away what is within `amount` of the photo's border, as if the photo
    went on without mask beyond it; by default the mask is taken to go on.
    """
    radius = Amount.parse(amount).pixels(mask)
    window = _window(mask, 1)
    shrunk = np.zeros_like(mask)
    if window is not None:
        part = ~mask[window]
        if from_border:
            part = np.pad(part, 1, constant_values=True)
            shrunk[window] = ~_within(part, radius)[1:-1, 1:-1]
        else:
            shrunk[window] = ~_within(part, radius)
    return shrunk


def close(mask: Mask, amount: AmountLike) -> Mask:
    """Close gaps: add every pixel that no disc of radius `amount` outside the mask can reach.

    That is to grow and then shrink by the amount, on a photo that goes on beyond its border as
    it is at the border; so a gap at the border closes too, but no bridge to the border is built.
    """
    radius = Amount.parse(amount).pixels(mask)
    margin = math.floor(radius) + 1
    window = _window(mask, margin)
    closed = np.zeros_like(mask)
    if window is not None:
        grown = _within(np.pad(mask[window], margin, mode="edge"), radius)
        inner = slice(margin, -margin)
        closed[window] = ~_within(~grown, radius)[inner, inner]
    return closed


def smooth(mask: Mask, amount: AmountLike) -> Mask:
    """Smooth the outline: a pixel goes with the majority of the disc of radius `amount` on it.

    A straight outline stays where it is; corners are rounded; parts and gaps that are narrower
    than about the amount go. To keep a thin part, `grow` before.
    """
    import cv2

    radius = Amount.parse(amount).pixels(mask)
    smoothed = mask.copy()
    window = _window(mask, radius)
    if window is None or radius < 1:
        return smoothed
    disc = _disc(radius)
    share = cv2.filter2D(
        mask[window].view(np.uint8), cv2.CV_32F, disc, borderType=cv2.BORDER_REPLICATE
    )
    smoothed[window] = share > int(disc.sum()) / 2  # an odd number of pixels, so there is no tie
    return smoothed


def fill_holes(mask: Mask, amount: AmountLike | None = None) -> Mask:
    """Fill what the mask encloses: regions from which no path of side steps leads out.

    amount: fill only those whose size (the root of their area) is at most this; None = all.
    A region that touches the photo's border is not enclosed.
    """
    filled = mask.copy()
    window = _window(mask, 0)
    if window is not None:
        most = math.inf if amount is None else Amount.parse(amount).pixels(mask) ** 2
        outside = np.pad(~mask[window], 1, constant_values=True)
        labels, areas = _components(outside, connectivity=4)
        enclosed = areas <= most * (1 + 1e-9)
        enclosed[[0, labels[0, 0]]] = False
        filled[window] |= enclosed[labels[1:-1, 1:-1]]
    return filled


def drop_specks(mask: Mask, amount: AmountLike) -> Mask:
    """Drop the parts (connected by sides or corners) whose size is below `amount`.

    A part's size is the root of its area; percent are those of the whole mask's size.
    """
    least = Amount.parse(amount).pixels(mask) ** 2
    kept = np.zeros_like(mask)
    window = _window(mask, 0)
    if window is not None:
        labels, areas = _components(mask[window], connectivity=8)
        large = areas >= least * (1 - 1e-9)
        large[0] = False
        kept[window] = large[labels]
    return kept


def convex_hull(mask: Mask, *, each: bool = False) -> Mask:
    """The pixels whose centres lie in the convex hull of the mask's pixel centres.

    each: the hull of every connected part by itself, rather than one hull round all.
    """
    import cv2

    hull = np.zeros_like(mask)
    window = _window(mask, 0)
    if window is None:
        return hull
    part = mask[window]
    if not each:
        hull[window] = _hull(part)
        return hull
    _, labels, stats, _ = cv2.connectedComponentsWithStats(part.view(np.uint8), connectivity=8)
    for label, (x, y, width, height, _) in enumerate(stats[1:], start=1):
        box = slice(y, y + height), slice(x, x + width)
        hull[window][box] |= _hull(labels[box] == label)
    return hull


def _hull(part: Mask) -> Mask:
    """The hull of everything in `part`, which is not empty."""
    import cv2

    rows = np.flatnonzero(part.any(axis=1))
    first = part[rows].argmax(axis=1)
    last = part.shape[1] - 1 - part[rows, ::-1].argmax(axis=1)
    ends = np.stack([np.concatenate([first, last]), np.concatenate([rows, rows])], axis=1)
    corners: NDArray[Any] = cv2.convexHull(ends.astype(np.int32))
    return fill_hull(corners.reshape(-1, 2), part.shape)


def invert(mask: Mask) -> Mask:
    """Exchange hole and photo."""
    return ~mask


def feather(mask: Mask, amount: AmountLike) -> NDArray[np.float32]:
    """A blend weight in [0, 1]: exactly 1 in the mask, falling to 0 outside it.

    The ramp lies wholly outside the mask. A pixel at distance d of it, 0 < d <= amount, weighs
    3t² - 2t³ with t = 1 - d / (amount + 1) (smoothstep); one further off weighs exactly 0.

    returns: (H, W) float32.
    """
    radius = Amount.parse(amount).pixels(mask)
    weight = np.zeros(mask.shape, np.float32)
    window = _window(mask, radius)
    if window is not None:
        distance = _distance(mask[window])
        near = distance <= radius * SLACK
        ramp = 1 - distance[near] / np.float32(radius + 1)
        weight[window][near] = ramp * ramp * (3 - 2 * ramp)
    return weight


def _window(mask: Mask, margin: float) -> tuple[slice, slice] | None:
    """The mask's bounding box and a margin, clipped to the photo; None for an empty mask."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    reach = math.ceil(margin)
    return (
        slice(max(int(rows[0]) - reach, 0), int(rows[-1]) + reach + 1),
        slice(max(int(columns[0]) - reach, 0), int(columns[-1]) + reach + 1),
    )


def _distance(mask: Mask) -> NDArray[np.float32]:
    """Euclidean distance to the nearest pixel of the mask, which has at least one."""
    import cv2

    empty = (~mask).view(np.uint8)
    distance: NDArray[Any] = cv2.distanceTransform(empty, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return distance


def _within(mask: Mask, radius: float) -> Mask:
    """Pixels at most `radius` from the mask; none if it is empty."""
    import cv2

    if not mask.any():
        return np.zeros_like(mask)
    if radius > LARGEST_DISC:
        return np.asarray(_distance(mask) <= radius * SLACK)
    grown: NDArray[Any] = cv2.dilate(
        mask.view(np.uint8), _disc(radius), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    return grown.view(np.bool_)


def _disc(radius: float) -> NDArray[np.uint8]:
    """(2r + 1, 2r + 1) uint8, 1 where a pixel is at most `radius` from the middle one."""
    reach = np.arange(-math.floor(radius), math.floor(radius) + 1)
    return (np.hypot(reach[:, None], reach) <= radius * SLACK).astype(np.uint8)


def _components(mask: Mask, connectivity: int) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Labels (H, W) of the connected parts, 0 = none, and the area of each label."""
    import cv2

    labels: Any = cv2.connectedComponents(mask.view(np.uint8), connectivity=connectivity)[1]
    return labels, np.bincount(labels.ravel())
