"""The distance of features of a network that knows photos."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from infill.errors import MissingExtra, MissingWeights
from infill.lazy import need

LAYERS = (3, 8, 15)
"""relu1_2, relu2_2 and relu3_3 among the layers of torchvision's VGG-16."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the photos that it learnt from, RGB in [0, 1]."""


class Perceptual(nn.Module):
    """The mean over some layers of the mean |φ_i(made) - φ_i(truth)|: Johnson, Alahi and Fei-Fei,
    "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", 2016, section 3.2, with
    L1 for the square.

    features: layers in a row; layers: the numbers of those whose outputs are compared.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, features: nn.Sequential, layers: Sequence[int] = LAYERS) -> None:
        super().__init__()
        first = list(features.children())[: max(layers) + 1]
        self.features = nn.ModuleList(first).eval().requires_grad_(False)
        self.layers = frozenset(layers)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1))

    def forward(self, made: Tensor, truth: Tensor) -> Tensor:
        """made, truth: (N, 3, H, W) in [-1, 1]. A scalar, float32."""
        with torch.no_grad():
            wanted = self._looks(truth)
        pairs = zip(self._looks(made), wanted, strict=True)
        return torch.stack([l1_loss(a.float(), b.float()) for a, b in pairs]).mean()

    def _looks(self, pictures: Tensor) -> list[Tensor]:
        x = ((pictures + 1) / 2 - self.mean) / self.deviation
        found = []
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in self.layers:
                found.append(x)
        return found


def load(weights: Path) -> Perceptual:
    """`Perceptual` with torchvision's VGG-16 and weights out of a .safetensors file.

    Raises `MissingExtra` without torchvision, `MissingWeights` for a file that is not there or of
    another network; `infill download --convert` makes a .safetensors of a .pth.
    """
    try:
        models: Any = need("torchvision.models", extra="train")
    except MissingExtra as error:
        raise MissingExtra(
            "the perceptual loss needs torchvision; type: pip install torchvision, "
            "or set losses.perceptual=0"
        ) from error
    network = models.vgg16(weights=None)
    try:
        network.load_state_dict(load_file(weights))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise MissingWeights(
            f"{weights} holds no weights of VGG-16; name them in losses.vgg as a .safetensors file "
            "(infill download --convert vgg16.pth makes one)"
        ) from error
    return Perceptual(network.features)
