"""`infill engines`: what can fill, as a table, or one engine's whole card."""

from dataclasses import asdict, fields
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infill.cli import common, flags

if TYPE_CHECKING:
    from infill.engines.base import Engine, EngineCard
    from infill.engines.controls import Control

EXAMPLES = """[bold]Examples[/bold]

[green]infill engines[/green]   all of them

[green]infill engines telea[/green]   one card, with the engine's options"""

SHORT = 40  # letters of a licence in the table; the card has it whole


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("engines", epilog=EXAMPLES)(engines)


@common.command
def engines(
    name: Annotated[
        str | None, typer.Argument(help="One engine.", autocompletion=flags.engine_names)
    ] = None,
    json: flags.AsJson = False,
    verbose: flags.Verbose = 0,
) -> None:
    """List the engines, or show all there is to know about one."""
    from infill.engines.base import ENGINES

    if name is not None:
        engine = ENGINES.get(name)
        if json:
            common.print_json(_facts(engine))
        else:
            _tell_one(engine)
        return
    found, broken = [], {}
    for entry in ENGINES.names():
        try:
            found.append(ENGINES.get(entry))
        except Exception as error:  # another package's plug-in may raise anything
            broken[entry] = f"{type(error).__name__}: {error}"
    if json:
        common.print_json({"engines": [_facts(engine) for engine in found], "broken": broken})
    else:
        _tell_all([engine.card for engine in found])
        for entry, why in broken.items():
            common.complain(f"engine {entry} cannot be loaded ({why})")


def _facts(engine: "Engine") -> dict[str, Any]:
    return asdict(engine.card) | {"options": _options(engine)}


def _tell_all(cards: list["EngineCard"]) -> None:
    from infill.settings import current

    default = current().engine
    rows = [
        [
            card.name + (" *" if card.name == default else ""),
            card.family,
            card.published,
            _megabytes(card),
            shorten(card.licence, SHORT, placeholder=" …"),
            "yes" if card.commercial_use else "no",
            card.summary,
        ]
        for card in cards
    ]
    head = ["engine", "family", "published", "weights", "licence", "commercial", "what it does"]
    common.table(head, rows, right=[3])
    common.tell("* the default; `infill engines NAME` shows a whole card")


def _tell_one(engine: "Engine") -> None:
    from infill.engines.controls import controls

    card = engine.card
    facts = asdict(card)
    facts["commercial_use"] = "yes" if card.commercial_use else "no"
    facts["weights"] = _megabytes(card)
    facts["size"] = ", ".join(f"{key} {value}" for key, value in facts["size"].items())
    facts["extra"] = f"pip install 'infill[{card.extra}]'" if card.extra else "none needed"
    for key in ("needs_prompt", "needs_reference"):
        facts[key] = "yes" if facts[key] else "no"
    rows = [[key.replace("_", " "), str(value)] for key, value in facts.items()]
    common.table(["card", ""], rows)
    options = [
        [control.name, _shown(control.default), _range(control), control.help]
        for control in controls(engine)
    ]
    if options:
        common.table(["option (-O NAME=VALUE)", "default", "takes", "what it does"], options)


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    return "" if default is None else str(default)


def _range(control: "Control") -> str:
    """What values an option takes, as briefly as can be."""
    if control.kind == "choice":
        return ", ".join(control.choices)
    kind = {"switch": "true, false", "picture": "a file"}.get(control.kind, control.kind)
    if control.low is None or control.high is None:
        return kind
    return f"{kind}, {control.low:g} to {control.high:g}"


def _options(engine: "Engine") -> dict[str, Any]:
    """Names of the engine's own options and their defaults."""
    defaults = engine.Options()
    return {entry.name: getattr(defaults, entry.name) for entry in fields(engine.Options)}


def _megabytes(card: "EngineCard") -> str:
    total = sum(weights.size for weights in card.weights)
    if card.checkpoint and not total:
        return "on the hub"
    return f"{total / 1e6:.1f} MB" if total else "none"
