"""How far the pixels are from the truth."""

from collections.abc import Sequence

import torch
from torch import Tensor


def l1(made: Tensor, truth: Tensor, mask: Tensor, hole: float = 1.0, known: float = 1.0) -> Tensor:
    """Mean over all values of w · |made - truth|, w = `hole` under the mask and `known` outside.

    With both 1 it is the loss of Yu et al., "Free-Form Image Inpainting with Gated Convolution",
    2019, section 3.5, who take it of both outputs, hole and all.

    made, truth: (N, 3, H, W) in [-1, 1]. mask: (N, 1, H, W), 1 = hole. A scalar, float32.
    """
    apart = (made.float() - truth).abs()
    if hole == known:
        return hole * apart.mean()
    return (apart * (hole * mask + known * (1 - mask))).mean()


def coarse(outputs: Sequence[Tensor], truth: Tensor, mask: Tensor, **weights: float) -> Tensor:
    """The sum of `l1` over every output but the last; 0 if there is only one."""
    parts = [l1(made, truth, mask, **weights) for made in outputs[:-1]]
    return torch.stack(parts).sum() if parts else truth.new_zeros(())


def pasted(made: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """What a person gets to see: the fill in the hole, the photo outside; float32."""
    return made.float() * mask + truth * (1 - mask)
