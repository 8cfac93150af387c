"""One piece of work on its way: where it stands, how to stop it, and what came of it."""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from infill.errors import Cancelled, InfillError, NoSuchJob
from infill.jobs.tasks import Task

State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")


class Job:
    """A task that was handed to a pool. Safe between threads; made by `Pool.submit` alone.

    id:       unguessable: whoever knows it may have the result.
    state:    "queued", "running", "done", "failed" or "cancelled".
    fraction: how much is done, in [0, 1]; stage: a word for what is being done.
    preview:  bytes of a PNG to show before the end, or None.
    created, started, ended: seconds since 1970, or None.
    error:    why it failed or was cancelled, or None.
    """

    def __init__(
        self, task: Task, stop: Callable[["Job"], None], place: Callable[["Job"], int | None]
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        self.lane = task.lane
        self.work = task.work
        self.state: State = "queued"
        self.fraction = 0.0
        self.stage = "waiting"
        self.preview: bytes | None = None
        self.created = time.time()
        self.started: float | None = None
        self.ended: float | None = None
        self.error: InfillError | None = None
        self.stopping = False
        self.task: Task | None = task
        """None once it has ended: the photo is not kept with the result."""
        self._stop = stop
        self._place = place
        self._value: Any = None
        self._forgotten = False
        self._version = 0
        self._changed = threading.Condition()
        self._listeners: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"<Job {self.id[:6]}… {self.lane} {self.state} {self.fraction:.0%}>"

    # --- for whoever handed it in ---------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state in ENDED

    @property
    def seconds_left(self) -> float | None:
        """A guess from the pace so far; None before there is one."""
        if self.state != "running" or self.started is None or self.fraction < 0.02:
            return None
        return max(0.0, (time.time() - self.started) * (1 - self.fraction) / self.fraction)

    def cancel(self) -> None:
        """Stop it: at once if it waits, else at its next word of progress, or by force after
        the pool's grace. Does nothing to a job that has ended. Does not wait.
        """
        self._stop(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended, or for `timeout` seconds; whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self.over, timeout)

    def result(self) -> Any:
        """What the task returned.

        Raises the error that ended the job, `Cancelled`, and `NoSuchJob` if the job has not
        ended or its result is forgotten by now.
        """
        with self._changed:
            if self.error is not None:
                raise self.error
            if self._forgotten:
                raise NoSuchJob("the result of this job is deleted by now; ask for it again")
            if not self.over:
                raise NoSuchJob(f"this job has no result yet: it is {self.state}")
            return self._value

    def snapshot(self) -> dict[str, Any]:
        """Where it stands: state, fraction, stage, seconds_left, position, version.

        position: how many jobs are before it, None unless it waits. version: a number that
        grows with every change.
        """
        position = self._place(self) if self.state == "queued" else None
        with self._changed:
            return {
                "state": self.state,
                "fraction": self.fraction,
                "stage": self.stage,
                "seconds_left": self.seconds_left,
                "position": position,
                "version": self._version,
            }

    def changes(self, timeout: float, since: int | None = None) -> dict[str, Any]:
        """Wait until anything changes, or for `timeout` seconds; returns a `snapshot`.

        since: the version that the caller knows; None = that of now. Returns at once if there
        is a newer one, and if the job has ended.
        """
        with self._changed:
            known = self._version if since is None else since
            self._changed.wait_for(lambda: self.over or self._version > known, timeout)
        return self.snapshot()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called after every change, in whatever thread it happens; it must be
        quick. Returns a function that ends it.
        """
        with self._changed:
            self._listeners.append(listener)

        def end() -> None:
            with self._changed:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return end

    # --- for the pool ---------------------------------------------------------------------

    def start(self) -> bool:
        """The job leaves the queue for a worker; False if it was cancelled meanwhile."""
        return self._change(state="running", started=time.time(), stage="starting")

    def report(self, fraction: float, stage: str, preview: bytes | None) -> None:
        """A word of progress."""
        if self.stopping:
            return
        changes: dict[str, Any] = {"fraction": min(max(fraction, self.fraction), 1.0)}
        if preview is not None:
            changes["preview"] = preview
        self._change(stage=stage, **changes)

    def end(self, value: Any = None, error: InfillError | None = None) -> bool:
        """The end, by a value or an error; False if it had ended before."""
        if error is None:
            stage, state = "done", "done"
        else:
            stage = state = "cancelled" if isinstance(error, Cancelled) else "failed"
        fraction = 1.0 if error is None else self.fraction
        return self._change(
            state=state,
            stage=stage,
            fraction=fraction,
            _value=value,
            error=error,
            ended=time.time(),
            task=None,
        )

    def stop(self) -> None:
        """Somebody wants it stopped; the pool sees to it."""
        self._change(stopping=True, stage="stopping")

    def touch(self) -> None:
        """Tell listeners that something changed that the job does not hold: its position."""
        self._change()

    def forget(self) -> None:
        """Drop the value and the preview."""
        with self._changed:
            self._forgotten = True
            self._value = self.preview = None

    def _change(self, **changes: Any) -> bool:
        with self._changed:
            if self.over:
                return False
            for name, value in changes.items():
                setattr(self, name, value)
            self._version += 1
            self._changed.notify_all()
            listeners = list(self._listeners)
        for listener in listeners:
            listener()
        return True
