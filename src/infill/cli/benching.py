"""What `infill bench`, `infill evaluate` and `infill report` share: how a run is gone through and
what is told at its end."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infill.cli import common
from infill.errors import BadOption, Cancelled

if TYPE_CHECKING:
    from infill.bench.plan import Options
    from infill.bench.run import Run
    from infill.bench.samples import Sample
    from infill.bench.summary import Summary
    from infill.data import Dataset
    from infill.masks.protocols import Protocol

WHAT, RUN, REPORT = "What is filled", "The run", "The report"
"""Panels in which `--help` groups the options."""

Root = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Where the data set lies.", rich_help_panel=WHAT),
]
DatasetName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="folder, tree, ffhq, celeba-hq, places2 or coco.",
        rich_help_panel=WHAT,
    ),
]
Split = Annotated[
    str, typer.Option(metavar="PART", help="val, train or all.", rich_help_panel=WHAT)
]
Annotations = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="COCO's instances, for masks of objects.", rich_help_panel=WHAT
    ),
]
MaskProtocol = Annotated[
    str | None,
    typer.Option(
        "--mask",
        metavar="PROTOCOL",
        help="How masks are drawn: rectangle, free-form, lama-wide, repaint-half, object, …",
        rich_help_panel=WHAT,
    ),
]
MaskRatio = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Part of each photo that is masked.", rich_help_panel=WHAT),
]
Classes = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Of --mask object: classes with commas between, or any. [default: person]",
        show_default=False,
        rich_help_panel=WHAT,
    ),
]
Areas = Annotated[
    str | None,
    typer.Option(
        metavar="LOW,HIGH",
        help="Of --mask object: how much of the photo one covers. [default: 0.01,0.5]",
        show_default=False,
        rich_help_panel=WHAT,
    ),
]
Count = Annotated[
    int | None,
    typer.Option(
        "--count",
        "-n",
        min=1,
        help="So many photos of each folder, or of the data set (the same ones for a seed).",
        rich_help_panel=WHAT,
    ),
]
Shard = Annotated[
    str | None,
    typer.Option(metavar="I/N", help="Part I of N of what would be filled.", rich_help_panel=WHAT),
]
Size = Annotated[
    int | None,
    typer.Option(
        min=32, metavar="PX", help="Cut to a square and bring to this side.", rich_help_panel=WHAT
    ),
]
Metric = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="NAME",
        help="Metrics; without it, all that are ready.",
        rich_help_panel=RUN,
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.", rich_help_panel=RUN)]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1, help="Threads in each; without it, the cores are shared out.", rich_help_panel=RUN
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="The run's seed.", rich_help_panel=RUN)]
Restart = Annotated[
    bool,
    typer.Option("--restart", help="Forget what an earlier run has done.", rich_help_panel=RUN),
]
Price = Annotated[
    float | None,
    typer.Option(
        min=0, metavar="$", help="US dollars an hour of this machine.", rich_help_panel=REPORT
    ),
]
Note = Annotated[
    list[str] | None,
    typer.Option(
        "--note", metavar="TEXT", help="A sentence for the report.", rich_help_panel=REPORT
    ),
]
Megabytes = Annotated[
    float,
    typer.Option(
        min=0.1, metavar="MB", help="Room for pictures in the page.", rich_help_panel=REPORT
    ),
]


def dataset_of(name: str, root: Path | None, split: str, annotations: Path | None) -> "Dataset":
    """The data set that the options name. Raises `BadOption` where the folder is not named."""
    from infill.data import open_dataset

    if root is None:
        raise BadOption(f"--dataset {name} needs --root, the folder where it lies")
    return open_dataset(name, root, split=split, annotations=annotations)


def protocol_of(
    name: str, mask_ratio: float | None, classes: str | None, areas: str | None
) -> "Protocol":
    """The mask protocol that the options name."""
    from infill.masks.protocols import protocol

    given: dict[str, Any] = {}
    if mask_ratio is not None:
        given["mask_ratio"] = mask_ratio
    if classes is not None:
        given["classes"] = [] if classes == "any" else classes.split(",")
    if areas is not None:
        given["share"] = _limits(areas)
    return protocol(name, **given)


def _limits(text: str) -> list[float]:
    low, comma, high = text.partition(",")
    try:
        if comma:
            return [float(low), float(high)]
    except ValueError:
        pass
    raise BadOption(f"--areas is written LOW,HIGH, as parts of the photo, not {text!r}")


def samples_of(
    dataset: "Dataset", drawn: "Protocol", count: int | None, shard: str | None, seed: int
) -> "list[Sample]":
    """Samples of a data set with masks drawn by a protocol.

    count: so many of the whole set; shard: I/N, of these the part I of N.
    """
    from infill.bench.samples import with_drawn_masks
    from infill.masks.objects import Objects

    if drawn.kind.of_objects and dataset.annotated is not None:
        dataset = dataset.holding(Objects(**drawn.parameters))
    if count is not None:
        dataset = dataset.subset(count, seed)
    if shard is not None:
        dataset = dataset.shard(*_part(shard))
    found = with_drawn_masks([(one.name, one.path) for one in dataset.samples()], drawn.name)
    if not found:
        raise BadOption(f"{dataset.name} in {dataset.root} has no photo left to fill")
    return found


def part_of(found: "Sequence[Sample]", shard: str | None) -> "list[Sample]":
    """Part I of N of some samples, every Nth of them; all without a shard."""
    index, of = (0, 1) if shard is None else _part(shard)
    return list(found[index::of])


def check_dataset(
    dataset: str | None, root: Path | None, split: str, annotations: Path | None
) -> None:
    """Raise `BadOption` for what is said of a data set that was not named."""
    if dataset is None:
        given = {"--root": root, "--annotations": annotations}
        there = {name: value is not None for name, value in given.items()}
        refuse(there | {"--split": split != "val"}, "--dataset, the name of the data set")


def refuse(given: "Mapping[str, bool]", needs: str) -> None:
    """Raise `BadOption` for the first of the options that was given though it has no meaning."""
    for name, there in given.items():
        if there:
            raise BadOption(f"{name} needs {needs}")


def _part(shard: str) -> tuple[int, int]:
    """Which part, counted from 0, and of how many."""
    index, _, of = shard.partition("/")
    if not (index.isdigit() and of.isdigit() and 1 <= int(index) <= int(of)):
        raise BadOption(f"--shard is written I/N with I from 1 to N, not {shard!r}")
    return int(index) - 1, int(of)


def go(
    options: "Options",
    folder: Path,
    *,
    jobs: int,
    threads: int | None,
    restart: bool,
    quiet: bool,
    verbose: int = 0,
    command: str | None = None,
) -> int:
    """Make and measure all that is left, with a bar on stderr; how many fills failed.

    command: what makes the same run again, for the report; None = what was typed.
    """
    from infill.bench.run import Run
    from infill.executors.local import Local
    from infill.settings import Settings, current

    with Run(options, folder, restart=restart, command=command or _command()) as run:
        each = threads or current().threads or max(1, Settings().worker_threads // jobs)
        if not quiet:
            for name, why in run.chosen.lacking.items():
                common.complain(f"{name} is not measured: {why}")
        try:
            _fill(run, Local(jobs, each), jobs, each, quiet=quiet, verbose=verbose)
            for row in run.compare_trials(Local(jobs, 1)):
                if row["error"] is not None:
                    common.complain(f"{row['key']}: {row['error']}")
            run.compare_sets()
        except KeyboardInterrupt:
            done = run.total - run.left
            common.complain(
                f"stopped with {done} of {run.total} fills done; the same command goes on"
            )
            raise typer.Exit(Cancelled.exit_code) from None
        return run.ended().failed


def _fill(run: "Run", executor: Any, jobs: int, threads: int, *, quiet: bool, verbose: int) -> None:
    from tqdm import tqdm

    bar = tqdm(
        total=run.total,
        initial=run.skipped,
        unit="fill",
        smoothing=0.02,
        file=sys.stderr,
        disable=quiet,
        mininterval=0.1 if sys.stderr.isatty() else 5,
        bar_format="{percentage:3.0f}%|{bar:20}| {n_fmt} of {total_fmt} fills, {desc}"
        "{rate_fmt}, {remaining} left",
    )
    with bar:
        for row in run.rows(executor, jobs=jobs, threads=threads):
            if row["error"] is not None:
                bar.write(f"failed: {row['key']}: {row['error']}", file=sys.stderr)
            elif verbose and not quiet:
                bar.write(f"{row['key']}  {row['seconds']['total']:.2f} s", file=sys.stderr)
            bar.set_description_str(f"{row['engine']}, ", refresh=False)
            bar.update()


def _command() -> str:
    """What was typed, so that it can be typed again."""
    return shlex.join(["infill", *sys.argv[1:]])


def tell(summary: "Summary") -> None:
    """The overall table and the sentences above it, on stdout."""
    from infill.bench.words import whole

    for sentence in summary.verdict:
        common.tell(sentence)
    rows = [
        [
            str(one.rank.rank),
            one.engine,
            *(whole(interval, 2) for interval in (one.score, one.behind)),
            *(whole(one.criteria.get(name), 2) for name in shown_criteria(summary)),
            ", ".join(one.rank.tied),
        ]
        for one in summary.standings
    ]
    head = ["rank", "engine", "score", "behind the first", *shown_criteria(summary), "tied with"]
    common.table(head, rows, right=range(2, len(head) - 1))
    common.tell("in brackets: 95 % intervals over the samples")


def shown_criteria(summary: "Summary") -> Sequence[str]:
    """The criteria that were measured."""
    return [table.criterion for table in summary.tables if table.columns]
