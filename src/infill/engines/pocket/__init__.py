"""`pocket`: the small network that ships with Infill, alone.

It knows where things go on in a hole, and not how they look from near. ONNX Runtime runs it: no
download, no PyTorch. Trained by `infill train configs/pocket.toml`; docs/pocket.md is its card.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from infill.engines.base import EngineCard, Filled, Progress, SizeRule, option
from infill.engines.checked import Checked
from infill.engines.pocket import about

NATIVE = 320  # pixels: a photo of 512 x 512 then takes less than 0.15 s on two cores
SMALLEST = 64
MULTIPLE = 16


def size_rule(side: int) -> SizeRule:
    """What the network takes, where what it sees has about side² pixels."""
    least = min(128, side // MULTIPLE * MULTIPLE)
    return SizeRule(multiple=MULTIPLE, minimum=least, native=side, context=0.5, context_min=96)


@dataclass(frozen=True)
class Options(Checked):
    """Options of `pocket`."""

    side: int = option(
        NATIVE,
        "Pixels a side, at most, at which the network sees the hole and its surroundings; more is "
        "sharper in large holes, less is steadier.",
        low=SMALLEST,
        high=1024,
    )


class Pocket:
    """See the module's text and `card`."""

    card: ClassVar[EngineCard] = EngineCard(
        name="pocket",
        family="GAN",
        summary="Our own small network, in the package: quick, structure without detail.",
        authors="The Infill authors",
        published="2026-11",
        architecture=about.ARCHITECTURE,
        paper="after Yu et al. 2019, Free-Form Image Inpainting with Gated Convolution",
        licence=about.LICENCE,
        commercial_use=False,
        weights=(about.WEIGHTS,),
        parameters=about.PARAMETERS,
        size=size_rule(NATIVE),
    )
    Options: ClassVar[type] = Options

    def size_rule(self, options: Any) -> SizeRule:
        """See `infill.engines.base.Engine`: the side is the option's."""
        return size_rule(options.side)

    def fill(
        self,
        pixels: NDArray[np.float32],
        mask: NDArray[np.bool_],
        options: Any,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Filled:
        """See `infill.engines.base.Engine.fill`; the network draws no random numbers."""
        from infill.engines.pocket.looks import look

        progress(0.0, "network")
        found = look(pixels, mask)
        progress(1.0, "network")
        return Filled(found.whole, found.notes)
