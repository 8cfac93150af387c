"""The two networks that fill: a coarse one, and one that refines it with contextual attention."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from infill.errors import BadPixels
from infill.nets.deepfill.attention import ContextualAttention
from infill.nets.deepfill.layers import Conv, Down, GatedConv, Layout, Up, check_layout

MULTIPLE = 8
"""Both sides are multiples of it: halved twice by convolutions, and once more to be matched."""

CHANNELS = 5
"""Of the input: three of the photo with its hole zeroed, a plane of ones, the mask."""

WIDTH = 48
"""Channels after the first halving in the published files (`cnum`)."""


@dataclass(frozen=True)
class Looked:
    """coarse, refined: (N, 3, H, W) in [-1, 1]; offsets: (N, 2, H/8, W/8) int64, see
    `ContextualAttention` and `flow_picture`."""

    coarse: Tensor
    refined: Tensor
    offsets: Tensor


def prepare(photo: Tensor, mask: Tensor) -> Tensor:
    """The network's input (N, 5, H, W), from a photo (N, 3, H, W) in [-1, 1] and a mask
    (N, 1, H, W), 1 = hole. What lies in the hole is zeroed."""
    ones = torch.ones_like(mask)
    return torch.cat((photo * (1 - mask), ones, mask), 1)


class Coarse(nn.Module):
    """Stage I: an encoder-decoder whose middle sees far. `width` is a multiple of 4."""

    def __init__(self, inputs: int, width: int, layout: Layout) -> None:
        super().__init__()
        wide = 2 * width
        self.conv1 = GatedConv(inputs, width // 2, 5, layout=layout)
        self.down_block1 = Down(width // 2, width, layout=layout)
        self.down_block2 = Down(width, wide, layout=layout)
        self.conv_bn1 = GatedConv(wide, wide, layout=layout)
        self.conv_bn2 = GatedConv(wide, wide, dilation=2, layout=layout)
        self.conv_bn3 = GatedConv(wide, wide, dilation=4, layout=layout)
        self.conv_bn4 = GatedConv(wide, wide, dilation=8, layout=layout)
        self.conv_bn5 = GatedConv(wide, wide, dilation=16, layout=layout)
        self.conv_bn6 = GatedConv(wide, wide, layout=layout)
        self.conv_bn7 = GatedConv(wide, wide, layout=layout)
        self.up_block1 = Up(wide, width, layout=layout)
        self.up_block2 = Up(width, width // 4, width // 2, layout=layout)
        self.conv_to_rgb = Conv(width // 4, 3, layout=layout)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, 3, H, W) in (-1, 1)."""
        x = self.down_block2(self.down_block1(self.conv1(x)))
        x = self.conv_bn3(self.conv_bn2(self.conv_bn1(x)))
        x = self.conv_bn5(self.conv_bn4(x))
        x = self.conv_bn7(self.conv_bn6(x))
        x = self.up_block2(self.up_block1(x))
        return torch.tanh(self.conv_to_rgb(x))


