"""Layers of networks written out in NumPy, float64, one picture (C, H, W) at a time."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Map = np.ndarray


def bordered(x: Map, rows: int, columns: int, value: float = 0.0) -> Map:
    return np.pad(x, ((0, 0), (rows, rows), (columns, columns)), constant_values=value)


def windows(x: Map, kernel: tuple[int, int], stride: int) -> Map:
    """(C, h, w, *kernel)."""
    return sliding_window_view(x, kernel, axis=(1, 2))[:, ::stride, ::stride]


def convolution(
    x: Map, weight: Map, bias: Map | None = None, stride: int = 1, padding: tuple[int, int] = (0, 0)
) -> Map:
    """weight: (out, in, kh, kw)."""
    seen = windows(bordered(x, *padding), weight.shape[2:], stride)
    made = np.einsum("chwij,ocij->ohw", seen, weight, optimize=True)
    return made if bias is None else made + bias[:, None, None]


def largest(x: Map, side: int, stride: int, padding: int = 0) -> Map:
    return windows(bordered(x, padding, padding, -np.inf), (side, side), stride).max((3, 4))


def mean_of_those_inside(x: Map) -> Map:
    """Over 3 × 3 places, of those that are not beyond the border."""
    total = windows(bordered(x, 1, 1), (3, 3), 1).sum((3, 4))
    count = windows(bordered(np.ones_like(x[:1]), 1, 1), (3, 3), 1).sum((3, 4))
    return total / count


def positive(x: Map) -> Map:
    return np.maximum(x, 0)


def enlarged(x: Map, height: int, width: int) -> Map:
    """(h, w) made (height, width): bilinear between the middles of pixels, the border repeated."""

    def along(length: int, wanted: int) -> Map:
        places = (np.arange(wanted) + 0.5) * length / wanted - 0.5
        places = np.clip(places, 0, length - 1)
        low = np.minimum(np.floor(places).astype(int), length - 1)
        high = np.minimum(low + 1, length - 1)
        matrix = np.zeros((wanted, length))
        np.add.at(matrix, (np.arange(wanted), low), 1 - (places - low))
        np.add.at(matrix, (np.arange(wanted), high), places - low)
        return matrix

    return along(x.shape[0], height) @ x @ along(x.shape[1], width).T
