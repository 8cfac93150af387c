"""`infill fill`: one photo."""

from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infill.cli import common, flags, streams
from infill.errors import BadOption, Unreadable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from infill.picture import Picture
    from infill.result import Result

EXAMPLES = """[bold]Examples[/bold]

[green]infill fill photo.jpg --mask mask.png[/green]   writes photo.filled.jpg

[green]infill fill photo.jpg --box 120,80,260,300 --refine grow=4 -o clean.png[/green]

[green]infill fill cut-out.png[/green]   fills what is transparent

[green]infill fill - -m mask.png --format png < photo.jpg > clean.png[/green]

[green]infill fill photo.jpg -m mask.png -e sdxl --prompt "a red armchair" -n 4[/green]

[green]infill mask make photo.jpg --box 9,9,90,90 -o - | infill fill photo.jpg -m -[/green]"""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("fill", epilog=EXAMPLES)(fill)


@common.command
def fill(
    photo: Annotated[
        str, typer.Argument(metavar="PHOTO", help="The photo; - reads it from stdin.")
    ],
    mask: Annotated[
        str | None,
        typer.Option(
            "--mask",
            "-m",
            help="Image whose white (or opaque) part is the hole; - reads it from stdin.",
            rich_help_panel=flags.HOLE,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Where to; - is stdout. Without it: photo.filled.jpg and the like.",
            rich_help_panel=flags.RESULT,
        ),
    ] = None,
    box: flags.Boxes = None,
    polygon: flags.Polygons = None,
    invert_mask: flags.InvertMask = False,
    threshold: flags.Threshold = 0.5,
    refine: flags.Refine = "",
    engine: flags.EngineName = None,
    prompt: flags.Prompt = None,
    reference: flags.Reference = None,
    option: flags.EngineOption = None,
    seed: flags.Seed = 0,
    count: Annotated[
        int,
        typer.Option(
            "--candidates",
            "-n",
            min=1,
            max=64,
            metavar="N",
            help="Fill it N times, with as many seeds: photo.filled-1.jpg and so on.",
            rich_help_panel=flags.ENGINE,
        ),
    ] = 1,
    offline: flags.Offline = False,
    blend: flags.Blend = 0.0,
    match_colour: flags.MatchColour = False,
    recipe: flags.RecipeChoice = "embed",
    quality: flags.Quality = None,
    format: Annotated[
        str | None,
        typer.Option(
            help="Format of what goes to stdout (png, jpg, webp, …).",
            metavar="NAME",
            rich_help_panel=flags.RESULT,
        ),
    ] = None,
    overwrite: flags.Overwrite = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Fill the hole in one photo.

    The hole is the mask image, the boxes and the polygons together; with none of them, it is
    what is transparent in the photo.
    """
    keep = common.read_recipe_choice(recipe)
    target = streams.target(_output(photo, output), json=json)
    if target is None and keep == "beside":
        raise BadOption("there is no place beside stdout; use --recipe embed or none")
    if target is None and count > 1:
        raise BadOption("stdout holds one picture; name a file with --output for several")
    from infill.pipeline import candidates

    name, options = common.engine_and_options(engine, _pairs(option, prompt, reference), read=True)
    begun = perf_counter()
    picture, drawn = _load(photo, mask, invert_mask, threshold)
    bare = not (mask or box or polygon)
    targets = _numbered(target, count)
    _check_outputs(targets, None if bare else picture, (photo, mask), overwrite)
    loaded = perf_counter()
    hole = _hole(picture, drawn, box, polygon, refine)
    hole.flags.writeable = False  # so that it need not be copied
    masked = perf_counter()
    with common.progress_bar(silent=quiet or json) as progress:
        results = candidates(
            picture,
            hole,
            seeds=range(seed, seed + count),
            engine=name,
            blend=blend,
            match_colour=match_colour,
            opaque=bare,
            progress=progress,
            **options,
        )
    del picture, drawn, hole  # room for the encoder, in a large photo
    told = []
    while results:
        result, filled = results.pop(0), perf_counter()
        target = targets[result.recipe.seed - seed]
        wanted = str(target) if target is not None else format or _stdout_format(photo)
        if target is None:
            streams.write(result.to_bytes(wanted, recipe=keep, quality=quality))
        else:
            result.save(target, overwrite=overwrite, recipe=keep, quality=quality)
        seconds = {**result.seconds, "save": perf_counter() - filled}
        seconds["load"] += (loaded - begun) / count
        seconds["mask"] += (masked - loaded) / count
        result = replace(result, seconds=seconds)
        if json:
            told.append(report(result, photo, target))
        elif not quiet:
            beside = result.recipe_path(target, keep) if target is not None else None
            _tell(result, target, proof_sentence(result, wanted, quality), beside, verbose)
    if json:
        common.print_json(told[0] if count == 1 else {"candidates": told})


def _pairs(option: list[str] | None, prompt: str | None, reference: Path | None) -> list[str]:
    """All that was said of the engine's options, as NAME=VALUE."""
    short = {"prompt": prompt, "reference": reference}
    return [*(option or []), *(f"{key}={text}" for key, text in short.items() if text is not None)]


def _numbered(target: Path | None, count: int) -> list[Path | None]:
    """Where each candidate goes: `clean-1.png` and so on, or the target itself for one."""
    if target is None or count == 1:
        return [target]
    return [target.with_name(f"{target.stem}-{n}{target.suffix}") for n in range(1, count + 1)]


def _check_outputs(
    targets: list[Path | None],
    picture: "Picture | None",
    inputs: tuple[str | None, ...],
    overwrite: bool,
) -> None:
    """Before the work is done: that its results can be saved where they are to go.

    picture: the photo, or None for a cut-out: it becomes opaque, so what the result can be saved
    as shows only then.
    """
    from infill.picture import check_output

    for target in targets:
        if target is not None:
            check_output(target, picture, overwrite=overwrite, inputs=streams.files(inputs))


def _output(photo: str, output: str | None) -> str:
    """Where the result goes: beside the photo if nobody says, to stdout if that came from stdin."""
    if output is not None or photo == streams.DASH:
        return streams.DASH if output is None else output
    path = Path(photo)
    if path.is_dir():
        raise Unreadable(f"{path} is a folder; name a photo in it")
    return str(path.with_name(f"{path.stem}.filled{path.suffix}"))


def _stdout_format(photo: str) -> str:
    """The format of what goes to stdout if none was asked for: the photo's; of stdin, PNG."""
    return Path(photo).suffix if photo != streams.DASH else "png"


def _load(
    photo: str, mask: str | None, invert: bool, threshold: float
) -> "tuple[Picture, NDArray[np.bool_] | None]":
    """The photo and, if one is named, the mask image: decoded side by side where both are files."""
    from infill.loading import load_both
    from infill.picture import as_picture

    streams.read_once(photo, mask)
    source = streams.source(photo)
    if mask is None:
        return as_picture(source), None
    return load_both(source, streams.source(mask), threshold=threshold, invert=invert)


def _hole(
    picture: "Picture",
    mask: "NDArray[np.bool_] | None",
    boxes: list[str] | None,
    polygons: list[str] | None,
    refine: str,
) -> "NDArray[np.bool_]":
    """The union of all that was given, refined; the transparent pixels if nothing was."""
    from infill.masks.parse import from_alpha, union

    parts = [] if mask is None else [mask]
    hole = union((picture.height, picture.width), parts, boxes, polygons)
    if hole is None:
        hole = from_alpha(picture)
    if refine:
        from infill.masks.refine import refine as refine_mask

        hole = refine_mask(hole, refine)
    return hole


def report(result: "Result", photo: str, target: Path | None) -> dict[str, Any]:
    """What --json prints."""
    import json
    from dataclasses import asdict

    return {
        "input": photo,
        "output": None if target is None else str(target),
        "engine": result.card.name,
        "hole_pixels": int(result.mask.sum()),
        "coverage": float(result.mask.mean()),
        "proof": asdict(result.proof),
        "seconds": dict(result.seconds),
        "notes": list(result.notes),
        "recipe": json.loads(result.recipe.to_json()),
    }


def _tell(
    result: "Result", target: Path | None, proof: str, beside: Path | None, verbose: int
) -> None:
    """The path, then what was done and the proof; on stderr if stdout carries the picture."""
    aside = target is None
    if target is not None:
        common.tell(str(target))
    total = sum(result.seconds.values())
    common.tell(
        f"  {result.card.name}: {result.mask.mean():.1%} of the photo filled in {total:.2f} s; "
        f"{proof}",
        to_stderr=aside,
    )
    if beside is not None:
        common.tell(f"  recipe: {beside}")
    for note in result.notes:
        common.tell(f"  note: {note}", to_stderr=aside)
    if verbose:
        for stage, seconds in result.seconds.items():
            common.tell(f"  {stage:<12} {seconds:8.4f} s", to_stderr=aside)


def proof_sentence(result: "Result", name: str | Path, quality: int | None = None) -> str:
    """The promise as it was measured, on the pixels before they were encoded.

    name: path or extension of the file that the picture went to.
    """
    from infill.picture.formats import find

    proof = result.proof
    if proof.outside_max_diff:
        return (
            f"WARNING: pixels outside the mask changed by up to {proof.outside_max_diff}; "
            "please report this"
        )
    lossy = result.encoding_note(name, quality=quality)
    coded = f", before the file was coded as {find(name).name}" if lossy else ""
    return f"{proof.outside_pixels} pixels outside the mask compared, 0 changed{coded}"
