"""Gain and offset of each channel of a rendition against the photo, over the known pixels."""

import numpy as np
from numpy.typing import NDArray

from infill.drift.levels import Level, Motion, Plane, blur

SIDE = 128  # longest side of the copy on which colours are compared
SOFT, BROAD = 1.5, 8.0  # pixels of the copy, and of the photo: colours are compared blurred by
# the wider of them, as a decoder's blur takes contrast from fine detail and is no gain
SPREAD = 8.0 / 255  # known pixels of a channel that spread less than this tell no gain
ROUNDS = 6

Triple = tuple[float, float, float]


def colour(level: Level, motion: Motion) -> tuple[Triple, Triple, float]:
    """Gain (3,), offset (3,) and the median difference that is left, all of pixels in [0, 1].

    Cells in which the rendition is clipped tell nothing of the gain and are left out, unless
    nearly all are.
    """
    photo, rendition, clipped, weight = _palette(level, motion)
    fits, off = [], []
    for channel in range(3):
        one, other = photo[:, channel], rendition[:, channel]
        open_ = clipped[:, channel] < 0.02
        if np.count_nonzero(open_) < 0.1 * len(open_):
            open_ = np.ones(len(open_), bool)
        gain, offset = _line(one[open_], other[open_], weight[open_])
        fits.append((gain, offset))
        off.append(np.abs(other[open_] - (gain * one[open_] + offset)) / max(abs(gain), 0.1))
    gains, offsets = zip(*fits, strict=True)
    return gains, offsets, max(float(np.median(channel)) for channel in off)


def _palette(level: Level, motion: Motion) -> tuple[Plane, Plane, Plane, Plane]:
    """Colours of the photo and of the rendition (n, 3) of the same places, share clipped, weight.

    The rendition is put back on the finest copy, and both are made small and blurred after that
    with the same cells left out: resampling takes contrast from fine detail, as decoders do.
    """
    import cv2

    share = np.maximum(level.known, 1e-6)[..., None]
    for least in (0.98, 0.5, 0.0):  # cells that are known in part are the last resort
        whole = (level.known > least).astype(np.float32)
        joint = whole * (level.back(whole, motion) > 0.999)
        if np.count_nonzero(joint) >= 20:
            break
    planes = [
        level.photo / share,
        level.back(level.rendition / share, motion),
        level.back(level.clipped, motion),
    ]
    ratio = min(1.0, SIDE / max(level.shape))
    size = (max(1, round(level.shape[1] * ratio)), max(1, round(level.shape[0] * ratio)))

    sigma = max(SOFT, BROAD * ratio / max(level.factor))

    def small(plane: Plane) -> Plane:
        return blur(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), sigma)

    total = small(joint)
    use = total > min(0.5, 0.9 * float(total.max()))
    near = cv2.resize(level.near, size, interpolation=cv2.INTER_AREA)[use]
    parts = [small(plane * joint[..., None])[use] / total[use, None] for plane in planes]
    return parts[0], parts[1], parts[2], near


def _line(
    one: NDArray[np.float32], other: NDArray[np.float32], weight: NDArray[np.float32]
) -> tuple[float, float]:
    """Gain and offset of `other` over `one`, each (n,): trimmed weighted least squares.

    Begins at the median slope between the halves of `one` in order (Theil's incomplete method),
    then fits again and again what lies within 2.5 robust standard deviations.
    """
    low, high = np.percentile(one, (5, 95))
    if high - low < SPREAD or len(one) < 20:
        return 1.0, float(np.median(other - one))
    order, half = np.argsort(one, kind="stable"), len(one) // 2
    lower, upper = order[:half], order[-half:]
    rise = one[upper] - one[lower]
    plain = rise > 0.2 * (high - low)
    gain = float(np.median((other[upper] - other[lower])[plain] / rise[plain]))
    offset = float(np.median(other - gain * one))
    for _ in range(ROUNDS):
        off = np.abs(other - gain * one - offset)
        trust = weight * (off <= 2.5 * 1.48 * np.median(off) + 0.5 / 255)
        total = float(trust.sum())
        middle, level = float(trust @ one) / total, float(trust @ other) / total
        variance = float(trust @ (one - middle) ** 2)
        if variance / total < (SPREAD / 8) ** 2:
            break
        gain = float(trust @ ((one - middle) * (other - level))) / variance
        offset = level - gain * middle
    return gain, offset
