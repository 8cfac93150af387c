"""The forms that a mask is brought into in the mask study, and what is measured of each."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.mask_study_people import Bytes, Scene
from infill.masks.advice import advise
from infill.masks.morphology import grow
from infill.masks.parse import Mask
from infill.masks.refine import refine

RIM = 4.0  # pixels within a person's outline that count as its rim
CORE = 3.0  # pixels in from a person's outline from which its colours are taken
RING = (2.0, 40.0)  # pixels off all masks between which the surround's colours are
BINS = 16  # cells of colour along each axis
AROUND = 16  # pixels of the photo around all masks in which HaarPSI is taken


@dataclass(frozen=True)
class Column:
    """A figure of the study.

    better: higher or lower, or "" where masks cannot be compared by it. engines: whether it
    differs by engine.
    """

    key: str
    label: str
    better: str
    digits: int
    engines: bool = True


KNOWN = (
    Column("psnr", "PSNR, dB", "higher", 2),
    Column("haarpsi", "HaarPSI", "higher", 3),
    Column("traces", "traces, %", "lower", 1),
    Column("seam", "seam", "", 2),
    Column("residue", "rim left, %", "lower", 1, engines=False),
    Column("shadow_left", "shadow left, %", "lower", 1, engines=False),
    Column("extra", "too much, %", "lower", 1, engines=False),
)
"""Of composites, behind which the photo is known."""

UNKNOWN = (
    Column("traces", "traces, %", "lower", 1),
    Column("seam", "seam", "", 2),
    Column("colour", "colour step, ΔE", "", 2),
    Column("structure", "lines that go on", "", 3),
    Column("residue", "rim left, %", "lower", 1, engines=False),
)
"""Of photos as they are."""


@dataclass(frozen=True)
class Forms:
    """By how much masks are thickened and smoothed; amounts as in `infill mask refine`."""

    thicker: str = "5%"
    smoother: str = "5%"

    def of(self, scene: Scene) -> dict[str, Mask]:
        """(H, W) bool masks by name. "all" is there only where what is to be hidden is known."""
        mask = scene.annotated
        both = refine(mask, f"smooth={self.smoother},grow={self.thicker}")
        forms = {
            "raw": mask,
            "thickened": refine(mask, f"grow={self.thicker}"),
            "smoothed": refine(mask, f"smooth={self.smoother}"),
            "both": both,
            "shadow": both | proposal(scene.pixels, both),
        }
        if scene.shadow is not None:
            forms["all"] = grow(scene.person | scene.shadow, 1)
        return {name: form for name, form in forms.items() if form.any() and not form.all()}


WORDS = {
    "raw": "raw",
    "thickened": "thickened",
    "smoothed": "smoothed",
    "both": "smoothed and thickened",
    "shadow": "both, and the shadow proposed",
    "all": "all that is to be hidden (known here alone)",
}


def proposal(pixels: Bytes, mask: Mask) -> Mask:
    """The mask with the shadow that Infill proposes for it; the mask itself where it sees none."""
    return reduce(
        np.logical_or,
        (found.mask for found in advise(pixels, mask) if found.kind == "shadow"),
        mask,
    )


def of_mask(scene: Scene, mask: Mask) -> dict[str, float]:
    """What a mask leaves and takes, in percent; NaN where nobody knows.

    residue:     of the person's rim, what the mask does not cover.
    shadow_left: of the shadow, what it does not cover.
    extra:       of the person's area, so much is covered besides: neither person nor shadow.
    """
    person = scene.person.astype(np.uint8)
    rim = scene.person & (cv2.distanceTransform(person, cv2.DIST_L2, 5) <= RIM)
    row = {"residue": _percent(rim & ~mask, rim), "shadow_left": math.nan, "extra": math.nan}
    if scene.shadow is not None:
        row["shadow_left"] = _percent(scene.shadow & ~mask, scene.shadow)
        row["extra"] = _percent(mask & ~scene.person & ~scene.shadow, scene.person)
    return row


def of_fill(scene: Scene, forms: Mapping[str, Mask], mask: Mask, filled: Bytes) -> dict[str, float]:
    """What a fill comes to.

    Where it is known what is behind, psnr is over the union of all masks and of all that was to
    be hidden, the same pixels for every form, so that what a mask leaves counts as much as what
    is filled badly; haarpsi is over the box of that union. For `traces` see there. seam, colour
    and structure tell how a fill meets what is beside it, be that the rim of the person: a mask
    that leaves a rim may be better by them.
    """
    from infill.metrics.base import METRICS, to_unit
    from infill.metrics.haarpsi import haarpsi
    from infill.metrics.psnr import psnr

    unit = to_unit(filled)
    row = METRICS.get("seam").measure(unit, unit, mask)
    hidden = scene.person if scene.shadow is None else scene.person | scene.shadow
    union = reduce(np.logical_or, forms.values(), hidden)
    row["traces"] = traces(scene, union, filled)
    if scene.behind is None or scene.shadow is None:
        for name in ("colour", "structure"):
            row.update(METRICS.get(name).measure(unit, unit, mask))
        return row
    truth = to_unit(scene.behind)
    box = _box(union)
    same = haarpsi(np.ascontiguousarray(truth[box]), np.ascontiguousarray(unit[box]))
    return row | {"psnr": psnr(truth[union], unit[union]), "haarpsi": same}


def traces(scene: Scene, union: Mask, filled: Bytes) -> float:
    """How much of what is under any of the masks looks like the person, in percent.

    With p(c) and s(c) the shares of colour c in the person (3 pixels in from the outline) and in
    the surround (2 to 40 pixels off the union), the mean of p / (p + s) over the union. It needs
    no truth; what is behind has some of the person's colours too, so that 0 is not to be had.
    """
    person, apart = scene.person.astype(np.uint8), (~union).astype(np.uint8)
    core = cv2.distanceTransform(person, cv2.DIST_L2, 5) > CORE
    away = cv2.distanceTransform(apart, cv2.DIST_L2, 5)
    ring = (away > RING[0]) & (away <= RING[1])
    if not (core.any() and ring.any() and union.any()):
        return math.nan
    before = _colours(scene.pixels)
    own, others = _shares(before[core]), _shares(before[ring])
    looks: NDArray[np.float64] = own / (own + others)
    return float(100 * looks[_colours(filled)[union]].mean())


def _colours(pixels: Bytes) -> NDArray[np.intp]:
    """(H, W): the number of each pixel's cell among BINS³ of the Lab space."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).astype(np.intp) * BINS // 256
    return np.asarray((lab[..., 0] * BINS + lab[..., 1]) * BINS + lab[..., 2])


def _shares(colours: NDArray[np.intp]) -> NDArray[np.float64]:
    """The share of each cell, spread a little over its neighbours; never 0."""
    counts = np.bincount(colours, minlength=BINS**3).astype(np.float64).reshape((BINS,) * 3)
    for axis in range(3):
        padded = np.pad(counts, [(1, 1) if a == axis else (0, 0) for a in range(3)], mode="edge")
        parts = [np.take(padded, np.arange(k, k + BINS), axis=axis) for k in range(3)]
        counts = (parts[0] + 2 * parts[1] + parts[2]) / 4
    return counts.ravel() / counts.sum() + 1e-6


def _percent(part: Mask, whole: Mask) -> float:
    area = np.count_nonzero(whole)
    return 100 * np.count_nonzero(part) / area if area else math.nan


def _box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(0, int(rows[0]) - AROUND), int(rows[-1]) + AROUND + 1),
        slice(max(0, int(columns[0]) - AROUND), int(columns[-1]) + AROUND + 1),
    )
