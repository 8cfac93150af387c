"""Processes on this machine.

Each worker is a fresh interpreter (as with multiprocessing's "spawn", but the caller's
`__main__` is not run again and each worker has an environment of its own, so the number of
threads is settled before NumPy, OpenCV or Numba are loaded). One thread of this process serves
each worker, so never more items are under way than there are workers, and when a worker dies
it is known which item it was working on.
"""

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from infill.errors import BatchError
from infill.executors.base import Outcome
from infill.executors.worker import receive, send

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
    "INFILL_THREADS",
)

AHEAD = 4  # items for each worker that may be drawn before the caller has taken their outcomes


class Local:
    """`jobs` processes with `threads` threads each (both at least 1)."""

    def __init__(self, jobs: int = 1, threads: int = 1) -> None:
        if jobs < 1 or threads < 1:
            raise BatchError(f"jobs and threads must be at least 1, not {jobs} and {threads}")
        self.jobs = jobs
        self.threads = threads

    def map(self, job: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Outcome]:
        """See `Executor.map`. A worker that dies is replaced before the next item."""
        crew = _Crew(pickle.dumps(job), iter(items), environment(self.threads), AHEAD * self.jobs)
        servers = [threading.Thread(target=crew.serve, daemon=True) for _ in range(self.jobs)]
        for server in servers:
            server.start()
        try:
            yield from crew.outcomes(len(servers))
        finally:
            crew.stop()
            for server in servers:
                server.join()


def environment(threads: int) -> dict[str, str]:
    """This process's environment, with every library's number of threads settled."""
    return dict(os.environ) | dict.fromkeys(_THREAD_VARIABLES, str(threads))


def start(module: str, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A fresh interpreter that runs `main(our process id)` of `module`, pipes at both ends.

    It imports what this process would import. variables: its whole environment.
    """
    command = (
        f"import sys; sys.path[:] = {sys.path!r}; from {module} import main; main({os.getpid()})"
    )
    return subprocess.Popen(
        [sys.executable, "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=variables,
        # Ctrl-C is for this process; it ends its workers itself.
        start_new_session=os.name == "posix",
    )


def why(status: int) -> str:
    """What the exit status of a process that died means, in a few words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"{name}; out of memory?" if name == "SIGKILL" else name


class _Crew:
    """The workers of one `map` and what their serving threads share."""

    def __init__(
        self, job: bytes, items: Iterator[Any], environment: dict[str, str], ahead: int
    ) -> None:
        self._job = job
        self._items = items
        self._environment = environment
        self._ahead = ahead
        self._lock = threading.Lock()
        self._stopped = False
        self._processes: set[subprocess.Popen[bytes]] = set()
        # A slow caller must not pile up outcomes: each item takes a place, each outcome frees one.
        self._places = threading.Semaphore(ahead)
        self._done: queue.SimpleQueue[Outcome | BaseException | None] = queue.SimpleQueue()

    def outcomes(self, servers: int) -> Iterator[Outcome]:
        """Every outcome as it ends, until each of the serving threads has said None."""
        while servers:
            done = self._done.get()
            if done is None:
                servers -= 1
            elif isinstance(done, BaseException):
                raise done
            else:
                self._places.release()
                yield done

    def serve(self) -> None:
        """One thread: draw an item, have the worker run it, pass the outcome on."""
        worker: subprocess.Popen[bytes] | None = None
        try:
            while (drawn := self._draw()) is not None:
                worker = worker or self._start()
                if worker is None:
                    return
                worker = self._run(worker, drawn[0])
        except BaseException as error:
            # The iterable raised, or no process can be started: the caller's to know.
            if not self._stopped:
                self._done.put(error)
        finally:
            if worker is not None:
                self._end(worker)
            self._done.put(None)

    def _run(self, worker: subprocess.Popen[bytes], item: Any) -> subprocess.Popen[bytes] | None:
        """Run one item; returns the worker, or None if it died."""
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            send(worker.stdin, item)
            kind, value = receive(worker.stdout)
        except (EOFError, OSError):
            status = self._end(worker)
            if not self._stopped:
                self._done.put(Outcome(item, error=f"the worker process died ({why(status)})"))
            return None
        self._done.put(Outcome(item, value) if kind == "value" else Outcome(item, error=value))
        return worker

    def _draw(self) -> tuple[Any] | None:
        """The next item in a tuple, or None at the end: one thread at a time."""
        self._places.acquire()
        with self._lock:
            if self._stopped:
                return None
            for item in self._items:
                return (item,)
            self._places.release()  # the place of an item that isn't there
            return None

    def _start(self) -> subprocess.Popen[bytes] | None:
        """A new worker; None once stopped."""
        with self._lock:
            if self._stopped:
                return None
            worker = start("infill.executors.worker", self._environment)
            self._processes.add(worker)
        assert worker.stdin is not None
        with contextlib.suppress(OSError):  # it died at once: its first item will tell
            send(worker.stdin, self._job)
        return worker

    def _end(self, worker: subprocess.Popen[bytes]) -> int:
        """Close the worker's pipes, wait for it and return its exit status."""
        for pipe in (worker.stdin, worker.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()
        status = worker.wait()
        with self._lock:
            self._processes.discard(worker)
        return status

    def stop(self) -> None:
        """Hand out no more items and kill whatever still runs."""
        with self._lock:
            self._stopped = True
            for worker in self._processes:
                worker.kill()
        self._places.release(self._ahead)  # whoever waits for a place sees that it is over
