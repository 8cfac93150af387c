"""Imports point down the floors and never up. A new module must be put on one, here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import infill

ROOT = Path(infill.__file__).parent

FLOORS = [  # from the top; a name stands for a module, or for a package and all that is in it
    {"cli", "api", "web", "__main__"},
    {"bench", "rating", "batch", "sweep", "jobs", "train"},
    {"pipeline", "pieces", "segmentation", "loading", "result", "recipe"},
    {"engines", "segmenters", "metrics", "executors"},
    {"nets", "diffusion"},
    {"data"},
    {"masks", "geometry", "regions", "composite", "drift", "picture", "sheets"},
    {
        "errors",
        "registry",
        "lazy",
        "settings",
        "threads",
        "weights",
        "closing",
        "compiling",
        "device",
        "memory",
        "files",
        "examples",
    },
]
HEIGHT = {name: len(FLOORS) - level for level, names in enumerate(FLOORS) for name in names}


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name below `infill`, "" the package itself."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


MODULES = modules()


def imports(source: str, package: str) -> Iterator[str]:
    """Modules of ours that a source imports, anywhere in it, dotted, below `infill`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            if node.level:
                above = f"infill.{package}".split(".")
                start = ".".join([*above[: len(above) - node.level + 1], *filter(None, [start])])
            targets = [f"{start}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            root, _, rest = target.partition(".")
            if root != "infill":
                continue
            while rest not in MODULES:  # the name of a function or class: its module counts
                rest = rest.rpartition(".")[0]
            if rest:
                yield rest


def top(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("module", sorted({top(name) for name in MODULES} - {""}))
def test_every_module_is_on_a_floor(module: str) -> None:
    assert module in HEIGHT, f"put {module} on one of the floors in {Path(__file__).name}"


@pytest.mark.parametrize("module", sorted(set(MODULES) - {""}))
def test_imports_point_down(module: str) -> None:
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    height = HEIGHT.get(top(module), 0)
    upward = [
        target
        for target in imports(path.read_text(encoding="utf-8"), package)
        if HEIGHT.get(top(target), 0) > height
    ]
    assert not upward, f"infill.{module} imports from a floor above: {', '.join(upward)}"


def test_the_package_itself_imports_nothing_of_ours_when_it_is_imported() -> None:
    tree = ast.parse(MODULES[""].read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith("infill"), ast.unparse(node)


class TestTheReaderItself:
    def test_finds_what_hides_in_functions_and_relative_imports(self) -> None:
        source = """
import infill.pipeline
def later():
    from infill import cli, __version__
    from infill.engines.base import ENGINES
    from . import haarpsi
    from ..picture import Picture
import numpy, infillable
"""
        assert list(imports(source, "metrics")) == [
            "pipeline",
            "cli",
            "engines.base",
            "metrics.haarpsi",
            "picture",
        ]

    def test_no_name_is_on_two_floors(self) -> None:
        assert len(HEIGHT) == sum(len(floor) for floor in FLOORS)
