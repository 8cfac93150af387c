"""What the benchmark itself costs: 1,000 small photos, filled, measured and kept.

    python -m benchmarks.bench_speed [--photos 1000] [--jobs 2]

Compares the wall time of a run with that of filling and of measuring alone, in as many processes
and on the same photos, and the memory of the run's own process with that of a run of a quarter of
the photos. The photos are drawn: waves, edges and grain, 256 × 256.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench_jobs import FillAlone, MeasureAlone
from benchmarks.limits import Limit, report
from infill.bench.measure import choose
from infill.bench.plan import Item, Options, entries_of, items
from infill.bench.run import Run
from infill.bench.samples import with_drawn_masks
from infill.executors.local import Local
from infill.masks.protocols import protocol
from infill.picture import Picture

SIDE, ENGINE = 256, "telea"
MOST_TIMES, MOST_GROWTH = 1.3, 5.0


def draw(number: int) -> np.ndarray:
    """A photo-like (256, 256, 3) uint8: waves and edges of several sizes, with grain."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    pixels = np.zeros((SIDE, SIDE, 3))
    for _ in range(12):
        angle, wide = rng.uniform(0, np.pi), rng.uniform(2, 40)
        wave = np.sin(wide * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform(0, 7))
        wave = np.sign(wave) if rng.random() < 0.4 else wave
        pixels += wave[..., None] * rng.uniform(-25, 25, 3)
    pixels += 128 + rng.normal(0, 4, pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def options_of(folder: Path, count: int) -> Options:
    """A run over the first photos of the folder."""
    photos = [(path.name, path) for path in sorted(folder.iterdir())[:count]]
    drawn = protocol("rectangle", mask_ratio=0.15)
    return Options(
        samples=with_drawn_masks(photos, "rectangle"),
        entries=entries_of([ENGINE]),
        trials=1,
        protocol=drawn,
        again=False,
        source="drawn",
    )


def seconds_of(executor: Local, job: Any, todo: Sequence[Item]) -> float:
    """Wall seconds of a job over all items. Raises the first error that a job had."""
    begun = time.perf_counter()
    for outcome in executor.map(job, todo):
        if outcome.error is not None:
            raise RuntimeError(outcome.error)
    return time.perf_counter() - begun


def run_once(photos: Path, count: int, run: Path, jobs: int) -> tuple[float, float]:
    """Wall seconds of a whole run in a process of its own, and the peak of that process's memory
    in 10^6 bytes."""
    code = (
        "import sys, resource, time; from pathlib import Path; import benchmarks.bench_speed as b; "
        "t = time.perf_counter(); "
        f"b.whole(Path({str(photos)!r}), {count}, Path({str(run)!r}), {jobs}); "
        "print(time.perf_counter() - t, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, kilobytes = done.stdout.split()[-2:]
    return float(seconds), int(kilobytes) * 1024 / 1e6


def whole(photos: Path, count: int, run: Path, jobs: int) -> None:
    """A run from beginning to end, without its report."""
    with Run(options_of(photos, count), run) as going:
        for row in going.rows(Local(jobs), jobs=jobs, threads=1):
            if row["error"] is not None:
                raise RuntimeError(row["error"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the limits; the exit code is 1 if one does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_speed", description=__doc__)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args(arguments)
    work = Path(tempfile.mkdtemp(prefix="infill-bench-speed-"))
    try:
        (work / "photos").mkdir()
        for number in range(given.photos):
            path = work / "photos" / f"{number:05}.png"
            Picture.from_array(draw(number)).save(path)
        options = options_of(work / "photos", given.photos)
        todo, executor = list(items(options)), Local(given.jobs)
        quarter = run_once(work / "photos", given.photos // 4, work / "quarter", given.jobs)
        run = run_once(work / "photos", given.photos, work / "run", given.jobs)
        fill = seconds_of(executor, FillAlone(options), todo)
        measure = seconds_of(executor, MeasureAlone(options, choose(None), work / "run"), todo)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(
        f"{given.photos} photos of {SIDE} × {SIDE}, {ENGINE}, {given.jobs} processes: run "
        f"{run[0]:.1f} s; filling alone {fill:.1f} s, measuring alone {measure:.1f} s; memory of "
        f"the run's process {run[1]:.0f} MB, with a quarter of the photos {quarter[1]:.0f} MB"
    )
    kept = report(
        [
            Limit(
                "run, over filling and measuring alone", run[0] / (fill + measure), high=MOST_TIMES
            ),
            Limit("growth of memory, MB", run[1] - quarter[1], high=MOST_GROWTH, digits=0),
        ]
    )
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
