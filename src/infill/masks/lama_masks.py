"""LaMa's masks: narrow, medium and wide.

Suvorov et al., "Resolution-robust Large Mask Inpainting with Fourier Convolutions", WACV 2022,
section 3.2 and supplement: polylines of thick lines, or for medium and wide masks sometimes
boxes. The figures are those of the authors' public settings `random_thin`, `random_medium` and
`random_thick`, each for photos of 256 and of 512 pixels
(https://github.com/advimman/lama, configs/data_gen).

The distribution is theirs, the masks are not: theirs follow from the state of global random
generators and from OpenCV, ours from a seed alone, the same on every machine. Lengths are whole
numbers and the eight directions that a line can take are rounded to a grid, so nothing hangs on
how a machine rounds sines.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from infill.errors import BadMask
from infill.masks.dice import Dice, Rng
from infill.masks.parse import Like, Mask, shape_of
from infill.masks.strokes import draw_segment as draw_line

Width = Literal["narrow", "medium", "wide"]
Range = tuple[int, int]  # both included

LARGEST = 0.5
"""Share of the photo above which a mask is thrown away and drawn anew (`max_tamper_area`)."""
TRIES = 64
LEAST_SIDE = 16
PAINTED = 1
"""Pixels by which a line comes out wider than asked for where OpenCV paints it, as it did for the
authors: on average over the widths 5 to 14, which are those of narrow masks."""
POINTS: Range = (1, 5)  # lines of a polyline
DIRECTIONS = 4  # an angle is 0.01, 1.01, 2.01 or 3.01 radians, in turn to the left or the right
GRID = 1 << 20


@dataclass(frozen=True)
class Figures:
    """What one kind of mask is drawn with, in pixels of a photo of `side` × `side`.

    polylines, length, width: of the lines. boxes: how many, box: their sides, margin: what they
    keep from the photo's border. box_share: the probability of a mask of boxes.
    """

    side: int
    polylines: Range
    length: Range
    width: Range
    box_share: float = 0.0
    boxes: Range = (0, 0)
    box: Range = (0, 0)
    margin: int = 0


# In the authors' files boxes have the weight 0.3 beside 1 for lines.
BOXES = 0.3 / 1.3

FIGURES: dict[Width, tuple[Figures, Figures]] = {
    "narrow": (
        Figures(256, (4, 51), (10, 49), (5, 14)),
        Figures(512, (4, 71), (10, 109), (5, 24)),
    ),
    "medium": (
        Figures(256, (4, 6), (10, 109), (5, 54), BOXES, (1, 5), (10, 50), 0),
        Figures(512, (4, 11), (10, 209), (5, 104), BOXES, (1, 5), (30, 150), 0),
    ),
    "wide": (
        Figures(256, (1, 6), (10, 209), (5, 104), BOXES, (1, 3), (30, 150), 10),
        Figures(512, (1, 6), (10, 459), (5, 254), BOXES, (1, 4), (30, 300), 10),
    ),
}
"""The ranges are those that the authors' code draws from, which differ from what their settings
say by a fixed amount: a line has 10 pixels of length and 5 of width more than the number drawn
below `max_len` and `max_width`, and there may be one polyline more than `max_times`."""


def lama_mask(shape: Like, width: Width, *, figures: int = 0, rng: Rng = 0) -> Mask:
    """A mask of LaMa's, of lines or of boxes; at most half of the photo.

    width:   narrow, medium or wide.
    figures: 256 or 512, whose settings to take; 0 = those nearer to the photo's shorter side.
             All lengths are scaled by that side; a photo of exactly that size has the authors'
             own distribution.

    returns: (H, W) bool, True = hole. Raises `BadMask` for another width or other figures, and
    for a photo less than 16 pixels high or wide.
    """
    height, across = shape_of(shape)
    if min(height, across) < LEAST_SIDE:
        raise BadMask(f"LaMa's masks need {LEAST_SIDE}×{LEAST_SIDE} pixels, not {across}×{height}")
    chosen, dice = chosen_figures(width, figures, min(height, across)), Dice(rng)
    smallest: Mask | None = None
    for _ in range(TRIES):
        mask = _draw(dice, (height, across), chosen)
        if 2 * np.count_nonzero(mask) <= mask.size:
            return mask
        if smallest is None or np.count_nonzero(mask) < np.count_nonzero(smallest):
            smallest = mask
    assert smallest is not None
    # Hardly ever: about half of the wide masks are small enough.
    return _cut(smallest)


def chosen_figures(width: str, figures: int, short: int) -> Figures:
    """The settings for a photo whose shorter side is `short`. Raises `BadMask`."""
    sets = next((sets for name, sets in FIGURES.items() if name == width), None)
    if sets is None:
        raise BadMask(f"a mask of LaMa's is {', '.join(FIGURES)}, not {width!r}")
    if figures == 0:
        return sets[0] if short * short <= 256 * 512 else sets[1]
    for found in sets:
        if found.side == figures:
            return found
    raise BadMask(f"LaMa's figures are for 256 or 512 pixels (or 0, the nearer), not {figures}")


def _draw(dice: Dice, shape: tuple[int, int], figures: Figures) -> Mask:
    boxes = dice.chance(figures.box_share)
    mask = np.zeros(shape, np.bool_)
    for number in range(dice.whole(*(figures.boxes if boxes else figures.polylines))):
        if boxes:
            _box(mask, dice, figures)
        else:
            _polyline(mask, dice, figures, -1 if number % 2 == 0 else 1)
    return mask


def _polyline(mask: Mask, dice: Dice, figures: Figures, turn: int) -> None:
    """Up to five lines, one from where the other ends; what would leave the photo stops there."""
    height, across = mask.shape
    scale = _Scale(min(height, across), figures.side)
    x, y = dice.whole(0, across - 1), dice.whole(0, height - 1)
    for _ in range(dice.whole(*POINTS)):
        angle = turn * (0.01 + dice.whole(0, DIRECTIONS - 1))
        length, width = dice.whole(*figures.length), dice.whole(*figures.width)
        end = (
            min(max(x + scale.step(length, math.sin(angle)), 0), across),
            min(max(y + scale.step(length, math.cos(angle)), 0), height),
        )
        draw_line(mask, (x, y), end, max(scale.pixels(width + PAINTED), 1))
        x, y = end


def _box(mask: Mask, dice: Dice, figures: Figures) -> None:
    height, across = mask.shape
    scale = _Scale(min(height, across), figures.side)
    columns, rows = (max(scale.pixels(dice.whole(*figures.box)), 1) for _ in range(2))
    margin = scale.pixels(figures.margin)
    left = dice.whole(margin, across - margin - columns)
    top = dice.whole(margin, height - margin - rows)
    mask[top : top + rows, left : left + columns] = True


@dataclass(frozen=True)
class _Scale:
    """From pixels of the settings to those of the photo, in whole numbers."""

    short: int
    side: int

    def pixels(self, length: int) -> int:
        return (2 * length * self.short + self.side) // (2 * self.side)

    def step(self, length: int, share: float) -> int:
        """So much of a length as a direction takes along one axis, rounded down."""
        return length * self.short * round(share * GRID) // (self.side * GRID)


def _cut(mask: Mask) -> Mask:
    """The mask without its last rows, so that it covers half of the photo at most."""
    covered = np.cumsum(mask.sum(axis=1))
    mask[int(np.searchsorted(covered, mask.size // 2, "right")) :] = False
    return mask
