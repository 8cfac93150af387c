"""The four masks of a sample from three arrays: photo, clean picture, coverage of the object.

Masks are bool (H, W), True = part of the mask. No Blender here.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

VISIBLE = 5.0  # grey levels (of 255), after a little smoothing, that an eye can see side by side
SPECK = 40  # pixels at 1024 wide: smaller changed islands are noise
MARGIN = 16.0  # of the loose mask, pixels at 1024 wide
TIGHT = 5.0  # of the mask that forgets the shadow


def disc(radius: float) -> Any:
    """The structuring element of all offsets within `radius`, uint8."""
    reach = int(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return (x * x + y * y <= radius * radius).astype(np.uint8)


def grow(mask: Any, radius: float) -> Any:
    """All pixels within `radius` of the mask."""
    return cv2.dilate(mask.astype(np.uint8), disc(radius), borderValue=0) > 0


def closed(mask: Any, radius: float) -> Any:
    """The mask with gaps and bays narrower than 2 × `radius` filled."""
    reach = int(radius) + 1
    wide = np.pad(mask.astype(np.uint8), reach, mode="edge")
    done = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, disc(radius))
    return done[reach:-reach, reach:-reach] > 0


def without_specks(mask: Any, smallest: int) -> Any:
    """The mask without its 8-connected islands of fewer than `smallest` pixels."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    keep = np.zeros(count, bool)
    keep[1:] = facts[1:, cv2.CC_STAT_AREA] >= smallest
    return keep[labels]


def filled(mask: Any, largest: int) -> Any:
    """The mask with its holes of at most `largest` pixels filled."""
    return ~without_specks(~mask, largest + 1)


def exact(coverage: Any) -> Any:
    """The object's own pixels: those of which it covers half or more. `coverage` in [0, 1]."""
    return coverage >= 0.5


def whole(photo: Any, clean: Any, thing: Any, visible: float = VISIBLE) -> Any:
    """The object and all that it visibly changes.

    photo, clean: uint8 (H, W, 3); thing: the exact mask. The largest difference of the three
    channels, smoothed (sigma 1 pixel at 1024 wide), is compared with `visible`; specks go, pin
    holes are filled.
    """
    scale = photo.shape[1] / 1024
    apart = np.abs(photo.astype(np.float32) - clean.astype(np.float32)).max(axis=2)
    apart = cv2.GaussianBlur(apart, (0, 0), max(0.6, 1.4 * scale))
    changed = apart > visible
    changed = without_specks(changed | thing, max(4, round(SPECK * scale**2)))
    return filled(changed | thing, max(4, round(SPECK * 2 * scale**2))) | thing


def loose(everything: Any, seed: int = 1) -> Any:
    """What a quick hand draws round `everything`: 12 to 20 pixels off, smooth, few corners."""
    scale = everything.shape[1] / 1024
    margin = MARGIN * scale
    # A hand does not follow lone flecks of a reflection, nor thin gaps.
    bulk = without_specks(everything, max(4, round(12 * SPECK * scale**2)))
    if not bulk.any():
        bulk = everything
    bulk = closed(bulk, 26 * scale)
    height, width = everything.shape
    chance = np.random.default_rng(seed)
    coarse = chance.uniform(
        -1,
        1,
        (max(3, height // round(96 * scale + 1) + 2), max(3, width // round(96 * scale + 1) + 2)),
    )
    wobble = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    away = cv2.distanceTransform((~bulk).astype(np.uint8), cv2.DIST_L2, 5)
    line = away - (margin + 2.5 * scale * wobble)
    line = cv2.GaussianBlur(
        np.clip(line, -24 * scale, 24 * scale).astype(np.float32), (0, 0), max(1.0, 7 * scale)
    )
    return (line < 0) | grow(bulk, 8 * scale)


def no_shadow(thing: Any) -> Any:
    """The object with a margin of about 5 pixels, smooth; nothing of its shadow beyond that."""
    scale = thing.shape[1] / 1024
    away = cv2.distanceTransform((~closed(thing, 3 * scale)).astype(np.uint8), cv2.DIST_L2, 5)
    away = cv2.GaussianBlur(away, (0, 0), max(0.6, 1.5 * scale))
    return (away < TIGHT * scale) | grow(thing, 2 * scale)


def changed_part(
    before: Any, after: Any, size: tuple[int, int], least: float = 1.6, margin: float = 0.05
) -> tuple[int, int, int, int]:
    """The rectangle (left, top, right, bottom) of a picture of `size` (H, W) in which a small
    pair of it differs by more than `least` grey levels, with `margin` of its width around."""
    apart = np.abs(before.astype(np.float32) - after.astype(np.float32)).max(axis=2)
    seen = without_specks(cv2.GaussianBlur(apart, (0, 0), 1.2) > least, 8)
    height, width = size
    if not seen.any():
        return (0, 0, width, height)
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    scale, room = width / before.shape[1], margin * width
    return (
        max(0, int(columns[0] * scale - room)),
        max(0, int(rows[0] * scale - room)),
        min(width, int((columns[-1] + 1) * scale + room)),
        min(height, int((rows[-1] + 1) * scale + room)),
    )


def laid_in(photo: Any, part: Any, where: tuple[int, int, int, int], soft: int = 24) -> Any:
    """`part` laid into `photo` at `where`, blended over its outer `soft` pixels.

    No blending at an edge that is the picture's own.
    """
    left, top, right, bottom = where
    height, width = photo.shape[:2]
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    far = np.full(x.shape, soft, np.float32)
    for edge, distance in (
        (left > 0, x - left),
        (right < width, right - 1 - x),
        (top > 0, y - top),
        (bottom < height, bottom - 1 - y),
    ):
        if edge:
            far = np.minimum(far, distance)
    weight = (far / soft)[..., None]
    out = photo.copy()
    under = photo[top:bottom, left:right].astype(np.float32)
    out[top:bottom, left:right] = np.rint(under + (part - under) * weight).astype(np.uint8)
    return out


def four(photo: Any, clean: Any, coverage: Any, seed: int = 1) -> dict[str, Any]:
    """All masks of a sample by name."""
    thing = exact(coverage)
    everything = whole(photo, clean, thing)
    return {
        "object": thing,
        "loose": loose(everything, seed),
        "no-shadow": no_shadow(thing),
        "whole": everything,
    }
