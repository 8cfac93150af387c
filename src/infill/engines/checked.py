"""Options that hold their values to the kinds and bounds which their fields state."""

from dataclasses import dataclass, fields
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np


@dataclass(frozen=True)
class Checked:
    """Base of an engine's `Options`: a value of another kind than its field's annotation, or
    beyond the bounds given to `infill.engines.base.option`, raises `TypeError` or `ValueError`,
    which `make_options` turns into a sentence with the engine's name.

    None is taken only where a field's type has it; it stands for the model's own, or for none.
    A whole number is a number, true and false are none. `Any` takes anything.
    """

    def __post_init__(self) -> None:
        hints = _hints(type(self))  # type: ignore[arg-type]  # classes do hash
        for entry in fields(self):
            value = getattr(self, entry.name)
            _check_kind(entry.name, hints[entry.name], value)
            if value is not None:
                _check_bounds(
                    entry.name, value, entry.metadata.get("low"), entry.metadata.get("high")
                )
        self._check_together()

    def _check_together(self) -> None:
        """Raise `ValueError` for options that contradict each other or have no effect."""


@cache
def _hints(options: type) -> dict[str, Any]:
    return get_type_hints(options)


def _check_bounds(name: str, value: Any, low: float | None, high: float | None) -> None:
    """Raise `ValueError` for a number beyond its bounds, or none at all (NaN)."""
    above, below = low is None or value >= low, high is None or value <= high
    if above and below:
        return
    if low is None or high is None:
        bound = f"at least {low}" if high is None else f"at most {high}"
    else:
        bound = f"between {low} and {high}"
    raise ValueError(f"{name} must be {bound}, not {value}")


def _check_kind(name: str, hint: Any, value: Any) -> None:
    """Raise `TypeError` or, for a word that is none of the choices, `ValueError`."""
    is_union = get_origin(hint) in (Union, UnionType)
    kinds = [kind for kind in (get_args(hint) if is_union else (hint,)) if kind is not type(None)]
    if value is None and len(kinds) < len(get_args(hint)) and is_union:
        return
    if any(_fits(kind, value) for kind in kinds):
        return
    error = ValueError if any(get_origin(kind) is Literal for kind in kinds) else TypeError
    raise error(f"{name} {' or '.join(map(_told, kinds))}, not {value!r}")


def _fits(kind: Any, value: Any) -> bool:
    number = not isinstance(value, bool | np.bool_)
    if kind is Any:
        return True
    if get_origin(kind) is Literal:
        return any(type(value) is type(choice) and value == choice for choice in get_args(kind))
    if kind is int:
        return number and isinstance(value, int | np.integer)
    if kind is float:
        return number and isinstance(value, int | float | np.number)
    return isinstance(value, get_origin(kind) or kind)


def _told(kind: Any) -> str:
    """What a value of that kind is, in words."""
    if get_origin(kind) is Literal:
        return f"must be one of {', '.join(map(str, get_args(kind)))}"
    words = {
        bool: "must be true or false",
        str: "is text",
        int: "is a whole number",
        float: "is a number",
    }
    return words.get(kind) or f"is a {getattr(get_origin(kind) or kind, '__name__', kind)}"
