"""A folder that diffusers wrote for a `UNet2DModel`: where in it the parts lie, and the hub."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infill import weights
from infill.diffusion.schedule import NoiseSchedule
from infill.errors import MissingWeights
from infill.weights import Source

if TYPE_CHECKING:
    from torch import Tensor

SAFE = "diffusion_pytorch_model.safetensors"
PICKLE = "diffusion_pytorch_model.bin"  # what older models have; read as tensors only
CONFIG = "config.json"
SCHEDULER = "scheduler_config.json"
WANTED = ("*.json", f"*{SAFE}", f"*{PICKLE}")

KNOWN = {"google/ddpm-celebahq-256": 256, "google/ddpm-ema-celebahq-256": 256}
"""Sides of models that are asked for by name, so that they need not be here to be described."""

LICENCES = {
    "google/ddpm-celebahq-256": "Apache-2.0 (trained on CelebA-HQ: non-commercial research only)"
}


def source(name: str) -> Source:
    """A model of that name on the hub (or that folder), as `infill.weights` fetches it."""
    return Source(
        name,
        wanted=WANTED,
        complete=lambda folder: reason(folder) is None,
        licence=LICENCES.get(name),
        commercial_use=False if name in LICENCES else None,
        command=f"infill download repaint --model {name}",
        holds="a network and its schedule, as diffusers' save_pretrained writes them",
    )


def locate(name: str, *, offline: bool | None = None) -> Path:
    """The folder of a model on the hub, fetched if need be. Raises `MissingWeights`."""
    return weights.find(source(name), offline=offline)


def check(folder: Path) -> None:
    """Raise `MissingWeights`, saying what is missing, unless the folder holds a whole model."""
    told = reason(folder)
    if told is not None:
        raise MissingWeights(told)


def reason(folder: Path) -> str | None:
    """Why a folder holds no whole unconditional model, None if it does."""
    home = _home(folder)
    if not (home / CONFIG).is_file():
        return (
            f"{folder} holds no model: there is no {CONFIG} in it or in unet/; name a folder that "
            f"diffusers' save_pretrained wrote"
        )
    if not ((home / SAFE).is_file() or (home / PICKLE).is_file()):
        return f"{home} has a {CONFIG} but no {SAFE}; download the weights again"
    return None


def _home(folder: Path) -> Path:
    """Where in a folder the network lies: in `unet`, as pipelines have it, or at the top."""
    inner = folder / "unet"
    return inner if (inner / CONFIG).is_file() else folder


def weights_file(folder: Path) -> Path:
    """The file of weights: safetensors where there are any."""
    home = _home(folder)
    return home / SAFE if (home / SAFE).is_file() else home / PICKLE


def configuration(folder: Path) -> dict[str, Any]:
    """config.json of a `UNet2DModel`. Raises `MissingWeights` for another kind of network."""
    path = _home(folder) / CONFIG
    told = _table(path)
    kind = told.get("_class_name", "UNet2DModel")
    if kind != "UNet2DModel":
        raise MissingWeights(
            f"{path} is of a {kind}, and only unconditional models (UNet2DModel) can be used here; "
            f"name another, or use the engine that is made for it"
        )
    return told


def schedule(folder: Path) -> NoiseSchedule | None:
    """The noise that the model was trained with, None if nothing says so.

    Raises `MissingWeights` for a scheduler that is not known.
    """
    for path in (folder / "scheduler" / SCHEDULER, folder / SCHEDULER):
        if path.is_file():
            try:
                return NoiseSchedule.from_config(_table(path))
            except (TypeError, ValueError) as error:
                raise MissingWeights(f"{path} cannot be used: {error}") from error
    return None


def stamp(path: Path) -> tuple[float, ...]:
    """Times and sizes of all that is read, so that what has changed is read again."""
    files = [path]
    if path.is_dir():
        home = _home(path)
        files = [
            home / CONFIG,
            weights_file(path),
            path / "scheduler" / SCHEDULER,
            path / SCHEDULER,
        ]
    told = [file.stat() for file in files if file.is_file()]
    return tuple(number for one in told for number in (float(one.st_mtime_ns), float(one.st_size)))


def modern(state: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """Tensors under today's names: older files call the parts of attention otherwise."""
    renamed = {
        ".query.": ".to_q.",
        ".key.": ".to_k.",
        ".value.": ".to_v.",
        ".proj_attn.": ".to_out.0.",
    }
    found = {}
    for name, value in state.items():
        if ".attentions." in name:
            for old, new in renamed.items():
                if old in name:
                    name, value = name.replace(old, new), value.reshape(value.shape[:2])
        found[name] = value
    return found


def _table(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MissingWeights(f"{path} cannot be read ({error}); download it again") from error
    if not isinstance(told, dict):
        raise MissingWeights(f"{path} is no table of names and values; download it again")
    return told
