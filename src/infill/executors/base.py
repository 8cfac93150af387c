"""What an executor is: it runs one job over many items and gives the results as they end."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from infill.registry import Registry


@dataclass(frozen=True)
class Outcome:
    """How the job on one item ended: with a value, or with the error that stopped it.

    item:  the item itself.
    value: what the job returned; None if it failed.
    error: one sentence; None if it succeeded.
    """

    item: Any
    value: Any = None
    error: str | None = None


class Executor(Protocol):
    """One way of running a job over many items; see `tests/conformance_executor.py`."""

    def map(self, job: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Outcome]:
        """Run `job(item)` for every item and yield one `Outcome` for each, as they end.

        job:    a callable that pickles (a module's function, or an instance of a module's
                class); it is handed to each worker once.
        items:  things that pickle. They are drawn only as workers become free and the
                caller takes the outcomes, so that a long or endless iterable takes no memory.
        order:  that in which they end.
        errors: an exception in the job, a result that does not pickle and a worker that dies
                are each the `Outcome` of their item and of no other; the run goes on.

        Closing the iterator early (or leaving it, as Ctrl-C does) stops all workers.
        """
        ...


EXECUTORS: Registry[Executor] = Registry(
    "executor", "infill.executors", {"local": "infill.executors.local:Local"}
)
