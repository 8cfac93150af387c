"""Which of several guided fills is best: by its seam, and by how close it came to the target."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infill.metrics.seam import seam

SEAM_WEIGHT = 0.1
"""A border twice as rough as the scene beside it (a seam of 2) counts as much as a distance of a
tenth of the full range of a colour."""


@dataclass(frozen=True)
class Score:
    """What a candidate is ranked by.

    seam:     the metric of that name, a ratio: 1 = no rougher than the scene beside the border,
              1 as well where nothing can be measured.
    distance: see `distance`, in parts of the full range.
    """

    seam: float
    distance: float

    @property
    def total(self) -> float:
        """distance + SEAM_WEIGHT · max(0, seam - 1); the lower, the better."""
        return self.distance + SEAM_WEIGHT * max(0.0, self.seam - 1)


def score(
    filled: NDArray[np.float32],
    mask: NDArray[np.bool_],
    target: NDArray[np.float32],
    where: NDArray[np.bool_],
) -> Score:
    """The score of one candidate.

    filled: (H, W, 3) float32 in [0, 1], with the scene's own pixels outside of the hole.
    mask:   (H, W) bool, True = hole. target, where: what `Guided.goal` returns.
    """
    ratio = seam(filled, mask)
    return Score(1.0 if math.isnan(ratio) else ratio, distance(filled, target, where))


def distance(
    filled: NDArray[np.float32], target: NDArray[np.float32], where: NDArray[np.bool_]
) -> float:
    """Root of the mean squared difference from the target where it guides; 0 if nowhere."""
    if not where.any():
        return 0.0
    away = filled[where].astype(np.float64) - target[where]
    return float(np.sqrt((away**2).mean()))


def ranked(scores: Sequence[Score]) -> list[int]:
    """The candidates from the best to the worst, by total; the earlier one first at a tie."""
    return sorted(range(len(scores)), key=lambda index: scores[index].total)


def told(scores: Sequence[Score]) -> str:
    """A sentence for a person about how the candidates compare."""
    listed = "; ".join(
        f"no. {index + 1} {scores[index].total:.3f} (seam {scores[index].seam:.2f}, "
        f"distance {scores[index].distance:.3f})"
        for index in ranked(scores)
    )
    return f"the best of {len(scores)} candidates is returned; scores, lower is better: {listed}"
