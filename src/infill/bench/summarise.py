"""From the rows of a run to its summary."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from infill.batch.rows import read_rows
from infill.bench.costs import costs, ran_on
from infill.bench.criteria import TITLES, Figures, columns_of, criterion_wins
from infill.bench.layout import TRIALS
from infill.bench.machine import in_words
from infill.bench.pictured import pictured
from infill.bench.references import matching
from infill.bench.rows import Row, Table, read, read_json, tabulated
from infill.bench.run import NOTES, read_run
from infill.bench.sets import compare_sets
from infill.bench.spreads import spreads
from infill.bench.stats import Bootstrap, ranks
from infill.bench.summary import (
    Column,
    Failure,
    Interval,
    Rank,
    Standing,
    Summary,
)
from infill.bench.summary import Table as Shown
from infill.bench.verdict import verdict
from infill.bench.words import counted
from infill.engines.base import ENGINES
from infill.errors import BatchError
from infill.metrics.base import SET_METRICS, card_of

VISIBLE = ("realism", "adaptability", "preservation", "consistency")
"""The criteria that the overall score is the mean of: what can be seen in a fill."""


def summarise(
    folder: Path, *, title: str = "", price_per_hour: float | None = None
) -> tuple[Summary, list[Row]]:
    """The summary of a run, and its rows.

    price_per_hour: US dollars for the machine that the run had, in place of the table of rates.

    Raises `BatchError` where the folder holds no run, no rows, or rows of another version, and
    where no sample was filled by any engine.
    """
    run, rows = read_run(folder), read(folder)
    notes = read_json(folder / NOTES)
    table = tabulated(rows)
    if not table.engines:
        raise BatchError(
            f"no fill of the run in {folder} succeeded; the first says: {rows[0]['error']}"
        )
    if not table.slugs:
        raise BatchError(
            f"there is no sample that all of {', '.join(table.engines)} have filled, so they "
            "cannot be compared; let the run end, or leave out the engine that fails"
        )
    groups = {row["slug"]: row["group"] for row in rows}
    bootstrap = Bootstrap([groups[slug] for slug in table.slugs])
    known = Figures.of(table, run["metrics"], read_rows(folder / TRIALS, "key"))
    sets = compare_sets(folder, rows, [name for name in run["metrics"] if name in SET_METRICS])
    shown = _tables(known, bootstrap, sets, notes.get("lacking", {}))
    standings = _standings(known, bootstrap)
    machine = notes.get("machine", {}) | ran_on(rows)
    cost = costs(table, machine, price_per_hour)
    failures = [
        Failure(row["engine"], row["sample"], row["trial"], row["error"])
        for row in rows
        if row["error"] is not None
    ]
    summary = Summary(
        title=title or _title(table.engines),
        verdict=[],
        engines=table.engines,
        samples=len(table.slugs),
        trials=run["trials"],
        standings=standings,
        tables=shown,
        by_kind=_by_kind(known, rows, groups),
        costs=cost,
        spreads=spreads(table),
        pictures=pictured(known, rows, notes, folder),
        failures=failures,
        left_out=table.left_out,
        references=matching(str(run.get("dataset")), run.get("protocol"), run.get("size")),
        techniques=_techniques(run),
        rated=_rated(folder),
        hardware=machine | {"words": in_words(machine), "date": notes.get("date")},
        versions=_versions(rows),
        protocol={
            key: run.get(key)
            for key in ("task", "source", "protocol", "size", "seed", "trials", "samples_sha256")
        },
        command=notes.get("command", ""),
        notes=_notes(machine, table),
    )
    return replace(summary, verdict=verdict(summary)), rows


def _tables(
    known: Figures, bootstrap: Bootstrap, sets: Mapping[str, Any], lacking: Mapping[str, str]
) -> list[Shown]:
    shown = []
    intervals = bootstrap.intervals(known.all_measured())
    for criterion, title in TITLES.items():
        columns = [column for column in known.columns[criterion] if known.measured(column.key)]
        cells: dict[str, dict[str, Interval]] = {engine: {} for engine in known.engines}
        places: dict[str, dict[str, Rank]] = {engine: {} for engine in known.engines}
        for column in columns:
            values = known.values[column.key]
            for engine, interval in zip(known.engines, intervals[column.key], strict=True):
                cells[engine][column.key] = interval
            if column.better:
                for engine, rank in ranks(known.engines, values, column.better, bootstrap).items():
                    places[engine][column.key] = rank
        notes: list[str] = []
        if criterion == "realism":
            columns += _set_columns(sets, cells, len(known.slugs), notes)
        notes += [
            f"{name} was not measured: {why}"
            for name, why in lacking.items()
            if card_of(name).criterion == criterion
        ]
        shown.append(Shown(criterion, title, columns, cells, places, notes))
    return shown


def _set_columns(
    sets: Mapping[str, Any], cells: dict[str, dict[str, Interval]], count: int, notes: list[str]
) -> list[Column]:
    """Columns of set metrics; puts their cells in, and says where they want more photos."""
    columns = []
    for name, engines in sets.items():
        card = SET_METRICS.get(name).card
        for column in columns_of(card):
            found = {engine: keys[column.key] for engine, keys in engines.items()}
            if all(value is None for value, _, _ in found.values()):
                continue
            columns.append(column)
            for engine, (value, low, high) in found.items():
                cells[engine][column.key] = Interval(value, low, high, count)
        if count < card.least:
            what = card.few or "take its figures with care"
            known_as = card.labels.get(name, name)
            notes.append(f"{known_as} wants at least {card.least} photos and had {count}: {what}")
    return columns


def _standings(known: Figures, bootstrap: Bootstrap) -> list[Standing]:
    """Each engine's place: how often it beats another one on the same sample."""
    found_for = {name: criterion_wins(known, name) for name in TITLES}
    shares = {name: share for name, share in found_for.items() if share is not None}
    telling = [
        shares[name]
        for name in VISIBLE
        if name in shares and not np.allclose(np.nan_to_num(shares[name], nan=0.5), 0.5)
    ]
    shape = (len(known.slugs), len(known.engines))
    overall = np.nanmean(np.stack(telling), axis=0) if telling else np.full(shape, 0.5)
    places = ranks(known.engines, overall, "higher", bootstrap)
    scores = bootstrap.interval(overall)
    by_criterion = bootstrap.intervals(shares)
    means = [
        places[engine].rank - (scores[n].value or 0.0) for n, engine in enumerate(known.engines)
    ]
    first = int(np.argmin(means))  # by rank, then by score, which is at most 1
    behind = bootstrap.interval(overall - overall[:, [first]])
    found = [
        Standing(
            engine,
            places[engine],
            scores[number],
            {name: intervals[number] for name, intervals in by_criterion.items()},
            None if number == first else behind[number],
        )
        for number, engine in enumerate(known.engines)
    ]
    return sorted(found, key=lambda one: (one.rank.rank, -(one.score.value or 0.0)))


