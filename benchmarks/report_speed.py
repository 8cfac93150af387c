"""How long the report of a large run takes to write, and its page to open in a browser.

A made-up run with pictures: a thousand samples, two engines and five trials are 10,000 rows. The
page is opened from disk in Chromium, until its load event has gone by, the first cases and the
table are there, and their pictures are decoded.
"""

import argparse
import hashlib
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.limits import Limit, report, write_json
from infill.batch.rows import ROWS_FILE, RUN_FILE
from infill.bench.report import write
from infill.bench.summarise import summarise
from infill.bench.summary import (
    Column,
    Cost,
    Failure,
    Interval,
    Pictured,
    Rank,
    Reference,
    Spread,
    Standing,
    Summary,
    Table,
)
from infill.metrics.base import METRICS, SET_METRICS

CHROMIUM = os.environ.get("INFILL_CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

COLUMNS = {
    "realism": [Column("swd", "Sliced Wasserstein", "lower", 3)],
    "adaptability": [Column("clip", "CLIP score", "higher", 3, note="needs its weights")],
    "preservation": [Column("psnr_outside", "PSNR outside", "higher", 2)],
    "consistency": [
        Column("psnr", "PSNR", "higher", 2, "Against the truth, in dB."),
        Column("ssim", "SSIM", "higher", 3),
        Column("seam", "Seam", "one", 2),
    ],
    "reproducibility": [Column("spread", "Distance of trials", "lower", 3)],
}
"""The figures of a made-up run. `psnr_outside` is always exact and `clip` never measured."""

Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 if a limit was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report_speed", description=__doc__)
    parser.add_argument("--samples", type=int, default=1000, help="samples (default: 1000)")
    parser.add_argument("--engines", type=int, default=2, help="engines (default: 2)")
    parser.add_argument("--trials", type=int, default=5, help="trials (default: 5)")
    parser.add_argument("--side", type=int, default=256, help="pixels of a photo (default: 256)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="infill-report-") as folder:
        run = Path(folder)
        engines = [f"engine-{number}" for number in range(options.engines)]
        rows = made_up_rows(run, options.samples, engines, options.trials, options.side)
        keep(run, rows, engines, options.trials)
        start, busy = time.perf_counter(), time.process_time()
        summary, rows = summarise(run)
        summarised = time.perf_counter() - start
        written = write(summary, rows, run, run / "report")
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
        assert written.page is not None
        size = written.page.stat().st_size / 1e6
        print(
            f"{len(rows)} rows; {written.full} samples to enlarge, {written.small} small, "
            f"{written.bare} with figures only; the page has {size:.1f} MB; summarising took "
            f"{summarised:.1f} s; both kept processors busy for {busy:.1f} s"
        )
        limits = [
            Limit(f"report of {len(rows)} rows, from rows to page", seconds, high=20, unit="s"),
            Limit("opening its page in Chromium", opened(written.page), high=3, unit="s"),
        ]
    kept = report(limits)
    print("PASS" if kept else "FAIL")
    if options.json:
        write_json(options.json, limits, rows=len(rows), megabytes=size)
    return 0 if kept else 1


def keep(run: Path, rows: Sequence[Row], engines: Sequence[str], trials: int) -> None:
    """Write the rows as a run keeps them, with a figure for every metric that needs no weights."""
    names = [name for name in METRICS.names() if name not in SET_METRICS and name != "lpips"]
    keys = [key for name in names for key in METRICS.get(name).card.better]
    rng = np.random.default_rng(7)
    facts = {
        "kind": "bench",
        "metrics": names,
        "trials": trials,
        "seed": 0,
        "engines": [{"label": name, "engine": name, "options": {}} for name in engines],
    }
    (run / RUN_FILE).write_text(json.dumps(facts))
    with (run / ROWS_FILE).open("w") as file:
        for row in rows:
            figures = dict(zip(keys, rng.normal(10, 2, len(keys)).tolist(), strict=True))
            more = {"group": row["slug"], "broken": False, "scores": figures}
            more |= {"processes": 1, "threads": 1, "machine": "made up"}
            file.write(json.dumps(row | more) + "\n")


def opened(page: Path) -> float:
    """Seconds from asking a running Chromium for the page until a person can use it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        start = time.perf_counter()
        tab.goto(page.as_uri(), wait_until="load")
        tab.wait_for_selector("#cases .case")
        tab.wait_for_selector("#fills tbody tr")
        tab.evaluate("Promise.all([...document.images].map((i) => i.src && i.decode()))")
        seconds = time.perf_counter() - start
        browser.close()
    return seconds


# --- a made-up run ------------------------------------------------------------------------------


def made_up_rows(
    run: Path, samples: int, engines: Sequence[str], trials: int, side: int
) -> list[Row]:
    """Write the pictures of a made-up run and return its rows.

    Photos are smooth noise of `side` × `side` pixels with a hole in the middle, fills have other
    noise there; the first engine gives the same pixels in every trial.
    """
    rng = np.random.default_rng(6)
    rows = []
    for number in range(samples):
        slug = f"sample-{number:04d}"
        truth, hole = _photo(rng, side), _hole(rng, side)
        before = truth.copy()
        before[hole] = 128
        folder = run / "samples" / slug
        folder.mkdir(parents=True)
        for name, pixels in (("before", before), ("truth", truth)):
            Image.fromarray(pixels).save(folder / f"{name}.png", compress_level=1)
        Image.fromarray(hole.astype(np.uint8) * 255).save(folder / "mask.png")
        for place, engine in enumerate(engines):
            for trial in range(trials):
                if trial == 0 or place:
                    filled = truth.copy()
                    filled[hole] = _photo(rng, side)[hole]
                rows.append(_row(run, rng, slug, number, engine, trial, filled, hole))
    return rows


def _photo(rng: np.random.Generator, side: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(side, side, 3) uint8: coarse patches of colour, and grain, as much as a photo has."""
    coarse = rng.integers(40, 215, (8, 8, 3), np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def _hole(rng: np.random.Generator, side: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    ys, xs = np.mgrid[:side, :side]
    y, x = rng.uniform(0.35 * side, 0.65 * side, 2)
    return np.asarray((ys - y) ** 2 + (xs - x) ** 2 < (side * rng.uniform(0.1, 0.3)) ** 2)


def _row(
    run: Path,
    rng: np.random.Generator,
    slug: str,
    number: int,
    engine: str,
    trial: int,
    filled: np.ndarray[Any, np.dtype[np.uint8]],
    hole: np.ndarray[Any, np.dtype[np.bool_]],
) -> Row:
    output = f"fills/{slug}/{engine}/{trial}.png"
    (run / output).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(filled).save(run / output, compress_level=1)
    sha = hashlib.sha256(filled.tobytes()).hexdigest()
    quality = float(rng.normal(26, 3))
    scores = {
        "swd": float(rng.gamma(2, 0.1)),
        "psnr_outside": "exact",
        "psnr": quality,
        "ssim": 1 - 1 / quality,
        "seam": float(rng.normal(1, 0.1)),
        "clip": None,
    }
    side = filled.shape[0]
    return {
        "key": f"{slug}/{engine}/{trial}", "sample": slug, "slug": slug,
        "kind": ("object", "strokes", "wide")[number % 3], "dataset": "made up",
        "engine": engine, "options": {"radius": 3.0}, "trial": trial, "seed": 1000 + trial,
        "width": side, "height": side, "coverage": float(hole.mean()), "prompt": "",
        "output": output, "output_sha256": sha,
        "recipe": {"engine": engine, "options": {"radius": 3.0}, "seed": 1000 + trial,
                   "output_sha256": sha, "versions": {"infill": "1", "python": "3.11"}},
        "seconds": {"total": float(rng.gamma(4, 0.1)), "engine": 0.3}, "first": False,
        "host_mb": 240.0, "device_mb": None, "joules": None, "scores": scores, "notes": [],
        "error": None, "format": 1, "infill": "0.0.0",
    }  # fmt: skip


def made_up_summary(rows: Sequence[Row], engines: Sequence[str]) -> Summary:
    """A summary of the shape that a run's has, its intervals ± 2 standard errors of the rows."""
    columns = [column for of in COLUMNS.values() for column in of]
    good = [row for row in rows if row["error"] is None]
    cells = {engine: _cells(good, engine, columns) for engine in engines}
    kinds = list(dict.fromkeys(row["kind"] for row in good))
    samples = list(dict.fromkeys(row["sample"] for row in rows))
    tables = [
        Table(criterion, criterion.capitalize(), of, cells, _ranks(of, engines), _notes(criterion))
        for criterion, of in COLUMNS.items()
    ]
    return Summary(
        title="A made-up run",
        verdict=["No engine is surely the best.", "Nothing here was measured."],
        engines=engines,
        samples=len(samples),
        trials=1 + max((row["trial"] for row in rows), default=0),
        standings=[_standing(engines, place) for place in range(len(engines))],
        tables=tables,
        by_kind={
            kind: {
                engine: _cells([row for row in good if row["kind"] == kind], engine, columns[3:5])
                for engine in engines
            }
            for kind in kinds
        },
        costs=[_cost(good, engine, place) for place, engine in enumerate(engines)],
        spreads=list(_spreads(good, engines)),
        pictures=_pictures(rows),
        failures=[
            Failure(row["engine"], row["sample"], row["trial"], row["error"])
            for row in rows
            if row["error"]
        ],
        left_out=sorted({row["sample"] for row in rows if row["error"]}),
        references=[Reference("LaMa", "FID", 2.21, "https://example.org/table-1", "2026-01-01")],
        techniques=[{"name": engine, "family": "classical", "parameters": 0, "weights": (),
                     "commercial_use": True, "paper": "A. Nobody 2004, https://example.org/p.pdf"}
                    for engine in engines],
        rated=None,
        hardware={"cpu": "Some CPU, 2 cores", "memory_gb": 8},
        versions={"infill": "0.0.0"},
        protocol={"name": "made-up", "version": 1, "hash": "0123456789abcdef", "date": "2026-01-01",
                  "seed": 1000},
        command="infill bench --out run",
        notes=["This run is made up."],
    )  # fmt: skip


def _cells(rows: Sequence[Row], engine: str, columns: Sequence[Column]) -> dict[str, Interval]:
    own = [row["scores"] for row in rows if row["engine"] == engine]
    return {column.key: _interval([scores.get(column.key) for scores in own]) for column in columns}


def _interval(values: Sequence[Any]) -> Interval:
    finite = [value for value in values if isinstance(value, float)]
    exact = values.count("exact")
    if not finite:
        return Interval(None, exact=exact)
    mean = float(np.mean(finite))
    error = 2 * float(np.std(finite)) / math.sqrt(len(finite))
    return Interval(mean, mean - error, mean + error, len(finite), exact)


def _ranks(columns: Sequence[Column], engines: Sequence[str]) -> dict[str, dict[str, Rank]]:
    """The first two engines share the first place; the others follow."""

    def rank(place: int) -> Rank:
        return Rank(1, [engines[1 - place]]) if place < 2 <= len(engines) else Rank(place + 1)

    return {engine: {column.key: rank(place) for column in columns}
            for place, engine in enumerate(engines)}  # fmt: skip


def _notes(criterion: str) -> list[str]:
    return ["Too few photos for FID."] if criterion == "realism" else []


def _standing(engines: Sequence[str], place: int) -> Standing:
    value = 0.7 - 0.5 * place / max(1, len(engines) - 1)
    score = Interval(value, value - 0.08, value + 0.08, 100)
    rank = _ranks([Column("", "", "", 0)], engines)[engines[place]][""]
    return Standing(engines[place], rank, score, {"realism": score, "consistency": score})


def _cost(rows: Sequence[Row], engine: str, place: int) -> Cost:
    seconds = [row["seconds"]["total"] for row in rows if row["engine"] == engine]
    middle = float(np.median(seconds)) * 4**place if seconds else None
    steady = Interval(middle, middle and middle / 2, middle and middle * 2, len(seconds))
    return Cost(engine, middle and 3 * middle, steady, {"engine": 0.3}, middle and 3600 / middle,
                240.0, None, None, middle and 0.02 * middle, "rates of 2026")  # fmt: skip


def _spreads(rows: Sequence[Row], engines: Sequence[str]) -> Iterator[Spread]:
    for column in COLUMNS["consistency"][:2]:
        for engine in engines:
            found = [row["scores"][column.key] for row in rows if row["engine"] == engine]
            values = [value for value in found if isinstance(value, float)]
            if values:
                counts, edges = np.histogram(values, 20)
                percents = {
                    str(p): float(np.percentile(values, p)) for p in (5, 25, 50, 75, 90, 95)
                }
                yield Spread(engine, column.key, column.label, float(np.mean(values)),
                             float(np.std(values)), len(values), 0, percents, counts.tolist(),
                             edges.tolist())  # fmt: skip


def _pictures(rows: Sequence[Row]) -> list[Pictured]:
    """One for each sample, the lowest PSNR the worst."""
    of: dict[str, list[Row]] = {}
    for row in rows:
        of.setdefault(row["sample"], []).append(row)
    means = {name: _mean_psnr(own) for name, own in of.items()}
    order = {name: place for place, name in enumerate(sorted(means, key=lambda one: -means[one]))}
    found = []
    for name, own in of.items():
        fills: dict[str, dict[str, str]] = {}
        for row in own:
            if row["error"] is None:
                fills.setdefault(row["engine"], {})[str(row["trial"])] = row["key"]
        folder = f"samples/{own[0]['slug']}"
        found.append(
            Pictured(name, name, own[0]["kind"], "made of noise", own[0]["prompt"],
                     f"{folder}/before.png", f"{folder}/mask.png", f"{folder}/truth.png", fills,
                     order[name] / max(1, len(of) - 1))
        )  # fmt: skip
    return found


def _mean_psnr(rows: Sequence[Mapping[str, Any]]) -> float:
    values = [row["scores"].get("psnr") for row in rows]
    finite = [value for value in values if isinstance(value, float)]
    return float(np.mean(finite)) if finite else 0.0


if __name__ == "__main__":
    sys.exit(main())
