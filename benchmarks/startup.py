"""How long a person waits for one small photo, start of the process included.

`infill fill` on a photo of a quarter of a megapixel, as a whole process with its kernels
compiled and cached by an earlier run; and `import infill` alone.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.limits import Limit, report, write_json
from benchmarks.processes import run

IMPORT = """
import time
start = time.perf_counter()
import infill
print(time.perf_counter() - start)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 if `--check` was given and a limit was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="runs of each (default: 7)")
    parser.add_argument("--threads", type=int, default=2, help="threads (default: 2)")
    parser.add_argument("--engine", default="exemplar", help="engine (default: exemplar)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--check", action="store_true", help="exit code 1 if a limit is missed")
    options = parser.parse_args(arguments)
    limits, facts = measure(options.runs, options.threads, options.engine)
    print(", ".join(f"{what} {value:.3f} s" for what, value in facts.items()))
    kept = report(limits)
    if options.json:
        write_json(options.json, limits, facts=facts)
    return 1 if options.check and not kept else 0


def measure(runs: int, threads: int, engine: str) -> tuple[list[Limit], dict[str, float]]:
    """Medians of `runs` processes, after one that warms the caches."""
    photo = small_photo()
    mask = photo.with_name(f"{photo.stem}_mask.png")
    given = {"INFILL_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    whole, imports, bare = [], [], []
    with tempfile.TemporaryDirectory(prefix="infill-bench-") as folder:
        out = Path(folder) / "out.png"
        fill: list[str | Path] = ["-m", "infill", "fill", photo, "--mask", mask, "--output", out]
        fill += ["--engine", engine, "--overwrite", "--quiet"]
        first = run(fill, **given).seconds
        for _ in range(runs):
            whole.append(run(fill, **given).seconds)
            imports.append(float(run(["-c", IMPORT]).output))
            bare.append(run(["-c", "pass"]).seconds)
    facts = {
        "first run": first,
        "fastest": min(whole),
        "slowest": max(whole),
        "Python alone": statistics.median(bare),
    }
    return [
        Limit("infill fill, whole process", statistics.median(whole), high=1.0, unit="s"),
        Limit("import infill", statistics.median(imports), high=0.3, unit="s", digits=3),
    ], facts


def small_photo() -> Path:
    """The bundled photo nearest to a quarter of a megapixel (512×512), which has a mask."""
    import infill.examples

    return Path(infill.examples.__file__).parent / "astronaut.png"


if __name__ == "__main__":
    sys.exit(main())
