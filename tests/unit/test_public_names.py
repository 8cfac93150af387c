"""The names that `infill` offers. Taking one away breaks somebody's script."""

import ast
from pathlib import Path

import pytest

import infill

NAMES = [
    "EngineCard",
    "InfillError",
    "Picture",
    "Proof",
    "Recipe",
    "Result",
    "__version__",
    "candidates",
    "engines",
    "errors",
    "fill",
    "load",
    "replay",
    "save",
    "segment",
]


def test_names() -> None:
    assert infill.__all__ == NAMES
    assert {*NAMES} <= {*dir(infill)}


@pytest.mark.parametrize("name", NAMES)
def test_each_is_there_and_is_kept(name: str) -> None:
    assert getattr(infill, name) is getattr(infill, name)
    assert name in vars(infill)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(infill.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = [alias.asname for node in block.body for alias in getattr(node, "names", [])]
    assert sorted([*seen, "__version__"]) == NAMES  # type: ignore[type-var]


def test_others_are_refused() -> None:
    with pytest.raises(AttributeError, match="module 'infill' has no attribute 'fil'"):
        infill.fil  # noqa: B018


def test_engines_are_listed() -> None:
    assert infill.engines.names()[0] == "exemplar"
    assert [card.name for card in infill.engines.cards()] == infill.engines.names()


def test_every_error_is_in_the_tree_that_is_drawn() -> None:
    drawn = infill.errors.__doc__ or ""
    for name, value in vars(infill.errors).items():
        if isinstance(value, type):
            assert f"{name} " in drawn or name == "Cancelled", name
            assert issubclass(value, infill.InfillError)
