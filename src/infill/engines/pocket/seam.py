"""Makes a rendition meet the photo: what it is off by at the hole's rim, taken back inside."""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SMOOTHING = (2.0, 4.0)  # pixels; what `_spread` leaves at the edges of its squares


def met(rendition: Floats, pixels: Floats, mask: NDArray[np.bool_]) -> Floats:
    """`rendition` with a smooth correction in the hole, so that no seam shows.

    rendition, pixels: (H, W, 3) float32 in [0, 1]; mask: (H, W) bool, True = hole, and some are
    False. Outside the hole the difference of the two is known; inside it is spread from there.
    Returns (H, W, 3) float32 in [0, 1], a new array, the photo's own pixels outside.
    """
    away = np.where(mask[..., None], np.float32(0), pixels - rendition)
    inside = _spread(away, (~mask).astype(np.float32))
    for width in SMOOTHING:
        blurred = cv2.GaussianBlur(inside, (0, 0), width)
        inside = np.where(mask[..., None], blurred, away)
    return np.clip(np.where(mask[..., None], rendition + inside, pixels), 0, 1, dtype=np.float32)


def _spread(values: Floats, known: Floats) -> Floats:
    """`values` with means of known ones, of the smallest square that has some, where none is.

    Push and pull over a pyramid of halves (Gortler et al. 1996, The Lumigraph, section 3.4).
    values: (h, w, 3), 0 where `known`, (h, w) in [0, 1], is 0.
    """
    height, width = known.shape
    if known.min() > 0 or max(height, width) == 1:
        return values
    half = ((width + 1) // 2, (height + 1) // 2)
    share = cv2.resize(known, half, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(values * known[..., None], half, interpolation=cv2.INTER_AREA)
    means = sums / np.maximum(share, 1e-6)[..., None]
    coarse = _spread(means.astype(np.float32), np.minimum(4 * share, 1).astype(np.float32))
    wide = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(known[..., None] > 0, values, wide)
