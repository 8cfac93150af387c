"""One colour for every hole: the fake that tests use, and the plainest answer there is."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from infill.engines.base import EngineCard, Progress, SizeRule


@dataclass(frozen=True)
class FlatOptions:
    """colour: (red, green, blue) in [0, 1], or such as text ("0.5,0.5,0.5"); None = the mean of
    the known pixels."""

    colour: tuple[float, float, float] | str | None = None

    def __post_init__(self) -> None:
        if self.colour is None:
            return
        given = self.colour.split(",") if isinstance(self.colour, str) else self.colour
        colour = tuple(float(value) for value in given)
        if len(colour) != 3 or not all(0 <= value <= 1 for value in colour):
            raise ValueError(f"colour is three numbers from 0 to 1, not {self.colour!r}")
        object.__setattr__(self, "colour", colour)


class Flat:
    """Fill with the mean colour of the pixels around the hole, or with a given one."""

    card: ClassVar[EngineCard] = EngineCard(
        name="flat",
        family="fake",
        summary="one flat colour: the mean around the hole, or the one you give",
        authors="Infill",
        published="2026",
        architecture="mean of the known pixels",
        paper="",
        licence="Apache-2.0",
        commercial_use=True,
        size=SizeRule(context=0.25, context_min=8, context_max=64),
    )
    Options: ClassVar[type] = FlatOptions

    def fill(
        self,
        pixels: NDArray[np.float32],
        mask: NDArray[np.bool_],
        options: FlatOptions,
        rng: np.random.Generator,
        progress: Progress,
    ) -> NDArray[np.float32]:
        """See `infill.engines.base.Engine.fill`."""
        progress(0.0, "fill")
        filled = pixels.copy()
        known = pixels[~mask]
        filled[mask] = (
            known.mean(axis=0, dtype=np.float64) if not options.colour else options.colour
        )
        progress(1.0, "fill")
        return filled
