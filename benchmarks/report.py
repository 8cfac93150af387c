"""The report in docs/report: every engine that needs no download, on ten rooms and 24 photos.

    make bench-report

INFILL_BENCH names the folder of photos with masks; without it the rooms alone are run. The run is
kept in out/bench-report, and goes on there if it is stopped.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from infill.bench.plan import Options, entries_of
from infill.bench.samples import Sample, bundled, choose, find_samples, join
from infill.cli import benching
from infill.cli.report import write
from infill.errors import InfillError

PHOTOS = 24
RUN, REPORT = Path("out/bench-report"), Path("docs/report")
TITLE = "Which engine that needs no download fills best"
ORIGINS = (
    "The rooms were rendered for this benchmark and are free to use. The photos are of the Kodak "
    "set, of the Berkeley segmentation set (for research) and of COCO (each under the Creative "
    "Commons terms of its photographer); they are shown small, to show what engines do with them."
)


def samples(folder: str | None) -> list[Sample]:
    """The rooms, and photos of the folder, spread over their kinds of holes."""
    parts = {"rooms": find_samples(bundled())}
    if folder:
        try:
            parts["photos"] = choose(find_samples(Path(folder)), PHOTOS)
        except InfillError as error:
            raise SystemExit(f"INFILL_BENCH: {error}") from None
    else:
        print("INFILL_BENCH names no folder of photos: the rooms alone are run")
    return join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and write the report; the exit code is 1 if a fill failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--run", type=Path, default=RUN)
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--restart", action="store_true")
    given = parser.parse_args(arguments)
    folder = os.environ.get("INFILL_BENCH")
    options = Options(
        samples=samples(folder),
        entries=entries_of([]),
        trials=given.trials,
        energy=given.jobs == 1,
        source="ten rooms and 24 photos" if folder else "ten rooms",
    )
    failed = benching.go(
        options,
        given.run,
        jobs=given.jobs,
        threads=1,
        restart=given.restart,
        quiet=False,
        command="make bench-report",
    )
    write(given.run, given.report, title=TITLE, notes=[ORIGINS] if folder else [], megabytes=6.0)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
