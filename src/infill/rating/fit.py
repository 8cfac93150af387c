"""Scores from choices: Bradley and Terry's model, fitted by maximum likelihood.

A choice from a set S goes to i with probability π_i / Σ_{j in S} π_j (Bradley and Terry 1952 for
two; Luce 1959 for more). "No difference" counts as an equal share of a win for each: half a win
each for two, as in chess. The likelihood is climbed by minorisation and maximisation, Hunter 2004,
"MM Algorithms for Generalized Bradley-Terry Models", Annals of Statistics 32(1), whose multiple
comparisons end after the first choice here.

A score is log π less that of the average engine, an imaginary one that all engines together beat
half of the time: the difference of two scores is the log-odds that one is chosen over the other,
and the chances against the average engine have the mean 1/2. (The mean of log π would follow any
one engine that never wins.)

Every engine also gets `PRIOR` wins and as many losses against the average one. That keeps an
engine finite that wins always, never, or meets no other, and moves the rest little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRIOR = 0.5
DRAWS = 1000
LEVEL = 0.95
CLOSE = 1e-7  # change of any score in a step at which it has settled
STEPS = 20_000
NEWTON_STEPS = 60
ROOM = 4_000_000  # numbers that are held at a time for each engine and set


LEAST = 6
"""Samples below which there are no intervals, and nobody is surely ahead."""


@dataclass(frozen=True)
class Votes:
    """A answers over n engines.

    sets:    (A, n) bool, who was shown. shares: (A, n), who won: rows sum to 1, zero outside the
             set.
    raters, samples: (A,) int, whose answer on which sample; answers that share one are not
             independent.
    """

    engines: Sequence[str]
    sets: NDArray[np.bool_]
    shares: Floats
    raters: NDArray[np.intp]
    samples: NDArray[np.intp]


@dataclass(frozen=True)
class Fitted:
    """scores: (n,). draws: (B, n), the same of each bootstrap sample; (0, n) where there are fewer
    than `LEAST` samples, which say nothing about others.
    """

    engines: Sequence[str]
    scores: Floats
    draws: Floats

    def interval(self, index: int) -> tuple[float, float] | None:
        """The 95 % interval of one engine's score; None if there is none."""
        return _ends(self.draws[:, index])

    def surely_above(self, one: int, other: int) -> bool:
        """Whether `one` is above `other` beyond what the data leave open."""
        ends = _ends(self.draws[:, one] - self.draws[:, other])
        return ends is not None and ends[0] > 0


def votes(
    engines: Sequence[str],
    shown: Sequence[Sequence[str]],
    chosen: Sequence[str | None],
    raters: Sequence[str],
    samples: Sequence[str],
) -> Votes:
    """Votes from lists of one length: who was shown, who was chosen (None = no difference)."""
    index = {name: number for number, name in enumerate(engines)}
    sets = np.zeros((len(shown), len(engines)), bool)
    shares = np.zeros(sets.shape)
    for number, (names, name) in enumerate(zip(shown, chosen, strict=True)):
        columns = [index[one] for one in names]
        sets[number, columns] = True
        shares[number, columns if name is None else [index[name]]] = (
            1 / len(columns) if name is None else 1.0
        )
    return Votes(engines, sets, shares, _numbered(raters), _numbered(samples))


def _numbered(names: Sequence[str]) -> NDArray[np.intp]:
    if not names:
        return np.zeros(0, np.intp)
    return np.unique(np.asarray(names), return_inverse=True)[1].reshape(-1)


def fit(cast: Votes, *, seed: int = 0, draws: int = DRAWS, prior: float = PRIOR) -> Fitted:
    """Scores, and those of `draws` bootstrap samples.

    A bootstrap sample draws raters and samples with replacement, each on their own, and an answer
    counts as often as its rater times as often as its sample (the pigeonhole bootstrap: Owen
    2007, Annals of Applied Statistics 1(2)). That keeps together what is not independent, and
    errs on the wide side. Where there is one rater only samples are drawn. With fewer than `LEAST`
    samples nothing is: drawing so few again makes chance look sure.
    The wins and losses of the prior are drawn too, each from a gamma distribution with the mean
    `prior`: as a beta distribution is drawn, so that an engine that always won has an interval.
    """
    kinds, which = np.unique(cast.sets, axis=0, return_inverse=True)
    of_kind = np.eye(len(kinds))[which.reshape(-1)]  # (A, S)

    count = len(cast.engines)
    plain = strengths(
        cast.shares.sum(axis=0), of_kind.sum(axis=0), kinds, np.full((2, count), prior)
    )
    rng = np.random.default_rng(seed)
    several = [group for group in (cast.raters, cast.samples) if len(group) and group.max() > 0]
    if not several or len(np.unique(cast.samples)) < LEAST:
        return Fitted(cast.engines, plain, np.zeros((0, len(plain))))
    weights = np.ones((draws, len(cast.sets)))
    for group in several:
        size = int(group.max()) + 1
        weights *= rng.multinomial(size, np.full(size, 1 / size), size=draws)[:, group]
    given = rng.gamma(prior, size=(2, draws, count))
    found = resampled(weights @ cast.shares, weights @ of_kind, kinds, given, plain)
    return Fitted(cast.engines, plain, found)


