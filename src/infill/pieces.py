"""One region of the photo: brought to the engine, filled, looked over, and brought back."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill import composite, geometry, regions
from infill.engines import base
from infill.errors import Drifted
from infill.geometry import Frame
from infill.picture import Picture
from infill.regions import Region
from infill.threads import opencv_threads

Clock = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Work:
    """What to do to every region, checked; how `fill` and `replay` hand it on.

    seeds: one for each candidate; each is a fill of its own.
    """

    engine: base.Engine
    options: Any
    seeds: tuple[int, ...]
    blend: float
    match_colour: bool
    opaque: bool

    @property
    def rule(self) -> base.SizeRule:
        return base.size_rule(self.engine, self.options)


def make(
    canvases: Sequence[composite.Pixels],
    region: Region,
    blank: NDArray[np.bool_],
    work: Work,
    index: int,
    progress: base.Progress,
    clock: Clock,
) -> list[base.Filled | Drifted]:
    """A fill of the hole box of `region` for each candidate: (h, w, 3) float pixels, or why that
    candidate is of no use.

    canvases: each candidate's photo so far. blank: of the region's crop, what is no source.
    index:    the region's place in the plan, which decides what it draws.
    """
    frame = Frame.of(region.crop, work.rule, canvases[0].shape[:2])
    with clock("crop"):
        crops = [_crop(canvas, region, blank) for canvas in canvases]
        brought = [frame.bring_hidden(crop, blank) for crop in crops]
        options = base.localised(work.engine, work.options, frame, region.largest)
    rngs = [generator(seed, index) for seed in work.seeds]
    shown = _Shown(progress, canvases[0], region, blank, frame)
    with clock("engine"), opencv_threads():
        pixels = [seen for seen, _ in brought]
        made = base.run(work.engine, pixels, brought[0][1], options, rngs, shown)
    keeps = frame.resampled and not work.engine.card.redraws
    made = [
        _with_known(one, *seen) if keeps and isinstance(one, base.Filled) else one
        for one, seen in zip(made, brought, strict=True)
    ]
    del brought, pixels
    with clock("composite"):
        return [
            _back(one, crop, region, blank, work, frame) if isinstance(one, base.Filled) else one
            for one, crop in zip(made, crops, strict=True)
        ]


def look(
    wide: NDArray[np.bool_],
    picture: Picture,
    plan: Sequence[Region],
    index: int,
    rule: base.SizeRule,
) -> tuple[Region, NDArray[np.bool_]]:
    """The region with a crop that holds some source, and what in it (h, w) is no source.

    That is every hole pixel but those that an earlier region has filled, and what is fully
    transparent in the photo: nobody ever saw the colour that lies there.
    """
    region, shape = plan[index], (picture.height, picture.width)
    while True:
        blank = wide[region.crop.slices].copy()
        if picture.alpha is not None:
            blank |= picture.alpha[region.crop.slices] == 0
        for earlier in plan[:index]:
            shared = earlier.hole.meet(region.crop)
            if shared is not None:
                blank[shared.within(region.crop)] &= ~wide[shared.slices]
        if not blank.all():
            return region, blank
        region = regions.wider(region, rule, shape)


def generator(seed: int, index: int) -> np.random.Generator:
    """What region `index` of a photo draws from."""
    sequence = np.random.SeedSequence(seed, spawn_key=(index,))
    return np.random.Generator(np.random.PCG64(sequence))


def _crop(
    canvas: composite.Pixels, region: Region, blank: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """(h, w, 3) float32 of the region's crop, zero wherever it is no source."""
    pixels = composite.to_float(canvas[region.crop.slices])
    there = geometry.bounds(blank).slices
    np.copyto(pixels[there], 0, where=blank[there][..., None])
    return pixels


def _with_known(
    made: base.Filled, pixels: NDArray[np.float32], hidden: NDArray[np.bool_]
) -> base.Filled:
    """The photo wherever it is known: resampling back mixes neighbours over the hole's border."""
    return replace(made, pixels=np.where(hidden[..., None], made.pixels, pixels))


def _back(
    made: base.Filled,
    crop: NDArray[np.float32],
    region: Region,
    blank: NDArray[np.bool_],
    work: Work,
    frame: Frame,
) -> base.Filled | Drifted:
    """What the engine made, as pixels of the hole box alone; nothing else is kept alive."""
    filled, notes = frame.back(made.pixels), made.notes
    if work.engine.card.redraws and getattr(work.options, "drift", "correct") != "ignore":
        from infill import drift

        anew = blank if made.redrawn is None else blank | frame.back_mask(made.redrawn)
        try:
            filled, note = drift.guard(crop, np.asarray(filled, np.float32), anew)
        except Drifted as error:
            return error
        notes = notes if note is None else (*notes, note)
    if work.match_colour:
        filled = composite.match_colour(filled, crop, blank)
    pixels = filled[region.hole.within(region.crop)].copy()
    return replace(made, pixels=pixels, notes=notes)


class _Shown:
    """The progress of one region; it shows the engine's pictures in their place in the photo."""

    def __init__(
        self,
        progress: base.Progress,
        canvas: composite.Pixels,
        region: Region,
        blank: NDArray[np.bool_],
        frame: Frame,
    ) -> None:
        self._progress = progress
        show = getattr(progress, "preview", None)
        if show is not None:

            def preview(make: Callable[[], NDArray[np.floating]]) -> None:
                show(lambda: _drawn(canvas, frame.back(make()), region, blank))

            self.preview = preview

    def __call__(self, fraction: float, stage: str) -> None:
        self._progress(fraction, stage)


def _drawn(
    canvas: composite.Pixels,
    filled: NDArray[np.floating],
    region: Region,
    blank: NDArray[np.bool_],
) -> composite.Pixels:
    """A copy of the photo with what the engine has so far in the region's hole."""
    drawn = canvas.copy()
    inside = region.hole.within(region.crop)
    composite.paste(drawn, region.hole, filled[inside], blank[inside])
    return drawn
