"""`infill download`: weights ahead of time, what is here, and pickles to safetensors."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infill.cli import common, flags
from infill.errors import BadOption, EngineError, InfillError, UnknownPlugin

if TYPE_CHECKING:
    from infill.weights import Source

EXAMPLES = """[bold]Examples[/bold]

[green]infill download sdxl[/green]   the weights of an engine, to fill without a network later

[green]infill download sam --model facebook/sam2.1-hiera-small[/green]

[green]infill download sdxl -O lora=someone/her-style[/green]   and what else the options name

[green]infill download lpips[/green]   what a metric needs (lpips, fid, clip)

[green]infill download --list[/green]   what is here, with its licence

[green]infill download --convert old.ckpt[/green]   writes old.safetensors, runs nothing in it

Stopped or broken off, the same command goes on where it was. HF_HOME says where it all lies."""

WHAT = "What"
MODEL_OPTIONS = ("model", "checkpoint")
"""What plug-ins call the option that names their model."""


@dataclass(frozen=True)
class Needed:
    """Weights that a plug-in needs, and what its card says of them."""

    plugin: str
    source: "Source"
    licence: str | None
    commercial_use: bool | None


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("download", epilog=EXAMPLES)(download)


@common.command
def download(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="An engine, a segmenter, a metric, or a model on the hub (owner/name).",
            autocompletion=flags.engine_names,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Another model for it, by its name on the hub (or URL#sha256=HEX).",
            rich_help_panel=WHAT,
        ),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option(help="Branch, tag or commit on the hub.", rich_help_panel=WHAT),
    ] = None,
    option: flags.EngineOption = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List what is here instead.", rich_help_panel=WHAT)
    ] = False,
    convert: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the tensors of a checkpoint (.ckpt, .pt, .bin, .zip) as .safetensors.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Where --convert writes to.", rich_help_panel=flags.RESULT
        ),
    ] = None,
    overwrite: flags.Overwrite = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Fetch the weights of an engine, a segmenter or a metric.

    The licence, whether it allows commercial use, and the size are shown first. Every file is
    checked against the checksum that the hub states.
    """
    if (name is not None) + list_ + (convert is not None) != 1:
        raise BadOption(
            "name one thing to do: an engine, a segmenter or a metric to download for, --list, or "
            "--convert"
        )
    if convert is not None:
        _convert(convert, output, overwrite, json, quiet)
    elif list_:
        _list(json)
    else:
        _download(needed(str(name), model, revision, option), str(name), json, quiet)


def _convert(path: Path, target: Path | None, overwrite: bool, json: bool, quiet: bool) -> None:
    from infill.weights.convert import convert

    written = convert(path, target, overwrite=overwrite)
    if json:
        common.print_json({"input": str(path), "output": str(written)})
    elif not quiet:
        common.tell(str(written))


# --- downloading ---------------------------------------------------------------------------


def needed(
    name: str, model: str | None, revision: str | None, pairs: list[str] | None
) -> list[Needed]:
    """The weights that a plug-in needs with these options, or those of a model on the hub.

    Raises `UnknownPlugin`, and `BadOption` for what the plug-in does not have.
    """
    from infill.engines.base import ENGINES, make_options
    from infill.segmenters.base import SEGMENTERS
    from infill.weights import Source

    if name in ENGINES:
        engine = ENGINES.get(name)
        given = common.engine_and_options(name, pairs)[1]
        given |= _model_options(name, engine.Options, model, revision)
        found = _of_plugin(name, engine, make_options(engine, given))
        if engine.card.needs_model and not found:
            raise BadOption(
                f"{name} has no model of its own, so name one; type: infill download {name} "
                f"--model MODEL"
            )
        return found
    if name in SEGMENTERS:
        segmenter: Any = SEGMENTERS.get(name)
        if pairs:
            raise BadOption(f"segmenter {name} takes --model and --revision, not --option")
        given = _model_options(name, segmenter.Options, model, revision)
        return _of_plugin(name, segmenter, replace(segmenter.Options(), **given))
    for table in _metrics():
        if name in table:
            if pairs or revision:
                raise BadOption(f"metric {name} takes --model, not --option or --revision")
            return _of_metric(name, table.get(name), model)
    if "/" in name:
        if pairs or model:
            raise BadOption(f"{name} is a model on the hub, so --model and --option say nothing")
        return [Needed("", Source(name, revision=revision), None, None)]
    raise UnknownPlugin(
        f"there is no engine, segmenter or metric {name!r}; there are: "
        f"{', '.join(one for table in (ENGINES, SEGMENTERS, *_metrics()) for one in table.names())}"
    )


def _metrics() -> tuple[Any, ...]:
    """The tables of metrics of every kind."""
    from infill.metrics.base import METRICS, PROMPT_METRICS, SET_METRICS

    return METRICS, PROMPT_METRICS, SET_METRICS


def _of_metric(name: str, metric: Any, model: str | None = None) -> list[Needed]:
    """What a metric needs, by its method `sources`, which those have that need weights."""
    if hasattr(metric, "sources"):
        return [Needed(name, source, None, None) for source in metric.sources(model)]
    if model is not None:
        raise BadOption(f"{name} has no model to choose; leave --model out")
    return []


