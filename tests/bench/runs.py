"""Small runs for the tests: photos with holes, rows out of thin air, engines that fail."""

import json
from pathlib import Path
from typing import Any

import numpy as np

import infill
from infill.bench.layout import FORMAT
from infill.bench.plan import Options, entries_of, key_of
from infill.bench.samples import find_samples
from infill.engines.flat import Flat
from infill.errors import MissingWeights
from infill.executors.base import Outcome
from infill.masks import to_image
from infill.picture import Picture


class Here:
    """An executor that runs the job in this process, one item after the other."""

    def map(self, job: Any, items: Any) -> Any:
        for item in items:
            yield Outcome(item, job(item))


def photo(seed: int = 0, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    """A smooth (H, W, 3) uint8 photo with some grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    waves = 120 + 60 * np.sin(x / 9 + seed)[..., None] + 40 * np.cos(y / 7)[..., None]
    return np.clip(waves + rng.normal(0, 6, (*size, 3)), 0, 255).astype(np.uint8)


def write_photos(folder: Path, count: int = 3, size: tuple[int, int] = (48, 64)) -> Path:
    """Photos with a mask beside each, of two kinds of holes in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        kind = ("box", "strokes")[number % 2]
        name = f"{number:03}_{kind}_made_{number}"
        mask = np.zeros(size, bool)
        mask[12:28, 16 + number : 40] = True
        Picture.from_array(photo(number, size)).save(folder / f"{name}.png", overwrite=True)
        Picture.from_array(to_image(mask)).save(folder / f"{name}_mask.png", overwrite=True)
    return folder


def write_room(folder: Path, name: str = "den") -> Path:
    """A described sample: a photo, the clean one, two masks and what is known of it."""
    place = folder / name
    place.mkdir(parents=True)
    clean, hole = photo(5), np.zeros((48, 64), bool)
    hole[20:30, 20:36] = True
    with_it = clean.copy()
    with_it[hole] = (200, 30, 30)
    Picture.from_array(with_it).save(place / "photo.png")
    Picture.from_array(clean).save(place / "clean.png")
    wide = np.zeros_like(hole)
    wide[16:34, 16:40] = True
    Picture.from_array(to_image(hole)).save(place / "object.png")
    Picture.from_array(to_image(wide)).save(place / "loose.png")
    about = {
        "title": "Den",
        "task": "replace",
        "object": "a red box",
        "background": "an empty wall",
        "prompts": {"simple": "a lamp", "detailed": "a brass lamp", "negative": "people"},
        "hard": "grain",
        "masks": {"object": "exact", "loose": "wide"},
    }
    (place / "sample.json").write_text(json.dumps(about))
    return folder


def options_of(folder: Path, *engines: str, **changes: Any) -> Options:
    """A run over a folder of photos with masks."""
    return Options(
        samples=find_samples(folder),
        entries=entries_of(list(engines) or ["telea", "flat"]),
        **{"trials": 2, "metrics": ("psnr", "seam"), "source": "made"} | changes,
    )


def row(engine: str, slug: str, trial: int = 0, **changes: Any) -> dict[str, Any]:
    """A row of a fill that went well."""
    return {
        "key": key_of(slug, engine, trial),
        "sample": slug,
        "slug": slug,
        "kind": "box",
        "group": slug,
        "engine": engine,
        "trial": trial,
        "seed": 1,
        "prompt": "",
        "output": f"fills/{slug}/{engine}/{trial}.png",
        "output_sha256": "0" * 64,
        "recipe": {"versions": {"infill": infill.__version__}},
        "seconds": {"total": 1.0, "engine": 0.5},
        "first": False,
        "host_mb": 100.0,
        "device_mb": None,
        "joules": None,
        "scores": {},
        "notes": [],
        "error": None,
        "broken": False,
        "format": FORMAT,
        "infill": infill.__version__,
    } | changes


def write_run(folder: Path, rows: list[dict[str, Any]], metrics: list[str], **facts: Any) -> Path:
    """The files of a run without its pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    engines = list(dict.fromkeys(one["engine"] for one in rows))
    run = {
        "kind": "bench",
        "metrics": metrics,
        "trials": 1 + max(one["trial"] for one in rows),
        "engines": [{"label": name, "engine": name, "options": {}} for name in engines],
        "seed": 0,
        "source": "made",
        "protocol": None,
        "size": None,
        "task": "remove",
    } | facts
    (folder / "run.json").write_text(json.dumps(run))
    (folder / "rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    return folder


class Weak(Flat):
    """Fails on photos without grain, and on no others."""

    def fill(self, pixels: Any, mask: Any, options: Any, rng: Any, progress: Any) -> Any:
        if pixels[~mask].std() < 0.01:
            raise RuntimeError("too smooth")
        return super().fill(pixels, mask, options, rng, progress)


class Unarmed(Flat):
    """Has no weights, so it fills nothing."""

    def fill(self, pixels: Any, mask: Any, options: Any, rng: Any, progress: Any) -> Any:
        raise MissingWeights("the weights of unarmed are not here; type: infill download unarmed")
