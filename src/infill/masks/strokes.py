"""Free-form brush strokes, as DeepFillv2 is trained with."""

import math

import numpy as np

from infill.errors import BadMask
from infill.masks.dice import Dice, Rng, wanted_area
from infill.masks.parse import Like, Mask, shape_of
from infill.masks.raster import draw_disc, draw_polygon

# The figures that the authors trained with, at 256 × 256 pixels.
STROKES = (1, 3)
VERTICES = (4, 11)
BRUSH_WIDTH = (12, 40)
TURN = 2 * math.pi / 5
TURN_RANGE = 2 * math.pi / 15

MOST_STROKES = 400
LARGEST_RATIO = 0.9

Point = tuple[int, int]  # x, y of a pixel


def free_form(
    shape: Like, mask_ratio: float | None = None, *, rng: Rng = 0, brush: float = 1.0
) -> Mask:
    """Zigzag strokes of a round brush.

    Yu et al., "Free-Form Image Inpainting with Gated Convolution", ICCV 2019, section 3.4 and
    the algorithm in its appendix, with the figures of the authors' published code: 1 to 3
    strokes of 4 to 11 segments; the direction swings to and fro by 2π/5 ± 2π/15; a segment's
    length is normal with mean d/8 and deviation d/16, d being the photo's diagonal; the brush
    is 12 to 40 pixels wide on a photo of 256 × 256 and scales with the diagonal; the whole is
    mirrored across and down with probability a half each.

    mask_ratio: in (0, 0.9]: instead of 1 to 3 strokes, as many as cover this share of the
                photo; the last segment is cut short, so the area is met to within a dab of the
                brush. None: as in the paper, where the share is left to chance.
    brush:      a factor on the brush's width; 0.3 gives scratches, 2 thick paint.

    returns: (H, W) bool, True = hole. Raises `BadMask` for a ratio or brush out of range.
    """
    height, width = shape_of(shape)
    if not 0 < brush <= 16:
        raise BadMask(f"the brush is above 0 and at most 16, not {brush}")
    if mask_ratio is not None and mask_ratio > LARGEST_RATIO:
        raise BadMask(f"strokes cover at most {LARGEST_RATIO} of a photo, not {mask_ratio}")
    dice = Dice(rng)
    canvas = np.zeros((height, width), np.bool_)
    if mask_ratio is None:
        for _ in range(dice.whole(*STROKES)):
            _stroke(canvas, dice, brush)
    else:
        area = wanted_area(mask_ratio, (height, width))
        for _ in range(MOST_STROKES):
            if _stroke(canvas, dice, brush, area):
                break
    canvas = canvas[::-1] if dice.chance(0.5) else canvas
    return np.ascontiguousarray(canvas[:, ::-1] if dice.chance(0.5) else canvas)


def _stroke(canvas: Mask, dice: Dice, brush: float, area: int | None = None) -> bool:
    """Paint one stroke; stop where the canvas has `area` pixels, and say whether it has."""
    height, width = canvas.shape
    diagonal = math.hypot(height, width)
    here = dice.whole(0, width - 1), dice.whole(0, height - 1)
    path, brush_width = _plan(dice, here, height, width)
    brush_width = max(round(brush * brush_width * diagonal / math.hypot(256, 256)), 1)
    if area is not None:  # a small hole needs a small brush
        brush_width = min(brush_width, max(round(math.sqrt(area) / 2), 1))
    for start, end in zip([here, *path], path, strict=False):
        if area is None:
            draw_segment(canvas, start, end, brush_width)
            continue
        before = canvas.copy()
        draw_segment(canvas, start, end, brush_width)
        if np.count_nonzero(canvas) >= area:
            canvas[:] = _shortened(before, start, end, brush_width, area)
            return True
    return False


def _plan(dice: Dice, here: Point, height: int, width: int) -> tuple[list[Point], int]:
    """The vertices after the first, and the brush's width at 256 × 256 pixels."""
    count = dice.whole(*VERTICES)
    low = TURN - dice.between(0, TURN_RANGE)
    high = TURN + dice.between(0, TURN_RANGE)
    reach = math.hypot(height, width) / 8
    path = [here]
    for index in range(count):
        angle = dice.between(low, high)
        angle = 2 * math.pi - angle if index % 2 == 0 else angle
        length = min(max(dice.normal(reach, reach / 2), 0.0), 2 * reach)
        x = round(path[-1][0] + length * math.cos(angle))
        y = round(path[-1][1] + length * math.sin(angle))
        path.append((min(max(x, 0), width - 1), min(max(y, 0), height - 1)))
    return path[1:], dice.whole(*BRUSH_WIDTH)


def draw_segment(canvas: Mask, start: Point, end: Point, brush_width: int) -> None:
    """A straight line from pixel to pixel with round ends."""
    (ax, ay), (bx, by) = start, end
    draw_disc(canvas, 2 * ax + 1, 2 * ay + 1, brush_width)
    draw_disc(canvas, 2 * bx + 1, 2 * by + 1, brush_width)
    length = math.sqrt((bx - ax) ** 2 + (by - ay) ** 2)
    if length > 0:
        across = np.array([ay - by, bx - ax]) * (brush_width / 2 / length)
        first, second = np.array([ax + 0.5, ay + 0.5]), np.array([bx + 0.5, by + 0.5])
        corners = [first + across, second + across, second - across, first - across]
        draw_polygon(canvas, np.array(corners))


def _shortened(before: Mask, start: Point, end: Point, brush_width: int, area: int) -> Mask:
    """The canvas with as much of the segment as comes nearest to the area."""
    (ax, ay), (bx, by) = start, end
    steps = max(abs(bx - ax), abs(by - ay))

    def painted(step: int) -> Mask:
        canvas = before.copy()
        if step >= 0:
            part = step / max(steps, 1)
            stop = round(ax + (bx - ax) * part), round(ay + (by - ay) * part)
            draw_segment(canvas, start, stop, brush_width)
        return canvas

    low, high = -1, steps  # at -1 nothing is painted, at the last step it is enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if np.count_nonzero(painted(middle)) < area else (low, middle)
    return min(
        (painted(low), painted(high)), key=lambda canvas: abs(np.count_nonzero(canvas) - area)
    )
