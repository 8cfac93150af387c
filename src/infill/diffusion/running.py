"""Between an engine and the sampler: pictures as tensors, noise, threads."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infill import settings
from infill.diffusion.sampler import Draw


def to_tensor(pictures: Sequence[NDArray[np.floating]], device: str = "cpu") -> Tensor:
    """Pictures, each (H, W, 3) in [0, 1], as (N, 3, H, W) float32 in [-1, 1]."""
    stack = np.stack([picture.transpose(2, 0, 1) for picture in pictures])
    return torch.from_numpy(stack.astype(np.float32) * 2 - 1).to(device)


def to_picture(tensor: Tensor) -> NDArray[np.float32]:
    """One picture (3, H, W) in about [-1, 1] as (H, W, 3) float32 in [0, 1], clipped."""
    scaled = ((tensor.float() + 1) / 2).clamp(0, 1)
    return np.ascontiguousarray(scaled.permute(1, 2, 0).cpu().numpy())


def to_weight(mask: NDArray[np.bool_] | NDArray[np.floating], device: str = "cpu") -> Tensor:
    """A mask or weight (H, W) as (1, 1, H, W) float32."""
    return torch.from_numpy(mask.astype(np.float32))[None, None].to(device)


def drawer(rngs: Sequence[np.random.Generator], device: str = "cpu") -> Draw:
    """Noise for a batch of as many pictures as there are generators, each from its own.

    Drawn on the CPU, so that every device gets the same.
    """

    def draw(shape: tuple[int, ...]) -> Tensor:
        each = [rng.standard_normal(shape[1:], np.float32) for rng in rngs]
        return torch.from_numpy(np.stack(each)).to(device)

    return draw


_lock = threading.Lock()
_open = 0  # blocks that are running now, in any thread
_outside = 1  # PyTorch's count before the first of them


@contextmanager
def threads() -> Iterator[None]:
    """Let PyTorch use as many threads as the setting `threads` says inside a `with` block.

    The count is one number for the whole process, so it is put back when the last of several
    blocks that run at the same time ends.
    """
    global _open, _outside
    with _lock:
        if not _open:
            _outside = torch.get_num_threads()
        _open += 1
        torch.set_num_threads(settings.current().worker_threads)
    try:
        yield
    finally:
        with _lock:
            _open -= 1
            if not _open:
                torch.set_num_threads(_outside)
