"""What the guided engine is measured on: photos with holes and targets, all at once."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.cases import Case
from infill import composite, geometry, regions
from infill.engines.base import make_options
from infill.engines.guided import Guided, sampling, scores
from infill.engines.guided import guide as guides
from infill.engines.guided.options import Options, localised
from infill.engines.guided.place import resized
from infill.engines.repaint import square
from infill.metrics.base import METRICS
from infill.metrics.seam import seam
from infill.picture import Picture

if TYPE_CHECKING:
    from infill.diffusion.model import Denoiser

SMALLEST, LARGEST = 0.06, 0.6  # share of the frame that the hole covers, for a photo to be used
AROUND = 0.25  # of the object's size that is kept around it
Setting = dict[str, Any]
"""Options of the engine, as `infill.fill` takes them."""


@dataclass(frozen=True, eq=False)
class Thing:
    """A target: a photo, and its object as someone outlined it."""

    name: str
    picture: Picture
    mask: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sample:
    """One photo as the engine sees it, and what is to be put there.

    truth, scene: (side, side, 3) float32 in [0, 1], the scene zero in the hole.
    visible: the part of the frame that is the photo.
    """

    name: str
    truth: NDArray[np.float32]
    scene: NDArray[np.float32]
    hole: NDArray[np.bool_]
    visible: tuple[int, int]
    thing: Thing


def find_things(folder: Path) -> list[Thing]:
    """Every photo NAME.jpg of `folder` with NAME_truth.png beside it, cut out around its object."""
    found = []
    for outline in sorted(folder.glob("*_truth.png")):
        photo = outline.with_name(outline.name.replace("_truth.png", ".jpg"))
        if not photo.exists():
            continue
        with Image.open(outline) as image:
            mask = np.asarray(image.convert("L")) > 127
        box = geometry.bounds(mask)
        at_border = box.top == 0 or box.left == 0 or (box.bottom, box.right) == mask.shape
        if mask.mean() < 0.01 or at_border:
            continue  # too small to be seen, or cut off
        around = box.grown(round(AROUND * max(box.height, box.width)), mask.shape).slices
        with Image.open(photo) as image:
            pixels = np.asarray(image.convert("RGB"))
        picture = Picture(np.ascontiguousarray(pixels[around]))
        found.append(Thing(photo.stem, picture, np.ascontiguousarray(mask[around])))
    return found


def make_samples(
    cases: Sequence[Case], things: Sequence[Thing], side: int, seed: int
) -> list[Sample]:
    """A sample for each photo whose largest region has a hole of a fair size in its frame.

    Targets are dealt out by a permutation drawn from `seed`.
    """
    order = np.random.default_rng(seed).permutation(len(things))
    rule = square(side)
    found: list[Sample] = []
    for case in cases:
        truth, hole = case.load()
        region = max(regions.plan(hole, rule), key=lambda region: region.hole.area)
        frame = geometry.Frame.of(region.crop, rule)
        crop, hidden = truth[region.crop.slices], hole[region.crop.slices]
        pixels = composite.to_float(crop)
        if hidden.all():
            continue
        blank = np.where(hidden[..., None], np.float32(0), pixels)
        scene, mask = frame.bring_hidden(blank, hidden)
        if SMALLEST <= mask.mean() <= LARGEST:
            thing = things[order[len(found) % len(things)]]
            whole = np.asarray(frame.bring_crop(pixels), np.float32)
            found.append(Sample(case.name, whole, scene, mask, frame.size, thing))
    return found


def options_for(sample: Sample, model: str, setting: Setting) -> Options:
    """The engine's options for this sample, in its region.

    With `placement="frame"` the target is the whole photo at the frame's size, as in the paper:
    it guides all over the hole, its background too.
    """
    thing: Setting = {"reference": sample.thing.picture, "reference_mask": sample.thing.mask}
    if setting.get("placement") == "frame":
        size = (sample.hole.shape[0], sample.hole.shape[1])
        pixels = resized(composite.to_float(sample.thing.picture.pixels), size)
        thing = {"reference": Picture(np.rint(pixels * 255).clip(0, 255).astype(np.uint8))}
    made = make_options(Guided(), {"model": model, **thing, **setting})
    assert isinstance(made, Options)
    return localised(made, guides.Region(sample.visible))


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of one setting: a row of figures and a picture for each sample and seed."""

    rows: list[dict[str, Any]]
    pictures: list[NDArray[np.float32]]
    calls: int

    def write(self, path: Path) -> None:
        """Keep it in a file (.npz), its pictures at 8 bits."""
        path.parent.mkdir(parents=True, exist_ok=True)
        stack = np.rint(np.clip(np.stack(self.pictures), 0, 1) * 255).astype(np.uint8)
        unfinished = path.with_name(f"{path.stem}.part.npz")
        np.savez_compressed(unfinished, stack, rows=json.dumps(self.rows), calls=self.calls)
        unfinished.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Outcome":
        """What `write` kept."""
        with np.load(path) as kept:
            pictures = [one / np.float32(255) for one in kept["arr_0"]]
            return cls(json.loads(str(kept["rows"])), pictures, int(kept["calls"]))


