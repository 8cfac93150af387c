"""Published checkpoints into these networks: whole and fitting, or not at all.

The network a file belongs to, its width and depth, are read from the names and shapes in it. See
docs/checkpoints.md for the layouts, and `infill.weights.archive` for how files are read
without running code.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from infill.errors import MissingWeights
from infill.nets import deepfill as deepfill_nets
from infill.nets import lama as lama_nets
from infill.nets.deepfill.layers import Layout, check_layout
from infill.nets.deepfill.names import from_tf
from infill.weights.archive import Archive, Entry, opened
from infill.weights.transfer import printable

PARTS = ("", "G.", "state_dict.generator.", "generator.", "model.generator.", "module.")
"""What stands before a generator's names in public files; the first that fits is taken. Any other
prefix will do if it is the only one."""

PLAIN_SIGN = "stage1.conv1.conv.weight"
TF_SIGN = "xconv1.conv.weight"
JUDGE_SIGN = "conv1.conv_sn.weight"
LAMA_SIGN = "model.1.ffc.convl2l.weight"
"""A name that only this network has, in this layout."""

OPTIONAL = ("fuse_weight", "num_batches_tracked")
"""Constants and counters that files may lack: the network's own stay."""

NAMED = 3
"""How many names an error tells."""

WIDEST = 4096
"""Channels of a first layer, and MOST_LAYERS of a kind: beyond any of these networks."""

