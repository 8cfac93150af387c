"""The axes of a grid: which options take which values, as they are typed or given."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from infill.engines.base import Engine
from infill.engines.typed import control_of, parted, typed
from infill.errors import BadOption

SEED = "seed"
"""The axis of seeds; every engine has it beside its own options."""

_PICTURES = ("reference", "reference_mask")


@dataclass(frozen=True, eq=False)
class Value:
    """One value of an option: what the engine is given, and how a person reads it."""

    given: Any
    shown: str


@dataclass(frozen=True, eq=False)
class Axis:
    """One option and the values that it takes in turn; at least one, no two alike."""

    name: str
    values: tuple[Value, ...]


def read_grid(pairs: Iterable[str]) -> dict[str, list[str]]:
    """NAME=VALUE,VALUE,… as names and texts, in the order given.

    Values are parted by commas, or by | where one of them holds a comma ("0,0,1|1,0,0").
    Raises `BadOption` for what is not written so, and for a name that comes twice.
    """
    grid: dict[str, list[str]] = {}
    for pair in pairs:
        name, text = parted(pair, "a line of the grid is written NAME=VALUE,VALUE")
        if name in grid:
            raise BadOption(f"the grid names {name} twice; put all its values in one place")
        values = [value.strip() for value in text.split("|" if "|" in text else ",")]
        if not all(values):
            raise BadOption(f"a value of {name} is empty in {pair!r}")
        grid[name] = values
    return grid


def read_options(pairs: Iterable[str]) -> dict[str, str]:
    """NAME=VALUE as names and texts. Raises `BadOption` for what is not written so."""
    return dict(parted(pair) for pair in pairs)


def axes(
    engine: Engine, grid: Mapping[str, Iterable[Any]], seeds: Sequence[int]
) -> tuple[Axis, ...]:
    """The axes of `grid` and, last, that of the seeds.

    grid: values by the option's name; text is read as the option's own kind of value.
    Raises `BadOption` for an option that the engine does not have, naming those that it has, for
    a value of another kind, and for one that comes twice.
    """
    if SEED in grid:
        raise BadOption("seeds are no option of an engine; give them as the sweep's own seeds")
    found = []
    for name, values in grid.items():
        if isinstance(values, str):
            raise BadOption(f"the values of {name} are a list, not the text {values!r}")
        found.append(Axis(name, tuple(value(engine, name, given) for given in values)))
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise BadOption(f"seeds are whole numbers from 0 up, not {seed!r}")
    found.append(Axis(SEED, tuple(Value(seed, str(seed)) for seed in seeds)))
    for axis in found:
        _check_axis(axis)
    return tuple(found)


def _check_axis(axis: Axis) -> None:
    if not axis.values:
        raise BadOption(f"the grid gives no value for {axis.name}; give one at least")
    shown: set[str] = set()
    for one in axis.values:
        if one.shown in shown:
            raise BadOption(f"the grid gives {axis.name} the value {one.shown} twice")
        shown.add(one.shown)


def value(engine: Engine, name: str, given: Any) -> Value:
    """A value of one option: text is read as the option's kind, pictures are read from files.

    Raises `BadOption` for an option that there is not and for text that it cannot be.
    """
    control_of(engine, name)
    nothing = given is None or (isinstance(given, str) and given.lower() == "none")
    if name in _PICTURES and not nothing:
        return _picture(name, given)
    if not isinstance(given, str | os.PathLike):
        return Value(given, _shown(given))
    read = typed(engine, name, os.fspath(given))
    return Value(read, _shown(read))


def _picture(name: str, given: Any) -> Value:
    """A picture or a mask, from what `infill.load` or `as_mask` takes, read once for all fills."""
    from infill.masks import as_mask
    from infill.picture import as_picture

    read: Any = as_mask(given) if name == "reference_mask" else as_picture(given)
    is_path = isinstance(given, str | os.PathLike)
    return Value(
        read, os.fspath(given) if is_path else f"a picture given as {type(given).__name__}"
    )


def _shown(given: Any) -> str:
    if isinstance(given, bool):
        return "on" if given else "off"
    if isinstance(given, float):
        return f"{given:.10g}"
    return "none" if given is None else str(given)


def resolved(engine: Engine, options: Any) -> dict[str, Any]:
    """Every option with its value, as JSON can hold it: what two equal fills have in common.

    Pictures and arrays stand as their SHA-256. A text that names a file or folder (a model)
    brings the sizes and times of what is there, so that a model that was trained on is another.
    """
    return {entry.name: _identity(getattr(options, entry.name)) for entry in fields(engine.Options)}


def _identity(given: Any) -> Any:
    import numpy as np

    from infill.picture import Picture
    from infill.recipe import hash_mask

    if isinstance(given, Picture):
        return list(given.sha256)
    if isinstance(given, np.ndarray) and given.dtype == np.bool_ and given.ndim == 2:
        return ["mask", hash_mask(given)]
    if isinstance(given, np.ndarray):
        return ["array", list(given.shape), str(given.dtype), given.tolist()]
    if isinstance(given, np.generic):
        return given.item()
    # Unlike Path.exists, this is False for a prompt that is too long for a name.
    if isinstance(given, str) and os.path.exists(given):  # noqa: PTH110
        return [given, _stamps(given)]
    return given


def _stamps(path: str) -> list[Any]:
    """Names, sizes and times of the files at a path, two folders deep (as models are)."""
    from pathlib import Path

    from infill.batch.rows import stamp

    place = Path(path)
    files = [place] if place.is_file() else sorted([*place.glob("*"), *place.glob("*/*")])
    return [[file.name, stamp(file)] for file in files if file.is_file()]
