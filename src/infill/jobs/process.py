"""One worker process as the pool sees it, and the thread that keeps it at work."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from infill.errors import Cancelled, InfillError, ServiceError, TimedOut, WorkerDied
from infill.executors.local import start, why
from infill.executors.worker import receive, send
from infill.jobs.job import Job
from infill.jobs.tasks import Task, size_of


class Process:
    """A worker process and the messages that came from it. `variables`: its environment."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._process = start("infill.jobs.worker", variables)
        self._inbox: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, *message: Any) -> bool:
        """Hand it a message; False if it is gone."""
        assert self._process.stdin is not None
        try:
            send(self._process.stdin, message)
        except (OSError, ValueError):  # a pipe that broke, or that `end` has closed
            return False
        return True

    def receive(self, timeout: float) -> tuple[Any, ...] | None:
        """Its next message, ("gone",) if it has left, or None after `timeout` seconds."""
        try:
            return self._inbox.get(timeout=max(0.0, timeout))
        except queue.Empty:
            return None

    def wake(self) -> None:
        """Have whoever waits in `receive` look around."""
        self._inbox.put(("wake",))

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> int:
        """Kill it if it still runs, tidy up, and return its exit status."""
        self._process.kill()
        status = self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):  # what was not sent any more
                pipe.close()
        return status

    def _read(self) -> None:
        assert self._process.stdout is not None
        while True:
            try:
                message = receive(self._process.stdout)
            except (EOFError, OSError, ValueError):
                self._inbox.put(("gone",))
                return
            except Exception as error:  # a value or an error that cannot be read back
                message = ("error", ServiceError(f"the job's answer cannot be read: {error}"))
            self._inbox.put(message)


class Keeper(threading.Thread):
    """Keeps one worker process at work: draws jobs, follows each to its end, replaces the
    process when it dies or does not stop.

    draw:  waits for the next job and returns it, or None when the pool closes.
    ended: is told of every job that has ended, and of the bytes that its value takes.
    limit: seconds that a job may work. grace: seconds that it may take to stop.
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        warm: Task,
        draw: Callable[["Keeper"], Job | None],
        ended: Callable[[Job, int], None],
        limit: float,
        grace: float,
    ) -> None:
        super().__init__(daemon=True)
        self._variables = variables
        self._warm_task = warm
        self._draw = draw
        self._ended = ended
        self._limit = limit
        self._grace = grace
        self._lock = threading.Lock()
        self._closing = False
        self._warm = False
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """The worker's process id, None while there is none."""
        process = self._process
        return process.pid if process is not None else None

    def warm(self) -> None:
        """Start the process, and have it load what its first job would wait for."""
        self._warm = True
        self._ready()

    def wake(self) -> None:
        """A job of this worker is to stop: look."""
        process = self._process
        if process is not None:
            process.wake()

    def close(self) -> None:
        """Kill the process; no other one is started."""
        with self._lock:
            self._closing = True
            if self._process is not None:
                self._process.kill()

    def run(self) -> None:
        while (job := self._draw(self)) is not None:
            try:
                outcome = self._serve(job)
            except Exception as error:  # such as a task that does not pickle
                self._drop()
                outcome = ServiceError(f"the job cannot be run ({type(error).__name__}: {error})")
            failure = outcome if isinstance(outcome, InfillError) else None
            size = size_of(outcome)  # before others know of it: they may have it forgotten
            job.end(None if failure else outcome, failure)
            del outcome
            self._ended(job, size)
            del job
        self._drop()

    def _serve(self, job: Job) -> Any:
        """The job's value, or the error that ended it. One that was never begun is tried again."""
        for _ in range(2):
            process = self._ready()
            if process is None:
                break
            if process.send("run", job.id, job.task):
                outcome = self._follow(process, job)
                if outcome is not _NOT_BEGUN:
                    return outcome
            status = self._drop()
        if self._closing:
            return Cancelled("the server is closing")
        return WorkerDied(f"the worker process does not start ({why(status)}); try again")

    def _follow(self, process: Process, job: Job) -> Any:
        limit = time.monotonic() + self._limit
        reason: InfillError | None = None  # why it is to stop, once it is
        begun = False
        while True:
            now = time.monotonic()
            if reason is None and (job.stopping or now >= limit):
                reason = self._reason(job)
                limit = now + self._grace
                process.send("cancel", job.id)
            message = process.receive(limit - now)
            if message is None:
                if reason is not None:
                    self._drop()
                    return reason
                continue
            kind, *content = message
            if kind == "started":
                begun = True
            elif kind == "progress":
                job.report(*content)
            elif kind in ("value", "error"):
                return reason or content[0]
            elif kind == "gone":
                status = self._drop()
                if self._closing:
                    return Cancelled("the server is closing")
                if reason is None and not begun:
                    return _NOT_BEGUN
                return reason or WorkerDied(f"the worker process died ({why(status)}); try again")

    def _reason(self, job: Job) -> InfillError:
        if job.stopping:
            return Cancelled("the job was cancelled")
        job.stop()
        return TimedOut(
            f"the job took longer than the {self._limit:g} seconds that are allowed; "
            "make the hole smaller or ask for fewer candidates"
        )

    def _ready(self) -> Process | None:
        """The process, a new one if there is none or it has died; None once closing."""
        with self._lock:
            if self._process is not None and self._process.alive:
                return self._process
            if self._process is not None:
                self._process.end()
                self._process = None
            if self._closing:
                return None
            self._process = Process(self._variables)
            if self._warm:
                self._process.send("warm", self._warm_task)
            return self._process

    def _drop(self) -> int:
        """End the process; its exit status."""
        with self._lock:
            process, self._process = self._process, None
        return process.end() if process is not None else 0


_NOT_BEGUN = object()
