"""A fill within the memory there is: all photos together, else one by one, else smaller."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from infill.engines.base import Part, Progress, SizeRule
from infill.engines.free import free_bytes
from infill.engines.scarce import if_room
from infill.errors import EngineFailed
from infill.geometry import Box, Frame

Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]
Run = Callable[[Sequence[Pixels], Mask, Progress], list[Pixels]]

SHARE = 0.8
"""Of the free memory is planned with; the rest is for what libraries need beside."""
SHRINK = 0.9
"""By which the side is tried smaller until it fits by the estimate."""
LEAST = 128
"""Pixels a side (of the square of that area) below which nothing is tried any more."""


@dataclass(frozen=True)
class Job:
    """What is to be run, and what it takes.

    run:      photos (h, w, 3) and their hole (h, w) to fills, in one batch.
    bytes_of: about what a photo of (h, w) takes at the peak, on `device`.
    rule:     the multiple and the least side of what the network takes.
    """

    run: Run
    bytes_of: Callable[[int, int], int]
    rule: SizeRule
    device: str


def fill(
    job: Job, photos: Sequence[Pixels], mask: Mask, progress: Progress
) -> tuple[list[Pixels], tuple[int, int] | None]:
    """The photos filled, and the size (h, w) they were made at if that had to be smaller.

    Planned by the estimate, and stepped down where memory runs out all the same.
    Raises `EngineFailed` if there is no memory for the smallest size.
    """
    room = free_bytes(job.device)
    shape = (mask.shape[0], mask.shape[1])
    side = sqrt(shape[0] * shape[1])
    frame = _frame(shape, None, job.rule)

    def fits(count: int) -> bool:
        return room is None or count * job.bytes_of(*frame.shape) <= SHARE * room

    while not fits(1) and side > LEAST:
        side = max(side * SHRINK, LEAST)
        frame = _frame(shape, side, job.rule)
    together = fits(len(photos))
    while True:
        made = if_room(partial(_at, job, photos, mask, frame, together, progress))
        if made is not None:
            return made, frame.size if frame.resampled else None
        if together and len(photos) > 1:
            together = False
            continue
        if side <= LEAST:
            mend = "choose a smaller one" if job.device == "cpu" else "set device to cpu"
            raise EngineFailed(f"the memory of {job.device} is too small for this model; {mend}")
        side = max(side / 2, LEAST)
        frame = _frame(shape, side, job.rule)


def _frame(shape: tuple[int, int], side: float | None, rule: SizeRule) -> Frame:
    native = None if side is None else max(1, int(side))
    return Frame.of(Box(0, 0, *shape), replace(rule, native=native))


def _at(
    job: Job,
    photos: Sequence[Pixels],
    mask: Mask,
    frame: Frame,
    together: bool,
    progress: Progress,
) -> list[Pixels]:
    brought = [frame.bring_hidden(photo, mask) for photo in photos]
    hidden = brought[0][1]
    shown = [seen for seen, _ in brought]
    batches = [shown] if together else [[one] for one in shown]
    made: list[Pixels] = []
    for index, batch in enumerate(batches):
        part = Part(progress, index / len(batches), 1 / len(batches))
        made += job.run(batch, hidden, part)
    filled = (np.clip(frame.back(one), 0, 1).astype(np.float32) for one in made)
    return [
        np.where(mask[..., None], one, photo) for one, photo in zip(filled, photos, strict=True)
    ]


class Onward:
    """Progress that never goes back, though a part of the work is done twice."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._done = progress, 0.0

    def __call__(self, fraction: float, stage: str) -> None:
        self._done = max(self._done, fraction)
        self._progress(self._done, stage)
