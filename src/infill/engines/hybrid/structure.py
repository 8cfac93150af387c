"""How much the network has to say on a hole, and what: a guide for the patch synthesis."""

from math import sqrt
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.engines.pocket import looks

if TYPE_CHECKING:
    from infill.engines.exemplar.guide import Guide

SIDE = 256  # pixels a side at which the network sees the hole and its surroundings
SHALLOW, DEEP = 5.0, 20.0  # pixels; see `how_much`
LEAST = 0.05  # of the full amount; less is not worth a look
PULL = 0.9
BLUR = 6.0  # pixels of what the network saw
SLACK = 10  # grey levels


def how_much(mask: NDArray[np.bool_]) -> float:
    """What a hole asks for, from 0 to 1, by its depth: how far its innermost pixel lies from what
    is known.

    0 up to `SHALLOW`: what belongs into a scratch lies beside it. 1 from `DEEP` on: there patches
    alone do not know what they should continue. mask: (H, W) bool, True = hole.
    """
    depth = float(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5).max())
    return min(max((depth - SHALLOW) / (DEEP - SHALLOW), 0.0), 1.0)


def look(pixels: NDArray[np.float32], mask: NDArray[np.bool_], amount: float) -> looks.Look | None:
    """What the network sees in a hole; None where it counts too little for that.

    pixels, mask: as in `infill.engines.base.Engine.fill`.
    """
    return looks.look(pixels, mask, SIDE) if amount >= LEAST else None


def guide(seen: looks.Look, amount: float) -> "Guide":
    """The guide that comes of a look. amount: as a multiple of the usual one."""
    from infill.engines.exemplar.guide import Guide  # it loads Numba

    small, crop = seen.small, seen.frame.crop
    scale = sqrt(crop.area / (small.shape[0] * small.shape[1]))
    return Guide(small, BLUR * max(1.0, scale), amount * PULL, SLACK)
