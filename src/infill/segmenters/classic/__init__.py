"""The segmenter of the base install: a photo as a graph of superpixels, no network, no download.

A click, a box or a brush claims a region: superpixels are ordered by how near they are to it
(diffusion over the graph, colour, place), and cut off where edges are strong, at many sizes. What
is measured of each proposal, its contrast along the outline first of all, is summed up to a
score. Every further click adds or takes away one region around it in the same manner, in the
order in which they came; a click that is right already changes nothing.

`graph` computes what depends on the photo alone, `claims` what a prompt says of every superpixel,
`regions` proposes and measures, `choice` scores and chooses, `outline` returns to the photo's
own pixels. `kernels` and `cut` are the loops, `weights` the fitted numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.segmenters.base import Candidate, Prompt, SegmenterCard
from infill.segmenters.classic.graph import Graph, build


@dataclass(frozen=True)
class Options:
    """It has none."""


Given = Options
"""The same by a name that `Classic.Options` does not hide."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """What is kept of a photo: its graph, and its brightness (H, W) uint8."""

    graph: Graph
    grey: NDArray[np.uint8]

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the photo."""
        return self.grey.shape[0], self.grey.shape[1]

    @property
    def nbytes(self) -> int:
        """Bytes of all that is kept."""
        return self.graph.nbytes + self.grey.nbytes


class Classic:
    """Superpixels, diffusion and graph cuts."""

    card: ClassVar = SegmenterCard(
        name="classic",
        summary="superpixels, diffusion distance and graph cuts; no download",
        authors="the Infill authors, after Grady; Boykov and Jolly; Achanta et al.",
        published="2026",
        paper="https://doi.org/10.1109/TPAMI.2006.233",
        licence="Apache-2.0",
        commercial_use=True,
    )
    Options: ClassVar[type] = Options

    def __init__(self, options: Given | None = None) -> None:
        self.options = options or Given()

    def embed(self, pixels: NDArray[np.uint8]) -> Embedding:
        """The photo's graph. pixels: (H, W, 3) uint8 RGB, not to be written."""
        pixels = np.ascontiguousarray(pixels)
        grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
        return Embedding(build(pixels), grey)

    def segment(self, state: Embedding, prompt: Prompt) -> Sequence[Candidate]:
        """One to three candidates, the likeliest first, then a tighter and a wider one if any.

        Every click is honoured to the pixel; with a box, nothing outside of it is selected but
        what was clicked. Raises `BadPrompt` for what `Prompt.check` refuses.
        """
        from infill.segmenters.classic.choice import choose
        from infill.segmenters.classic.outline import full_mask

        prompt.check(self.card, state.size)
        clicks = [
            (*point, label) for point, label in zip(prompt.points, prompt.labels, strict=True)
        ]
        return [
            Candidate(full_mask(state.graph, state.grey, chosen, clicks, prompt.box), score)
            for chosen, score in choose(state.graph, state.size, prompt)
        ]
