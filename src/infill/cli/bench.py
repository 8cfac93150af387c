"""`infill bench`: which engine is best, on what, at what cost, and how sure that is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infill.cli import benching, common, flags
from infill.cli.benching import REPORT, RUN, WHAT
from infill.errors import BadOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infill.bench.samples import Sample, Task
    from infill.masks.protocols import Protocol

EXAMPLES = """[bold]Examples[/bold]

[green]infill bench[/green]   every engine that needs no download, on the bundled rooms

[green]infill bench photos/ -e exemplar -e telea:radius=9[/green]   photos with NAME_mask.png

[green]infill bench photos/ --mask lama-wide --count 100 --size 512[/green]   masks are drawn

[green]infill bench --dataset places2 --root /data/places --mask lama-wide --size 512[/green]

[green]infill bench --task edit -e sd -e flux-fill[/green]   engines that read a prompt"""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("bench", epilog=EXAMPLES)(bench)


@common.command
def bench(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FOLDER]...",
            help="Samples, or photos with NAME_mask.png beside them, or (with --mask) bare photos. "
            "[default: the rooms that come with Infill]",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", help="Folder of the run."),
    ] = Path("out/bench"),
    engine: Annotated[
        list[str] | None,
        typer.Option(
            "--engine",
            "-e",
            metavar="NAME[:OPTION=VALUE,…]",
            help="An engine, as often as you like; without it, all that need no download.",
            autocompletion=flags.engine_names,
        ),
    ] = None,
    trials: Annotated[
        int, typer.Option(min=1, help="Fills of each sample by each engine.", rich_help_panel=RUN)
    ] = 3,
    task: Annotated[
        str,
        typer.Option(
            help="remove: fill by what is around; edit: put there what the prompt says.",
            rich_help_panel=WHAT,
        ),
    ] = "remove",
    sample_masks: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Of samples with several masks, which: loose, whole, object, no-shadow; or all.",
            rich_help_panel=WHAT,
        ),
    ] = "loose",
    dataset: benching.DatasetName = None,
    root: benching.Root = None,
    split: benching.Split = "val",
    annotations: benching.Annotations = None,
    mask: benching.MaskProtocol = None,
    mask_ratio: benching.MaskRatio = None,
    classes: benching.Classes = None,
    areas: benching.Areas = None,
    count: benching.Count = None,
    shard: benching.Shard = None,
    size: benching.Size = None,
    metric: benching.Metric = None,
    seed: benching.Seed = 0,
    jobs: benching.Jobs = 1,
    threads: benching.Threads = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again/--no-again",
            help="Fill the first trial twice, to see whether a seed gives the same bytes.",
            rich_help_panel=RUN,
        ),
    ] = True,
    restart: benching.Restart = False,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of the report. [default: report in the run's]",
            show_default=False,
            rich_help_panel=REPORT,
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="Its title.", rich_help_panel=REPORT)] = "",
    note: benching.Note = None,
    megabytes: benching.Megabytes = 20.0,
    price_per_hour: benching.Price = None,
    offline: flags.Offline = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Compare engines on the same samples by six criteria, and write a report.

    Stopped in any way, the same command goes on. A fill that fails is reported, and its sample is
    left out of the comparison; the exit code is 1 if one did.
    """
    from infill.bench.plan import Options, entries_of, reads_prompts
    from infill.cli.report import write

    if task not in ("remove", "edit"):
        raise BadOption(f"--task is remove or edit, not {task!r}")
    editing: Task = "edit" if task == "edit" else "remove"
    benching.check_dataset(dataset, root, split, annotations)
    benching.refuse(
        {
            "--mask-ratio": mask_ratio is not None,
            "--classes": classes is not None,
            "--areas": areas is not None,
            "--dataset": dataset is not None,
        }
        if mask is None
        else {},
        "--mask, the protocol that draws the masks",
    )
    if mask is not None and (editing == "edit" or sample_masks != "loose"):
        raise BadOption("--task edit and --sample-masks are for samples with masks of their own")
    if dataset is not None and folders:
        raise BadOption("give folders or --dataset, not both")
    entries = entries_of(engine or [])
    if editing == "edit":
        reads_prompts(entries if engine else [])
    drawn = None if mask is None else benching.protocol_of(mask, mask_ratio, classes, areas)
    annotated = None
    if dataset is not None:
        assert drawn is not None
        opened = benching.dataset_of(dataset, root, split, annotations)
        samples = benching.samples_of(opened, drawn, count, shard, seed)
        dataset = opened.name
        annotated = opened.annotated if drawn.kind.of_objects else None
    elif drawn is not None:
        samples = _bare(folders or [], drawn, count, shard, seed)
    else:
        samples = _masked(folders or [], sample_masks, editing, count, shard)
    options = Options(
        samples=samples,
        entries=entries,
        trials=trials,
        seed=seed,
        task=editing,
        protocol=drawn,
        annotated=annotated,
        size=size,
        metrics=metric,
        again=again,
        energy=jobs == 1,
        source=dataset or ", ".join(folder.name for folder in folders or []) or "rooms",
        dataset=dataset or "",
    )
    failed = benching.go(
        options,
        output,
        jobs=jobs,
        threads=threads,
        restart=restart,
        quiet=quiet or json,
        verbose=verbose,
    )
    write(
        output,
        report,
        title=title,
        notes=note or [],
        megabytes=megabytes,
        price_per_hour=price_per_hour,
        json=json,
        quiet=quiet,
    )
    if failed:
        raise typer.Exit(1)


def _bare(
    folders: list[Path], drawn: "Protocol", count: int | None, shard: str | None, seed: int
) -> "list[Sample]":
    """The photos of folders, with masks drawn by a protocol."""
    from infill.bench import samples

    if not folders:
        raise BadOption("--mask is for bare photos; name their folder")
    parts: dict[str, list[Sample]] = {}
    for folder in folders:
        opened = benching.dataset_of("tree", folder, "all", None)
        parts[_called(folder, parts)] = benching.samples_of(opened, drawn, count, None, seed)
    return benching.part_of(samples.join(parts), shard)


def _masked(
    folders: list[Path], masks: str, task: "Task", count: int | None, shard: str | None
) -> "list[Sample]":
    """The samples of folders, or the bundled ones, with their own masks."""
    from infill.bench import samples

    places = folders or [samples.bundled()]
    if masks != "loose" and not any(map(samples.is_described, places)):
        raise BadOption("--sample-masks is for samples with several masks; these have one each")
    names = samples.MASKS if masks == "all" else masks.split(",")
    parts: dict[str, list[Sample]] = {}
    for folder in places:
        found = samples.find_samples(folder, masks=names, task=task)
        parts[_called(folder, parts)] = samples.choose(found, count)
    return benching.part_of(samples.join(parts), shard)


def _called(folder: Path, others: "Mapping[str, object]") -> str:
    """What a folder is called beside others: its name, or its path where that is taken."""
    return folder.name if folder.name not in others else str(folder)
