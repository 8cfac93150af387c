"""`infill sweep`: one photo, every combination of some options."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infill.cli import common, flags
from infill.errors import BadOption, Cancelled

if TYPE_CHECKING:
    from infill.sweep import Plan, Report, Sweep

EXAMPLES = """[bold]Examples[/bold]

[green]infill sweep photo.jpg mask.png -e telea --grid radius=1,3,9 -o out/sweep[/green]

[green]infill sweep photo.jpg mask.png -e guided --reference target.png \
--set num_inference_steps=20 --grid lambda_start=0.25,0.5,1 --grid jump_n_sample=1,5 --seeds 0,1 \
-o out/sweep[/green]

Killed or stopped, the same command goes on where it was; with more values it makes only what is \
new. Values that hold a comma are parted by | instead: --grid 'colour=0,0,1|1,0,0'"""

GRID = "The grid"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("sweep", epilog=EXAMPLES)(sweep)


@common.command
def sweep(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo.")],
    mask: Annotated[
        Path, typer.Argument(metavar="MASK", help="Image whose white (or opaque) part is the hole.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder for pictures, tables and sheet.",
            rich_help_panel=flags.RESULT,
        ),
    ],
    grid: Annotated[
        list[str] | None,
        typer.Option(
            "--grid",
            "-g",
            metavar="NAME=VALUE,VALUE",
            help="An option of the engine and the values that it takes in turn.",
            rich_help_panel=GRID,
        ),
    ] = None,
    seeds: Annotated[
        str, typer.Option(metavar="N,N", help="Seeds, each for all.", rich_help_panel=GRID)
    ] = "0",
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Option across the sheet; the others go down. Without it, the first.",
            rich_help_panel=GRID,
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, help="Refuse more fills than this.", rich_help_panel=GRID)
    ] = 100,
    engine: flags.EngineName = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            "--option",
            "-O",
            metavar="NAME=VALUE",
            help="An option that is the same for all.",
            rich_help_panel=flags.ENGINE,
        ),
    ] = None,
    reference: flags.Reference = None,
    offline: flags.Offline = False,
    blend: flags.Blend = 0.0,
    match_colour: flags.MatchColour = False,
    invert_mask: flags.InvertMask = False,
    threshold: flags.Threshold = 0.5,
    refine: flags.Refine = "",
    format: Annotated[
        str,
        typer.Option(metavar="png|jpg", help="Format of the sheet.", rich_help_panel=flags.RESULT),
    ] = "png",
    cell: Annotated[
        int,
        typer.Option(
            min=32,
            max=2048,
            metavar="PX",
            help="Longest side of a picture on the sheet.",
            rich_help_panel=flags.RESULT,
        ),
    ] = 256,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart", help="Forget what an earlier run has done.", rich_help_panel=flags.RESULT
        ),
    ] = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Fill one photo with every combination of some options, and compare what comes out.

    Writes a sheet of pictures, a table (table.md, table.csv, rows.jsonl) and every filled photo.
    The table tells how close each fill came to the target, where the engine has one; how strong
    its seam is (1 = no more than the photo's own steps there); and the engine's seconds.

    A fill that fails is reported and does not stop the others; the exit code is 1 if one did.
    """
    from infill.sweep import Sweep, plan, read_grid, read_options

    todo = plan(
        photo,
        mask,
        grid=read_grid(grid or []),
        engine=engine,
        options=read_options(option or []),
        reference=reference,
        seeds=_seeds(seeds),
        columns=columns,
        limit=limit,
        blend=blend,
        match_colour=match_colour,
        threshold=threshold,
        invert=invert_mask,
        refine=refine,
    )
    with Sweep(todo, output, format=format, cell=cell, restart=restart) as run:
        try:
            _go_through(run, silent=quiet or json, json=json, verbose=verbose)
        except KeyboardInterrupt:
            report = run.report()
            done = len(todo.cells) - report.left
            common.complain(
                f"stopped with {done} of {len(todo.cells)} fills done; the same command goes on"
            )
            raise typer.Exit(Cancelled.exit_code) from None
        report = run.report()
    if json:
        common.print_json(_answer(report, output))
    elif not quiet:
        _tell(todo, report, output)
    if report.failed:
        raise typer.Exit(1)


def _seeds(text: str) -> list[int]:
    """Whole numbers parted by commas."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise BadOption(f"--seeds are whole numbers parted by commas, not {text!r}") from None


def _go_through(run: "Sweep", *, silent: bool, json: bool, verbose: int) -> None:
    """Make what is left, with a bar and a line for each failure on stderr.

    Quiet leaves the failures; JSON has them in its answer.
    """
    from tqdm import tqdm

    from infill.compiling import announced

    bar = tqdm(
        total=len(run.plan.cells),
        initial=run.skipped,
        file=sys.stderr,
        disable=silent or not run.todo,
        mininterval=0.1 if sys.stderr.isatty() else 5,
        bar_format="{percentage:3.0f}%|{bar:20}| {desc}{elapsed}, {remaining} left",
    )
    ended = run.skipped

    def report(fraction: float, stage: str) -> None:
        """The part of a fill that is done counts as part of a step of the bar."""
        bar.set_description_str(f"{ended} of {bar.total} fills, {stage}, ", refresh=False)
        bar.update(ended + min(fraction, 1.0) - bar.n)

    def say(sentence: str) -> None:
        if not silent:
            bar.write(f"infill: {sentence}", file=sys.stderr)

    with bar, announced(report, say) as progress:
        for row in run.rows(progress):
            ended += 1
            values = ", ".join(f"{name} = {text}" for name, text in row["values"].items())
            if row["error"] is not None and not json:
                bar.write(f"failed: {values}: {row['error']}", file=sys.stderr)
            elif verbose and not silent:
                bar.write(f"{values}: {row['seconds']:.2f} s", file=sys.stderr)
            bar.set_description_str(f"{ended} of {bar.total} fills, ", refresh=False)
            bar.update(ended - bar.n)


def _answer(report: "Report", output: Path) -> dict[str, Any]:
    """What --json prints."""
    return {
        "output": str(output),
        "sheet": str(report.sheet),
        "table": str(report.table),
        "csv": str(report.csv),
        "done": report.done,
        "failed": report.failed,
        "skipped": report.skipped,
        "seconds": round(report.seconds, 3),
        "rows": list(report.rows),
    }


def _tell(todo: "Plan", report: "Report", output: Path) -> None:
    """The table, how it went, and where everything is."""
    from infill.sweep.table import as_text

    head, body, right = as_text(todo, {row["key"]: row for row in report.rows})
    common.table(head, body, right=right)
    parts = [f"{report.done} done", f"{report.failed} failed"]
    if report.skipped:
        parts.append(f"{report.skipped} done before")
    common.tell(f"{', '.join(parts)} in {report.seconds:.1f} s")
    common.tell(f"sheet: {report.sheet}")
    common.tell(f"table.md, table.csv, rows.jsonl and fills{os.sep}: {output}{os.sep}")
