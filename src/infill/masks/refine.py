"""Chains of mask operations in text: "grow=4,fill-holes,smooth=2%"."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from infill.errors import BadMask
from infill.masks.amount import Amount
from infill.masks.morphology import (
    close,
    convex_hull,
    drop_specks,
    fill_holes,
    grow,
    invert,
    shrink,
    smooth,
)
from infill.masks.parse import Mask


@dataclass(frozen=True)
class Step:
    """One operation of a chain, such as `grow=4px`. `str(step)` is the text it is parsed from."""

    name: str
    argument: Amount | Literal["each"] | None = None

    def __call__(self, mask: Mask) -> Mask:
        operation = OPERATIONS[self.name].apply
        if self.argument is None:
            return operation(mask)
        if self.argument == "each":
            return operation(mask, each=True)
        return operation(mask, self.argument)

    def __str__(self) -> str:
        return self.name if self.argument is None else f"{self.name}={self.argument}"


@dataclass(frozen=True)
class Operation:
    """What a chain may call: the function, and what stands after the equals sign."""

    apply: Callable[..., Mask]
    takes: Literal["amount", "amount or nothing", "each or nothing", "nothing"]
    summary: str


OPERATIONS: dict[str, Operation] = {
    "grow": Operation(grow, "amount", "add what is within the amount of the mask"),
    "shrink": Operation(shrink, "amount", "take away what is within the amount of its outline"),
    "smooth": Operation(smooth, "amount", "round the outline off over the amount"),
    "close": Operation(close, "amount", "close gaps up to twice the amount wide"),
    "fill-holes": Operation(
        fill_holes, "amount or nothing", "fill what the mask encloses (up to this size)"
    ),
    "drop-specks": Operation(drop_specks, "amount", "drop parts smaller than the amount"),
    "convex-hull": Operation(convex_hull, "each or nothing", "the hull of all (or of each part)"),
    "invert": Operation(invert, "nothing", "exchange hole and photo"),
}


def parse_chain(chain: str) -> tuple[Step, ...]:
    """The steps of "grow=4,fill-holes,smooth=2%", checked before any mask is read.

    Raises `BadMask` that names the step at fault and what there is.
    """
    return tuple(_step(part.strip()) for part in chain.split(",") if part.strip())


def refine(mask: Mask, chain: str | Sequence[Step]) -> Mask:
    """Apply the steps of a chain in turn; percent are of the mask that a step is handed.

    Raises `BadMask` as `parse_chain` does.
    """
    steps = parse_chain(chain) if isinstance(chain, str) else chain
    refined = mask.copy()
    for step in steps:
        refined = step(refined)
    return refined


def _step(text: str) -> Step:
    name, given, value = (part.strip() for part in text.partition("="))
    name = name.lower().replace("_", "-")
    if name not in OPERATIONS:
        raise BadMask(f"there is no mask operation {name!r}; there are: {', '.join(OPERATIONS)}")
    takes = OPERATIONS[name].takes
    if not given and takes != "amount":
        return Step(name)
    if value and takes.startswith("amount"):
        return Step(name, Amount.parse(value))
    if value == "each" and takes.startswith("each"):
        return Step(name, "each")
    wants = "an amount, as in " + f"{name}=4px or {name}=5%" if takes == "amount" else takes
    raise BadMask(f"{name} takes {wants}; it cannot take {text!r}")
