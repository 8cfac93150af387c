"""The moving average of a network's weights, which makes better pictures than the last ones."""

import torch
from torch import Tensor, nn


def decay_at(step: int, highest: float) -> float:
    """Decay at a step (from 0): rises as (1 + step) / (10 + step) up to `highest`, so that the
    average forgets the random weights it began with."""
    return min(highest, (1 + step) / (10 + step))


@torch.no_grad()
def update(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    """Move `average`, by name, towards the network's weights by 1 - decay, in place."""
    weights = dict(network.state_dict())
    names = [name for name in average if average[name].is_floating_point()]
    torch._foreach_lerp_(
        [average[name] for name in names], [weights[name] for name in names], 1 - decay
    )
    for name in average.keys() - set(names):  # counters, which have no average
        average[name].copy_(weights[name])


def start(network: nn.Module) -> dict[str, Tensor]:
    """A copy of all weights and buffers of a network, by name."""
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
