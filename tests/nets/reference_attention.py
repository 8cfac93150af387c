"""Contextual attention in float64, patch by patch, as Yu et al. (2018) describe it."""

import numpy as np

from tests.nets.reference_convolution import Array, framed, shrunk


def attention(
    front: Array, back: Array, mask: Array | None, *, fuse: bool, layout: str
) -> tuple[Array, Array]:
    """What (C, H, W) attends to in (C, h, w), and from where: (2, H/2, W/2) offsets.

    mask: (k h, k w), 1 = hole.
    """
    small_front, small_back = shrunk(front, 2, layout), shrunk(back, 2, layout)
    scores = likeness(small_front, small_back)
    if fuse:
        scores = fused(scores)
    usable = known(small_back, mask, layout)
    weights = np.zeros_like(scores)
    for row, column in np.ndindex(*scores.shape[2:]):
        logits = 10 * np.where(usable, scores[:, :, row, column], 0)
        powers = np.exp(logits - logits.max())
        weights[:, :, row, column] = np.where(usable, powers / powers.sum(), 0)
    return pasted(weights, back, front.shape), offsets(weights, usable)


def patch(x: Array, row: int, column: int) -> Array:
    """The 3 × 3 pixels around one; zeros outside."""
    return framed(x, 1, 1)[:, row : row + 3, column : column + 3]


def likeness(front: Array, back: Array) -> Array:
    """(h, w, H, W): the inner product of each front patch with each back patch of length 1."""
    scores = np.zeros((*back.shape[1:], *front.shape[1:]))
    for i, j in np.ndindex(*back.shape[1:]):
        kernel = patch(back, i, j)
        kernel = kernel / max(np.sqrt((kernel**2).sum()), 1e-4)
        for row, column in np.ndindex(*front.shape[1:]):
            scores[i, j, row, column] = (kernel * patch(front, row, column)).sum()
    return scores


def fused(scores: Array) -> Array:
    """Scores of neighbouring pairs added, with pixels counted row by row, then column by column."""
    h, w, height, width = scores.shape
    by_rows = _diagonal(scores.reshape(h * w, height * width)).reshape(h, w, height, width)
    turned = by_rows.transpose(1, 0, 3, 2)
    by_columns = _diagonal(turned.reshape(w * h, width * height)).reshape(w, h, width, height)
    return by_columns.transpose(1, 0, 3, 2)


def _diagonal(table: Array) -> Array:
    made = np.zeros_like(table)
    for row, column in np.ndindex(*table.shape):
        for step in (-1, 0, 1):
            if 0 <= row + step < table.shape[0] and 0 <= column + step < table.shape[1]:
                made[row, column] += table[row + step, column + step]
    return made


def known(back: Array, mask: Array | None, layout: str) -> np.ndarray:
    """(h, w) bool: no pixel of the 3 × 3 patch is masked."""
    height, width = back.shape[1:]
    made = np.ones((height, width), bool)
    if mask is None:
        return made
    small = shrunk(mask[None], mask.shape[0] // height, layout)
    for row, column in np.ndindex(height, width):
        made[row, column] = not patch(small, row, column).any()
    return made


def pasted(weights: Array, back: Array, shape: tuple[int, ...]) -> Array:
    """Every 4 × 4 patch of the back, 2 apart, laid where its weight says; four cover each pixel."""
    patches = framed(back, 1, 1)
    made = framed(np.zeros(shape), 1, 1)
    for i, j, row, column in np.ndindex(*weights.shape):
        stamp = patches[:, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4]
        made[:, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += (
            weights[i, j, row, column] * stamp / 4
        )
    return made[:, 1:-1, 1:-1]


def offsets(weights: Array, usable: np.ndarray) -> Array:
    made = np.zeros((2, *weights.shape[2:]))
    for row, column in np.ndindex(*weights.shape[2:]):
        best = np.unravel_index(weights[:, :, row, column].argmax(), usable.shape)
        if usable.any():
            made[:, row, column] = best[0] - row, best[1] - column
    return made
