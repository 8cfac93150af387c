"""What a step of training is made of: turns, in each of which one network learns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

Networks = Mapping[str, nn.Module]
Batch = dict[str, Tensor]
"""Tensors by name, each with the pictures along its first axis."""

NETWORK = "network"
"""The one that is averaged, looked at and written out; others only help it to learn."""


@dataclass(frozen=True)
class Told:
    """What a loss tells.

    loss:    a scalar to be made small; the mean over the pictures that it was given.
    figures: scalars for the log, without gradients.
    kept:    what later turns of the same step get beside the batch, without gradients.
    """

    loss: Tensor
    figures: dict[str, Tensor] = field(default_factory=dict)
    kept: Batch = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """One network's turn: `loss(networks, batch, draw)`, random by the generator `draw` alone."""

    learns: str
    loss: Callable[[Networks, Batch, torch.Generator], Told]


@dataclass
class Progress:
    """How far a run is; kept in its checkpoint."""

    step: int = 0
    seconds: float = 0.0
    log: list[dict[str, float]] = field(default_factory=list)
    """One entry per look at the held-out photos: step, minutes, mean losses, figures."""
    photos: str = ""
    """`Job.photos` of the last leg."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Job:
    """What the loop trains.

    networks: by name; `NETWORK` is one of them.
    photos:   what tells them from others, a hash of their names; a leg with others says so.
    batch:    of a step, from 0; the pictures of this process alone.
    turns:    of a step, given the fraction of the run that is done, in their order.
    rates:    learning rate of a network as a multiple of the configured one, where not 1.
    validate: figures of the averaged network after some steps; called without gradients.
    saved:    called with the averaged network after every checkpoint, the last one included.
    """

    networks: Networks
    batch: Callable[[int], Batch]
    turns: Callable[[int, float], Sequence[Turn]]
    rates: Mapping[str, float] = field(default_factory=dict)
    validate: Callable[[nn.Module, int], dict[str, float]] | None = None
    saved: Callable[[nn.Module, Progress], None] = lambda network, progress: None
    photos: str = ""
