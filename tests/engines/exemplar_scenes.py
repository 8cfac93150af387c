"""Pictures with holes, and levels made of them, that the tests of `exemplar` share."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from infill.engines.base import Progress, no_progress
from infill.engines.exemplar import Options
from infill.engines.exemplar.level import Level, make_level
from infill.engines.exemplar.simd import RADIUS
from infill.engines.exemplar.synthesis import synthesise


def grey(values: np.ndarray) -> np.ndarray:
    """(H, W) to (H, W, 3) float32."""
    return np.repeat(values[..., None], 3, -1).astype(np.float32)


def box(shape: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    """A mask with one box."""
    mask = np.zeros(shape, np.bool_)
    mask[slice(*rows), slice(*columns)] = True
    return mask


def fill(
    photo: np.ndarray,
    mask: np.ndarray,
    *,
    seed: int = 0,
    threads: int = 1,
    progress: Progress = no_progress,
    **options: Any,
) -> np.ndarray:
    """`synthesise` of a photo whose hole is blanked first, as the pipeline does it."""
    blanked = np.where(mask[..., None], np.float32(0), photo.astype(np.float32))
    return synthesise(
        blanked,
        mask,
        options=Options(**options),
        seed=seed,
        threads=threads,
        progress=progress,
    )


def level_of(image: np.ndarray, mask: np.ndarray) -> Level:
    """The level of an (H, W, 4) uint8 image; its hole is blanked."""
    level = make_level(np.where(mask[..., None], np.uint8(0), image), mask.astype(np.uint8))
    assert level is not None
    return level


def random_level(seed: int, shape: tuple[int, int], mask: np.ndarray) -> Level:
    """A level of noise."""
    rng = np.random.default_rng(seed)
    return level_of(rng.integers(0, 256, (*shape, 4), dtype=np.uint8), mask)


@st.composite
def small_masks(draw: st.DrawFn) -> np.ndarray:
    """Holes of boxes and specks in up to 40 × 40 pixels, at least one whole patch of it known."""
    height, width = draw(st.tuples(st.integers(8, 40), st.integers(8, 40)))
    mask = np.zeros((height, width), np.bool_)
    for _ in range(draw(st.integers(1, 3))):
        y, x = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        mask[y : y + draw(st.integers(1, 20)), x : x + draw(st.integers(1, 20))] = True
    keep_y = draw(st.integers(RADIUS, height - RADIUS - 1))
    keep_x = draw(st.integers(RADIUS, width - RADIUS - 1))
    around = (
        slice(keep_y - RADIUS, keep_y + RADIUS + 1),
        slice(keep_x - RADIUS, keep_x + RADIUS + 1),
    )
    mask[around] = False
    if not mask.any():
        mask[0 if keep_y > RADIUS else -1, 0] = True
    return mask
