"""A word to whoever waits while an engine's kernels are compiled: once on each machine.

Numba compiles a kernel when it is first called and keeps it on disk, so it is known only then
whether there is anything to wait for.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[float, str], None]
SENTENCE = "compiling the engine's kernels: some seconds, once on this machine"


@contextmanager
def announced(progress: Progress, tell: Callable[[str], None]) -> Iterator[Progress]:
    """`progress`, wrapped so that `tell` hears `SENTENCE` when a kernel begins to be compiled.

    It is told at most once in the `with` block. Loads nothing: an engine without kernels never
    meets Numba here.
    """
    stop: list[Callable[[], None]] = []

    def report(fraction: float, stage: str) -> None:
        if not stop and "numba" in sys.modules:
            stop.append(_listen(tell))
        progress(fraction, stage)

    try:
        yield report
    finally:
        for end in stop:
            end()


def _listen(tell: Callable[[str], None]) -> Callable[[], None]:
    """Have `tell` called at the next compilation; returns what ends that."""
    from numba.core import event

    told = False

    class Once(event.Listener):
        def on_start(self, event: object) -> None:
            nonlocal told
            if not told:
                told = True
                tell(SENTENCE)

        def on_end(self, event: object) -> None:
            pass

    once = Once()
    event.register("numba:compile", once)

    def end() -> None:
        event.unregister("numba:compile", once)

    return end
