"""How often the benchmark calls chance sure, and how often its intervals hold the truth.

    python -m benchmarks.sure [--runs 200]

Engines that are all alike: scores of a sample share what the sample is like and differ by Student's
t with 4 degrees of freedom. A pair that is called sure is a mistake; 5 in 100 runs are allowed.
"""

import argparse
from collections.abc import Sequence

import numpy as np

from benchmarks.limits import Limit, report
from infill.bench.stats import Bootstrap, ranks

CASES = ((2, 2), (3, 2), (5, 2), (8, 2), (4, 4), (10, 8), (34, 5), (34, 8))
"""Photos and engines."""

PHOTOS = (5, 8, 10, 20, 34)
TRIED = 400


def mistakes(photos: int, engines: int, runs: int) -> float:
    """The share of runs in which some engine is ranked below another."""
    rng = np.random.default_rng(photos * 100 + engines)
    names = [str(number) for number in range(engines)]
    wrong = 0
    for _ in range(runs):
        alike = rng.exponential(1, (photos, 1))
        values = alike + rng.standard_t(4, (photos, engines))
        found = ranks(names, values, "higher", _each_its_own(photos))
        wrong += any(one.rank > 1 for one in found.values())
    return wrong / runs


def held(photos: int, draw: str) -> float:
    """The share of intervals that hold the mean of the distribution."""
    rng = np.random.default_rng(photos)
    mean, values = {
        "skewed": (2.0, rng.exponential(2.0, (photos, TRIED))),
        "normal": (0.0, rng.normal(0.0, 1.0, (photos, TRIED))),
    }[draw]
    found = _each_its_own(photos).interval(values)
    return float(np.mean([one.low <= mean <= one.high for one in found]))  # type: ignore[operator]


def _each_its_own(photos: int) -> Bootstrap:
    return Bootstrap([str(number) for number in range(photos)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the shares; 1 if one is far from what it should be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sure", description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args(arguments).runs
    # Three standard errors above 5 %, of so many runs.
    most = 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5
    limits = [
        Limit(f"{p} photos, {e} engines alike, called sure", mistakes(p, e, runs), high=most)
        for p, e in CASES
    ]
    limits += [
        Limit(f"{p} photos, {draw}, intervals that hold the mean", held(p, draw), low=0.85)
        for p in PHOTOS
        for draw in ("skewed", "normal")
    ]
    return 0 if report(limits) else 1


if __name__ == "__main__":
    raise SystemExit(main())
