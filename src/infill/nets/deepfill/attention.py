"""Contextual attention: what is missing is put together from patches of what is known.

"Generative Image Inpainting with Contextual Attention" (Yu et al., CVPR 2018), section 4.1, as
DeepFillv2 uses it. Stride is 1; patches are matched at half the size of the features (rate 2) and
pasted at their full size.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from infill.nets.deepfill.layers import Layout, shrink

KERNEL = 3
"""Side of the patches that are compared, at half size."""
RATE = 2
"""How much smaller features are when they are compared."""
PASTED = 2 * RATE
"""Side of the patches that are pasted; each pixel gets four of them, hence the division."""
SCALE = 10.0
"""The softmax's scale (λ in eq. 2)."""
FUSED = 3
"""Neighbours along the diagonal that are added up, the pixel itself included."""
LEAST_NORM = 1e-4
LEAST_WEIGHT = 1e-20
"""Weights up to it become 0. They add nothing to a sum of weights that are 1 in all, and the
softmax makes many so small that processors multiply them ten to thirty times slower."""


class ContextualAttention(nn.Module):
    """Each foreground patch becomes a mean of background patches, weighed by likeness.

    fuse: add to a score those of the neighbouring pairs, moved by the same step, so that large
    patches are moved together (the propagation of eq. 3 and 4, left and right, then up and down).

    All of it is done in float32 even where the rest of the network is in half precision: the
    softmax multiplies small differences of long sums by ten.
    """

    fuse_weight: Tensor

    def __init__(self, *, fuse: bool = True, layout: Layout = "plain") -> None:
        super().__init__()
        self.fuse, self.layout = fuse, layout
        # The published files of the plain layout hold this constant; `_diagonal` is what it does.
        self.register_buffer("fuse_weight", torch.eye(FUSED).reshape(1, 1, FUSED, FUSED))

    def forward(
        self,
        foreground: Tensor,
        background: Tensor,
        mask: Tensor | None = None,
        *,
        offsets: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """What is attended to, and where it lies.

        foreground: (N, C, H, W), even sides. background: (N, C, h, w), even sides.
        mask: (N, 1, k h, k w), 1 = hole, k a whole number; each of the N has its own. A patch
              that holds a masked pixel is never pasted. None = all is known.
        Returns (N, C, H, W) in the foreground's dtype, and, if `offsets`, (N, 2, H/2, W/2) int64:
        how many rows and columns (of half size) away from each pixel the patch lies that
        weighs most. Where all is masked nothing is pasted: zeros, offsets 0.
        """
        kind = foreground.dtype
        with torch.autocast(foreground.device.type, enabled=False):
            made, found = self._attend(_exact(foreground), _exact(background), mask, offsets)
        return made.to(kind), found

    def _attend(
        self, front: Tensor, back: Tensor, mask: Tensor | None, offsets: bool
    ) -> tuple[Tensor, Tensor | None]:
        size = front.shape[-2:]
        pasted = functional.unfold(back, PASTED, padding=RATE // 2, stride=RATE)  # (N, C 16, L)
        front, back = (shrink(x, RATE, self.layout) for x in (front, back))
        usable = self._usable(back, mask)  # (N, L, 1)
        weights = self._weights(front, back, usable)  # (N, L, P)
        found = _offsets(weights, usable, front, back) if offsets else None
        columns = pasted @ weights  # (N, C 16, P)
        made = functional.fold(columns, (size[0], size[1]), PASTED, padding=RATE // 2, stride=RATE)
        return made / (PASTED / RATE) ** 2, found

    def _usable(self, back: Tensor, mask: Tensor | None) -> Tensor:
        """(N, L, 1): 1 for each background patch in which nothing is masked, else 0."""
        if mask is None:
            return back.new_ones(len(back), back.shape[-2] * back.shape[-1], 1)
        small = shrink(mask, mask.shape[-1] // back.shape[-1], self.layout).to(back.dtype)
        masked = functional.unfold(small, KERNEL, padding=KERNEL // 2).sum(1)
        return (masked == 0).to(back.dtype).unsqueeze(-1)

    def _weights(self, front: Tensor, back: Tensor, usable: Tensor) -> Tensor:
        """(N, L, P): how much of background patch l goes into foreground patch p.

        front: (N, C, H, W), back: (N, C, h, w), at half size. A convolution of the one with the
        normalised patches of the other is this product of matrices, for all N at once.
        """
        patches = functional.unfold(back, KERNEL, padding=KERNEL // 2)  # (N, C 9, L)
        # The root of the clamped sum: a patch of zeros has a gradient, too.
        norms = patches.square().sum(1, keepdim=True).clamp_min(LEAST_NORM**2).sqrt()
        scores = (patches / norms).transpose(1, 2) @ functional.unfold(
            front, KERNEL, padding=KERNEL // 2
        )
        if self.fuse:
            grids = (*back.shape[-2:], *front.shape[-2:])
            turned = _swap(_diagonal(scores), *grids)
            rows, columns, *rest = grids
            scores = _swap(_diagonal(turned), columns, rows, rest[1], rest[0])
        # Masked patches have the score 0 in the softmax before they are struck out, as published.
        weights = _softmax(scores * usable * SCALE) * usable
        return functional.threshold(weights, LEAST_WEIGHT, 0.0)


def _softmax(x: Tensor) -> Tensor:
    """The softmax over dimension 1, written out.

    PyTorch's own is rounded by how many threads there are, along any dimension but the last, and
    takes twice as long there.
    """
    x = (x - x.detach().amax(1, keepdim=True)).exp_()
    return x / x.sum(1, keepdim=True)


def attention_bytes(height: int, width: int) -> int:
    """About what the layer needs at its peak for one photo of (height, width) pixels, in bytes.

    Each of the (height / 8) (width / 8) patches is compared with each, in four tables of float32.
    It grows with the square of the pixels: 256 MiB at 512 × 512, 4 GiB at 1024 × 1024.
    """
    return 4 * 4 * ((height // 8) * (width // 8)) ** 2


def _exact(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def _diagonal(scores: Tensor) -> Tensor:
    """(N, L, P): each score and its two neighbours along the diagonal, added up; 0 outside."""
    total = scores.clone()
    for step in range(1, FUSED // 2 + 1):
        total[:, step:, step:] += scores[:, :-step, :-step]
        total[:, :-step, :-step] += scores[:, step:, step:]
    return total


def _swap(scores: Tensor, rows: int, columns: int, height: int, width: int) -> Tensor:
    """(N, rows columns, height width), counted row by row, counted column by column instead."""
    grid = scores.reshape(len(scores), rows, columns, height, width)
    return grid.permute(0, 2, 1, 4, 3).reshape(scores.shape)


def _offsets(weights: Tensor, usable: Tensor, front: Tensor, back: Tensor) -> Tensor:
    """(N, 2, H, W) int64: from each foreground pixel to the background patch that weighs most."""
    height, width = front.shape[-2:]
    best = weights.argmax(1).reshape(-1, height, width)
    found = torch.stack((best // back.shape[-1], best % back.shape[-1]), 1)
    rows = torch.arange(height, device=best.device).reshape(-1, 1).expand(height, width)
    columns = torch.arange(width, device=best.device).expand(height, width)
    any_usable = usable.amax(1).reshape(-1, 1, 1, 1) > 0
    return (found - torch.stack((rows, columns))) * any_usable
