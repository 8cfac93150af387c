"""What a training run is told: frozen dataclasses, one for each table of a TOML file."""

import json
import math
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from infill.errors import BadOption, Unreadable

T = TypeVar("T")


def check(holds: bool, otherwise: str) -> None:
    """Raise `BadOption` with the sentence `otherwise` unless `holds`."""
    if not holds:
        raise BadOption(otherwise)


def check_least(config: Any, table: str, least: int, *names: str) -> None:
    """Raise `BadOption` for a value of those names below `least`; `table` is what holds them."""
    for name in names:
        value = getattr(config, name)
        check(value >= least, f"{table}{name} must be at least {least}, not {value}")


def check_above(config: Any, table: str, *names: str) -> None:
    """Raise `BadOption` for a value of those names that is not above 0."""
    for name in names:
        value = getattr(config, name)
        check(value > 0, f"{table}{name} must be above 0, not {value}")


def check_not_negative(config: Any, table: str, *names: str) -> None:
    """Raise `BadOption` for a negative value of those names."""
    for name in names:
        value = getattr(config, name)
        check(value >= 0, f"{table}{name} must not be negative, but is {value}")


def read(path: Path, assignments: Sequence[str] = ()) -> dict[str, Any]:
    """The tables of a TOML file, with TABLE.NAME=VALUE texts applied to them.

    Raises `Unreadable` for a file that cannot be read, `BadOption` for one that is no TOML and
    for what `assign` does not take.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadOption(f"{path} is no TOML file: {error}") from error
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {(error.strerror or '').lower()}") from error
    for text in assignments:
        assign(tables, text)
    return tables


def assign(tables: dict[str, Any], text: str) -> None:
    """Apply TABLE.NAME=VALUE; the value is written as in TOML, quotes round text may be left out.

    Whether there is such a table and name is found by `from_dict`. Raises `BadOption` for a text
    of another form.
    """
    path, equals, value = (part.strip() for part in text.partition("="))
    *above, name = path.split(".")
    if not equals or not above or not all([*above, name]):
        raise BadOption(f"{text!r} sets nothing; write TABLE.NAME=VALUE, as in run.batch=8")
    place = tables
    for step in above:
        place = place.setdefault(step, {})
        check(isinstance(place, dict), f"{text!r}: {step} is a value, not a table")
    try:
        place[name] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        place[name] = value


def from_dict(kind: type[T], values: Mapping[str, Any], table: str = "") -> T:
    """A configuration of class `kind` with `values`; what they leave out stays the default.

    A field that is a configuration itself takes a table, a tuple takes a list of its own kind of
    values. `table` is what errors call it.

    Raises `BadOption` for an unknown key, a value of another kind, or one out of range.
    """
    title = f"[{table}]" if table else "the configuration"
    known: dict[str, Field[Any]] = {entry.name: entry for entry in fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise BadOption(f"{title} has no {name!r}; it has: {', '.join(known)}")
        if is_dataclass(hints[name]):
            check(isinstance(value, Mapping), f"{name} is a table: write [{name}]")
            given[name] = from_dict(hints[name], value, name)
        else:
            given[name] = _fitting(_default(known[name]), value, f"{title}: {name}")
    missing = [
        name
        for name, entry in known.items()
        if name not in given and entry.default is MISSING and entry.default_factory is MISSING
    ]
    check(not missing, f"{title} lacks {', '.join(missing)}")
    return kind(**given)


def _default(entry: "Field[Any]") -> Any:
    return entry.default_factory() if entry.default_factory is not MISSING else entry.default


def _fitting(default: Any, value: Any, called: str) -> Any:
    """`value` as what the default is; whole numbers serve as real ones, lists as tuples."""
    if isinstance(default, tuple) and isinstance(value, list | tuple):
        example = default[0] if default else None
        return tuple(_fitting(example, one, called) for one in value)
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise BadOption(f"{called} is a finite number, not {value}")
    if default is not None and type(value) is not type(default):
        wanted = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}
        name = type(default).__name__
        raise BadOption(f"{called} takes a value of type {wanted.get(name, name)}, not {value!r}")
    return value


def to_json(config: Any) -> str:
    """One line of JSON that `from_dict` reads again."""
    return json.dumps(asdict(config), sort_keys=True)


def folder(text: str, called: str) -> Path:
    """A path out of a configuration; $NAME and ~ are filled in.

    Raises `BadOption` for an empty one and for a variable that is not set.
    """
    check(bool(text), f"{called} is empty; name a path, as in --set {called}=PATH")
    filled = os.path.expandvars(text)
    check(
        "$" not in filled,
        f"{called} is {text}, but that variable is not set; set it, or use --set {called}=PATH",
    )
    return Path(filled).expanduser()
