"""Fast Fourier convolution and LaMa in float64: transforms as sums over sines and cosines."""

import cmath
import math
from collections.abc import Mapping

import numpy as np

from tests.nets.reference_convolution import (
    Array,
    convolution,
    mirrored,
    normalised,
    relu,
    sigmoid,
    transposed_convolution,
)

State = Mapping[str, Array]


def spectrum(x: Array) -> np.ndarray:
    """(H, W) -> (H, W // 2 + 1) complex: the discrete Fourier transform over √(H W)."""
    height, width = x.shape
    made = np.zeros((height, width // 2 + 1), complex)
    for v, u in np.ndindex(*made.shape):
        for row, column in np.ndindex(height, width):
            angle = -2 * math.pi * (v * row / height + u * column / width)
            made[v, u] += x[row, column] * cmath.exp(1j * angle)
    return made / math.sqrt(height * width)


def picture(parts: np.ndarray, width: int) -> Array:
    """The inverse, of any half spectrum: down the columns, then along the rows, where the missing
    frequencies are the conjugates of those there, so that their sum is real."""
    height = len(parts)
    rows = np.zeros_like(parts)
    for row, u in np.ndindex(*parts.shape):
        for v in range(height):
            rows[row, u] += parts[v, u] * cmath.exp(2j * math.pi * v * row / height)
    made = np.zeros((height, width))
    for row, column in np.ndindex(height, width):
        for u in range(parts.shape[1]):
            wave = rows[row, u] * cmath.exp(2j * math.pi * u * column / width)
            alone = u == 0 or 2 * u == width  # its own conjugate
            made[row, column] += wave.real if alone else 2 * wave.real
    return made / math.sqrt(height * width)


def mixed(x: Array, weight: Array) -> Array:
    """A 1 × 1 convolution."""
    made = np.zeros((len(weight), *x.shape[1:]))
    for output, source in np.ndindex(*weight.shape[:2]):
        made[output] += weight[output, source, 0, 0] * x[source]
    return made


def batch_norm(state: State, name: str, x: Array) -> Array:
    keys = ("running_mean", "running_var", "weight", "bias")
    return normalised(x, *(state[f"{name}.{key}"] for key in keys))


def fourier_unit(state: State, name: str, x: Array) -> Array:
    parts = []
    for channel in x:
        found = spectrum(channel)
        parts += [found.real, found.imag]
    made = mixed(np.stack(parts), state[f"{name}.conv_layer.weight"])
    made = relu(batch_norm(state, f"{name}.bn", made))
    halves = [made[2 * i] + 1j * made[2 * i + 1] for i in range(len(made) // 2)]
    return np.stack([picture(half, x.shape[2]) for half in halves])


def spectral_transform(
    state: State, name: str, x: Array, *, stride: int = 1, local: bool = False
) -> Array:
    if stride == 2:
        x = (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4
    x = relu(batch_norm(state, f"{name}.conv1.1", mixed(x, state[f"{name}.conv1.0.weight"])))
    total = x + fourier_unit(state, f"{name}.fu", x)
    if local:
        half, few = x.shape[1] // 2, x[: len(x) // 4]
        quarters = (few[:, :half, :half], few[:, half:, :half])
        quarters += (few[:, :half, half:], few[:, half:, half:])
        made = fourier_unit(state, f"{name}.lfu", np.concatenate(quarters))
        total = total + np.tile(made, (1, 2, 2))
    return mixed(total, state[f"{name}.conv2.weight"])


def ffc(
    state: State, name: str, near: Array, wide: Array | None, *, stride: int = 1, edge: int = 0
) -> tuple[Array, Array | None]:
    def convolved(way: str, x: Array) -> Array:
        grown = mirrored(x, edge) if edge else x
        return convolution(grown, state[f"{name}.{way}.weight"], stride=stride)

    local = convolved("convl2l", near)
    if wide is not None and f"{name}.convg2l.weight" in state:
        local = local + convolved("convg2l", wide)
    if f"{name}.convl2g.weight" not in state:
        return local, None
    spread = convolved("convl2g", near)
    if wide is not None:
        spread = spread + spectral_transform(state, f"{name}.convg2g", wide, stride=stride)
    return local, spread


def block(
    state: State, name: str, near: Array, wide: Array | None, *, stride: int = 1, edge: int = 0
) -> tuple[Array, Array | None]:
    near, wide = ffc(state, f"{name}.ffc", near, wide, stride=stride, edge=edge)
    near = relu(batch_norm(state, f"{name}.bn_l", near))
    return near, None if wide is None else relu(batch_norm(state, f"{name}.bn_g", wide))


def generator(
    state: State, x: Array, halvings: int, blocks: int
) -> list[tuple[Array, Array | None]]:
    """What each step makes of (4, H, W): the first block, the halvings, the residual blocks, the
    doublings, and the photo."""
    near, wide = block(state, "model.1", mirrored(x, 3), None)
    made = [(near, wide)]
    for number in range(2, 2 + halvings):
        near, wide = block(state, f"model.{number}", near, wide, stride=2, edge=1)
        made.append((near, wide))
    for number in range(2 + halvings, 2 + halvings + blocks):
        first = block(state, f"model.{number}.conv1", near, wide, edge=1)
        added = block(state, f"model.{number}.conv2", *first, edge=1)
        near = near + added[0]
        wide = None if wide is None or added[1] is None else wide + added[1]
        made.append((near, wide))
    whole = near if wide is None else np.concatenate((near, wide))
    number = 3 + halvings + blocks  # one place is taken by the joining of near and wide
    for _ in range(halvings):
        weight, bias = (state[f"model.{number}.{leaf}"] for leaf in ("weight", "bias"))
        whole = transposed_convolution(whole, weight, bias)
        whole = relu(batch_norm(state, f"model.{number + 1}", whole))
        made.append((whole, None))
        number += 3
    last = f"model.{number + 1}"
    whole = convolution(mirrored(whole, 3), state[f"{last}.weight"], state[f"{last}.bias"])
    return [*made, (sigmoid(whole), None)]
