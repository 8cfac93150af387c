"""What an engine needs that is not installed, and what to type for it."""

from functools import cache
from importlib import metadata

from infill.engines.base import ENGINES, EngineCard


@cache
def lacking(extra: str) -> tuple[str, ...]:
    """Names of the packages of that extra which are not installed here."""
    try:
        wanted = metadata.requires("infill") or []
    except metadata.PackageNotFoundError:  # run from a source tree: the fill itself will tell
        return ()
    missing = []
    for line in wanted:
        requirement, _, condition = line.partition(";")
        if f"extra == '{extra}'" not in condition.replace('"', "'"):
            continue
        name = requirement
        for mark in "[<>=!~ (":
            name = name.partition(mark)[0]
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    return tuple(missing)


def to_type(card: EngineCard) -> str | None:
    """The command that installs what the engine lacks; None if it lacks nothing."""
    if card.extra is None or not lacking(card.extra):
        return None
    return f"pip install 'infill[{card.extra}]'"


def cards() -> dict[str, EngineCard]:
    """The card of every engine that can be loaded, by name."""
    found = {}
    for name in ENGINES.names():
        try:
            found[name] = ENGINES.get(name).card
        except Exception:  # another package's plug-in may raise anything; the rest still works
            continue
    return found


SUGGESTED = "sdxl"
"""The engine to replace things with, where it can run here."""


def follows_prompt(all_cards: dict[str, EngineCard]) -> str | None:
    """The engine to suggest that fills by a prompt and can run here."""
    ready = [name for name, card in all_cards.items() if card.needs_prompt and not to_type(card)]
    return SUGGESTED if SUGGESTED in ready else next(iter(ready), None)


def prompt_extra(name: str = "diffusion") -> str:
    """How engines that follow a prompt are installed, to be put behind a sentence; "" where this
    version of Infill has none.
    """
    known = metadata.metadata("infill").get_all("Provides-Extra") or []
    return f"; type: pip install 'infill[{name}]'" if name in known else ""
