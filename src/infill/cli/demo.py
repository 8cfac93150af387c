"""`infill demo`: fill the three photos that come with the package."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infill.cli import common, flags

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from infill.examples import Example
    from infill.result import Result

EXAMPLES_TEXT = """[bold]Examples[/bold]

[green]infill demo[/green]   writes to out/demo

[green]infill demo -o out/smooth --engine telea[/green]"""

GAP = 12  # pixels between the pictures of a sheet
WIDTH = 560  # of each picture on a sheet


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("demo", epilog=EXAMPLES_TEXT)(demo)


@common.command
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for it.")] = Path(
        "out/demo"
    ),
    sheet: Annotated[
        Path | None,
        typer.Option(help="Where to write the sheet. Without it: sheet.png in the folder."),
    ] = None,
    engine: flags.EngineName = None,
    seed: flags.Seed = 0,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Fill three photos and put before, mask and after on one sheet.

    What an earlier demo has written to the same folder is replaced.
    """
    from infill.cli.fill import report
    from infill.errors import Unwritable
    from infill.examples import EXAMPLES
    from infill.pipeline import fill

    name, _ = common.engine_and_options(engine, None)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unwritable(f"cannot write to {output}: {error.strerror}") from error
    reports, strips = [], []
    for example in EXAMPLES:
        with common.progress_bar(silent=quiet or json) as progress:
            result = fill(example.photo, example.mask, engine=name, seed=seed, progress=progress)
        target = output / f"{example.name}{example.photo.suffix}"
        result.save(target, overwrite=True)
        reports.append(report(result, str(example.photo), target))
        strips.append(_strip(example, result))
        if not (json or quiet):
            _tell(example, result, target)
    drawn = _write_sheet(strips, sheet or output / "sheet.png")
    if json:
        common.print_json({"sheet": str(drawn), "photos": reports})
    elif not quiet:
        common.tell(f"before, mask and after: {drawn}")


def _tell(example: "Example", result: "Result", target: Path) -> None:
    from infill.cli.fill import proof_sentence

    seconds = sum(result.seconds.values())
    common.tell(f"{target}  {example.removes}: gone in {seconds:.2f} s with {result.card.name}")
    common.tell(f"  {proof_sentence(result, target)}")


def _strip(example: "Example", result: "Result") -> "NDArray[Any]":
    """(?, 3 WIDTH + 2 GAP, 3) uint8 RGB: the photo, the hole marked in it, the result."""
    import cv2
    import numpy as np

    from infill.picture import Picture
    from infill.sheets import overlay

    before = Picture.load(example.photo).pixels
    scale = WIDTH / before.shape[1]
    size = (WIDTH, round(before.shape[0] * scale))
    pictures = [before, overlay(before, result.mask), result.picture.pixels]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    pictures = [cv2.resize(picture, size, interpolation=way) for picture in pictures]
    gap = np.full((size[1], GAP, 3), 255, dtype=np.uint8)
    return np.hstack([pictures[0], gap, pictures[1], gap, pictures[2]])


def _write_sheet(strips: "list[NDArray[Any]]", path: Path) -> Path:
    """The strips under each other on a white sheet."""
    import cv2
    import numpy as np

    from infill.picture import Picture

    white, margins = cv2.BORDER_CONSTANT, (255, 255, 255)
    rows = [cv2.copyMakeBorder(strip, GAP, 0, GAP, GAP, white, value=margins) for strip in strips]
    sheet = cv2.copyMakeBorder(np.vstack(rows), 0, GAP, 0, 0, white, value=margins)
    return Picture.from_array(sheet).save(path, overwrite=True, quality=85)
