"""`infill segment`: from clicks, a box or words to a mask."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from infill.cli import common, flags, streams
from infill.errors import BadPrompt

if TYPE_CHECKING:
    from infill.segmenters.base import Candidate

EXAMPLES = """[bold]Examples[/bold]

[green]infill segment photo.jpg --point 320,240 -o mask.png[/green]

[green]infill segment photo.jpg --point 32,24 --not 40,25 -o - | infill fill photo.jpg -m -[/green]

[green]infill segment photo.jpg --box 12,8,26,30 --candidate 2 --refine grow=4 -o mask.png[/green]

[green]infill segment photo.jpg --segmenter sam --text 'the chair' -o mask.png[/green]"""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("segment", epilog=EXAMPLES)(segment)


@common.command
def segment(
    photo: Annotated[str, typer.Argument(help="The photo; - reads it from stdin.")],
    output: Annotated[
        str, typer.Option("--output", "-o", help="Where to write the mask; - is stdout (PNG).")
    ],
    point: Annotated[
        list[str] | None, typer.Option(metavar="x,y", help="A point on the object.")
    ] = None,
    not_point: Annotated[
        list[str] | None, typer.Option("--not", metavar="x,y", help="A point that is not on it.")
    ] = None,
    box: Annotated[
        str | None, typer.Option(metavar="x0,y0,x1,y1", help="The object lies in this box.")
    ] = None,
    brush: Annotated[
        str | None, typer.Option(metavar="FILE", help="Image whose white part is roughly it.")
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="What it is called, for segmenters that read.")
    ] = None,
    candidate: Annotated[
        int, typer.Option(min=1, max=3, help="Which answer, the likeliest being 1.")
    ] = 1,
    segmenter: Annotated[
        str | None, typer.Option("--segmenter", "-s", metavar="NAME", help="classic or sam.")
    ] = None,
    refine: flags.Refine = "",
    offline: flags.Offline = False,
    overwrite: flags.Overwrite = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Find the object that a click, a box, a brush or a few words mean."""
    from infill.cli.mask import finish
    from infill.masks import as_mask
    from infill.picture import as_picture
    from infill.segmentation import segment as find

    target = streams.target(output, json=json)
    streams.read_once(photo, brush)
    on, off = ([_numbers(one, 2) for one in texts or []] for texts in (point, not_point))
    picture = as_picture(streams.source(photo))
    found = find(
        picture,
        [*on, *off],
        [True] * len(on) + [False] * len(off),
        box=None if box is None else tuple(_numbers(box, 4)),  # type: ignore[arg-type]
        brush=None if brush is None else as_mask(streams.source(brush), picture),
        text=text,
        segmenter=segmenter,
    )
    if candidate > len(found):
        raise BadPrompt(f"there are {len(found)} answers, so --candidate cannot be {candidate}")
    more = {"candidates": _scores(found)}
    inputs = streams.files([photo, brush])
    mask = found[candidate - 1].mask
    finish(mask, refine, "", target, overwrite, json, quiet, inputs=inputs, more=more)


def _numbers(text: str, count: int) -> list[float]:
    try:
        values = [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        values = []
    if len(values) != count:
        raise BadPrompt(f"{text!r} is not {count} numbers with commas between them")
    return values


def _scores(found: "list[Candidate]") -> list[dict[str, Any]]:
    return [{"score": one.score, "coverage": float(one.mask.mean())} for one in found]
