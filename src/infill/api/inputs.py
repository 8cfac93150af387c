"""From a checked body to a task: uploaded bytes as pictures and masks, and an engine's options.

Nothing in a request is ever a path, a URL or a pickle: pictures come as bytes, and an engine's
options only as the numbers, switches, choices and texts that its controls name.
"""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

from infill import settings
from infill.api.schemas import FillRequest, RefineRequest, SegmentRequest
from infill.engines.base import ENGINES, Engine, make_options
from infill.engines.controls import REFERENCE, Control, controls
from infill.errors import BadOption, BadPrompt, OverLimit, TooManyPixels
from infill.jobs import FillTask, RefineTask, SegmentTask
from infill.masks.amount import Amount
from infill.masks.parse import Mask, as_mask, from_alpha, union
from infill.picture import Picture
from infill.picture.formats import check_holds
from infill.segmenters.base import Prompt
from infill.settings import Settings

MOST_STEPS = 50  # of a chain of mask operations

_NAMES_A_FILE = re.compile(
    r"(^|_)(path|file|folder|dir|directory|url|uri|checkpoint|revision|weights|model|device|cache"
    r"|lora|adapter|controlnet|pipeline|config|prior)(_|$)"
)


def fill_task(body: FillRequest, limits: Settings) -> tuple[FillTask, Mask | None]:
    """The task that a body asks for, and its hole before it is refined (None if it is not).

    Raises `PictureError`, `MaskError`, `EngineError`, `OverLimit`, `BadOption`.
    """
    seeds = _seeds(body, limits.served_batch)
    name = body.engine or limits.engine
    engine = ENGINES.get(name)
    with served_pixels(limits):
        photo = Picture.load(body.photo)
        options = engine_options(engine, body.options, limits.served_steps)
        if body.reference is not None:
            if REFERENCE not in {control.name for control in controls(engine)}:
                raise BadOption(f"engine {name} takes no reference picture")
            options[REFERENCE] = Picture.load(body.reference)
        masks = []
        if body.mask is not None:
            masks.append(
                as_mask(body.mask, photo, threshold=body.threshold, invert=body.invert_mask)
            )
    check_work(engine, make_checked(engine, options), len(seeds), limits)
    hole = union((photo.height, photo.width), masks, body.box, body.polygon)
    if body.format is not None and hole is not None:
        check_holds(body.format, photo)
    if body.refine:
        check_chain(body.refine, max(photo.height, photo.width))
        hole = from_alpha(photo) if hole is None else hole
    elif hole is None:
        from_alpha(photo)  # which says so if there is nothing to fill
    task = FillTask(photo, hole, name, options, seeds, body.blend, body.match_colour)
    return task, hole if body.refine else None


@contextmanager
def served_pixels(limits: Settings) -> Iterator[None]:
    """Pictures are decoded up to the server's own limit, and refused by the name of that one."""
    try:
        with settings.using(max_pixels=limits.served_pixels):
            yield
    except TooManyPixels as error:
        mend = str(error).replace("INFILL_MAX_PIXELS", "INFILL_SERVED_PIXELS")
        raise TooManyPixels(mend) from error


def with_hole(task: FillTask, hole: Mask) -> FillTask:
    """The task with another hole, (H, W) bool."""
    return replace(task, mask=hole)


def refine_task(body: RefineRequest, limits: Settings) -> RefineTask:
    """The task that a body asks for. Raises `PictureError`, `BadMask`, `OverLimit`."""
    mask = picture_mask(body.mask, body.threshold, limits)
    check_chain(body.chain, max(mask.shape), body.feather)
    return RefineTask(mask, body.chain, body.feather, body.invert)


def _seeds(body: FillRequest, most: int) -> tuple[int, ...]:
    if body.seeds is not None:
        seeds = body.seeds
        if not seeds:
            raise BadOption("seeds is empty; give one at least, or leave it out")
    else:
        if body.candidates > most:
            raise _too_many(body.candidates, most)
        seeds = tuple(range(body.seed, body.seed + body.candidates))
    if len(seeds) > most:
        raise _too_many(len(seeds), most)
    return seeds


def _too_many(count: int, most: int) -> OverLimit:
    return OverLimit(f"{count} candidates are more than the {most} that one request may have")


def engine_options(engine: Engine, given: Mapping[str, Any], most_steps: int) -> dict[str, Any]:
    """The options of a request, every one allowed and of its kind.

    Raises `BadOption` for what the engine does not have and what a client may not set, and
    `OverLimit` for more steps than the settings allow.
    """
    allowed = {control.name: control for control in served_controls(engine)}
    options = {}
    for name, value in given.items():
        if name not in allowed or allowed[name].kind == "picture":
            there = [key for key, control in allowed.items() if control.kind != "picture"]
            raise BadOption(
                f"engine {engine.card.name} has no option {name!r} that a request may set; "
                f"it has: {', '.join(there) or 'none'}"
            )
        options[name] = _checked(allowed[name], value)
        if "steps" in name and isinstance(value, int | float) and value > most_steps:
            raise OverLimit(f"{name} {value} is more than the {most_steps} that are allowed here")
    return options


