"""Inception v3 of December 2015, which the FID is defined by.

The network of C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna, "Rethinking the
Inception Architecture for Computer Vision", 2015, as Google published it for TensorFlow
(inception-2015-12-05) and M. Heusel et al. 2017 took it for the FID. It differs from the one that
torchvision has: means over a neighbourhood leave out what lies beyond the border, and the last
block takes a maximum where all others take a mean. Names are those of the public port of these
weights to PyTorch (pt_inception-2015-12-05).
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d, relu

SIDE = 299
"""Of the square that it sees, in pixels."""

FEATURES = 2048
"""Channels of its last layer before the classifier, TensorFlow's pool_3."""

EPSILON = 0.001

Pair = tuple[int, int]


class Unit(nn.Module):
    """A convolution without a bias, normalised by what was seen in training, and a ReLU."""

    def __init__(
        self, before: int, after: int, kernel: int | Pair, stride: int = 1, padding: int | Pair = 0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.bn(self.conv(x)), inplace=True)


def wide(before: int, after: int) -> Unit:
    """A unit whose kernel is one row of seven."""
    return Unit(before, after, (1, 7), padding=(0, 3))


def tall(before: int, after: int) -> Unit:
    """A unit whose kernel is one column of seven."""
    return Unit(before, after, (7, 1), padding=(3, 0))


def mean(x: Tensor) -> Tensor:
    """Means over 3 × 3 places, of those that lie within the map."""
    return avg_pool2d(x, 3, 1, 1, count_include_pad=False)


