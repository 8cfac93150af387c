"""Random masks by name, and the share of the photo that a mask covers.

The same seed gives the same mask on every machine: all randomness is made of the uniform
numbers of a PCG64 stream, shapes are drawn by whole-number arithmetic or from coordinates
rounded to a grid, and nothing hangs on threads, global state or `hash`.

Every function takes a photo (or its shape) and `rng`: a seed, which is a whole number of 0 or
more, or a `numpy.random.Generator`, which moves on. It returns a (H, W) bool mask, True = hole.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infill.errors import BadMask
from infill.masks.blobs import blobs
from infill.masks.dice import Rng
from infill.masks.parse import Like, Mask
from infill.masks.patterns import border, grid, half, lines, pixels
from infill.masks.rectangles import random_rectangle
from infill.masks.strokes import free_form

__all__ = [
    "RECIPES",
    "RandomMask",
    "blobs",
    "border",
    "coverage",
    "free_form",
    "grid",
    "half",
    "lines",
    "pixels",
    "random_mask",
    "random_rectangle",
]


@dataclass(frozen=True)
class RandomMask:
    """A way of making masks, called as `recipe(shape, mask_ratio, rng=seed, **parameters)`."""

    make: Callable[..., Mask]
    summary: str

    def __call__(
        self, shape: Like, mask_ratio: float | None = None, *, rng: Rng = 0, **parameters: Any
    ) -> Mask:
        """A mask; None for the ratio means the recipe's own.

        The ratio is for the recipes that take one: what the others cover follows from their
        plan. Any other parameter that a recipe does not have is an error (`BadMask`).
        """
        known = self.parameters
        for key in parameters:
            if key not in known:
                raise BadMask(
                    f"{self.make.__name__} takes no {key!r}; it takes: "
                    f"{', '.join(known) or 'nothing'}"
                )
        if mask_ratio is not None and self.takes_ratio:
            parameters["mask_ratio"] = mask_ratio
        return self.make(shape, rng=rng, **parameters)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Name and default of what may be passed beside the shape and `rng`."""
        return {
            name: parameter.default
            for name, parameter in inspect.signature(self.make).parameters.items()
            if name not in ("shape", "rng")
        }

    @property
    def takes_ratio(self) -> bool:
        """Whether `mask_ratio` sets the share of the photo that is covered."""
        return "mask_ratio" in self.parameters


RECIPES: dict[str, RandomMask] = {
    "rectangle": RandomMask(random_rectangle, "rectangles of random place and size"),
    "free-form": RandomMask(free_form, "zigzag brush strokes, as DeepFillv2 trains with"),
    "blobs": RandomMask(blobs, "irregular blobs, like objects drawn round by hand"),
    "half": RandomMask(half, "one half of the photo"),
    "lines": RandomMask(lines, "every other line"),
    "border": RandomMask(border, "a border to outpaint"),
    "grid": RandomMask(grid, "all but every second pixel each way: super-resolution"),
    "pixels": RandomMask(pixels, "single pixels at random places"),
}


def random_mask(
    name: str, shape: Like, mask_ratio: float | None = None, *, rng: Rng = 0, **parameters: Any
) -> Mask:
    """The mask of a recipe by name; see `RandomMask`.

    Raises `BadMask` for an unknown name or parameter, naming those that there are.
    """
    recipe = RECIPES.get(name.lower().replace("_", "-"))
    if recipe is None:
        raise BadMask(f"there is no random mask {name!r}; there are: {', '.join(RECIPES)}")
    return recipe(shape, mask_ratio, rng=rng, **parameters)


def coverage(mask: Mask) -> float:
    """The share of the photo that the mask covers, in [0, 1]."""
    return np.count_nonzero(mask) / mask.size
