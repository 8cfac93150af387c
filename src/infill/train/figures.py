"""How good a network's fills are, on photos it never learnt from and with masks that stay."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infill.metrics.base import METRICS, to_unit
from infill.sheets import overlay
from infill.train.losses.pixels import pasted
from infill.train.tiles import arranged

MEASURED = ("psnr", "haarpsi", "texture", "sharpness")
KEPT = ("masked_psnr", "haarpsi", "texture", "sharpness")
AT_ONCE = 16
"""Pictures that are filled in one batch."""

Fill = Callable[[Tensor, Tensor], Tensor]
"""picture (N, 3, H, W) in [-1, 1], 0 in the hole, and mask (N, 1, H, W) → the fill."""


@dataclass(frozen=True)
class HeldOut:
    """photos: (N, S, S, 3) uint8 RGB; masks: (N, S, S) bool, True = hole."""

    photos: NDArray[np.uint8]
    masks: NDArray[np.bool_]

    def filled(self, fill: Fill, device: str = "cpu") -> NDArray[np.uint8]:
        """(N, S, S, 3) uint8: the fills, pasted into their photos."""
        made = []
        for start in range(0, len(self.photos), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            photo, mask = as_tensor(self.photos[part], device), as_mask(self.masks[part], device)
            whole = pasted(fill(photo * (1 - mask), mask), photo, mask).clamp(-1, 1)
            made.append(((whole + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).cpu())
        return torch.cat(made).numpy()

    def figures(self, filled: NDArray[np.uint8]) -> dict[str, float]:
        """Means over the pictures: `l1_hole` (in [0, 1]) and those of `KEPT`; one that is not
        finite is left out."""
        rows: dict[str, list[dict[str, float]]] = {name: [] for name in MEASURED}
        apart = []
        for truth, made, mask in zip(self.photos, filled, self.masks, strict=True):
            a, b = to_unit(truth), to_unit(made)
            apart.append(float(np.abs(a[mask] - b[mask]).mean()))
            for name in MEASURED:
                rows[name].append(METRICS.get(name).measure(a, b, mask))
        found = {"l1_hole": float(np.mean(apart))}
        for name, measured in rows.items():
            found |= METRICS.get(name).reduce(measured)
        kept = {name: found[name] for name in ("l1_hole", *KEPT)}
        return {name: value for name, value in kept.items() if math.isfinite(value)}

    def sheet(self, filled: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8: for each of the first `count` pictures, side by side, the photo with
        its hole, the fill, and the truth."""
        triples: list[NDArray[np.uint8]] = []
        for truth, made, mask in zip(self.photos, filled, self.masks, strict=True):
            if len(triples) == count:
                break
            triples.append(
                np.concatenate([overlay(truth * ~mask[..., None], mask), made, truth], 1)
            )
        return arranged(np.stack(triples), columns=max(1, round(math.sqrt(len(triples) / 3))))


def as_tensor(pixels: NDArray[np.uint8], device: str = "cpu") -> Tensor:
    """uint8 RGB (N, H, W, 3) → float32 (N, 3, H, W) in [-1, 1], channels last in memory."""
    floats = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    return floats.contiguous(memory_format=torch.channels_last)


def as_mask(masks: NDArray[np.bool_], device: str = "cpu") -> Tensor:
    """bool (N, H, W) → float32 (N, 1, H, W), 1 = hole."""
    return torch.from_numpy(masks).to(device).unsqueeze(1).float()
