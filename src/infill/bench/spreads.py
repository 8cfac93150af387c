"""How PSNR and SSIM are spread over the samples: percentiles and histograms."""

import numpy as np

from infill.bench.rows import Table, Values
from infill.bench.summary import Spread
from infill.metrics.base import METRICS

OF = {"psnr": ("psnr", "masked_psnr"), "ssim": ("ssim", "masked_ssim")}
PERCENTILES = (5, 25, 50, 75, 90, 95)
BINS = 24


def spreads(table: Table) -> list[Spread]:
    """A spread for each engine and figure, over the samples (each the mean of its trials).

    The histograms of one figure have the same edges for all engines.
    """
    found = []
    for metric, keys in OF.items():
        labels = METRICS.get(metric).card.labels
        for key in keys:
            values = table.values(key)
            finite = values[np.isfinite(values)]
            if not len(finite):
                continue
            edges = np.histogram_bin_edges(finite, BINS)
            for place, engine in enumerate(table.engines):
                found.append(_spread(engine, key, labels.get(key, key), values[:, place], edges))
    return found


def _spread(
    engine: str,
    key: str,
    label: str,
    values: Values,
    edges: Values,
) -> Spread:
    known = values[np.isfinite(values)]
    exact = int(np.isposinf(values).sum())
    if not len(known):
        return Spread(engine, key, label, None, None, 0, exact, {})
    ends = np.percentile(known, PERCENTILES)
    return Spread(
        engine=engine,
        key=key,
        label=label,
        mean=float(known.mean()),
        deviation=float(known.std(ddof=1)) if len(known) > 1 else None,
        count=len(known),
        exact=exact,
        percentiles={str(p): float(end) for p, end in zip(PERCENTILES, ends, strict=True)},
        counts=np.histogram(known, edges)[0].tolist(),
        edges=edges.tolist(),
    )
