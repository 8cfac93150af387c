"""What a person can set on an engine, read from its `Options`: for the app and the API."""

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from infill.engines.base import Engine

Kind = Literal["number", "whole number", "switch", "text", "choice", "picture"]

REFERENCE = "reference"
"""The option by which every engine that is guided by a picture takes it."""


@dataclass(frozen=True)
class Control:
    """One option of an engine.

    kind:      what sort of value it takes.
    default:   the engine's own.
    low, high: bounds, both included, or None where there are none.
    choices:   of kind "choice".
    help:      one sentence, "" if the engine says none.
    """

    name: str
    kind: Kind
    default: Any
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""


def controls(engine: Engine) -> tuple[Control, ...]:
    """Every option of the engine, in the order of its `Options`.

    Bounds and help come from the field's metadata ("low", "high", "help").
    """
    hints = get_type_hints(engine.Options)
    found = []
    for entry in fields(engine.Options):
        kind, choices = _kind(entry.name, hints[entry.name])
        told = {
            key: entry.metadata[key] for key in ("low", "high", "help") if key in entry.metadata
        }
        found.append(Control(entry.name, kind, entry.default, choices=choices, **told))
    return tuple(found)


def _kind(name: str, hint: Any) -> tuple[Kind, tuple[str, ...]]:
    if name.startswith(REFERENCE):  # and `reference_mask`, the object in it
        return "picture", ()
    if get_origin(hint) is Literal:
        return "choice", tuple(map(str, get_args(hint)))
    types = set(get_args(hint)) or {hint}
    if bool in types:
        return "switch", ()
    if float in types:
        return "number", ()
    return ("whole number", ()) if int in types else ("text", ())
