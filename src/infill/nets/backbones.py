"""Published files into the networks that look at photos: VGG-16, AlexNet, LPIPS, Inception.

As `loading`, which does the same for those that fill holes: whole and fitting, or not at all, and
nothing in a file is run. What a file holds beside the layers that are used (a classifier) is left
alone. Widths are read from the shapes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from infill.errors import MissingWeights
from infill.nets import alexnet as alexnet_nets
from infill.nets import vgg as vgg_nets
from infill.nets.alexnet import AlexNet
from infill.nets.inception import FEATURES, Inception
from infill.nets.loading import fill_network, made, part_with, size_text
from infill.nets.lpips import Heads, Lpips
from infill.nets.vgg import Vgg16
from infill.weights.archive import Archive, Entry, opened

Trunk = Literal["alex", "vgg"]

FEATURES_SIGN = "features.0.weight"
HEADS_SIGN = "lin0.model.1.weight"
HEAD = re.compile(r"lin\d+\.")
INCEPTION_SIGN = "Conv2d_1a_3x3.conv.weight"

STEM = 32
"""Channels of Inception's first layer."""

WIDEST = 4096


def vgg16(path: str | Path) -> Vgg16:
    """VGG-16 from torchvision's file (.pth) or a .safetensors of it, in evaluation, float32, on the
    CPU, without gradients.

    Raises `MissingWeights`, one sentence, if the file is damaged, could run code, or does not fit;
    `Unreadable` if it is not there.
    """
    path = Path(path)
    with opened(path) as archive:
        return _vgg16(path, _layers(path, archive, "VGG-16"))


def alexnet(path: str | Path) -> AlexNet:
    """AlexNet; otherwise as `vgg16`."""
    path = Path(path)
    with opened(path) as archive:
        return _alexnet(path, _layers(path, archive, "AlexNet"))


def inception(path: str | Path) -> Inception:
    """The Inception v3 of the FID, from the public port of its weights; otherwise as `vgg16`."""
    path = Path(path)
    with opened(path) as archive:
        every = part_with(path, archive, "the FID's Inception", INCEPTION_SIGN).table
        table = {name: held for name, held in every.items() if name.startswith(("Conv2d", "Mixed"))}
        stem = table[INCEPTION_SIGN].shape[:1]
        if not stem or not stem[0] or STEM % stem[0] or stem[0] == 1:
            raise MissingWeights(
                f"{path} is no Inception of the FID: its first layer is "
                f"{size_text(table[INCEPTION_SIGN].shape)}; take another file"
            )
        shrink = STEM // stem[0]
        network = made(path, lambda: Inception(shrink))
        fill_network(
            path, network, table, f"the FID's Inception with {FEATURES // shrink} features"
        )
    return network


def lpips(paths: Sequence[str | Path], heads: Callable[[Trunk], Path]) -> Lpips:
    """LPIPS from files that together hold AlexNet or VGG-16, and perhaps its heads.

    paths: at least one. heads: names the file of the heads for the trunk that was found, asked only
           if none of `paths` holds some.
    Raises as `vgg16`, and what `heads` raises.
    """
    with ExitStack() as stack:
        given = [(Path(path), stack.enter_context(opened(Path(path)))) for path in paths]
        path, table, kind = _trunk(given)
        trunk = _alexnet(path, table) if kind == "alex" else _vgg16(path, table)
        beside = [each for each in given if _holds(each[1], HEADS_SIGN)]
        if not beside:
            place = heads(kind)
            beside = [(place, stack.enter_context(opened(place)))]
        made = _heads(*beside[0], trunk)
    return Lpips(trunk, made).eval().requires_grad_(False)


def without_heads(paths: Sequence[str | Path]) -> Trunk | None:
    """Which trunk the files hold, if none of them holds heads; None if one does.

    Raises `MissingWeights` if they hold no trunk either.
    """
    with ExitStack() as stack:
        given = [(Path(path), stack.enter_context(opened(Path(path)))) for path in paths]
        kind = _trunk(given)[2]
        return None if any(_holds(archive, HEADS_SIGN) for _, archive in given) else kind


def _trunk(given: Sequence[tuple[Path, Archive]]) -> tuple[Path, dict[str, Entry], Trunk]:
    """The file with the trunk, its layers, and which one it is."""
    path, archive = next(
        ((path, archive) for path, archive in given if _holds(archive, FEATURES_SIGN)), given[0]
    )
    table = _layers(path, archive, "AlexNet or VGG-16")
    return path, table, "alex" if table[FEATURES_SIGN].shape[2:] == (11, 11) else "vgg"


def _heads(path: Path, archive: Archive, trunk: AlexNet | Vgg16) -> Heads:
    every = part_with(path, archive, "LPIPS' heads", HEADS_SIGN).table
    table = {name: held for name, held in every.items() if HEAD.match(name)}
    network = made(path, lambda: Heads(trunk.widths))
    fill_network(path, network, table, f"the heads of LPIPS for {type(trunk).__name__}")
    return network


def _holds(archive: Archive, sign: str) -> bool:
    return any(name == sign or name.endswith(f".{sign}") for name in archive.tensors)


def _layers(path: Path, archive: Archive, kind: str) -> dict[str, Entry]:
    """The convolutions of a network of torchvision's, without what classifies."""
    every = part_with(path, archive, kind, FEATURES_SIGN).table
    return {name: held for name, held in every.items() if name.startswith("features.")}


def _vgg16(path: Path, table: Mapping[str, Entry]) -> Vgg16:
    widths = _widths(path, table, vgg_nets.FIRST, "VGG-16")
    network = made(path, lambda: Vgg16(widths))
    fill_network(path, network, table, "VGG-16")
    return network


def _alexnet(path: Path, table: Mapping[str, Entry]) -> AlexNet:
    widths = _widths(path, table, alexnet_nets.NUMBERS, "AlexNet")
    network = made(path, lambda: AlexNet(widths))
    fill_network(path, network, table, "AlexNet")
    return network


def _widths(
    path: Path, table: Mapping[str, Entry], numbers: Sequence[int], kind: str
) -> tuple[int, ...]:
    """The channels that the layers of these numbers give."""
    shapes = [table[name].shape for n in numbers if (name := f"features.{n}.weight") in table]
    if len(shapes) < len(numbers) or not all(s and 1 <= s[0] <= WIDEST for s in shapes):
        raise MissingWeights(f"{path} is no {kind} of torchvision's; take another file")
    return tuple(shape[0] for shape in shapes)
