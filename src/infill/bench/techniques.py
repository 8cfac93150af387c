"""The page of techniques, made of the engines' cards: `python -m infill.bench.techniques`.

What it says is what the cards say, so that a new engine is on it without a change here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from infill.engines.base import ENGINES, Engine, EngineCard, SizeRule
from infill.sheets import markdown as table

KEYS = (
    "name",
    "family",
    "summary",
    "published",
    "authors",
    "architecture",
    "paper",
    "guidance",
    "resolution",
    "weights",
    "checkpoint",
    "parameters",
    "licence",
    "commercial_use",
    "extra",
    "needs",
)
"""What each row of `techniques` has, in this order."""

LIGHT = 200_000_000
"""Parameters up to which a network is no hardship for a processor."""

HALF = 2
"""Bytes of a parameter at 16 bits."""

INTRODUCTION = """# Techniques

What each engine is, made of the engines' own cards by `python -m infill.bench.techniques`.

Guidance is what an engine goes by beside the photo around the hole. Resolution is what its model
was made for: photos of any size can be filled, and only what is filled is brought to it. Memory is
what the weights take at 16 bits; the work takes more.
"""


def techniques(names: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """One row of plain values for each engine, with `KEYS`.

    names: engines, or entries of a benchmark, NAME:OPTION=VALUE, each engine once; None = all that
           can be loaded, without the fakes.

        guidance: what it goes by: "nothing", "text", "picture", or both; "(optional)" where it
            fills without, too.
        parameters: None where the card does not know. commercial_use: bool. All else is text, ""
            where there is nothing to say.

    Raises `UnknownPlugin` for a name that there is not.
    """
    if names is None:
        engines = [engine for engine in _loadable() if engine.card.family != "fake"]
    else:
        engines = [ENGINES.get(n) for n in dict.fromkeys(n.partition(":")[0] for n in names)]
    return [_row(engine) for engine in engines]


def _loadable() -> Iterator[Engine]:
    for name in ENGINES.names():
        try:
            yield ENGINES.get(name)
        except Exception:  # another package's plug-in may raise anything; `infill engines` says so
            continue


def _row(engine: Engine) -> dict[str, Any]:
    card = engine.card
    told = {
        "name": card.name,
        "family": card.family,
        "summary": card.summary,
        "published": card.published,
        "authors": card.authors,
        "architecture": card.architecture,
        "paper": card.paper,
        "guidance": _guidance(engine),
        "resolution": _resolution(card.size),
        "weights": _weights(card),
        "checkpoint": card.checkpoint,
        "parameters": card.parameters or None,
        "licence": card.licence,
        "commercial_use": card.commercial_use,
        "extra": card.extra or "",
        "needs": _needs(card),
    }
    return {key: told[key] for key in KEYS}


def _guidance(engine: Engine) -> str:
    options = {entry.name for entry in fields(engine.Options)}
    kinds = (
        ("text", engine.card.needs_prompt, "prompt"),
        ("picture", engine.card.needs_reference, "reference"),
    )
    found = [
        kind if needed else f"{kind} (optional)"
        for kind, needed, option in kinds
        if needed or option in options
    ]
    return ", ".join(found) or "nothing"


def _resolution(rule: SizeRule) -> str:
    if rule.native is None:
        return "any" if rule.multiple == 1 else f"any, in multiples of {rule.multiple}"
    made_for = f"{rule.native} × {rule.native}"
    if rule.square:
        return f"{made_for} alone"
    steps = f", in multiples of {rule.multiple}" if rule.multiple > 1 else ""
    return f"about {made_for}{steps}"


def _weights(card: EngineCard) -> str:
    size = sum(weights.size for weights in card.weights)
    if size:
        inside = all(weights.source.startswith("infill/") for weights in card.weights)
        return f"{size / 1e6:.1f} MB" + (", in the package" if inside else "")
    if card.needs_model:
        return "a model of your own (option model)"
    return "on the hub" if card.checkpoint else "none"


def _needs(card: EngineCard) -> str:
    """What has to be installed, and what machine it is for."""
    installed = f"pip install 'infill[{card.extra}]'; " if card.extra else ""
    if card.parameters > LIGHT:
        return f"{installed}a GPU, {card.parameters * HALF / 1e9:.0f} GB for the weights"
    if card.family == "diffusion":
        return f"{installed}a GPU" if card.parameters else f"{installed}what its model needs"
    return f"{installed}any processor" + (", a GPU is quicker" if card.extra else "")


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Two tables of those rows: what each engine takes, and where it comes from."""
    takes = table(
        ["engine", "family", "guidance", "resolution", "weights", "parameters", "needs"],
        [
            [
                row["name"],
                row["family"],
                row["guidance"],
                row["resolution"],
                " ".join(filter(None, [row["weights"], _code(row["checkpoint"])])),
                _count(row["parameters"]),
                row["needs"],
            ]
            for row in rows
        ],
    )
    origins = table(
        ["engine", "published", "authors", "architecture", "paper", "licence", "commercial use"],
        [
            [
                row["name"],
                row["published"],
                row["authors"],
                row["architecture"],
                row["paper"],
                row["licence"],
                "yes" if row["commercial_use"] else "no",
            ]
            for row in rows
        ],
    )
    return f"{takes}\n\n{origins}\n"


def page() -> str:
    """All of docs/techniques.md."""
    rows = techniques()
    summaries = "\n".join(f"- **{row['name']}**: {row['summary'].rstrip('.')}." for row in rows)
    return f"{INTRODUCTION}\n{summaries}\n\n{markdown(rows)}"


def _count(parameters: int | None) -> str:
    if parameters is None:
        return ""
    if parameters >= 1e9:
        return f"{parameters / 1e9:.1f} billion"
    return f"{parameters / 1e6:.1f} million"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    print(page(), end="")
