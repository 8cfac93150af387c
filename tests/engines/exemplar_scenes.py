"""Pictures with holes, and levels made of them, that the tests of `exemplar` share."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from infill.engines.base import Progress, no_progress
from infill.engines.exemplar import Options, kernels
from infill.engines.exemplar.level import Level, make_level
from infill.engines.exemplar.simd import PADDING, RADIUS
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


NO_SHIFTS = np.zeros((0, 2), np.int32)

FAR = 2**30  # a distance worse than any


def distances(flat: np.ndarray, width: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The distances between patches around `first` and `second`, stated in NumPy."""
    height = (flat.size - PADDING) // 4 // width
    image = flat[: height * width * 4].reshape(height, width, 4).astype(np.int64)
    step = np.arange(-RADIUS, RADIUS + 1)
    patches = [
        image[(at // width)[:, None, None] + step[:, None], (at % width)[:, None, None] + step]
        for at in (np.asarray(first, np.int64), np.asarray(second, np.int64))
    ]
    return ((patches[0] - patches[1]) ** 2).sum((1, 2, 3))


def search(level: Level, start: int = 0, end: int | None = None, **given: object):
    """`kernels.search` with nothing tried but what is given; returns sources and distances."""
    chosen = {
        "jump": 1,
        "reach": 1,
        "tries": 0,
        "shifts": NO_SHIFTS,
        "shift_tries": 0,
        "apart": 0,
        "stale": True,
        "pull": 0,
        "slack": 0,
        "seed": 0,
    } | given
    source, distance = np.full_like(level.source, -7), np.full_like(level.distance, -7)
    kernels.search(
        level.flat,
        level.low,
        level.width,
        level.height,
        level.targets,
        level.target_at,
        level.usable,
        level.source,
        level.distance,
        source,
        distance,
        start,
        level.targets.size if end is None else end,
        *chosen.values(),
    )
    return source, distance


def matched(level: Level, seed: int) -> Level:
    """The level with random sources and the distances to them."""
    sources = level.sources()
    rng = np.random.default_rng(seed)
    level.source = sources[rng.integers(0, sources.size, level.targets.size)]
    level.distance = distances(level.flat, level.width, level.targets, level.source).astype(
        np.int32
    )
    return level


def two_textures(shape: tuple[int, int]) -> np.ndarray:
    """Bright grain above, dark grain below: what goes into the hole is anyone's guess."""
    grain = np.random.default_rng(0).normal(0, 0.03, (*shape, 1))
    level = np.where(np.arange(shape[0]) < shape[0] // 2, 0.75, 0.3)[:, None, None]
    return np.repeat(np.clip(level + grain, 0, 1), 3, 2).astype(np.float32)
