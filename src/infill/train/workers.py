"""The gradients of one batch, computed by one thread or by several."""

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from infill.train.config import LoopConfig

Net = TypeVar("Net", bound=nn.Module)
Loss = Callable[[Net, Tensor, torch.Generator], Tensor]


class Workers(Generic[Net]):
    """Gradients of one batch by several threads, each of which takes its part of the pictures.

    On processors that others use too, this is several times as fast as sharing out every single
    operation, where all threads wait for the slowest some thousand times a step; here they wait
    once. Every thread has a copy of the network's modules with the same weights in memory, and
    gradients of its own, which are added up in a fixed order.
    """

    def __init__(self, network: Net, loss: Loss[Net], config: LoopConfig) -> None:
        self.loss, self.config = loss, config
        self.copies = [network] + [copy.deepcopy(network) for _ in range(config.workers - 1)]
        for other in self.copies[1:]:
            for theirs, ours in zip(other.parameters(), network.parameters(), strict=True):
                theirs.data = ours.data
        self.kind = next(network.parameters()).device.type
        self.pool: ThreadPoolExecutor | None = None
        if config.workers > 1:
            self.pool = ThreadPoolExecutor(
                config.workers, initializer=torch.set_num_threads, initargs=(1,)
            )

    def gradients(self, pictures: Tensor, step: int) -> float:
        """Add the gradients of the batch's mean loss to the network's weights; the loss."""
        if self.pool is None:
            return self._part(0, pictures, 1.0, step)
        parts = pictures.tensor_split(len(self.copies))
        shares = [len(part) / len(pictures) for part in parts]
        steps = [step] * len(parts)
        values = list(self.pool.map(self._part, range(len(parts)), parts, shares, steps))
        for other in self.copies[1:]:
            for ours, theirs in zip(self.copies[0].parameters(), other.parameters(), strict=True):
                if ours.grad is not None and theirs.grad is not None:
                    ours.grad.add_(theirs.grad)
                theirs.grad = None
        return sum(values)

    def _part(self, index: int, pictures: Tensor, share: float, step: int) -> float:
        draw = generator(self.config.seed, step, index)
        with torch.autocast(self.kind, torch.bfloat16, enabled=self.config.bfloat16):
            value = self.loss(self.copies[index], pictures, draw) * share
        value.backward()
        return value.item()


def generator(seed: int, step: int, part: int) -> torch.Generator:
    """The randomness of the loss in one part of the batch of one step."""
    number = np.random.SeedSequence([seed, step, part]).generate_state(1, np.uint64)[0]
    return torch.Generator("cpu").manual_seed(int(number >> np.uint64(1)))
