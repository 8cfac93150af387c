"""The one way through: load → mask → crop → engine → composite → proof → recipe."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill import composite, geometry, pieces, regions, settings
from infill.engines import base
from infill.errors import BadOption, BadRecipe, Drifted, FullMask
from infill.geometry import Box
from infill.loading import load_both
from infill.memory import give_back
from infill.picture import Picture, as_picture
from infill.pieces import Work
from infill.recipe import (
    Recipe,
    given_again,
    hash_mask,
    hash_output,
    pack_mask,
    recorded,
    versions,
)
from infill.result import STAGES, Result

WIDEST_BLEND = 1000.0  # pixels
ROOMY = 10_000_000  # bytes of a photo up to which memory is no matter


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
    return candidates(
        photo,
        mask,
        seeds=(seed,),
        engine=engine,
        blend=blend,
        match_colour=match_colour,
        opaque=opaque,
        progress=progress,
        **options,
    )[0]


def candidates(
    photo: Any,
    mask: Any = None,
    *,
    seeds: Sequence[int],
    engine: str | None = None,
    blend: float = 0.0,
    match_colour: bool = False,
    opaque: bool | None = None,
    progress: base.Progress | None = None,
    **options: Any,
) -> list[Result]:
    """Fill the masked part of a photo once for each seed, and return the results in that order.

    An engine that makes several at once (`fill_batch`) does so, which is quicker than one after
    the other; its sums may then be rounded otherwise than those of a single fill. The seconds
    of each result are its share of all. A candidate that does not fit the photo (`Drifted`) is
    left out, and the notes of the others say so; that error is raised if none is left.
    Everything else is as in `fill`.
    """
    maker = base.ENGINES.get(engine or settings.current().engine)
    chosen = base.make_options(maker, options)
    bare = mask is None if opaque is None else opaque
    wanted = tuple(_seed(seed) for seed in seeds)
    if not wanted:
        raise BadOption("seeds is empty; give one at least")
    work = Work(maker, chosen, wanted, _band(blend), match_colour, bare)
    clock = Clock()
    with clock("load"):
        picture, hole = load_both(photo, mask)
    return _fill_all(picture, hole, work, progress or base.no_progress, clock)


def replay(
    recipe: Recipe,
    photo: Any,
    mask: Any = None,
    *,
    progress: base.Progress | None = None,
    **pictures: Any,
) -> Result:
    """Make a result again from its recipe and the photo (and another mask, if one is given).

    pictures: the options of the engine that are pictures (`reference`), of which a recipe holds
              nothing but the SHA-256.

    Compare by `recipe.same_output(result.recipe)` and `recipe.differences(result.recipe)`;
    the result's notes say both.

    Raises `BadRecipe` if the photo is of another size or a picture is not given, and what `fill`
    raises.
    """
    maker = base.ENGINES.get(recipe.engine)
    chosen = base.make_options(maker, given_again(recipe.options, pictures))
    seeds, blend = (_seed(recipe.seed),), _band(recipe.blend)
    work = Work(maker, chosen, seeds, blend, recipe.match_colour, recipe.opaque)
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
    result = _fill(picture, hole, work, progress or base.no_progress, clock)[0]
    verdict = "equal, bit for bit" if recipe.same_output(result.recipe) else "not equal"
    notes = (f"the pixels are {verdict}", *recipe.differences(result.recipe))
    return replace(result, notes=(*result.notes, *notes))


def _fill_all(
    picture: Picture,
    hole: NDArray[np.bool_],
    work: Work,
    progress: base.Progress,
    clock: "Clock",
) -> list[Result]:
    """Every candidate: at once if the engine can, else one after the other."""
    count = len(work.seeds)
    if count == 1 or base.in_batches(work.engine):
        return _fill(picture, hole, work, progress, clock)
    results: list[Result] = []
    refused: list[Drifted] = []
    for index, seed in enumerate(work.seeds):
        part = base.Part(progress, index / count, 1 / count, f"{index + 1} of {count}")
        one = replace(work, seeds=(seed,))
        try:
            results += _fill(picture, hole, one, part, Clock() if results else clock)
        except Drifted as error:
            refused.append(error)
            part(1.0, "done")
            continue
        pixels = results[-1].picture.pixels
        base.preview(progress, lambda shown=pixels: shown)  # type: ignore[misc]
    left_out = _left_out(refused, count)
    return [replace(result, notes=(*result.notes, *left_out)) for result in results]


def _fill(
    picture: Picture,
    hole: NDArray[np.bool_],
    work: Work,
    progress: base.Progress,
    clock: "Clock",
) -> list[Result]:
    """The sixty lines that everything goes through."""
    hole.flags.writeable = False
    rule = work.rule
    with clock("mask"):
        if not hole.any():
            return [_unchanged(picture, hole, work, seed, clock) for seed in work.seeds]
        wide = composite.widened(hole, work.blend)
        _check_source(wide, picture)
        plan = regions.plan(wide, rule)
        areas = [int(np.count_nonzero(wide[region.hole.slices])) for region in plan]
    drafts = [Draft(seed, picture.pixels) for seed in work.seeds]
    refused: list[Drifted] = []
    for index, (region, area) in enumerate(zip(plan, areas, strict=True)):
        part = base.Part(progress, sum(areas[:index]) / sum(areas), area / sum(areas))
        with clock("crop"):
            seen, blank = pieces.look(wide, picture, plan, index, rule)
        rest = replace(work, seeds=tuple(draft.seed for draft in drafts))
        canvases = [draft.canvas for draft in drafts]
        made = pieces.make(canvases, seen, blank, rest, index, part, clock)
        del canvases
        with clock("composite"):
            weight = _weight(hole, region.hole, work.blend)
            for draft in tuple(drafts):
                outcome = made.pop(0)
                if isinstance(outcome, Drifted):
                    drafts.remove(draft)
                    refused.append(outcome)
                else:
                    draft.take(outcome, picture, region.hole, weight)
        left_out = _left_out(refused, len(work.seeds))

    results = []
    for draft in drafts:
        with clock("composite"):
            done = _finished(picture, draft.canvas, hole, work.opaque)
        with clock("proof"):
            alpha = picture.alpha
            proof = composite.prove(picture.pixels, done.pixels, wide, alpha, done.alpha)
        with clock("recipe"):
            recipe = _recipe(picture, done, hole, wide, work, draft.seed, draft.weights)
        notes = (*picture.metadata.notes, *draft.notes, *left_out)
        results.append(Result(done, hole, proof, {}, work.engine.card, recipe, notes))
    progress(1.0, "done")
    seconds = {stage: spent / len(results) for stage, spent in clock.seconds.items()}
    return [replace(result, seconds=seconds) for result in results]


class Draft:
    """One candidate while it is made: the photo so far, and what its fills had to say."""

    def __init__(self, seed: int, pixels: composite.Pixels) -> None:
        self.seed = seed
        self.canvas = pixels  # the photo's own until the first fill: engines need room too
        self.notes: tuple[str, ...] = ()
        self.weights: dict[str, str] = {}

    def take(
        self,
        made: base.Filled,
        picture: Picture,
        box: Box,
        weight: NDArray[np.bool_] | NDArray[np.float32],
    ) -> None:
        """Paste the fill of `box`, and keep its notes, each once."""
        if self.canvas is picture.pixels:
            self.canvas = _copy(self.canvas)
        composite.paste(self.canvas, box, made.pixels, weight, grey=picture.grey)
        self.notes += tuple(note for note in made.notes if note not in self.notes)
        self.weights |= made.weights


def _left_out(refused: Sequence[Drifted], count: int) -> tuple[str, ...]:
    """A note on those of `count` candidates that are of no use, if there are any.

    Raises the first one's error if all are.
    """
    if len(refused) == count:
        raise refused[0]
    return (f"{len(refused)} of {count} candidates left out: {refused[0]}",) if refused else ()


def _unchanged(
    picture: Picture, hole: NDArray[np.bool_], work: Work, seed: int, clock: "Clock"
) -> Result:
    with clock("proof"):
        proof = composite.prove(picture.pixels, picture.pixels, hole)
    with clock("recipe"):
        recipe = _recipe(picture, picture, hole, hole, work, seed, {})
    notes = (*picture.metadata.notes, "the mask is empty, so the photo is returned as it is")
    return Result(picture, hole, proof, clock.seconds, work.engine.card, recipe, notes)


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
    work: Work,
    seed: int,
    weights: Mapping[str, str],
) -> Recipe:
    card = work.engine.card
    return Recipe(
        engine=card.name,
        options=recorded(work.options),
        seed=seed,
        blend=work.blend,
        match_colour=work.match_colour,
        opaque=work.opaque,
        photo=photo.sha256,
        width=photo.width,
        height=photo.height,
        mask=pack_mask(hole),
        mask_sha256=hash_mask(hole),
        output_sha256=hash_output(done.pixels, done.alpha, changed),
        weights={**{one.source: one.sha256 for one in card.weights}, **weights},
        versions=dict(versions(card.extra)),
    )


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
