"""Threads for the kernels: ranges of one loop, side by side."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import TracebackType
from typing import Any

ENOUGH = 1024  # items below which a second thread costs more than it saves


class Workers:
    """Runs `kernel(*args, start, end, *rest)` over [0, count) in `threads` ranges.

    Own threads rather than Numba's: Numba's pools are shared by the whole process, may not be
    entered by two callers at a time, and multiply with those of OpenCV and BLAS.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def run(
        self,
        kernel: Callable[..., None],
        count: int,
        *before: Any,
        after: tuple[Any, ...] = (),
        enough: int = ENOUGH,
    ) -> None:
        """Call `kernel(*before, start, end, *after)` for ranges that cover [0, count) once."""
        parts = min(self._threads, max(1, count // enough))
        if self._pool is None or parts == 1:
            kernel(*before, 0, count, *after)
            return
        bounds = [count * part // parts for part in range(parts + 1)]
        waiting = [
            self._pool.submit(kernel, *before, start, end, *after)
            for start, end in pairwise(bounds[1:])
        ]
        kernel(*before, bounds[0], bounds[1], *after)  # this thread takes the first range
        for future in waiting:
            future.result()

    def each(self, call: Callable[[Any], None], items: Iterable[Any]) -> None:
        """`call` each of `items`, side by side where there are threads for it."""
        if self._pool is None:
            for item in items:
                call(item)
            return
        for future in [self._pool.submit(call, item) for item in items]:
            future.result()
