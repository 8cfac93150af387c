"""`infill batch` with one process and with two: photos a second, start of the run included.

Each process has one thread in both, as the command chooses for itself.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cases import Case, cases_at_hand, choose
from benchmarks.limits import Limit, report, write_json
from benchmarks.processes import run
from benchmarks.threads import warn_if_busy


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 if `--check` was given and a limit was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__)
    parser.add_argument("--photos", type=int, default=96, metavar="N", help="default: 96")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each (default: 5)")
    parser.add_argument("--engine", default="exemplar", help="engine (default: exemplar)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--check", action="store_true", help="exit code 1 if a limit is missed")
    options = parser.parse_args(arguments)
    warn_if_busy()
    with tempfile.TemporaryDirectory(prefix="infill-bench-") as folder:
        count = lay_out(cases_at_hand(), options.photos, Path(folder))
        limits, facts = measure(Path(folder), count, options.rounds, options.engine)
    print(", ".join(f"{what}: {value:.2f} photos a second" for what, value in facts.items()))
    kept = report(limits)
    if options.json:
        write_json(options.json, limits, photos=count, facts=facts)
    return 1 if options.check and not kept else 0


def lay_out(cases: Sequence[Case], count: int, folder: Path) -> int:
    """Copy `count` photos and their masks, the same ones again if there are fewer.

    They lie in FOLDER/photos and FOLDER/masks. Returns how many.
    """
    from PIL import Image

    chosen = choose(cases, count)
    (folder / "photos").mkdir()
    (folder / "masks").mkdir()
    for index in range(count):
        case = chosen[index % len(chosen)]
        name = f"{index:03}"
        shutil.copyfile(case.photo, folder / "photos" / f"{name}{case.photo.suffix}")
        hole = Image.fromarray(case.load()[1])
        hole.convert("L").save(folder / "masks" / f"{name}.png")
    return count


def measure(
    folder: Path, count: int, rounds: int, engine: str
) -> tuple[list[Limit], dict[str, float]]:
    """One job and two in turn, after a run that warms the caches."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    for number in range(rounds + 1):
        for jobs, found in rates.items():
            seconds = timed(folder, jobs, engine)
            if number:
                found.append(count / seconds)
    one, two = (statistics.median(found) for found in rates.values())
    ratio = statistics.median([b / a for a, b in zip(*rates.values(), strict=True)])
    limit = Limit("throughput of --jobs 2, of --jobs 1", ratio, low=1.8)
    return [limit], {"--jobs 1": one, "--jobs 2": two}


def timed(folder: Path, jobs: int, engine: str) -> float:
    """Seconds of the clock for one run into an empty folder."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    order: list[str | Path] = [
        "-m",
        "infill",
        "batch",
        folder / "photos",
        "--masks",
        folder / "masks",
    ]
    order += ["--output", out, "--jobs", str(jobs), "--engine", engine, "--quiet"]
    variables = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return run([*order, "--threads", "1"], **variables).seconds


if __name__ == "__main__":
    os.environ.pop("INFILL_THREADS", None)
    sys.exit(main())
