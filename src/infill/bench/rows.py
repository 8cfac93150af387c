"""Rows of a run, read back: which there are, and their figures as numbers in a table."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.batch.rows import ROWS_FILE, read_rows
from infill.bench.layout import FORMAT
from infill.errors import BatchError

Row = Mapping[str, Any]
Values = NDArray[np.float64]


def read(folder: Path) -> list[Row]:
    """All rows of a run, in its order.

    Raises `BatchError` where there are none, or some are of another format.
    """
    rows: list[Row] = list(read_rows(folder / ROWS_FILE, "key").values())
    if not rows:
        raise BatchError(f"{folder} holds no rows yet; start the run, or wait for its first fill")
    for row in rows:
        if row.get("format") != FORMAT:
            raise BatchError(
                f"{folder / ROWS_FILE} has rows of format {row.get('format')!r} (Infill "
                f"{row.get('infill')}), and this version reads format {FORMAT}; use the version "
                "that wrote them"
            )
    return rows


def read_json(path: Path) -> dict[str, Any]:
    """An object in a file; empty where there is no file. Raises `BatchError` for a damaged one."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BatchError(f"{path} cannot be read ({error})") from error
    return content if isinstance(content, dict) else {}


@dataclass(frozen=True)
class Table:
    """The rows that are compared, by engine and sample.

    engines: labels, in the run's order. slugs: of the samples that every engine has filled.
    by:      (engine, slug) → its rows, one for each trial.
    left_out: slugs on which an engine failed.
    """

    engines: Sequence[str]
    slugs: Sequence[str]
    by: Mapping[tuple[str, str], Sequence[Row]]
    left_out: Sequence[str]

    def values(self, key: str) -> Values:
        """(samples, engines) float64: the mean of a figure over the trials; infinite where all
        trials are exact, NaN where nothing was measured."""
        return self.of(lambda row: number(row["scores"].get(key)))

    def of(self, figure: Any) -> Values:
        """(samples, engines) float64: the mean over the trials of `figure(row)`, as `values`."""
        return np.array(
            [
                [mean([figure(row) for row in self.by[engine, slug]]) for engine in self.engines]
                for slug in self.slugs
            ],
            np.float64,
        ).reshape(len(self.slugs), len(self.engines))


def tabulated(rows: Iterable[Row]) -> Table:
    """The rows of samples on which no engine failed in any trial.

    An engine that has filled nothing at all is no column, so that it does not empty the table.
    """
    rows = list(rows)
    good = [row for row in rows if row["error"] is None]
    engines = list(dict.fromkeys(row["engine"] for row in rows))
    able = {row["engine"] for row in good}
    engines = [name for name in engines if name in able]
    by: dict[tuple[str, str], list[Row]] = {}
    failed = {row["slug"] for row in rows if row["error"] is not None and row["engine"] in engines}
    for row in good:
        by.setdefault((row["engine"], row["slug"]), []).append(row)
    slugs = list(dict.fromkeys(row["slug"] for row in rows))
    common = {
        slug: None
        for slug in slugs
        if slug not in failed and all((engine, slug) in by for engine in engines)
    }
    return Table(engines, list(common), by, [slug for slug in slugs if slug not in common])


def number(value: Any) -> float:
    """A figure of a row: "exact" is infinity, null is NaN."""
    if value is None:
        return math.nan
    return math.inf if value == "exact" else float(value)


def mean(values: Sequence[float]) -> float:
    """The mean of the finite values; infinite if all that is known is, NaN if nothing is."""
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        return math.fsum(finite) / len(finite)
    return math.inf if any(math.isinf(value) for value in values) else math.nan
