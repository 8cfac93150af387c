"""How many threads everything may start, set before anything is imported that starts some."""

import os
import sys
import time

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "INFILL_THREADS",
)


def set_threads(count: int) -> None:
    """Give OpenMP, BLAS, Numba, Infill and (through the environment) G'MIC `count` threads.

    Raises `RuntimeError` once NumPy is imported: it has started its threads by then.
    """
    if "numpy" in sys.modules:
        raise RuntimeError("threads must be set before numpy is imported")
    os.environ.update(dict.fromkeys(VARIABLES, str(count)))


def use_opencv_threads(count: int) -> None:
    """OpenCV reads no variable: tell it."""
    import cv2

    cv2.setNumThreads(count)


def describe() -> str:
    """One line: the threads in force, as each library says, and the processor."""
    import cv2

    given = os.environ.get("OMP_NUM_THREADS", "not set")
    return (
        f"threads: OpenMP, BLAS, Numba, Infill and G'MIC {given}, OpenCV {cv2.getNumThreads()}; "
        f"{len(os.sched_getaffinity(0))} cores of {processor()}"
    )


def warn_if_busy(limit: float = 0.25, seconds: float = 1.0) -> None:
    """Say so where other work runs: G'MIC's threads wait for each other in a loop, so that a
    busy machine slows it more than the others, and ratios come out too good.

    limit: cores that others may use while this waits for `seconds`.
    """
    before = _busy_seconds()
    time.sleep(seconds)
    cores = (_busy_seconds() - before) / seconds
    if cores > limit:
        print(
            f"warning: the machine is busy (others use {cores:.1f} cores); "
            "do not trust the times and ratios",
            file=sys.stderr,
        )


def _busy_seconds(stat: str = "/proc/stat") -> float:
    """Seconds that all cores together have worked since the system's start; 0 if not told."""
    try:
        with open(stat, encoding="utf-8") as lines:  # noqa: PTH123
            name, *ticks = lines.readline().split()
    except OSError:
        return 0.0
    user, nice, system, _idle, _waiting, irq, softirq, *stolen = map(int, ticks)
    assert name == "cpu"
    return (user + nice + system + irq + softirq + sum(stolen[:1])) / os.sysconf("SC_CLK_TCK")


def processor(cpuinfo: str = "/proc/cpuinfo") -> str:
    """The processor's name, where the system tells it."""
    try:
        with open(cpuinfo, encoding="utf-8") as lines:  # noqa: PTH123
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return "an unnamed processor"
