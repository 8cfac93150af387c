"""One size of the photo: what is known, what is to be filled, and from where."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.engines.exemplar import kernels
from infill.engines.exemplar.simd import CHANNELS, PADDING, RADIUS, SIZE
from infill.engines.exemplar.workers import Workers

TEXTURE_WINDOW = 7  # pixels over which texture is averaged
THIN = 5.0  # pixels: a hole no deeper is filled at full size alone
MIN_SIDE = 24  # no level is smaller than this on its shorter side
ROWS = 64  # of pixels that are worth a thread of their own
MIN_SOURCES = 64  # nor has fewer whole patches to copy from


@dataclass(eq=False)
class Level:
    """A level of the pyramid, with its nearest-neighbour field (`source`, `distance`).

    flat:       uint8, H * W * 4 bytes and padding: red, green, blue, texture. Known pixels never
                change; those of the hole hold the present guess.
    hole_map:   (H, W) uint8, 1 = hole.            hole: int32, flat indices of its pixels.
    targets:    int32, centres of the patches that touch the hole and lie inside the image.
    target_at:  int32 (H * W), the target at each pixel, or -1.
    usable:     uint8 (H * W), 1 = centre of a whole patch without hole: a source.
    depth:      float32 (H * W), distance in pixels from the hole's border, 0 outside.
    source, distance: int32 per target: the centre it is matched with, and how far off it is.
    low, pull, slack: uint8 (H * W * 3), photo and guide from afar, how much they count, and how
                far apart they may be for nothing: see `guide` and `kernels.search`. Nothing
                and 0 without a guide.
    """

    width: int
    height: int
    flat: NDArray[np.uint8]
    hole_map: NDArray[np.uint8]
    hole: NDArray[np.int32]
    targets: NDArray[np.int32]
    target_at: NDArray[np.int32]
    usable: NDArray[np.uint8]
    depth: NDArray[np.float32]
    source: NDArray[np.int32]
    distance: NDArray[np.int32]
    low: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    pull: int = 0
    slack: int = 0

    @property
    def image(self) -> NDArray[np.uint8]:
        """(H, W, 4) view of `flat`."""
        size = self.height * self.width * CHANNELS
        return self.flat[:size].reshape(self.height, self.width, CHANNELS)

    def sources(self) -> NDArray[np.int32]:
        """Flat indices of all usable source centres."""
        return np.flatnonzero(self.usable).astype(np.int32)


def make_level(image: NDArray[np.uint8], hole_map: NDArray[np.uint8]) -> Level | None:
    """The level of `image` (H, W, 4) with `hole_map` (H, W), or None if nothing can be copied."""
    height, width = hole_map.shape
    if height < SIZE or width < SIZE:
        return None
    touched = np.asarray(cv2.dilate(hole_map, np.ones((SIZE, SIZE), np.uint8)), np.uint8)
    inner = np.zeros_like(hole_map)
    inner[RADIUS:-RADIUS, RADIUS:-RADIUS] = 1
    usable = (inner > touched).view(np.uint8).reshape(-1)
    if not usable.any():
        return None
    targets = np.flatnonzero(touched & inner).astype(np.int32)
    target_at = np.full(height * width, -1, np.int32)
    target_at[targets] = np.arange(targets.size, dtype=np.int32)
    flat = np.zeros(height * width * CHANNELS + PADDING, np.uint8)
    flat[:-PADDING] = image.reshape(-1)
    return Level(
        width=width,
        height=height,
        flat=flat,
        hole_map=hole_map,
        hole=np.flatnonzero(hole_map).astype(np.int32),
        targets=targets,
        target_at=target_at,
        usable=usable,
        depth=np.asarray(cv2.distanceTransform(hole_map, cv2.DIST_L2, 5), np.float32).reshape(-1),
        source=np.zeros_like(targets),
        distance=np.zeros_like(targets),
    )


def pyramid(
    pixels: NDArray[np.float32],
    mask: NDArray[np.bool_],
    texture: float,
    coarsest_depth: float,
    workers: Workers,
) -> list[Level]:
    """Levels from full size down, each half of the one before; empty if nothing can be copied.

    Halving ends where the hole's deepest pixel is at most `coarsest_depth` pixels from its
    border, but for one halving of all holes that are not `THIN`: what spans the hole is seen
    whole there, while smaller levels than that would lose what surrounds it.
    """
    hole_map = mask.astype(np.uint8)
    first = make_level(_with_texture(pixels, hole_map, texture, workers), hole_map)
    levels = [] if first is None else [first]
    while levels and levels[-1].depth.max() > (coarsest_depth if len(levels) > 1 else THIN):
        smaller = halved(levels[-1], workers)
        if smaller is None or not smaller.hole.size:
            break
        levels.append(smaller)
    return levels


def halved(level: Level, workers: Workers) -> Level | None:
    """The level of half the size, or None if that would be too small to copy from."""
    shape = ((level.height + 1) // 2, (level.width + 1) // 2)
    if min(shape) < MIN_SIDE:
        return None
    image = np.empty((*shape, CHANNELS), np.uint8)
    hole_map = np.empty(shape, np.uint8)
    workers.run(kernels.halve, shape[0], level.image, level.hole_map, image, hole_map, enough=ROWS)
    smaller = make_level(image, hole_map)
    return None if smaller is None or smaller.usable.sum() < MIN_SOURCES else smaller


def _with_texture(
    pixels: NDArray[np.float32], hole: NDArray[np.uint8], weight: float, workers: Workers
) -> NDArray[np.uint8]:
    """(H, W, 4) uint8: colour, and mean absolute gradient around each pixel times `weight`.

    After Newson et al. 2014, section 3.3, with one feature for both directions. Gradients count
    between known pixels alone. Computed once, at full size, and halved with the colours, so that
    a coarse level still knows which parts are rough.
    """
    image = np.empty((*hole.shape, CHANNELS), np.uint8)
    total = np.empty(hole.shape, np.float32)
    count = np.empty(hole.shape, np.float32)
    workers.run(kernels.roughness, hole.shape[0], pixels, hole, image, total, count, enough=ROWS)
    window = (TEXTURE_WINDOW, TEXTURE_WINDOW)
    mean = cv2.blur(total, window) / np.maximum(cv2.blur(count, window), 1e-3)
    image[..., 3] = np.minimum(mean * np.float32(weight), 255)
    image[hole > 0, 3] = 0
    return image
