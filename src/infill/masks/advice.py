"""Whether a mask looks incomplete: what it leaves of the object, and a mask that has it.

A fill copies what surrounds the hole. A rim of the object's colour that is left there, or its
shadow, is copied into the fill, and the object seems to be still there.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.masks.amount import size
from infill.masks.morphology import fill_holes, grow
from infill.masks.parse import Mask

Floats = NDArray[np.float32]

LONGEST = 512  # pixels: larger photos are looked at reduced; shadows and rims are still seen
NEAR = 8  # pixels of context around the mask's outline on each side, in the reduced photo
CONTRAST = 22.0  # Lab distance between object and surround below which no rim can be told
RIM = 0.5  # part of the outline that must look like the object two pixels outside it
CLEAN = 0.25  # part that may be left once the rim is gone
DARK = (0.25, 0.85)  # a shadow's lightness, of the surround's
CHROMA = 10.0  # Lab units by which a shadow's hue may differ from the surround's
ALIKE = 0.75  # correlation of a reflection with the mirrored object


@dataclass(frozen=True, eq=False)
class Advice:
    """What is wrong, in one sentence, and the mask (H, W) bool, True = hole, that mends it."""

    kind: Literal["rim", "shadow", "reflection"]
    sentence: str
    mask: Mask


def advise(pixels: NDArray[np.uint8], mask: Mask) -> list[Advice]:
    """What the mask seems to have missed, at most one of each kind; empty if it looks whole.

    pixels: (H, W, 3) uint8 RGB. mask: (H, W) bool, True = hole.
    """
    if not mask.any() or mask.all() or min(mask.shape) < 32:
        return []
    shrink = max(1.0, max(mask.shape) / LONGEST)
    shape = (max(1, round(mask.shape[1] / shrink)), max(1, round(mask.shape[0] / shrink)))
    small = cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    reduced = cv2.resize(mask.astype(np.uint8), shape, interpolation=cv2.INTER_AREA) > 0
    found = [_rim(lab, reduced, mask, shrink)]
    low = _shadow(lab, reduced) or _reflection(lab, reduced)
    if low is not None:
        kind, region = low
        whole = cv2.resize(
            region.astype(np.uint8), mask.shape[::-1], interpolation=cv2.INTER_LINEAR
        )
        sentence = {
            "shadow": "a shadow seems to hang on the object; mask it too, or it stays",
            "reflection": "the object seems to be mirrored below; mask that too, or it stays",
        }[kind]
        found.append(Advice(kind, sentence, mask | grow(whole > 0, 2 * shrink)))
    return [advice for advice in found if advice is not None]


def _rim(lab: Floats, reduced: Mask, mask: Mask, shrink: float) -> Advice | None:
    """Whether the photo just outside the mask looks like the object and not like what is beyond."""
    outside = cv2.distanceTransform((~reduced).astype(np.uint8), cv2.DIST_L2, 5)
    inside = cv2.distanceTransform(reduced.astype(np.uint8), cv2.DIST_L2, 5)
    own = _local_mean(lab, (inside > 1) & (inside <= NEAR), 2 * NEAR + 1)
    beyond = _local_mean(lab, (outside > 2 * NEAR) & (outside <= 3 * NEAR), 6 * NEAR + 1)
    if own is None or beyond is None:
        return None
    told = np.linalg.norm(own - beyond, axis=2) > CONTRAST
    like = np.linalg.norm(lab - own, axis=2) < 0.6 * np.linalg.norm(lab - beyond, axis=2)

    def share(distance: int) -> float:
        ring = told & (outside > distance - 0.7) & (outside <= distance + 0.7)
        whole = (outside > distance - 0.7) & (outside <= distance + 0.7)
        return float(like[ring].mean()) if ring.sum() > 0.2 * whole.sum() else 0.0

    if share(2) < RIM:
        return None
    wide = next((d for d in range(3, 2 * NEAR) if share(d) < CLEAN), 0)
    if not wide:
        return None  # it does not end near by: more of the same thing, and no rim
    pixels = round((wide + 1) * shrink)
    sentence = f"a rim of the object's colour is left around the mask; grow it by {pixels} pixels"
    return Advice("rim", sentence, grow(mask, pixels))


def _shadow(lab: Floats, reduced: Mask) -> tuple[Literal["shadow"], Mask] | None:
    """What hangs on the mask, is darker than the surround and of its hue."""
    reach = max(2.0 * NEAR, 0.5 * size(reduced))
    outside = cv2.distanceTransform((~reduced).astype(np.uint8), cv2.DIST_L2, 5)
    window = 2 * round(1.5 * reach) + 1
    surround = _local_mean(lab, (outside > 0.6 * reach) & (outside <= 1.6 * reach), window)
    if surround is None:
        return None
    ratio = (lab[..., 0] + 1) / (surround[..., 0] + 1)
    # In the shade colours fade with the light.
    faded = surround[..., 1:] * np.minimum(ratio, 1)[..., None]
    hue = np.linalg.norm(lab[..., 1:] - faded, axis=2)
    dark = (ratio > DARK[0]) & (ratio < DARK[1]) & (hue < CHROMA) & (surround[..., 0] > 25)
    dark &= (outside > 0) & (outside <= reach)
    kernel = np.ones((3, 3), np.uint8)
    opened = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    region = _attached(opened > 0, reduced)
    if region is None or (region & (outside > reach - 2)).sum() > 0.4 * size(region):
        return None  # a shadow ends: what the search cut off is a dark ground
    return "shadow", region


def _attached(dark: Mask, reduced: Mask) -> Mask | None:
    """The largest part that touches the mask from below, if it is neither a speck nor a field."""
    _count, label, stats, centre = cv2.connectedComponentsWithStats(dark.astype(np.uint8))
    touching = np.unique(label[grow(reduced, 3) & ~reduced & dark])
    rows = np.flatnonzero(reduced.any(axis=1))
    middle = (rows[0] + rows[-1]) / 2
    best = None
    for part in (int(number) for number in touching if number):
        area = stats[part, cv2.CC_STAT_AREA]
        low = centre[part][1] > middle
        contact = (grow(label == part, 3) & reduced).sum() > 0.3 * size(reduced)
        fits = 0.03 * reduced.sum() < area < 0.8 * reduced.sum()
        if low and contact and fits and (best is None or area > best[0]):
            best = (area, part)
    if best is None:
        return None
    return fill_holes(label == best[1])


def _reflection(lab: Floats, reduced: Mask) -> tuple[Literal["reflection"], Mask] | None:
    """The object upside down below its own bottom line."""
    rows, columns = (np.flatnonzero(reduced.any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    height = min(bottom - top, lab.shape[0] - bottom)
    if height < 16 or right - left < 16:
        return None
    shape = reduced[bottom - height : bottom, left:right][::-1]
    above = lab[bottom - height : bottom, left:right, 0][::-1]
    below = lab[bottom : bottom + height, left:right, 0]
    if shape.sum() < 200 or _correlation(above[shape], below[shape]) < ALIKE:
        return None
    region = np.zeros_like(reduced)
    region[bottom : bottom + height, left:right] = shape
    return "reflection", region


def _correlation(first: Floats, second: Floats) -> float:
    a, b = first - first.mean(), second - second.mean()
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / spread if spread > 1e-3 else 0.0


def _local_mean(lab: Floats, where: Mask, window: int) -> Floats | None:
    """The mean of `lab` where it counts, in a window around each pixel; None if that is nowhere."""
    if not where.any():
        return None
    weight = where.astype(np.float32)
    share = cv2.blur(weight, (window, window))
    total = cv2.blur(lab * weight[..., None], (window, window))
    mean = lab[where].mean(axis=0)
    local = total / np.maximum(share, 1e-6)[..., None]
    return np.where(share[..., None] > 1e-5, local, mean).astype(np.float32)
