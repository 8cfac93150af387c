"""`infill batch`: a folder of photos."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infill.cli import common, flags
from infill.errors import Cancelled

if TYPE_CHECKING:
    from infill.batch import Batch, Summary
    from infill.settings import Settings

EXAMPLES = """[bold]Examples[/bold]

[green]infill batch photos/ --masks masks/ -o out/[/green]   masks/a/x.png belongs to photos/a/x.jpg

[green]infill batch photos/ --random rectangle --mask-ratio 0.25 --seed 7 -o out/ --jobs 4[/green]

Killed or stopped, the same command goes on where it was. out/rows.jsonl has a line per photo."""


RUN = "The run"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("batch", epilog=EXAMPLES)(batch)


@common.command
def batch(
    photos: Annotated[
        Path, typer.Argument(metavar="PHOTOS", help="Folder of photos; folders in it count too.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder for the results.",
            rich_help_panel=flags.RESULT,
        ),
    ],
    masks: Annotated[
        Path | None,
        typer.Option(
            "--masks",
            "-m",
            metavar="FOLDER",
            help="Folder of masks: same names, or with _mask behind.",
            rich_help_panel=flags.HOLE,
        ),
    ] = None,
    random: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Random masks instead; `infill mask make -h` lists them.",
            rich_help_panel=flags.HOLE,
        ),
    ] = None,
    mask_ratio: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Part of each photo that a random mask takes.",
            rich_help_panel=flags.HOLE,
        ),
    ] = None,
    save_masks: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder to write the masks to, as they were used.",
            rich_help_panel=flags.HOLE,
        ),
    ] = None,
    invert_mask: flags.InvertMask = False,
    threshold: flags.Threshold = 0.5,
    refine: flags.Refine = "",
    engine: flags.EngineName = None,
    option: flags.EngineOption = None,
    offline: flags.Offline = False,
    seed: Annotated[
        int,
        typer.Option(
            help="The run's seed; each photo's own follows from it and its name.",
            rich_help_panel=flags.ENGINE,
        ),
    ] = 0,
    blend: flags.Blend = 0.0,
    match_colour: flags.MatchColour = False,
    recipe: flags.RecipeChoice = "embed",
    quality: flags.Quality = None,
    format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Format of all results (png, …); without it, each keeps its own.",
            rich_help_panel=flags.RESULT,
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, help="Processes; without it, one per core.", rich_help_panel=RUN
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads in each process; without it, 1.", rich_help_panel=RUN),
    ] = None,
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Forget what an earlier run has done.", rich_help_panel=RUN),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Write over files that no run has made.",
            rich_help_panel=flags.RESULT,
        ),
    ] = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Fill every photo of a folder.

    A bad photo is reported and does not stop the run; the exit code is 1 if there was one.
    """
    keep = common.read_recipe_choice(recipe)
    from infill.batch import Batch, BatchOptions

    name, engine_options = common.engine_and_options(engine, option)
    options = BatchOptions(
        photos=photos,
        out=output,
        masks=masks,
        random=random,
        mask_ratio=mask_ratio,
        invert_mask=invert_mask,
        threshold=threshold,
        refine=refine,
        engine=name,
        engine_options=engine_options,
        seed=seed,
        blend=blend,
        match_colour=match_colour,
        recipe=keep,
        format=format,
        quality=quality,
        save_masks=save_masks,
    )
    with Batch(options, restart=restart, overwrite=overwrite) as run:
        try:
            _go_through(run, jobs, threads, quiet, json, verbose)
        except KeyboardInterrupt:
            done = len(run.items) - run.summary().left
            common.complain(
                f"stopped with {done} of {len(run.items)} photos done; the same command goes on"
            )
            raise typer.Exit(Cancelled.exit_code) from None
    summary = run.summary()
    if json:
        common.print_json(_report(summary, output))
    elif not quiet:
        _tell(summary, output)
    if summary.failed:
        raise typer.Exit(1)


def workers(
    jobs: int | None, threads: int | None, photos: int, settings: "Settings"
) -> tuple[int, int]:
    """Processes, and threads in each.

    Processes fill more photos per second than threads do, so each worker has one thread, but
    where there are fewer photos than cores the cores are shared out among them.
    """
    cores = replace(settings, threads=0).worker_threads
    count = min(jobs or cores, max(1, photos))
    each = threads or settings.threads or (1 if jobs else max(1, cores // count))
    return count, each


def _go_through(
    run: "Batch", jobs: int | None, threads: int | None, quiet: bool, json: bool, verbose: int
) -> None:
    """Fill what is left, with a bar and a line for each failure on stderr.

    Quiet leaves the failures; JSON has them in its answer.
    """
    from tqdm import tqdm

    from infill.executors.local import Local
    from infill.settings import current

    silent = quiet or json
    count, each = workers(jobs, threads, len(run.todo), current())
    bar = tqdm(
        total=len(run.items),
        initial=run.skipped,
        unit="photo",
        smoothing=0,  # the average over the whole run, not a moving one
        file=sys.stderr,
        disable=silent,
        mininterval=0.1 if sys.stderr.isatty() else 5,
        bar_format="{percentage:3.0f}%|{bar:20}| {n_fmt} of {total_fmt} photos, "
        "{rate_inv_fmt}, {remaining} left",
    )
    with bar:
        for row in run.rows(Local(count, each), announce=not silent):
            if row["error"] is not None and not json:
                bar.write(f"failed: {row['input']}: {row['error']}", file=sys.stderr)
            elif verbose and not silent:
                bar.write(f"{row['output']}  {row['seconds']:.2f} s", file=sys.stderr)
            bar.update()


def _report(summary: "Summary", output: Path) -> dict[str, Any]:
    """What --json prints."""
    return {
        "output": str(output),
        "rows": str(output / "rows.jsonl"),
        "done": summary.done,
        "failed": summary.failed,
        "skipped": summary.skipped,
        "seconds": round(summary.seconds, 3),
        "photos_per_second": round(summary.photos_per_second, 3),
        "failures": [{"input": name, "error": error} for name, error in summary.failures],
    }


def _tell(summary: "Summary", output: Path) -> None:
    where = " (why is above, and in rows.jsonl)" if summary.failed else ""
    parts = [f"{summary.done} done", f"{summary.failed} failed{where}"]
    if summary.skipped:
        parts.append(f"{summary.skipped} done before")
    speed = f"; {summary.photos_per_second:.2f} photos a second" if summary.done else ""
    common.tell(f"{', '.join(parts)} in {summary.seconds:.1f} s{speed}")
    common.tell(f"results and rows.jsonl: {output}{os.sep}")
