"""`exemplar`, the default engine: multi-scale patch synthesis from the photo itself.

Nothing is downloaded and nothing is learned: every pixel of the fill is a pixel of the photo,
moved, with a smooth correction of its colour. How it works is told in `synthesis.py`.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from infill import settings
from infill.engines.base import EngineCard, Progress, option
from infill.engines.checked import Checked
from infill.geometry import SizeRule


@dataclass(frozen=True)
class Options(Checked):
    """Options of `exemplar`. More effort than 1 changes the fill, but was measured to be no
    better on average; a texture of 0 compares colour alone and lets smooth patches win.
    """

    effort: float = option(1.0, "How long it searches; time grows with it.", low=0.25, high=8)
    texture: float = option(
        1.0, "How much texture counts beside colour when patches are compared.", low=0, high=4
    )
    join: bool = option(True, "Correct the colour of what was copied, so that no seam shows.")


class Exemplar:
    """Multi-scale exemplar-based synthesis; see the module's own text and `card`."""

    card: ClassVar[EngineCard] = EngineCard(
        name="exemplar",
        family="classical",
        summary="Multi-scale patch synthesis from the photo itself; the offline default.",
        authors="The Infill authors, after Barnes, Wexler, Newson, He and their co-authors",
        published="2026-11",
        architecture=(
            "PatchMatch nearest-neighbour field over 7x7 patches of colour and texture, "
            "coarse to fine, confidence-weighted voting, copying at full size, "
            "gradient-domain join"
        ),
        paper=(
            "Barnes et al. 2009, PatchMatch; Wexler et al. 2007, Space-Time Completion of "
            "Video; He and Sun 2012, Statistics of Patch Offsets; Newson et al. 2014, Video "
            "Inpainting of Complex Scenes; Perez et al. 2003, Poisson Image Editing"
        ),
        licence="Apache-2.0",
        commercial_use=True,
        size=SizeRule(context=0.5, context_min=192),
    )
    Options: ClassVar[type] = Options

    def fill(
        self,
        pixels: NDArray[np.float32],
        mask: NDArray[np.bool_],
        options: Any,
        rng: np.random.Generator,
        progress: Progress,
    ) -> NDArray[np.float32]:
        """Fill the hole; shapes, dtypes and ranges as in `infill.engines.base.Engine.fill`."""
        # Numba is half of the start-up time of a fill, so it comes with the first fill.
        from infill.engines.exemplar.synthesis import synthesise

        return synthesise(
            pixels,
            mask,
            options=options,
            seed=int(rng.integers(2**32)),
            threads=settings.current().worker_threads,
            progress=progress,
        )
