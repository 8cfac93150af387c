"""Tasks with which the pool of workers is tried; each runs in a process of its own."""

import os
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from infill.errors import BadMask
from infill.jobs.tasks import Lane, Progress


@dataclass(frozen=True)
class Say:
    """Report each of some fractions, then return the process id and a value."""

    value: Any = None
    fractions: tuple[float, ...] = ()
    work: int = 0
    lane: ClassVar[Lane] = "fill"

    def __call__(self, progress: Progress) -> tuple[int, Any]:
        for fraction in self.fractions:
            progress(fraction, f"at {fraction}")
        return os.getpid(), self.value


@dataclass(frozen=True)
class Click(Say):
    lane: ClassVar[Lane] = "click"


@dataclass(frozen=True)
class Work:
    """Go on for `seconds`, calling progress all the while, or not at all."""

    seconds: float = 600.0
    quiet: bool = False
    work: int = 0
    lane: ClassVar[Lane] = "fill"

    def __call__(self, progress: Progress) -> str:
        end = time.monotonic() + self.seconds
        progress(0.0, "work")
        while time.monotonic() < end:
            time.sleep(0.01)
            if not self.quiet:
                progress(0.5, "work")
        return "worked"


@dataclass(frozen=True)
class Fail:
    """Raise one of our own errors, or another one, or return what does not pickle."""

    how: str
    work: int = 0
    lane: ClassVar[Lane] = "fill"

    def __call__(self, progress: Progress) -> Any:
        if self.how == "ours":
            raise BadMask("the mask is bad")
        if self.how == "memory":
            raise MemoryError
        if self.how == "lambda":
            return lambda: None
        raise RuntimeError("nobody expected this")


@dataclass(frozen=True)
class Die:
    """Leave the process with an exit status."""

    status: int = 7
    work: int = 0
    lane: ClassVar[Lane] = "fill"

    def __call__(self, progress: Progress) -> None:
        os._exit(self.status)


@dataclass(frozen=True)
class Zeros:
    """Return so many bytes."""

    size: int
    work: int = 0
    lane: ClassVar[Lane] = "fill"

    def __call__(self, progress: Progress) -> Any:
        return np.zeros(self.size, np.uint8)


@dataclass(frozen=True, eq=False)
class Carry:
    """A task that is itself as large as its array."""

    array: Any
    work: int = 0
    lane: ClassVar[Lane] = "fill"

    def __call__(self, progress: Progress) -> int:
        return int(self.array.nbytes)


@dataclass(frozen=True)
class Shown:
    """Show a preview, then wait to be cancelled."""

    work: int = 0
    lane: ClassVar[Lane] = "fill"

    def __call__(self, progress: Any) -> None:
        progress.tell("compiling")
        progress.show(b"a picture")
        Work()(progress)


@dataclass(frozen=True)
class Variables:
    """The environment's variables of those names, and what the settings say."""

    names: tuple[str, ...]
    work: int = 0
    lane: ClassVar[Lane] = "fill"

    def __call__(self, progress: Progress) -> Any:
        from infill import settings

        return [os.environ.get(name) for name in self.names], settings.current()
