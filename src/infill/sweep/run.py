"""The run: what is left to do, one fill after the other, one row kept for each."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from infill.batch.rows import RUN_FILE, Row, RowFile
from infill.closing import Closes
from infill.engines.base import ENGINES, Progress, make_options, no_progress
from infill.errors import BatchError, Cancelled, InfillError
from infill.files import TEMPORARY
from infill.metrics.base import to_json
from infill.picture.formats import find
from infill.sweep.figures import calls, closeness, seam_of
from infill.sweep.plan import Cell, Plan, plan

FILLS = "fills"
"""The folder, in that of the sweep, that holds the finished pictures by their keys."""

TABLE, CSV, SHEET = "table.md", "table.csv", "sheet"
IDENTITY = {"kind": "sweep", "format": 1}
"""What `run.json` says. The options are in each row: those of one folder may differ."""


@dataclass(frozen=True)
class Report:
    """How a sweep ended. Every fill is in exactly one of done, failed, skipped and left.

    rows:    of the fills that have ended, in the plan's order; see `Sweep.rows`.
    seconds: of this start, on the wall clock.
    table, csv, sheet: the files that were written.
    """

    rows: Sequence[Row]
    done: int
    failed: int
    skipped: int
    left: int
    seconds: float
    table: Path
    csv: Path
    sheet: Path


class Sweep(Closes):
    """A sweep in an output folder: open it, go through `rows`, write the `report`.

        with Sweep(plan(photo, mask, engine="telea", grid={"radius": [1, 3, 9]}), out) as run:
            for row in run.rows():
                ...
            run.report().table

    The folder holds `rows.jsonl` (a line for each fill, of this grid and of earlier ones),
    `fills/<key>.png` (the filled photo, with its recipe), `table.md`, `table.csv` and the sheet.
    A fill whose key is there already is not made again; one that failed is tried again.

    format:  of the sheet, "png" or "jpg".
    cell:    longest side of a picture on the sheet, in pixels.
    restart: forget what earlier starts have done.

    Making one raises `BatchError` where another process writes to the folder, or it holds a
    batch run or files of somebody else's, and `FormatCannotHold` for an unknown format.
    """

    def __init__(
        self,
        plan: Plan,
        out: str | PathLike[str],
        *,
        format: str = "png",
        cell: int = 256,
        restart: bool = False,
    ) -> None:
        self.plan, self.out, self.cell = plan, Path(out), cell
        self.sheet = self.out / f"{SHEET}.{format.lower().lstrip('.')}"
        find(self.sheet)  # raises if there is no such format
        _refuse_foreign(self.out, [self.sheet.name, TABLE, CSV])
        self._begun = time.perf_counter()
        self._ended: dict[str, Row] = {}
        self._file = RowFile(self.out, IDENTITY, restart=restart, key="key")
        for path in self.out.rglob(TEMPORARY):  # of a start that was killed
            path.unlink(missing_ok=True)
        self.todo = [cell for cell in plan.cells if not self._is_done(cell)]

    def close(self) -> None:
        """Let go of the output folder."""
        self._file.close()

    @property
    def skipped(self) -> int:
        """Fills that an earlier start has made already."""
        return len(self.plan.cells) - len(self.todo)

    def rows(self, progress: Progress = no_progress) -> Iterator[Row]:
        """Make what is left and yield the row of each fill as it ends.

        progress: of the fill that is being made; may raise `Cancelled`, which ends the sweep.

        A row has `key`, `engine`, `values` (of the axes, as text), `options` (all of them),
        `seed`, `output`, `target_psnr` (dB) and `target_mae` (see `closeness`; null where there
        is no goal), `seam` (see `infill.metrics.seam`), `seconds` (of the engine), `calls` of a
        network (null where the engine does not say), `notes` and `error` (null if it is well).
        """
        (self.out / FILLS).mkdir(exist_ok=True)
        for cell in self.todo:
            row = self._row(cell, progress)
            self._file.append(row)
            self._ended[cell.key] = row
            yield row

    def report(self) -> Report:
        """Write the table and the sheet of what there is so far, and say how it went."""
        from infill.sweep.sheet import write as draw
        from infill.sweep.table import write as tabulate

        rows = {cell.key: self._file.rows[cell.key] for cell in self._known()}
        tabulate(self.plan, rows, self.out / TABLE, self.out / CSV)
        pictures = {key: self.out / row["output"] for key, row in rows.items() if row["output"]}
        draw(self.plan, rows, pictures, self.sheet, longest=self.cell)
        failed = sum(row["error"] is not None for row in self._ended.values())
        return Report(
            rows=list(rows.values()),
            done=len(self._ended) - failed,
            failed=failed,
            skipped=self.skipped,
            left=len(self.todo) - len(self._ended),
            seconds=time.perf_counter() - self._begun,
            table=self.out / TABLE,
            csv=self.out / CSV,
            sheet=self.sheet,
        )

    def _known(self) -> Iterator[Cell]:
        """The fills of the plan that have ended, now or in an earlier start."""
        for cell in self.plan.cells:
            if cell.key in self._ended or self._is_done(cell):
                yield cell

    def _is_done(self, cell: Cell) -> bool:
        row = self._file.rows.get(cell.key)
        return (
            row is not None
            and row.get("error") is None
            and (self.out / str(row.get("output"))).is_file()
        )

    def _row(self, cell: Cell, progress: Progress) -> Row:
        """Never raises for a fill that fails: its row says what was wrong with it."""
        row: Row = {
            "key": cell.key,
            "engine": self.plan.engine,
            "values": dict(cell.values),
            "options": dict(cell.identity),
            "seed": cell.seed,
            "output": None,
            **dict.fromkeys(("target_psnr", "target_mae", "seam", "seconds", "calls")),
            "notes": [],
            "error": None,
        }
        try:
            row |= self._fill(cell, progress)
        except Cancelled:
            raise
        except InfillError as error:
            row["error"] = str(error)
        except Exception as error:
            row["error"] = f"{type(error).__name__}: {error}"
        return row

    def _fill(self, cell: Cell, progress: Progress) -> Row:
        from infill.pipeline import fill

        todo = self.plan
        result = fill(
            todo.photo,
            todo.hole,
            engine=todo.engine,
            seed=cell.seed,
            blend=todo.blend,
            match_colour=todo.match_colour,
            opaque=todo.opaque,
            progress=progress,
            **cell.options,
        )
        maker = ENGINES.get(todo.engine)
        options = make_options(maker, cell.options)
        picture = result.picture
        scores = closeness(maker, options, todo.photo, picture, todo.hole, todo.blend)
        output = f"{FILLS}/{cell.key}.png"
        result.save(self.out / output, overwrite=True)
        return {
            "output": output,
            **to_json({**scores, **seam_of(picture, todo.hole)}),
            "seconds": round(result.seconds["engine"], 4),
            "calls": calls(maker, options, todo.hole, todo.blend),
            "notes": list(result.notes),
        }


def sweep(
    photo: Any,
    mask: Any = None,
    out: str | PathLike[str] = "out/sweep",
    *,
    grid: Mapping[str, Any] | None = None,
    format: str = "png",
    cell: int = 256,
    restart: bool = False,
    progress: Progress | None = None,
    on_row: Callable[[Row], None] | None = None,
    **choices: Any,
) -> Report:
    """Fill a photo with every combination of `grid`, and write pictures, figures and a sheet.

        infill.sweep.sweep("photo.jpg", "mask.png", engine="telea", grid={"radius": [1, 3, 9]})

    choices: engine, options, reference, seeds, columns, limit and the like, see `plan`.
    format, cell, restart: see `Sweep`.
    progress: of the fill that is being made; it may raise `Cancelled`, which ends the sweep.
    on_row:   called with each row as its fill ends.

    A fill that fails does not stop the sweep: its row has the error. Stopped in any way, the
    same call goes on where it was: fills whose photo, mask, engine, options, reference, seed
    and versions are as they were are not made again.

    Raises what `plan` and `Sweep` raise.
    """
    made = plan(photo, mask, grid=grid, **choices)
    with Sweep(made, out, format=format, cell=cell, restart=restart) as run:
        try:
            for row in run.rows(progress or no_progress):
                if on_row is not None:
                    on_row(row)
        except (Cancelled, KeyboardInterrupt):
            run.report()  # of what there is
            raise
        return run.report()


def _refuse_foreign(out: Path, names: Sequence[str]) -> None:
    """Raise `BatchError` where the folder holds another kind of run, or files of no run."""
    marker = out / RUN_FILE
    if marker.exists():
        import json

        try:
            kind = json.loads(marker.read_bytes()).get("kind")
        except (OSError, ValueError, AttributeError):
            return  # RowFile says what is wrong with it
        if kind != IDENTITY["kind"]:
            raise BatchError(f"{out} holds a batch run; choose another folder for the sweep")
        return
    for name in names:
        if (out / name).exists():
            raise BatchError(
                f"{out / name} exists, and no sweep has written it; choose another folder"
            )
