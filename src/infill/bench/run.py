"""The run: what is left to do, handed to an executor, one row kept for each fill."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import infill
from infill.batch.rows import RUN_FILE, RowFile, read_rows
from infill.bench.job import FillAndMeasure, Row, empty_row
from infill.bench.layout import FEATURES, FILLS, FORMAT, SAMPLES, SETS, TRIALS
from infill.bench.machine import in_short, machine
from infill.bench.measure import Chosen, choose
from infill.bench.plan import Item, Options, identity, items
from infill.bench.rows import read
from infill.bench.sets import compare_sets
from infill.bench.trials import CompareTrials, Group
from infill.closing import Closes
from infill.errors import BatchError
from infill.executors import Executor
from infill.files import TEMPORARY, write_atomically

HELD = ("error", "output")
"""What of each row stays in memory."""

NOTES = "notes.json"
"""What is worth knowing of a run and does not make it another one: machine, command, metrics that
were not ready."""


@dataclass(frozen=True)
class Ended:
    """How a start of the run ended. Every fill is in exactly one of done, failed, skipped, left."""

    done: int
    failed: int
    skipped: int
    left: int
    seconds: float


class Run(Closes):
    """A run in its folder: open it, go through `rows`, then through `compare_trials`.

        with Run(options, folder) as run:
            for row in run.rows(Local(jobs=2)):
                ...
            for _ in run.compare_trials(Local(jobs=2)):
                pass
        run.ended()

    A run that was stopped in any way goes on where it was; failed fills are tried again.

    Making one raises `InfillError` for what would fail every fill: no samples, unknown metrics, a
    folder that holds another run or one of another version.
    """

    def __init__(
        self, options: Options, folder: Path, *, restart: bool = False, command: str = ""
    ) -> None:
        if not options.samples:
            raise BatchError("there is nothing to fill: the list of samples is empty")
        if not options.entries:
            raise BatchError("there is no engine to compare; name one with --engine")
        self.options, self.folder, self._command = options, folder, command
        self.chosen: Chosen = choose(options.metrics)
        told = identity(options, self.chosen.names)
        told |= {"infill": infill.__version__, "format": FORMAT}
        _refuse_other(folder, restart)
        self._begun = time.perf_counter()
        self._ended: dict[str, bool] = {}  # of this start: whether each fill went well
        self._file = RowFile(folder, told, restart=restart, key="key", held=HELD)
        self._sweep()
        if restart:
            _forget(folder)
        self.total = len(options.samples) * len(options.entries) * options.trials
        self.skipped = sum(self._is_done(item) for item in items(options))

    def close(self) -> None:
        """Let go of the folder."""
        self._file.close()

    @property
    def left(self) -> int:
        """Fills that are still to be made."""
        return self.total - self.skipped - len(self._ended)

    def _is_done(self, item: Item) -> bool:
        """Whether an earlier start has made this very fill."""
        row = self._file.rows.get(item.key)
        return (
            row is not None
            and row["error"] is None
            and (self.folder / str(row["output"])).is_file()
        )

    def _todo(self, label: str) -> Iterator[Item]:
        """What is left for one engine, drawn as it is needed."""
        for item in items(self.options, label):
            if item.key not in self._ended and not self._is_done(item):
                yield item

    def rows(self, executor: Executor, *, jobs: int = 1, threads: int = 1) -> Iterator[Row]:
        """Make what is left and yield the row of each fill as it ends; see `layout`.

        jobs, threads: of the executor, for the record.
        """
        if self.left:
            self._note(jobs, threads)
        for entry in self.options.entries:
            yield from self._of_engine(executor, entry.label, jobs, threads)
        self._file.sort(item.key for item in items(self.options))
        self._sweep()  # again: workers of a start that was killed outlive it for a moment

    def _sweep(self) -> None:
        """Remove the temporary files of workers that were killed."""
        for path in self.folder.rglob(TEMPORARY):
            path.unlink(missing_ok=True)

    def _of_engine(self, executor: Executor, label: str, jobs: int, threads: int) -> Iterator[Row]:
        """The rows of one engine. Each has processes of its own: what another one has loaded is
        neither in its memory nor in its time."""
        if next(self._todo(label), None) is None:
            return
        broken: list[str] = []

        def open_items() -> Iterator[Item]:
            for item in self._todo(label):
                if broken:  # it lacks its weights, say: nothing else can come of it
                    return
                yield item

        ran_on = {"processes": jobs, "threads": threads, "machine": in_short(machine())}
        job = FillAndMeasure(self.options, self.chosen, self.folder, ran_on)
        for outcome in executor.map(job, open_items()):
            row = outcome.value
            if outcome.error is not None:
                row = empty_row(outcome.item) | {"error": outcome.error}
            if row["broken"]:
                broken.append(row["error"])
            yield self._keep(row)
        for item in list(self._todo(label)) if broken else ():
            yield self._keep(empty_row(item) | {"error": broken[0], "broken": True})

    def compare_trials(self, executor: Executor) -> Iterator[Row]:
        """Measure how far trials lie apart, where it has not been done, and yield each row."""
        path = self.folder / TRIALS
        known = read_rows(path, "key")
        groups = [group for group in self._groups() if not _compared(known.get(group.key), group)]
        if not groups:
            return
        # Written anew first: the last line of a start that was killed may be torn.
        lines = b"".join(as_line(row) for row in known.values())
        write_atomically(path, lines, overwrite=True)
        with path.open("ab", buffering=0) as file:
            for outcome in executor.map(CompareTrials(self.folder), groups):
                row = outcome.value
                if outcome.error is None and row["error"] is None:
                    file.write(as_line(row))
                yield row or {"key": outcome.item.key, "error": outcome.error}

    def compare_sets(self) -> None:
        """Take the figures of whole sets, so that a report need not: they take longest."""
        if self.chosen.sets and not self.left:
            compare_sets(self.folder, read(self.folder), self.chosen.sets)

    def _groups(self) -> Iterator[Group]:
        found: dict[str, Group] = {}
        for item in items(self.options):
            row = self._file.rows.get(item.key)
            if row is None or row["error"] is not None:
                continue
            key = f"{item.sample.slug}/{item.entry.label}"
            group = found.get(key, Group(key, item.sample.slug, item.entry.label, ()))
            found[key] = Group(key, group.slug, group.label, (*group.trials, item.trial))
        return (group for group in found.values() if len(group.trials) > 1)

    def ended(self) -> Ended:
        """What this start of the run did."""
        done = sum(self._ended.values())
        return Ended(
            done=done,
            failed=len(self._ended) - done,
            skipped=self.skipped,
            left=self.left,
            seconds=time.perf_counter() - self._begun,
        )

    def _keep(self, row: Row) -> Row:
        self._file.append(row)
        self._ended[row["key"]] = row["error"] is None
        return row

    def _note(self, jobs: int, threads: int) -> None:
        facts = {
            "machine": machine() | {"processes": jobs, "threads": threads},
            "command": self._command,
            "date": time.strftime("%Y-%m-%d"),
            "lacking": dict(self.chosen.lacking),
            "samples": [
                {
                    "slug": sample.slug,
                    "name": sample.name,
                    "title": sample.title,
                    "hard": sample.hard,
                    "kind": sample.kind,
                    "group": sample.group,
                    "prompt": sample.prompt,
                }
                for sample in self.options.samples
            ],
        }
        text = json.dumps(facts, ensure_ascii=False, indent=1) + "\n"
        write_atomically(self.folder / NOTES, text.encode(), overwrite=True)


def as_line(row: Row) -> bytes:
    """A row as `trials.jsonl` keeps it."""
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def _compared(row: Row | None, group: Group) -> bool:
    return row is not None and row.get("trials") == list(group.trials)


def _forget(folder: Path) -> None:
    """Remove what an earlier run has left beside its rows: it may be of other samples or sizes."""
    for name in (SAMPLES, FILLS, FEATURES):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (TRIALS, SETS, NOTES):
        (folder / name).unlink(missing_ok=True)


def _refuse_other(folder: Path, restart: bool) -> None:
    """Raise `BatchError` where the folder holds another kind of run, or one of another version."""
    if not (folder / RUN_FILE).exists():
        return
    try:
        told = read_run(folder)
    except BatchError:
        if restart and (folder / SAMPLES).is_dir():  # a run of ours, whose file is damaged
            return
        raise
    if told.get("kind") != "bench":
        raise BatchError(f"{folder} holds another kind of run; choose another folder")
    if not restart and told.get("infill") != infill.__version__:
        raise BatchError(
            f"the run in {folder} was made by Infill {told.get('infill')} and this is "
            f"{infill.__version__}: figures of two versions are not mixed; go on with that one, "
            "choose another folder, or add --restart"
        )


def read_run(folder: Path) -> dict[str, Any]:
    """`run.json` of a run. Raises `BatchError` where there is none or it cannot be read."""
    path = folder / RUN_FILE
    try:
        told = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise BatchError(
            f"{folder} holds no run (no {RUN_FILE}); name the folder that `infill bench` wrote to"
        ) from None
    except (OSError, ValueError) as error:
        raise BatchError(f"{path} cannot be read ({error})") from error
    if not isinstance(told, dict):
        raise BatchError(f"{path} is not what a run writes")
    return told
