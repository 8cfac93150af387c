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
DIRECTIONS = 256

Pictures = Sequence[NDArray[np.float32]]


def patches(pictures: Pictures, holes: Sequence[NDArray[np.bool_]]) -> NDArray[np.float32]:
    """(n, PATCH * PATCH * 3): every patch of (H, W, 3) pictures whose middle lies in the hole."""
    middle = PATCH // 2
    found = []
    for picture, hole in zip(pictures, holes, strict=True):
        windows = sliding_window_view(picture, (PATCH, PATCH), axis=(0, 1))  # (h, w, 3, P, P)
        inside = hole[middle:-middle, middle:-middle]
        found.append(windows[inside].reshape(int(inside.sum()), -1))
    return np.concatenate(found)


def distance(
    photos: Pictures, fills: Pictures, holes: Sequence[NDArray[np.bool_]], seed: int = 0
) -> float:
    """Of the fills of all holes from the photos there; 0 = their patches are spread alike.

    photos, fills: (H, W, 3) float32 in [0, 1], in pairs; holes: (H, W) bool.
    """
    real, made = patches(photos, holes), patches(fills, holes)
    colours = real.reshape(len(real), 3, -1)
    mean, spread = colours.mean((0, 2)), colours.std((0, 2)) + 1e-6
    real, made = (
        ((one.reshape(len(one), 3, -1) - mean[:, None]) / spread[:, None]).reshape(len(one), -1)
        for one in (real, made)
    )
    directions = np.random.default_rng(seed).standard_normal((real.shape[1], DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    along = [np.sort(one @ directions.astype(np.float32), axis=0) for one in (real, made)]
    return float(np.abs(along[0] - along[1]).mean())
