"""Worker processes, the jobs that wait for them, and the results that are kept for a while."""

import importlib.util
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import get_args

from infill import settings
from infill.closing import Closes
from infill.errors import Cancelled, NoSuchJob, QueueFull, ServiceError
from infill.executors.local import environment
from infill.jobs.job import Job
from infill.jobs.order import Line
from infill.jobs.process import Keeper
from infill.jobs.tasks import Lane, Task, WarmTask, size_of
from infill.memory import give_back

LANES: tuple[Lane, ...] = get_args(Lane)


class Pool(Closes):
    """One worker process for each device in the lane "fill", and one in the lane "click".

    devices:    None = those that the setting `device` names, see `devices`.
    keep_bytes: what results take in memory at most, all together; the oldest are forgotten
                first, and the last one never. As much again may wait in the queue.
    grace:      seconds that a job which is to stop may take before its process is killed.

    Limits are those of the settings when the pool is made (`queue_jobs`, `job_seconds`,
    `keep_seconds`), and the workers have all those settings too. Processes start with the first
    job, or with `warm`.
    """

    def __init__(
        self,
        *,
        devices: Sequence[str] | None = None,
        keep_bytes: int = 2**30,
        grace: float = 3.0,
    ) -> None:
        self.limits = settings.current()
        self.keep_bytes = keep_bytes
        self._grace = grace
        self._devices = tuple(devices) if devices is not None else found_devices()
        self._lock = threading.Condition()
        self._lines: dict[Lane, Line[Job]] = {lane: Line() for lane in LANES}
        self._jobs: dict[str, Job] = {}
        self._sizes: dict[str, int] = {}  # bytes of what waits, and of what is kept
        self._running: dict[str, Keeper] = {}
        self._keepers: dict[Lane, list[Keeper]] = {}
        self._seconds = dict.fromkeys(LANES, 1.0)  # what a job took lately
        self._closed = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep_now_and_then, daemon=True)

    def submit(self, task: Task) -> Job:
        """Put a task in the queue of its lane.

        Raises `QueueFull` with the seconds after which to try again, and `ServiceError` once
        the pool is closed.
        """
        job, size = Job(task, self._stop, self._place), size_of(task)
        with self._lock:
            if self._closed.is_set():
                raise ServiceError("the server is closing and takes no more jobs")
            line = self._lines[task.lane]
            self._check_room(task.lane, size)
            self._open()
            self._jobs[job.id], self._sizes[job.id] = job, size
            line.add(job, time.monotonic(), job.work)
            behind = line.items()[(line.place(job) or 0) + 1 :]
            self._lock.notify_all()
        for other in behind:
            other.touch()
        return job

    def job(self, number: str) -> Job:
        """The job of that id. Raises `NoSuchJob` for one that is unknown or forgotten."""
        self._sweep()
        with self._lock:
            job = self._jobs.get(number)
        if job is None:
            raise NoSuchJob("there is no such job, or its result is deleted by now")
        return job

    def forget(self, number: str) -> None:
        """Cancel the job of that id, or delete its result. Raises `NoSuchJob`."""
        self.discard(self.job(number))

    def discard(self, job: Job) -> None:
        """Cancel the job, or delete its result if it has ended."""
        job.cancel()
        if job.over:
            self._forget([job])

    def warm(self, *lanes: Lane) -> None:
        """Start the workers and have them load kernels and networks, in the background.

        lanes: those whose workers are to; none named = all.
        """
        with self._lock:
            if self._closed.is_set():
                return
            self._open()
            keepers = [keeper for lane in lanes or LANES for keeper in self._keepers[lane]]
        for keeper in keepers:
            threading.Thread(target=keeper.warm, daemon=True).start()

    def close(self) -> None:
        """Cancel all jobs, kill the workers, forget all results. Waits until they are gone."""
        with self._lock:
            self._closed.set()
            waiting = [job for line in self._lines.values() for job in line.items()]
            self._lines = {lane: Line() for lane in LANES}
            keepers = [keeper for lane in self._keepers.values() for keeper in lane]
            self._lock.notify_all()
        for job in waiting:
            job.end(error=Cancelled("the server is closing"))
        for keeper in keepers:
            keeper.close()
        for keeper in keepers:
            keeper.join()
        if self._sweeper.is_alive():
            self._sweeper.join()
        self._forget(list(self._jobs.values()))

    # --- what there is to see -------------------------------------------------------------

    def waiting(self, lane: Lane) -> int:
        """How many jobs wait in that lane."""
        with self._lock:
            return len(self._lines[lane])

    def running(self) -> int:
        """How many jobs are being worked on."""
        with self._lock:
            return len(self._running)

    def kept_bytes(self) -> int:
        """Bytes of all tasks that wait or run, and of all results that are kept."""
        with self._lock:
            return sum(self._sizes.values())

    def pids(self) -> list[int]:
        """Process ids of the workers there are now."""
        with self._lock:
            keepers = [keeper for lane in self._keepers.values() for keeper in lane]
        return [pid for keeper in keepers if (pid := keeper.pid) is not None]

    # --- the queue ------------------------------------------------------------------------

    def _open(self) -> None:
        """Start the threads, once."""
        if self._keepers:
            return
        for lane in LANES:
            devices = self._devices if lane == "fill" else self._devices[:1]
            self._keepers[lane] = [self._keeper(lane, device) for device in devices]
        for keeper in (keeper for lane in self._keepers.values() for keeper in lane):
            keeper.start()
        self._sweeper.start()

    def _keeper(self, lane: Lane, device: str) -> Keeper:
        values = asdict(self.limits) | {"device": device, "threads": self.limits.worker_threads}
        variables = environment(self.limits.worker_threads)
        variables |= {f"INFILL_{name.upper()}": str(value) for name, value in values.items()}
        variables["INFILL_OFFLINE"] = "1"  # a request never starts a download: people do
        return Keeper(
            variables,
            WarmTask(lane),
            lambda keeper: self._draw(lane, keeper),
            self._after,
            self.limits.job_seconds,
            self._grace,
        )

    def _check_room(self, lane: Lane, size: int) -> None:
        line = self._lines[lane]
        held = sum(self._sizes[job.id] for line in self._lines.values() for job in line.items())
        too_large = len(line) > 0 and held + size > self.keep_bytes
        if len(line) >= self.limits.queue_jobs or too_large:
            workers = max(1, len(self._keepers.get(lane, ())))
            wait = max(1.0, self._seconds[lane] / workers)
            raise QueueFull(
                f"{len(line)} jobs wait already, as many as there is room for; "
                f"try again in {wait:.0f} s",
                wait,
            )

    def _draw(self, lane: Lane, keeper: Keeper) -> Job | None:
        """The next job of the lane, begun; waits for one. None when the pool closes."""
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._closed.is_set() or len(self._lines[lane]) > 0)
                if self._closed.is_set():
                    return None
                job = self._lines[lane].take()
                assert job is not None
                self._running[job.id] = keeper
                behind = self._lines[lane].items()
            for other in behind:
                other.touch()
            if job.start():
                return job
            with self._lock:
                del self._running[job.id]

    def _after(self, job: Job, size: int) -> None:
        """A job has ended: its result is kept, as long as there is room."""
        took = (job.ended or 0.0) - (job.started or 0.0)
        with self._lock:
            self._running.pop(job.id, None)
            self._seconds[job.lane] = 0.7 * self._seconds[job.lane] + 0.3 * took
            if job.id in self._jobs:
                self._sizes[job.id] = size
        self._sweep()

    def _stop(self, job: Job) -> None:
        with self._lock:
            waits = self._lines[job.lane].remove(job)
            behind = self._lines[job.lane].items()
            if waits:
                self._sizes[job.id] = 0
        if waits:
            job.end(error=Cancelled("the job was cancelled"))
            for other in behind:
                other.touch()
            return
        job.stop()
        with self._lock:
            keeper = self._running.get(job.id)
        if keeper is not None:
            keeper.wake()

    def _place(self, job: Job) -> int | None:
        with self._lock:
            return self._lines[job.lane].place(job)

    # --- what is kept ---------------------------------------------------------------------

    def _sweep_now_and_then(self) -> None:
        while not self._closed.wait(min(5.0, self.limits.keep_seconds / 4)):
            self._sweep()

    def _sweep(self) -> None:
        """Forget what is older than `keep_seconds`, and the oldest while there is too much."""
        now = time.time()
        with self._lock:
            over = [job for job in self._jobs.values() if job.over and job.ended is not None]
            over.sort(key=lambda job: job.ended or 0.0)
            total = sum(self._sizes[job.id] for job in over)
            old = []
            for index, job in enumerate(over):
                late = now - (job.ended or now) >= self.limits.keep_seconds
                full = total > self.keep_bytes and index < len(over) - 1
                if late or full:
                    old.append(job)
                    total -= self._sizes[job.id]
        self._forget(old)

    def _forget(self, jobs: Sequence[Job]) -> None:
        with self._lock:
            for job in jobs:
                self._jobs.pop(job.id, None)
                self._sizes.pop(job.id, None)
        for job in jobs:
            job.forget()
        if jobs:
            give_back()


def found_devices() -> tuple[str, ...]:
    """What the setting `device` names; where it says "auto", every NVIDIA card, if there are
    several and PyTorch is installed to use them.
    """
    chosen = settings.current().device
    if chosen != "auto" or importlib.util.find_spec("torch") is None:
        return (chosen,)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        count = len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    else:
        cards = Path("/proc/driver/nvidia/gpus")
        count = len(list(cards.iterdir())) if cards.is_dir() else 0
    return tuple(f"cuda:{index}" for index in range(count)) if count > 1 else (chosen,)
