"""LPIPS, version 0.1: the distance of two pictures as a network sees them.

R. Zhang, P. Isola, A. A. Efros, E. Shechtman and O. Wang, "The Unreasonable Effectiveness of Deep
Features as a Perceptual Metric", CVPR 2018, equation 1. The heads have the names of the authors'
files.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from infill.nets.alexnet import AlexNet
from infill.nets.vgg import Vgg16

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""What is taken off pictures in [-1, 1] before they are divided by `SCALE`: torchvision's mean and
standard deviation as the authors round them."""

TINY = 1e-10
"""Added to the length of a feature before it is divided by that."""


class Heads(nn.Module):
    """The learnt weight w of every channel of each layer: `lin0.model.1.weight` (1, C, 1, 1), and
    so on. The dropout before each, which makes it number 1, does nothing outside training."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        for number, width in enumerate(widths):
            head = nn.Module()
            head.model = nn.Sequential(nn.Dropout(), nn.Conv2d(width, 1, 1, bias=False))
            setattr(self, f"lin{number}", head)
        self.count = len(widths)

    def forward(self, squares: Sequence[Tensor]) -> list[Tensor]:
        """Maps (N, C, h, w) of squared differences, weighed and summed over channels: (N, 1, h, w)
        each."""
        return [
            getattr(self, f"lin{number}").model(square) for number, square in enumerate(squares)
        ]


class Lpips(nn.Module):
    """trunk: what sees the pictures; heads: of as many layers as it shows."""

    shift: Tensor
    scale: Tensor

    def __init__(self, trunk: AlexNet | Vgg16, heads: Heads) -> None:
        super().__init__()
        self.trunk, self.heads = trunk, heads
        self.register_buffer("shift", torch.tensor(SHIFT).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(SCALE).view(1, 3, 1, 1), persistent=False)

    @property
    def least(self) -> int:
        """Shorter side of the smallest picture, in pixels."""
        return self.trunk.least

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """a, b: (N, 3, H, W) in [-1, 1]. The distances (N,), and their maps (N, H, W).

        The distance is the sum over the layers of each one's mean over its own places. The map is
        the sum of the layers' maps made as large as the pictures, bilinear between the middles of
        their pixels; its mean is close to the distance and not equal to it.
        """
        shown = self.trunk((torch.cat((a, b)) - self.shift) / self.scale)
        squares = []
        for layer in shown:
            one, other = (layer / (layer.norm(dim=1, keepdim=True) + TINY)).chunk(2)
            squares.append((one - other) ** 2)
        maps = self.heads(squares)
        size = a.shape[-2:]
        large = [interpolate(each, size, mode="bilinear", align_corners=False) for each in maps]
        distance = torch.stack([each.mean(dim=(1, 2, 3)) for each in maps]).sum(0)
        return distance, torch.stack(large).sum(0)[:, 0]