class Fine(nn.Module):
    """Stage II: one branch that sees far and one that attends, joined and decoded."""

    def __init__(self, width: int, layout: Layout, fuse: bool) -> None:
        super().__init__()
        wide = 2 * width
        self.conv_conv1 = GatedConv(3, width // 2, 5, layout=layout)
        self.conv_down_block1 = Down(width // 2, width, width // 2, layout=layout)
        self.conv_down_block2 = Down(width, wide, width, layout=layout)
        self.conv_conv_bn1 = GatedConv(wide, wide, layout=layout)
        self.conv_conv_bn2 = GatedConv(wide, wide, dilation=2, layout=layout)
        self.conv_conv_bn3 = GatedConv(wide, wide, dilation=4, layout=layout)
        self.conv_conv_bn4 = GatedConv(wide, wide, dilation=8, layout=layout)
        self.conv_conv_bn5 = GatedConv(wide, wide, dilation=16, layout=layout)

        self.ca_conv1 = GatedConv(3, width // 2, 5, layout=layout)
        self.ca_down_block1 = Down(width // 2, width, width // 2, layout=layout)
        self.ca_down_block2 = Down(width, wide, layout=layout)
        self.ca_conv_bn1 = GatedConv(wide, wide, activation=functional.relu, layout=layout)
        self.contextual_attention = ContextualAttention(fuse=fuse, layout=layout)
        self.ca_conv_bn4 = GatedConv(wide, wide, layout=layout)
        self.ca_conv_bn5 = GatedConv(wide, wide, layout=layout)

        self.conv_bn6 = GatedConv(2 * wide, wide, layout=layout)
        self.conv_bn7 = GatedConv(wide, wide, layout=layout)
        self.up_block1 = Up(wide, width, layout=layout)
        self.up_block2 = Up(width, width // 4, width // 2, layout=layout)
        self.conv_to_rgb = Conv(width // 4, 3, layout=layout)

    def forward(
        self, x: Tensor, mask: Tensor, *, offsets: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """(N, 3, H, W) and its mask -> (N, 3, H, W) in (-1, 1), and the offsets if asked for."""
        attended, found = self._attending(x, mask, offsets)
        x = self.conv_bn6(torch.cat((self._seeing_far(x), attended), 1))
        x = self.up_block2(self.up_block1(self.conv_bn7(x)))
        return torch.tanh(self.conv_to_rgb(x)), found

    def _seeing_far(self, x: Tensor) -> Tensor:
        x = self.conv_down_block2(self.conv_down_block1(self.conv_conv1(x)))
        x = self.conv_conv_bn3(self.conv_conv_bn2(self.conv_conv_bn1(x)))
        made: Tensor = self.conv_conv_bn5(self.conv_conv_bn4(x))
        return made

    def _attending(self, x: Tensor, mask: Tensor, offsets: bool) -> tuple[Tensor, Tensor | None]:
        x = self.ca_conv_bn1(self.ca_down_block2(self.ca_down_block1(self.ca_conv1(x))))
        x, found = self.contextual_attention(x, x, mask, offsets=offsets)
        return self.ca_conv_bn5(self.ca_conv_bn4(x)), found


class Generator(nn.Module):
    """DeepFillv2 whole. Parameters are named as in the published files of the plain layout.

    width:  channels after the first halving, a multiple of 4 (48 as published).
    layout: see the package; `ValueError` for others.
    fuse:   whether the attention's scores are fused; None = as the network that was published
            with the files of this layout: plain yes, tf no. (The first authors' TensorFlow code
            fuses them.)
    """

    def __init__(
        self,
        width: int = WIDTH,
        *,
        layout: Layout = "plain",
        fuse: bool | None = None,
        inputs: int = CHANNELS,
    ) -> None:
        super().__init__()
        check_layout(layout)
        self.layout: Layout = layout
        fuse = layout == "plain" if fuse is None else fuse
        self.stage1 = Coarse(inputs, width, layout)
        self.stage2 = Fine(width, layout, fuse)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The coarse and the refined photo, both (N, 3, H, W) in (-1, 1), hole and all.

        x: (N, 5, H, W) as `prepare` makes it. mask: (N, 1, H, W), 1 = hole. H and W are multiples
        of 8. Raises `BadPixels` for other sizes.
        """
        coarse, refined, _ = self._run(x, mask, offsets=False)
        return coarse, refined

    def look(self, x: Tensor, mask: Tensor) -> Looked:
        """As `forward`, and where the attention looked."""
        coarse, refined, offsets = self._run(x, mask, offsets=True)
        assert offsets is not None
        return Looked(coarse, refined, offsets)

    def _run(
        self, x: Tensor, mask: Tensor, *, offsets: bool
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        height, width = x.shape[-2:]
        if height % MULTIPLE or width % MULTIPLE:
            raise BadPixels(
                f"the network takes sides that are multiples of {MULTIPLE}, not {width}x{height}; "
                f"pad the photo"
            )
        coarse = self.stage1(x)
        filled = coarse * mask + x[:, :3] * (1 - mask)
        refined, found = self.stage2(filled, mask, offsets=offsets)
        return coarse, refined, found
