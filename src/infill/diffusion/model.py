"""Diffusion models: what the sampler asks of them, and how they are loaded.

Two kinds: a folder that diffusers wrote for a `UNet2DModel` (or a name on the hub), and a
checkpoint of guided-diffusion (one file). Files are read as tensors and nothing else: safetensors,
or a pickle under PyTorch's `weights_only`, which runs no code.
"""

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from infill import weights
from infill.diffusion import convert, folders
from infill.diffusion.schedule import NoiseSchedule
from infill.errors import BadOption, EngineFailed, MissingWeights
from infill.lazy import need
from infill.weights.archive import may_be_loaded, tensors_alone

EXTRA = "diffusion"
CHECKPOINTS = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")
KEPT = 2  # models that stay in memory; the largest of those known has 554 million numbers

PRECISIONS = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


class Denoiser(Protocol):
    """A model that tells the noise in a noisy photo."""

    side: int
    """The photos it was made for are side × side pixels."""
    channels: int
    schedule: NoiseSchedule
    sha256: Mapping[str, str]
    """SHA-256 (hex) of the files of weights, by where they came from."""

    def __call__(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor | None]:
        """The noise in x, and what the model says about the variance of the reverse step.

        x: (N, channels, H, W) float32, noisy photos whose clean ones lie in [-1, 1].
        t: (N,) int64, the model's own times (`NoiseSchedule.timesteps`).
        returns: ε and the variance value, both (N, channels, H, W) float32; None for the latter
            where it learned none. A value of -1 stands for the smallest variance, 1 for the
            largest.
        """
        ...


@dataclass(eq=False)
class UNetDenoiser:
    """A `UNet2DModel` as a `Denoiser`.

    precision: what the network computes with. Where a shorter one than float32 gives what is no
        number, the call is made again in float32 and so are all later ones; `fell_back` says so.
        `afresh` forgets it: each fill starts with one of its own.
    label: the class that is asked of a model that was trained with classes.
    """

    unet: nn.Module
    side: int
    channels: int
    schedule: NoiseSchedule
    sha256: Mapping[str, str]
    precision: torch.dtype = torch.float32
    label: int | None = None
    fell_back: bool = field(default=False, init=False)

    def afresh(self) -> "UNetDenoiser":
        """The same network, not fallen back: what one fill met must not change the next."""
        return replace(self)

    def __call__(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor | None]:
        """See `Denoiser.__call__`. Raises `EngineFailed` if the network gives no numbers."""
        shorter = self.precision != torch.float32 and not self.fell_back
        made = self._predict(x, t, self.precision if shorter else torch.float32)
        if not bool(torch.isfinite(made).all()):
            if shorter:
                self.fell_back = True
                made = self._predict(x, t, torch.float32)
            if not bool(torch.isfinite(made).all()):
                raise EngineFailed("the model gave values that are no numbers; its weights are bad")
        value = made[:, self.channels :] if made.shape[1] > self.channels else None
        return self._noise(x, t, made[:, : self.channels]), value

    def _predict(self, x: Tensor, t: Tensor, precision: torch.dtype) -> Tensor:
        labels = None
        if self.label is not None:
            labels = torch.full((len(x),), self.label, device=x.device)
        shorter = precision != torch.float32
        with torch.no_grad(), torch.autocast(x.device.type, dtype=precision, enabled=shorter):
            made: Tensor = self.unet(x, t, class_labels=labels, return_dict=False)[0]
        return made.float()

    def _noise(self, x: Tensor, t: Tensor, made: Tensor) -> Tensor:
        """ε from whatever the network predicts."""
        if self.schedule.prediction == "epsilon":
            return made
        every = torch.tensor(self.schedule.alphas_cumprod, dtype=x.dtype, device=x.device)
        bars = every[t].reshape(-1, 1, 1, 1)
        if self.schedule.prediction == "sample":
            return (x - bars.sqrt() * made) / (1 - bars).sqrt()
        return bars.sqrt() * made + (1 - bars).sqrt() * x


def load(
    name: str,
    device: str = "cpu",
    *,
    offline: bool | None = None,
    label: int | None = None,
    precision: str | None = None,
) -> UNetDenoiser:
    """The model, ready to be called; the last few stay in memory.

    name:  a folder of diffusers (`unet/` and `scheduler/` in it, or config.json and the weights),
        a checkpoint of guided-diffusion, or a name on the hub.
    device: as PyTorch writes it.
    offline: never touch the network; None = the settings say.
    label: the class, for models that were trained with classes.
    precision: "float32", "float16" or "bfloat16"; None = float16 on CUDA, float32 elsewhere.

    Raises `MissingWeights` for what is missing, damaged or no such model, and `BadOption` for a
    label that the model does not have or does need.
    """
    if precision is None:
        precision = "float16" if device.startswith("cuda") else "float32"
    if precision not in PRECISIONS:
        raise BadOption(f"precision is one of {', '.join(PRECISIONS)}, not {precision!r}")
    path = find(name, offline=offline)
    denoiser = _load(str(path), folders.stamp(path), name, device, label, precision)
    return denoiser


def find(name: str, *, offline: bool | None = None) -> Path:
    """The folder or file that `name` stands for. Raises `MissingWeights`."""
    path = Path(name).expanduser()
    if path.is_file():
        if path.suffix not in CHECKPOINTS:
            raise MissingWeights(f"{path} is no checkpoint; those end in {', '.join(CHECKPOINTS)}")
        return path
    if path.is_dir():
        folders.check(path)
        return path
    return folders.locate(name, offline=offline)


