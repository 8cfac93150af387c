"""From a photo and what a person points at to masks: `infill.segment`."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill import settings
from infill.errors import BadOption
from infill.picture import Picture, as_picture
from infill.segmenters.base import SEGMENTERS, Box, Candidate, Mask, Prompt, Segmenter
from infill.segmenters.cache import EmbeddingCache


def segment(
    photo: Any,
    points: Sequence[Sequence[float]] = (),
    labels: Sequence[bool] = (),
    *,
    box: Box | None = None,
    brush: Mask | None = None,
    text: str | None = None,
    segmenter: str | None = None,
    **options: Any,
) -> list[Candidate]:
    """Masks of the object that is meant, the likeliest first; one to three.

    photo:     what `infill.load` takes.
    points, labels, box, brush, text: see `infill.segmenters.base.Prompt`.
    segmenter: a name out of the registry; None = the setting `segmenter`.
    options:   the segmenter's own; unknown ones are an error.

    What the segmenter computes of the photo alone is kept, so that the next prompt for the same
    photo is answered quickly. Raises `BadPrompt`, `PictureError`, `BadOption`, `MissingExtra`.
    """
    prompt = Prompt(tuple(map(tuple, points)), tuple(labels), box, brush, text)  # type: ignore[arg-type]
    pixels = eight_bits(as_picture(photo))
    maker = make(segmenter or settings.current().segmenter, **options)
    prompt.check(maker.card, (pixels.shape[0], pixels.shape[1]))
    return list(maker.segment(states().state(maker, pixels), prompt))


def make(name: str, **options: Any) -> Segmenter:
    """The segmenter of that name with those options, kept for the next call.

    Raises `UnknownPlugin`, and `BadOption` for an option that it does not have or refuses.
    """
    try:
        return _make(name, tuple(sorted(options.items())))
    except (TypeError, ValueError) as error:
        raise BadOption(f"segmenter {name}: {error}") from error


@lru_cache(4)  # each may hold a network
def _make(name: str, options: tuple[tuple[str, Any], ...]) -> Segmenter:
    factory: Any = SEGMENTERS.factory(name)
    segmenter: Segmenter = factory(factory.Options(**dict(options)))
    return segmenter


@cache
def states() -> EmbeddingCache:
    """The process's own cache of what segmenters keep; the setting `embedding_bytes` bounds it."""
    return EmbeddingCache(settings.current().embedding_bytes)


def eight_bits(picture: Picture) -> NDArray[np.uint8]:
    """The photo's pixels, (H, W, 3) uint8 RGB, whatever its depth."""
    pixels = picture.pixels
    return (pixels if pixels.dtype == np.uint8 else pixels >> 8).astype(np.uint8, copy=False)
