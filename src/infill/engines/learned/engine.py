"""What DeepFillv2 and LaMa share: options, where the weights are found, the way of a fill."""

import shlex
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from infill import weights
from infill.device import pick
from infill.engines.base import EngineCard, Filled, InBatches, Progress, SizeRule, option
from infill.engines.checked import Checked
from infill.engines.learned import fitting
from infill.engines.learned.fitting import Mask, Pixels
from infill.engines.learned.running import EXTRA, Loaded, chosen_dtype, compiled
from infill.engines.repaint import check_known
from infill.errors import BadOption
from infill.geometry import Frame
from infill.lazy import need
from infill.weights import INERT, Source

SMALLER = 0.9
"""Of a region's pixels, below which a fill counts as smaller: rounding to a multiple is none."""

HELP = (
    "File of weights: a path, a name on the hub (owner/name or owner/name/file), or URL#sha256=HEX."
)

Dtype = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class OnePassOptions(Checked):
    """Which file of weights, and how its network runs."""

    model: str = option("", HELP)
    max_side: int | None = option(
        None,
        "Larger regions are made smaller to the area of a square of so many pixels a side; "
        "empty = the engine's own.",
        low=64,
        high=4096,
    )
    dtype: Dtype = option(
        "auto", "Number format of the network; auto: a short one on GPUs, float32 elsewhere."
    )
    compile: Literal["off", "on"] = option(
        "off", "Compile the network: a minute once for each size, then quicker fills."
    )


@dataclass(frozen=True)
class Seen:
    """The options for one region of the photo, and its own size (h, w) there."""

    options: Any
    size: tuple[int, int]


