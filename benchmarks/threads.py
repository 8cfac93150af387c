"""How many threads everything may start, set before anything is imported that starts some."""

import os
import sys

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


def warn_if_busy(limit: float = 0.5) -> None:
    """Say so where other work runs: G'MIC's threads wait for each other in a loop, so that a
    busy machine slows it more than the others, and ratios come out too good.
    """
    load = os.getloadavg()[0]
    if load > limit:
        print(
            f"warning: the machine is busy (load {load:.1f}); do not trust the times and ratios",
            file=sys.stderr,
        )


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
