"""What is filled: photos whose hole is blanked, so that the truth is known."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from infill.bench.samples import choose, kind_of, masked_photos

__all__ = ["Case", "blanked", "bundled_cases", "cases_at_hand", "choose", "find_cases", "kind_of"]


@dataclass(frozen=True)
class Case:
    """One photo and one hole in it.

    name: for people. kind: what sort of hole. photo: the file.
    mask: the mask's file, or the name of one of Infill's random masks to draw.
    """

    name: str
    kind: str
    photo: Path
    mask: Path | str

    def load(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The truth, (H, W, 3) uint8 RGB, and the hole, (H, W) bool, True = hole."""
        with Image.open(self.photo) as image:
            truth = np.asarray(image.convert("RGB"))
        if isinstance(self.mask, str):
            from infill.masks.random import random_mask

            return truth, random_mask(self.mask, truth.shape[:2], rng=7)
        with Image.open(self.mask) as image:
            hole = np.asarray(image.convert("L")) > 127
        if hole.shape != truth.shape[:2]:
            raise SystemExit(f"{self.mask} is not of the size of {self.photo}")
        return truth, hole


def blanked(truth: NDArray[np.uint8], hole: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The photo as a method gets it: nothing of the truth is left under the hole."""
    pixels = truth.copy()
    pixels[hole] = 0
    return pixels


def find_cases(folder: Path) -> list[Case]:
    """Every photo of `folder` that has a mask beside it (`NAME_mask.png`), by name.

    A photo called NNN_KIND_SOURCE_NAME is of that kind of hole; others are of kind "photo".
    """
    return [
        Case(photo.stem, kind_of(photo.stem), photo, mask) for photo, mask in masked_photos(folder)
    ]


def bundled_cases() -> list[Case]:
    """The example photos of the package, each with strokes and with a rectangle.

    Their own masks remove an object, and nobody knows what is behind it; so others are drawn.
    """
    import infill.examples

    folder = Path(infill.examples.__file__).parent
    return [
        Case(f"{case.name}_{kind}", kind, case.photo, kind)
        for case in find_cases(folder)
        for kind in ("free-form", "rectangle")
    ]


def cases_at_hand(environ: dict[str, str] | os._Environ[str] = os.environ) -> list[Case]:
    """The cases of the folder that INFILL_BENCH names, else those bundled; says which."""
    named = environ.get("INFILL_BENCH")
    if not named:
        print("INFILL_BENCH names no folder of photos: using the few bundled with the package")
        return bundled_cases()
    folder = Path(named)
    if not folder.is_dir():
        raise SystemExit(f"INFILL_BENCH: there is no folder {folder}")
    cases = find_cases(folder)
    if not cases:
        raise SystemExit(f"INFILL_BENCH: no photo in {folder} has a mask NAME_mask.png beside it")
    return cases


def photos(cases: Sequence[Case]) -> Iterator[Image.Image]:
    """The cases' photos, each once, RGB."""
    for path in dict.fromkeys(case.photo for case in cases):
        with Image.open(path) as image:
            yield image.convert("RGB")
