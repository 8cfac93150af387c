"""The light of the target brought nearer to that of the scene."""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

REACH = 0.25  # how far around hole and object is looked, of the square root of their areas
NEAREST = 3  # pixels that are looked at in any case
ENOUGH = 12  # pixels without which nothing can be said
SHARE = 0.5  # of the difference in stops that is taken for light; surfaces differ, too
BRIGHTER = 2.0  # times, at most, and as much darker
TINTED = 1.1  # times, at most, of one channel against brightness
FLOOR = 1 / 255  # below it a colour says nothing
LUMA = np.array((0.299, 0.587, 0.114))  # ITU-R BT.601


def harmonised(
    target: Floats, thing: Mask, shown: Mask, scene: Floats, hole: Mask
) -> tuple[Floats, NDArray[np.float64]]:
    """The target in the scene's light, and the gains of its three channels.

    target: (H, W, 3) float32 in [0, 1], already at its place in the scene's frame.
    thing:  (H, W) bool, the object in it. shown: where the frame lies on the target at all.
    scene:  (H, W, 3) float32 in [0, 1]. hole: (H, W) bool, where it is not known.

    What surrounds the object in the target is compared with what surrounds the hole in the
    scene, as both stand in the same light as the object did and will. Half the difference (in
    stops) counts for the light; brightness changes by at most twice or half, and the balance of
    colours by a tenth. Where the target shows nothing around the object, the object itself is
    compared. Gains act on the coded values, so black stays black.
    """
    around_hole = _around(hole) & ~hole
    around_thing = _around(thing) & shown & ~thing
    compared = around_thing if np.count_nonzero(around_thing) >= ENOUGH else thing & shown
    if min(np.count_nonzero(around_hole), np.count_nonzero(compared)) < ENOUGH:
        return target, np.ones(3)
    wanted, found = (
        np.maximum(pixels[where].astype(np.float64).mean(0), FLOOR)
        for pixels, where in ((scene, around_hole), (target, compared))
    )
    brightness = float((wanted @ LUMA) / (found @ LUMA))
    tint = (wanted / found) / brightness
    light = np.clip(brightness**SHARE, 1 / BRIGHTER, BRIGHTER)
    gains = light * np.clip(tint**SHARE, 1 / TINTED, TINTED)
    return np.clip(target * gains, 0, 1).astype(np.float32), gains


def _around(mask: Mask) -> Mask:
    """`mask` and what lies within a quarter of its size of it."""
    import cv2

    if not mask.any():
        return mask
    reach = max(NEAREST, REACH * float(np.sqrt(np.count_nonzero(mask))))
    away = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away) <= reach