def measure(
    denoiser: "Denoiser",
    samples: Sequence[Sample],
    model: str,
    setting: Setting,
    *,
    seeds: Sequence[int],
    batch: int,
    device: str,
    told: Callable[[float], None],
) -> Outcome:
    """Fill every sample with every seed, `batch` pictures at once, and measure each.

    Rows have: name, seed, `seam` and `haarpsi` (the metrics of those names), `distance`, from
    the target where it would guide without a buffer, so that all settings are measured alike, and
    `seam_blended`, where what the heated mask let the model alter is kept.
    """
    from infill.engines.repaint import plan_of

    tasks, about = [], []
    for index, sample in enumerate(samples):
        chosen = options_for(sample, model, setting)
        guide = guides.make(sample.scene, sample.hole, chosen)
        goal = guides.make(sample.scene, sample.hole, replace(chosen, buffer=0))
        for seed in seeds:
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))
            tasks.append(sampling.Task(sample.scene, sample.hole, guide, rng))
            about.append((sample, seed, goal))
    made: list[NDArray[np.float32]] = []
    for start in range(0, len(tasks), batch):
        part = tasks[start : start + batch]

        def report(fraction: float, _: str, start: int = start, size: int = len(part)) -> None:
            told((start + fraction * size) / len(tasks))

        made += sampling.guided(denoiser, device, part, chosen, report)
    rows, pictures = [], []
    for (sample, seed, goal), one in zip(about, made, strict=True):
        kept = np.where(sample.hole[..., None], one, sample.scene).astype(np.float32)
        row = {"name": sample.name, "seed": seed}
        for name in ("seam", "haarpsi"):
            row.update(METRICS.get(name).measure(sample.truth, kept, sample.hole))
        row["distance"] = scores.distance(kept, goal.pixels, goal.where)
        row["seam_blended"] = seam(_blended(sample, one, chosen.heat_width), sample.hole)
        rows.append(row)
        pictures.append(kept)
    return Outcome(rows, pictures, plan_of(chosen).calls)


def _blended(sample: Sample, made: NDArray[np.float32], band: int) -> NDArray[np.float32]:
    """The fill with a band around the hole in which what the model made of known pixels is kept,
    less and less away from the hole. `infill.fill` keeps the photo there: it may not change."""
    box = geometry.Box(0, 0, *sample.hole.shape)
    weight = composite.band_weight(sample.hole, box, band)[..., None]
    return (weight * made + (1 - weight) * sample.truth).astype(np.float32)


def goal_shown(sample: Sample, model: str) -> NDArray[np.float32]:
    """The scene with the target at its place, before any model: (side, side, 3) float32."""
    chosen = options_for(sample, model, {"buffer": 0})
    goal = guides.make(sample.scene, sample.hole, chosen)
    return np.where(goal.where[..., None], goal.pixels, sample.scene).astype(np.float32)
