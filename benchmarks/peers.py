"""The methods that are compared, each a function from a blanked photo to a fill and seconds."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks import gmic
from benchmarks.names import GMIC

Pixels = NDArray[np.uint8]
Fill = Callable[[Pixels, NDArray[np.bool_]], tuple[Pixels, float]]


@dataclass(frozen=True)
class Method:
    """One column of the comparison.

    name:    what `--methods` takes. label: what a table prints.
    fill:    (pixels (H, W, 3) uint8 RGB with the hole zero, hole (H, W) bool) to
             (filled pixels, seconds that the fill took).
    missing: None if it can run here, else why it cannot.
    """

    name: str
    label: str
    fill: Fill
    missing: str | None = None


def method(name: str) -> Method:
    """The method of that name; any other engine of Infill can be named too.

    Raises `UnknownPlugin` for a name that is neither.
    """
    if name == "telea":
        return Method(name, "OpenCV Telea", _timed(_opencv(cv2.INPAINT_TELEA)))
    if name == "navier-stokes":
        return Method(name, "OpenCV Navier–Stokes", _timed(_opencv(cv2.INPAINT_NS)))
    if name == "biharmonic":
        return Method(name, "scikit-image biharmonic", _timed(_biharmonic), _no_scikit_image())
    if name == GMIC:
        return Method(name, "G'MIC inpaint_matchpatch", gmic.matchpatch, gmic.why_missing())
    from infill.engines.base import ENGINES

    ENGINES.get(name)
    return Method(name, f"Infill {name}", _timed(_engine(name)))


def _timed(fill: Callable[[Pixels, NDArray[np.bool_]], Pixels]) -> Fill:
    def run(pixels: Pixels, hole: NDArray[np.bool_]) -> tuple[Pixels, float]:
        start = time.perf_counter()
        filled = fill(pixels, hole)
        return filled, time.perf_counter() - start

    return run


def _engine(name: str) -> Callable[[Pixels, NDArray[np.bool_]], Pixels]:
    """An engine as a user gets it: crop, conversion, composite and proof are in the time."""

    def run(pixels: Pixels, hole: NDArray[np.bool_]) -> Pixels:
        from infill.pipeline import fill

        return np.asarray(fill(pixels, hole, engine=name).picture.pixels, np.uint8)

    return run


def _opencv(flag: int) -> Callable[[Pixels, NDArray[np.bool_]], Pixels]:
    def run(pixels: Pixels, hole: NDArray[np.bool_]) -> Pixels:
        return np.asarray(cv2.inpaint(pixels, hole.view(np.uint8), 3, flag), np.uint8)

    return run


def _biharmonic(pixels: Pixels, hole: NDArray[np.bool_]) -> Pixels:
    from skimage.restoration import inpaint_biharmonic

    filled = inpaint_biharmonic(pixels, hole, channel_axis=-1)
    return np.rint(np.clip(filled, 0, 1) * 255).astype(np.uint8)


def _no_scikit_image() -> str | None:
    try:
        import skimage.restoration  # noqa: F401
    except ModuleNotFoundError:
        return "scikit-image is not installed (pip install 'infill[metrics]')"
    return None
