"""A small network of our own that fills holes: the one that ships inside the package.

An encoder and decoder with skips, all in plain convolutions, for processors without a GPU:

- Nothing is computed at full size. Pixels are folded 2 × 2 into channels at the entrance and
  unfolded at the exit (Shi et al. 2016), where a layer at full size would cost most of all.
- On the way down the convolutions are gated (Yu et al. 2019): what is unknown can be shut out.
- Most weights work at 1/8 and 1/16 of the size, with dilation (Yu and Koltun 2016) and, at 1/16,
  self-attention, so that every place sees the whole picture early. No batch statistics: a
  picture's fill does not depend on what else is in the batch.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

MULTIPLE = 16
"""Height and width of what the network is given are multiples of it."""


class Gated(nn.Module):
    """σ(gate) · SiLU(feature), both convolutions of the input (Yu et al. 2019, §3.1)."""

    def __init__(self, given: int, made: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(given, 2 * made, 3, stride, 1)

    def forward(self, features: Tensor) -> Tensor:
        value, gate = self.convolution(features).chunk(2, dim=1)
        return functional.silu(value) * torch.sigmoid(gate)


class Block(nn.Module):
    """x + W₂ · SiLU(W₁ · SiLU(x)), W₁ dilated. It begins as the identity: W₂ is zero at first."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, 1, dilation, dilation)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        inner = self.first(functional.silu(features))
        return features + self.second(functional.silu(inner))


class Attention(nn.Module):
    """Self-attention over all places, added to the input (Vaswani et al. 2017, equation 1)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(1, channels)
        self.project = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        count, channels, height, width = features.shape
        each = self.project(self.norm(features))
        each = each.reshape(count, 3, self.heads, channels // self.heads, height * width)
        query, key, value = each.transpose(3, 4).unbind(1)
        seen = functional.scaled_dot_product_attention(query, key, value)
        return features + self.out(seen.transpose(2, 3).reshape(count, channels, height, width))


class Pocket(nn.Module):
    """(picture, mask) → (rough, filled); see the module's text.

    channels: at 1/2, 1/4, 1/8 and 1/16 of the size; the last a multiple of `heads`.
    """

    def __init__(self, channels: Sequence[int] = (48, 80, 144, 224), heads: int = 4) -> None:
        super().__init__()
        half, quarter, eighth, sixteenth = channels
        self.enter = Gated(16, half)
        self.down4 = Gated(half, quarter, stride=2)
        self.body4 = Block(quarter)
        self.down8 = Gated(quarter, eighth, stride=2)
        self.body8 = nn.Sequential(Block(eighth), Block(eighth, 2))
        self.down16 = Gated(eighth, sixteenth, stride=2)
        self.body16 = nn.Sequential(
            Block(sixteenth),
            Attention(sixteenth, heads),
            Block(sixteenth, 2),
            Attention(sixteenth, heads),
            Block(sixteenth),
        )
        self.up8 = nn.Conv2d(sixteenth, eighth, 1)
        self.last8 = nn.Sequential(Block(eighth, 4), Block(eighth, 2), Block(eighth))
        self.rough = nn.Conv2d(eighth, 3, 3, 1, 1)
        self.up4 = nn.Conv2d(eighth, quarter, 1)
        self.last4 = Block(quarter)
        self.up2 = nn.Conv2d(quarter, half, 1)
        self.last2 = Block(half)
        self.exit = nn.Conv2d(half, 12, 3, 1, 1)

    def forward(self, picture: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """picture: (N, 3, H, W) float in [-1, 1], 0 in the hole; mask: (N, 1, H, W), 1 = hole;
        H and W multiples of `MULTIPLE`. Returns a first guess made at an eighth of the size, and
        the fill, both (N, 3, H, W) in [-1, 1]. What they hold outside the hole is a rendition."""
        at2 = self.enter(functional.pixel_unshuffle(torch.cat([picture, mask], 1), 2))
        at4 = self.body4(self.down4(at2))
        at8 = self.body8(self.down8(at4))
        at16 = self.body16(self.down16(at8))
        at8 = self.last8(at8 + _doubled(self.up8(at16)))
        rough = torch.tanh(self.rough(at8))
        at4 = self.last4(at4 + _doubled(self.up4(at8)))
        at2 = self.last2(at2 + _doubled(self.up2(at4)))
        filled = torch.tanh(functional.pixel_shuffle(self.exit(at2), 2))
        return functional.interpolate(rough, scale_factor=8.0, mode="bilinear"), filled


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")
