"""The opponent of a network that fills holes: it sees the mask, and judges every patch."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from infill.nets.deepfill.discriminator import LEAK, SpectralConv

PADDING = 2


class Patch(nn.Module):
    """Spectral-normalised 5 × 5 convolutions of stride 2, as in Yu et al., "Free-Form Image
    Inpainting with Gated Convolution", 2019, section 3.3, of any width and depth.

    width:  channels of the first layer (64 as published); they double up to four times that.
    layers: how many (6 as published, for 256 × 256). A point of the map sees a patch of
            4 (2^layers - 1) + 1 pixels a side, and there is one for each 2^layers pixels.
    The last layer's channels are all verdicts, without an activation.
    """

    def __init__(self, width: int = 64, layers: int = 6) -> None:
        super().__init__()
        if width < 1 or layers < 1:
            raise ValueError(f"width ({width}) and layers ({layers}) are at least 1")
        counts = [4, *(width * min(2**layer, 4) for layer in range(layers))]
        self.layers = nn.ModuleList(
            SpectralConv(given, made, PADDING) for given, made in pairwise(counts)
        )

    def forward(self, picture: Tensor, mask: Tensor) -> tuple[Tensor, list[Tensor]]:
        """picture: (N, 3, H, W) in [-1, 1], the hole filled; mask: (N, 1, H, W), 1 = hole.

        Returns the map of verdicts (N, C, H / 2^layers, W / 2^layers), above 0 for real, and
        the features of every layer before."""
        x, features = torch.cat([picture, mask], 1), []
        for layer in self.layers[:-1]:
            x = leaky_relu(layer(x), LEAK)
            features.append(x)
        return self.layers[-1](x), features
