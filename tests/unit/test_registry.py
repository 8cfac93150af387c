"""Plug-ins by name: ours, and those of other packages."""

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from infill.engines.base import ENGINES
from infill.errors import DuplicatePlugin, UnknownPlugin
from infill.registry import Registry


def registry(table: dict[str, str], *points: EntryPoint) -> Registry[Any]:
    made: Registry[Any] = Registry("shape", "infill.no-such-group", table)
    made._found_entry_points = lambda: list(points)  # type: ignore[method-assign]
    return made


def test_get_imports_and_calls() -> None:
    assert registry({"ordered": "collections:OrderedDict"}).get("ordered") == {}


def test_get_makes_a_new_one_each_time() -> None:
    shapes = registry({"list": "builtins:list"})
    assert shapes.get("list") is not shapes.get("list")


def test_unknown_names_those_that_exist() -> None:
    with pytest.raises(UnknownPlugin, match="there is no shape 'c'; there are: a, b"):
        registry({"a": "x:y", "b": "x:y"}).get("c")
    with pytest.raises(UnknownPlugin, match="there are: none"):
        registry({}).get("c")


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    shapes = registry({"broken": "no.such.module:thing"})
    assert shapes.names() == ["broken"]
    assert "broken" in shapes
    with pytest.raises(ModuleNotFoundError):
        shapes.get("broken")


def test_duplicates_are_refused() -> None:
    shapes = registry({"a": "x:y"})
    with pytest.raises(DuplicatePlugin, match="two shapes are called 'a': x:y and z:w"):
        shapes.add("a", "z:w")
    shapes.add("b", "z:w")
    assert shapes.names() == list(shapes) == ["a", "b"]


def test_other_packages_register_theirs() -> None:
    point = EntryPoint("theirs", "builtins:dict", "infill.no-such-group")
    shapes = registry({"ours": "builtins:list"}, point)
    assert shapes.names() == ["ours", "theirs"]
    assert shapes.get("theirs") == {}


def test_other_packages_cannot_take_our_names() -> None:
    point = EntryPoint("ours", "builtins:dict", "infill.no-such-group")
    with pytest.raises(DuplicatePlugin):
        registry({"ours": "builtins:list"}, point).names()


def test_every_engine_of_ours_is_where_the_table_says() -> None:
    for name in ENGINES:
        assert ENGINES.get(name).card.name == name
