"""The two jobs that `benchmarks.bench_speed` times alone: workers import them by name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infill.bench.job import load
from infill.bench.layout import fill_path
from infill.bench.measure import Scene, scores
from infill.bench.plan import Item, Options
from infill.metrics.base import SET_METRICS, to_unit
from infill.picture import Picture
from infill.pipeline import fill


@dataclass(frozen=True)
class FillAlone:
    """The job: load a sample and fill it; no figure is measured and nothing is kept."""

    options: Options

    def __call__(self, item: Item) -> None:
        loaded = load(item.sample, self.options)
        fill(loaded.before, loaded.mask, engine=item.entry.engine, seed=item.seed)


@dataclass(frozen=True)
class MeasureAlone:
    """The job: load a sample and what was made of it, and measure it by all metrics."""

    options: Options
    chosen: Any
    run: Path

    def __call__(self, item: Item) -> None:
        loaded = load(item.sample, self.options)
        made = self.run / fill_path(item.sample.slug, item.entry.label, item.trial)
        filled, truth = to_unit(Picture.load(made).pixels), to_unit(loaded.before)
        scores(self.chosen, Scene(truth, truth, loaded.mask), filled)
        for name in self.chosen.sets:
            SET_METRICS.get(name).describe(filled, loaded.mask)
            SET_METRICS.get(name).describe(truth, loaded.mask)
