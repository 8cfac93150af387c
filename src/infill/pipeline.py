"""The one way through: load → mask → crop → engine → composite → proof → recipe."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill import composite, geometry, regions, settings
from infill.engines import base
from infill.errors import BadOption, BadRecipe, FullMask
from infill.geometry import Box
from infill.loading import load_both
from infill.memory import give_back
from infill.picture import Picture, as_picture
from infill.recipe import Recipe, hash_mask, hash_output, pack_mask, versions
from infill.regions import Region
from infill.result import STAGES, Result
from infill.threads import opencv_threads

WIDEST_BLEND = 1000.0  # pixels
ROOMY = 10_000_000  # bytes of a photo up to which memory is no matter


@dataclass(frozen=True)
class Request:
    """What to do to the hole, checked; how `fill` and `replay` hand it to `_fill`."""

    engine: base.Engine
    options: Any
    seed: int
    blend: float
    match_colour: bool
    opaque: bool


def fill(
    photo: Any,
    mask: Any = None,
    *,
    engine: str | None = None,
    seed: int = 0,
    blend: float = 0.0,
    match_colour: bool = False,
    opaque: bool | None = None,
    progress: base.Progress | None = None,
    **options: Any,
) -> Result:
    """Fill the masked part of a photo.

    photo:    a path, bytes, a binary file, a PIL image, a `Picture`, or an array (H, W),
              (H, W, 3) or (H, W, 4): uint8, uint16, or float in [0, 1]. It is never written.
    mask:     the same kinds, of the photo's size, or a bool array; white or True = hole. None
              takes the photo's own transparent pixels.
    engine:   a name out of `infill.engines.names()`; None = the setting `engine`.
    seed:     any whole number from 0 up. The same seed gives the same bytes at any number of
              threads. Region i of the photo draws from PCG64(SeedSequence(seed, (i,))).
    blend:    width in pixels of a band around the hole in which photo and fill may be mixed.
              The engine fills the band too. At 0 every pixel outside the mask stays as it is.
    match_colour: shift each hole's fill to the mean colour of the photo at its rim.
    opaque:   make the filled hole opaque; None = only where `mask` is None. Apart from that the
              photo's alpha stays as it is.
    progress: called with the fraction done and a word; may raise `Cancelled`.
    options:  the engine's own, see its `Options`; unknown ones are an error.

    Pixels that are fully transparent but not masked stay as they are, and are no source: what
    colour they hide is not used. A grey photo stays grey. A mask with no hole returns the photo,
    with a note.

    Raises `PictureError`, `MaskError` (`FullMask` if nothing is left to fill from),
    `EngineError`, or `Cancelled`.
    """
    maker = base.ENGINES.get(engine or settings.current().engine)
    chosen = base.make_options(maker, options)
    bare = mask is None if opaque is None else opaque
    request = Request(maker, chosen, _seed(seed), _band(blend), match_colour, bare)
    clock = Clock()
    with clock("load"):
        picture, hole = load_both(photo, mask)
    return _fill(picture, hole, request, progress or base.no_progress, clock)


def replay(
    recipe: Recipe, photo: Any, mask: Any = None, *, progress: base.Progress | None = None
) -> Result:
    """Make a result again from its recipe and the photo (and another mask, if one is given).

    Compare by `recipe.same_output(result.recipe)` and `recipe.differences(result.recipe)`;
    the result's notes say both.

    Raises `BadRecipe` if the photo is of another size, and what `fill` raises.
    """
    maker = base.ENGINES.get(recipe.engine)
    chosen = base.make_options(maker, recipe.options)
    seed, blend = _seed(recipe.seed), _band(recipe.blend)
    request = Request(maker, chosen, seed, blend, recipe.match_colour, recipe.opaque)
    clock = Clock()
    with clock("load"):
        if mask is None:
            picture, hole = as_picture(photo), recipe.hole()
        else:
            picture, hole = load_both(photo, mask)
    if (picture.width, picture.height) != (recipe.width, recipe.height):
        raise BadRecipe(
            f"the recipe is for a photo of {recipe.width}×{recipe.height} pixels, "
            f"but this one is {picture.width}×{picture.height}; give the photo it was made from"
        )
    result = _fill(picture, hole, request, progress or base.no_progress, clock)
    verdict = "equal, bit for bit" if recipe.same_output(result.recipe) else "not equal"
    notes = (f"the pixels are {verdict}", *recipe.differences(result.recipe))
    return replace(result, notes=(*result.notes, *notes))


def _fill(
    picture: Picture,
    hole: NDArray[np.bool_],
    request: Request,
    progress: base.Progress,
    clock: "Clock",
) -> Result:
    """The sixty lines that everything goes through."""
    hole.flags.writeable = False
    rule = request.engine.card.size
    with clock("mask"):
        if not hole.any():
            return _unchanged(picture, hole, request, clock)
        wide = composite.widened(hole, request.blend)
        _check_source(wide, picture)
        plan = regions.plan(wide, rule)
        areas = [int(np.count_nonzero(wide[region.hole.slices])) for region in plan]
    canvas = picture.pixels  # and a copy of it from the first fill on: engines need room too
    for index, (region, area) in enumerate(zip(plan, areas, strict=True)):
        part = _part_of(progress, sum(areas[:index]) / sum(areas), area / sum(areas))
        with clock("crop"):
            seen, blank = _look(wide, picture, plan, index, rule)
        rng = _generator(request.seed, index)
        filled = _piece(canvas, seen, blank, request, rng, part, clock)
        with clock("composite"):
            if canvas is picture.pixels:
                canvas = _copy(canvas)
            weight = _weight(hole, region.hole, request.blend)
            composite.paste(canvas, region.hole, filled, weight, grey=picture.grey)

    with clock("composite"):
        done = _finished(picture, canvas, hole, request.opaque)
    with clock("proof"):
        before_alpha = picture.alpha
        proof = composite.prove(picture.pixels, done.pixels, wide, before_alpha, done.alpha)
    with clock("recipe"):
        recipe = _recipe(picture, done, hole, wide, request)
    progress(1.0, "done")
    notes = picture.metadata.notes
    return Result(done, hole, proof, clock.seconds, request.engine.card, recipe, notes)


def _piece(
    canvas: composite.Pixels,
    region: Region,
    blank: NDArray[np.bool_],
    request: Request,
    rng: np.random.Generator,
    progress: base.Progress,
    clock: "Clock",
) -> NDArray[np.floating]:
    """The engine's pixels in the hole box of `region`: (h, w, 3) float, nothing else kept alive.

    blank: of the region's crop, what is no source.
    """
    rule = request.engine.card.size
    with clock("crop"):
        pixels = composite.to_float(canvas[region.crop.slices])
        there = geometry.bounds(blank).slices
        np.copyto(pixels[there], 0, where=blank[there][..., None])
        shown, hidden = geometry.pad(pixels, rule), geometry.pad(blank, rule)
    with clock("engine"), opencv_threads():
        filled = base.run(request.engine, shown, hidden, request.options, rng, progress)
    with clock("composite"):
        filled = geometry.unpad(filled, blank.shape)
        if request.match_colour:
            filled = composite.match_colour(filled, pixels, blank)
        return filled[region.hole.within(region.crop)].copy()


def _unchanged(
    picture: Picture, hole: NDArray[np.bool_], request: Request, clock: "Clock"
) -> Result:
    with clock("proof"):
        proof = composite.prove(picture.pixels, picture.pixels, hole)
    with clock("recipe"):
        recipe = _recipe(picture, picture, hole, hole, request)
    notes = (*picture.metadata.notes, "the mask is empty, so the photo is returned as it is")
    return Result(picture, hole, proof, clock.seconds, request.engine.card, recipe, notes)


def _look(
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


def _copy(pixels: composite.Pixels) -> composite.Pixels:
    if pixels.nbytes > ROOMY:
        give_back()
    return pixels.copy()


def _weight(
    hole: NDArray[np.bool_], box: Box, blend: float
) -> NDArray[np.bool_] | NDArray[np.float32]:
    return composite.band_weight(hole, box, blend) if blend else hole[box.slices]


def _finished(
    picture: Picture, canvas: composite.Pixels, hole: NDArray[np.bool_], opaque: bool
) -> Picture:
    alpha = picture.alpha
    if opaque and alpha is not None:
        alpha = alpha.copy()
        alpha[hole] = np.iinfo(alpha.dtype).max
    return picture.with_pixels(canvas, alpha)


def _recipe(
    photo: Picture,
    done: Picture,
    hole: NDArray[np.bool_],
    changed: NDArray[np.bool_],
    request: Request,
) -> Recipe:
    card = request.engine.card
    return Recipe(
        engine=card.name,
        options=asdict(request.options),
        seed=request.seed,
        blend=request.blend,
        match_colour=request.match_colour,
        opaque=request.opaque,
        photo=photo.sha256,
        width=photo.width,
        height=photo.height,
        mask=pack_mask(hole),
        mask_sha256=hash_mask(hole),
        output_sha256=hash_output(done.pixels, done.alpha, changed),
        weights={weights.source: weights.sha256 for weights in card.weights},
        versions=dict(versions()),
    )


def _generator(seed: int, index: int) -> np.random.Generator:
    sequence = np.random.SeedSequence(seed, spawn_key=(index,))
    return np.random.Generator(np.random.PCG64(sequence))


def _part_of(progress: base.Progress, start: float, share: float) -> base.Progress:
    """`progress` of one region as progress of the whole."""

    def report(fraction: float, stage: str) -> None:
        progress(start + share * min(max(fraction, 0.0), 1.0), stage)

    return report


def _check_source(wide: NDArray[np.bool_], picture: Picture) -> None:
    """Raise `FullMask` if no pixel is left that is neither masked nor fully transparent."""
    path = picture.metadata.path
    name = f"{path}: " if path else ""
    if wide.all():
        raise FullMask(
            f"{name}every pixel is masked, so there is nothing to fill from; mask less of the photo"
        )
    if picture.alpha is not None and not any(
        (~wide[rows] & (picture.alpha[rows] != 0)).any() for rows in geometry.strips(len(wide))
    ):
        raise FullMask(
            f"{name}every pixel is masked or fully transparent, so there is nothing to fill from; "
            "mask less of the photo"
        )


def _seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise BadOption(f"seed is a whole number from 0 up, not {seed!r}")
    return int(seed)


def _band(blend: float) -> float:
    if isinstance(blend, bool) or not isinstance(blend, int | float | np.number):
        raise BadOption(f"blend is a number of pixels, not {blend!r}")
    if not (isfinite(blend) and 0 <= blend <= WIDEST_BLEND):
        raise BadOption(f"blend must be from 0 to {WIDEST_BLEND:g} pixels, not {blend!r}")
    return float(blend)


class Clock:
    """Wall seconds by stage: `with clock("load"): ...` adds to that stage."""

    def __init__(self) -> None:
        self._seconds = dict.fromkeys(STAGES, 0.0)

    @property
    def seconds(self) -> Mapping[str, float]:
        return dict(self._seconds)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[stage] += time.perf_counter() - start
