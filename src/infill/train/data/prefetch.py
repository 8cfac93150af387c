"""The next batches, made while the present one is learnt from."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Prefetch(Generic[T]):
    """`make(step)` for step after step, up to `ahead` steps before it is asked for.

    It changes when a batch is made and never what is in it: `make` follows from its argument
    alone. Asked for a step that does not follow the last one, it begins anew there. What `make`
    raises, the call for that step raises. To be closed, best by `with`.
    """

    def __init__(self, make: Callable[[int], T], ahead: int, threads: int = 1) -> None:
        self.make, self.ahead = make, ahead
        self.coming: dict[int, Future[T]] = {}
        self.pool = ThreadPoolExecutor(threads, "batches") if ahead else None

    def __call__(self, step: int) -> T:
        """The batch of a step."""
        if self.pool is None:
            return self.make(step)
        if step not in self.coming:
            self._forget()
        for number in range(step, step + self.ahead + 1):
            if number not in self.coming:
                self.coming[number] = self.pool.submit(self.make, number)
        return self.coming.pop(step).result()

    def _forget(self) -> None:
        for waiting in self.coming.values():
            waiting.cancel()
        self.coming.clear()

    def close(self) -> None:
        """Make no more."""
        self._forget()
        if self.pool is not None:
            self.pool.shutdown(wait=True)

    def __enter__(self) -> "Prefetch[T]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
