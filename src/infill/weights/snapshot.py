"""The files of a model's folder: which of a repository's are wanted, and whether all are there."""

import json
import re
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle")
"""Endings of files that can run code when they are opened."""

SAFE = ".safetensors"

INERT = (SAFE, ".pth", ".pt", ".ckpt", ".bin", ".zip")
"""Endings of files that hold tensors, for those who read them so that nothing in them runs."""

_SHARD = r"(?:-\d{5}-of-\d{5})"
_VARIANT = r"(?:\.(?P<{0}>fp16|bf16|fp32|fp8|non_ema|ema|int8))"
_WEIGHTS = re.compile(
    rf"(?P<stem>.+?){_VARIANT.format('one')}?{_SHARD}?{_VARIANT.format('two')}?\.safetensors"
)


def is_pickle(name: str) -> bool:
    """Whether a file can run code when it is opened, by its ending."""
    return Path(name).suffix.lower() in PICKLES


def asks_for_weights(wanted: Sequence[str]) -> bool:
    """Whether patterns take in weights at all, or nothing but descriptions."""
    return any(one.endswith((SAFE, "*", *PICKLES)) for one in wanted if one[0] != "!")


def _fits(name: str, wanted: Sequence[str]) -> bool:
    if name.endswith(".py") or any(fnmatch(name, one[1:]) for one in wanted if one[0] == "!"):
        return False
    fit = [one for one in wanted if one[0] != "!" and fnmatch(name, one)]
    if is_pickle(name):
        return any(one.endswith(Path(name).suffix) for one in fit)
    return bool(fit)


def choose(names: Sequence[str], wanted: Sequence[str], variant: str | None = None) -> list[str]:
    """Those of a repository's files that are wanted, in their order, in one variant each.

    A network that is there as `model.safetensors` and `model.fp16.safetensors` (or in shards
    of either) is taken once: in `variant` if it is there, else plain, else in whatever
    variant there is. What can run code is taken only where a pattern names its ending, and no
    safetensors lie beside it: for those who read it as tensors and nothing else.
    """
    fit = [name for name in names if _fits(name, wanted)]
    inside = {name.rpartition("/")[0] for name in fit if name.endswith(SAFE)}
    fit = [name for name in fit if not (is_pickle(name) and name.rpartition("/")[0] in inside)]
    if "model_index.json" in names and inside - {""}:
        # A pipeline: what lies beside the folders of its parts are copies of them.
        fit = [name for name in fit if "/" in name or not name.endswith(SAFE)]
    groups: dict[str, dict[str, list[str]]] = {}
    for name in fit:
        told = _WEIGHTS.fullmatch(name)
        if told:
            group = groups.setdefault(told["stem"], {})
            group.setdefault(told["one"] or told["two"] or "", []).append(name)
    left_out: set[str] = set()
    for group in groups.values():
        order = [variant or "", "", "fp16", *sorted(group)]
        taken = next(one for one in order if one in group)
        left_out.update(name for one, members in group.items() if one != taken for name in members)
    return [name for name in fit if name not in left_out]


CONFIGURATIONS = (
    "config.json",
    "scheduler_config.json",
    "tokenizer_config.json",
    "preprocessor_config.json",
    "processor_config.json",
)
"""What a part of a pipeline is described by. Only a network has the first, and so weights."""


def whole_network(folder: Path) -> bool:
    """Whether a folder holds the weights of a network: one safetensors, or all of its shards."""
    for index in folder.glob("*.json"):
        if ".index." in index.name and all(
            (folder / str(shard)).is_file() for shard in _shards(index)
        ):
            return True
    return any(
        path.is_file() and not re.search(_SHARD, path.name) for path in folder.glob(f"*{SAFE}")
    )


def lacking(folder: Path, skip: Sequence[str] = ()) -> list[str]:
    """What a folder lacks of a diffusers pipeline, as paths in it; empty if it is whole.

    skip: parts that are not needed ("safety_checker").
    A part without a folder of its own lies in the pipeline's, as in older models.
    """
    plan = read_table(folder / "model_index.json")
    if plan is None:
        return ["model_index.json"]
    absent = []
    for part, kind in plan.items():
        named = isinstance(kind, list) and len(kind) == 2 and all(kind)
        if part.startswith("_") or part in skip or not named:
            continue
        home = folder / part if (folder / part).is_dir() else folder
        found = [name for name in CONFIGURATIONS if (home / name).is_file()]
        if not found:
            absent.append(part)
        elif found[0] == "config.json" and not whole_network(home):
            absent.append(f"{part}/*{SAFE}")
    return absent


def whole_pipeline(folder: Path) -> bool:
    """Whether a folder is a diffusers pipeline with nothing missing but the safety checker."""
    return not lacking(folder, skip=("safety_checker",))


def read_table(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file, or None if there is none to be read."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _shards(index: Path) -> set[str]:
    """The files that an index of shards names; one that does not exist if it cannot be read."""
    table = (read_table(index) or {}).get("weight_map")
    return set(table.values()) if isinstance(table, dict) and table else {"?"}


def any_weights(folder: Path) -> bool:
    """Whether a folder holds any safetensors at all, in it or in a folder of it."""
    return any(path.is_file() for path in folder.rglob(f"*{SAFE}"))


def whole(folder: Path) -> bool:
    """Whether a folder holds a model of whatever kind: a pipeline with all its parts, a network
    with all its shards, or any safetensors.
    """
    if (folder / "model_index.json").is_file():
        return whole_pipeline(folder)
    if any(".index." in path.name for path in folder.glob("*.json")):
        return whole_network(folder)
    return any_weights(folder)
