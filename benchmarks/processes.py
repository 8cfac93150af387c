"""Fresh processes, and how long they took and how much memory they held at most."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Runs a module as `python -m` would, and at the end writes down its own peak memory: what a
# parent reads of its children counts the parent's own pages too, from before the exec.
MEASURED_RUN = """
import atexit, runpy, sys
from benchmarks.processes import write_peak
atexit.register(write_peak, sys.argv[1])
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Finished:
    """A process that ended well: seconds of the clock, and what it wrote to stdout."""

    seconds: float
    output: str


def run(command: Sequence[str | Path], **environment: str) -> Finished:
    """Run `python COMMAND...` from the repository's root.

    Raises `SystemExit` with what it wrote to stderr if it fails.
    """
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        words = " ".join(map(str, command))
        raise SystemExit(f"python {words}\nended with {done.returncode}:\n{done.stderr.strip()}")
    return Finished(seconds, done.stdout)


def peak_memory(module: str, arguments: Sequence[str | Path], **environment: str) -> int:
    """Bytes that a fresh `python -m MODULE ARGUMENTS...` held at most."""
    with tempfile.TemporaryDirectory(prefix="infill-bench-") as folder:
        note = Path(folder) / "peak"
        run(["-c", MEASURED_RUN, note, module, *arguments], **environment)
        return int(json.loads(note.read_text()))


def write_peak(path: str) -> None:
    """Write this process's own peak of resident memory, in bytes, to a file."""
    Path(path).write_text(str(own_peak()), encoding="ascii")


def own_peak() -> int:
    """The most memory this process has held, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
