"""Small networks with random weights, saved as the public files are; and those files' names."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from infill.nets.alexnet import AlexNet
from infill.nets.inception import Inception
from infill.nets.lpips import Heads
from infill.nets.vgg import Vgg16

KEYS = Path(__file__).with_name("keys")
ALEX = (6, 8, 8, 6, 5)
VGG = (3, 4, 6, 5, 4)
SHRINK = 16


def published(name: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors in a public file."""
    lines = (KEYS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    told = [line.split() for line in lines if not line.startswith("#")]
    return {
        name: () if shape == "number" else tuple(int(side) for side in shape.split("x"))
        for name, shape in told
    }


def livened(network: nn.Module, seed: int = 0) -> Any:
    """The network in evaluation with weights that let every branch count, none of them as made."""
    drawn = torch.Generator().manual_seed(seed)
    for name, value in network.state_dict().items():
        if not value.is_floating_point():
            continue
        if value.ndim == 4:
            fan = value[0].numel()
            value.copy_(torch.randn(value.shape, generator=drawn) * (2 / fan) ** 0.5)
        elif name.endswith(("running_var", "bn.weight")):
            value.copy_(0.5 + torch.rand(value.shape, generator=drawn))
        else:
            value.copy_(0.2 * torch.randn(value.shape, generator=drawn))
    return network.eval()


def alexnet() -> AlexNet:
    network: AlexNet = livened(AlexNet(ALEX))
    return network


def vgg16() -> Vgg16:
    network: Vgg16 = livened(Vgg16(VGG))
    return network


def inception() -> Inception:
    network: Inception = livened(Inception(SHRINK))
    return network


def heads(widths: tuple[int, ...]) -> Heads:
    """Weights that are not below 0, as those that were learnt are."""
    network = Heads(widths)
    drawn = torch.Generator().manual_seed(1)
    for value in network.state_dict().values():
        value.copy_(torch.rand(value.shape, generator=drawn))
    return network


def classified(network: nn.Module) -> dict[str, Tensor]:
    """The network's tensors and a classifier's, which public files have beside them."""
    rest = {"classifier.1.weight": torch.zeros(4, 6), "classifier.1.bias": torch.zeros(4)}
    return {**network.state_dict(), **rest}


def photo(height: int, width: int, seed: int = 0) -> np.ndarray:
    """(height, width, 3) float32 on 8-bit levels, smooth with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / rng.uniform(3, 9) + y / rng.uniform(3, 9) + c) for c in range(3)]
    levels = 127 + 80 * np.stack(waves, -1) + rng.integers(-30, 31, (height, width, 3))
    return (np.clip(levels, 0, 255).astype(np.uint8) / 255).astype(np.float32)