MOST_LAYERS = 256
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""What weights are written in. Integers, complex or quantised numbers would be changed."""

COUNTS = (torch.int64, torch.int32, torch.int16, torch.uint8, torch.int8)
Network = TypeVar("Network", bound=nn.Module)


def deepfill(
    path: str | Path, *, layout: Layout | None = None, fuse: bool | None = None
) -> deepfill_nets.Generator:
    """DeepFillv2's generator from a file, in evaluation, float32, on the CPU, without gradients.

    layout: None = as the file's names tell; where those are the plain layout's, the note "layout"
            in a .safetensors, else "tf" if the file's name has it as a word (states_tf_x.pth),
            else "plain".
    fuse:   see `deepfill.Generator`; None = as the note "fuse" in a .safetensors, else as the
            layout has it.

    Raises `MissingWeights`, one sentence, if the file is damaged, could run code, or does not fit;
    `Unreadable` if it is not there; `ValueError` for another layout.
    """
    path = Path(path)
    if layout is not None:
        check_layout(layout)
    with opened(path) as archive:
        names = part_with(path, archive, "DeepFillv2", PLAIN_SIGN, TF_SIGN)
        table = from_tf(names.table) if names.sign == TF_SIGN else names.table
        layout = layout or _layout(path, archive, names.sign)
        first = table[PLAIN_SIGN].shape if PLAIN_SIGN in table else ()
        width = first[0] if first else 0  # half the width, and as many gates
        if not 4 <= width <= WIDEST or width % 4:
            raise MissingWeights(
                f"{path} is no DeepFillv2: its first layer is {size_text(first)}; take another file"
            )
        kept = layout
        if fuse is None:  # as the file itself says, if it does
            fuse = {"True": True, "False": False}.get(archive.notes.get("fuse", ""))
        network = made(path, lambda: deepfill_nets.Generator(width, layout=kept, fuse=fuse))
        fill_network(path, network, table, f"DeepFillv2 of width {width}")
    return network


def discriminator(path: str | Path, *, layout: Layout | None = None) -> deepfill_nets.Discriminator:
    """SN-PatchGAN from a file that holds it beside its generator ("D"), or alone. Otherwise as
    `deepfill`; the layout is that of the generator in the file, if there is one."""
    path = Path(path)
    if layout is not None:
        check_layout(layout)
    with opened(path) as archive:
        names = part_with(path, archive, "SN-PatchGAN", JUDGE_SIGN)
        sign = TF_SIGN if any(name.endswith(TF_SIGN) for name in archive.tensors) else PLAIN_SIGN
        first = names.table[JUDGE_SIGN].shape
        if len(first) != 4 or not all(1 <= side <= WIDEST for side in first):
            raise MissingWeights(
                f"{path} is no SN-PatchGAN: its first layer is {size_text(first)}; "
                "take another file"
            )
        layout = layout or _layout(path, archive, sign)
        kept = layout
        network = made(path, lambda: deepfill_nets.Discriminator(first[1], first[0], layout=kept))
        fill_network(path, network, names.table, f"SN-PatchGAN of width {first[0]}")
    return network


def lama(path: str | Path) -> lama_nets.Generator:
    """LaMa's generator from a file, in evaluation, float32, on the CPU, without gradients.

    Takes a checkpoint of PyTorch Lightning (.ckpt), a TorchScript archive (.pt), whose script is
    not run, a state dict (.pth) or .safetensors. Discriminators, losses, optimisers and whatever
    else is in it is left alone. Width, depth and the global share are read from the shapes.

    Raises as `deepfill`.
    """
    path = Path(path)
    with opened(path) as archive:
        table = part_with(path, archive, "LaMa", LAMA_SIGN).table
        shape = _lama_shape(table)
        if shape is None:
            raise MissingWeights(f"{path} is no LaMa whose layers are known; take another file")
        network = made(path, lambda: lama_nets.Generator(shape))
        fill_network(
            path, network, table, f"LaMa of width {shape.width} with {shape.blocks} blocks"
        )
    return network


def made(path: Path, make: Callable[[], Network]) -> Network:
    """A network whose tensors have shapes and no numbers."""
    try:
        with torch.device("meta"):
            return make()
    except (RuntimeError, ValueError, ArithmeticError) as error:
        raise MissingWeights(
            f"{path} has shapes of which no network can be made; take another file"
        ) from error


@dataclass(frozen=True)
class _Part:
    """The tensors of one network in a file, by its own names, and the sign it was known by."""

    sign: str
    table: dict[str, Entry]


def part_with(path: Path, archive: Archive, kind: str, *signs: str) -> _Part:
    """The one network in the file that has one of the signs; `kind` is its name for people."""
    for sign in signs:
        prefixes = [
            name.removesuffix(sign)
            for name in archive.tensors
            if name == sign or name.endswith(f".{sign}")
        ]
        if not prefixes:
            continue
        known = [prefix for prefix in PARTS if prefix in prefixes]
        if not known and len(prefixes) > 1:
            raise MissingWeights(
                f"{path} holds {len(prefixes)} networks of the kind {kind} "
                f"({_some(prefixes)}); give a file with one"
            )
        prefix = (known or prefixes)[0]
        inside = {name: held for name, held in archive.tensors.items() if name.startswith(prefix)}
        return _Part(sign, {name.removeprefix(prefix): held for name, held in inside.items()})
    held = f"holds {_some(archive.tensors)}" if archive.tensors else "holds no tensors by name"
    raise MissingWeights(f"{path} is no checkpoint of {kind}: it {held}; take another file")


def _layout(path: Path, archive: Archive, sign: str) -> Layout:
    if sign == TF_SIGN:
        return "tf"
    told = archive.notes.get("layout")
    if told in ("plain", "tf"):
        return "tf" if told == "tf" else "plain"
    return "tf" if "tf" in path.stem.replace("-", "_").lower().split("_") else "plain"


def _lama_shape(table: Mapping[str, Entry]) -> lama_nets.Shape | None:
    """What the names and shapes say of the network; None if they say nothing sensible."""
    width = table[LAMA_SIGN].shape[:1]
    halvings = 0
    while f"model.{halvings + 2}.ffc.convl2l.weight" in table:
        halvings += 1
    blocks = 0
    while f"model.{halvings + 2 + blocks}.conv1.ffc.convl2l.weight" in table:
        blocks += 1
    near = table.get(f"model.{halvings + 1}.ffc.convl2l.weight")
    wide = table.get(f"model.{halvings + 1}.ffc.convl2g.weight")
    spread = wide.shape[0] if wide is not None and wide.shape else 0
    if not (width and near and near.shape and 1 <= halvings <= 16 and 1 <= blocks <= MOST_LAYERS):
        return None
    if not all(1 <= count <= WIDEST for count in (width[0], near.shape[0], near.shape[0] + spread)):
        return None
    total = near.shape[0] + spread
    share = spread / total
    if int(total * share) < spread:  # rounded the wrong way
        share = math.nextafter(share, 1)
    return lama_nets.Shape(width[0], halvings, blocks, share)


def fill_network(path: Path, network: nn.Module, table: Mapping[str, Entry], kind: str) -> None:
    """The tensors into a network on the meta device, all of them, or none and `MissingWeights`.

    Only shapes are looked at until it is sure that everything fits.
    """
    wanted = network.state_dict()
    absent = [name for name in wanted if name not in table and not name.endswith(OPTIONAL)]
    strange = [name for name in table if name not in wanted]
    other = [
        f"{name} ({size_text(table[name].shape)}, not {size_text(value.shape)})"
        for name, value in wanted.items()
        if name in table and table[name].shape != tuple(value.shape)
    ]
    counts = ((absent, "missing"), (strange, "unexpected"), (other, "of another shape"))
    told = [f"{len(names)} {what} ({_some(names)})" for names, what in counts if names]
    if told:
        raise MissingWeights(
            f"the tensors in {path} do not fit {kind}: {', '.join(told)}; take another file"
        )
    ready = {
        name: _number(path, name, table[name], value) if name in table else _constant(name, value)
        for name, value in wanted.items()
    }
    _check_numbers(path, ready)
    network.load_state_dict(ready, strict=True, assign=True)
    network.eval().requires_grad_(False)


def _number(path: Path, name: str, entry: Entry, like: Tensor) -> Tensor:
    """The tensor in the dtype of `like`; `MissingWeights` if it is none of a network's."""
    value = entry.read()
    kinds = FLOATS if like.is_floating_point() else (*COUNTS, *FLOATS)
    if value.dtype not in kinds or value.layout is not torch.strided or value.is_meta:
        kind = "no numbers" if value.is_meta else str(value.dtype).removeprefix("torch.")
        raise MissingWeights(
            f"{path} holds {name} as {kind}, not as float16, bfloat16, float32 or float64; take "
            f"the weights as they were published"
        )
    return value.to(like.dtype)


def _constant(name: str, like: Tensor) -> Tensor:
    """What a file may lack: the kernel that fuses scores, or a counter of training, at 0."""
    if name.endswith("fuse_weight"):
        return torch.eye(like.shape[-1]).expand(like.shape).clone()
    return torch.zeros(like.shape, dtype=like.dtype)


def _check_numbers(path: Path, state: Mapping[str, Tensor]) -> None:
    for name, value in state.items():
        if not bool(torch.isfinite(value).all()):
            raise MissingWeights(f"{path} is damaged: {name} holds NaN or infinity; get it anew")
        if name.endswith("fuse_weight") and not torch.equal(value, _constant(name, value)):
            raise MissingWeights(f"{path} fuses scores in another way ({name}); take another file")


def size_text(shape: Iterable[int]) -> str:
    return "×".join(str(side) for side in shape) or "a number"


def _some(names: Iterable[str]) -> str:
    """The first few of the names, and how many more there are."""
    every = [printable(name) for name in sorted(names)]
    rest = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + rest
