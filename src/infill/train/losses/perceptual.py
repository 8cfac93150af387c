"""The distance of features of a network that knows photos."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from infill.errors import MissingWeights
from infill.nets import backbones

LAYERS = (3, 8, 15)
"""relu1_2, relu2_2 and relu3_3 among the layers of VGG-16."""
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
    """`Perceptual` with VGG-16, and weights out of torchvision's file or a .safetensors of it.

    Raises `MissingWeights` for a file that is of another network, damaged, or could run code, and
    `Unreadable` if it is not there.
    """
    try:
        network = backbones.vgg16(weights)
    except MissingWeights as error:
        raise MissingWeights(
            f"losses.vgg names no weights of VGG-16: {error} (torchvision's vgg16-397923af.pth is "
            "one)"
        ) from error
    return Perceptual(network.features)
