"""`infill mask`: make, refine and show masks."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infill.cli import common, flags, streams
from infill.errors import BadMask

if TYPE_CHECKING:
    from numpy.typing import NDArray

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

MAKE_EXAMPLES = """[bold]Examples[/bold]

[green]infill mask make photo.jpg --box 120,80,260,300 -o mask.png[/green]

[green]infill mask make photo.jpg --polygon '10,10 90,20 50,80' --refine grow=5% -o mask.png[/green]

[green]infill mask make 640x480 --random free-form --mask-ratio 0.2 --seed 7 -o mask.png[/green]

[green]infill mask make photo.jpg --annotation instances.json --category dog -o mask.png[/green]

[green]infill mask make photo.jpg --box 9,9,90,90 -o - | infill fill photo.jpg -m -[/green]"""

REFINE_EXAMPLES = """[bold]Examples[/bold]

[green]infill mask refine rough.png close=6,fill-holes,drop-specks=10%,smooth=4 -o mask.png[/green]

Amounts are pixels (4, 4px) or percent of the mask's own size (5%)."""

SHOW_EXAMPLES = """[bold]Examples[/bold]

[green]infill mask show photo.jpg mask.png -o overlay.png[/green]"""

Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        help="Where to write it; a mask is best kept as PNG, which is what - puts on stdout.",
    ),
]
Feather = Annotated[
    str,
    typer.Option(
        "--feather",
        metavar="PX|%",
        help="Write a soft outline that falls off over this: for editors that blend by a mask. "
        "(A fill reads what is above --threshold; `fill --blend` makes it a soft join.)",
    ),
]


def register(parent: typer.Typer) -> None:
    """Add the commands to `parent`."""
    parent.add_typer(app, name="mask", help="Make, refine and show masks.")


@app.command("make", epilog=MAKE_EXAMPLES)
@common.command
def make(
    photo: Annotated[
        str, typer.Argument(help="The photo it is for (- reads it from stdin), or a size: 640x480.")
    ],
    output: Output,
    box: flags.Boxes = None,
    polygon: flags.Polygons = None,
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
    refine: flags.Refine = "",
    feather: Feather = "",
    overwrite: flags.Overwrite = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Make a mask from boxes, polygons, annotations or at random (all together, if several)."""
    from infill import masks
    from infill.batch.run import check_random
    from infill.masks.parse import union

    target = streams.target(output, json=json)
    size = _size(photo)
    parts = []
    if annotation is not None:
        parts.append(_from_annotation(annotation, photo, category, size))
    check_random(random, mask_ratio)
    if random is not None:
        parts.append(masks.random_mask(random, size, mask_ratio, rng=seed))
    mask = union(size, parts, box, polygon)
    if mask is None:
        raise BadMask("say what to mask: --box, --polygon, --annotation or --random")
    finish(mask, refine, feather, target, overwrite, json, quiet)


@app.command("refine", epilog=REFINE_EXAMPLES)
@common.command
def refine(
    mask: Annotated[str, typer.Argument(help="The mask image; - reads it from stdin.")],
    chain: Annotated[str, typer.Argument(help="What to do: 'grow=4,fill-holes' and the like.")],
    output: Output,
    feather: Feather = "",
    invert_mask: flags.InvertMask = False,
    threshold: flags.Threshold = 0.5,
    overwrite: flags.Overwrite = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Change a mask step by step.

    The steps: grow, shrink, smooth, close, fill-holes, drop-specks, convex-hull, invert.
    --feather softens what they leave.
    """
    from infill.masks.parse import as_mask

    target = streams.target(output, json=json)
    found = as_mask(streams.source(mask), threshold=threshold, invert=invert_mask)
    finish(found, chain, feather, target, overwrite, json, quiet, inputs=streams.files([mask]))


@app.command("show", epilog=SHOW_EXAMPLES)
@common.command
def show(
    photo: Annotated[str, typer.Argument(help="The photo; - reads it from stdin.")],
    mask: Annotated[str, typer.Argument(help="The mask; - reads it from stdin.")],
    output: Annotated[
        str, typer.Option("--output", "-o", help="Where to write the picture; - is stdout.")
    ],
    invert_mask: flags.InvertMask = False,
    threshold: flags.Threshold = 0.5,
    overwrite: flags.Overwrite = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Lay a mask over its photo, so that you see what it covers."""
    from infill.masks.parse import as_mask
    from infill.picture import as_picture, check_output
    from infill.sheets import overlay

    target = streams.target(output, json=json)
    streams.read_once(photo, mask)
    picture = as_picture(streams.source(photo))
    if target is not None:
        inputs = streams.files([photo, mask])
        check_output(target, None, overwrite=overwrite, inputs=inputs)
    found = as_mask(streams.source(mask), picture, threshold=threshold, invert=invert_mask)
    shown = picture.pixels if picture.dtype == "uint8" else (picture.pixels >> 8).astype("uint8")
    _write(overlay(shown, found), target, overwrite)
    _tell(found, target, json, quiet)


def _size(photo: str) -> tuple[int, int]:
    """(H, W) of a photo, or of a size written WIDTHxHEIGHT."""
    written = re.fullmatch(r"(\d+)[x×](\d+)", photo)
    if written and not Path(photo).exists():
        return int(written[2]), int(written[1])
    from infill.picture import as_picture

    picture = as_picture(streams.source(photo))
    return picture.height, picture.width


def _from_annotation(
    path: Path, photo: str, category: list[str] | None, size: tuple[int, int]
) -> "NDArray[Any]":
    from infill.masks.coco import from_annotation

    name = None if photo == streams.DASH else Path(photo).name
    return from_annotation(path, size, image=name, category=category)


def finish(
    mask: "NDArray[Any]",
    chain: str,
    feather: str,
    target: Path | None,
    overwrite: bool,
    json: bool,
    quiet: bool,
    inputs: Sequence[str] = (),
    more: Mapping[str, Any] | None = None,
) -> None:
    """Refine, write and say what came out; `more` joins what --json prints."""
    from infill import masks
    from infill.picture import check_output

    if target is not None:
        check_output(target, None, overwrite=overwrite, inputs=inputs)
    if chain:
        mask = masks.refine(mask, chain)
    image = masks.to_image(mask)
    if feather:
        image = (masks.feather(mask, feather) * 255).round().astype(image.dtype)
    _write(image, target, overwrite)
    _tell(mask, target, json, quiet, more)


def _write(pixels: "NDArray[Any]", target: Path | None, overwrite: bool) -> None:
    """To the file, or as PNG to stdout."""
    from infill.picture import Picture

    picture = Picture.from_array(pixels)
    if target is None:
        streams.write(picture.to_bytes("png"))
    else:
        picture.save(target, overwrite=overwrite)


def _tell(
    mask: "NDArray[Any]",
    target: Path | None,
    json: bool,
    quiet: bool,
    more: Mapping[str, Any] | None = None,
) -> None:
    """What the mask covers; on stderr if stdout carries the picture."""
    pixels = int(mask.sum())
    part = pixels / mask.size
    if json:
        answer = {"output": str(target), "hole_pixels": pixels, "coverage": part}
        common.print_json(answer | dict(more or {}))
    elif not quiet:
        if target is not None:
            common.tell(str(target))
        covered = f"  {part:.1%} of {mask.shape[1]}×{mask.shape[0]} pixels"
        common.tell(covered, to_stderr=target is None)
