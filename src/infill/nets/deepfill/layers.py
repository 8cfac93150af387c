"""Gated convolution and what is made of it, in both layouts of padding."""

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

Layout = Literal["plain", "tf"]
"""Whose padding and down-sampling: PyTorch's habits, or TensorFlow's."""


def check_layout(layout: str) -> None:
    """Raise `ValueError` for a layout that there is not."""
    if layout not in get_args(Layout):
        raise ValueError(f"layout is one of {', '.join(get_args(Layout))}, not {layout!r}")


Activation = Callable[[Tensor], Tensor]


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Zeros before and after a side of `size`, so that ceil(size / stride) outputs come of it.

    TensorFlow's "same": the odd one goes to the end.
    """
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2


def pad_same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """(N, C, H, W) with zeros around as TensorFlow's "same" has them."""
    top, bottom = same_padding(x.shape[-2], kernel, stride)
    left, right = same_padding(x.shape[-1], kernel, stride)
    return functional.pad(x, (left, right, top, bottom))


def shrink(x: Tensor, factor: int, layout: Layout) -> Tensor:
    """(N, C, H, W) -> (N, C, H // factor, W // factor) by the nearest neighbour.

    plain: rows 0, factor, 2 factor, ...; tf: the first row and the last are kept and those
    between lie evenly, each at its nearest.
    """
    if layout == "plain":
        height, width = (side // factor * factor for side in x.shape[-2:])
        return x[..., :height:factor, :width:factor]
    rows, columns = (_even(side, side // factor, x.device) for side in x.shape[-2:])
    return x[:, :, rows][..., columns]


def _even(size: int, count: int, device: torch.device) -> Tensor:
    """`count` of the indices 0 to size - 1, evenly, first and last among them.

    In float32 on the processor wherever the network is: the middle of an odd count is a tie, which
    then falls as it does in the published port.
    """
    return torch.linspace(0, size - 1, count).add(0.5).floor().long().to(device)


class Conv(nn.Module):
    """A convolution that keeps the size (stride 1) or halves it (stride 2), zeros around."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        *,
        stride: int = 1,
        dilation: int = 1,
        layout: Layout = "plain",
    ) -> None:
        super().__init__()
        # With stride 1 and an odd kernel both layouts pad alike, and the convolution does it.
        self.uneven = layout == "tf" and stride > 1
        padding = 0 if self.uneven else dilation * (kernel - 1) // 2
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, ceil(H / stride), ceil(W / stride))."""
        if self.uneven:
            x = pad_same(x, self.conv.kernel_size[0], self.conv.stride[0])
        made: Tensor = self.conv(x)
        return made


class GatedConv(Conv):
    """activation(features) × sigmoid(gate), both from one convolution (Yu et al. 2019, §3.1).

    The first half of the convolution's channels are features, the second half their gates.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        *,
        stride: int = 1,
        dilation: int = 1,
        activation: Activation = functional.elu,
        layout: Layout = "plain",
    ) -> None:
        super().__init__(
            inputs, 2 * outputs, kernel, stride=stride, dilation=dilation, layout=layout
        )
        self.activation = activation
        nn.init.kaiming_uniform_(self.conv.weight, mode="fan_out", nonlinearity="relu")
        if self.conv.bias is not None:
            nn.init.zeros_(self.conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        features, gate = super().forward(x).chunk(2, dim=1)
        return self.activation(features) * torch.sigmoid(gate)


class GatedUp(nn.Module):
    """Every pixel doubled to both sides, then a gated convolution."""

    def __init__(self, inputs: int, outputs: int, *, layout: Layout = "plain") -> None:
        super().__init__()
        self.conv = GatedConv(inputs, outputs, layout=layout)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, 2 H, 2 W)."""
        made: Tensor = self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return made


class Down(nn.Module):
    """A gated convolution of stride 2, then one of stride 1."""

    def __init__(
        self, inputs: int, outputs: int, hidden: int | None = None, *, layout: Layout
    ) -> None:
        super().__init__()
        hidden = outputs if hidden is None else hidden
        self.conv1_downsample = GatedConv(inputs, hidden, stride=2, layout=layout)
        self.conv2 = GatedConv(hidden, outputs, layout=layout)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.conv2(self.conv1_downsample(x))
        return made


class Up(nn.Module):
    """Up-sampling with a gated convolution, then another one."""

    def __init__(
        self, inputs: int, outputs: int, hidden: int | None = None, *, layout: Layout
    ) -> None:
        super().__init__()
        hidden = outputs if hidden is None else hidden
        self.conv1_upsample = GatedUp(inputs, hidden, layout=layout)
        self.conv2 = GatedConv(hidden, outputs, layout=layout)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.conv2(self.conv1_upsample(x))
        return made
