"""The samples as the report shows them, worst first."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from infill.bench.criteria import Figures
from infill.bench.layout import sample_folder
from infill.bench.rows import Row
from infill.bench.summary import Pictured

HARD = ("realism", "consistency")
"""The criteria by which a sample is called bad."""


def pictured(
    known: Figures, rows: Sequence[Row], notes: Mapping[str, Any], folder: Path
) -> list[Pictured]:
    """Every sample that any engine has filled, the worst first; those that are left out of the
    comparison last."""
    about = {entry["slug"]: entry for entry in notes.get("samples", [])}
    bad = badness(known)
    fills: dict[str, dict[str, dict[str, str]]] = {}
    kinds: dict[str, str] = {}
    for row in rows:
        kinds[row["slug"]] = row["kind"]
        if row["error"] is None:
            of = fills.setdefault(row["slug"], {}).setdefault(row["engine"], {})
            of[str(row["trial"])] = row["key"]
    found = []
    for slug, by_engine in fills.items():
        told = about.get(slug, {})
        place = sample_folder(slug)
        truth = f"{place}/truth.png"
        found.append(
            Pictured(
                name=told.get("name", slug),
                title=told.get("title", ""),
                kind=kinds[slug],
                hard=told.get("hard", ""),
                prompt=told.get("prompt", ""),
                before=f"{place}/before.png",
                mask=f"{place}/mask.png",
                truth=truth if (folder / truth).exists() else None,
                fills=by_engine,
                badness=round(bad.get(slug, 0.0), 4),
            )
        )
    return sorted(found, key=lambda one: -one.badness)


def badness(known: Figures) -> dict[str, float]:
    """Slug → how badly the engines did on it, in [0, 1].

    For each figure of realism and consistency, the mean over the engines is ranked among the
    samples (0 the best, 1 the worst); badness is the mean of these ranks.
    """
    ranked = []
    for criterion in HARD:
        for column in known.columns[criterion]:
            values = known.values[column.key]
            values = np.where(np.isfinite(values), values, np.nan)
            if not known.measured(column.key) or np.isnan(values).all(axis=1).any():
                continue
            mean = np.nanmean(values, axis=1)
            worse = {"higher": -mean, "lower": mean, "one": np.abs(mean - 1)}[str(column.better)]
            ordered = np.sort(worse)
            ends = [np.searchsorted(ordered, worse, side) for side in ("left", "right")]
            ranked.append((ends[0] + ends[1]) / 2 / len(worse))
    if not ranked:
        return {}
    return dict(zip(known.slugs, np.mean(ranked, axis=0).tolist(), strict=True))
