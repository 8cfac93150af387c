"""`infill train`: a network from a configuration and photos."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from infill.cli import common, flags
from infill.errors import BadOption, Cancelled

EXAMPLES = """[bold]Examples[/bold]

[green]infill train configs/pocket.toml --photos photos --out out/pocket[/green]

[green]infill train configs/pocket.toml --photos photos --set run.minutes=30 \
--set losses.adversarial=0[/green]   any value of the configuration

[green]infill train configs/pocket.toml --photos photos --stop-after 25[/green]   a leg of 25 \
minutes; the same command goes on with the next

Killed or stopped, the same command goes on from the last checkpoint. docs/training.md describes \
the configuration and the layouts of data sets."""

RUN = "The run"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("train", epilog=EXAMPLES)(train)


@common.command
def train(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="Configuration (TOML), as in configs/.")
    ],
    photos: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The photos; the same as --set data.photos=DIR.",
            rich_help_panel=RUN,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Folder for the weights and training.json. Without it, out/ and the name of the "
            "configuration.",
            rich_help_panel=flags.RESULT,
        ),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for checkpoint, log, samples and decoded photos. Without it, OUT.run.",
            rich_help_panel=flags.RESULT,
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="TABLE.NAME=VALUE",
            help="A value of the configuration, as in run.batch=8.",
            rich_help_panel=RUN,
        ),
    ] = None,
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Forget the checkpoint.", rich_help_panel=RUN),
    ] = False,
    changed: Annotated[
        bool,
        typer.Option(
            "--changed",
            help="Go on from a checkpoint of another configuration.",
            rich_help_panel=RUN,
        ),
    ] = False,
    stop_after: Annotated[
        float | None,
        typer.Option(
            metavar="MIN",
            help="Stop after so many minutes, with a checkpoint to go on from.",
            rich_help_panel=RUN,
        ),
    ] = None,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Train a network on your own photos, or go on training it.

    Ctrl-C stops after the step at hand and keeps a checkpoint; twice, at once.
    """
    from infill.lazy import need
    from infill.train.config import read

    if restart and changed:
        raise BadOption("--restart forgets the checkpoint and --changed goes on from it; say one")
    if stop_after is not None and not stop_after > 0:
        raise BadOption(f"--stop-after takes minutes above 0, not {stop_after:g}")
    tables = read(config, set_ or [])
    if photos is not None:
        data = tables.setdefault("data", {})
        if isinstance(data, dict):  # else it is told below what it should be
            data["photos"] = str(photos)
    for library in ("torch", "safetensors"):
        need(library, extra="train")
    from infill.train.runs import How, Where, configured, leg, start

    wanted = configured(tables)
    if wanted.run.task == "ddpm":
        need("diffusers", extra="train")
    target = (out or Path("out") / config.stem).absolute()
    where = Where(target, work or target.parent / f"{target.name}.run")
    with _interrupts() as interrupted:
        how = How(restart, changed, _silent if quiet else _say, leg(stop_after, interrupted))
        progress, ended = start(wanted, where, how)
        if not ended:
            common.complain(f"stopped at step {progress.step}; the same command goes on from there")
            if interrupted():
                raise typer.Exit(Cancelled.exit_code)


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or a termination was asked for; the second one comes through at once."""
    asked: list[int] = []

    def ask(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        common.complain("stopping after this step; once more to stop at once")

    before: dict[signal.Signals, object] = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, ask)
    except ValueError:  # not the main thread, as in some tests: signals go elsewhere
        pass
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]


def _say(line: str) -> None:
    print(line, flush=True)


def _silent(line: str) -> None:
    pass
