"""An engine's options as fields of the page, and what a person set in them as options again.

One field serves every engine that has an option of that name and kind, so that a prompt
outlives a change of engine. Only the fields of the chosen engine are shown.
"""

from collections.abc import Mapping
from typing import Any

from infill import settings
from infill.api.inputs import served_controls
from infill.engines.base import ENGINES, Engine
from infill.engines.controls import Control
from infill.errors import BadOption, OverLimit

Key = tuple[str, str]
"""An option's name and its kind."""

PROMPTS = (
    Control("prompt", "text", "", help="What should be there instead."),
    Control("negative_prompt", "text", "", help="What should not be there."),
)
"""Shown wherever something is to be put in, whatever the engine."""

FEW = 6
"""An engine with more options than these shows the usual ones (those with a label below) and
folds the rest away."""

LABELS = {
    "prompt": "Prompt",
    "negative_prompt": "Negative prompt",
    "guidance_scale": "Guidance (CFG)",
    "num_inference_steps": "Steps",
    "strength": "Strength",
    "reference": "Reference picture",
    "reference_mask": "Mask of the object in it",
}
NAMES = {  # of what is folded away, where the option's own name says too little on a page
    "candidates": "Tries, the best of which is kept",
    "lambda_start": "λ at the first step",
    "lambda_until": "Share of the steps until λ is 0",
    "lambda_kind": "How λ falls",
    "jump_n_sample": "Passes over each stretch",
    "eta": "Noise of a step (η)",
    "dtype": "Number format",
    "lora": "LoRA",
    "lora_scale": "LoRA scale",
}
TOLD = {
    "guidance_scale": "How closely to follow the prompt.",
    "num_inference_steps": "More steps take longer and show more detail.",
    "strength": "1 starts from noise; lower from a smooth first fill.",
    "reference": "A picture of what should be there.",
}


def key(control: Control) -> Key:
    return control.name, control.kind


def label(name: str) -> str:
    return LABELS.get(name) or NAMES.get(name) or name.replace("_", " ").capitalize()


def of_engine(name: str) -> dict[Key, Control]:
    """The controls of the engine of that name; none if it cannot be loaded."""
    try:
        engine: Engine = ENGINES.get(name)
        return {key(control): control for control in served_controls(engine)}
    except Exception:  # another package's plug-in may raise anything; its fill will tell
        return {}


def every(names: list[str]) -> dict[Key, Control]:
    """One control for each name and kind among all the engines, those with a label first."""
    found = {key(control): control for control in PROMPTS}
    for name in names:
        for entry, control in of_engine(name).items():
            found.setdefault(entry, control)
    order = list(LABELS)
    rank = {name: place for place, name in enumerate(order)}
    return dict(sorted(found.items(), key=lambda item: rank.get(item[0][0], len(order))))


def folded(names: list[str]) -> set[Key]:
    """What lies under "More options": see `FEW`."""
    engines = [of_engine(name) for name in names]
    plain = {entry for options in engines if len(options) <= FEW for entry in options}
    usual = {*plain, *(entry for options in engines for entry in options if entry[0] in LABELS)}
    return {entry for options in engines for entry in options} - usual


def component(control: Control, *, visible: bool) -> Any:
    """The Gradio component of a control, with its label, help, bounds and default."""
    import gradio as gr

    from infill.web.uploads import Upload

    told: dict[str, Any] = {"label": label(control.name), "visible": visible, "interactive": True}
    told["elem_id"] = f"option-{control.name}-{control.kind.replace(' ', '-')}"
    if control.kind == "picture":
        return Upload(height=200, sources=["upload", "clipboard"], **told)
    told["info"] = control.help or TOLD.get(control.name)
    if control.kind == "switch":
        return gr.Checkbox(bool(control.default), **told)
    if control.kind == "choice":
        return gr.Dropdown(list(control.choices), value=control.default, **told)
    if control.kind == "text":
        return gr.Textbox("" if control.default is None else str(control.default), **told)
    if bounded(control):
        return gr.Slider(value=control.default, step=_step(control), **_bounds(control), **told)
    whole: dict[str, Any] = {"precision": 0} if control.kind == "whole number" else {}
    return gr.Number(control.default, **_bounds(control), **whole, **told)


def bounded(control: Control) -> bool:
    """Whether a slider can hold it: both bounds are known, and there is a number to start at."""
    return None not in (control.low, control.high, control.default)


def update(chosen: Control | None, *, shown: bool) -> Any:
    """What to change on the component of a control when an engine is chosen.

    chosen: the engine's own control, None if it has none of that name and kind.
    """
    import gradio as gr

    if chosen is None or chosen.kind in ("text", "picture", "switch"):
        return gr.update(visible=shown)
    if chosen.kind == "choice":
        return gr.update(visible=shown, choices=list(chosen.choices), value=chosen.default)
    return gr.update(visible=shown, value=chosen.default, **_bounds(chosen))


def options(engine: str, values: Mapping[Key, Any]) -> dict[str, Any]:
    """What to hand to the engine: those of `values` that it has and that a person filled in.

    Raises `BadOption` for a value that is not of the option's kind, and `OverLimit` for more
    steps than the settings allow.
    """
    from infill.web.uploads import opened

    given: dict[str, Any] = {}
    for entry, control in of_engine(engine).items():
        value = values.get(entry)
        if value is None or (value == "" and not isinstance(control.default, str)):
            continue
        if control.kind == "whole number":
            if value != int(value):
                raise BadOption(f"{label(control.name)} is a whole number, not {value}")
            value = int(value)
            most = settings.current().served_steps
            if "steps" in control.name and value > most:
                raise OverLimit(f"this server makes {most} steps at most")
        elif control.kind == "number":
            value = float(value)
        elif control.kind == "picture":
            value = opened(value, keep=True)
        given[control.name] = value
    return given


def _bounds(control: Control) -> dict[str, Any]:
    ends = {"minimum": control.low, "maximum": control.high}
    return {name: value for name, value in ends.items() if value is not None}


def _step(control: Control) -> float:
    if control.kind == "whole number" or control.low is None or control.high is None:
        return 1
    span = control.high - control.low
    return 0.01 if span <= 2 else 0.1 if span <= 50 else 1
