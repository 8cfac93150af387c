"""The figures of a sweep: a table to read, in Markdown, and one to reckon with, in CSV."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import infill
from infill.batch.rows import Row
from infill.files import write_atomically
from infill.metrics.base import format_score
from infill.sheets import markdown
from infill.sweep.plan import Plan

FIGURES = {
    "target_psnr": ("PSNR to target, dB", 2),
    "target_mae": ("MAE to target", 4),
    "seam": ("seam", 3),
    "seconds": ("seconds", 3),
    "calls": ("network calls", 0),
}
"""The figures of a row: heading, and digits after the point."""

LEGEND = (
    "PSNR and MAE (values from 0 to 1) compare the fill with what the engine was to make, where "
    "it can say what that is. Seam: the mean jump across the hole's border over the photo's own "
    "mean step beside it; 1 is no rougher than the photo. Seconds: of the engine alone; the "
    "first fill with a model also loads it."
)


def number(value: Any) -> float:
    """A figure of a row as a number: null is NaN, "exact" infinity."""
    return math.nan if value is None else math.inf if value == "exact" else float(value)


def figure(row: Mapping[str, Any], key: str) -> str:
    """A figure of a row for a person; "–" where there is none."""
    return format_score(number(row[key]), FIGURES[key][1])


def headings(plan: Plan, *, error: bool) -> list[str]:
    """The axes, the figures and, where something failed, what."""
    return [
        *(axis.name for axis in plan.axes),
        *(title for title, _ in FIGURES.values()),
        *(["error"] if error else []),
    ]


def cells(plan: Plan, row: Row, *, error: bool) -> list[str]:
    """A row as text, in the order of `headings`."""
    return [
        *(row["values"][axis.name] for axis in plan.axes),
        *(figure(row, key) for key in FIGURES),
        *([row["error"] or ""] if error else []),
    ]


def as_text(plan: Plan, rows: Mapping[str, Row]) -> tuple[list[str], list[list[str]], range]:
    """Headings, rows in the plan's order, and which columns are figures."""
    error = any(row["error"] is not None for row in rows.values())
    body = [cells(plan, rows[cell.key], error=error) for cell in plan.cells if cell.key in rows]
    start = len(plan.axes)
    return headings(plan, error=error), body, range(start, start + len(FIGURES))


def write(plan: Plan, rows: Mapping[str, Row], table: Path, figures: Path) -> None:
    """Write both tables, of the fills in `rows` (by key)."""
    write_atomically(table, as_markdown(plan, rows).encode(), overwrite=True)
    write_atomically(figures, as_csv(plan, rows).encode(), overwrite=True)


def as_markdown(plan: Plan, rows: Mapping[str, Row]) -> str:
    """The table with what all fills share above it."""
    head, body, right = as_text(plan, rows)
    return f"{_shared(plan, len(body))}\n\n{markdown(head, body, right)}\n\n{LEGEND}\n"


def _shared(plan: Plan, ended: int) -> str:
    photo = plan.photo.metadata.path
    parts = [
        f"{photo.name if photo else 'A photo'}, {plan.photo.width}×{plan.photo.height}, "
        f"{plan.hole.mean():.1%} of it filled with {plan.engine} (Infill {infill.__version__})."
    ]
    fixed = [f"{name} = {shown}" for name, shown in plan.fixed.items()]
    fixed += [f"blend = {plan.blend:g} px"] if plan.blend else []
    fixed += ["colours matched"] if plan.match_colour else []
    if fixed:
        parts.append(f"The same for all: {', '.join(fixed)}.")
    if ended < len(plan.cells):
        parts.append(f"{ended} of {len(plan.cells)} fills are done.")
    return " ".join(parts)


def as_csv(plan: Plan, rows: Mapping[str, Row]) -> str:
    """One line per fill: key, axes, figures in full (empty = none, "exact" = infinite), error."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [axis.name for axis in plan.axes]
    writer.writerow(["key", *names, *FIGURES, "output", "error"])
    for row in _ordered(plan, rows):
        given = [row["values"][name] for name in names]
        found = ["" if row[key] is None else row[key] for key in FIGURES]
        writer.writerow([row["key"], *given, *found, row["output"] or "", row["error"] or ""])
    return text.getvalue()


def _ordered(plan: Plan, rows: Mapping[str, Row]) -> Sequence[Row]:
    return [rows[cell.key] for cell in plan.cells if cell.key in rows]
