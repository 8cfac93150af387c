"""Which annotated objects of a photo make its mask."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infill.errors import BadMask

Limits = tuple[float, float | None]


@dataclass(frozen=True)
class Objects:
    """Which annotated objects count.

    classes: by name ("person") or number, as the annotations have them; none = all.
    share:   limits of one object's area, as a part of the photo, both included, in [0, 1].
    pixels:  limits of one object's area in pixels; None above = no limit.
    crowd:   whether annotations that stand for a crowd count.
    one:     one object of the photo, drawn by the seed, rather than all of them together.

    Raises `BadMask` for anything else. Lists may stand for tuples.
    """

    classes: tuple[str | int, ...] = ("person",)
    share: Limits = (0.01, 0.5)
    pixels: Limits = (0, None)
    crowd: bool = False
    one: bool = False

    def __post_init__(self) -> None:
        classes: Any = self.classes
        classes = (classes,) if isinstance(classes, str | int) else tuple(classes)
        if any(isinstance(name, bool) or not isinstance(name, str | int) for name in classes):
            raise BadMask(f"classes of objects are names or numbers, not {self.classes!r}")
        object.__setattr__(self, "classes", classes)
        for name, most in (("share", 1.0), ("pixels", math.inf)):
            object.__setattr__(self, name, _limits(getattr(self, name), name, most))
        for name in ("crowd", "one"):
            if not isinstance(getattr(self, name), bool):
                raise BadMask(f"{name} is true or false, not {getattr(self, name)!r}")


def _limits(given: Sequence[float | None], name: str, most: float) -> Limits:
    said = f"{name} is two limits in order, from 0 to {most:g}, not {given!r}"
    try:
        low, high = given
        low = 0.0 if low is None else float(low)
        checked = most if high is None else float(high)
    except (TypeError, ValueError):
        raise BadMask(said) from None
    if not 0 <= low <= checked <= most:
        raise BadMask(said)
    return low, None if checked == math.inf else checked