def _by_kind(
    known: Figures, rows: Sequence[Row], groups: Mapping[str, str]
) -> dict[str, dict[str, dict[str, Interval]]]:
    """The same figures for each kind of hole, where there are several."""
    kinds = {row["slug"]: row["kind"] for row in rows}
    names = list(dict.fromkeys(kinds[slug] for slug in known.slugs))
    found: dict[str, dict[str, dict[str, Interval]]] = {}
    for kind in names if len(names) > 1 else []:
        chosen = [number for number, slug in enumerate(known.slugs) if kinds[slug] == kind]
        bootstrap = Bootstrap([groups[known.slugs[number]] for number in chosen])
        found[kind] = {engine: {} for engine in known.engines}
        parts = {key: values[chosen] for key, values in known.all_measured().items()}
        for key, intervals in bootstrap.intervals(parts).items():
            for engine, interval in zip(known.engines, intervals, strict=True):
                found[kind][engine][key] = interval
    return found


def _techniques(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    from infill.bench.techniques import techniques

    names = dict.fromkeys(entry["engine"] for entry in run["engines"])
    return techniques([name for name in names if name in ENGINES])  # a plug-in may be gone


def _rated(folder: Path) -> Mapping[str, Any] | None:
    from infill.rating.summary import rated

    return rated(folder)


def _versions(rows: Sequence[Row]) -> dict[str, str]:
    """Of what had a say in the bytes, from the recipes; Python's own where no fill has one."""
    versions: dict[str, str] = {}
    for row in rows:
        if row["error"] is None:
            versions |= row["recipe"]["versions"]
    return versions or {"python": platform.python_version()}


def _title(engines: Sequence[str]) -> str:
    if len(engines) == 1:
        return f"How well {engines[0]} fills"
    return f"Which fills best: {', '.join(engines[:-1])} or {engines[-1]}?"


def _notes(machine: Mapping[str, Any], table: Table) -> list[str]:
    found = []
    if table.left_out:
        found.append(
            f"{counted(len(table.left_out), 'sample')} are left out of all comparisons, since not "
            "every engine has filled them"
        )
    if machine.get("mixed"):
        found.append(f"Times do not compare well: {machine['mixed']}.")
    return found
