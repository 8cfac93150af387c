"""What the server keeps of one open page: nobody else's page ever reaches it."""

import contextlib
import secrets
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from infill.errors import BadMask, InfillError, NoSuchJob
from infill.web.history import History, Mask, Step

if TYPE_CHECKING:
    from infill.jobs import Job, Pool


class NothingOpen(InfillError):
    """An action that needs a photo, on a page that has none."""


@dataclass(eq=False)
class Session:
    """One page's photo, its history and its running job.

    pool:     does the work. folder: private; what the page shows and downloads lies there.
    before:   the mask of the photo that was open before this one, to be used again.
    proposal: a mended mask that the page offers, beside the one it was made for.
    lock:     held by whoever changes the history.
    """

    pool: "Pool"
    folder: Path
    history: History = field(default_factory=History)
    job: "Job | None" = None
    before: Mask | None = None
    proposal: tuple[Mask, Mask] | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    _written: dict[str, tuple[Any, str]] = field(default_factory=dict)

    @classmethod
    def new(cls, pool: "Pool", root: Path) -> "Session":
        """A session with a folder of its own below `root`, whose name cannot be guessed."""
        folder = root / secrets.token_urlsafe(24)
        folder.mkdir(mode=0o700)
        return cls(pool, folder)

    @property
    def is_open(self) -> bool:
        """Whether it was not closed yet."""
        return self.folder.is_dir()

    @property
    def step(self) -> Step:
        """The current step. Raises `NothingOpen` before a photo was loaded."""
        now = self.history.now
        if now is None:
            raise NothingOpen(
                "there is no photo on this page, or it is deleted by now; drop one first"
            )
        return now

    def mask(self) -> Mask:
        """The current mask. Raises `BadMask` where nothing is selected."""
        mask = self.step.mask
        if mask is None or not mask.any():
            raise BadMask("nothing is selected yet; click the thing in the photo first")
        return mask

    def change(self, **changes: Any) -> Step:
        """Push the current step with `changes`, its mask made anew; what was filled before is
        not of it any more, unless the results are what changes.
        """
        if {"results", "picked"} & set(changes):
            return self.history.push(replace(self.step, **changes))
        return self.history.push(composed(replace(self.step, results=(), picked=0, **changes)))

    def file(self, name: str, of: Any, make: Callable[[], bytes]) -> Path:
        """A file of the session's folder that holds what `make` returns.

        It is written once for each object `of`, and what was under that name before is deleted.
        """
        known = self._written.get(name)
        if known is not None and known[0] is of:
            return Path(known[1])
        if known is not None:
            shutil.rmtree(Path(known[1]).parent, ignore_errors=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)  # gone where room was made for others
        place = self.folder / secrets.token_urlsafe(12)
        place.mkdir(mode=0o700)
        path = place / name
        path.write_bytes(make())
        self._written[name] = (of, str(path))
        return path

    def delete_files(self) -> None:
        """Delete what was written for the page to show and to download."""
        for _of, path in self._written.values():
            shutil.rmtree(Path(path).parent, ignore_errors=True)
        self._written.clear()

    def stop(self) -> bool:
        """Cancel the running job; whether there was one."""
        job = self.job
        if job is None or job.state not in ("queued", "running"):
            return False
        job.cancel()
        return True

    def forget(self, job: "Job") -> None:
        """Have the pool delete what the job made; the session has it by now."""
        with contextlib.suppress(NoSuchJob):
            self.pool.forget(job.id)

    def close(self) -> None:
        """Stop the work and delete all there is of the photo."""
        self.stop()
        self.job = self.proposal = self.before = None
        self.history.clear()
        self._written.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


def composed(step: Step) -> Step:
    """The step with its mask made again from what was chosen, brushed and inverted."""
    shape = (step.photo.height, step.photo.width)
    mask = np.zeros(shape, bool)
    if step.candidates:
        mask = step.candidates[step.chosen].copy()
    if step.added is not None:
        mask |= step.added
    if step.erased is not None:
        mask &= ~step.erased
    if step.inverted and mask.any():
        mask = ~mask
    mask.flags.writeable = False
    return replace(step, mask=mask)
