"""Undo and redo: the steps a person has taken, each of them immutable."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from infill.picture import Picture
from infill.result import Result

Mask = NDArray[np.bool_]
Point = tuple[float, float, bool]
"""x, y in the photo's own pixels, and whether it lies on the object."""

MOST_STEPS = 100
MOST_BYTES = 2**30


@dataclass(frozen=True, eq=False)
class Step:
    """All that one state of the page consists of.

    photo:      what is being edited.
    name:       the file's name without its extension, for what is downloaded.
    points:     what was clicked.
    candidates: (H, W) bool masks the segmenter proposed for the points, the likeliest first.
    chosen:     which of them was taken.
    added, erased: (H, W) bool, what the brush and the eraser did; they outlive the next click.
    inverted:   the mask is of the background: all but what was selected.
    mask:       (H, W) bool, True = to be filled; None before anything was selected.
    results:    what the last fill made, one for each seed; picked: which of them is shown.
    """

    photo: Picture
    name: str = "photo"
    points: tuple[Point, ...] = ()
    candidates: tuple[Mask, ...] = ()
    chosen: int = 0
    added: Mask | None = field(default=None, repr=False)
    erased: Mask | None = field(default=None, repr=False)
    inverted: bool = False
    mask: Mask | None = field(default=None, repr=False)
    results: tuple[Result, ...] = field(default=(), repr=False)
    picked: int = 0

    @property
    def result(self) -> Result | None:
        """The result that is shown, if there is one."""
        return self.results[self.picked] if self.results else None

    def arrays(self) -> Sequence[NDArray[np.generic]]:
        """Every array that the step keeps alive; steps share most of them."""
        planes = [self.photo.pixels, self.photo.alpha, self.added, self.erased, self.mask]
        planes += self.candidates
        for result in self.results:
            planes += [result.picture.pixels, result.picture.alpha]
        return [plane for plane in planes if plane is not None]


class History:
    """The steps so far and where in them a person stands.

    The oldest are forgotten once there are more than `steps`, or their arrays (each counted
    once) take more than `nbytes`; the current one never is.
    """

    def __init__(self, steps: int = MOST_STEPS, nbytes: int = MOST_BYTES) -> None:
        self._most, self._nbytes = steps, nbytes
        self._steps: list[Step] = []
        self._at = -1

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def now(self) -> Step | None:
        """The current step; None before there is any."""
        return self._steps[self._at] if self._steps else None

    @property
    def can_undo(self) -> bool:
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        return self._at < len(self._steps) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of all that is kept."""
        return self._taken()

    def push(self, step: Step) -> Step:
        """Make `step` the current one; what was undone is gone then."""
        del self._steps[self._at + 1 :]
        self._steps.append(step)
        while len(self._steps) > self._most or (
            len(self._steps) > 1 and self._taken() > self._nbytes
        ):
            del self._steps[0]
        self._at = len(self._steps) - 1
        return step

    def undo(self) -> Step | None:
        """One step back, if there is one; the current step."""
        self._at -= self.can_undo
        return self.now

    def redo(self) -> Step | None:
        """One step forward again, if there is one; the current step."""
        self._at += self.can_redo
        return self.now

    def clear(self) -> None:
        """Forget every step."""
        self._steps.clear()
        self._at = -1

    def _taken(self) -> int:
        """Bytes of all arrays; views of one array count as that array, once."""
        owners = {}
        for step in self._steps:
            for plane in step.arrays():
                owner = plane
                while isinstance(owner.base, np.ndarray):
                    owner = owner.base
                owners[id(owner)] = owner.nbytes
        return sum(owners.values())
