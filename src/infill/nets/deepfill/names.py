"""Names in the files that were converted from TensorFlow, and ours, which are the plain layout's.

Only the names differ: shapes, and the order within a shape, are the same. Each row stands for
`<name>.weight` and `<name>.bias`.
"""

from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")


def _table() -> dict[str, str]:
    up = {
        "13_upsample.conv": "up_block1.conv1_upsample.conv",
        "14": "up_block1.conv2",
        "15_upsample.conv": "up_block2.conv1_upsample.conv",
        "16": "up_block2.conv2",
        "17": "conv_to_rgb",
    }
    down = {
        "2_downsample": "down_block1.conv1_downsample",
        "3": "down_block1.conv2",
        "4_downsample": "down_block2.conv1_downsample",
        "5": "down_block2.conv2",
    }
    far = {"6": "1", "7_atrous": "2", "8_atrous": "3", "9_atrous": "4", "10_atrous": "5"}
    coarse = {"1": "conv1", **down, **{key: f"conv_bn{name}" for key, name in far.items()}}
    coarse |= {"11": "conv_bn6", "12": "conv_bn7", **up}
    seeing = {"1": "conv_conv1", **{key: f"conv_{name}" for key, name in down.items()}}
    seeing |= {key: f"conv_conv_bn{name}" for key, name in far.items()}
    attending = {"1": "ca_conv1", **{key: f"ca_{name}" for key, name in down.items()}}
    attending |= {"6": "ca_conv_bn1", "9": "ca_conv_bn4", "10": "ca_conv_bn5"}
    joined = {"11": "conv_bn6", "12": "conv_bn7", **up}
    rows = {f"conv{key}": f"stage1.{name}" for key, name in coarse.items()}
    rows |= {f"xconv{key}": f"stage2.{name}" for key, name in seeing.items()}
    rows |= {f"pmconv{key}": f"stage2.{name}" for key, name in attending.items()}
    rows |= {f"allconv{key}": f"stage2.{name}" for key, name in joined.items()}
    return {f"{theirs}.conv": f"{ours}.conv" for theirs, ours in rows.items()}


FROM_TF = _table()
"""42 convolutions: the name in a converted file -> the name here."""

TO_TF = {ours: theirs for theirs, ours in FROM_TF.items()}


def from_tf(state: Mapping[str, Value]) -> dict[str, Value]:
    """A table under our names; names that the layout does not have stay as they are."""
    return _renamed(state, FROM_TF)


def to_tf(state: Mapping[str, Value]) -> dict[str, Value]:
    """A table under the names of a converted file, which lacks the constant `fuse_weight`."""
    kept = {name: value for name, value in state.items() if not name.endswith("fuse_weight")}
    return _renamed(kept, TO_TF)


def _renamed(state: Mapping[str, Value], names: Mapping[str, str]) -> dict[str, Value]:
    made = {}
    for name, value in state.items():
        module, _, leaf = name.rpartition(".")
        made[f"{names.get(module, module)}.{leaf}" if module else leaf] = value
    return made
