"""The rows as the page carries them: short arrays, so that ten thousand stay small."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from infill.bench.summary import Summary
from infill.bench.words import sane

Row = Mapping[str, Any]

MOST_RECIPES = 6_000_000
"""Characters of recipes that a page carries; above it they stay in the run's folder."""


class Names:
    """Gives each distinct text a number, in the order in which they come."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def of(self, text: Any) -> int:
        """The number of `text`; -1 for None and ""."""
        if text is None or text == "":
            return -1
        found = self._numbers.setdefault(str(text), len(self.texts))
        if found == len(self.texts):
            self.texts.append(str(text))
        return found


def records(rows: Sequence[Row], summary: Summary) -> dict[str, Any]:
    """What `table.js` reads.

    texts:  names, kinds, prompts, errors and notes, told by their numbers (-1: none).
    scores: key, label, digits and way of each score.
    rows:   [key, sample, kind, engine, trial, seed, seconds, error, notes, output, scores...].
    recipes: see `_recipes`; None where they would be too many characters.
    """
    names = Names()
    scores = _scores(rows, summary)
    lines = [_line(row, [score["key"] for score in scores], names) for row in rows]
    recipes = _recipes(rows)
    size = len(json.dumps(recipes, separators=(",", ":"))) if recipes else 0
    return {
        "texts": names.texts,
        "scores": scores,
        "rows": lines,
        "recipes": recipes if 0 < size <= MOST_RECIPES else None,
    }


def _scores(rows: Sequence[Row], summary: Summary) -> list[dict[str, Any]]:
    """The scores that rows have, those of the tables first and under their names there."""
    columns = {column.key: column for table in summary.tables for column in table.columns}
    present = dict.fromkeys(key for row in rows for key in row.get("scores") or {})
    ordered = [key for key in columns if key in present]
    ordered += [key for key in present if key not in columns]
    told = []
    for key in ordered:
        column = columns.get(key)
        entry = {"key": key, "label": key, "digits": 3, "better": ""}
        if column is not None:
            entry |= {"label": column.label, "digits": column.digits, "better": column.better}
        told.append(entry)
    return told


def _line(row: Row, keys: Sequence[str], names: Names) -> list[Any]:
    scores = row.get("scores") or {}
    seconds = (row.get("seconds") or {}).get("total")
    return [
        str(row.get("key", "")),
        names.of(row.get("sample")),
        names.of(row.get("kind")),
        names.of(row.get("engine")),
        row.get("trial", 0),
        str(row.get("seed", "")),
        _rounded(seconds),
        names.of(row.get("error")),
        names.of(" ".join(map(str, row.get("notes") or ()))),
        str(row.get("output") or ""),
        *(_rounded(scores.get(key)) for key in keys),
    ]


def _rounded(value: Any) -> Any:
    value = sane(value)
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _recipes(rows: Sequence[Row]) -> dict[str, Any] | None:
    """The recipes of all rows: one for each engine, and of each row what differs from it.

    {"base": {engine: recipe}, "of": [changes or None for each row]}; None if no row has one.
    """
    base: dict[str, Mapping[str, Any]] = {}
    changes: list[dict[str, Any] | None] = []
    for row in rows:
        recipe = row.get("recipe")
        if not isinstance(recipe, Mapping):
            changes.append(None)
            continue
        recipe = {key: sane(value) for key, value in recipe.items() if key != "mask"}
        first = base.setdefault(str(row.get("engine")), recipe)
        gone = dict.fromkeys(key for key in first if key not in recipe)
        changes.append(
            gone | {key: value for key, value in recipe.items() if first.get(key) != value}
        )
    return {"base": base, "of": changes} if base else None
