"""A training run on disk: one safetensors file, which can hold no code.

Tensors: `network.<name>`, `average.<name>` and `optimiser.<parameter's name>.<entry>`. The
header's text: `state` (step, seconds, log) and `config`, both JSON.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from infill.errors import MissingWeights
from infill.files import write_atomically


def write(
    path: Path,
    network: nn.Module,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
    state: dict[str, Any],
    config: str,
) -> None:
    """Write it all, whole or not at all, over an older one."""
    names = [name for name, _ in network.named_parameters()]
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.items()}
    for index, entries in optimiser.state_dict()["state"].items():
        for entry, value in entries.items():
            tensors[f"optimiser.{names[index]}.{entry}"] = value
    flat = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    content = save(flat, {"state": json.dumps(state), "config": config})
    write_atomically(path, content, overwrite=True)


def read(
    path: Path,
    network: nn.Module,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
    config: str,
) -> dict[str, Any]:
    """Load a checkpoint into the network, the average and the optimiser; returns its `state`.

    Raises `MissingWeights` if the file is damaged, of a run with another configuration, or of
    another network.
    """
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise MissingWeights(
            f"{path} is no checkpoint, or damaged ({error}); delete it to begin anew"
        ) from error
    if header.get("config") != config:
        raise MissingWeights(
            f"{path} is of a run with another configuration; give the same one to go on with it, "
            "or delete it to begin anew"
        )
    parts: dict[str, dict[str, Tensor]] = {"network": {}, "average": {}, "optimiser": {}}
    for name, value in tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = value
    shapes = {name: value.shape for name, value in average.items()}
    for part in ("network", "average"):
        if {name: value.shape for name, value in parts[part].items()} != shapes:
            raise MissingWeights(f"{path} is of another network; delete it to begin anew")
    network.load_state_dict(parts["network"])
    for name, value in average.items():
        value.copy_(parts["average"][name])
    optimiser.load_state_dict(_optimiser_state(parts["optimiser"], network, optimiser))
    state: dict[str, Any] = json.loads(header["state"])
    return state


def _optimiser_state(
    tensors: dict[str, Tensor], network: nn.Module, optimiser: torch.optim.Optimizer
) -> dict[str, Any]:
    """What `load_state_dict` takes: entries by the parameter's number, groups as they are."""
    numbers = {name: index for index, (name, _) in enumerate(network.named_parameters())}
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        name, _, entry = key.rpartition(".")
        state.setdefault(numbers[name], {})[entry] = value
    return {"state": state, "param_groups": optimiser.state_dict()["param_groups"]}
