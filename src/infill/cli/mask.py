"""`infill mask`: make, refine and show masks."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infill.cli import common
from infill.errors import BadMask

if TYPE_CHECKING:
    from numpy.typing import NDArray

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

MAKE_EXAMPLES = """[bold]Examples[/bold]

[green]infill mask make photo.jpg --box 120,80,260,300 -o mask.png[/green]

[green]infill mask make photo.jpg --polygon '10,10 90,20 50,80' --refine grow=5% -o mask.png[/green]

[green]infill mask make 640x480 --random free-form --mask-ratio 0.2 --seed 7 -o mask.png[/green]

[green]infill mask make photo.jpg --annotation instances.json --category dog -o mask.png[/green]"""

REFINE_EXAMPLES = """[bold]Examples[/bold]

[green]infill mask refine rough.png close=6,fill-holes,drop-specks=10%,smooth=4 -o mask.png[/green]

Amounts are pixels (4, 4px) or percent of the mask's own size (5%)."""

SHOW_EXAMPLES = """[bold]Examples[/bold]

[green]infill mask show photo.jpg mask.png -o overlay.png[/green]"""

Output = Annotated[
    Path, typer.Option("--output", "-o", help="Where to write it; a mask is best kept as PNG.")
]


def register(parent: typer.Typer) -> None:
    """Add the commands to `parent`."""
    parent.add_typer(app, name="mask", help="Make, refine and show masks.")


@app.command("make", epilog=MAKE_EXAMPLES)
@common.command
def make(
    photo: Annotated[str, typer.Argument(help="The photo it is for, or a size: 640x480.")],
    output: Output,
    box: Annotated[list[str] | None, typer.Option(metavar="x0,y0,x1,y1")] = None,
    polygon: Annotated[list[str] | None, typer.Option(metavar="'x,y x,y …'")] = None,
    annotation: Annotated[
        Path | None, typer.Option(metavar="FILE", help="COCO annotations, as JSON.")
    ] = None,
    category: Annotated[
        list[str] | None, typer.Option(help="Only annotations of this category.")
    ] = None,
    random: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="rectangle, free-form, blobs, half, lines, border, grid or pixels.",
        ),
    ] = None,
    mask_ratio: Annotated[
        float | None, typer.Option(min=0, max=1, help="Part of the photo that it takes.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random mask.")] = 0,
    refine: common.Refine = "",
    overwrite: common.Overwrite = False,
    json: common.AsJson = False,
    quiet: common.Quiet = False,
    verbose: common.Verbose = 0,
) -> None:
    """Make a mask from boxes, polygons, annotations or at random (all together, if several)."""
    from infill import masks
    from infill.batch.run import check_random

    size = _size(photo)
    parts = [masks.from_box(text, size) for text in box or []]
    parts += [masks.from_polygon(text, size) for text in polygon or []]
    if annotation is not None:
        parts.append(_from_annotation(annotation, photo, category, size))
    check_random(random, mask_ratio)
    if random is not None:
        parts.append(masks.random_mask(random, size, mask_ratio, rng=seed))
    if not parts:
        raise BadMask("say what to mask: --box, --polygon, --annotation or --random")
    mask = parts[0]
    for part in parts[1:]:
        mask = mask | part
    _finish(mask, refine, output, overwrite, json, quiet)


@app.command("refine", epilog=REFINE_EXAMPLES)
@common.command
def refine(
    mask: Annotated[Path, typer.Argument(help="The mask image.")],
    chain: Annotated[str, typer.Argument(help="What to do: 'grow=4,fill-holes' and the like.")],
    output: Output,
    invert_mask: common.InvertMask = False,
    threshold: common.Threshold = 0.5,
    overwrite: common.Overwrite = False,
    json: common.AsJson = False,
    quiet: common.Quiet = False,
    verbose: common.Verbose = 0,
) -> None:
    """Change a mask step by step.

    The steps: grow, shrink, smooth, close, fill-holes, drop-specks, convex-hull, invert.
    """
    from infill.masks.parse import as_mask

    found = as_mask(mask, threshold=threshold, invert=invert_mask)
    _finish(found, chain, output, overwrite, json, quiet, inputs=[mask])


@app.command("show", epilog=SHOW_EXAMPLES)
@common.command
def show(
    photo: Annotated[Path, typer.Argument(help="The photo.")],
    mask: Annotated[Path, typer.Argument(help="The mask.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the picture.")],
    invert_mask: common.InvertMask = False,
    threshold: common.Threshold = 0.5,
    overwrite: common.Overwrite = False,
    json: common.AsJson = False,
    quiet: common.Quiet = False,
    verbose: common.Verbose = 0,
) -> None:
    """Lay a mask over its photo, so that you see what it covers."""
    from infill.cli.demo import overlay
    from infill.masks.parse import as_mask
    from infill.picture import Picture, check_output

    picture = Picture.load(photo)
    check_output(output, None, overwrite=overwrite, inputs=[photo, mask])
    found = as_mask(mask, picture, threshold=threshold, invert=invert_mask)
    shown = picture.pixels if picture.dtype == "uint8" else (picture.pixels >> 8).astype("uint8")
    Picture.from_array(overlay(shown, found)).save(output, overwrite=overwrite)
    _tell(found, output, json, quiet)


def _size(photo: str) -> tuple[int, int]:
    """(H, W) of a photo, or of a size written WIDTHxHEIGHT."""
    written = re.fullmatch(r"(\d+)[x×](\d+)", photo)
    if written and not Path(photo).exists():
        return int(written[2]), int(written[1])
    from infill.picture import Picture

    picture = Picture.load(photo)
    return picture.height, picture.width


def _from_annotation(
    path: Path, photo: str, category: list[str] | None, size: tuple[int, int]
) -> "NDArray[Any]":
    from infill.masks.coco import from_annotation

    return from_annotation(path, size, image=Path(photo).name, category=category)


def _finish(
    mask: "NDArray[Any]",
    chain: str,
    output: Path,
    overwrite: bool,
    json: bool,
    quiet: bool,
    inputs: list[Path] | None = None,
) -> None:
    """Refine, write and say what came out."""
    from infill.masks import to_image
    from infill.masks.refine import refine as refine_mask
    from infill.picture import Picture, check_output

    check_output(output, None, overwrite=overwrite, inputs=inputs or [])
    if chain:
        mask = refine_mask(mask, chain)
    Picture.from_array(to_image(mask)).save(output, overwrite=overwrite)
    _tell(mask, output, json, quiet)


def _tell(mask: "NDArray[Any]", output: Path, json: bool, quiet: bool) -> None:
    pixels = int(mask.sum())
    part = pixels / mask.size
    if json:
        common.print_json({"output": str(output), "hole_pixels": pixels, "coverage": part})
    elif not quiet:
        common.tell(str(output))
        common.tell(f"  {part:.1%} of {mask.shape[1]}×{mask.shape[0]} pixels")
