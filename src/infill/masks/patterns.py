"""Masks with a fixed plan: a half, lines, a grid, a border; and single random pixels.

Half, lines, border ("expand") and grid ("super-resolution") are the test masks of Lugmayr et
al., "RePaint: Inpainting using Denoising Diffusion Probabilistic Models", CVPR 2022, section 5.
"""

import math
from typing import Literal, get_args

import numpy as np

from infill.errors import BadMask
from infill.masks.dice import Dice, Rng, wanted_area
from infill.masks.parse import Like, Mask, shape_of

Side = Literal["left", "right", "top", "bottom"]
SIDES: tuple[Side, ...] = get_args(Side)


def half(shape: Like, *, side: Side | Literal["random"] = "random", rng: Rng = 0) -> Mask:
    """One half of the photo. An odd middle row or column stays in the photo.

    returns: (H, W) bool, True = hole. Raises `BadMask` for a side that there is not.
    """
    height, width = shape_of(shape)
    if side == "random":
        side = SIDES[Dice(rng).whole(0, 3)]
    mask = np.zeros((height, width), np.bool_)
    match _known_side(side):
        case "left":
            mask[:, : width // 2] = True
        case "right":
            mask[:, (width + 1) // 2 :] = True
        case "top":
            mask[: height // 2] = True
        case "bottom":
            mask[(height + 1) // 2 :] = True
    return mask


def lines(
    shape: Like,
    *,
    direction: Literal["horizontal", "vertical"] = "horizontal",
    thickness: int = 1,
    rng: Rng = 0,
) -> Mask:
    """Every other line, each `thickness` pixels thick; the first stays. Nothing is random.

    returns: (H, W) bool, True = hole. Raises `BadMask` for another direction or thickness.
    """
    height, width = shape_of(shape)
    if direction not in ("horizontal", "vertical"):
        raise BadMask(f"the direction is horizontal or vertical, not {direction!r}")
    if thickness < 1:
        raise BadMask(f"the thickness of lines is at least 1 pixel, not {thickness}")
    Dice(rng)
    mask = np.zeros((height, width), np.bool_)
    if direction == "horizontal":
        mask[np.arange(height) // thickness % 2 == 1] = True
    else:
        mask[:, np.arange(width) // thickness % 2 == 1] = True
    return mask


def grid(shape: Like, *, period: int = 2, rng: Rng = 0) -> Mask:
    """All but one pixel, the top left, of every `period` × `period`. Nothing is random.

    Filling it is super-resolution by that factor.
    returns: (H, W) bool, True = hole. Raises `BadMask` for a period below 2.
    """
    if period < 2:
        raise BadMask(f"the period of a grid is at least 2 pixels, not {period}")
    Dice(rng)
    mask = np.ones(shape_of(shape), np.bool_)
    mask[::period, ::period] = False
    return mask


def border(shape: Like, mask_ratio: float = 0.5, *, sides: str = "all", rng: Rng = 0) -> Mask:
    """A border to outpaint: all but a rectangle of the photo's own shape. Nothing is random.

    mask_ratio: in (0, 1); met to within half a row of the photo, or half a column where only
                the left or right side is masked.
    sides:      "all", or some of left, right, top, bottom with commas between; where two
                opposite sides are masked, both are equally wide, to a pixel.

    returns: (H, W) bool, True = hole. Raises `BadMask` for a ratio or side out of range.
    """
    height, width = shape_of(shape)
    keep = height * width - wanted_area(mask_ratio, (height, width))
    chosen = set(SIDES if sides == "all" else map(_known_side, sides.replace(",", " ").split()))
    across, down = chosen & {"left", "right"}, chosen & {"top", "bottom"}
    if not chosen:
        raise BadMask("a border needs a side: all, or some of left, right, top, bottom")
    if not down:
        columns, rows = round(keep / height), height
    else:
        share = (keep / (height * width)) ** 0.5 if across else 1.0
        columns = max(round(width * share), math.ceil(keep / height), 1)
        rows = min(round(keep / columns), height)
    mask = np.ones((height, width), np.bool_)
    x, y = _start(width - columns, "left", across), _start(height - rows, "top", down)
    mask[y : y + rows, x : x + columns] = False
    return mask


def pixels(shape: Like, mask_ratio: float = 0.5, *, rng: Rng = 0) -> Mask:
    """Single pixels at random places: exactly round(`mask_ratio` · H · W) of them, at least 1.

    returns: (H, W) bool, True = hole. Raises `BadMask` for a ratio out of (0, 1].
    """
    height, width = shape_of(shape)
    area = wanted_area(mask_ratio, (height, width))
    numbers = Dice(rng).many(height * width)
    mask = np.zeros(height * width, np.bool_)
    mask[np.argpartition(numbers, area - 1)[:area]] = True
    return mask.reshape(height, width)


def _start(spare: int, first: str, chosen: set[Side]) -> int:
    """Where the kept part begins, so that the spare pixels lie on the chosen sides."""
    return 0 if first not in chosen else spare // len(chosen)


def _known_side(side: str) -> Side:
    for known in SIDES:
        if side == known:
            return known
    raise BadMask(f"there is no side {side!r}; there are: {', '.join(SIDES)}")
