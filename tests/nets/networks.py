"""Small networks with lively random weights, and tables for the references in float64."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from infill.nets import deepfill, lama

KEYS = Path(__file__).with_name("keys")
TINY = lama.Shape(width=4, halvings=3, blocks=2, share=0.75)


def published(name: str) -> list[tuple[str, tuple[int, ...]]]:
    """Names and shapes in a list that the published code made."""
    lines = (KEYS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    return [
        (key, () if size == "-" else tuple(int(side) for side in size.split("x")))
        for key, size in rows
    ]


def listed(state: dict[str, Tensor]) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, tuple(value.shape)) for name, value in state.items()]


def livened(network: nn.Module, seed: int = 0) -> nn.Module:
    """Biases and statistics that are not 0 and 1, and values that keep their size on the way."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(like: Tensor, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(like.shape, generator=generator)

    with torch.no_grad():
        for name, value in (*network.named_parameters(), *network.named_buffers()):
            if name.endswith("running_var"):
                value.copy_(drawn(value, 0.5, 2))
            elif value.is_floating_point() and value.ndim == 1:
                middle = 1.0 if name.endswith("weight") else 0.0
                value.copy_(drawn(value, middle - 0.2, middle + 0.2))
            elif value.is_floating_point() and not name.endswith("fuse_weight"):
                reach = (6 / value[0].numel()) ** 0.5
                value.copy_(drawn(value, -reach, reach))
    return network


def deepfill_of(layout: str, width: int = 8, *, fuse: bool | None = None) -> deepfill.Generator:
    network = deepfill.Generator(width, layout=layout, fuse=fuse)
    livened(network)
    return network.eval().requires_grad_(False)


def lama_of(shape: lama.Shape = TINY) -> lama.Generator:
    network = lama.Generator(shape)
    livened(network)
    return network.eval().requires_grad_(False)


def table(network: nn.Module) -> dict[str, np.ndarray]:
    """The network's tensors in float64."""
    return {name: value.double().numpy() for name, value in network.state_dict().items()}


def drawn(*shape: int, seed: int = 1) -> Tensor:
    """Normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def scene(
    height: int = 32, width: int = 32, count: int = 1, seed: int = 2
) -> tuple[Tensor, Tensor]:
    """Photos in [0, 1], and masks, each with its own hole."""
    photo = torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(seed))
    mask = torch.zeros(count, 1, height, width)
    for number in range(count):
        top = 4 + 5 * number
        mask[number, :, top : top + height // 3, 6 : 6 + width // 2] = 1
    return photo, mask


def far(ours: Tensor, theirs: np.ndarray) -> float:
    """The largest difference."""
    assert tuple(ours.shape) == theirs.shape
    return float(np.abs(ours.double().numpy() - theirs).max())


def outputs(network: nn.Module, run: Callable[[], object]) -> dict[str, object]:
    """What every module of a network gives while `run` runs, by its name."""
    made: dict[str, object] = {}
    hooks = [
        module.register_forward_hook(lambda _, __, out, name=name: made.__setitem__(name, out))
        for name, module in network.named_modules()
    ]
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()
    return made
