"""Amounts as people write them: "4", "4px", or "5%" of the mask's own size."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from infill.errors import BadMask
from infill.masks.parse import Mask


@dataclass(frozen=True)
class Amount:
    """So many pixels, or so many percent of a mask's own size. Both are 0 or more."""

    value: float
    unit: Literal["px", "%"] = "px"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.value >= 0):
            raise BadMask(f"an amount is 0 or more pixels or percent, not {self.value}")

    @classmethod
    def parse(cls, text: "str | float | Amount") -> "Amount":
        """ "4", "4px", "4 px" or a number are pixels; "5%" is percent of the mask's own size.

        Raises `BadMask` for anything else.
        """
        if isinstance(text, Amount):
            return text
        if not isinstance(text, str):
            return cls(float(text))
        unit: Literal["px", "%"] = "%" if text.strip().endswith("%") else "px"
        try:
            return cls(float(text.strip().removesuffix(unit)), unit)
        except ValueError:
            raise BadMask(f"an amount is written 4, 4px or 5%, not {text!r}") from None

    def pixels(self, mask: Mask) -> float:
        """The amount in pixels for this mask."""
        return self.value if self.unit == "px" else self.value / 100 * size(mask)

    def __str__(self) -> str:
        return f"{self.value:g}{self.unit}"


AmountLike = Amount | str | float


def size(mask: Mask) -> float:
    """The mask's own size in pixels: the square root of its area."""
    return math.sqrt(np.count_nonzero(mask))
