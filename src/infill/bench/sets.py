"""Figures of whole sets (FID, KID, SWD), from what each fill left of itself on disk.

They are kept in `sets.json`, since they take longer than all else in a report, and are made again
when a fill has been added.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.bench.layout import SETS, feature_path
from infill.bench.rows import Row, Table, read_json, tabulated
from infill.bench.stats import student
from infill.files import write_atomically
from infill.metrics.base import SET_METRICS

PARTS, FEWER, MANY = 10, 4, 300
"""The error is found by leaving out a tenth of the samples at a time (the delete-a-group
jackknife, Shao and Wu 1989); a quarter where there are more than `MANY`, since it takes long."""
LEAST = 2 * PARTS
"""Photos below which there is no interval."""


@dataclass(frozen=True)
class Described:
    """Where the descriptions of the truth and of a fill lie, and which photo both are of."""

    truth: Path
    fill: Path
    group: str


def compare_sets(folder: Path, rows: Sequence[Row], names: Sequence[str]) -> dict[str, Any]:
    """For each set metric: engine → key → [value, low, high]; None where it cannot be had.

    names: of the set metrics that the run measured. One fill of each sample counts, its first
    trial: more trials of one sample are no more samples.
    """
    table = tabulated(rows)
    mark = _mark(table, names)
    known = read_json(folder / SETS)
    if known.get("mark") == mark:
        return dict(known["figures"])
    figures = {
        name: {engine: _figures(folder, table, name, engine) for engine in table.engines}
        for name in names
    }
    text = json.dumps({"mark": mark, "figures": figures}, indent=1)
    write_atomically(folder / SETS, f"{text}\n".encode(), overwrite=True)
    return figures


def _figures(folder: Path, table: Table, name: str, engine: str) -> dict[str, list[float | None]]:
    """key → [value, low, high] of one engine."""
    pairs = []
    for slug in table.slugs:
        row = table.by[engine, slug][0]
        truth = folder / feature_path(name, slug)
        fill = folder / feature_path(name, slug, engine, row["trial"])
        if truth.exists() and fill.exists():
            pairs.append(Described(truth, fill, row["group"]))
    metric = SET_METRICS.get(name)
    keys = list(metric.card.better)
    if not pairs:
        return {key: [None, None, None] for key in keys}
    whole = metric.compare(_each(pairs, "truth"), _each(pairs, "fill"))
    parts = PARTS if len(pairs) <= MANY else FEWER
    errors = dict.fromkeys(keys, math.nan)
    if len({pair.group for pair in pairs}) >= LEAST:
        errors = _errors(name, pairs, keys, parts)
    found: dict[str, list[float | None]] = {}
    for key in keys:
        value, half = whole[key], student(parts - 1) * errors[key]
        found[key] = [_plain(value), _plain(value - half), _plain(value + half)]
    return found


def _errors(
    name: str, pairs: Sequence[Described], keys: Sequence[str], parts: int
) -> dict[str, float]:
    """The standard error of each key. Samples that show one photo are left out together."""
    metric = SET_METRICS.get(name)
    groups = {group: n for n, group in enumerate(dict.fromkeys(one.group for one in pairs))}
    without = []
    for part in range(parts):
        kept = [pair for pair in pairs if groups[pair.group] % parts != part]
        without.append(metric.compare(_each(kept, "truth"), _each(kept, "fill")))
    errors = {}
    for key in keys:
        values = np.array([row[key] for row in without])
        spread = float(np.sum(np.square(values - values.mean())))
        errors[key] = math.sqrt((parts - 1) / parts * spread)
    return errors


def _each(pairs: Sequence[Described], side: str) -> Iterator[NDArray[np.floating[Any]]]:
    """One description after the other, so that none is held longer than it is looked at."""
    for pair in pairs:
        yield np.load(getattr(pair, side), allow_pickle=False)


def _mark(table: Table, names: Sequence[str]) -> str:
    """A hash of the fills that are compared."""
    lines = [*names]
    for (engine, slug), rows in table.by.items():
        lines.append(f"{engine} {slug} {rows[0]['trial']} {rows[0]['output_sha256']}")
    lines += [f"of {slug}" for slug in table.slugs]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
