"""What a worker process can be asked to do. A task pickles, and says how large it is."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from infill.picture import Picture
from infill.result import Result
from infill.segmenters.base import Candidate, Prompt

Lane = Literal["fill", "click"]
Progress = Callable[[float, str], None]
OFTEN = 0.5  # seconds between two pictures of a fill that is under way
PREVIEW = 512  # longest side in pixels of the picture that is shown before all are done


class Task(Protocol):
    """One piece of work.

    lane: "fill" for what takes long, "click" for what a person waits for with the mouse held;
          each has workers of its own.
    work: how much there is to do, in pixels; small ones go first.
    """

    @property
    def lane(self) -> Lane: ...

    @property
    def work(self) -> int: ...

    def __call__(self, progress: Progress) -> Any:
        """Do it and return what pickles. `progress` may raise `Cancelled`, which goes through."""
        ...


@dataclass(frozen=True, eq=False)
class FillTask:
    """Fill a photo once for each seed; the value is a list of `infill.Result`, one per seed
    (but those that did not fit the photo, of which the others' notes tell).

    mask:    (H, W) bool, True = hole; None takes the photo's own transparent pixels.
    options: the engine's own, by name.
    The rest is as in `infill.fill`.
    """

    photo: Picture
    mask: NDArray[np.bool_] | None
    engine: str
    options: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    blend: float = 0.0
    match_colour: bool = False
    lane: ClassVar[Lane] = "fill"

    @property
    def work(self) -> int:
        """Pixels of the hole, times the seeds."""
        if self.mask is not None:
            hole = int(np.count_nonzero(self.mask))
        elif self.photo.alpha is not None:
            hole = self.photo.alpha.size - int(np.count_nonzero(self.photo.alpha))
        else:
            hole = 0
        return hole * len(self.seeds)

    def __call__(self, progress: Progress) -> list[Result]:
        """Raises what `infill.fill` raises."""
        from infill.compiling import announced
        from infill.pipeline import candidates

        tell = getattr(progress, "tell", lambda stage: None)
        show = getattr(progress, "show", None)
        with announced(progress, tell) as report:
            return candidates(
                self.photo,
                self.mask,
                seeds=self.seeds,
                engine=self.engine,
                blend=self.blend,
                match_colour=self.match_colour,
                progress=_Watched(report, show),
                **self.options,
            )


@dataclass(frozen=True, eq=False)
class SegmentTask:
    """Find the object that is meant; the value is a list of `Candidate`, the likeliest first.

    segmenter: a name out of the registry; None = the setting `segmenter`. What it computes of
    the photo alone is kept by the worker, so that the next click on the same photo is cheap.
    """

    photo: Picture
    prompt: Prompt
    segmenter: str | None = None
    lane: ClassVar[Lane] = "click"

    @property
    def work(self) -> int:
        """Pixels of the photo."""
        return self.photo.width * self.photo.height

    def __call__(self, progress: Progress) -> list[Candidate]:
        """Raises what `infill.segment` raises."""
        from infill.segmentation import segment

        progress(0.0, "segment")
        prompt = self.prompt
        found = segment(
            self.photo,
            prompt.points,
            prompt.labels,
            box=prompt.box,
            brush=prompt.brush,
            text=prompt.text,
            segmenter=self.segmenter,
        )
        progress(1.0, "done")
        return found


@dataclass(frozen=True, eq=False)
class RefineTask:
    """Apply a chain of operations to a mask; the value is (H, W) bool, or float32 in [0, 1] if
    it is feathered. mask: (H, W) bool.
    """

    mask: NDArray[np.bool_]
    chain: str = ""
    feather: str = ""
    invert: bool = False
    lane: ClassVar[Lane] = "click"

    @property
    def work(self) -> int:
        """Pixels of the mask."""
        return int(self.mask.size)

    def __call__(self, progress: Progress) -> NDArray[Any]:
        """Raises `BadMask`."""
        from infill.masks.morphology import feather
        from infill.masks.refine import parse_chain

        steps = parse_chain(self.chain)
        mask = ~self.mask if self.invert else self.mask
        for index, step in enumerate(steps):
            progress(index / len(steps), step.name)
            mask = step(mask)
        return feather(mask, self.feather) if self.feather else mask


@dataclass(frozen=True)
class WarmTask:
    """Load what the first task of a lane would wait for: libraries, kernels, networks."""

    lane: Lane
    work: ClassVar[int] = 0

    def __call__(self, progress: Progress) -> None:
        """Raises whatever is wrong with the engine or segmenter of the settings."""
        from infill import settings

        rng = np.random.default_rng(0)
        photo = Picture.from_array(rng.integers(0, 255, (96, 96, 3), np.uint8))
        if self.lane == "fill":
            mask = np.zeros((96, 96), np.bool_)
            mask[40:56, 40:56] = True
            FillTask(photo, mask, settings.current().engine)(progress)
        else:
            SegmentTask(photo, Prompt(points=((48.0, 48.0),)))(progress)


def preview(picture: Picture) -> bytes:
    """A PNG of the picture whose longest side is at most PREVIEW pixels, 8 bits, no alpha."""
    pixels = picture.pixels if picture.dtype == np.uint8 else picture.pixels >> 8
    step = -(-max(pixels.shape[:2]) // PREVIEW)
    small = np.ascontiguousarray(pixels[::step, ::step].astype(np.uint8, copy=False))
    return Picture.from_array(small).to_bytes("png")


def size_of(value: Any) -> int:
    """Bytes of all arrays and pictures in a task or in what it returned, each counted once."""
    return sum(array.nbytes for array in _arrays(value, set()))


def _arrays(value: Any, met: set[int]) -> list[NDArray[Any]]:
    if isinstance(value, str | bytes | int | float | None) or id(value) in met:
        return []
    met.add(id(value))
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, Mapping):
        parts: Sequence[Any] = list(value.values())
    elif isinstance(value, list | tuple):
        parts = value
    else:
        parts = list(getattr(value, "__dict__", {}).values())
    return [array for part in parts for array in _arrays(part, met)]


class _Watched:
    """The progress of a fill, and now and then what it looks like meanwhile."""

    def __init__(self, progress: Progress, show: Callable[[bytes], None] | None) -> None:
        self._progress = progress
        self._last = 0.0
        if show is not None:

            def show_some(make: Callable[[], NDArray[Any]]) -> None:
                now = time.monotonic()
                if now - self._last >= OFTEN:
                    self._last = now
                    show(preview(Picture.from_array(make())))

            self.preview = show_some

    def __call__(self, fraction: float, stage: str) -> None:
        self._progress(fraction, stage)
