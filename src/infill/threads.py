"""How many threads OpenCV may start while an engine runs.

OpenCV, Numba and BLAS each start as many threads as there are cores, and a batch runs several
processes beside each other; left alone they multiply.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from infill import settings

_lock = threading.Lock()
_open = 0  # blocks that are running now, in any thread
_outside = 1  # OpenCV's count before the first of them


@contextmanager
def opencv_threads(count: int | None = None) -> Iterator[int]:
    """Let OpenCV use `count` threads (default: the setting `threads`) inside a `with` block.

    The count is one number for the whole process, so it is put back when the last of several
    blocks that run at the same time ends. Results do not depend on it, only speed.
    """
    global _open, _outside
    import cv2

    count = settings.current().worker_threads if count is None else count
    with _lock:
        if not _open:
            _outside = cv2.getNumThreads()
        _open += 1
        cv2.setNumThreads(count)
    try:
        yield count
    finally:
        with _lock:
            _open -= 1
            if not _open:
                cv2.setNumThreads(_outside)
