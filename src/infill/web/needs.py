"""What an engine needs that is not installed, and what to type for it."""

from functools import cache
from importlib import metadata

from infill import weights
from infill.engines.base import ENGINES, EngineCard, make_options


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


def to_install(extra: str | None) -> str | None:
    """The command that installs an extra; None if nothing of it is missing."""
    return f"pip install 'infill[{extra}]'" if extra is not None and lacking(extra) else None


def to_type(card: EngineCard) -> str | None:
    """The command that brings what the engine lacks, packages or weights; None if nothing."""
    install = to_install(card.extra)
    if install is not None:
        return install
    return None if has_weights(card) else f"infill download {card.name}"


def has_weights(card: EngineCard) -> bool:
    """Whether the model that the engine takes by default is on this machine, if it needs one."""
    if not card.checkpoint:
        return True
    engine = ENGINES.get(card.name)
    sources = getattr(engine, "sources", None)
    if sources is None:
        return True  # its fill will tell
    return all(weights.here(source) is not None for source in sources(make_options(engine, {})))


def cards() -> dict[str, EngineCard]:
    """The card of every engine that can be loaded and needs no model named, by name."""
    found = {}
    for name in ENGINES.names():
        try:
            card = ENGINES.get(name).card
        except Exception:  # another package's plug-in may raise anything; the rest still works
            continue
        if not card.needs_model:
            found[name] = card
    return found


SUGGESTED = "sdxl"
"""The engine to replace things with, where it can run here."""


def follows_prompt(all_cards: dict[str, EngineCard]) -> str | None:
    """The engine to suggest that fills by a prompt and can run here."""
    ready = [name for name, card in all_cards.items() if card.needs_prompt and not to_type(card)]
    return SUGGESTED if SUGGESTED in ready else next(iter(ready), None)


def prompt_extra(name: str = "diffusion") -> str:
    """How an engine that follows a prompt is had, to be put behind a sentence; "" where this
    version of Infill has none.
    """
    known = metadata.metadata("infill").get_all("Provides-Extra") or []
    if name not in known:
        return ""
    if lacking(name):
        return f"; type: pip install 'infill[{name}]'"
    return f"; type: infill download {SUGGESTED}" if SUGGESTED in ENGINES else ""
