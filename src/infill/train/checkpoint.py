"""A training run on disk: one safetensors file, which can hold no code.

Tensors: `<network>.weights.<name>` and `<network>.optimiser.<parameter>.<entry>` of every
network, `average.<name>` of the one that is averaged. The header's text: `state` (step, seconds,
log) and `config`, both JSON. Random states need no place: all that is random follows from the
seed, which is in the configuration, and from the step.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from infill.errors import MissingWeights
from infill.files import write_atomically
from infill.train.turns import NETWORK, Networks

SHOWN = 3
"""How many values an error tells."""

Optimisers = Mapping[str, torch.optim.Optimizer]


def write(
    path: Path,
    networks: Networks,
    average: dict[str, Tensor],
    optimisers: Optimisers,
    state: dict[str, Any],
    config: str,
) -> None:
    """Write it all, whole or not at all, over an older one."""
    tensors = {f"average.{name}": value for name, value in average.items()}
    for title, network in networks.items():
        names = [name for name, _ in network.named_parameters()]
        for name, value in network.state_dict().items():
            tensors[f"{title}.weights.{name}"] = value
        for index, entries in optimisers[title].state_dict()["state"].items():
            for entry, value in entries.items():
                tensors[f"{title}.optimiser.{names[index]}.{entry}"] = value
    flat = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    content = save(flat, {"state": json.dumps(state), "config": config})
    write_atomically(path, content, overwrite=True)


def read(
    path: Path,
    networks: Networks,
    average: dict[str, Tensor],
    optimisers: Optimisers,
    config: str | None,
) -> dict[str, Any]:
    """Load a checkpoint into the networks, the average and the optimisers; returns its `state`.

    config: that of the run, which must be the checkpoint's; None = whatever that was, and then a
            network which the checkpoint lacks begins anew.

    Raises `MissingWeights` if the file is damaged, of a run with another configuration, or of
    another network; nothing is loaded then.
    """
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        state: dict[str, Any] = json.loads(header["state"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise MissingWeights(
            f"{path} is no checkpoint, or damaged ({error}); delete it to begin anew"
        ) from error
    if config is not None and header.get("config") != config:
        raise MissingWeights(
            f"{path} is of a run with another configuration ({_other(header, config)}); give the "
            "same one to go on with it, say --changed to go on all the same, or --restart to "
            "begin anew"
        )
    found = {
        title: _below(tensors, f"{title}.weights.")
        for title in networks
        if config is not None or title == NETWORK or _below(tensors, f"{title}.weights.")
    }
    averages = _below(tensors, "average.")
    for title, weights in found.items():
        if not _fits(weights, networks[title].state_dict()) or not _fits(averages, average):
            raise MissingWeights(f"{path} is of another network; say --restart to begin anew")
    for title, weights in found.items():
        networks[title].load_state_dict(weights)
        entries = _below(tensors, f"{title}.optimiser.")
        optimisers[title].load_state_dict(
            _optimiser_state(entries, networks[title], optimisers[title])
        )
    for name, value in average.items():
        value.copy_(averages[name])
    return state


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _fits(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> bool:
    return {name: value.shape for name, value in found.items()} == {
        name: value.shape for name, value in wanted.items()
    }


def _optimiser_state(
    tensors: dict[str, Tensor], network: nn.Module, optimiser: torch.optim.Optimizer
) -> dict[str, Any]:
    """What `load_state_dict` takes: entries by the parameter's number, groups as they are.

    A moment lies in memory as its parameter does (channels last, or not): a fused optimiser goes
    through both from end to end.
    """
    weights = dict(network.named_parameters())
    numbers = {name: index for index, (name, _) in enumerate(network.named_parameters())}
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        name, _, entry = key.rpartition(".")
        if value.shape == weights[name].shape:
            value = torch.empty_like(weights[name]).detach().copy_(value)
        state.setdefault(numbers[name], {})[entry] = value
    return {"state": state, "param_groups": optimiser.state_dict()["param_groups"]}


def _other(header: Mapping[str, str], config: str) -> str:
    """The first values in which a checkpoint's configuration is another than `config`."""
    try:
        before, now = _leaves(json.loads(header.get("config", "{}"))), _leaves(json.loads(config))
    except ValueError:
        return "it can't be read"
    apart = [name for name in sorted(before | now) if before.get(name) != now.get(name)]
    told = [f"{name} was {before.get(name)}" for name in apart[:SHOWN]]
    return ", ".join(told) + (f" and {len(apart) - SHOWN} more" if len(apart) > SHOWN else "")


def _leaves(tables: Any, before: str = "") -> dict[str, Any]:
    """The values in nested tables by their dotted names."""
    if not isinstance(tables, dict):
        return {before: tables}
    found: dict[str, Any] = {}
    for name, value in tables.items():
        found |= _leaves(value, f"{before}.{name}" if before else name)
    return found
