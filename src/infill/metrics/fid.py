"""FID: the distance of two sets of photos, each taken for a Gaussian of what Inception sees.

M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler and S. Hochreiter, "GANs Trained by a Two
Time-Scale Update Rule Converge to a Local Nash Equilibrium", NeurIPS 2017, equation 6:
|m - m'|² + Tr(C + C' - 2 (C C')^(1/2)), of means m and covariances C of 2048 features. Photos are
made 299 × 299 as the authors' graph does it (`infill.nets.inception.resize`); ports to PyTorch that
resize in another way give other figures.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadPixels
from infill.metrics import networks
from infill.metrics.base import MetricCard

Rows = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]

LEAST = 2048
"""Photos below which a covariance of 2048 features has no full rank: the figure is then too high,
and the more so the fewer there are."""

AT_ONCE = 256
"""Rows that are added to a covariance at a time."""


class Fid(networks.OfInception):
    """Fréchet inception distance of fills from photos; 0 = the same mean and covariance."""

    card: ClassVar[MetricCard] = MetricCard(
        name="fid",
        summary="distance of the fills from the photos as sets; too high below 2048 of each, and "
        "then only to be compared at equal numbers; needs weights",
        labels={"fid": "FID"},
        better={"fid": "lower"},
        digits={"fid": 2},
        paper="Heusel, Ramsauer, Unterthiner, Nessler and Hochreiter 2017",
        criterion="realism",
        least=LEAST,
        few="with so few it is far too high, and says little about other photos",
    )

    def compare(self, truths: Iterable[Rows], fills: Iterable[Rows]) -> dict[str, float]:
        """`{"fid": distance}`; NaN where one of the sets has less than two rows."""
        first, second = gaussian(truths), gaussian(fills)
        if first is None or second is None:
            return {"fid": math.nan}
        return {"fid": frechet(first, second)}


@dataclass(frozen=True)
class Gaussian:
    """mean: (d,) float64. factor: (r, d) float64, whose factorᵀ · factor is the covariance (over
    n - 1)."""

    mean: Floats
    factor: Floats


def frechet(one: Gaussian, other: Gaussian) -> float:
    """The squared Fréchet distance of two Gaussians, never below 0.

    With C = FᵀF and C' = GᵀG, the eigenvalues of C C' other than 0 are the squares of the singular
    values of F Gᵀ. So the trace of the root is their sum, real whatever the rank.
    Raises `BadPixels` if they have different numbers of features.
    """
    if one.mean.shape != other.mean.shape:
        raise BadPixels(
            f"one set has {len(one.mean)} features a photo and the other {len(other.mean)}; "
            "describe both with the same weights"
        )
    between = np.sum((one.mean - other.mean) ** 2)
    root = np.linalg.svd(one.factor @ other.factor.T, compute_uv=False).sum()
    distance = between + np.sum(one.factor**2) + np.sum(other.factor**2) - 2 * root
    return max(0.0, float(distance))


def gaussian(descriptions: Iterable[Rows]) -> Gaussian | None:
    """Mean and covariance of rows (n, d), drawn one by one; None of less than two.

    Up to d rows are kept as they are; of more only the covariance, so that the memory does not
    grow with their number.
    """
    moments = Moments()
    waiting: list[Floats] = []
    held = 0
    for rows in descriptions:
        waiting.append(np.asarray(rows, np.float64))
        held += len(rows)
        full = moments.count or held > waiting[0].shape[1]
        if full and held >= AT_ONCE:
            moments.add(np.concatenate(waiting))
            waiting, held = [], 0
    if not moments.count:
        if held < 2:
            return None
        every = np.concatenate(waiting)
        mean = every.mean(0)
        return Gaussian(mean, (every - mean) / math.sqrt(len(every) - 1))
    if held:
        moments.add(np.concatenate(waiting))
    values, vectors = np.linalg.eigh(moments.scatter / (moments.count - 1))
    roots = np.sqrt(np.maximum(values, 0))  # rounding may leave some a little below 0
    return Gaussian(moments.mean, roots[:, None] * vectors.T)


class Moments:
    """Count, mean and scatter Σ (x - mean)(x - mean)ᵀ of rows that come in parts: Chan, Golub and
    LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979."""

    count = 0
    mean: Floats
    scatter: Floats

    def add(self, rows: Floats) -> None:
        """Add rows (n, d), at least one."""
        mean = rows.mean(0)
        apart = rows - mean
        scatter = apart.T @ apart
        if not self.count:
            self.count, self.mean, self.scatter = len(rows), mean, scatter
            return
        total = self.count + len(rows)
        step = mean - self.mean
        self.scatter += scatter + np.outer(step, step) * (self.count * len(rows) / total)
        self.mean = self.mean + step * (len(rows) / total)
        self.count = total
