"""Filling a hole with patches of the photo, from coarse to fine.

1. `level.pyramid`: the photo at full size, half, a quarter ..., each pixel colour and texture.
2. At the coarsest level the hole starts as a smooth guess. Its patches are matched with patches
   of the *smoothed* photo: matching a smooth guess with the photo itself would choose smooth
   patches everywhere.
3. At every level, in turns: match each patch that touches the hole with a whole patch outside it
   (`field.improve`), then set the hole's pixels by the votes of the patches over them
   (`field.vote`). Coarse levels search everywhere, along the shifts at which the photo repeats
   itself too (`shifts.dominant_shifts`), and take many turns; fine levels search near what the
   coarser one found and take few.
4. At full size every pixel is copied, not averaged, and `join.joined` makes the pieces meet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.engines.base import Progress
from infill.engines.exemplar import field
from infill.engines.exemplar.guide import Guide
from infill.engines.exemplar.join import joined
from infill.engines.exemplar.level import Level, pyramid
from infill.engines.exemplar.shifts import dominant_shifts
from infill.engines.exemplar.workers import Workers

if TYPE_CHECKING:
    from infill.engines.exemplar import Options


@dataclass(frozen=True)
class Plan:
    """The measured constants of the method; a tuple has one entry per level, finest first, and
    its last entry serves all coarser ones."""

    texture: float = 14.0  # weight of the texture channel, in grey levels per grey level
    coarsest_depth: float = 16.0  # pixels; see `level.pyramid`
    smoothing: int = 5  # pixels: window of the smoothed photo at the start
    start_turns: int = 8  # of matching alone, at the coarsest level
    start_tries: int = 12
    coarsest_turns: int = 10  # of matching and voting there
    coarsest_tries: int = 10
    turns: tuple[int, ...] = (1, 2, 6, 10)  # at the other levels
    tries: int = 2
    reach: int = 8  # pixels of search around what the coarser level found
    shift_tries: int = 2  # of the photo's dominant shifts, at all levels but the finest
    confidence: tuple[float, ...] = (3.0, 3.0, 2.0)  # fall of a vote's weight per pixel of depth
    likeness: float = 4.0  # see `field.vote`


PLAN = Plan()
LARGE = 100_000  # hole pixels


def synthesise(
    pixels: NDArray[np.float32],
    mask: NDArray[np.bool_],
    *,
    options: "Options",
    seed: int,
    threads: int,
    progress: Progress,
    plan: Plan = PLAN,
    guide: Guide | None = None,
) -> NDArray[np.float32]:
    """`pixels` (H, W, 3) float32 in [0, 1] with the hole of `mask` filled, a new array.

    The same `seed` gives the same bytes with any number of `threads`.
    """
    result = np.array(pixels, np.float32, order="C")  # our own, writeable
    with Workers(threads) as workers:
        progress(0.0, "pyramid")
        levels = pyramid(result, mask, plan.texture * options.texture, plan.coarsest_depth, workers)
        if not levels:  # no whole patch is known
            result[mask] = _nearest_known(result, mask)
            progress(1.0, "copy")
            return result
        if guide is not None:
            guide.lay(levels)
        _fill_levels(levels, plan, options.effort, seed, workers, progress)
        finest = levels[0]
        origin = field.copy(finest, workers)
        colours = result.reshape(-1, 3)
        if options.join:
            progress(0.95, "join")
            colours[finest.hole] = joined(result, finest.hole, origin, mask, workers)
        else:
            colours[finest.hole] = colours[origin]
    progress(1.0, "join")
    return result


def _fill_levels(
    levels: list[Level], plan: Plan, effort: float, seed: int, workers: Workers, progress: Progress
) -> None:
    """Coarse to fine; leaves each level with its field, and all but the finest with its fill."""

    if levels[0].hole.size >= LARGE:
        effort /= 2  # its levels are many, and each begins near its end

    def turns(count: float) -> int:
        return max(1, round(count * effort))

    coarsest = levels[-1]
    work = [4.0**-number * (1 + turns(_at(plan.turns, number))) for number in range(len(levels))]
    done = 0.0

    def tell(number: int, part: float) -> None:
        progress(0.05 + 0.9 * (done + work[number] * part) / sum(work), "match")

    def seed_of(number: int) -> int:
        return (seed + 1000003 * (number + 1)) % 2**32

    shifts = dominant_shifts(coarsest, seed, workers)
    last = len(levels) - 1
    _fill_coarsest(coarsest, last, shifts, plan, turns, seed_of(last), workers, tell)
    done += work[-1]
    for number in range(last - 1, -1, -1):
        level, finest = levels[number], number == 0
        confidence = _at(plan.confidence, number)
        field.start_from(level, levels[number + 1])
        if not finest:
            field.vote(level, workers, confidence=confidence, likeness=None)
        count = turns(_at(plan.turns, number))
        for turn in range(count):
            tell(number, turn / count)
            if finest:  # no averages here: they would be matched with smooth patches
                field.copy(level, workers)
            field.improve(
                level,
                workers,
                turn=turn,
                seed=seed_of(number),
                reach=plan.reach,
                tries=plan.tries,
                # At full size a shift of a coarser level is too rough, and speckles flat parts.
                shifts=shifts * 2 ** (last - number),
                shift_tries=0 if finest else plan.shift_tries,
            )
            if not finest:
                field.vote(level, workers, confidence=confidence, likeness=plan.likeness)
        done += work[number]


def _fill_coarsest(
    level: Level,
    number: int,
    shifts: NDArray[np.int32],
    plan: Plan,
    turns: Callable[[float], int],
    seed: int,
    workers: Workers,
    tell: Callable[[int, float], None],
) -> None:
    """The coarsest level: a start, then matching and voting in turns, searching everywhere."""
    anywhere = max(level.width, level.height)
    confidence = _at(plan.confidence, number)
    _start(level, plan, turns(plan.start_turns), anywhere, seed, workers)
    field.vote(level, workers, confidence=confidence, likeness=None)
    count = turns(plan.coarsest_turns)
    for turn in range(count):
        tell(number, turn / count)
        field.improve(
            level,
            workers,
            turn=turn,
            seed=seed,
            reach=anywhere,
            tries=plan.coarsest_tries,
            shifts=shifts,
            shift_tries=plan.shift_tries if number else 0,
        )
        field.vote(level, workers, confidence=confidence, likeness=plan.likeness)
    if number == 0:  # the last matching at full size is with the copies themselves, too
        field.copy(level, workers)
        field.improve(level, workers, turn=0, seed=seed, reach=plan.reach, tries=plan.tries)


def _start(
    level: Level, plan: Plan, turns: int, anywhere: int, seed: int, workers: Workers
) -> None:
    """The first field of the coarsest level, from a smooth guess against the smoothed photo."""
    image = level.image

    def guess(channels: slice) -> None:
        part = np.ascontiguousarray(image[..., channels])
        filled = cv2.inpaint(part, level.hole_map, 3, cv2.INPAINT_TELEA)
        image[..., channels] = filled.reshape(part.shape)

    # One colour and one grey picture; a guide has brought the colours already.
    workers.each(guess, (slice(3, 4),) if level.pull else (slice(0, 3), slice(3, 4)))
    known = (1 - level.hole_map).astype(np.float32)[..., None]
    window = (plan.smoothing, plan.smoothing)
    share = np.maximum(cv2.blur(known, window), 1e-3)[..., None]
    mean = np.asarray(cv2.blur(image * known, window), np.float32) / share
    smoothed = level.flat.copy()
    inside = level.hole_map > 0
    view = smoothed[: image.size].reshape(image.shape)
    view[~inside] = np.rint(mean)[~inside]
    field.start_at_random(level, seed)
    for turn in range(turns):
        field.improve(
            level,
            workers,
            turn=turn,
            seed=seed ^ 0x5BD1E995,
            reach=anywhere,
            tries=plan.start_tries,
            stale=turn == 0,
            image=smoothed,
        )


def _at(values: tuple[float, ...] | tuple[int, ...], number: int) -> float:
    return values[min(number, len(values) - 1)]


def _nearest_known(pixels: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The nearest known pixel of each hole pixel: (hole pixels, 3)."""
    _, label = cv2.distanceTransformWithLabels(
        mask.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    index = np.zeros(int(label.max()) + 1, np.int64)
    known = np.flatnonzero(~mask)
    index[label.reshape(-1)[known]] = known
    return pixels.reshape(-1, 3)[index[label[mask]]]
