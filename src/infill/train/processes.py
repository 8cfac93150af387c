"""One process, or several that train one network together."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from infill.lazy import need
from infill.train.config import check


class Alone:
    """One process: nothing to share."""

    index, count = 0, 1
    device: str | None = None

    @property
    def main(self) -> bool:
        """Whether this process is the one that looks, tells and writes."""
        return self.index == 0

    def share(self, size: int) -> range:
        """The places of a batch that are this process's. Raises `BadOption` if they cannot be
        shared out evenly."""
        check(
            size % self.count == 0,
            f"run.batch must be a multiple of the {self.count} processes, not {size}",
        )
        part = size // self.count
        return range(self.index * part, (self.index + 1) * part)

    def average(self, network: nn.Module) -> None:
        """Make each gradient the mean over all processes."""

    def agree(self, values: Sequence[float]) -> list[float]:
        """What the main process was given, in every process."""
        return list(values)


class Together(Alone):
    """The processes that `accelerate launch` (or torchrun) started, through `accelerate`.

    Gradients are averaged in one call after the backward passes, not while they run, so that a
    penalty on gradients and turns of two networks need no special care.
    """

    def __init__(self) -> None:
        self.accelerator: Any = need("accelerate", extra="train").Accelerator()
        self.index = self.accelerator.process_index
        self.count = self.accelerator.num_processes
        self.device = str(self.accelerator.device)

    def average(self, network: nn.Module) -> None:
        if self.count == 1:
            return
        with torch.no_grad():
            gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
            whole = torch.cat([gradient.flatten() for gradient in gradients])
            whole = self.accelerator.reduce(whole, reduction="mean")
            for gradient, part in zip(gradients, _cut(whole, gradients), strict=True):
                gradient.copy_(part.view_as(gradient))

    def agree(self, values: Sequence[float]) -> list[float]:
        if self.count == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64, device=self.device)
        broadcast = need("accelerate.utils", extra="train").broadcast
        agreed: list[float] = broadcast(told).tolist()
        return agreed


def _cut(whole: Tensor, like: Iterable[Tensor]) -> Sequence[Tensor]:
    return whole.split([tensor.numel() for tensor in like])


def processes(accelerate: bool) -> Alone:
    """How many processes there are. Raises `MissingExtra` if `accelerate` is not installed."""
    return Together() if accelerate else Alone()
