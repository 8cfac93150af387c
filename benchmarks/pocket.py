"""The network that ships in the package: seconds for a photo, to start, and memory.

Everything happens in fresh processes, since start and memory are those of a person's first fill.
The photo has 512×512 pixels with a hole so large that all of it is looked at; a fill is all that
`infill.fill` does, from the picture to the picture. By default the network sees it at a smaller
size (the option `side`), and for comparison at its own.

    python -m benchmarks.pocket --check
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.limits import Limit, report, write_json
from benchmarks.processes import run
from benchmarks.threads import VARIABLES, processor, warn_if_busy

START = """
import json, sys, time
import numpy
start = time.perf_counter()
import onnxruntime
imported = time.perf_counter()
from infill.engines.pocket import network
from infill import settings
network.session(settings.current().worker_threads)
ready = time.perf_counter()
print(json.dumps({"library": imported - start, "session": ready - imported}))
"""

RUN = """
import json, sys, time
import numpy
import infill
from benchmarks.processes import own_peak
from benchmarks.startup import small_photo
photo = infill.load(small_photo())
mask = numpy.zeros((512, 512), bool)
mask[96:416, 96:416] = True  # what is looked at is the whole photo
seconds = {"default": [], "whole": []}
for _ in range(1 + int(sys.argv[1])):
    for name, options in (("default", {}), ("whole", {"side": 512})):
        start = time.perf_counter()
        result = infill.fill(photo, mask, engine="pocket", **options)
        seconds[name].append(time.perf_counter() - start)
    size = (result.picture.width, result.picture.height)
timed = {name: spent[1:] for name, spent in seconds.items()}
print(json.dumps({"size": size, "seconds": timed, "peak": own_peak()}))
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 if `--check` was given and a limit was missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pocket",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, default=15, help="timed fills (default: 15)")
    parser.add_argument("--starts", type=int, default=5, help="processes (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="threads (default: 2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--check", action="store_true", help="exit code 1 if a limit is missed")
    options = parser.parse_args(arguments)
    warn_if_busy()
    print(f"{options.threads} threads of {processor()}")
    limits, facts = measure(options.runs, options.starts, options.threads)
    print(", ".join(f"{what} {value:.3f} s" for what, value in facts.items()))
    kept = report(limits)
    if options.json:
        write_json(options.json, limits, facts=facts)
    return 1 if options.check and not kept else 0


def measure(runs: int, starts: int, threads: int) -> tuple[list[Limit], dict[str, float]]:
    """Limits and facts: medians over `runs` photos of one process, and over `starts` processes."""
    given = dict.fromkeys(VARIABLES, str(threads))
    run(["-c", START], **given)  # files are read from the disk once
    started = [json.loads(run(["-c", START], **given).output) for _ in range(starts)]
    filled = json.loads(run(["-c", RUN, str(runs)], **given).output)
    if filled["size"] != [512, 512]:
        raise SystemExit(f"the photo has {filled['size']} pixels in place of 512×512")
    seconds = {name: statistics.median(spent) for name, spent in filled["seconds"].items()}
    facts = {
        "fastest": min(filled["seconds"]["default"]),
        "slowest": max(filled["seconds"]["default"]),
        "seen at 512×512": seconds["whole"],
        "ONNX Runtime itself": statistics.median(one["library"] for one in started),
    }
    session = statistics.median(one["session"] for one in started)
    spent = 1000 * seconds["default"]
    return [
        Limit("a photo of 512×512", spent, high=150, unit="ms", digits=0),
        Limit("the session's start", 1000 * session, high=300, unit="ms", digits=0),
        Limit("memory of the process", filled["peak"] / 1e6, high=400, unit="MB", digits=0),
    ], facts


if __name__ == "__main__":
    sys.exit(main())
