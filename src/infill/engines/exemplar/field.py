"""The nearest-neighbour field of a level: which source patch each target is matched with."""

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.engines.exemplar import kernels
from infill.engines.exemplar.level import Level
from infill.engines.exemplar.simd import RADIUS
from infill.engines.exemplar.workers import Workers

NO_SHIFTS = np.zeros((0, 2), np.int32)
JUMPS = (1, 4, 2, 8)  # pixels to the neighbours whose shifts a pass tries; one pass each in turn


def start_at_random(level: Level, seed: int) -> None:
    """Match every target with some source."""
    sources = level.sources()
    rng = np.random.default_rng(seed)
    level.source = sources[rng.integers(0, sources.size, level.targets.size)]


def start_from(level: Level, coarser: Level) -> None:
    """Match every target as the field of the next `coarser` level says, at twice the shift."""
    width, height = level.width, level.height
    y, x = np.divmod(level.targets, width)
    # A target's own place, halved, may be no target there: then the nearest one is asked.
    at = np.clip(y // 2, RADIUS, coarser.height - RADIUS - 1) * coarser.width
    at += np.clip(x // 2, RADIUS, coarser.width - RADIUS - 1)
    j = coarser.target_at[at]
    if (j < 0).any():
        j = _nearest(coarser.targets, coarser.height, coarser.width)[at]
    from_y, from_x = np.divmod(coarser.source[j], coarser.width)
    to_y, to_x = np.divmod(coarser.targets[j], coarser.width)
    source_y = np.clip(y + 2 * (from_y - to_y), RADIUS, height - RADIUS - 1)
    source_x = np.clip(x + 2 * (from_x - to_x), RADIUS, width - RADIUS - 1)
    source = source_y * width + source_x
    lost = level.usable[source] == 0
    if lost.any():
        sources = level.sources()
        source[lost] = sources[_nearest(sources, height, width)[source[lost]]]
    level.source = source.astype(np.int32)


def improve(
    level: Level,
    workers: Workers,
    *,
    turn: int,
    seed: int,
    reach: int,
    tries: int,
    shifts: NDArray[np.int32] = NO_SHIFTS,
    shift_tries: int = 0,
    apart: int = 0,
    stale: bool = True,
    image: NDArray[np.uint8] | None = None,
) -> None:
    """One pass of `kernels.search` over all targets; `turn` chooses how far it jumps."""
    source = np.empty_like(level.source)
    distance = np.empty_like(level.distance)
    workers.run(
        kernels.search,
        level.targets.size,
        level.flat if image is None else image,
        level.low,
        level.width,
        level.height,
        level.targets,
        level.target_at,
        level.usable,
        level.source,
        level.distance,
        source,
        distance,
        after=(
            JUMPS[turn % len(JUMPS)],
            reach,
            tries,
            shifts,
            shift_tries if len(shifts) else 0,
            apart,
            stale,
            level.pull,
            level.slack,
            (seed + 0x9E3779B1 * (turn + 1)) % 2**32,
        ),
    )
    level.source, level.distance = source, distance


def vote(level: Level, workers: Workers, *, confidence: float, likeness: float | None) -> None:
    """Set the hole's pixels by the votes of the patches over them (Wexler et al. 2007).

    A patch's vote counts confidence ** -depth, depth in pixels from the hole's border, times
    exp(-d / (likeness * d75)), d75 being the 75th percentile of all distances d (Newson et al.
    2014, equation 6); without `likeness` distances don't count.
    """
    trust = np.power(np.float32(confidence), -level.depth[level.targets])
    # However deep, a pixel has as much to say as its neighbours: no weight may vanish.
    np.maximum(trust, np.float32(1e-12), out=trust)
    weight = trust
    if likeness is not None:
        weight = np.empty_like(trust)
        kth = level.distance.size * 3 // 4
        common = max(float(np.partition(level.distance, kth)[kth]) * likeness, 1.0)
        workers.run(
            kernels.weigh,
            trust.size,
            level.distance,
            trust,
            np.float32(1 / common),
            weight,
        )
    workers.run(
        kernels.vote,
        level.hole.size,
        level.flat,
        level.width,
        level.height,
        level.hole,
        level.target_at,
        level.source,
        weight,
    )


def copy(level: Level, workers: Workers) -> NDArray[np.int32]:
    """Set each hole pixel to the pixel that it is a copy of; return where those lie.

    int32, flat indices, one per hole pixel; all are known pixels.
    """
    origin = np.empty_like(level.hole)
    workers.run(
        kernels.copy,
        level.hole.size,
        level.flat,
        level.width,
        level.height,
        level.hole,
        level.target_at,
        level.source,
        origin,
    )
    return origin


def _nearest(pixels: NDArray[np.int32], height: int, width: int) -> NDArray[np.int32]:
    """For each pixel of an image the index in `pixels` (flat indices) of the nearest of them."""
    away = np.ones(height * width, np.uint8)
    away[pixels] = 0
    _, label = cv2.distanceTransformWithLabels(
        away.reshape(height, width), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    label = label.reshape(-1)
    index = np.zeros(int(label.max()) + 1, np.int32)
    index[label[pixels]] = np.arange(pixels.size, dtype=np.int32)
    return index[label]
