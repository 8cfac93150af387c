"""Where the weights lie, what they are, and how they are read: never a pickle, never code.

Weights that are on this machine are used as they are, without a look at the network; only what
is missing is downloaded.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infill.errors import MissingWeights
from infill.lazy import need
from infill.weights import Source, find

if TYPE_CHECKING:
    import torch
    from torch.nn import Module

EXTRA = "segment"
WEIGHTS = "model.safetensors"
WANTED = ("*.json", "*.txt", "model*.safetensors", "!*/*")
"""What is downloaded: configuration, vocabulary and weights, without the copies for others."""


def source(checkpoint: str, revision: str | None = None) -> Source:
    """What is wanted of a checkpoint. checkpoint: a local folder, or a name on the hub."""
    return Source(
        checkpoint,
        wanted=WANTED,
        complete=complete,
        revision=revision,
        extra=EXTRA,
        command=f"infill download sam --model {checkpoint}",
        where="INFILL_SAM_CHECKPOINT",
        holds=f"a config.json and all of {WEIGHTS}, as transformers' save_pretrained writes them",
    )


def locate(checkpoint: str, revision: str | None = None, *, offline: bool = False) -> Path:
    """The folder that holds a checkpoint, downloaded if it is not there and `offline` is False
    and the network is not off by the settings.

    checkpoint: a local folder, or a name on the Hugging Face hub.
    Raises `MissingWeights`, whose message is what to type, also where the hub cannot be reached.
    """
    if Path(checkpoint).expanduser().is_file():
        raise MissingWeights(f"{checkpoint} is a file; name the folder that it lies in")
    return find(source(checkpoint, revision), offline=True if offline else None)


def complete(folder: Path) -> bool:
    """Whether the folder holds a configuration and every file of the weights."""
    index = folder / f"{WEIGHTS}.index.json"
    names = set(_read(index)["weight_map"].values()) if index.is_file() else {WEIGHTS}
    return all((folder / name).is_file() for name in {"config.json", *names})


def configuration(folder: Path) -> dict[str, Any]:
    """config.json. Raises `MissingWeights` if it cannot be read."""
    return _read(folder / "config.json")


def colours(folder: Path) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """(mean, std) that the photo is normalised with, if the checkpoint says so.

    What else stands there (sizes, padding) follows from the network itself.
    """
    for name in ("preprocessor_config.json", "processor_config.json"):
        path = folder / name
        if path.is_file():
            told = _read(path)
            told = told.get("image_processor", told)
            if "image_mean" in told and "image_std" in told:
                return tuple(told["image_mean"]), tuple(told["image_std"])
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MissingWeights(f"{path} cannot be read ({error}); download it again") from error
    if not isinstance(told, dict):
        raise MissingWeights(f"{path} is no table of names and values; download it again")
    return told


def load(kind: str, folder: Path, **more: Any) -> "Module":
    """The network of that class of transformers in float32, with its weights, for inference.

    Raises `MissingWeights` where they are damaged, or do not fill the network: what is left
    would be random numbers.
    """
    transformers = need("transformers", extra=EXTRA)
    torch = need("torch", extra=EXTRA)
    errors = need("safetensors", extra=EXTRA).SafetensorError
    source = None if "state_dict" in more else folder
    try:
        with quietly():
            model, told = getattr(transformers, kind).from_pretrained(
                source,
                use_safetensors=True,
                weights_only=True,
                trust_remote_code=False,
                local_files_only=True,
                dtype=torch.float32,
                output_loading_info=True,
                **more,
            )
    except (OSError, ValueError, RuntimeError, errors) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise MissingWeights(
            f"the weights in {folder} cannot be read ({line}); download them again"
        ) from error
    absent = sorted(told["missing_keys"])
    if absent:
        raise MissingWeights(
            f"the weights in {folder} lack {len(absent)} parts of {kind}, such as {absent[0]}; "
            f"download them again"
        )
    network: Module = model.eval()
    return network.requires_grad_(False)


def tensors(folder: Path) -> "dict[str, torch.Tensor]":
    """All weights of a checkpoint by their names in its files."""
    from safetensors.torch import load_file

    files = sorted(folder.glob("model*.safetensors"))
    try:
        return {name: value for path in files for name, value in load_file(path).items()}
    except (OSError, need("safetensors", extra=EXTRA).SafetensorError) as error:
        raise MissingWeights(
            f"the weights in {folder} cannot be read ({error}); download them again"
        ) from error


@contextmanager
def quietly() -> Iterator[None]:
    """Without the bars and tables that transformers prints when it loads weights."""
    log = need("transformers.utils.logging", extra=EXTRA)
    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()
