"""The files of a model's folder: which are wanted, which are missing, what their hashes are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infill import weights
from infill.errors import MissingWeights

INDEX = "model_index.json"
SMALL = (INDEX, "*/*.json", "*/*.txt", "*/*.model", "*/*.jinja")
NETWORKS = ("text_encoder", "unet", "transformer", "vae", "movq", "prior", "image_encoder")
KINDS = ("*.json", "*.txt", "*.model", "*.jinja", "*.safetensors")


def wanted(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Patterns of the files of those parts, and of no others: repositories hold much more."""
    return (INDEX, *(f"{part}/{kind}" for part in parts for kind in KINDS))


def indexed(folder: Path) -> bool:
    """Whether a folder is laid out as diffusers does it."""
    return (folder / INDEX).is_file()


def index(folder: Path) -> dict[str, Any]:
    """The folder's `model_index.json`. Raises `MissingWeights`."""
    found = config(folder, INDEX)
    if not found:
        raise MissingWeights(
            f"{folder} has no readable {INDEX}, so it is no model of diffusers; name the folder "
            "that holds it"
        )
    return found


def config(folder: Path, name: str = "config.json") -> dict[str, Any]:
    """A file of settings; empty where there is none that can be read."""
    try:
        read = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def whole(folder: Path, parts: tuple[str, ...]) -> bool:
    """Whether a model's folder has all parts."""
    return indexed(folder) and not list(missing(folder, parts))


def check_whole(folder: Path, parts: tuple[str, ...], where: str = "model") -> None:
    """Raise `MissingWeights` that names the first part a folder lacks. where: its option."""
    for lacking in missing(folder, parts):
        raise MissingWeights(
            f"{folder} lacks {lacking}; fetch the model again or set option {where} to a whole one"
        )


def missing(folder: Path, parts: tuple[str, ...]) -> Iterator[str]:
    """What a folder lacks, in words. Raises `MissingWeights` for pickles in place of weights."""
    said = index(folder)
    for part in parts:
        if said.get(part, ["", ""])[0] is None:  # the model does without, as it says itself
            continue
        inside = folder / part
        if not inside.is_dir():
            yield f"the folder {part}"
        elif part.startswith(NETWORKS):
            if not (inside / "config.json").is_file():
                yield f"{part}/config.json"
            lacking = _missing_weights(inside)
            if lacking:
                yield lacking


def _missing_weights(inside: Path) -> str | None:
    """What of a network's weights is not there: all of them, or one of several files."""
    for path in sorted(inside.glob("*.safetensors.index.json")):
        for name in sorted(set(config(inside, path.name).get("weight_map", {}).values())):
            if not (inside / name).is_file():
                return f"{inside.name}/{name}"
    if list(inside.glob("*.safetensors")):
        return None
    for path in sorted(inside.iterdir()):
        weights.check_safe(path)
    return f"{inside.name}'s weights (a .safetensors file)"


def variant(folder: Path, parts: tuple[str, ...]) -> str | None:
    """How the files of weights are marked where there are no unmarked ones: "fp16" and such."""
    for part in parts:
        marks = set()
        for path in (folder / part).glob("*.safetensors"):
            told = re.search(r"\.(fp16|bf16|fp32)(?:-|\.)", path.name)
            marks.add(told[1] if told else None)
        if marks and None not in marks:
            return sorted(mark for mark in marks if mark)[0]
    return None


def hashes(folder: Path, parts: tuple[str, ...], name: str) -> dict[str, str]:
    """SHA-256 of each safetensors file of the parts, as `name/part/file`."""
    files = [path for part in parts for path in sorted((folder / part).glob("*.safetensors"))]
    return {
        f"{name}/{path.relative_to(folder).as_posix()}": weights.sha256_of(path) for path in files
    }
