"""LaMa's generator: halved, through residual blocks of fast Fourier convolutions, doubled again."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from infill.errors import BadPixels
from infill.nets.lama.fourier import FourierBlock, Joined, Pair, ResidualBlock

CHANNELS = 4
"""Of the input: three of the photo with its hole zeroed, and the mask."""
MULTIPLE = 8
"""Both sides of what the published network takes are multiples of it."""
EDGE = 3
"""Pixels mirrored around the photo, and around the last features."""


@dataclass(frozen=True)
class Shape:
    """What makes one LaMa differ from another; the defaults are big-LaMa's.

    width: channels of the first layer; each halving doubles them, up to `most`.
    halvings, blocks: how many halvings, and residual blocks between them and the doublings.
    share: of the blocks' channels that are global, in [0, 1).
    """

    width: int = 64
    halvings: int = 3
    blocks: int = 18
    share: float = 0.75
    most: int = 1024

    def channels(self, halvings: int) -> int:
        """Channels after so many halvings."""
        return min(self.most, self.width * 2**halvings)


def prepare(photo: Tensor, mask: Tensor) -> Tensor:
    """The network's input (N, 4, H, W), from a photo (N, 3, H, W) in [0, 1] and a mask
    (N, 1, H, W), 1 = hole. What lies in the hole is zeroed."""
    return torch.cat((photo * (1 - mask), mask), 1)


class Generator(nn.Module):
    """Parameters are named `model.N.…` as in the published checkpoints."""

    def __init__(self, shape: Shape = Shape()) -> None:
        super().__init__()
        self.shape = shape
        self.multiple = 2**shape.halvings
        layers: list[nn.Module] = [
            nn.ReflectionPad2d(EDGE),
            FourierBlock(CHANNELS, shape.width, 7, 0, 0),
        ]
        for step in range(shape.halvings):
            after = shape.share if step == shape.halvings - 1 else 0
            sizes = shape.channels(step), shape.channels(step + 1)
            layers.append(FourierBlock(*sizes, 3, 0, after, stride=2, padding=1))
        self.first_block = len(layers)
        deepest = shape.channels(shape.halvings)
        layers += [ResidualBlock(deepest, shape.share) for _ in range(shape.blocks)]
        layers.append(Joined())
        for step in reversed(range(shape.halvings)):
            inputs, outputs = shape.channels(step + 1), shape.channels(step)
            layers.append(nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, output_padding=1))
            layers += [nn.BatchNorm2d(outputs), nn.ReLU()]
        layers += [nn.ReflectionPad2d(EDGE), nn.Conv2d(shape.width, 3, 7), nn.Sigmoid()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """The photo, hole and all: (N, 3, H, W) in (0, 1).

        x: (N, 4, H, W) as `prepare` makes it, H and W multiples of 2^halvings (8) and at least
        twice that. Raises `BadPixels` for other sizes.
        """
        self.check(x)
        made: Tensor = self.model(x)
        return made

    def check(self, x: Tensor) -> None:
        """Raise `BadPixels` if the network cannot take (N, 4, H, W) of this size."""
        height, width = x.shape[-2:]
        if height % self.multiple or width % self.multiple or min(height, width) < self.least:
            raise BadPixels(
                f"the network takes sides that are multiples of {self.multiple} and at least "
                f"{self.least}, not {width}x{height}; pad the photo"
            )

    @property
    def least(self) -> int:
        """The smallest side: the features must be two wide to be mirrored at their edge."""
        return 2 * self.multiple

    def front(self, x: Tensor) -> Pair:
        """(N, 4, H, W) -> the features before the first residual block, at 2^-halvings the size."""
        made: Pair = self.model[: self.first_block](x)
        return made

    def rear(self, features: Pair) -> Tensor:
        """What `front` made -> (N, 3, H, W) in (0, 1)."""
        made: Tensor = self.model[self.first_block :](features)
        return made
