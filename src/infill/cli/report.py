"""`infill report`: the report of a run, written again."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from infill.cli import benching, common, flags

EXAMPLES = """[bold]Examples[/bold]

[green]infill report out/bench[/green]   after people have rated fills, say

[green]infill report out/bench --price-per-hour 1.2 --output report/[/green]"""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("report", epilog=EXAMPLES)(report)


@common.command
def report(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder of the report. [default: report in the run's]",
            show_default=False,
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="Its title.")] = "",
    note: benching.Note = None,
    megabytes: benching.Megabytes = 20.0,
    price_per_hour: benching.Price = None,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Write the report of a benchmark run: one page, and tables for machines."""
    write(
        run,
        output,
        title=title,
        notes=note or [],
        megabytes=megabytes,
        price_per_hour=price_per_hour,
        json=json,
        quiet=quiet,
    )


def write(
    run: Path,
    output: Path | None,
    *,
    title: str = "",
    notes: Sequence[str] = (),
    megabytes: float = 20.0,
    price_per_hour: float | None = None,
    json: bool = False,
    quiet: bool = False,
) -> None:
    """Summarise a run, write its report, and tell what it says."""
    from infill.bench.report import Room
    from infill.bench.report import write as write_page
    from infill.bench.summarise import summarise

    summary, rows = summarise(run, title=title, price_per_hour=price_per_hour)
    summary = replace(summary, notes=[*summary.notes, *notes])
    target = output or run / "report"
    written = write_page(summary, rows, run, target, room=Room(megabytes=megabytes))
    if json:
        common.print_json({"report": str(written.page), "summary": asdict(summary)})
    elif not quiet:
        benching.tell(summary)
        common.tell(f"report: {written.page}")
