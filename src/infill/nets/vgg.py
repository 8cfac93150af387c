"""VGG-16 without its classifier: Simonyan and Zisserman, "Very Deep Convolutional Networks for
Large-Scale Image Recognition", 2015, configuration D, with the names that torchvision gives it."""

from collections.abc import Sequence

from torch import Tensor, nn

WIDTHS = (64, 128, 256, 512, 512)
"""Channels of the five blocks."""

DEPTHS = (2, 2, 3, 3, 3)
"""Convolutions of each."""

FIRST = (0, 5, 10, 17, 24)
"""Number of each block's first convolution among the layers."""


class Vgg16(nn.Module):
    """features: the layers in a row, as torchvision numbers them, up to the last ReLU.

    widths: channels of the five blocks, other ones for small networks.
    """

    least = 16
    """Shorter side of the smallest picture, in pixels: it is halved four times."""

    def __init__(self, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        taps = []
        before = 3
        for width, depth in zip(widths, DEPTHS, strict=True):
            if layers:
                layers.append(nn.MaxPool2d(2))
            for _ in range(depth):
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU(inplace=True)]
                before = width
            taps.append(len(layers) - 1)
        self.widths = tuple(widths)
        self.taps = tuple(taps)
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> list[Tensor]:
        """x: (N, 3, H, W), sides of at least `least`. The outputs of relu1_2, relu2_2, relu3_3,
        relu4_3 and relu5_3, each (N, C, h, w)."""
        return tapped(self.features, x, self.taps)


def tapped(layers: nn.Sequential, x: Tensor, taps: Sequence[int]) -> list[Tensor]:
    """The outputs of those of the layers whose numbers are `taps`, on the way through all."""
    found = []
    for number, layer in enumerate(layers):
        x = layer(x)
        if number in taps:
            found.append(x)
    return found
