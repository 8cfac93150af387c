"""`infill evaluate`: one engine over a data set, and how its scores are spread."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infill.cli import benching, common, flags
from infill.cli.benching import REPORT, RUN
from infill.errors import BadOption

if TYPE_CHECKING:
    from infill.bench.plan import Entry
    from infill.bench.summary import Spread, Summary

METRICS = ("psnr", "ssim")
SHEETS = ("masked_psnr", "masked_ssim")
"""The figures of which the best, middle and worst fills are shown."""

EXAMPLES = """[bold]Examples[/bold]

[green]infill evaluate --dataset ffhq --root ffhq/ --engine sd --mask rectangle --mask-ratio 0.25[/green]

[green]infill evaluate photos/ --mask free-form --count 200 --size 256 --metric all[/green]"""  # noqa: E501


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("evaluate", epilog=EXAMPLES)(evaluate)


@common.command
def evaluate(
    photos: Annotated[
        Path | None,
        typer.Argument(help="A folder of photos; the same as --dataset tree --root FOLDER."),
    ] = None,
    dataset: benching.DatasetName = None,
    root: benching.Root = None,
    split: benching.Split = "val",
    annotations: benching.Annotations = None,
    engine: flags.EngineName = None,
    option: flags.EngineOption = None,
    mask: benching.MaskProtocol = "rectangle",
    mask_ratio: benching.MaskRatio = None,
    classes: benching.Classes = None,
    areas: benching.Areas = None,
    count: benching.Count = None,
    shard: benching.Shard = None,
    size: benching.Size = None,
    trials: Annotated[
        int, typer.Option(min=1, help="Fills of each photo.", rich_help_panel=RUN)
    ] = 1,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="Metrics beside psnr and ssim, or all that are ready.",
            show_default=False,
            rich_help_panel=RUN,
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", help="Folder of the run."),
    ] = Path("out/evaluate"),
    seed: benching.Seed = 0,
    jobs: benching.Jobs = 1,
    threads: benching.Threads = None,
    restart: benching.Restart = False,
    title: Annotated[str, typer.Option(help="Of the report.", rich_help_panel=REPORT)] = "",
    price_per_hour: benching.Price = None,
    offline: flags.Offline = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Fill the photos of a data set with one engine, and tell how PSNR and SSIM are spread.

    Mean, standard deviation and percentiles are printed; the folder gets a report with
    histograms, and sheets of the best, middle and worst fills. Published figures are shown beside
    it where the data set and the masks are theirs.
    """
    from infill.bench.plan import Options
    from infill.bench.summarise import summarise

    if (photos is None) == (dataset is None):
        raise BadOption("name a folder of photos, or a data set with --dataset and --root")
    benching.check_dataset(dataset, root, split, annotations)
    entry = _entry(engine, option)
    opened = benching.dataset_of(
        dataset or "tree",
        photos if dataset is None else root,
        split if dataset is not None else "all",
        annotations,
    )
    drawn = benching.protocol_of(mask or "rectangle", mask_ratio, classes, areas)
    asked = [*METRICS, *(one for one in metric or () if one not in METRICS)]
    options = Options(
        samples=benching.samples_of(opened, drawn, count, shard, seed),
        entries=[entry],
        trials=trials,
        seed=seed,
        protocol=drawn,
        annotated=opened.annotated if drawn.kind.of_objects else None,
        size=size,
        metrics=None if "all" in asked else asked,
        again=False,
        energy=jobs == 1,
        source=opened.root.name if dataset is None else opened.name,
        dataset="" if dataset is None else opened.name,
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
    from infill.bench.extremes import write_sheet
    from infill.bench.report import write

    summary, rows = summarise(output, title=title, price_per_hour=price_per_hour)
    written = write(summary, rows, output, output / "report")
    labels = {spread.key: spread.label for spread in summary.spreads}
    sheets = [
        write_sheet(output, rows, key, labels[key], output / f"extremes-{key}.jpg")
        for key in SHEETS
        if key in labels
    ]
    if json:
        answer = {"report": str(written.page), "sheets": [str(path) for path in sheets]}
        common.print_json(answer | {"summary": asdict(summary)})
    elif not quiet:
        _tell(summary)
        common.tell(f"report: {written.page}")
        common.tell(f"best, middle and worst: {', '.join(str(path) for path in sheets)}")
    if failed:
        raise typer.Exit(1)


def _entry(engine: str | None, option: list[str] | None) -> "Entry":
    """The engine with its options, typed apart or as `infill bench` takes them."""
    from infill.bench.plan import Entry, entry_of

    if engine is not None and ":" in engine:
        if option:
            raise BadOption(f"give the options of {engine} in one place, after the colon or by -O")
        return entry_of(engine)
    name, options = common.engine_and_options(engine, option)
    return Entry(f"{name}:{','.join(option)}" if option else name, name, options)


def _tell(summary: "Summary") -> None:
    head = ["", "photos", "mean", "deviation", "5 %", "25 %", "50 %", "75 %", "90 %", "95 %"]
    rows = [_row(spread) for spread in summary.spreads]
    common.table(head, rows, right=range(1, len(head)))
    exact = sum(spread.exact for spread in summary.spreads if spread.key == "psnr")
    if exact:
        common.tell(f"{exact} photos match exactly; they are counted and in no mean")
    for one in summary.references:
        common.tell(
            f"published, for reference: {one.engine}, {one.figure} {one.value:g} ({one.source})"
        )


def _row(spread: "Spread") -> list[str]:
    from infill.bench.words import NONE, number

    digits = 2 if "psnr" in spread.key else 3
    ends = [number(value, digits) for value in spread.percentiles.values()] or [NONE] * 6
    middle = [number(value, digits) for value in (spread.mean, spread.deviation)]
    return [spread.label, str(spread.count), *middle, *ends]
