"""Convolutions and what stands between them, in float64 and in loops, as the papers define them.

Pictures are (C, H, W). No library but NumPy, nothing fast: this is what the networks are held to.
"""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def framed(x: Array, before: int, after: int) -> Array:
    """Zeros around, `before` above and left, `after` below and right."""
    channels, height, width = x.shape
    made = np.zeros((channels, before + height + after, before + width + after))
    made[:, before : before + height, before : before + width] = x
    return made


def mirrored(x: Array, edge: int) -> Array:
    """Mirrored around, the outermost pixels not repeated."""
    channels, height, width = x.shape
    made = np.zeros((channels, height + 2 * edge, width + 2 * edge))
    for row in range(-edge, height + edge):
        for column in range(-edge, width + edge):
            from_row = (height - 1) - abs((height - 1) - abs(row))
            from_column = (width - 1) - abs((width - 1) - abs(column))
            made[:, row + edge, column + edge] = x[:, from_row, from_column]
    return made


def convolution(
    x: Array, weight: Array, bias: Array | None = None, stride: int = 1, dilation: int = 1
) -> Array:
    """Where the kernel fits: y[o, r, c] = b[o] + Σ w[o, i, u, v] x[i, s r + d u, s c + d v]."""
    outputs, _, kernel, _ = weight.shape
    reach = dilation * (kernel - 1)
    height = (x.shape[1] - reach - 1) // stride + 1
    width = (x.shape[2] - reach - 1) // stride + 1
    made = np.zeros((outputs, height, width))
    for row in range(height):
        for column in range(width):
            top, left = stride * row, stride * column
            patch = x[:, top : top + reach + 1 : dilation, left : left + reach + 1 : dilation]
            made[:, row, column] = (weight * patch).sum((1, 2, 3))
    return made if bias is None else made + bias[:, None, None]


def padded_convolution(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    stride: int = 1,
    dilation: int = 1,
    layout: str = "plain",
) -> Array:
    """plain: d (k - 1) / 2 zeros on every side. tf: as many in all as ceil(size / s) outputs need,
    the smaller half before; rows and columns apart."""
    kernel = weight.shape[-1]
    if layout == "plain":
        edge = dilation * (kernel - 1) // 2
        return convolution(framed(x, edge, edge), weight, bias, stride, dilation)
    reach = dilation * (kernel - 1) + 1
    sides = []
    for size in x.shape[1:]:
        total = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
        sides.append((total // 2, total - total // 2))
    grown = np.pad(x, [(0, 0), *sides])
    return convolution(grown, weight, bias, stride, dilation)


def transposed_convolution(x: Array, weight: Array, bias: Array) -> Array:
    """Twice the size: every pixel of (C, H, W) stamps its 3 × 3 kernel (C, O, 3, 3), two pixels
    from its neighbour's, the first one cut by one pixel above and left."""
    channels, height, width = x.shape
    made = np.zeros((weight.shape[1], 2 * height + 1, 2 * width + 1))
    for row in range(height):
        for column in range(width):
            for channel in range(channels):
                stamp = x[channel, row, column] * weight[channel]
                made[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += stamp
    return made[:, 1:, 1:] + bias[:, None, None]


def normalised(x: Array, mean: Array, variance: Array, weight: Array, bias: Array) -> Array:
    """Batch normalisation out of training, ε = 1e-5."""
    made = np.zeros_like(x)
    for channel in range(len(x)):
        spread = math.sqrt(variance[channel] + 1e-5)
        made[channel] = (x[channel] - mean[channel]) / spread * weight[channel] + bias[channel]
    return made


def elu(x: Array) -> Array:
    return np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def leaky(x: Array) -> Array:
    return np.where(x > 0, x, 0.2 * x)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def gated(both: Array, activation: str = "elu") -> Array:
    """The first half of the channels times the sigmoid of the second."""
    half = len(both) // 2
    features = elu(both[:half]) if activation == "elu" else relu(both[:half])
    return features * sigmoid(both[half:])


def doubled(x: Array) -> Array:
    """Every pixel as 2 × 2."""
    channels, height, width = x.shape
    made = np.zeros((channels, 2 * height, 2 * width))
    for row in range(2 * height):
        for column in range(2 * width):
            made[:, row, column] = x[:, row // 2, column // 2]
    return made


def shrunk(x: Array, factor: int, layout: str) -> Array:
    """The nearest neighbour; plain: from the first pixel on; tf: corners on corners."""
    channels, height, width = x.shape
    rows, columns = height // factor, width // factor
    made = np.zeros((channels, rows, columns))
    for row in range(rows):
        for column in range(columns):
            if layout == "plain":
                made[:, row, column] = x[:, factor * row, factor * column]
            else:
                from_row = math.floor(row * (height - 1) / max(rows - 1, 1) + 0.5)
                from_column = math.floor(column * (width - 1) / max(columns - 1, 1) + 0.5)
                made[:, row, column] = x[:, from_row, from_column]
    return made


def spectral(weight: Array, left: Array) -> tuple[Array, Array]:
    """The weight over its largest singular value after one step of the power iteration from the
    left vector (O, 1), and the new left vector."""
    flat = weight.reshape(len(weight), -1)
    right = flat.T @ left[:, 0]
    right /= np.linalg.norm(right)
    new = flat @ right
    new /= np.linalg.norm(new)
    return weight / (new @ flat @ right), new[:, None]