class OnePass(InBatches):
    """An engine whose network fills in one pass and draws nothing at random.

    Subclasses have the card, the options, and what is abstract here.
    """

    card: ClassVar[EngineCard]
    Options: ClassVar[type]
    file: ClassVar[str] = ""
    """The file that is taken of the model that the card names."""
    licence: ClassVar[str | None] = None
    """Of that model, shown before it is downloaded."""

    @abstractmethod
    def load(self, path: Path, options: Any, device: str, dtype: str) -> Loaded:
        """The network in a file, ready. Raises `MissingWeights`, `Unreadable`."""

    @abstractmethod
    def bytes_of(self, loaded: Loaded, options: Any, height: int, width: int) -> int:
        """About what one photo of that size takes at the peak, in bytes."""

    @abstractmethod
    def run(
        self,
        loaded: Loaded,
        options: Any,
        photos: Sequence[Pixels],
        mask: Mask,
        progress: Progress,
    ) -> list[Pixels]:
        """Photos (h, w, 3) in [0, 1] with their hole (h, w) filled, in one batch."""

    def own_side(self, options: Any) -> int:
        """What `max_side` is if it is not given."""
        native = self.card.size.native
        assert native is not None
        return native

    def own_dtype(self, options: Any, device: str) -> str:
        """The number format in which the network runs."""
        return chosen_dtype(options.dtype, device)

    def more_notes(self, options: Any, height: int, width: int) -> tuple[str, ...]:
        """What else is to be said of a fill at that size."""
        return ()

    # --- the engine's protocol ----------------------------------------------------------------

    def size_rule(self, options: Any) -> SizeRule:
        """The card's, with the side that the options name."""
        return replace(self.card.size, native=options.max_side or self.own_side(options))

    def localise(self, options: Any, frame: Frame, largest: bool) -> Seen:
        """Remembers how large the region is in the photo."""
        return Seen(options, (frame.crop.height, frame.crop.width))

    def sources(self, options: Any) -> list[Source]:
        """The file that the options name, for `infill download`."""
        model = options.model or self.card.checkpoint
        return [self.source(model)] if model else []

    def source(self, model: str) -> Source:
        """Where that file is looked for."""
        name, file = weights.one_file(model, INERT)
        usual = model == self.card.checkpoint
        given = "" if usual else f" --model {shlex.quote(model)}"
        return Source(
            name,
            file=self.file if usual else file,
            inert=True,
            licence=self.licence if usual else None,
            commercial_use=self.card.commercial_use if usual else None,
            extra=EXTRA,
            command=f"infill download {self.card.name}{given}",
        )

    def fill_batch(
        self,
        pixels: Sequence[Pixels],
        mask: Mask,
        options: Any,
        rngs: Sequence[np.random.Generator],
        progress: Progress,
    ) -> list[Filled]:
        """Several candidates: those that start from the same photo are equal, and made once."""
        check_known(mask)
        region = (mask.shape[0], mask.shape[1])
        if isinstance(options, Seen):
            region, options = options.size, options.options
        told = fitting.Onward(progress)
        told(0.0, "load")
        photos, which = _distinct(pixels)
        loaded = self._loaded(options)
        made, size, notes = self._made(loaded, options, photos, mask, told)
        if loaded.dtype != "float32" and not all(np.isfinite(one[mask]).all() for one in made):
            options = replace(options, dtype="float32")
            loaded = self._loaded(options)
            made, size, notes = self._made(loaded, options, photos, mask, told)
            notes += ("the network gave no numbers in the shorter format, so it ran in float32",)
        notes += self._size_notes(region, mask.shape, size, loaded.device)
        notes += self.more_notes(options, *(size or mask.shape))
        if len(rngs) > 1:
            notes += (f"{self.card.name} draws nothing at random: other seeds change nothing",)
        told(1.0, "fill")
        used = {options.model or self.card.checkpoint: loaded.sha256}
        return [Filled(made[index].copy(), notes, used) for index in which]

    def _loaded(self, options: Any) -> Loaded:
        sources = self.sources(options)
        if not sources:
            raise BadOption(
                f"engine {self.card.name} needs a model: the path of a file of weights, its name "
                f"on the hub or URL#sha256=HEX (on the command line: -O model=...)"
            )
        for module in ("torch", "safetensors"):
            need(module, extra=EXTRA)
        device = pick(extra=EXTRA)
        path = weights.find(sources[0])
        return self.load(path, options, device, self.own_dtype(options, device))

    def _made(
        self,
        loaded: Loaded,
        options: Any,
        photos: Sequence[Pixels],
        mask: Mask,
        progress: Progress,
    ) -> tuple[list[Pixels], tuple[int, int] | None, tuple[str, ...]]:
        """The fills, the size they were made at if memory made it smaller, and notes."""
        from infill.diffusion.running import threads

        notes: list[str] = []

        def run(some: Sequence[Pixels], hole: Mask, told: Progress) -> list[Pixels]:
            with compiled(loaded, options.compile, (*hole.shape, len(some))):
                made = self.run(loaded, options, some, hole, told)
            notes.extend(note for note in loaded.tuned.notes if note not in notes)
            return made

        job = fitting.Job(
            run,
            lambda height, width: self.bytes_of(loaded, options, height, width),
            SizeRule(multiple=loaded.multiple, minimum=loaded.least),
            loaded.device,
        )
        with loaded.lock, threads():
            made, size = fitting.fill(job, photos, mask, progress)
        return made, size, tuple(notes)

    def _size_notes(
        self,
        region: tuple[int, int],
        shape: tuple[int, ...],
        size: tuple[int, int] | None,
        device: str,
    ) -> tuple[str, ...]:
        """Says so if the region was made smaller, and what would spare that."""
        height, width = size or shape
        if height * width >= SMALLER * region[0] * region[1]:
            return ()
        why = f"more does not fit into the memory of {device}"
        if not size:
            why = "set max_side higher for more"
        return (
            f"the region of {region[1]} × {region[0]} pixels was filled at {width} × {height}; "
            f"{why}",
        )


def _distinct(pixels: Sequence[Pixels]) -> tuple[list[Pixels], list[int]]:
    """The photos that differ, and for each of `pixels` which of them it is."""
    photos: list[Pixels] = []
    which = []
    for one in pixels:
        same = (i for i, other in enumerate(photos) if one is other or np.array_equal(one, other))
        index = next(same, len(photos))
        if index == len(photos):
            photos.append(one)
        which.append(index)
    return photos, which
