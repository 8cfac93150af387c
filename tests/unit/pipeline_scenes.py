"""Photos, masks and an engine for the tests of the pipeline."""

from typing import Any

import numpy as np

from infill.engines.base import ENGINES, NoOptions
from infill.engines.flat import Flat
from infill.geometry import SizeRule

READY = [name for name in ENGINES.names() if ENGINES.get(name).card.extra is None]
"""Engines that need nothing beside: no network, no prompt."""
RED = (1.0, 0.0, 0.0)


def photo_and_mask(shape: tuple[int, int] = (40, 50)) -> tuple[np.ndarray, np.ndarray]:
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    mask = np.zeros(shape, np.bool_)
    mask[10:20, 15:30] = True
    return photo, mask


class Everything:
    """Returns values out of range everywhere, and wants sizes that are multiples of 64."""

    card = Flat.card.__class__(**{**vars(Flat.card), "size": SizeRule(multiple=64, minimum=128)})
    Options = NoOptions

    def fill(self, pixels: np.ndarray, mask: np.ndarray, *rest: Any) -> np.ndarray:
        assert pixels.shape == (*mask.shape, 3)
        assert min(mask.shape) >= 128
        assert mask.shape[0] % 64 == mask.shape[1] % 64 == 0
        assert (pixels[mask] == 0).all(), "what lies under the mask must not be seen"
        assert pixels.dtype == np.float32
        assert pixels.flags.c_contiguous
        assert mask.flags.c_contiguous
        return np.full_like(pixels, 7.0)


def cut_out() -> np.ndarray:
    """RGBA with a transparent hole that hides magenta, and one half transparent pixel."""
    photo = np.full((20, 30, 4), (50, 100, 150, 255), np.uint8)
    photo[5:10, 5:10] = (255, 0, 255, 0)
    photo[0, 0, 3] = 128
    return photo
