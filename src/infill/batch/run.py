"""The run: what is left to do, handed to an executor, one row kept for each photo."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import infill
from infill.batch.plan import BatchOptions, Item, derived_seed, plan
from infill.batch.rows import RUN_FILE, Row, RowFile, stamp
from infill.closing import Closes
from infill.compiling import announced
from infill.errors import BadOption, BatchError, InfillError
from infill.executors import Executor
from infill.files import TEMPORARY


@dataclass(frozen=True)
class Summary:
    """How a run ended. Every photo is in exactly one of done, failed, skipped and left."""

    done: int
    failed: int
    skipped: int
    left: int
    seconds: float
    failures: list[tuple[str, str]]

    @property
    def photos_per_second(self) -> float:
        """Photos done by this start of the run, per second of the clock; 0 if there were none."""
        return self.done / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True)
class FillOne:
    """The job: fill one photo and return its row. It pickles, and holds no pixels.

    speaker: the input at which the worker says on stderr if it compiles kernels first. The
             other workers do so too, but one line is enough.
    """

    options: BatchOptions
    speaker: str | None = None

    def __call__(self, item: Item) -> Row:
        """Never raises for a bad photo: the row says what was wrong with it."""
        begun = time.perf_counter()
        row = _empty_row(item, self.options)
        try:
            row |= self._fill(item)
        except InfillError as error:
            row["error"] = str(error)
        except Exception as error:
            row["error"] = f"{type(error).__name__}: {error}"
        row["seconds"] = round(time.perf_counter() - begun, 4)
        return row

    def _fill(self, item: Item) -> Row:
        from infill.engines.base import no_progress
        from infill.picture import Picture
        from infill.pipeline import fill

        options = self.options
        source = options.photos / item.input
        target = options.out / item.output
        picture = Picture.load(source)
        mask, kind = self._mask(item, picture)
        mask.flags.writeable = False  # so that it need not be copied
        with announced(no_progress, self._teller(item)) as progress:
            result = fill(
                picture,
                mask,
                engine=options.engine,
                seed=item.seed,
                blend=options.blend,
                match_colour=options.match_colour,
                opaque=item.mask is None and options.random is None,
                progress=progress,
                **options.engine_options,
            )
        del picture, mask  # room for the encoder, in a large photo
        target.parent.mkdir(parents=True, exist_ok=True)
        result.save(target, overwrite=True, recipe=options.recipe, quality=options.quality)
        if options.save_masks is not None:
            _save_mask(options.save_masks / f"{item.output}_mask.png", result.mask)
        return {
            "output": item.output,
            "mask": kind,
            "coverage": round(float(result.mask.mean()), 6),
            "proof": asdict(result.proof),
            "notes": list(result.notes),
        }

    def _teller(self, item: Item) -> Callable[[str], None]:
        """What hears that kernels are compiled: a person at the speaker's photo, else nobody."""
        if item.input != self.speaker:
            return lambda sentence: None
        return lambda sentence: print(f"\ninfill: {sentence}", file=sys.stderr, flush=True)

    def _mask(self, item: Item, picture: Any) -> tuple[Any, str]:
        """The mask of the photo and, for the row, where it comes from."""
        from infill.masks import as_mask, from_alpha, random_mask, refine

        options = self.options
        if options.random is not None:
            seed = derived_seed(options.seed, item.input, "mask")
            shape = (picture.height, picture.width)
            mask = random_mask(options.random, shape, options.mask_ratio, rng=seed)
            kind = f"random:{options.random}"
        elif item.mask is not None:
            mask = as_mask(
                item.mask, picture, threshold=options.threshold, invert=options.invert_mask
            )
            kind = item.mask
        else:
            mask, kind = from_alpha(picture), "transparent pixels"
        return (refine(mask, options.refine) if options.refine else mask), kind


def _save_mask(path: Path, mask: Any) -> None:
    from infill.masks import to_image
    from infill.picture import Picture

    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.from_array(to_image(mask)).save(path, overwrite=True)


def _empty_row(item: Item, options: BatchOptions) -> Row:
    return {
        "input": item.input,
        "output": None,
        "mask": item.mask,
        "coverage": None,
        "seed": item.seed,
        "engine": options.engine,
        "seconds": 0.0,
        "proof": None,
        "notes": [],
        "error": None,
        "stamp": stamp(options.photos / item.input, item.mask),
    }


