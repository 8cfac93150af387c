"""How sure a figure is: intervals over samples, and ranks with ties.

Intervals draw the samples again with replacement (the bootstrap, Efron 1979), whole groups of them
where several show the same photo. Two engines are compared by what sets them apart on each group:
if neither were better, each difference might as well have the other sign. How often that alone
sets them as far apart (Fisher's paired randomisation test) holds for any number of groups.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from infill.bench.summary import Interval, Rank

DRAWS = 4000
LEVEL = 0.95
EXACT = 200.0
"""What an exact match counts in a difference of dB: above what any photo of 16 bits can show that
has a single value off by one level (below 193 dB for 400 megapixels)."""

LEAST = 5
"""Groups below which there is no interval: resampling so few says nothing."""

FLIPS = 10_000
"""Random signs that are tried at least, where there are too many groups to try all of them."""

ALL_SIGNS = 13
"""Groups up to which all ways of giving signs are tried: 2 to that power."""

MANY = 300
"""Groups above which the sums under random signs are taken for normal, as they are by then."""

_AT_ONCE = 250  # draws held in memory at a time

Values = NDArray[np.float64]


class Bootstrap:
    """The same draws, and the same signs, for every figure of a run.

    groups: for each sample, what it belongs to; samples of one group are drawn together.
    """

    def __init__(self, groups: Sequence[str], *, draws: int = DRAWS, seed: int = 0) -> None:
        names = {name: number for number, name in enumerate(dict.fromkeys(groups))}
        self.member = np.array([names[name] for name in groups], np.intp)
        self.count, self.draws, self.seed = len(names), draws, seed
        self._signs: Values | None = None

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
        """For each column of `values`, its mean and 95 % interval.

        The percentiles are taken further out than 2.5 %, by what few groups lack (the expanded
        percentile interval, Hesterberg 2015). Infinite values (exact matches) are counted and not
        averaged. With fewer than `LEAST` groups there is no interval.
        """
        columns = np.where(np.isinf(values), np.nan, values)
        drawn = self.means(columns) if self.count >= LEAST else None
        found = []
        for number in range(values.shape[1]):
            groups = len(np.unique(self.member[np.isfinite(columns[:, number])]))
            draws = None if drawn is None or groups < LEAST else drawn[:, number]
            found.append(_interval(columns[:, number], draws, values[:, number], groups))
        return found

    def intervals(self, values: Mapping[str, Values]) -> dict[str, list[Interval]]:
        """`interval` of several tables with the same samples, all from one drawing."""
        if not values:
            return {}
        found = iter(self.interval(np.concatenate(list(values.values()), axis=1)))
        return {key: [next(found) for _ in range(one.shape[1])] for key, one in values.items()}

    def sums(self, values: Values) -> Values:
        """(groups,): the sum of a column (samples,) over each group."""
        return np.bincount(self.member, weights=values, minlength=self.count).astype(np.float64)

    def signs(self, comparisons: int) -> Values:
        """(flips, groups), each -1 or 1: all ways there are, or so many random ones that as many
        comparisons at once can still be sure. None are drawn for more than `MANY` groups."""
        if self.count > MANY:
            return np.empty((0, self.count))
        flips = max(FLIPS, 100 * comparisons)
        if self._signs is None or len(self._signs) < min(flips, 2**self.count):
            self._signs = self._drawn_signs(flips)
        return self._signs

    def _drawn_signs(self, flips: int) -> Values:
        if self.count <= ALL_SIGNS:
            ways = np.arange(2**self.count)[:, None] >> np.arange(self.count)
            return np.asarray(1.0 - 2.0 * (ways & 1), np.float64)
        return np.random.default_rng(self.seed).choice([-1.0, 1.0], (flips, self.count))

    def _weights(self) -> Iterator[Values]:
        """How often each group is in each draw, some draws at a time."""
        rng = np.random.default_rng(self.seed)
        for start in range(0, self.draws, _AT_ONCE):
            rows = min(_AT_ONCE, self.draws - start)
            chosen = rng.integers(0, self.count, (rows, self.count))
            offset = chosen + self.count * np.arange(rows)[:, None]
            counts = np.bincount(offset.ravel(), minlength=rows * self.count)
            yield counts.reshape(rows, self.count).astype(np.float64)


def _interval(column: Values, drawn: Values | None, whole: Values, groups: int) -> Interval:
    known = column[np.isfinite(column)]
    exact = int(np.isposinf(whole).sum())
    if not len(known):
        return Interval(None, count=0, exact=exact)
    low = high = None
    if drawn is not None and np.isfinite(drawn).any():
        tail = 100 * expanded_tail(groups)
        low, high = (float(end) for end in np.nanpercentile(drawn, [tail, 100 - tail]))
    return Interval(float(known.mean()), low, high, len(known), exact)


def expanded_tail(groups: int) -> float:
    """The share of draws beyond each end of a 95 % interval over so many groups: 0.025 for many,
    less for few, whose spread the bootstrap takes for too small (Hesterberg 2015, section 5.3)."""
    wide = math.sqrt(groups / (groups - 1)) * student(groups - 1)
    return NormalDist().cdf(-wide)


def student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t: from a table up to 18 degrees of freedom, then by its
    expansion in their inverse (Abramowitz and Stegun 26.7.5), right to 1e-3."""
    if freedom <= len(_STUDENT):
        return _STUDENT[freedom - 1]
    z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / freedom + second / freedom**2


_STUDENT = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447),
    *(2.365, 2.306, 2.262, 2.228, 2.201, 2.179),
    *(2.160, 2.145, 2.131, 2.120, 2.110, 2.101),
)


@dataclass(frozen=True)
class Pair:
    """Two engines, the difference of their means, and how often chance alone reaches it."""

    first: int
    second: int
    difference: float
    p: float


def pairs(values: Values, bootstrap: Bootstrap) -> list[Pair]:
    """Every two columns compared on the samples that both have.

    values: (samples, engines) float64, infinite = exact. The difference is the mean over samples;
    p is the share of all ways (or of many random ways) to give signs to the groups' differences
    that set the engines apart at least as far. It is 1 where all differences are 0, and never
    below 2 in 2 to the power of the groups.
    """
    engines = values.shape[1]
    finite = np.where(np.isposinf(values), EXACT, values)
    chosen = [(a, b) for a in range(engines) for b in range(a + 1, engines)]
    signs = bootstrap.signs(len(chosen)) if chosen else np.empty((0, 0))
    found = []
    for a, b in chosen:
        apart = finite[:, a] - finite[:, b]
        known = np.isfinite(apart)
        if not known.any():
            found.append(Pair(a, b, 0.0, 1.0))
            continue
        of_groups = bootstrap.sums(np.where(known, apart, 0.0))
        found.append(Pair(a, b, float(apart[known].mean()), _p(of_groups, signs, bootstrap.count)))
    return found


def _p(apart: Values, signs: Values, groups: int) -> float:
    """p of the groups' summed differences (G,), by the signs (flips, G)."""
    seen = abs(float(apart.sum()))
    if groups > MANY:
        spread = math.sqrt(float(np.square(apart).sum()))
        return 2 * NormalDist().cdf(-seen / spread) if spread else 1.0
    reached = np.abs(signs @ apart) >= seen * (1 - 1e-9)  # but for rounding, as far apart
    if groups <= ALL_SIGNS:
        return float(reached.mean())
    return float((1 + reached.sum()) / (1 + len(signs)))  # what was seen is one of the ways


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
