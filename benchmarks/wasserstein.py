"""The sliced Wasserstein distance between what fills and photos look like, patch by patch.

Karras, Aila, Laine and Lehtinen 2018 ("Progressive Growing of GANs", arXiv 1710.10196), section 5:
patches of both sets, each channel brought to mean 0 and deviation 1 by what the photos have, are
projected on random directions; the mean distance of the sorted projections (Rabin et al. 2012)
says how unlike the two sets are, though no patch need equal another.
"""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

PATCH = 7  # pixels a side
DIRECTIONS = 128

Pictures = Sequence[NDArray[np.float32]]
Holes = Sequence[NDArray[np.bool_]]


def patches(picture: NDArray[np.float32], hole: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n, 3, PATCH²): every patch of a (H, W, 3) picture whose middle lies in the hole."""
    middle = PATCH // 2
    windows = sliding_window_view(picture, (PATCH, PATCH), axis=(0, 1))  # (h, w, 3, P, P)
    inside = hole[middle:-middle, middle:-middle]
    return windows[inside].reshape(int(inside.sum()), 3, -1)


class Slices:
    """Directions, and the scale of every channel, by which sets of patches are compared."""

    def __init__(self, photos: Pictures, holes: Holes, seed: int = 0) -> None:
        real = np.concatenate([patches(*pair) for pair in zip(photos, holes, strict=True)])
        self._mean = real.mean((0, 2))[:, None]
        self._spread = real.std((0, 2))[:, None] + 1e-6
        directions = np.random.default_rng(seed).standard_normal((3 * PATCH**2, DIRECTIONS))
        self._directions = (directions / np.linalg.norm(directions, axis=0)).astype(np.float32)

    def of(self, pictures: Pictures, holes: Holes) -> list[NDArray[np.float32]]:
        """For each picture the projections of its patches, (n, DIRECTIONS)."""
        found = []
        for picture, hole in zip(pictures, holes, strict=True):
            scaled = (patches(picture, hole) - self._mean) / self._spread
            found.append(scaled.reshape(len(scaled), -1).astype(np.float32) @ self._directions)
        return found


def distance(real: Pictures, made: Pictures) -> float:
    """Of two sets of projections, picture by picture in pairs; 0 = spread alike."""
    one, other = (np.sort(np.concatenate(parts), axis=0) for parts in (real, made))
    return float(np.abs(one - other).mean())
