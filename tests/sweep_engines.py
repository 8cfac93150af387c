"""An engine that is guided by a picture and says so, and one more thing or two, for the sweep."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from infill import composite
from infill.engines.base import Filled
from infill.engines.checked import Checked
from infill.engines.flat import Flat
from infill.geometry import Frame, SizeRule

CARD = replace(
    Flat.card, name="aimed", size=SizeRule(context=0.25, context_min=8), needs_reference=True
)


@dataclass(frozen=True)
class AimedOptions(Checked):
    """weight: how much of the target; rounds: network calls it speaks of; rim: rows of the hole
    that are not the target's; broken: fail."""

    weight: float = field(default=1.0, metadata={"low": 0, "high": 1})
    rounds: int = 2
    rim: int = 0
    sort: Literal["plain", "fancy"] = "plain"
    broken: bool = False
    prompt: str = ""
    reference: Any = None


class Aimed:
    """The target, as bright as `weight` says; the first `rim` rows of a hole are white."""

    card = CARD
    Options = AimedOptions

    def localise(self, options: AimedOptions, frame: Frame, largest: bool) -> AimedOptions:
        return replace(options, reference=frame.bring(composite.to_float(options.reference.pixels)))

    def goal(
        self, pixels: np.ndarray, mask: np.ndarray, options: AimedOptions
    ) -> tuple[np.ndarray, np.ndarray]:
        assert (pixels[mask] == 0).all(), "what is hidden from the fill is hidden from the goal"
        where = mask.copy()
        where[: np.flatnonzero(mask.any(axis=1))[0] + options.rim] = False
        return options.reference, where

    def fill(
        self, pixels: np.ndarray, mask: np.ndarray, options: AimedOptions, rng: Any, progress: Any
    ) -> Filled:
        progress(0.5, "aim")
        if options.broken:
            raise RuntimeError("broken on purpose")
        target, where = self.goal(pixels, mask, options)
        made = options.weight * target
        made[mask & ~where] = 1
        return Filled(made.astype(np.float32), notes=("aimed",))

    def calls(self, options: AimedOptions) -> int:
        return options.rounds


class Small(Aimed):
    """The same, at no more than 32 × 32 pixels."""

    card = replace(CARD, name="small", size=replace(CARD.size, native=32, minimum=8))
