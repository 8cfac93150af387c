"""Photos that a run of `infill train` held out, each with a free-form hole, for `benchmarks.fill`.

The middle square of each photo, brought to 256 pixels, with a hole of 30 to 60 %: the setting in
which inpainting networks are compared on Places. Only names that contain `--named` are taken.

    python -m benchmarks.held_out photos --named sun --out out/held-out
    INFILL_BENCH=out/held-out python -m benchmarks.fill --methods hybrid,pocket,exemplar,gmic
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

KIND = "free-form"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.held_out",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photos", type=Path, help="the folder that the run learnt from")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--named", default="", metavar="TEXT", help="only photos so named")
    parser.add_argument("--fraction", type=float, default=0.1, help="data.held_out of the run")
    parser.add_argument("--count", type=int, default=36, help="of photos (default: 36)")
    parser.add_argument("--side", type=int, default=256, help="in pixels (default: 256)")
    parser.add_argument("--area", type=float, nargs=2, default=(0.3, 0.6), metavar=("LOW", "HIGH"))
    parser.add_argument("--seed", type=int, default=0, help="of choice and holes (default: 0)")
    options = parser.parse_args(arguments)
    low, high = options.area
    if not 0 < low <= high - 0.05 <= 0.85:
        raise SystemExit("--area takes two shares, at least 0.05 apart, above 0 and at most 0.9")
    options.out.mkdir(parents=True, exist_ok=True)
    if any(options.out.iterdir()):
        raise SystemExit(f"{options.out} is not empty; name another folder")
    random = np.random.default_rng(options.seed)
    for number, path in enumerate(chosen(options, random)):
        photo, hole = square(path, options.side), free_form(options.side, options.area, random)
        name = f"{number:03}_{KIND}_held-out_{path.stem}"
        photo.save(options.out / f"{name}.png")
        Image.fromarray(np.where(hole, np.uint8(255), np.uint8(0))).save(
            options.out / f"{name}_mask.png"
        )
    print(f"{options.out}: {options.count} photos")
    return 0


def chosen(options: argparse.Namespace, random: np.random.Generator) -> list[Path]:
    """Photos that were held out, at random."""
    from infill.data.layouts import parted
    from infill.errors import InfillError

    try:
        aside = parted("folder", options.photos, options.fraction)[1]
    except InfillError as error:
        raise SystemExit(str(error)) from error
    paths = [aside.path(i) for i in range(len(aside)) if options.named in aside.names[i]]
    if len(paths) < options.count:
        raise SystemExit(
            f"only {len(paths)} photos are held out and so named; give a lower --count"
        )
    return [paths[i] for i in sorted(random.permutation(len(paths))[: options.count])]


def square(path: Path, side: int) -> Image.Image:
    """The middle of a photo."""
    with Image.open(path) as image:
        photo = image.convert("RGB")
    short = min(photo.size)
    left, top = (photo.width - short) // 2, (photo.height - short) // 2
    return photo.crop((left, top, left + short, top + short)).resize(
        (side, side), Image.Resampling.BOX if short >= side else Image.Resampling.BICUBIC
    )


def free_form(side: int, area: Sequence[float], random: np.random.Generator) -> np.ndarray:
    """A hole of strokes whose share lies in `area`; a share is drawn first, evenly."""
    from infill.masks.random import random_mask

    wanted = random.uniform(*area)
    hole = random_mask("free_form", (side, side), wanted, rng=random)
    while not area[0] <= hole.mean() <= area[1]:
        hole = random_mask("free_form", (side, side), wanted, rng=random)
    return hole


if __name__ == "__main__":
    sys.exit(main())
