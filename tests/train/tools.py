"""Tiny photos and a tiny network for the tests of training."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn


class Tiny(nn.Module):
    """Two outputs from a few convolutions, with dropout, which draws from torch's own generator."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, width, 3, padding=1)
        self.middle = nn.Conv2d(width, width, 5, padding=4, dilation=2)
        self.last = nn.Conv2d(width, 3, 3, padding=1)
        self.drop = nn.Dropout(0.1)

    def forward(self, picture: Tensor, mask: Tensor) -> Sequence[Tensor]:
        features = torch.relu(self.first(torch.cat([picture, mask], 1)))
        coarse = torch.tanh(self.last(features))
        features = features + torch.relu(self.middle(self.drop(features)))
        return [coarse, torch.tanh(self.last(features))]


class Calm(Tiny):
    """Without dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.0)


class Single(Calm):
    """With its last output alone."""

    def forward(self, picture: Tensor, mask: Tensor) -> Sequence[Tensor]:
        return super().forward(picture, mask)[-1:]


class Cropping(Tiny):
    """One that does not keep the shape."""

    def forward(self, picture: Tensor, mask: Tensor) -> Sequence[Tensor]:
        return [made[..., 1:] for made in super().forward(picture, mask)]


def write_photos(folder: Path, count: int = 16, size: tuple[int, int] = (40, 30)) -> Path:
    """Photos (width, height) of coloured blocks, each another."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for index in range(count):
        blocks = rng.integers(0, 255, (size[1] // 10 + 1, size[0] // 10 + 1, 3))
        pixels = np.kron(blocks, np.ones((10, 10, 1)))[: size[1], : size[0]].astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:02d}.png")
    return folder