class Block35(nn.Module):
    """Maps of 35 × 35 (figure 5 of the paper)."""

    def __init__(self, before: int, pooled: int, n: int) -> None:
        super().__init__()
        self.branch1x1 = Unit(before, 64 // n, 1)
        self.branch5x5_1 = Unit(before, 48 // n, 1)
        self.branch5x5_2 = Unit(48 // n, 64 // n, 5, padding=2)
        self.branch3x3dbl_1 = Unit(before, 64 // n, 1)
        self.branch3x3dbl_2 = Unit(64 // n, 96 // n, 3, padding=1)
        self.branch3x3dbl_3 = Unit(96 // n, 96 // n, 3, padding=1)
        self.branch_pool = Unit(before, pooled // n, 1)

    def forward(self, x: Tensor) -> Tensor:
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat((self.branch1x1(x), five, three, self.branch_pool(mean(x))), 1)


class Narrowing35(nn.Module):
    """From 35 × 35 to 17 × 17."""

    def __init__(self, before: int, n: int) -> None:
        super().__init__()
        self.branch3x3 = Unit(before, 384 // n, 3, stride=2)
        self.branch3x3dbl_1 = Unit(before, 64 // n, 1)
        self.branch3x3dbl_2 = Unit(64 // n, 96 // n, 3, padding=1)
        self.branch3x3dbl_3 = Unit(96 // n, 96 // n, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat((self.branch3x3(x), three, max_pool2d(x, 3, 2)), 1)


class Block17(nn.Module):
    """Maps of 17 × 17 (figure 6 of the paper). inner: channels between the kernels of seven."""

    def __init__(self, before: int, inner: int, n: int) -> None:
        super().__init__()
        after, inner = 192 // n, inner // n
        self.branch1x1 = Unit(before, after, 1)
        self.branch7x7_1 = Unit(before, inner, 1)
        self.branch7x7_2 = wide(inner, inner)
        self.branch7x7_3 = tall(inner, after)
        self.branch7x7dbl_1 = Unit(before, inner, 1)
        self.branch7x7dbl_2 = tall(inner, inner)
        self.branch7x7dbl_3 = wide(inner, inner)
        self.branch7x7dbl_4 = tall(inner, inner)
        self.branch7x7dbl_5 = wide(inner, after)
        self.branch_pool = Unit(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return torch.cat((self.branch1x1(x), seven, twice, self.branch_pool(mean(x))), 1)


class Narrowing17(nn.Module):
    """From 17 × 17 to 8 × 8."""

    def __init__(self, before: int, n: int) -> None:
        super().__init__()
        self.branch3x3_1 = Unit(before, 192 // n, 1)
        self.branch3x3_2 = Unit(192 // n, 320 // n, 3, stride=2)
        self.branch7x7x3_1 = Unit(before, 192 // n, 1)
        self.branch7x7x3_2 = wide(192 // n, 192 // n)
        self.branch7x7x3_3 = tall(192 // n, 192 // n)
        self.branch7x7x3_4 = Unit(192 // n, 192 // n, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return torch.cat((three, self.branch7x7x3_4(seven), max_pool2d(x, 3, 2)), 1)


class Block8(nn.Module):
    """Maps of 8 × 8 (figure 7 of the paper). largest: a maximum in the place of the mean."""

    def __init__(self, before: int, n: int, *, largest: bool) -> None:
        super().__init__()
        self.largest = largest
        self.branch1x1 = Unit(before, 320 // n, 1)
        self.branch3x3_1 = Unit(before, 384 // n, 1)
        self.branch3x3_2a = Unit(384 // n, 384 // n, (1, 3), padding=(0, 1))
        self.branch3x3_2b = Unit(384 // n, 384 // n, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = Unit(before, 448 // n, 1)
        self.branch3x3dbl_2 = Unit(448 // n, 384 // n, 3, padding=1)
        self.branch3x3dbl_3a = Unit(384 // n, 384 // n, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = Unit(384 // n, 384 // n, (3, 1), padding=(1, 0))
        self.branch_pool = Unit(before, 192 // n, 1)

    def forward(self, x: Tensor) -> Tensor:
        one = self.branch3x3_1(x)
        two = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = max_pool2d(x, 3, 1, 1) if self.largest else mean(x)
        branches = (
            *(self.branch1x1(x), self.branch3x3_2a(one), self.branch3x3_2b(one)),
            *(self.branch3x3dbl_3a(two), self.branch3x3dbl_3b(two), self.branch_pool(pooled)),
        )
        return torch.cat(branches, 1)


class Inception(nn.Module):
    """shrink: divides every layer's channels, for small networks; a divisor of 16."""

    def __init__(self, shrink: int = 1) -> None:
        super().__init__()
        n = shrink
        self.shrink = shrink
        self.Conv2d_1a_3x3 = Unit(3, 32 // n, 3, stride=2)
        self.Conv2d_2a_3x3 = Unit(32 // n, 32 // n, 3)
        self.Conv2d_2b_3x3 = Unit(32 // n, 64 // n, 3, padding=1)
        self.Conv2d_3b_1x1 = Unit(64 // n, 80 // n, 1)
        self.Conv2d_4a_3x3 = Unit(80 // n, 192 // n, 3)
        self.Mixed_5b = Block35(192 // n, 32, n)
        self.Mixed_5c = Block35(256 // n, 64, n)
        self.Mixed_5d = Block35(288 // n, 64, n)
        self.Mixed_6a = Narrowing35(288 // n, n)
        self.Mixed_6b = Block17(768 // n, 128, n)
        self.Mixed_6c = Block17(768 // n, 160, n)
        self.Mixed_6d = Block17(768 // n, 160, n)
        self.Mixed_6e = Block17(768 // n, 192, n)
        self.Mixed_7a = Narrowing17(768 // n, n)
        self.Mixed_7b = Block8(1280 // n, n, largest=False)
        self.Mixed_7c = Block8(2048 // n, n, largest=True)

    def forward(self, pixels: Tensor) -> Tensor:
        """pixels: (N, 3, H, W) in [0, 255]. (N, 2048 / shrink): the means of the last maps."""
        x = (resize(pixels) - 128) / 128
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(max_pool2d(x, 3, 2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(max_pool2d(x, 3, 2))))
        x = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))
        x = self.Mixed_6e(self.Mixed_6d(x))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return x.mean(dim=(2, 3))


def resize(pixels: Tensor, side: int = SIDE) -> Tensor:
    """(N, C, H, W) as (N, C, side, side), bilinear as TensorFlow 1 does it in the published graph.

    Pixel i of the result is taken at i · H / side, so that the first pixels fall together and the
    last do not; places beyond the last pixel take that one. Nothing is smoothed first.
    """
    for axis in (2, 3):
        length = pixels.shape[axis]
        places = torch.arange(side, dtype=torch.float32, device=pixels.device) * (length / side)
        low = places.floor().long().clamp(max=length - 1)
        share = (places - low).to(pixels.dtype).view(-1, *(1,) * (3 - axis))
        first = pixels.index_select(axis, low)
        second = pixels.index_select(axis, (low + 1).clamp(max=length - 1))
        pixels = first + (second - first) * share
    return pixels
