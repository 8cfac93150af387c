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
            low, high = entry.metadata.get("low"), entry.metadata.get("high")
            if low is None or high is None or value is None:
                continue
            if not low <= value <= high:  # nor is NaN
                raise ValueError(f"{entry.name} must be between {low} and {high}, not {value}")
        self._check_together()

    def _check_together(self) -> None:
        """Raise `ValueError` for options that contradict each other or have no effect."""


@cache
def _hints(options: type) -> dict[str, Any]:
    return get_type_hints(options)


def _check_kind(name: str, hint: Any, value: Any) -> None:
    """Raise `TypeError` or, for a word that is none of the choices, `ValueError`."""
    if hint is Any:
        return
    is_union = get_origin(hint) in (Union, UnionType)
    allowed = get_args(hint) if is_union else (hint,)
    if value is None and type(None) in allowed:
        return
    (kind,) = (one for one in allowed if one is not type(None))
    number = not isinstance(value, bool | np.bool_)
    if get_origin(kind) is Literal:
        if not isinstance(value, str) or value not in get_args(kind):
            raise ValueError(f"{name} must be one of {', '.join(get_args(kind))}, not {value!r}")
    elif kind is bool and not isinstance(value, bool):
        raise TypeError(f"{name} must be true or false, not {value!r}")
    elif kind is str and not isinstance(value, str):
        raise TypeError(f"{name} is text, not {value!r}")
    elif kind is int and not (number and isinstance(value, int | np.integer)):
        raise TypeError(f"{name} is a whole number, not {value!r}")
    elif kind is float and not (number and isinstance(value, int | float | np.number)):
        raise TypeError(f"{name} is a number, not {value!r}")
