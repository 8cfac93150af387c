"""From superpixels to a mask of the photo's own size, with every click honoured to the pixel."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.segmenters.base import Box
from infill.segmenters.classic.graph import Bools, Graph

RADIUS = 4
"""Of the guided filter's window, in pixels of the reduced photo."""
SOFTNESS = 1e-3
"""The guided filter's epsilon: variance below which brightness draws no outline."""

Click = tuple[float, float, bool]


def full_mask(
    graph: Graph, grey: NDArray[np.uint8], chosen: Bools, clicks: Sequence[Click], box: Box | None
) -> Bools:
    """The mask (H, W) bool of the chosen superpixels (N,) bool.

    grey (H, W) uint8: the photo's brightness. clicks: x, y, label in the photo's pixels. box: the
    mask lies in it. The outline follows the photo at its own size by the fast guided filter (He
    and Sun 2015): its coefficients are computed on the reduced photo, and applied to this one.
    """
    small = _divided(graph, chosen, clicks, grey.shape).astype(np.float32)
    light = np.asarray(cv2.cvtColor(graph.small, cv2.COLOR_RGB2GRAY), np.float32) / np.float32(255)
    mean_light, mean = _blur(light), _blur(small)
    variance = _blur(light * light) - mean_light**2
    slope = (_blur(light * small) - mean_light * mean) / (variance + np.float32(SOFTNESS))
    constant = mean - slope * mean_light
    size = (grey.shape[1], grey.shape[0])
    slope, constant = _enlarged(slope, grey.shape), _enlarged(constant, grey.shape)
    mask: Bools = slope * (grey / np.float32(255)) + constant > 0.5
    within = _within(grey.shape, box)
    mask &= within
    if not mask.any():
        plain = cv2.resize(small.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        mask = (plain.reshape(grey.shape) > 0) & within
    _honour(mask, clicks, 1.5 * max(1.0, max(size) / max(small.shape)))
    return mask if clicks or mask.any() else within


def _blur(table: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(table, (2 * RADIUS + 1, 2 * RADIUS + 1)), np.float32)


def _enlarged(table: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The table, smoothed, at the photo's size."""
    size = (shape[1], shape[0])
    large = cv2.resize(_blur(table), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32).reshape(shape)


def _within(shape: tuple[int, ...], box: Box | None) -> Bools:
    """The pixels that the box touches, (H, W)."""
    within = np.ones((shape[0], shape[1]), np.bool_)
    if box is not None:
        left, top = max(0, int(np.floor(box[0]))), max(0, int(np.floor(box[1])))
        right, bottom = int(np.ceil(box[2])), int(np.ceil(box[3]))
        within[:top] = within[bottom:] = False
        within[:, :left] = within[:, right:] = False
    return within


def _divided(
    graph: Graph, chosen: Bools, clicks: Sequence[Click], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """The mask of the reduced photo. A superpixel with clicks of both meanings is divided: each
    of its pixels goes with the click that is nearest in place and colour.
    """
    labels = graph.labels
    mask = chosen[labels]
    places: dict[int, list[tuple[int, int, bool]]] = {}
    for x, y, label in clicks:
        row, column = at(y, shape[0], labels.shape[0]), at(x, shape[1], labels.shape[1])
        places.setdefault(int(labels[row, column]), []).append((row, column, label))
    for superpixel, found in places.items():
        if len({label for _, _, label in found}) < 2:
            continue
        rows, columns = np.nonzero(labels == superpixel)
        colours = graph.small[rows, columns].astype(np.float32)
        distances = [
            np.hypot(rows - row, columns - column)
            + 0.1 * np.linalg.norm(colours - graph.small[row, column], axis=1)
            for row, column, _ in found
        ]
        meaning = np.array([label for _, _, label in found])
        mask[rows, columns] = meaning[np.argmin(distances, axis=0)]
    return mask


def at(place: float, full: int, small: int) -> int:
    """The row (or column) of the reduced photo in which a place of the photo lies."""
    return min(small - 1, max(0, int(place * small / full)))


def _honour(mask: Bools, clicks: Sequence[Click], radius: float) -> None:
    """Write each click's meaning, in a small disc where the mask says otherwise."""
    height, width = mask.shape
    for x, y, label in clicks:
        row, column = at(y, height, height), at(x, width, width)
        if mask[row, column] == label:
            continue
        away = [np.hypot(u - x, v - y) for u, v, other in clicks if other != label]
        reach = min([radius, *(distance / 2 for distance in away)])
        top, left = max(0, int(row - reach)), max(0, int(column - reach))
        part = mask[top : int(row + reach) + 1, left : int(column + reach) + 1]
        rows, columns = np.ogrid[: part.shape[0], : part.shape[1]]
        part[np.hypot(rows + top - row, columns + left - column) <= reach] = label
    for x, y, label in clicks:  # discs may touch; where two clicks share a pixel the last counts
        mask[at(y, height, height), at(x, width, width)] = label
