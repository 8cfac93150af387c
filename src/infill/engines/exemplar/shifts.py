"""The shifts at which a photo repeats itself (He and Sun 2012)."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.engines.exemplar.field import improve, start_at_random
from infill.engines.exemplar.level import Level, halved
from infill.engines.exemplar.workers import Workers

KEPT = 32  # dominant shifts that are handed on
PASSES = 3
ENOUGH = 12_000  # known patches; a level with more is halved first, its shifts doubled after


def dominant_shifts(level: Level, seed: int, workers: Workers) -> NDArray[np.int32]:
    """The most common shifts (dy, dx) between like patches of the known part, best first.

    He and Sun 2012, section 3: every known patch is matched with the known patch most like it
    that is at least a fifteenth of the longer side away; the histogram of the shifts, smoothed,
    has its peaks where the photo repeats itself. Returns (K, 2) int32, K <= 32, maybe 0.
    """
    known = level.sources()
    if known.size > ENOUGH and (smaller := halved(level, workers)) is not None:
        return 2 * dominant_shifts(smaller, seed, workers)
    apart = max(8, max(level.width, level.height) // 15)
    target_at = np.full(level.target_at.size, -1, np.int32)
    target_at[known] = np.arange(known.size, dtype=np.int32)
    matched = replace(
        level,
        targets=known,
        target_at=target_at,
        source=known,
        distance=np.full(known.size, 2**30, np.int32),
        pull=0,
    )
    start_at_random(matched, seed)
    reach = max(level.width, level.height)
    for turn in range(PASSES):
        improve(
            matched,
            workers,
            turn=turn,
            seed=seed,
            reach=reach,
            tries=6,
            apart=apart,
            stale=turn == 0,
        )
    y, x = np.divmod(known, level.width)
    sy, sx = np.divmod(matched.source, level.width)
    near = (abs(sy - y) < apart) & (abs(sx - x) < apart)  # random starts that nothing replaced
    return _peaks((sy - y)[~near], (sx - x)[~near], level.height, level.width)


def _peaks(
    dy: NDArray[np.int32], dx: NDArray[np.int32], height: int, width: int
) -> NDArray[np.int32]:
    histogram = np.bincount(
        (dy + height) * (2 * width + 1) + dx + width,
        minlength=(2 * height + 1) * (2 * width + 1),
    ).reshape(2 * height + 1, 2 * width + 1)
    smooth = cv2.GaussianBlur(histogram.astype(np.float32), (0, 0), 1.4)
    top = smooth == cv2.dilate(smooth, np.ones((9, 9), np.uint8))
    top &= smooth > 0
    at = np.flatnonzero(top)
    order = np.argsort(-smooth.reshape(-1)[at], kind="stable")[:KEPT]
    y, x = np.divmod(at[order], 2 * width + 1)
    return np.stack([y - height, x - width], 1).astype(np.int32)