def strengths(wins: Floats, asked: Floats, kinds: NDArray[np.bool_], prior: Floats) -> Floats:
    """The most likely scores, by MM.

    wins:  (n,), how often each engine won, shares of a win included.
    asked: (S,), how often each set of engines was asked about.
    kinds: (S, n) bool, those sets.
    prior: (2, n), wins and losses of each engine against an imaginary one with π = 1; with
           zeros, an engine that always wins has no finite score.
    returns: (n,), against the average engine.
    """
    member = kinds.astype(np.float64)
    score = np.zeros_like(wins)
    for _ in range(STEPS):
        power = np.exp(score)
        expected = (asked / (member @ power)) @ member + prior.sum(axis=0) / (power + 1)
        change = np.log((wins + prior[0]) / expected) - score
        score += change
        if np.abs(change).max() < CLOSE:
            break
    return np.asarray(score - _average(score[None])[0])


def resampled(
    wins: Floats, asked: Floats, kinds: NDArray[np.bool_], prior: Floats, start: Floats
) -> Floats:
    """What `strengths` finds, for B tables at once: (B, n), (B, S), (S, n) and (2, B, n).

    By Newton's method from `start`, (n,), which lies near: MM would take thousands of steps for
    those tables in which little links the engines. The steps are bounded, since far out the
    likelihood is nearly flat.
    """
    member = kinds.astype(np.float64)
    size = max(1, int(ROOM / member.size))
    parts = [slice(at, at + size) for at in range(0, len(wins), size)]
    found = [_newton(wins[p], asked[p], member, prior[:, p], start) for p in parts]
    return np.concatenate(found) if found else np.zeros_like(wins)


def _newton(wins: Floats, asked: Floats, member: Floats, prior: Floats, start: Floats) -> Floats:
    score = np.tile(start, (len(wins), 1))
    diagonal = np.arange(score.shape[1])
    met = prior.sum(axis=0)
    for _ in range(NEWTON_STEPS):
        power = np.exp(score)
        chance = member * power[:, None, :] / (power @ member.T)[:, :, None]  # (B, S, n)
        weighed = chance * asked[:, :, None]
        against = _logistic(score)
        slope = wins + prior[0] - weighed.sum(axis=1) - met * against
        bend = -np.swapaxes(chance, 1, 2) @ weighed
        bend[:, diagonal, diagonal] += weighed.sum(axis=1) + met * against * (1 - against) + 1e-9
        change = np.clip(np.linalg.solve(bend, slope[:, :, None])[:, :, 0], -2, 2)
        score += change
        # One that is far out has settled when its chance has.
        steep = np.maximum(against * (1 - against), 1e-3)
        if np.abs(change * steep).max() < CLOSE:
            break
    return score - _average(score)


def _average(scores: Floats) -> Floats:
    """(B, 1): the score of an engine that those of a row (B, n) beat half of the time."""
    low, high = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
    for _ in range(50):
        middle = (low + high) / 2
        above = _logistic(scores - middle).mean(axis=1, keepdims=True) > 0.5
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray((low + high) / 2)


def chance_of_winning(score: float) -> float:
    """How likely an engine of that score is chosen over the average one, whose score is zero."""
    return float(_logistic(np.float64(score)))


def _logistic(values: Any) -> Floats:
    """1 / (1 + exp(-x)), which does not overflow."""
    return np.asarray((1 + np.tanh(values / 2)) / 2)


def _ends(values: Floats) -> tuple[float, float] | None:
    if not len(values):
        return None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