class Batch(Closes):
    """A run in an output folder: open it, go through `rows`, look at `summary`.

        with Batch(options) as batch:
            for row in batch.rows(Local(jobs=4)):
                ...
        batch.summary().failed

    restart:   forget what an earlier run in the same folder has done.
    overwrite: write over files in the output folder that no run has put there.

    Making one raises `InfillError` for anything that would fail for every photo: an unknown
    engine or option, a folder that is missing, a run with other options in the same folder.
    """

    def __init__(
        self, options: BatchOptions, *, restart: bool = False, overwrite: bool = False
    ) -> None:
        _check(options)
        self.options = options
        self.items = plan(options)
        if not (overwrite or restart):
            _refuse_foreign_files(options.out, self.items)
        self._begun = time.perf_counter()
        self._seconds = 0.0
        self._finished: dict[str, Row] = {}
        self._file = RowFile(options.out, _identity(options), restart=restart)
        _sweep(options.out)
        before = self._file.rows
        self.todo = [i for i in self.items if not _is_done(before.get(i.input), i, options)]

    def close(self) -> None:
        """Stop the clock and let go of the output folder."""
        self._seconds = time.perf_counter() - self._begun
        self._file.close()

    @property
    def skipped(self) -> int:
        """Photos that an earlier start of this run has done already."""
        return len(self.items) - len(self.todo)

    def rows(self, executor: Executor, *, announce: bool = False) -> Iterator[Row]:
        """Fill what is left and yield the row of each photo as it ends.

        announce: a line on stderr says so if the first photo waits for kernels to be compiled.

        Photos that failed in an earlier start are tried again. Leaving the iterator early stops
        the workers; what is done stays done.
        """
        ready = [item for item in self.todo if item.problem is None]
        speaker = ready[0].input if ready else None
        for item in self.todo:
            if item.problem is not None:
                yield self._keep(_empty_row(item, self.options) | {"error": item.problem})
        with contextlib.ExitStack() as stack:
            job = FillOne(self.options, speaker if announce else None)
            outcomes = executor.map(job, ready)
            if hasattr(outcomes, "close"):
                stack.callback(outcomes.close)
            for outcome in outcomes:
                row = outcome.value
                if outcome.error is not None:
                    row = _empty_row(outcome.item, self.options) | {"error": outcome.error}
                yield self._keep(row)
        # Rows come as photos end; a run that is complete has them in the order of the names.
        self._file.sort(item.input for item in self.items)

    def summary(self) -> Summary:
        """What this start of the run did; after the `with` block."""
        failures = [(name, row["error"]) for name, row in self._finished.items() if row["error"]]
        return Summary(
            done=len(self._finished) - len(failures),
            failed=len(failures),
            skipped=self.skipped,
            left=len(self.todo) - len(self._finished),
            seconds=self._seconds,
            failures=sorted(failures),
        )

    def _keep(self, row: Row) -> Row:
        self._file.append(row)
        self._finished[row["input"]] = row
        return row


def _is_done(row: Row | None, item: Item, options: BatchOptions) -> bool:
    """Whether an earlier start has filled this very photo with this very mask."""
    return (
        row is not None
        and row.get("error") is None
        and row.get("output") == item.output
        and row.get("stamp") == stamp(options.photos / item.input, item.mask)
        and (options.out / item.output).is_file()
    )


def _refuse_foreign_files(out: Path, items: list[Item]) -> None:
    """A first start does not write over files that something else has put there."""
    taken = [] if (out / RUN_FILE).exists() else [i for i in items if (out / i.output).exists()]
    if taken:
        raise BatchError(
            f"{out / taken[0].output} exists already ({len(taken)} of {len(items)} outputs "
            "do); choose another output folder or add --overwrite"
        )


def _sweep(out: Path) -> None:
    """Remove the temporary files of workers that were killed; the folder's lock is held."""
    for path in out.rglob(TEMPORARY):
        path.unlink(missing_ok=True)


def _identity(options: BatchOptions) -> dict[str, Any]:
    """Everything that decides the result, as a flat mapping of JSON values."""
    values = asdict(options)
    for name, value in values.items():
        if isinstance(value, Path):
            values[name] = str(value.resolve())
    del values["out"]
    return values | {"infill": infill.__version__}


def _check(options: BatchOptions) -> None:
    """Raise now what would otherwise be the same failure for every photo."""
    from infill.engines.base import ENGINES, make_options

    make_options(ENGINES.get(options.engine), options.engine_options)
    check_random(options.random, options.mask_ratio)
    if options.refine:
        from infill.masks.refine import parse_chain

        parse_chain(options.refine)
    if options.format is not None:
        from infill.picture import holds_text

        holds_text(f".{options.format.lstrip('.')}")  # raises if there is no such format


def check_random(name: str | None, mask_ratio: float | None) -> None:
    """Raise `BadMask` for an unknown random mask, `BadOption` for a ratio that it cannot take."""
    if name is None:
        if mask_ratio is not None:
            raise BadOption("a mask ratio is for random masks; name a kind of them")
        return
    from infill.masks.random import RECIPES, random_mask

    random_mask(name, (64, 64), mask_ratio, rng=0)
    if mask_ratio is not None and not RECIPES[name.lower().replace("_", "-")].takes_ratio:
        raise BadOption(
            f"random mask {name} takes no mask ratio: what it covers follows from its plan"
        )
