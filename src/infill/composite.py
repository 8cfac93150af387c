"""The way between a photo's own depth and the floats of an engine, and the promise.

Only hole pixels are written; a blend band around them only if it was asked for. `prove`
measures on the finished arrays that nothing else changed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infill.errors import EngineFailed
from infill.geometry import Box, strips

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
RING = 4  # pixels on either side of a hole's border that `match_colour` compares


@dataclass(frozen=True)
class Proof:
    """What was measured on the finished picture outside the mask (and the blend band).

    outside_max_diff: largest difference of any channel or alpha, in steps of the photo's own
                      depth. It is 0: a fill that is not raises instead of returning.
    outside_pixels:   how many pixels were compared.
    """

    outside_max_diff: int
    outside_pixels: int


def to_float(pixels: Pixels) -> NDArray[np.float32]:
    """(..., 3) uint8 or uint16 as float32 in [0, 1], a new array; undone by `to_depth`."""
    scale = np.float32(1.0 / np.iinfo(pixels.dtype).max)
    return np.multiply(pixels, scale, dtype=np.float32)


def to_depth(filled: NDArray[np.floating], like: Pixels, *, grey: bool = False) -> Pixels:
    """Float [0, 1] (..., 3) at the depth of `like`: clipped, then rounded to the nearest step.

    Half a step rounds to the even one. grey: the three channels become their mean, equal.
    """
    top = np.iinfo(like.dtype).max
    scaled = np.multiply(filled, np.float32(top), dtype=np.float32)
    if grey:
        scaled[...] = scaled.mean(axis=-1, keepdims=True)
    np.clip(np.rint(scaled, out=scaled), 0, top, out=scaled)
    rounded: Pixels = scaled.astype(like.dtype)
    return rounded


def paste(
    canvas: Pixels,
    box: Box,
    filled: NDArray[np.floating],
    weight: NDArray[np.bool_] | NDArray[np.float32],
    *,
    grey: bool = False,
) -> None:
    """Write `filled` (h, w, 3), float in [0, 1], into `box` of `canvas` (H, W, 3), in place.

    weight: (h, w): bool = there and nowhere else; or float32 in [0, 1], where 1 takes the fill,
            0 keeps the canvas and what lies between mixes the two before rounding.
    """
    part = canvas[box.slices]
    with np.errstate(invalid="ignore"):  # NaN is allowed where the weight is 0
        if weight.dtype != np.bool_:
            share = weight[..., None]
            filled = share * filled + (1 - share) * to_float(part)
        new = to_depth(filled, canvas, grey=grey)
    np.copyto(part, new, where=(weight > 0)[..., None])


def widened(mask: NDArray[np.bool_], band: float) -> NDArray[np.bool_]:
    """`mask` and every pixel whose centre lies within `band` pixels of a hole pixel's."""
    if band <= 0:
        return mask
    wide = mask.copy()
    reach = int(band) + 1
    for rows in strips(len(mask), 256):
        above = max(0, rows.start - reach)
        near = mask[above : rows.stop + reach]
        if near.any():
            wide[rows] |= (_distance(near) <= band)[rows.start - above :][: rows.stop - rows.start]
    return wide


def band_weight(mask: NDArray[np.bool_], box: Box, band: float) -> NDArray[np.float32]:
    """(h, w) float32 of `box`: 1 in the hole, falling evenly to 0 just beyond `band` pixels.

    So a pixel one step outside the hole has 1 − 1/(band + 1), and only those that `widened`
    adds have any weight.
    """
    around = box.grown(int(band) + 1, (mask.shape[0], mask.shape[1]))
    near = mask[around.slices]
    if not near.any():
        return np.zeros((box.height, box.width), np.float32)
    away = _distance(near)[box.within(around)]
    weight = np.maximum(0, 1 - away / np.float32(band + 1), dtype=np.float32)
    weight[away > band] = 0
    return weight


def match_colour(
    filled: NDArray[np.floating], photo: NDArray[np.float32], hole: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Shift each hole's fill so that its rim has the mean colour of the photo around it.

    filled: (H, W, 3) float in [0, 1], what the engine made; read inside the hole alone.
    photo:  (H, W, 3) float32 in [0, 1], read within RING pixels outside the hole.
    hole:   (H, W) bool. Each connected hole (8 neighbours) has a shift of its own.
    Returns a new (H, W, 3) float32 array; outside the hole it is `filled`.
    """
    import cv2

    matched = filled.astype(np.float32)
    view = hole.view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(view, connectivity=8)
    shape = (hole.shape[0], hole.shape[1])
    for label in range(1, count):
        left, top, width, height, _ = (int(number) for number in stats[label])
        around = Box(top, left, top + height, left + width).grown(RING, shape).slices
        mine = labels[around] == label
        rim = mine & (_distance(~mine) <= RING)
        ring = ~hole[around] & (_distance(mine) <= RING)
        if ring.any() and rim.any():
            shift = photo[around][ring].mean(axis=0) - filled[around][rim].mean(axis=0)
            matched[around][mine] += shift
    return matched


def prove(
    before: Pixels,
    after: Pixels,
    changed: NDArray[np.bool_],
    alpha_before: Pixels | None = None,
    alpha_after: Pixels | None = None,
) -> Proof:
    """Compare two pictures wherever `changed` (H, W) is False: pixels, and alpha if there is.

    Works in strips, without full-size temporaries. Raises `EngineFailed` if any differs.
    """
    pairs = [(before, after)]
    if alpha_before is not None or alpha_after is not None:
        if alpha_before is None or alpha_after is None:
            raise EngineFailed("the fill lost the photo's alpha channel; nothing was returned")
        pairs.append((alpha_before, alpha_after))
    largest = 0
    for one, other in pairs:
        if one.shape != other.shape or one.dtype != other.dtype:
            raise EngineFailed("the fill changed the photo's size or depth; nothing was returned")
        largest = max(largest, *(_outside(one[r], other[r], changed[r]) for r in strips(len(one))))
    if largest:
        raise EngineFailed(
            f"the fill changed pixels outside the mask by up to {largest} steps; "
            "nothing was returned, please report this"
        )
    return Proof(largest, changed.size - int(np.count_nonzero(changed)))


def _outside(one: Pixels, other: Pixels, changed: NDArray[np.bool_]) -> int:
    """Largest difference of two strips where `changed` is False."""
    import cv2

    if not cv2.norm(one, other, cv2.NORM_INF):
        return 0
    return int(cv2.norm(one, other, cv2.NORM_INF, (~changed).view(np.uint8)))


def _distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Euclidean distance in pixels from each pixel to the nearest True one (0 there).

    Infinite where there is none. Felzenszwalb & Huttenlocher 2012, as OpenCV implements it.
    """
    import cv2

    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    away = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away, np.float32)
