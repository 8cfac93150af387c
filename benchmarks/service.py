"""The HTTP API under load: many small fills at a time, and what is left of them in memory.

A server of its own process fills one small photo again and again. None may be lost, and once
the results are forgotten the server and its workers hold the memory that they held before.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.limits import Limit, report, write_json
from benchmarks.processes import ROOT
from benchmarks.startup import small_photo
from benchmarks.threads import warn_if_busy

KEEP = 2  # seconds that the server keeps a result


@dataclass(frozen=True)
class Outcome:
    """One answer: its status, what its headers say, its picture, and how long it took."""

    status: int
    seed: str
    difference: str
    content: bytes
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 if `--check` was given and a limit was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--fills", type=int, default=100, metavar="N", help="default: 100")
    parser.add_argument("--at-a-time", type=int, default=8, metavar="N", help="default: 8")
    parser.add_argument("--engine", default="exemplar", help="engine (default: exemplar)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--check", action="store_true", help="exit code 1 if a limit is missed")
    options = parser.parse_args(arguments)
    warn_if_busy()
    limits, facts = measure(options.fills, options.at_a_time, options.engine)
    print(", ".join(f"{what} {value:.2f}" for what, value in facts.items()))
    kept = report(limits)
    if options.json:
        write_json(options.json, limits, facts=facts)
    return 1 if options.check and not kept else 0


def measure(count: int, at_a_time: int, engine: str) -> tuple[list[Limit], dict[str, float]]:
    """Flood a server twice: what the first run leaves behind is what is always there."""
    photo = small_photo()
    mask = photo.with_name(f"{photo.stem}_mask.png")
    pictures = photo.read_bytes(), mask.read_bytes()
    with serving() as (url, pid):
        click(url, pictures[0])
        flood(url, *pictures, count, at_a_time, engine)
        time.sleep(KEEP + 2)
        before = resident(pid)
        start = time.perf_counter()
        outcomes = flood(url, *pictures, count, at_a_time, engine)
        seconds = time.perf_counter() - start
        time.sleep(KEEP + 2)
        after = resident(pid)
    good = [one for one in outcomes if one.status == 200 and one.difference == "0"]
    waits = sorted(one.seconds for one in outcomes)
    facts = {
        "fills a second": count / seconds,
        "median wait (s)": statistics.median(waits),
        "longest wait (s)": waits[-1],
        "memory before (MB)": before / 1e6,
        "memory after (MB)": after / 1e6,
    }
    return [
        Limit("fills lost", float(count - len(good)), high=0.0, digits=0),
        Limit("memory more than before", (after - before) / 1e6, high=30.0, unit="MB"),
    ], facts


def click(url: str, photo: bytes) -> None:
    """One click, so that the worker for clicks has loaded all it needs before memory is read."""
    import httpx

    files = {"photo": ("photo.png", photo)}
    data = {"points": "100,100"}
    httpx.post(f"{url}/v1/segment", files=files, data=data, timeout=600).raise_for_status()


def flood(
    url: str, photo: bytes, mask: bytes, count: int, at_a_time: int, engine: str
) -> list[Outcome]:
    """The outcomes of `count` fills with the seeds 0, 1, …, in this order."""
    import httpx

    files = {"photo": ("photo.png", photo), "mask": ("mask.png", mask)}
    with httpx.Client(base_url=url, timeout=600) as client:

        def one(seed: int) -> Outcome:
            start = time.perf_counter()
            data = {"engine": engine, "seed": str(seed)}
            answer = client.post("/v1/fill", files=files, data=data)
            seconds = time.perf_counter() - start
            headers = answer.headers
            return Outcome(
                answer.status_code,
                headers.get("infill-seed", ""),
                headers.get("infill-outside-max-diff", ""),
                answer.content,
                seconds,
            )

        with ThreadPoolExecutor(at_a_time) as callers:
            return list(callers.map(one, range(count)))


@contextmanager
def serving() -> Iterator[tuple[str, int]]:
    """A server on a free port: its address and its process id."""
    server = subprocess.Popen(
        [sys.executable, "-m", "infill", "serve", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "INFILL_KEEP_SECONDS": str(KEEP), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        words = server.stdout.readline().split()
        if not words:
            raise SystemExit("the server did not start")
        yield words[2].rstrip(","), server.pid
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
        server.stdout.close()


def resident(pid: int) -> int:
    """Bytes of memory that a process and its children hold now."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    family = [pid, *(int(word) for path in children for word in path.read_text().split())]
    return sum(_resident(one) for one in family)


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return 1024 * int(line.split()[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
