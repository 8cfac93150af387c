"""Random rectangles whose area is a given share of the photo, to within a row of pixels."""

import math

import numpy as np

from infill.errors import BadMask
from infill.masks.dice import Dice, Rng, wanted_area
from infill.masks.parse import Like, Mask, shape_of

Rectangle = tuple[int, int, int, int]  # x0, y0, x1, y1; the last two are outside

MOST_RECTANGLES = 64
LARGEST_ASPECT = 3.0


def random_rectangle(
    shape: Like, mask_ratio: float = 0.25, *, rng: Rng = 0, count: int = 1
) -> Mask:
    """One or several rectangles of random place and size that cover `mask_ratio` of the photo.

    mask_ratio: in (0, 1]; the area of all together differs from `mask_ratio` · H · W by at most
                one row of the photo (W pixels), and by half of one unless the photo is tiny.
    count:      how many rectangles; they may overlap. Sides are at most 1:3 unless the photo's
                own shape forces more.

    returns: (H, W) bool, True = hole. Raises `BadMask` for a ratio or count out of range.
    """
    height, width = shape_of(shape)
    area = wanted_area(mask_ratio, (height, width))
    if not 1 <= count <= MOST_RECTANGLES:
        raise BadMask(f"the count of rectangles is from 1 to {MOST_RECTANGLES}, not {count}")
    dice = Dice(rng)
    mask = np.zeros((height, width), np.bool_)
    for x0, y0, x1, y1 in _rectangles(dice, height, width, area, count):
        mask[y0:y1, x0:x1] = True
    return mask


def _rectangles(dice: Dice, height: int, width: int, area: int, count: int) -> list[Rectangle]:
    for _ in range(8 if count > 1 else 0):
        found = _several(dice, height, width, area, count)
        if abs(_union(found) - area) <= width // 2:
            return found
    return [_one(dice, height, width, area)]  # rare: a photo too narrow for several


def _one(dice: Dice, height: int, width: int, area: int) -> Rectangle:
    """A rectangle of very nearly the area: its shorter side is chosen, the longer follows."""
    aspect = _aspect(dice)
    across = min(max(math.sqrt(area * aspect), area / height), width)
    down = area / across
    if across <= down:
        columns = min(max(round(across), math.ceil(area / height)), width)
        rows = min(max(round(area / columns), 1), height)
    else:
        rows = min(max(round(down), math.ceil(area / width)), height)
        columns = min(max(round(area / rows), 1), width)
    x, y = dice.whole(0, width - columns), dice.whole(0, height - rows)
    return x, y, x + columns, y + rows


def _several(dice: Dice, height: int, width: int, area: int, count: int) -> list[Rectangle]:
    """Rectangles about random centres, scaled together until their union has the area."""
    weights = [dice.between(0.5, 1.5) for _ in range(count)]
    halves, centres = [], []
    for weight in weights:
        part, aspect = area * weight / sum(weights), _aspect(dice)
        halves.append((math.sqrt(part * aspect) / 2, math.sqrt(part / aspect) / 2))
        centres.append((dice.between(0, width), dice.between(0, height)))

    def scaled(scale: float) -> list[Rectangle]:
        return [
            (
                min(max(round(x - across * scale), 0), width - 1),
                min(max(round(y - down * scale), 0), height - 1),
                min(max(round(x + across * scale), 1), width),
                min(max(round(y + down * scale), 1), height),
            )
            for (x, y), (across, down) in zip(centres, halves, strict=True)
        ]

    low, high = 0.0, 1.0
    while _union(scaled(high)) < area:
        low, high = high, high * 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _union(scaled(middle)) <= area else (low, middle)
    return _nudged(scaled(low), height, width, area)


def _nudged(found: list[Rectangle], height: int, width: int, area: int) -> list[Rectangle]:
    """Move single sides outwards by a pixel for as long as that brings the union nearer."""
    while True:
        options = [found]
        for index, (x0, y0, x1, y1) in enumerate(found):
            for moved in (
                (x0, max(y0 - 1, 0), x1, y1),
                (x0, y0, x1, min(y1 + 1, height)),
                (max(x0 - 1, 0), y0, x1, y1),
                (x0, y0, min(x1 + 1, width), y1),
            ):
                options.append([*found[:index], moved, *found[index + 1 :]])
        best = min(options, key=lambda option: abs(_union(option) - area))
        if best is found:
            return found
        found = best


def _union(rectangles: list[Rectangle]) -> int:
    """The area of the union, on the grid that the rectangles' own sides make."""
    corners = np.array(rectangles, np.int64)
    xs, ys = np.unique(corners[:, [0, 2]]), np.unique(corners[:, [1, 3]])
    covered = np.zeros((len(ys) - 1, len(xs) - 1), np.bool_)
    left, right = np.searchsorted(xs, corners[:, 0]), np.searchsorted(xs, corners[:, 2])
    top, bottom = np.searchsorted(ys, corners[:, 1]), np.searchsorted(ys, corners[:, 3])
    for x0, y0, x1, y1 in zip(left, top, right, bottom, strict=True):
        covered[y0:y1, x0:x1] = True
    return int(np.diff(ys) @ covered @ np.diff(xs))


def _aspect(dice: Dice) -> float:
    aspect = dice.between(1, LARGEST_ASPECT)
    return aspect if dice.chance(0.5) else 1 / aspect
