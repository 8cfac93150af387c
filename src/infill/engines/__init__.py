"""What can fill. `names()` and `cards()` list it; each engine is one file or folder here."""

from infill.engines.base import ENGINES, EngineCard


def names() -> list[str]:
    """Names that `infill.fill(engine=...)` takes, our own first."""
    return ENGINES.names()


def cards() -> list[EngineCard]:
    """The model card of every engine, in the order of `names`."""
    return [ENGINES.get(name).card for name in names()]
