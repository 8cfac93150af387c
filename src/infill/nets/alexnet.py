"""AlexNet without its classifier: Krizhevsky, "One weird trick for parallelizing convolutional
neural networks", 2014 (arXiv 1404.5997), with the names that torchvision gives it."""

from collections.abc import Sequence

from torch import Tensor, nn

from infill.nets.vgg import tapped

WIDTHS = (64, 192, 384, 256, 256)
"""Channels of the five convolutions."""

NUMBERS = (0, 3, 6, 8, 10)
"""Number of each convolution among the layers."""


class AlexNet(nn.Module):
    """features: the layers in a row, as torchvision numbers them, up to the last ReLU.

    widths: channels of the five convolutions, other ones for small networks.
    """

    least = 31
    """Shorter side of the smallest picture, in pixels, of which the pooling leaves something."""

    taps = tuple(number + 1 for number in NUMBERS)

    def __init__(self, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        one, two, three, four, five = widths
        self.widths = tuple(widths)
        self.features = nn.Sequential(
            nn.Conv2d(3, one, 11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(one, two, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(two, three, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(three, four, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(four, five, 3, padding=1),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """x: (N, 3, H, W), sides of at least `least`. The outputs of the five ReLUs, each
        (N, C, h, w)."""
        return tapped(self.features, x, self.taps)
