"""From rows (one per photo and method) to tables and to what must hold."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.limits import Limit
from benchmarks.names import GMIC, OURS
from infill.metrics.base import METRICS, format_score
from infill.sheets import markdown

MEASURED = ("psnr", "haarpsi", "texture", "sharpness")
"""The metrics that are measured, by their names in the registry."""

COLUMNS = {"masked_psnr": 1, "haarpsi": 3, "texture": 1, "sharpness": 2}
"""The scores of a table and their digits."""

WINS = ("haarpsi", "texture", "masked_psnr")
"""The scores in which an engine has to be the best to take the default's place."""

HEADINGS = ("method", "photos", "s", "× G'MIC", "masked PSNR", "HaarPSI", "texture", "sharpness")

Row = Mapping[str, Any]
"""name, kind, method, seconds, and the metrics' keys; or name, kind, method, error."""


@dataclass(frozen=True)
class Scores:
    """One line of a table. speed: how many times as fast as G'MIC, NaN if it did not run."""

    method: str
    photos: int
    seconds: float
    speed: float
    values: Mapping[str, float]


def summarise(rows: Sequence[Row], methods: Sequence[str]) -> dict[str, list[Scores]]:
    """For each kind of hole, and for "all", a line per method.

    Seconds are the median over the photos; scores the means as the metrics define them.
    """
    kinds = [*dict.fromkeys(row["kind"] for row in rows), "all"]
    of = {kind: [row for row in rows if kind in (row["kind"], "all")] for kind in kinds}
    return {kind: _lines(found, methods) for kind, found in of.items()}


def _lines(rows: Sequence[Row], methods: Sequence[str]) -> list[Scores]:
    of = {name: [r for r in rows if r["method"] == name and "error" not in r] for name in methods}
    seconds = {name: _median([row["seconds"] for row in found]) for name, found in of.items()}
    reference = seconds.get(GMIC, math.nan)
    return [
        Scores(name, len(found), seconds[name], _ratio(reference, seconds[name]), _scores(found))
        for name, found in of.items()
    ]


def _scores(rows: Sequence[Row]) -> dict[str, float]:
    reduced: dict[str, float] = {}
    for name in MEASURED:
        reduced.update(METRICS.get(name).reduce(rows))
    return {key: reduced[key] for key in COLUMNS}


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else math.nan


def _ratio(a: float, b: float) -> float:
    return a / b if b else math.nan


# --- printing -----------------------------------------------------------------------------


def cells(line: Scores, labels: Mapping[str, str]) -> list[str]:
    """The line as text, in the order of `HEADINGS`."""
    return [
        labels.get(line.method, line.method),
        str(line.photos),
        format_score(line.seconds, 3),
        format_score(line.speed, 1),
        *(format_score(line.values[key], digits) for key, digits in COLUMNS.items()),
    ]


def as_text(summary: Mapping[str, Sequence[Scores]], labels: Mapping[str, str]) -> str:
    """Tables for a terminal, one per kind."""
    return "\n\n".join(
        f"{kind}\n" + _aligned([list(HEADINGS), *(cells(line, labels) for line in lines)])
        for kind, lines in summary.items()
    )


def as_markdown(summary: Mapping[str, Sequence[Scores]], labels: Mapping[str, str]) -> str:
    """Tables for a document, one per kind."""
    parts = []
    for kind, lines in summary.items():
        rows = [cells(line, labels) for line in lines]
        body = markdown(HEADINGS, rows, right=range(1, len(HEADINGS)))
        parts.append(f"### {kind.capitalize()}\n\n{body}")
    return "\n\n".join(parts)


def _aligned(table: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return "\n".join(
        row[0].ljust(widths[0])
        + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in table
    )


# --- what must hold -----------------------------------------------------------------------


def targets(summary: Mapping[str, Sequence[Scores]], ours: str = OURS) -> list[Limit]:
    """What an engine must reach; what needs a method that did not run is left out.

    `OURS` has limits of its own; any other has to be the best of all in every score to take its
    place.
    """
    lines = {line.method: line for line in summary["all"]}
    if ours not in lines:
        return []
    own = lines[ours]
    limits = [Limit("sharpness", own.values["sharpness"], low=0.9, high=1.1)]
    if ours != OURS:
        names = {key: HEADINGS[4 + list(COLUMNS).index(key)] for key in WINS}
        called = {key: f"{name}, all, best of the others" for key, name in names.items()}
        return limits + _against_best(summary["all"], ours, called, exact=WINS)
    if GMIC in lines and lines[GMIC].photos:
        limits += _against_gmic(own, lines[GMIC])
    for kind, found in summary.items():
        if kind != "all":
            called = {
                "haarpsi": f"HaarPSI, {kind}, best peer",
                "texture": f"texture distance, {kind}, best peer",
            }
            limits += _against_best(found, ours, called, exact=("haarpsi",))
    return limits


def _against_gmic(own: Scores, gmic: Scores) -> list[Limit]:
    return [
        Limit("times as fast as G'MIC", own.speed, low=8, digits=1),
        Limit(
            "HaarPSI above G'MIC's",
            own.values["haarpsi"] - gmic.values["haarpsi"],
            low=0.015,
            digits=4,
        ),
        Limit(
            "texture distance, of G'MIC's",
            own.values["texture"] / gmic.values["texture"],
            high=0.75,
        ),
        Limit("masked PSNR", own.values["masked_psnr"], low=gmic.values["masked_psnr"], unit="dB"),
    ]


def _against_best(
    found: Sequence[Scores], ours: str, called: Mapping[str, str], exact: Sequence[str]
) -> list[Limit]:
    """At least as good as the best of the others, in each score that has a name in `called`.

    exact: the scores that are told to four digits; the others to two.
    """
    own = next(line for line in found if line.method == ours)
    peers = [line for line in found if line.method != ours and line.photos]
    if not peers:
        return []
    limits = []
    for key, what in called.items():
        values, digits = [line.values[key] for line in peers], 4 if key in exact else 2
        low, high = (None, min(values)) if key == "texture" else (max(values), None)
        limits.append(Limit(what, own.values[key], low=low, high=high, digits=digits))
    return limits
