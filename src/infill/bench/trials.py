"""How far the trials of one engine on one sample lie apart: the criterion reproducibility."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from infill.bench.layout import fill_path, sample_folder
from infill.errors import InfillError


@dataclass(frozen=True)
class Group:
    """The fills of one sample by one engine that are compared with each other."""

    key: str
    slug: str
    label: str
    trials: tuple[int, ...]


@dataclass(frozen=True)
class CompareTrials:
    """The job on one `Group`: its value is a row for `trials.jsonl`.

    `distance` is the root of the mean squared difference in the hole, in 8-bit levels, the mean
    over all pairs of trials: 0 where all are the same.
    """

    run: Path

    def __call__(self, group: Group) -> dict[str, Any]:
        row: dict[str, Any] = {
            "key": group.key,
            "slug": group.slug,
            "engine": group.label,
            "trials": list(group.trials),
            "distance": None,
            "error": None,
        }
        try:
            row["distance"] = round(self._distance(group), 4)
        except InfillError as error:
            row["error"] = str(error)
        return row

    def _distance(self, group: Group) -> float:
        from infill.masks.parse import as_mask
        from infill.picture import Picture

        hole = as_mask(self.run / sample_folder(group.slug) / "mask.png")
        paths = [self.run / fill_path(group.slug, group.label, trial) for trial in group.trials]
        fills = [Picture.load(path).pixels[hole].astype(np.float64) for path in paths]
        apart = [
            float(np.sqrt(np.mean(np.square(a - b)))) for a, b in itertools.combinations(fills, 2)
        ]
        return sum(apart) / len(apart)
