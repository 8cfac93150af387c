"""Fast Fourier convolution: part of the channels see the whole picture in one layer.

"Fast Fourier Convolution" (Chi et al., NeurIPS 2020), as LaMa uses it. Features are a pair: local
channels, which ordinary convolutions make, and global ones, which go through a spectrum. Parameters
are named as in the published code.
"""

import torch
from torch import Tensor, nn

Pair = tuple[Tensor, Tensor | None]
"""Local features (N, C, H, W), and the global ones of that size, or None where there are none."""


class FourierUnit(nn.Module):
    """A 1 × 1 convolution over the spectrum: real FFT, convolution, normalisation, ReLU, inverse.

    Real and imaginary part of a channel are neighbouring channels of the convolution. The
    transforms are orthonormal, and done in float32 at least: half precision has too few digits for
    them, and cuFFT takes it at sizes that are powers of two only.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv_layer = nn.Conv2d(2 * inputs, 2 * outputs, 1, bias=False)
        self.bn = nn.BatchNorm2d(2 * outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H, W) of x's dtype."""
        height, width = x.shape[-2:]
        exact = x if x.dtype == torch.float64 else x.float()
        spectrum = torch.fft.rfftn(exact, dim=(-2, -1), norm="ortho")
        parts = torch.stack((spectrum.real, spectrum.imag), dim=2).flatten(1, 2)
        parts = torch.relu(self.bn(self.conv_layer(parts.to(x.dtype))))
        parts = parts.to(exact.dtype).unflatten(1, (-1, 2))
        spectrum = torch.complex(parts[:, :, 0].contiguous(), parts[:, :, 1].contiguous())
        made = torch.fft.irfftn(spectrum, s=(height, width), dim=(-2, -1), norm="ortho")
        return made.to(x.dtype)


class SpectralTransform(nn.Module):
    """Half the channels through a Fourier unit and past it, then up to all of them.

    local: also a Fourier unit over the four quarters of the picture, stacked as channels (the
    "local Fourier unit"); LaMa goes without. Then height and width are even and equal, and half
    the outputs are a multiple of four.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, local: bool = False) -> None:
        super().__init__()
        half = outputs // 2
        self.downsample = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        self.conv1 = nn.Sequential(
            nn.Conv2d(inputs, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU()
        )
        self.fu = FourierUnit(half, half)
        self.lfu = FourierUnit(half, half) if local else None
        self.conv2 = nn.Conv2d(half, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H / stride, W / stride)."""
        x = self.conv1(self.downsample(x))
        total = x + self.fu(x)
        if self.lfu is not None:
            total = total + self.lfu(_quarters(x[:, : x.shape[1] // 4])).repeat(1, 1, 2, 2)
        made: Tensor = self.conv2(total)
        return made


def _quarters(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, 4 C, H/2, W/2): top left, bottom left, top right, bottom right."""
    halves = torch.cat(x.chunk(2, dim=-2), 1)
    return torch.cat(halves.chunk(2, dim=-1), 1)


class FFC(nn.Module):
    """Four ways between local and global channels; the one from global to global is spectral.

    before, after: the share of the channels that is global, in and out, in [0, 1); rounded down.
    Convolutions pad by reflection and have no bias.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        before: float,
        after: float,
        *,
        stride: int = 1,
        padding: int = 0,
        local: bool = False,
    ) -> None:
        super().__init__()
        global_in, global_out = int(inputs * before), int(outputs * after)
        local_in, local_out = inputs - global_in, outputs - global_out
        if not (local_in and local_out):
            raise ValueError("some channels must be local: before and after are below 1")

        def convolution(channels: int, made: int) -> nn.Conv2d | None:
            if not (channels and made):
                return None
            return nn.Conv2d(
                channels, made, kernel, stride, padding, bias=False, padding_mode="reflect"
            )

        self.convl2l = convolution(local_in, local_out)
        self.convl2g = convolution(local_in, global_out)
        self.convg2l = convolution(global_in, local_out)
        self.convg2g = (
            SpectralTransform(global_in, global_out, stride=stride, local=local)
            if global_in and global_out
            else None
        )

    def forward(self, pair: Pair) -> Pair:
        near, wide = pair
        assert self.convl2l is not None
        made: Tensor = self.convl2l(near)
        if self.convg2l is not None:
            made = made + self.convg2l(wide)
        if self.convl2g is None:
            return made, None
        spread: Tensor = self.convl2g(near)
        if self.convg2g is not None:
            spread = spread + self.convg2g(wide)
        return made, spread


class FourierBlock(nn.Module):
    """An FFC, and of both its outputs a batch normalisation and a ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        before: float,
        after: float,
        *,
        stride: int = 1,
        padding: int = 0,
        local: bool = False,
    ) -> None:
        super().__init__()
        self.ffc = FFC(
            inputs, outputs, kernel, before, after, stride=stride, padding=padding, local=local
        )
        spread = int(outputs * after)
        self.bn_l = nn.BatchNorm2d(outputs - spread)
        self.bn_g = nn.BatchNorm2d(spread) if spread else None

    def forward(self, pair: Pair | Tensor) -> Pair:
        """Takes a plain (N, C, H, W), too: all of it local."""
        near, wide = self.ffc((pair, None) if isinstance(pair, Tensor) else pair)
        near = torch.relu(self.bn_l(near))
        return near, None if self.bn_g is None else torch.relu(self.bn_g(wide))


class ResidualBlock(nn.Module):
    """Two FFCs with normalisation and ReLU, added to what went in."""

    def __init__(self, channels: int, share: float) -> None:
        super().__init__()
        self.conv1 = FourierBlock(channels, channels, 3, share, share, padding=1)
        self.conv2 = FourierBlock(channels, channels, 3, share, share, padding=1)

    def forward(self, pair: Pair) -> Pair:
        near, wide = self.conv2(self.conv1(pair))
        if wide is None or pair[1] is None:
            return pair[0] + near, None
        return pair[0] + near, pair[1] + wide


class Joined(nn.Module):
    """A pair as one tensor: local channels first."""

    def forward(self, pair: Pair) -> Tensor:
        near, wide = pair
        return near if wide is None else torch.cat((near, wide), 1)
