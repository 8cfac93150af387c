"""What a run leaves for others: the averaged weights, and what was done, as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from infill.errors import MissingWeights, Unwritable
from infill.files import write_atomically
from infill.train.turns import Progress

KINDS = {"float16": torch.float16, "float32": torch.float32}


def write_weights(path: Path, network: nn.Module, kind: str, about: Mapping[str, str]) -> None:
    """The weights and buffers of a network as .safetensors, whole or not at all.

    kind:  of numbers, float16 or float32; whole numbers stay as they are.
    about: text for the file's header.
    """
    tensors = {}
    for name, value in network.state_dict().items():
        value = value.detach().cpu()
        value = value.to(KINDS[kind]) if value.is_floating_point() else value
        tensors[name] = value.contiguous().clone()
    write_atomically(path, save(tensors, {"format": "pt", **about}), overwrite=True)


def read_weights(path: Path, network: nn.Module) -> None:
    """Load what `write_weights` wrote. Raises `MissingWeights`, naming what does not fit."""
    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise MissingWeights(f"{path} is no .safetensors file of weights ({error})") from error
    wanted = {name: value.shape for name, value in network.state_dict().items()}
    apart = [
        name for name in wanted.keys() | found.keys() if name not in wanted or name not in found
    ]
    apart += [name for name in wanted.keys() & found.keys() if found[name].shape != wanted[name]]
    if apart:
        raise MissingWeights(
            f"{path} is of another network: {len(apart)} tensors differ, as {sorted(apart)[0]}"
        )
    network.load_state_dict({name: value.float() for name, value in found.items()})


def write_json(path: Path, value: Any) -> None:
    """Write readable JSON, whole or not at all."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    write_atomically(path, text.encode(), overwrite=True)


def summary(config: Any, progress: Progress, **facts: Any) -> dict[str, Any]:
    """What training.json holds: the configuration, facts, and the course of the run."""
    return {
        **asdict(config),
        **facts,
        "step": progress.step,
        "minutes": round(progress.seconds / 60, 2),
        "log": progress.log,
    }


def identity(config: Any) -> str:
    """The part of a configuration that decides what comes out, as JSON.

    A run may go on in another folder, on another machine, with other logs and another number of
    threads; not with other pictures, losses or rates.
    """
    tables = asdict(config)
    for table, names in PASSING.items():
        for name in names:
            tables.get(table, {}).pop(name, None)
    tables.pop("validation", None)
    return json.dumps(tables, sort_keys=True)


PASSING = {
    "run": (
        *("name", "threads", "channels_last", "compile", "accelerate", "start_from", "export"),
        *("stop_at", "log_steps", "validate_minutes", "save_minutes", "tensorboard"),
    ),
    "data": ("photos", "ahead", "readers"),
    "masks": ("annotations",),
    "losses": ("vgg",),
}
"""What may change from one leg of a run to the next."""


def make_folders(*folders: Path) -> None:
    """Make them now, not when the work is done. Raises `Unwritable`."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unwritable(f"{folder} cannot be made: {error.strerror}") from error
