"""The six criteria: which figures belong to each, and how often an engine is better by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from infill.bench.rows import Row, Table, Values, mean, number
from infill.bench.stats import wins
from infill.bench.summary import Column
from infill.metrics.base import SET_METRICS, MetricCard, card_of

TITLES = {
    "realism": "Realism",
    "adaptability": "Adaptability to the prompt",
    "preservation": "Preservation of what is not masked",
    "consistency": "Consistency with the photo",
    "reproducibility": "Reproducibility",
    "cost": "Performance and cost",
}
CRITERIA = tuple(TITLES)

SPREAD_OF = ("masked_psnr", "haarpsi", "texture", "seam")
"""Scores whose standard deviation over the trials is told, those of them that were measured."""

DISTANCE = Column(
    "distance",
    "distance of trials",
    "lower",
    1,
    "root mean squared difference of two trials in the hole, in 8-bit levels",
)
SAME = Column(
    "same_bytes", "same seed, same bytes", "higher", 2, "share of fills that came out the same"
)
SECONDS = Column(
    "seconds",
    "seconds, mean",
    "lower",
    3,
    "wall seconds of a fill, the mean over the samples, first fills of a process left out",
)


@dataclass(frozen=True)
class Figures:
    """Every figure of the samples that all engines have filled.

    values: key → (samples, engines) float64. columns: criterion → its columns.
    metrics: criterion → the keys of each metric that counts in the score, as one.
    """

    engines: Sequence[str]
    slugs: Sequence[str]
    values: Mapping[str, Values]
    columns: Mapping[str, Sequence[Column]]
    metrics: Mapping[str, Sequence[Sequence[str]]]

    @classmethod
    def of(cls, table: Table, names: Sequence[str], trials: Mapping[str, Row]) -> "Figures":
        """names: of the metrics that were measured; trials: what `trials.jsonl` holds, by key."""
        columns: dict[str, list[Column]] = {criterion: [] for criterion in CRITERIA}
        metrics: dict[str, list[list[str]]] = {criterion: [] for criterion in CRITERIA}
        values: dict[str, Values] = {}
        for name in names:
            if name in SET_METRICS:
                continue  # no figure for one sample
            card = card_of(name)
            columns[card.criterion] += columns_of(card)
            if card.scored:
                metrics[card.criterion].append(list(card.better))
            values |= {key: table.values(key) for key in card.better}
        labels = {column.key: column.label for of in columns.values() for column in of}
        for column, found in _stability(table, labels, trials):
            columns["reproducibility"].append(column)
            metrics["reproducibility"].append([column.key])
            values[column.key] = found
        columns["cost"].append(SECONDS)
        metrics["cost"].append([SECONDS.key])
        values[SECONDS.key] = seconds_of(table)
        return cls(table.engines, table.slugs, values, columns, metrics)

    def measured(self, key: str) -> bool:
        """Whether there is any value of that figure."""
        return not np.isnan(self.values[key]).all()

    def all_measured(self) -> dict[str, Values]:
        """Every figure of which there is any value."""
        return {key: values for key, values in self.values.items() if self.measured(key)}


def columns_of(card: MetricCard) -> list[Column]:
    """A column for each figure of a metric."""
    return [
        Column(key, card.labels.get(key, key), better, card.digits.get(key, 2), card.summary)
        for key, better in card.better.items()
    ]


def criterion_wins(known: Figures, criterion: str) -> Values | None:
    """(samples, engines): the share of the other engines that each beats in that criterion, the
    mean over its metrics (each the mean over its figures); None where nothing was measured."""
    parts = []
    better = {column.key: str(column.better) for column in known.columns[criterion]}
    for keys in known.metrics[criterion]:
        shares = [wins(known.values[key], better[key]) for key in keys if known.measured(key)]
        if shares:
            parts.append(_mean(shares))
    parts = [part for part in parts if not np.isnan(part).all()]
    return _mean(parts) if parts else None


def seconds_of(table: Table) -> Values:
    """(samples, engines): seconds of a fill. A process's first fill also loads and compiles, so it
    counts only where there is no other of the sample."""
    found = np.full((len(table.slugs), len(table.engines)), np.nan)
    for line, slug in enumerate(table.slugs):
        for place, engine in enumerate(table.engines):
            rows = table.by[engine, slug]
            steady = [row for row in rows if not row.get("first")] or rows
            found[line, place] = mean([row["seconds"]["total"] for row in steady])
    return found


def _stability(
    table: Table, labels: Mapping[str, str], trials: Mapping[str, Row]
) -> list[tuple[Column, Values]]:
    """Columns and values of the criterion reproducibility. labels: of the figures measured."""
    distance = np.array(
        [
            [number(trials.get(f"{slug}/{engine}", {}).get("distance")) for engine in table.engines]
            for slug in table.slugs
        ]
    )
    found = [(DISTANCE, distance)]
    for key in SPREAD_OF:
        if key in labels:
            label = f"spread of {labels[key]}"
            column = Column(
                f"spread_{key}", label, "lower", 3, "standard deviation over the trials"
            )
            found.append((column, _deviation(table, key)))
    found.append((SAME, table.of(lambda row: number(row.get("same_bytes")))))
    return found


def _deviation(table: Table, key: str) -> Values:
    """(samples, engines): standard deviation of a score over the trials, NaN of a single one."""
    found = np.full((len(table.slugs), len(table.engines)), np.nan)
    for line, slug in enumerate(table.slugs):
        for place, engine in enumerate(table.engines):
            scores = [number(row["scores"].get(key)) for row in table.by[engine, slug]]
            finite = [score for score in scores if np.isfinite(score)]
            if len(finite) > 1:
                found[line, place] = np.std(finite, ddof=1)
    return found


def _mean(parts: Sequence[Values]) -> Values:
    """The mean of arrays of one shape, NaN entries left out."""
    stacked = np.stack(parts)
    known = ~np.isnan(stacked)
    with np.errstate(invalid="ignore", divide="ignore"):
        total: Values = np.where(known, stacked, 0.0).sum(axis=0) / known.sum(axis=0)
    return total
