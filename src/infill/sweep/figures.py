"""What is measured of one fill: closeness to what it was to be, seam, network calls.

What an engine was to make is known only of those that can say it, by their method `goal`.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill import composite, geometry, pieces, regions
from infill.engines import base
from infill.engines.base import Engine
from infill.geometry import Frame
from infill.picture import Picture

KEYS = ("target_psnr", "target_mae")


def closeness(
    engine: Engine,
    options: Any,
    photo: Picture,
    filled: Picture,
    hole: NDArray[np.bool_],
    blend: float = 0.0,
) -> dict[str, float]:
    """`target_psnr` in dB and `target_mae` in [0, 1], over the hole pixels that have a goal.

    The engine's method `goal` is asked about each region as `fill` saw it, and what it says is
    brought back to the photo's own pixels, where the finished picture is compared with it:
    with d the differences of all three channels, PSNR = 10 log10(1 / mean d²), MAE = mean |d|.

    options: the engine's, made by `make_options`.
    Both are NaN for an engine without `goal`, and where it has none for any pixel of the hole;
    `target_psnr` is infinite for an exact match.
    """
    found = [
        part for part in _differences(engine, options, photo, filled, hole, blend) if part.size
    ]
    if not found:
        return dict.fromkeys(KEYS, math.nan)
    off = np.concatenate(found).astype(np.float64)
    square = float(np.square(off).mean())
    psnr = -10 * math.log10(square) if square > 0 else math.inf
    return dict(zip(KEYS, (psnr, float(np.abs(off).mean())), strict=True))


def _differences(
    engine: Engine,
    options: Any,
    photo: Picture,
    filled: Picture,
    hole: NDArray[np.bool_],
    blend: float,
) -> list[NDArray[np.float32]]:
    """Fill minus goal, (n, 3) float32, for each region of the photo."""
    if not hasattr(engine, "goal"):
        return []
    rule = base.size_rule(engine, options)
    wide = composite.widened(hole, blend)
    parts = regions.plan(wide, rule)
    found = []
    for index in range(len(parts)):
        region, blank = pieces.look(wide, photo, parts, index, rule)
        frame = Frame.of(region.crop, rule, hole.shape[:2])
        # What earlier regions filled is in the finished picture; what was hidden is hidden again.
        crop = composite.to_float(filled.pixels[region.crop.slices])
        shown, hidden = frame.bring_hidden(np.where(blank[..., None], np.float32(0), crop), blank)
        local = base.localised(engine, options, frame, region.largest)
        goal, where = engine.goal(shown, hidden, local)
        inside = region.hole.within(region.crop)
        goal = frame.back(np.asarray(goal, np.float32))[inside]
        share = frame.back(np.repeat(where[..., None], 3, axis=2).astype(np.float32))
        compared = (share[..., 0] > 0.5)[inside] & hole[region.hole.slices]
        found.append((crop[inside] - goal)[compared])
    return found


def calls(engine: Engine, options: Any, hole: NDArray[np.bool_], blend: float = 0.0) -> int | None:
    """How often a network was called in all, or None for an engine that does not say.

    An engine with a network may have a method `calls(options) -> int`: of one region.
    """
    count = getattr(engine, "calls", None)
    if count is None:
        return None
    parts = regions.plan(composite.widened(hole, blend), base.size_rule(engine, options))
    return int(count(options)) * len(parts)


def seam_of(filled: Picture, hole: NDArray[np.bool_]) -> Mapping[str, float]:
    """`{"seam": ...}` of a finished picture; see `infill.metrics.seam`."""
    from infill.metrics.base import to_unit
    from infill.metrics.seam import REACH, seam

    around = geometry.bounds(hole).grown(REACH + 1, (hole.shape[0], hole.shape[1])).slices
    return {"seam": seam(to_unit(filled.pixels[around]), hole[around])}
