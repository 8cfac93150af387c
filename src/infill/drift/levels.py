"""Smaller copies of two pictures, made of known pixels alone, and how one is laid over the other.

Planes are (h, w) or (h, w, 3) float32; a copy's first pixel has its centre at (0, 0).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.errors import EngineFailed
from infill.geometry import Box

Plane = NDArray[Any]  # float32; OpenCV's own annotations promise less

FINEST = 512  # longest side of the largest copy: a tenth of a photo's pixel is plain on it still
COARSEST = 128  # longest side of the smallest one is at most this, and more than half of it
GREY = np.array([[0.299, 0.587, 0.114]], np.float32)


@dataclass(frozen=True)
class Motion:
    """Where the photo's pixels went: scaled about the picture's middle, then shifted.

    x, y: pixels of the photo, to the right and down.
    turn, stretch, shear: the rest of a linear map, which is measured but not corrected: radians
          to the right, half the difference of the scales across and down, and half the sum of
          both shears.
    """

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    turn: float = 0.0
    stretch: float = 0.0
    shear: float = 0.0

    def matrix(
        self, shape: tuple[int, ...], factor: tuple[float, float] = (1.0, 1.0)
    ) -> NDArray[np.float64]:
        """(2, 3): from a pixel (x, y) of the photo's copy to the same thing in the rendition's.

        factor: pixels of the photo for one of the copy, across and down.
        """
        linear = np.array(
            [
                [self.scale + self.stretch, self.shear - self.turn],
                [self.shear + self.turn, self.scale - self.stretch],
            ]
        )
        middle = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
        shift = np.array([self.x / factor[0], self.y / factor[1]])
        return np.column_stack([linear, middle - linear @ middle + shift])

    def off(self, box: Box, shape: tuple[int, ...]) -> float:
        """How many pixels this moves the corner of `box` it moves most; shape: the photo's."""
        corners = np.array(
            [(x, y, 1) for x in (box.left, box.right - 1) for y in (box.top, box.bottom - 1)]
        )
        moved = corners @ self.matrix(shape).T
        return float(np.hypot(*(moved - corners[:, :2]).T).max())


@dataclass(frozen=True)
class Level:
    """A smaller copy of both pictures in which no hole pixel has a part.

    photo, rendition: (h, w, 3) colours times `known`.
    known:   (h, w) share of each cell that is known, in [0, 1].
    clipped: (h, w, 3) share of each cell in which the rendition's channel is black or full.
    near:    (h, w) in (0, 1], how much a pixel counts: less, the farther it is from the hole.
    factor:  pixels of the photo for one of the copy, across and down.
    """

    photo: Plane
    rendition: Plane
    known: Plane
    clipped: Plane
    near: Plane
    factor: tuple[float, float]

    @property
    def shape(self) -> tuple[int, int]:
        return (self.known.shape[0], self.known.shape[1])

    def smooth(self, sigma: float) -> tuple[Plane, Plane, Plane]:
        """Grey of the photo and of the rendition (h, w), blurred over known pixels, and a weight.

        weight: (h, w), 1 where all that was blurred together is known, and soon 0 where not, as
                a mean over a part of the neighbours is another one.
        """
        import cv2

        share = blur(self.known, sigma)
        safe = np.maximum(share, 1e-6)
        photo = blur(cv2.transform(self.photo, GREY), sigma) / safe
        rendition = blur(cv2.transform(self.rendition, GREY), sigma) / safe
        return photo, rendition, np.where(share > 0.8, share**8, 0).astype(np.float32)

    def back(self, plane: Plane, motion: Motion) -> Plane:
        """The rendition's `plane` where the photo has it: 0 for what lies outside (bilinear)."""
        import cv2

        matrix, size = motion.matrix(self.shape, self.factor), self.shape[::-1]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(plane, matrix, size, flags=flags), np.float32)


def pyramid(photo: Plane, rendition: Plane, mask: NDArray[np.bool_]) -> list[Level]:
    """Copies from at most FINEST pixels a side, halved down to COARSEST, the finest first."""
    import cv2

    if photo.shape != rendition.shape or photo.shape[:2] != mask.shape:
        raise EngineFailed(
            f"the engine returned {rendition.shape} in place of a picture of shape {photo.shape}"
        )
    if mask.all():
        raise EngineFailed("no pixel around the hole is known, so the engine's picture can't be "
                           "compared with the photo; mask less of it")  # fmt: skip
    known = (~mask).view(np.uint8)
    # copyTo and not a product: what lies under the mask may be NaN
    scene = cv2.copyTo(np.asarray(photo, np.float32), known)
    drawn = cv2.copyTo(np.asarray(rendition, np.float32), known)
    if not np.isfinite(cv2.norm(drawn, cv2.NORM_L1)):
        raise EngineFailed("the engine's picture holds pixels that are no number around the hole; "
                           "try another seed, or half precision off")  # fmt: skip
    shape = _within(mask.shape, FINEST)
    level = _level(scene, drawn, known.astype(np.float32), None, mask.shape, shape)
    levels = [level]
    while max(level.shape) > COARSEST:
        shape = _within(level.shape, -(-max(level.shape) // 2))
        parts = level.photo, level.rendition, level.known, level.clipped
        level = _level(*parts, mask.shape, shape)
        levels.append(level)
    return levels


def blur(plane: Plane, sigma: float) -> Plane:
    import cv2

    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)


def _level(
    photo: Plane,
    rendition: Plane,
    known: Plane,
    clipped: Plane | None,
    full: tuple[int, ...],
    shape: tuple[int, int],
) -> Level:
    import cv2

    def smaller(plane: Plane) -> Plane:
        if plane.shape[:2] == shape:
            return plane
        return np.asarray(cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_AREA), np.float32)

    photo, rendition, known = smaller(photo), smaller(rendition), smaller(known)
    if clipped is None:
        clipped = ((rendition <= 0.004) | (rendition >= 0.996)).astype(np.float32)
    else:
        clipped = smaller(clipped)
    away = cv2.distanceTransform((known > 0.5).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    away = np.minimum(np.asarray(away, np.float32), sum(shape))  # without a hole it is endless
    near = 1 / (1 + away / (max(shape) / 8)) ** 2
    factor = (full[1] / shape[1], full[0] / shape[0])
    return Level(photo, rendition, known, clipped, near, factor)


def _within(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    """`shape` shrunk so that its longer side is at most `side`."""
    ratio = min(1.0, side / max(shape))
    return max(1, round(shape[0] * ratio)), max(1, round(shape[1] * ratio))
