"""What CLIP makes of a fill beside its prompt: how well they agree, and whether the change that was
made is the change that was asked for.

`clip_score`: 100 · max(cos(image, prompt), 0), which is J. Hessel, A. Holtzman, M. Forbes, R. Le
Bras and Y. Choi, "CLIPScore", EMNLP 2021, with 100 for their factor 2.5 and without the words "A
photo depicts" before the prompt, as most programs have it. `clip_direction`: R. Gal et al.,
"StyleGAN-NADA", 2022, the cosine of their directional loss: between the step from one image to the
other and the step from one text to the other, all of length 1 before they are subtracted.
"""

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from infill import settings
from infill.metrics import networks
from infill.metrics.base import MetricCard, OverPhotos, check
from infill.metrics.clip_model import EXTRA, Clip, opened, source
from infill.weights import Source

Pixels = NDArray[np.float32]

MARGIN = 1.5
"""Side of the square that is looked at, over the longer side of the hole's box."""


class ClipScore(OverPhotos):
    """Agreement of the fill with its prompt."""

    card: ClassVar[MetricCard] = MetricCard(
        name="clip",
        summary="agreement of the filled place with the prompt, and of the change with the change "
        "of words; needs weights",
        labels={"clip_score": "CLIP", "clip_direction": "CLIP direction"},
        better={"clip_score": "higher", "clip_direction": "higher"},
        digits={"clip_score": 2, "clip_direction": 3},
        paper="Hessel, Holtzman, Forbes, Le Bras and Choi 2021; Gal et al. 2022",
        criterion="adaptability",
        against="before",
    )

    def sources(self, model: str | None = None) -> list[Source]:
        """The weights to fetch; model: a folder or a name on the hub, None = the setting."""
        return [source(model or settings.current().clip_model, typed=model)]

    def missing(self) -> str | None:
        """See `PromptMetric.missing`."""
        lacking = networks.lacks(("torch", "safetensors", "huggingface_hub", "transformers"), EXTRA)
        return lacking or networks.absent(self.sources())

    def measure(
        self,
        before: Pixels,
        filled: Pixels,
        mask: NDArray[np.bool_],
        prompt: str,
        before_prompt: str = "",
    ) -> dict[str, float]:
        """`clip_score` in [0, 100] and `clip_direction` in [-1, 1], of the square about the hole.

        NaN for an empty mask or prompt; the direction also without `before_prompt`, and where
        either step is none (the fill is the photo as it was, the two prompts are one).
        Raises `MissingWeights`, `MissingExtra`, and as `Metric.measure`.
        """
        check(before, filled, mask)
        row = {"clip_score": math.nan, "clip_direction": math.nan}
        if not mask.any() or not prompt.strip():
            return row
        network = opened()
        text = network.text(prompt)
        image = network.image(square(filled, mask, network))
        row["clip_score"] = 100 * max(float(image @ text), 0.0)
        if before_prompt.strip():
            old = network.image(square(before, mask, network))
            row["clip_direction"] = cosine(image - old, text - network.text(before_prompt))
        return row


def cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Of the angle between two vectors; NaN where one of them is 0."""
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return min(1.0, max(-1.0, float(a @ b) / length)) if length else math.nan


def square(pixels: Pixels, mask: NDArray[np.bool_], network: Clip) -> Pixels:
    """The square about the hole that the network is shown: (side, side, 3) float32 in [0, 1].

    Its side is 1.5 times the longer side of the hole's box, and at least the network's own, so that
    a small hole is seen in its place and nothing is blown up. It lies about the box's middle, moved
    to lie within the photo. Where the photo is too small for it, the rest is the network's grey,
    and nothing of the hole is cut off or stretched.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    (top, bottom), (left, right) = rows[[0, -1]], columns[[0, -1]]
    longest = max(bottom - top, right - left) + 1
    side = max(math.ceil(MARGIN * longest), network.side)
    side = min(side, max(mask.shape))
    picked = pixels[_span(top, bottom, side, len(mask)), _span(left, right, side, mask.shape[1])]
    if picked.shape[:2] == (side, side):
        return picked
    made = np.empty((side, side, 3), np.float32)
    made[:] = np.asarray(network.mean, np.float32)
    height, width = picked.shape[:2]
    y, x = (side - height) // 2, (side - width) // 2
    made[y : y + height, x : x + width] = picked
    return made


def _span(first: int, last: int, side: int, length: int) -> slice:
    """`side` places about the middle of `first` to `last`, within `length`; all if it is less."""
    if side >= length:
        return slice(0, length)
    start = (int(first) + int(last) + 1 - side) // 2
    start = min(max(start, 0), length - side)
    return slice(start, start + side)
