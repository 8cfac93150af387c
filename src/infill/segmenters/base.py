"""What a segmenter is: a card, `embed` once for each photo, `segment` once for each prompt."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadPrompt
from infill.registry import Registry

Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class SegmenterCard:
    """What tables, the app and the API print of a segmenter.

    prompts: which of "points", "box", "brush" and "text" it takes.
    extra:   the optional dependency group that it needs, None for the base install.
    """

    name: str
    summary: str
    authors: str
    published: str
    paper: str
    licence: str
    commercial_use: bool
    prompts: tuple[str, ...] = ("points", "box", "brush")
    extra: str | None = None


@dataclass(frozen=True, eq=False)
class Prompt:
    """What a person says about the object, in the photo's own pixels.

    points: (x, y), x to the right and y down from the photo's top left corner; pixel (row 3,
            column 5) has its centre at (5.5, 3.5).
    labels: for each point, True = on the object, False = not this. Empty means all True.
    box:    (x0, y0, x1, y1), x1 > x0 and y1 > y0; the object lies in it.
    brush:  (H, W) bool, True = roughly painted over as the object.
    text:   a few words ("the chair"), for segmenters that read.

    Raises `BadPrompt` for nothing at all, for labels that do not match the points, an empty box,
    and what is not finite.
    """

    points: tuple[tuple[float, float], ...] = ()
    labels: tuple[bool, ...] = ()
    box: Box | None = None
    brush: Mask | None = field(default=None, repr=False)
    text: str | None = None

    def __post_init__(self) -> None:
        points = tuple((float(x), float(y)) for x, y in self.points)
        labels = tuple(bool(label) for label in self.labels) or (True,) * len(points)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "labels", labels)
        if len(points) != len(labels):
            raise BadPrompt(f"there are {len(points)} points and {len(labels)} labels")
        if not np.isfinite(np.array(points or ((0, 0),))).all():
            raise BadPrompt("a point has two finite numbers x, y")
        if self.box is not None:
            x0, y0, x1, y1 = box = tuple(float(value) for value in self.box)
            object.__setattr__(self, "box", box)
            if not np.isfinite(box).all() or x1 <= x0 or y1 <= y0:
                raise BadPrompt(f"a box is x0,y0,x1,y1 with x1 > x0 and y1 > y0, not {self.box}")
        brushed = self.brush is not None and bool(self.brush.any())
        if not (any(labels) or self.box or brushed or (self.text or "").strip()):
            raise BadPrompt("say where the object is: a point on it, a box, a brush or a text")

    def check(self, card: SegmenterCard, size: tuple[int, int]) -> None:
        """Raise `BadPrompt` for a kind of prompt that the segmenter does not take, a point or
        box outside the photo, and a brush of another size. size: (H, W).
        """
        points = self.points or None
        given = {"points": points, "box": self.box, "brush": self.brush, "text": self.text}
        for kind, value in given.items():
            if value is not None and kind not in card.prompts:
                raise BadPrompt(
                    f"segmenter {card.name} takes no {kind}; it takes {', '.join(card.prompts)}"
                )
        height, width = size
        for x, y in self.points:
            if not (0 <= x <= width and 0 <= y <= height):
                raise BadPrompt(f"the point {x:g},{y:g} lies outside the {width}×{height} photo")
        if self.box is not None:
            x0, y0, x1, y1 = self.box
            if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
                raise BadPrompt(f"the box {self.box} lies outside the {width}×{height} photo")
        if self.brush is not None and self.brush.shape != size:
            raise BadPrompt(f"the brush is {self.brush.shape}, but the photo is {size}")


@dataclass(frozen=True, eq=False)
class Candidate:
    """One answer: mask (H, W) bool, True = object; score in [0, 1], higher is surer."""

    mask: Mask
    score: float


class State(Protocol):
    """What `embed` returns; whoever holds it needs its size alone.

    size: (H, W) of the photo. nbytes: what it takes in memory, for the cache that keeps it.
    """

    size: tuple[int, int]
    nbytes: int


class Segmenter(Protocol):
    """One way of finding the object that is meant. See `tests/conformance_segmenter.py`.

    A segmenter is a class with a `card`, an `Options` frozen dataclass whose defaults are its
    own, and a constructor that takes an instance of it (None = the defaults).
    """

    card: ClassVar[SegmenterCard]
    Options: ClassVar[type]
    options: Any

    def embed(self, pixels: NDArray[np.uint8]) -> Any:
        """All that depends on the photo alone, a `State`; it is computed once and kept.

        pixels: (H, W, 3) uint8 RGB, not to be written.
        """
        ...

    def segment(self, state: Any, prompt: Prompt) -> Sequence[Candidate]:
        """One to three candidates for the prompt, the one most likely meant first.

        The state is not changed, so that it serves the next prompt. Same state and prompt give
        the same masks. Raises `BadPrompt` for what `Prompt.check` refuses.
        """
        ...


SEGMENTERS: Registry[Segmenter] = Registry(
    "segmenter",
    "infill.segmenters",
    {
        "classic": "infill.segmenters.classic:Classic",
        "sam": "infill.segmenters.sam:Sam",
    },
)
