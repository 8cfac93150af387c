"""One look of the network at a picture: brought to its size, run, and made to meet the photo."""

from dataclasses import dataclass
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from infill.engines.pocket import MULTIPLE, SMALLEST, network, seam, size_rule
from infill.errors import EngineFailed
from infill.geometry import Box, Frame, SizeRule, unpad

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Look:
    """What the network made of a picture, and how it was brought to it.

    made: (h, w, 3) float32 in [0, 1], at the network's size, the photo's own where that is known.
    """

    made: Floats
    frame: Frame
    notes: tuple[str, ...] = ()

    @property
    def small(self) -> Floats:
        """The whole picture at the size at which it was seen."""
        return unpad(self.made, self.frame.size)

    @property
    def whole(self) -> Floats:
        """The whole picture at its own size: (H, W, 3) float32 in [0, 1]."""
        return np.clip(self.frame.back(self.made), 0, 1).astype(np.float32, copy=False)


def look(pixels: Floats, mask: NDArray[np.bool_], side: int | None = None) -> Look:
    """The network's look at a picture, at about side² pixels, or at a smaller size (halves of
    the side) where memory is short, which is noted.

    pixels, mask: as in `infill.engines.base.Engine.fill`. side: None = as it is.

    Raises `EngineFailed` where there is no memory even for a small one, and what `network.run`
    raises.
    """
    place = Box(0, 0, *mask.shape)
    rule = SizeRule(multiple=MULTIPLE) if side is None else size_rule(side)
    notes: tuple[str, ...] = ()
    while True:
        frame = Frame.of(place, rule)
        given, hidden = frame.bring_hidden(pixels, mask)
        try:
            made = network.run(given, hidden)
        except network.NoRoom as error:
            smaller = isqrt(hidden.size) // 2
            if smaller < SMALLEST:
                raise EngineFailed("there is not enough memory for the network") from error
            rule = size_rule(smaller)
            notes = (f"memory was short: the network saw {smaller} × {smaller} pixels in all",)
            continue
        return Look(seam.met(made, given, hidden), frame, notes)