def _model_options(
    name: str, options: type, model: str | None, revision: str | None
) -> dict[str, str]:
    """--model and --revision as what the plug-in's own options are called."""
    known = {entry.name for entry in fields(options)}
    called = next((one for one in MODEL_OPTIONS if one in known), None)
    if model is not None and called is None:
        raise BadOption(f"{name} has no model to choose; leave --model out")
    if revision is not None and "revision" not in known:
        raise BadOption(f"{name} takes no revision; leave --revision out")
    given = {str(called): model, "revision": revision}
    return {key: value for key, value in given.items() if value is not None}


def _of_plugin(name: str, plugin: Any, options: Any) -> list[Needed]:
    """What a plug-in needs with these options, by its method `sources`, which those have that
    need weights. Raises `EngineError` for one that may need some and does not tell.
    """
    card = plugin.card
    if not hasattr(plugin, "sources"):
        if card.extra is None:
            return []
        raise EngineError(f"{name} does not tell what weights it needs; it fetches them when used")
    default = {source.name for source in plugin.sources(plugin.Options())}
    found = []
    for source in plugin.sources(options):
        if source.command is None and source.name in default:
            source = replace(source, command=f"infill download {name}")
        found.append(Needed(name, source, card.licence, card.commercial_use))
    return found


def _download(wanted: list[Needed], name: str, json: bool, quiet: bool) -> None:
    from infill import weights

    found = []
    for one in wanted:
        before = weights.here(one.source)
        # A `Progress` of its own keeps the bar away; the licence is on stderr all the same.
        silent = (lambda fraction, word: None) if quiet or json else None
        place = before or weights.find(one.source, progress=silent)
        fresh = before is None
        size = size_of(place)
        found.append(
            {"name": one.source.name, "place": str(place), "bytes": size, "downloaded": fresh}
        )
        if not (quiet or json):
            word = "downloaded" if fresh else "is here already"
            common.tell(f"{one.source.name} {word}: {_words(size)} in {place}")
    if json:
        common.print_json({"weights": found})
    elif not wanted and not quiet:
        common.tell(f"{name} needs no weights: it works as it is")


# --- what is here --------------------------------------------------------------------------


def _list(json: bool) -> None:
    known = list(_known())
    others = list(_others({row["name"] for row in known}))
    if json:
        common.print_json({"weights": known, "others": others})
        return
    rows = [
        [
            row["for"],
            row["name"],
            _words(row["bytes"]) if row["here"] else "not here",
            row["licence"] or "",
            {True: "yes", False: "no", None: ""}[row["commercial_use"]],
            row["place"] or row["type"],
        ]
        for row in [*known, *others]
    ]
    common.table(["for", "model", "size", "licence", "commercial", "where, or what to type"], rows)


def _known() -> Iterator[dict[str, Any]]:
    """What each plug-in needs by default, and whether it is here; without a network."""
    from infill import weights
    from infill.engines.base import ENGINES
    from infill.segmenters.base import SEGMENTERS

    tables: tuple[Any, ...] = (ENGINES, SEGMENTERS, *_metrics())
    for table in tables:
        for name in table.names():
            try:
                plugin: Any = table.get(name)
                if table in tables[:2]:
                    wanted = _of_plugin(name, plugin, plugin.Options())
                else:
                    wanted = _of_metric(name, plugin)
                found = [(one, weights.here(one.source)) for one in wanted]
            except (InfillError, ImportError):  # lacks an extra (see `infill engines`), or is mute
                continue
            for one, place in found:
                yield _row(one, place)


def _row(one: Needed, place: Path | None) -> dict[str, Any]:
    source = one.source
    commercial = one.commercial_use if source.commercial_use is None else source.commercial_use
    return {
        "for": one.plugin,
        "name": source.name,
        "here": place is not None,
        "bytes": 0 if place is None else size_of(place),
        "licence": source.licence or one.licence,
        "commercial_use": commercial,
        "place": None if place is None else str(place),
        "type": source.typed(),
    }


def _others(known: set[str]) -> Iterator[dict[str, Any]]:
    """Models in the hub's cache that no plug-in takes by default."""
    from infill.weights import hub

    try:
        folder = hub.cache("torch")
    except InfillError:  # without the hub's library there is no cache to speak of
        return
    for path in sorted(folder.glob("models--*")):
        name = path.name.removeprefix("models--").replace("--", "/", 1)
        if name in known or not any(path.glob("snapshots/*")):
            continue
        yield {
            "for": "",
            "name": name,
            "here": True,
            "bytes": size_of(path / "blobs"),
            "licence": None,
            "commercial_use": None,
            "place": str(path),
            "type": None,
        }


def size_of(place: Path) -> int:
    """Bytes of a file, or of all files in a folder, links followed."""
    if place.is_file():
        return place.stat().st_size
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())


def _words(size: int) -> str:
    from infill.weights.transfer import in_words

    return in_words(size)
