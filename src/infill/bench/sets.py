"""Figures of whole sets (FID, KID, SWD), from what each fill left of itself on disk.

They are kept in `sets.json`, since they take longer than all else in a report, and are made again
when a fill has been added.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.bench.layout import feature_path
from infill.bench.rows import Row, Table, read_json, tabulated
from infill.files import write_atomically
from infill.metrics.base import SET_METRICS

SETS = "sets.json"
PARTS = 10
"""The error is found by leaving out a tenth of the samples at a time (the delete-a-group
jackknife, Shao and Wu 1989)."""
MOST_FOR_ERROR = 1000
"""Samples up to which it is; above them the figures alone take long enough."""
WIDTH = 2.262
"""Of a 95 % interval, in standard errors: Student's t with PARTS - 1 degrees of freedom."""


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
    pairs = [
        (folder / feature_path(name, slug), folder / feature_path(name, slug, engine, trial))
        for slug in table.slugs
        for trial in [table.by[engine, slug][0]["trial"]]
    ]
    pairs = [pair for pair in pairs if pair[0].exists() and pair[1].exists()]
    metric = SET_METRICS.get(name)
    keys = list(metric.card.better)
    if not pairs:
        return {key: [None, None, None] for key in keys}
    whole = metric.compare(_each(pairs, 0), _each(pairs, 1))
    errors = dict.fromkeys(keys, math.nan)
    if PARTS * 2 <= len(pairs) <= MOST_FOR_ERROR:
        errors = _errors(name, pairs, keys)
    found: dict[str, list[float | None]] = {}
    for key in keys:
        value, half = whole[key], WIDTH * errors[key]
        found[key] = [_plain(value), _plain(value - half), _plain(value + half)]
    return found


def _errors(name: str, pairs: Sequence[tuple[Path, Path]], keys: Sequence[str]) -> dict[str, float]:
    """The standard error of each key."""
    metric = SET_METRICS.get(name)
    without = []
    for part in range(PARTS):
        kept = [pair for number, pair in enumerate(pairs) if number % PARTS != part]
        without.append(metric.compare(_each(kept, 0), _each(kept, 1)))
    errors = {}
    for key in keys:
        values = np.array([row[key] for row in without])
        spread = float(np.sum(np.square(values - values.mean())))
        errors[key] = math.sqrt((PARTS - 1) / PARTS * spread)
    return errors


def _each(pairs: Sequence[tuple[Path, Path]], side: int) -> Iterator[NDArray[np.floating[Any]]]:
    """One description after the other, so that none is held longer than it is looked at."""
    for pair in pairs:
        yield np.load(pair[side], allow_pickle=False)


def _mark(table: Table, names: Sequence[str]) -> str:
    """A hash of the fills that are compared."""
    lines = [*names]
    for (engine, slug), rows in table.by.items():
        lines.append(f"{engine} {slug} {rows[0]['trial']} {rows[0]['output_sha256']}")
    lines += [f"of {slug}" for slug in table.slugs]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
