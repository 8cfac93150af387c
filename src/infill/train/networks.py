"""Networks and discriminators by name, and how each is called.

Every network is used as `fills(network, picture, mask)`, every discriminator as
`judges(network, picture, mask)`, whatever its own arguments are; what is trained, averaged and
written to files is the network itself, so its file is the one that its engine loads.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from torch import Tensor, nn

from infill.errors import BadOption

Fills = Callable[[Any, Tensor, Tensor], Sequence[Tensor]]
"""network, picture (N, 3, H, W) in [-1, 1] and 0 in the hole, mask (N, 1, H, W) 1 = hole →
outputs from coarse to fine, each (N, 3, H, W) in [-1, 1]; the last is the fill."""
Judges = Callable[[Any, Tensor, Tensor], tuple[Tensor, Sequence[Tensor]]]
"""network, picture (N, 3, H, W) in [-1, 1], mask → a map of verdicts, features of the layers."""


@dataclass(frozen=True)
class Entry:
    """One row of the tables: where a network is, how it is made and how it is called.

    target: "module:attribute", imported when it is needed.
    make:   the attribute and the configuration's arguments → the network.
    """

    target: str
    call: Callable[..., Any] = lambda network, picture, mask: network(picture, mask)
    make: Callable[..., nn.Module] = lambda kind, **arguments: kind(**arguments)


def _deepfill(network: Any, picture: Tensor, mask: Tensor) -> Sequence[Tensor]:
    from infill.nets.deepfill import prepare

    outputs: Sequence[Tensor] = network(prepare(picture, mask), mask)
    return outputs


def _lama(network: Any, picture: Tensor, mask: Tensor) -> Sequence[Tensor]:
    """LaMa works in [0, 1]."""
    from infill.nets.lama import prepare

    return [network(prepare((picture + 1) / 2, mask)) * 2 - 1]


def _make_lama(kind: Any, **shape: Any) -> nn.Module:
    from infill.nets.lama import Shape

    made: nn.Module = kind(Shape(**shape))
    return made


def _deepfill_verdicts(
    network: Any, picture: Tensor, mask: Tensor
) -> tuple[Tensor, Sequence[Tensor]]:
    import torch

    *features, verdicts = network.features(torch.cat([picture, mask], 1))
    return verdicts, features


NETWORKS: dict[str, Entry] = {
    "pocket": Entry("infill.nets.pocket:Pocket"),
    "deepfill": Entry("infill.nets.deepfill:Generator", call=_deepfill),
    "lama": Entry("infill.nets.lama:Generator", call=_lama, make=_make_lama),
}
DISCRIMINATORS: dict[str, Entry] = {
    "sn-patch": Entry("infill.train.discriminator:Patch"),
    "deepfill": Entry("infill.nets.deepfill:Discriminator", call=_deepfill_verdicts),
}


def find(table: Mapping[str, Entry], name: str, called: str) -> Entry:
    """The entry of a name; "module:attribute" is an entry of its own, called as it is.

    Raises `BadOption`, naming what there is; `called` is what the configuration calls it.
    """
    if name in table:
        return table[name]
    if ":" in name:
        return Entry(name)
    raise BadOption(
        f"{called} is one of {', '.join(table)}, or module:attribute of your own, not {name!r}"
    )


def build(entry: Entry, arguments: Mapping[str, Any], called: str) -> nn.Module:
    """The network with random weights, drawn from torch's own generator.

    Raises `BadOption` for a module or attribute that is not there, and for arguments that it does
    not take.
    """
    kind = _attribute(entry.target)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):  # and so not called
        raise BadOption(f"{called}: {entry.target} is no class of networks (torch.nn.Module)")
    try:
        return entry.make(kind, **arguments)
    except (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError) as error:
        raise BadOption(f"{called} cannot be made with these arguments: {error}") from error


@cache
def _attribute(target: str) -> Any:
    module, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (AttributeError, ImportError, ValueError) as error:
        raise BadOption(
            f"there is no {target}: {error}; a file of your own has to be where Python looks, as "
            "with PYTHONPATH=."
        ) from error
