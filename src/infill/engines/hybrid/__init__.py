"""`hybrid`: patch synthesis that a network guides.

The small network of `pocket` says what should be where, from afar; the patch synthesis of
`exemplar` says how it looks from near, at full size. Nothing is downloaded, and every pixel of the
fill is a pixel of the photo, moved, with a smooth correction of its colour.
"""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from infill import settings
from infill.engines import exemplar, pocket
from infill.engines.base import EngineCard, Filled, Progress, option


@dataclass(frozen=True)
class Options(exemplar.Options):
    """Those of `exemplar`, and how much the network has to say."""

    structure: float = option(
        1.0,
        "How much the network's picture counts beside the photo's own patches, as a multiple of "
        "what the hole asks for; 0 leaves it out.",
        low=0,
        high=8,
    )


class Hybrid:
    """See the module's text and `card`."""

    card: ClassVar[EngineCard] = EngineCard(
        name="hybrid",
        family="GAN",
        summary="Patch synthesis guided by our own small network; offline, in the package.",
        authors=exemplar.Exemplar.card.authors,
        published="2026-11",
        architecture=(
            f"{exemplar.Exemplar.card.architecture}; guided from afar by the network of pocket: "
            f"{pocket.Pocket.card.architecture}"
        ),
        paper=(
            f"{exemplar.Exemplar.card.paper}; Hertzmann et al. 2001, Image Analogies; Yu et al. "
            "2019, Free-Form Image Inpainting with Gated Convolution"
        ),
        licence=pocket.Pocket.card.licence,
        commercial_use=False,
        weights=pocket.Pocket.card.weights,
        parameters=pocket.Pocket.card.parameters,
        size=exemplar.Exemplar.card.size,
    )
    Options: ClassVar[type] = Options

    def fill(
        self,
        pixels: NDArray[np.float32],
        mask: NDArray[np.bool_],
        options: Any,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Filled:
        """Fill the hole; shapes, dtypes and ranges as in `infill.engines.base.Engine.fill`."""
        from infill.engines.hybrid import structure

        amount = options.structure * structure.how_much(mask)
        with ThreadPoolExecutor(1) as beside:
            # In a first fill Numba is loaded while the network runs, which needs no interpreter.
            seen = beside.submit(copy_context().run, structure.look, pixels, mask, amount)
            progress(0.0, "network")
            from infill.engines.exemplar.synthesis import synthesise

            found = seen.result()
        made = synthesise(
            pixels,
            mask,
            options=options,
            seed=int(rng.integers(2**32)),
            threads=settings.current().worker_threads,
            progress=progress,
            guide=None if found is None else structure.guide(found, amount),
        )
        return Filled(made, () if found is None else found.notes)
