"""One fill: make it, measure it, keep it, and say what it cost. This runs in the workers."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import infill
from infill.bench.layout import FORMAT, feature_path, fill_path, sample_folder
from infill.bench.measure import Chosen, Scene, scores
from infill.bench.meter import Need, metered
from infill.bench.plan import Item, Options
from infill.bench.samples import Sample
from infill.errors import BadMask, InfillError, MaskSizeMismatch, MissingExtra, MissingWeights
from infill.files import write_atomically
from infill.metrics.base import SET_METRICS, to_json, to_unit
from infill.picture import Picture
from infill.result import Result

Row = dict[str, Any]
Pixels = NDArray[np.uint8]

BROKEN = (MissingWeights, MissingExtra)
"""What keeps an engine from filling any photo at all."""


@dataclass(frozen=True)
class Loaded:
    """A sample as the engine gets it: 8-bit RGB, (H, W, 3), and the hole, (H, W) bool."""

    before: Pixels
    truth: Pixels | None
    mask: NDArray[np.bool_]


class FillAndMeasure:
    """The job on one `Item`; its value is the item's row. It pickles, and holds no pixels then.

    Never raises for a photo or an engine that fails: the row says what was wrong. `broken` in a
    row says that the engine cannot fill anything here.
    """

    def __init__(self, options: Options, chosen: Chosen, run: Path, ran_on: Row) -> None:
        """ran_on: what each row says of the machine; see `Run.rows`."""
        # An item brings its sample and its engine: what is in all workers stays small.
        self.options = replace(options, samples=(), entries=())
        self.chosen, self.run, self.ran_on = chosen, run, ran_on
        self._last: tuple[str, Loaded] | None = None
        self._need = Need()
        self._warm: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_last": None, "_need": Need(), "_warm": set()}

    def __call__(self, item: Item) -> Row:
        begun = time.perf_counter()
        row = empty_row(item)
        try:
            row |= self._made(item)
        except InfillError as error:
            row["error"], row["broken"] = str(error), isinstance(error, BROKEN)
        except MemoryError:
            row["error"] = "out of memory"
        except Exception as error:
            row["error"] = f"{type(error).__name__}: {error}"
        row["wall"] = round(time.perf_counter() - begun, 4)
        return row

    def _made(self, item: Item) -> Row:
        loaded = self._load(item.sample)
        first = item.entry.label not in self._warm
        with metered(energy=self.options.energy) as cost:
            begun = time.perf_counter()
            result = self._fill(item, loaded)
            seconds = time.perf_counter() - begun
        self._warm.add(item.entry.label)
        host, device = self._need.of(item.entry.label, cost)
        row: Row = {
            "output": fill_path(item.sample.slug, item.entry.label, item.trial),
            "first": first,
            "seconds": {"total": round(seconds, 5)}
            | {stage: round(value, 5) for stage, value in result.seconds.items()},
            "host_mb": _rounded(host),
            "device_mb": _rounded(device),
            "joules": _rounded(cost.joules),
            **self.ran_on,
            "output_sha256": result.recipe.output_sha256,
            "recipe": {**asdict(result.recipe), "mask": None},
            "notes": list(result.notes),
            "coverage": round(float(loaded.mask.mean()), 6),
            "height": loaded.mask.shape[0],
            "width": loaded.mask.shape[1],
        }
        if self.options.again and item.trial == 0:
            second = self._fill(item, loaded).recipe.output_sha256
            row["same_bytes"] = second == result.recipe.output_sha256
        row["scores"] = self._measure(item, loaded, result)
        target = self.run / row["output"]
        target.parent.mkdir(parents=True, exist_ok=True)
        result.save(target, overwrite=True)
        return row

    def _fill(self, item: Item, loaded: Loaded) -> Result:
        from infill.engines.base import ENGINES, read_pictures
        from infill.pipeline import fill

        options = dict(item.entry.options)
        known = {entry.name for entry in fields(ENGINES.get(item.entry.engine).Options)}
        if item.sample.prompt and "prompt" in known:
            options.setdefault("prompt", item.sample.prompt)
        if item.sample.negative and "negative_prompt" in known:
            options.setdefault("negative_prompt", item.sample.negative)
        return fill(
            loaded.before,
            loaded.mask,
            engine=item.entry.engine,
            seed=item.seed,
            **read_pictures(options),
        )

    def _measure(self, item: Item, loaded: Loaded, result: Result) -> Mapping[str, Any]:
        filled = to_unit(result.picture.pixels)
        before = to_unit(loaded.before)
        same = loaded.truth is loaded.before
        truth = before if same else None if loaded.truth is None else to_unit(loaded.truth)
        sample = item.sample
        scene = Scene(before, truth, loaded.mask, sample.prompt, sample.before_prompt)
        for name in self.chosen.sets:
            metric = SET_METRICS.get(name)
            path = feature_path(name, sample.slug, item.entry.label, item.trial)
            _keep(self.run / path, metric.describe(filled, loaded.mask))
            wanted = self.run / feature_path(name, sample.slug)
            if truth is not None and not wanted.exists():
                _keep(wanted, metric.describe(truth, loaded.mask))
        return to_json(scores(self.chosen, scene, filled))

    def _load(self, sample: Sample) -> Loaded:
        """The sample; the last one is kept, since its trials follow each other."""
        if self._last is not None and self._last[0] == sample.slug:
            return self._last[1]
        loaded = load(sample, self.options)
        _save_sample(self.run / sample_folder(sample.slug), loaded)
        self._last = (sample.slug, loaded)
        return loaded


def load(sample: Sample, options: Options) -> Loaded:
    """A sample at the size of the run. Raises `PictureError` and `MaskError`."""
    from infill.masks.parse import as_mask
    from infill.sheets import eight_bits

    before = eight_bits(Picture.load(sample.before).pixels)
    truth: Pixels | None = before
    if sample.truth != sample.before:
        truth = None if sample.truth is None else eight_bits(Picture.load(sample.truth).pixels)
    if truth is not None and truth.shape != before.shape:
        raise MaskSizeMismatch(f"{sample.truth} is not of the size of {sample.before}")
    hole = None if sample.mask is None else as_mask(sample.mask, before)
    drawn = options.protocol
    if hole is None and drawn is not None and drawn.kind.of_objects:
        hole = _drawn(sample, before, options)  # outlines are of the photo's own size
    if options.size is not None:
        same = truth is before
        before = squared(before, options.size)
        truth = before if same else None if truth is None else squared(truth, options.size)
        hole = None if hole is None else squared(hole.view(np.uint8) * 255, options.size) > 127
    hole = _drawn(sample, before, options) if hole is None else hole
    if not hole.any():
        where = "" if options.size is None else " is left in the middle square of the photo"
        raise BadMask(f"the mask of {sample.name} has no hole{where}")
    return Loaded(before, truth, hole)


def _drawn(sample: Sample, before: Pixels, options: Options) -> NDArray[np.bool_]:
    if options.protocol is None:
        raise BadMask(f"{sample.name} has no mask; name a protocol that draws one")
    shape = (before.shape[0], before.shape[1])
    return options.protocol.mask(shape, sample.name, options.seed, annotated=options.annotated)


def squared(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The middle square of a picture (H, W[, 3]), at `side` pixels: means of areas when it gets
    smaller, cubic when it gets larger."""
    import cv2

    height, width = pixels.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    square = pixels[top : top + short, left : left + short]
    if short == side:
        return np.ascontiguousarray(square)
    way = cv2.INTER_AREA if side < short else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(square, (side, side), interpolation=way), np.uint8)


def empty_row(item: Item) -> Row:
    """A row of a fill that has not been made."""
    sample = item.sample
    return {
        "key": item.key,
        "sample": sample.name,
        "slug": sample.slug,
        "kind": sample.kind,
        "group": sample.group,
        "engine": item.entry.label,
        "trial": item.trial,
        "seed": item.seed,
        "prompt": sample.prompt,
        "output": None,
        "scores": {},
        "notes": [],
        "error": None,
        "broken": False,
        "format": FORMAT,
        "infill": infill.__version__,
    }


def _save_sample(folder: Path, loaded: Loaded) -> None:
    """What was filled, beside the fills, so that the run can be looked at on its own."""
    from infill.masks import to_image

    pictures = {"before": loaded.before, "mask": to_image(loaded.mask)}
    if loaded.truth is not None and loaded.truth is not loaded.before:
        pictures["truth"] = loaded.truth
    folder.mkdir(parents=True, exist_ok=True)
    for name, pixels in pictures.items():
        if not (folder / f"{name}.png").exists():  # another engine's processes had it before
            Picture.from_array(pixels).save(folder / f"{name}.png", overwrite=True)


def _keep(path: Path, described: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda file: np.save(file, described), overwrite=True)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
