"""KID: the distance of two sets of photos by what Inception sees, without a shape for the sets.

M. Bińkowski, D. J. Sutherland, M. Arbel and A. Gretton, "Demystifying MMD GANs", ICLR 2018: the
squared maximum mean discrepancy with the kernel k(x, y) = (x·y / d + 1)³ of d = 2048 features, in
its unbiased form. It is near 0 for two sets of one kind, however few, and may be below it.
"""

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadPixels
from infill.metrics import networks
from infill.metrics.base import MetricCard

Rows = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]
Places = NDArray[np.int64]

LEAST = 100
"""Photos below which the deviation is mostly as large as what is to be told apart."""

SUBSETS = 100
SUBSET = 1000
"""How many parts are drawn of large sets, and of how many photos each, as programs for it do."""

ALL_PAIRS = 4000
"""Rows of a set up to which the kernel is computed once for all pairs, 128 MB a table; of more, for
each part anew."""

SEED = 0


class Kid(networks.OfInception):
    """Kernel inception distance of fills from photos."""

    card: ClassVar[MetricCard] = MetricCard(
        name="kid",
        summary="distance of the fills from the photos as sets, unbiased for few of them, with its "
        "standard deviation; needs weights",
        labels={"kid": "KID", "kid_deviation": "± of KID"},
        better={"kid": "lower", "kid_deviation": "lower"},
        digits={"kid": 5, "kid_deviation": 5},
        paper="Bińkowski, Sutherland, Arbel and Gretton 2018",
        criterion="realism",
        least=LEAST,
    )

    def compare(self, truths: Iterable[Rows], fills: Iterable[Rows]) -> dict[str, float]:
        """`kid`, and `kid_deviation`, the standard deviation of it.

        Of up to 1000 photos of each kind, `kid` is that of all, and the deviation is taken over
        100 random halves, which is the jackknife's estimate of the error of `kid` (Shao and Wu
        1989, half of the rows deleted). Of more, both are the mean and the deviation over 100
        random parts of 1000, as usual. The parts are the same in every run.
        NaN where there are less than two of a kind, the deviation where there are less than four.
        All rows are held, 8 kB a photo.
        """
        one, other = _gathered(truths), _gathered(fills)
        if one is None or other is None or min(len(one), len(other)) < 2:
            return {"kid": math.nan, "kid_deviation": math.nan}
        if one.shape[1] != other.shape[1]:
            raise BadPixels(
                f"one set has {one.shape[1]} features a photo and the other {other.shape[1]}; "
                "describe both with the same weights"
            )
        return _compared(one, other)


def mmd(xx: Floats, yy: Floats, xy: Floats) -> float:
    """The unbiased squared discrepancy from the kernel between rows of one set (m, m), of the other
    (n, n), and across (m, n): the last term is over all pairs."""
    m, n = xy.shape
    within = (xx.sum() - np.trace(xx)) / (m * (m - 1)) + (yy.sum() - np.trace(yy)) / (n * (n - 1))
    return float(within - 2 * xy.mean())


def kernel(a: Rows, b: Rows) -> Floats:
    """k(x, y) = (x·y / d + 1)³ of every row of a (m, d) with every row of b (n, d): (m, n)."""
    product = np.asarray(a, np.float64) @ np.asarray(b, np.float64).T
    found: Floats = (product / a.shape[1] + 1) ** 3
    return found


def _gathered(descriptions: Iterable[Rows]) -> NDArray[np.float32] | None:
    rows = [np.asarray(each, np.float32) for each in descriptions]
    return np.concatenate(rows) if rows else None


def _compared(one: NDArray[np.float32], other: NDArray[np.float32]) -> dict[str, float]:
    """`Kid.compare` of two sets of at least two rows each."""
    largest = max(len(one), len(other))
    few = largest <= SUBSET
    m, n = (len(rows) // 2 if few else min(SUBSET, len(rows)) for rows in (one, other))
    if largest <= ALL_PAIRS:
        xx, yy, xy = kernel(one, one), kernel(other, other), kernel(one, other)

        def part(a: Places, b: Places) -> float:
            return mmd(xx[np.ix_(a, a)], yy[np.ix_(b, b)], xy[np.ix_(a, b)])

    else:

        def part(a: Places, b: Places) -> float:
            x, y = one[a], other[b]
            return mmd(kernel(x, x), kernel(y, y), kernel(x, y))

    found = []
    if min(m, n) >= 2:
        rng = np.random.default_rng(SEED)
        for _ in range(SUBSETS):
            found.append(part(rng.permutation(len(one))[:m], rng.permutation(len(other))[:n]))
    return {
        "kid": mmd(xx, yy, xy) if few else float(np.mean(found)),
        "kid_deviation": float(np.std(found)) if found else math.nan,
    }
