"""The other end of `process`: a process that runs one task after another and tells how it goes.

It reads ("warm", task), ("run", id, task) and ("cancel", id), and writes ("started",),
("progress", fraction, stage, preview), and at the end of each run ("value", value) or
("error", an `InfillError`). Messages are those of `infill.executors.worker`.
"""

import contextlib
import gc
import os
import pickle
import queue
import threading
import time
from collections.abc import Callable
from typing import IO, Any

from infill.errors import Cancelled, InfillError, ServiceError
from infill.executors.worker import channels, receive, send
from infill.memory import give_back

IDLE = 1.0  # seconds without work after which a worker tidies up
PAUSE = 0.05  # seconds between two words of progress of one stage


class Reporter:
    """The progress that a task calls. Raises `Cancelled` once the job is to stop."""

    def __init__(self, send: Callable[[tuple[Any, ...]], None], stopped: Callable[[], bool]):
        self._send = send
        self._stopped = stopped
        self._stage = ""
        self._fraction = 0.0
        self._last = 0.0

    def __call__(self, fraction: float, stage: str) -> None:
        """See `infill.engines.base.Progress`."""
        if self._stopped():
            raise Cancelled("the job was cancelled")
        now = time.monotonic()
        self._fraction = float(fraction)
        if stage != self._stage or now - self._last >= PAUSE:
            self._stage, self._last = stage, now
            self._send(("progress", self._fraction, stage, None))

    def tell(self, stage: str) -> None:
        """Say what takes so long; never raises `Cancelled`."""
        self._send(("progress", self._fraction, stage, None))

    def show(self, preview: bytes) -> None:
        """A PNG to look at meanwhile."""
        self._send(("progress", self._fraction, self._stage, preview))


def main(parent: int) -> None:
    """Run tasks until the parent closes the pipe or is gone."""
    stdin, stdout = channels(parent)
    orders: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
    cancelled: set[str] = set()
    threading.Thread(target=_read, args=(stdin, orders, cancelled), daemon=True).start()
    try:
        tidy = True
        while True:
            try:
                kind, *content = orders.get(timeout=None if tidy else IDLE)
            except queue.Empty:
                gc.collect()  # a compiler leaves hundreds of megabytes in circles behind
                give_back()
                tidy = True
                continue
            tidy = False
            if kind == "warm":
                with contextlib.suppress(Exception):  # who asks for it will hear what is wrong
                    content[0](lambda fraction, stage: None)
            else:
                _run(stdout, content[0], content[1], cancelled)
            del content
            give_back()
    except BrokenPipeError:
        os._exit(0)


def _read(
    stdin: IO[bytes], orders: "queue.SimpleQueue[tuple[Any, ...]]", cancelled: set[str]
) -> None:
    """Hear orders while a task runs; leave when there is nobody to give any more."""
    try:
        while True:
            order = receive(stdin)
            if order[0] == "cancel":
                cancelled.add(order[1])
            else:
                orders.put(order)
    finally:
        os._exit(0)


def _run(stdout: IO[bytes], number: str, task: Any, cancelled: set[str]) -> None:
    send(stdout, ("started",))
    reporter = Reporter(lambda message: send(stdout, message), lambda: number in cancelled)
    try:
        message: tuple[str, Any] = ("value", task(reporter))
    except InfillError as error:
        message = ("error", error)
    except MemoryError:
        message = ("error", ServiceError("there is not enough memory for this job"))
    except BrokenPipeError:
        raise
    except Exception as error:
        message = ("error", ServiceError(f"the job failed ({type(error).__name__}: {error})"))
    cancelled.discard(number)
    try:
        send(stdout, message)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        send(stdout, ("error", ServiceError(f"the result cannot be sent back: {error}")))