def side_of(name: str, *, offline: bool | None = None) -> int:
    """The side of the photos that the model was made for, without its weights being read where
    a configuration says it."""
    if name in folders.KNOWN and not Path(name).exists():
        return folders.KNOWN[name]
    path = find(name, offline=offline)
    if path.is_dir():
        return _side(folders.configuration(path), path)
    return _side_of_file(str(path), folders.stamp(path))


@lru_cache(maxsize=16)
def _side_of_file(path: str, stamp: tuple[float, ...]) -> int:
    """The side that a checkpoint's names and shapes tell; its numbers stay on the disk."""
    place = Path(path)
    return _side(convert.configuration(_checkpoint(place, shapes_only=True)), place)


def _checkpoint(place: Path, *, shapes_only: bool = False) -> dict[str, Tensor]:
    """The tensors of a checkpoint of guided-diffusion. Raises `MissingWeights` for another."""
    state = read(place, shapes_only=shapes_only)
    if not convert.is_guided_diffusion(state):
        raise MissingWeights(
            f"{place} is no checkpoint of guided-diffusion; for a diffusers model name its "
            f"folder, with config.json beside the weights"
        )
    return state


@lru_cache(maxsize=KEPT)
def _load(
    path: str, stamp: tuple[float, ...], name: str, device: str, label: int | None, precision: str
) -> UNetDenoiser:
    place = Path(path)
    if place.is_dir():
        config = folders.configuration(place)
        file = folders.weights_file(place)
        state = folders.modern(read(file))
        schedule = folders.schedule(place)
    else:
        file = place
        state = _checkpoint(file)
        config = convert.configuration(state)
        state = convert.convert(state, config)
        schedule = None
    outputs = int(config.get("out_channels", 3))
    channels = int(config.get("in_channels", 3))
    if schedule is None:
        learned = "learned_range" if outputs == 2 * channels else "fixed_small"
        schedule = NoiseSchedule.linear(variance=learned)
    if schedule.variance.startswith("learned") and outputs != 2 * channels:
        raise MissingWeights(
            f"{place} has a learned variance by its scheduler, and none by its net"
        )
    _check_label(label, config.get("num_class_embeds"), name)
    unet = _network(config, state, place).to(device)
    told = {f"{name}/{file.name}" if place.is_dir() else file.name: weights.sha256_of(file)}
    return UNetDenoiser(
        unet, _side(config, place), channels, schedule, told, PRECISIONS[precision], label
    )


def _side(config: Mapping[str, Any], place: Path) -> int:
    size = config.get("sample_size")
    sides = set(size) if isinstance(size, list | tuple) else {size}
    side = sides.pop()
    if sides or not isinstance(side, int) or side < 1:
        raise MissingWeights(f"{place} does not say the one side of its photos (sample_size)")
    return side


def _check_label(label: int | None, classes: int | None, name: str) -> None:
    if classes is None and label is not None:
        raise BadOption(f"{name} was not trained with classes; leave class_label out")
    if classes is not None and label is None:
        raise BadOption(
            f"{name} was trained with {classes} classes; say which in class_label (0 to "
            f"{classes - 1}), or take a model without classes"
        )
    if classes is not None and label is not None and not 0 <= label < classes:
        raise BadOption(f"{name} has the classes 0 to {classes - 1}, not {label}")


def _network(config: Mapping[str, Any], state: Mapping[str, Tensor], place: Path) -> nn.Module:
    """The `UNet2DModel` with its weights, for inference. Raises `MissingWeights`."""
    unet2d = need("diffusers", extra=EXTRA).UNet2DModel
    known = {key: value for key, value in config.items() if not key.startswith("_")}
    try:
        with torch.device("meta"):
            network = cast(nn.Module, unet2d(**known))
    except (TypeError, ValueError) as error:
        raise MissingWeights(
            f"the configuration in {place} makes no network ({error}); download it again"
        ) from error
    wanted = network.state_dict()
    absent = sorted(set(wanted) - set(state))
    if absent:
        raise MissingWeights(
            f"the weights in {place} lack {len(absent)} parts of the network, such as {absent[0]}; "
            f"download them again"
        )
    for key, value in wanted.items():
        if state[key].shape != value.shape:
            raise MissingWeights(
                f"the weights in {place} do not fit its configuration: {key} is "
                f"{tuple(state[key].shape)} in place of {tuple(value.shape)}"
            )
    ready = {key: state[key].to(torch.float32) for key in wanted}
    network.load_state_dict(ready, strict=True, assign=True)
    if any(value.is_meta for value in network.buffers()):  # tables that no file holds
        raise MissingWeights(f"{place} has blocks that are not supported; name another model")
    return network.eval().requires_grad_(False)


def read(path: Path, *, shapes_only: bool = False) -> dict[str, Tensor]:
    """Every tensor of a file by its name, on the CPU. Raises `MissingWeights`.

    shapes_only: the numbers are not asked for, so they stay on the disk where the file allows.
    """
    errors = need("safetensors", extra=EXTRA).SafetensorError
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        may_be_loaded(path)  # raises for one that would fill the memory, or end the process
        mapped = shapes_only and zipfile.is_zipfile(path)  # older files are read whole
        found = tensors_alone(path, mapped=mapped)
    except pickle.UnpicklingError as error:
        raise MissingWeights(
            f"{path} is no plain table of tensors (or damaged), and a pickle that holds more can "
            f"run code, so it is not read; give one that holds only weights, or .safetensors"
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, errors) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise MissingWeights(f"{path} cannot be read ({line}); download it again") from error
    if not isinstance(found, Mapping) or not found:
        raise MissingWeights(f"{path} is no table of tensors; give the weights alone")
    if not all(isinstance(value, Tensor) for value in found.values()):
        raise MissingWeights(f"{path} holds more than tensors; give the weights alone")
    return dict(found)