def served_controls(engine: Engine) -> list[Control]:
    """Those of the engine's controls that a request may set: none that names a file or model,
    by its name or by `"server": False` in its field's metadata.
    """
    told = {entry.name: entry.metadata.get("server", True) for entry in fields(engine.Options)}
    return [
        control
        for control in controls(engine)
        if told[control.name]
        and not (control.kind in ("text", "choice") and _NAMES_A_FILE.search(control.name))
    ]


def _checked(control: Control, value: Any) -> Any:
    """A value of the control's kind. Raises `BadOption`."""
    wanted = {
        "number": "a number",
        "whole number": "a whole number",
        "switch": "true or false",
        "choice": f"one of {', '.join(control.choices)}",
        "text": "a text, or a list of numbers",
    }[control.kind]
    if value is None and control.default is None:
        return None
    if control.kind == "number":
        fits = _is_number(value) and math.isfinite(value)
    elif control.kind == "whole number":
        fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    elif control.kind == "switch":
        fits = isinstance(value, bool)
    elif control.kind == "choice":
        fits = value in control.choices
    else:
        fits = (isinstance(value, str) and len(value) <= 2000) or (
            isinstance(value, list) and len(value) <= 64 and all(map(_is_number, value))
        )
    if not fits:
        raise BadOption(f"option {control.name} is {wanted}, not {str(value)[:60]!r}")
    return tuple(value) if isinstance(value, list) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e30


def make_checked(engine: Engine, options: Mapping[str, Any]) -> Any:
    """The engine's `Options`. Raises `BadOption` now for what it would refuse in the worker."""
    try:
        return make_options(engine, options)
    except (ArithmeticError, AttributeError, LookupError) as error:
        raise BadOption(f"engine {engine.card.name}: {error}") from error


def check_work(engine: Engine, chosen: Any, seeds: int, limits: Settings) -> None:
    """Raise `OverLimit` for more work than a request may ask for, defaults counted.

    chosen: the engine's `Options`; seeds: how many results are wanted of them.
    """
    each = getattr(chosen, "candidates", 1)  # of which the engine itself returns the best
    if seeds * each > limits.served_batch:
        raise _too_many(seeds * each, limits.served_batch)
    for entry in fields(chosen):
        value = getattr(chosen, entry.name)
        if "steps" in entry.name and isinstance(value, int) and value > limits.served_steps:
            raise OverLimit(
                f"{entry.name} {value} is more than the {limits.served_steps} steps that are "
                "allowed here"
            )
    calls = getattr(engine, "calls", None)
    if calls is not None and calls(chosen) > limits.served_calls:
        raise OverLimit(
            f"these options make the network run {calls(chosen)} times, and "
            f"{limits.served_calls} are allowed here; take fewer steps or passes"
        )


def check_chain(chain: str, longest: int, feather: str = "") -> None:
    """Raise `BadMask` or `OverLimit` for a chain that cannot or must not be run.

    longest: side of the mask in pixels; an amount beyond it takes long and says nothing more.
    """
    from infill.masks.refine import parse_chain

    steps = parse_chain(chain)
    if len(steps) > MOST_STEPS:
        raise OverLimit(f"the chain has {len(steps)} steps; {MOST_STEPS} are allowed")
    amounts = [step.argument for step in steps if isinstance(step.argument, Amount)]
    for amount in [*amounts, *([Amount.parse(feather)] if feather else [])]:
        if amount.value > (100 if amount.unit == "%" else longest):
            raise OverLimit(f"{amount} is more than the mask is large; take less")


def segment_task(body: SegmentRequest, limits: Settings) -> SegmentTask:
    """The task that a body asks for. Raises `PictureError`, `BadPrompt`, `UnknownPlugin`."""
    from infill.segmenters.base import SEGMENTERS

    name = body.segmenter or limits.segmenter
    card = getattr(SEGMENTERS.factory(name), "card", None)
    with served_pixels(limits):
        photo = Picture.load(body.photo)
        brush = None if body.brush is None else as_mask(body.brush, photo)
    if body.labels and not body.points:
        raise BadPrompt("there are labels and no points")
    prompt = Prompt(body.points, body.labels, body.box, brush, body.text)
    if card is not None:
        prompt.check(card, (photo.height, photo.width))
    return SegmentTask(photo, prompt, name)


def picture_mask(content: bytes, threshold: float, limits: Settings) -> Mask:
    """The mask in the bytes of a picture, (H, W) bool. Raises `PictureError`, `BadMask`."""
    with served_pixels(limits):
        return as_mask(content, threshold=threshold)
