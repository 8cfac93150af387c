"""The options that several commands have, each written once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer


@contextmanager
def _without_network() -> Iterator[None]:
    """The setting `offline`, here and in the processes that are started from here."""
    from infill.settings import using

    before = os.environ.get("INFILL_OFFLINE")
    os.environ["INFILL_OFFLINE"] = "1"
    try:
        with using(offline=1):
            yield
    finally:
        if before is None:
            del os.environ["INFILL_OFFLINE"]
        else:
            os.environ["INFILL_OFFLINE"] = before


def _go_offline(context: typer.Context, wanted: bool) -> bool:
    if wanted:
        context.with_resource(_without_network())
    return wanted


def engine_names() -> list[str]:
    """Names of all engines, for the shell to complete."""
    from infill.engines.base import ENGINES

    return ENGINES.names()


HOLE, ENGINE, RESULT, TALK = "The hole", "The engine", "The result", "What is printed"
"""Panels in which `--help` groups the options."""

Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print nothing but errors.", rich_help_panel=TALK)
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        show_default=False,
        metavar="",
        help="Say more (seconds by stage); twice, show where an error came from.",
        rich_help_panel=TALK,
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object, for machines.", rich_help_panel=TALK)
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace the output if it exists.", rich_help_panel=RESULT),
]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine",
        "-e",
        metavar="NAME",
        help="Engine that fills; see `infill engines`.",
        autocompletion=engine_names,
        rich_help_panel=ENGINE,
    ),
]
EngineOption = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        "-O",
        metavar="NAME=VALUE",
        help="An option of the engine's own.",
        rich_help_panel=ENGINE,
    ),
]
Prompt = Annotated[
    str | None,
    typer.Option(
        "--prompt",
        "-p",
        metavar="TEXT",
        help="What should be there; short for -O prompt=TEXT.",
        rich_help_panel=ENGINE,
    ),
]
Reference = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        "-r",
        metavar="PICTURE",
        help="What the engine is to go by; short for -O reference=PICTURE.",
        rich_help_panel=ENGINE,
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", help="The same seed gives the same bytes.", rich_help_panel=ENGINE)
]
Blend = Annotated[
    float,
    typer.Option(
        "--blend",
        min=0,
        metavar="PX",
        help="Blend the fill into a band this wide.",
        rich_help_panel=ENGINE,
    ),
]
MatchColour = Annotated[
    bool,
    typer.Option(
        "--match-colour",
        help="Shift the fill to the mean colour around the hole.",
        rich_help_panel=ENGINE,
    ),
]
Boxes = Annotated[
    list[str] | None,
    typer.Option(
        "--box", metavar="x0,y0,x1,y1", help="A box is (part of) the hole.", rich_help_panel=HOLE
    ),
]
Polygons = Annotated[
    list[str] | None,
    typer.Option(
        "--polygon",
        metavar="'x,y x,y …'",
        help="A polygon is (part of) the hole.",
        rich_help_panel=HOLE,
    ),
]
Refine = Annotated[
    str,
    typer.Option(
        "--refine",
        metavar="CHAIN",
        help="Change the mask first: 'grow=4,fill-holes,smooth=2%' and the like.",
        rich_help_panel=HOLE,
    ),
]
InvertMask = Annotated[
    bool,
    typer.Option(
        "--invert-mask", help="The mask image's dark part is the hole.", rich_help_panel=HOLE
    ),
]
Threshold = Annotated[
    float,
    typer.Option(
        "--threshold",
        min=0,
        max=1,
        help="Brightness above which a mask is hole.",
        rich_help_panel=HOLE,
    ),
]
RecipeChoice = Annotated[
    str,
    typer.Option(
        "--recipe",
        metavar="embed|beside|none",
        help="Where to keep how the result was made: in the file, in a JSON beside it, nowhere.",
        rich_help_panel=RESULT,
    ),
]
Quality = Annotated[
    int | None,
    typer.Option(
        "--quality",
        min=1,
        max=100,
        help="Of a lossy output; a JPEG that stays one keeps the tables it came with.",
        rich_help_panel=RESULT,
    ),
]
Offline = Annotated[
    bool,
    typer.Option(
        "--offline",
        callback=_go_offline,
        help="Never touch the network: weights have to be on this machine.",
        rich_help_panel=ENGINE,
    ),
]
