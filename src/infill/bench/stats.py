"""How sure a figure is: bootstrap intervals over samples, and ranks with ties.

Samples are drawn again with replacement (Efron 1979), whole groups of them where several show the
same photo, and the same draw counts for all engines, so that what is compared is compared on the
same photos.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infill.bench.summary import Interval, Rank

DRAWS = 4000
LEVEL = 0.95
EXACT = 100.0
"""What an exact match counts in a difference of dB: the most that 8 bits could show is 48, and the
mean over a photo of which one value is off by one level is below this in all but the largest."""

_AT_ONCE = 250  # draws held in memory at a time

Values = NDArray[np.float64]


class Bootstrap:
    """The same draws for every figure of a run.

    groups: for each sample, what it belongs to; samples of one group are drawn together.
    """

    def __init__(self, groups: Sequence[str], *, draws: int = DRAWS, seed: int = 0) -> None:
        names = {name: number for number, name in enumerate(dict.fromkeys(groups))}
        self.member = np.array([names[name] for name in groups], np.intp)
        self.count, self.draws, self.seed = len(names), draws, seed

    def means(self, values: Values) -> Values:
        """(draws, columns): the mean of each column over each draw, NaN entries left out.

        values: (samples, columns) float64. A draw in which a column has no finite value is NaN.
        """
        known = np.isfinite(values)
        totals = np.zeros((self.count, values.shape[1]))
        counts = np.zeros_like(totals)
        np.add.at(totals, self.member, np.where(known, values, 0.0))
        np.add.at(counts, self.member, known.astype(np.float64))
        parts = []
        for weights in self._weights():
            with np.errstate(invalid="ignore", divide="ignore"):
                parts.append((weights @ totals) / (weights @ counts))
        return np.concatenate(parts)

    def interval(self, values: Values) -> list[Interval]:
        """For each column of `values`, its mean and 95 % percentile interval.

        Infinite values (exact matches) are counted and not averaged. With one group there is no
        interval.
        """
        columns = np.where(np.isinf(values), np.nan, values)
        drawn = self.means(columns) if self.count > 1 else None
        return [
            _interval(columns[:, i], None if drawn is None else drawn[:, i], values[:, i])
            for i in range(values.shape[1])
        ]

    def _weights(self) -> Iterator[Values]:
        """How often each group is in each draw, some draws at a time."""
        rng = np.random.default_rng(self.seed)
        for start in range(0, self.draws, _AT_ONCE):
            rows = min(_AT_ONCE, self.draws - start)
            chosen = rng.integers(0, self.count, (rows, self.count))
            offset = chosen + self.count * np.arange(rows)[:, None]
            counts = np.bincount(offset.ravel(), minlength=rows * self.count)
            yield counts.reshape(rows, self.count).astype(np.float64)


def _interval(column: Values, drawn: Values | None, whole: Values) -> Interval:
    known = column[np.isfinite(column)]
    exact = int(np.isposinf(whole).sum())
    if not len(known):
        return Interval(None, count=0, exact=exact)
    low = high = None
    if drawn is not None and np.isfinite(drawn).any():
        tail = 50 * (1 - LEVEL)
        low, high = (float(end) for end in np.nanpercentile(drawn, [tail, 100 - tail]))
    return Interval(float(known.mean()), low, high, len(known), exact)


@dataclass(frozen=True)
class Pair:
    """Two engines, and how sure the difference of their means is (a two-sided p)."""

    first: int
    second: int
    difference: float
    p: float


def pairs(values: Values, bootstrap: Bootstrap) -> list[Pair]:
    """Every two columns compared on the samples that both have.

    values: (samples, engines) float64, infinite = exact. p is the share of draws in which the
    difference lies on the other side of 0, twice (and at least 1 over their number); 1 where all
    differences are 0, or where fewer than two groups have both.
    """
    engines = values.shape[1]
    finite = np.where(np.isposinf(values), EXACT, values)
    chosen = [(a, b) for a in range(engines) for b in range(a + 1, engines)]
    if not chosen:
        return []
    apart = np.stack([finite[:, a] - finite[:, b] for a, b in chosen], axis=1)
    drawn = bootstrap.means(apart) if bootstrap.count > 1 else np.full((1, len(chosen)), np.nan)
    found = []
    for number, (a, b) in enumerate(chosen):
        column = apart[:, number]
        known = np.isfinite(column)
        if len(np.unique(bootstrap.member[known])) < 2 or not column[known].any():
            found.append(Pair(a, b, float(column[known].mean()) if known.any() else 0.0, 1.0))
            continue
        draws = drawn[:, number]
        draws = draws[np.isfinite(draws)]
        side = min(float((draws <= 0).mean()), float((draws >= 0).mean()))
        found.append(Pair(a, b, float(column[known].mean()), max(2 * side, 1 / len(draws))))
    return found


def surely(found: Sequence[Pair], level: float = LEVEL) -> list[Pair]:
    """The pairs whose difference is sure, all of them together at that level (Holm 1979)."""
    ordered = sorted(found, key=lambda pair: pair.p)
    sure = []
    for place, pair in enumerate(ordered):
        if pair.p > (1 - level) / (len(ordered) - place):
            break
        sure.append(pair)
    return sure


def ranks(
    engines: Sequence[str], values: Values, better: str, bootstrap: Bootstrap
) -> Mapping[str, Rank]:
    """A rank for each engine: 1 + the number of engines that are surely better.

    values: (samples, engines); better: "higher", "lower" or "one" (nearest to 1). Engines without
    a value have no rank.
    """
    towards = {"higher": values, "lower": -values, "one": -np.abs(values - 1)}[better]
    towards = np.where(np.isneginf(towards), np.nan, towards)
    measured = [number for number in range(len(engines)) if not np.isnan(towards[:, number]).all()]
    sure = surely(pairs(towards[:, measured], bootstrap))
    above: dict[int, set[int]] = {number: set() for number in range(len(measured))}
    for pair in sure:
        best, other = (
            (pair.first, pair.second) if pair.difference > 0 else (pair.second, pair.first)
        )
        above[other].add(best)
    names = [engines[number] for number in measured]
    return {
        names[own]: Rank(
            1 + len(above[own]),
            tuple(
                names[other]
                for other in range(len(names))
                if other != own and other not in above[own] and own not in above[other]
            ),
        )
        for own in range(len(names))
    }


def wins(values: Values, better: str) -> Values:
    """(samples, engines): the share of the other engines that each beats on a sample, ties half.

    NaN where an engine has no value there or no other has one.
    """
    towards = {"higher": values, "lower": -values, "one": -np.abs(values - 1)}[better]
    known = ~np.isnan(towards)
    above = (towards[:, :, None] > towards[:, None, :]).sum(axis=2).astype(np.float64)
    level = (towards[:, :, None] == towards[:, None, :]).sum(axis=2) - 1  # not with itself
    others = known.sum(axis=1, keepdims=True) - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (above + level / 2) / others
    return np.where(known & (others > 0), share, np.nan)
