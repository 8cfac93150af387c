"""`infill replay`: make a result again and compare."""

from pathlib import Path
from typing import Annotated

import typer

from infill.cli import common, flags

EXAMPLES = """[bold]Examples[/bold]

[green]infill replay photo.filled.png --photo photo.jpg[/green]

[green]infill replay photo.filled.png --photo photo.jpg -o again.png[/green]   keep it too"""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("replay", epilog=EXAMPLES)(replay)


@common.command
def replay(
    result: Annotated[Path, typer.Argument(help="A result, or its .recipe.json.")],
    photo: Annotated[Path, typer.Option("--photo", "-p", help="The photo it was made from.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write it again.")
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option("--reference", help="The reference picture, if it was made with one."),
    ] = None,
    reference_mask: Annotated[
        Path | None,
        typer.Option("--reference-mask", help="The mask of the object in it, if there was one."),
    ] = None,
    overwrite: flags.Overwrite = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Make a result again from its recipe, and say whether the bytes are equal.

    The exit code is 1 if they are not.
    """
    from infill.pipeline import replay as replay_recipe
    from infill.recipe import Recipe

    recipe = Recipe.read(result)
    given = {"reference": reference, "reference_mask": reference_mask}
    pictures = {name: path for name, path in given.items() if path is not None}
    with common.progress_bar(silent=json or quiet) as progress:
        again = replay_recipe(recipe, photo, progress=progress, **pictures)
    equal = recipe.same_output(again.recipe)
    differences = list(recipe.differences(again.recipe))
    if output is not None:
        again.save(output, overwrite=overwrite)
    if json:
        common.print_json(
            {
                "result": str(result),
                "photo": str(photo),
                "equal": equal,
                "differences": differences,
                "output": None if output is None else str(output),
            }
        )
    elif not quiet:
        _tell(result, equal, differences)
    if not equal:
        raise typer.Exit(1)


def _tell(result: Path, equal: bool, differences: list[str]) -> None:
    if equal:
        common.tell(f"{result}: the replay is equal, byte for byte")
    else:
        common.tell(f"{result}: the replay is NOT equal")
    for difference in differences:
        common.tell(f"  {difference}")
