"""What there is to fill and to segment with, and whether it can run on this server."""

from dataclasses import asdict
from typing import Any

from infill.api.inputs import served_controls
from infill.engines.base import ENGINES
from infill.errors import MissingExtra, MissingWeights
from infill.segmenters.base import SEGMENTERS
from infill.settings import Settings
from infill.web.needs import to_install, to_type


def engines(default: str) -> dict[str, Any]:
    """See `Engines`; `default` is the server's own. What cannot be loaded is left out."""
    found = []
    for name in ENGINES.names():
        try:
            engine = ENGINES.get(name)
        except Exception:  # another package's plug-in may raise anything; the rest still works
            continue
        if engine.card.needs_model:  # which a request may not name
            continue
        card = asdict(engine.card)
        del card["size"], card["needs_model"]
        told = [asdict(control) for control in served_controls(engine)]
        install = to_type(engine.card)
        found.append(
            card
            | {
                "available": install is None,
                "install": install,
                "default": name == default,
                "controls": told,
            }
        )
    return {"engines": found}


def segmenters(limits: Settings) -> dict[str, Any]:
    """See `Segmenters`; the default is that of the settings. What cannot be loaded is left out."""
    found = []
    for name in SEGMENTERS.names():
        try:
            card = SEGMENTERS.factory(name).card  # type: ignore[attr-defined]
        except Exception:
            continue
        install = to_install(card.extra)
        if install is None and name == "sam":
            install = to_fetch(limits.sam_checkpoint)
        own = name == limits.segmenter
        more = {"available": install is None, "install": install, "default": own}
        found.append(asdict(card) | more)
    return {"segmenters": found}


def to_fetch(checkpoint: str) -> str | None:
    """What to type for weights that are not on this machine, in a sentence; None if they are.

    It neither looks at the network nor imports torch.
    """
    from infill.segmenters.sam.checkpoint import locate

    try:
        locate(checkpoint, offline=True)
    except (MissingWeights, MissingExtra) as error:
        return str(error)
    return None
