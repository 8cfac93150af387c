"""SN-PatchGAN: a spectral-normalised judge of every patch (Yu et al. 2019, section 3.3)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from infill.nets.deepfill.layers import Layout, check_layout, pad_same

KERNEL, STRIDE, LEAK = 5, 2, 0.2
WIDTH = 64
CHANNELS = 4
"""Of the input: three of the photo, and the mask."""


class SpectralConv(nn.Conv2d):
    """A convolution whose weight is divided by its largest singular value before every use.

    Miyato et al. 2018, algorithm 1: one step of the power iteration each time. In training the
    left vector found is kept (`weight_u`); out of training it is not, so that evaluation does
    not change the network.
    """

    weight_u: Tensor

    def __init__(self, inputs: int, outputs: int, padding: int) -> None:
        super().__init__(inputs, outputs, KERNEL, STRIDE, padding)
        self.register_buffer("weight_u", torch.empty(outputs, 1))
        nn.init.trunc_normal_(self.weight_u)

    def normalised(self) -> Tensor:
        """The weight over its largest singular value; the vectors count as constants."""
        with torch.autocast(self.weight.device.type, enabled=False):
            flat = self.weight.flatten(1)
            with torch.no_grad():
                right = functional.normalize(flat.t() @ self.weight_u, dim=0)
                left = functional.normalize(flat @ right, dim=0)
                if self.training:
                    self.weight_u.copy_(left)
            return self.weight / (left.t() @ flat @ right)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.normalised(), self.bias)


class Layer(nn.Module):
    """A spectral-normalised 5 × 5 convolution of stride 2, and a leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.conv_sn = SpectralConv(inputs, outputs, 0 if layout == "tf" else KERNEL // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, ceil(H / 2), ceil(W / 2))."""
        if self.layout == "tf":
            x = pad_same(x, KERNEL, STRIDE)
        return functional.leaky_relu(self.conv_sn(x), LEAK)


class Discriminator(nn.Module):
    """Six layers; names as in the published files, which are the same in both layouts.

    inputs: 4 as published. width: channels of the first layer (64 as published), which grow to
    four times that. layout: see the package; `ValueError` for others.
    """

    def __init__(
        self, inputs: int = CHANNELS, width: int = WIDTH, *, layout: Layout = "plain"
    ) -> None:
        super().__init__()
        check_layout(layout)
        self.conv1 = Layer(inputs, width, layout)
        self.conv2 = Layer(width, 2 * width, layout)
        self.conv3 = Layer(2 * width, 4 * width, layout)
        self.conv4 = Layer(4 * width, 4 * width, layout)
        self.conv5 = Layer(4 * width, 4 * width, layout)
        self.conv6 = Layer(4 * width, 4 * width, layout)

    def features(self, x: Tensor) -> list[Tensor]:
        """What each of the six layers makes of (N, inputs, H, W); the last is the verdict."""
        made = []
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4, self.conv5, self.conv6):
            x = layer(x)
            made.append(x)
        return made

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, 4 width, H/64, W/64): a verdict at each place and channel.

        The hinge loss is taken at every point of it; the published code flattens it first, which
        changes nothing there.
        """
        return self.features(x)[-1]
