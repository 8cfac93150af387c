"""The command line: `infill COMMAND`. Each command is one file; its work is imported late.

Nothing here touches pixels, and this is the only part of the package that ends the process.
"""

from typing import Annotated

import typer

from infill.cli import app as page
from infill.cli import (
    batch,
    bench,
    compare,
    demo,
    doctor,
    download,
    engines,
    evaluate,
    fill,
    mask,
    rate,
    replay,
    report,
    segment,
    serve,
    sweep,
    train,
)

app = typer.Typer(
    name="infill",
    help="Fill the masked part of a photo, offline, and prove that nothing else changed.",
    epilog="Try it: infill demo. Help on a command: infill fill --help",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    fill,
    segment,
    mask,
    batch,
    sweep,
    train,
    compare,
    bench,
    evaluate,
    report,
    rate,
    replay,
    engines,
    download,
    demo,
    page,
    serve,
    doctor,
)
for module in COMMANDS:
    module.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        import infill

        print(f"infill {infill.__version__}")
        raise typer.Exit


@app.callback()
def infill_options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Fill the masked part of a photo, offline, and prove that nothing else changed."""


def main() -> None:
    """Run the command line; the process ends with its exit code."""
    app(prog_name="infill")
