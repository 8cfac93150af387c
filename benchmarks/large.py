"""A 24-megapixel JPEG with a hole of 1 %: what the fill costs beside decoding and encoding.

The photo is a mosaic of real ones, with a little sensor noise, saved as cameras save theirs
(quality 95, 4:2:2), so that it has about as many bytes as one from a camera. Files are read
from and written to a temporary folder. The time is that of a process that has filled before,
reading the mask's file included; the memory that of a fresh one.

What decoding and encoding cost alone is measured three ways, and all are printed:

- arrays: Pillow decodes the file into a NumPy array, and encodes an array with the file's own
  tables and subsampling. The limit is on this one. A program that changes pixels needs an array,
  and this is the plain way to one and back.
- no array: Pillow decodes and encodes its own image (`quality="keep"`). Nothing can be filled so.
- ours: Infill loads the photo and saves it, with no fill between.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.limits import Limit, report, write_json
from benchmarks.processes import peak_memory
from benchmarks.threads import describe, set_threads, use_opencv_threads, warn_if_busy

WIDTH, HEIGHT, TILES = 6000, 4000, 4
HOLE = 0.01
RAW = WIDTH * HEIGHT * 3
MB = 1_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 if `--check` was given and a limit was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="threads (default: 2)")
    parser.add_argument("--engine", default="exemplar", help="engine (default: exemplar)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--check", action="store_true", help="exit code 1 if a limit is missed")
    options = parser.parse_args(arguments)
    set_threads(options.threads)
    use_opencv_threads(options.threads)
    print(describe())
    warn_if_busy()
    with tempfile.TemporaryDirectory(prefix="infill-bench-") as folder:
        photo, mask = build(Path(folder))
        print(f"{WIDTH}×{HEIGHT} JPEG of {photo.stat().st_size / MB:.1f} MB, hole {HOLE:.0%}")
        limits, facts = measure(photo, mask, options.rounds, options.engine)
    for what, value in facts.items():
        print(f"  {what}: {value:.3f}")
    kept = report(limits)
    if options.json:
        write_json(options.json, limits, facts=facts)
    return 1 if options.check and not kept else 0


def build(folder: Path) -> tuple[Path, Path]:
    """Write the photo (JPEG) and its mask (PNG) into the folder."""
    import numpy as np
    from PIL import Image, ImageDraw

    from benchmarks.cases import cases_at_hand, photos

    rng = np.random.default_rng(24)
    sheet = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    tall, wide = HEIGHT // TILES, WIDTH // TILES
    source = cycle(list(islice(photos(cases_at_hand()), TILES * TILES)))
    for index in range(TILES * TILES):
        tile = np.asarray(next(source).resize((wide, tall), Image.Resampling.BICUBIC), np.float32)
        noisy = tile + rng.normal(0, 2, tile.shape).astype(np.float32)
        top, left = index // TILES * tall, index % TILES * wide
        sheet[top : top + tall, left : left + wide] = np.clip(np.rint(noisy), 0, 255)
    photo, mask = folder / "photo.jpg", folder / "mask.png"
    Image.fromarray(sheet).save(photo, quality=95, subsampling="4:2:2")
    hole = Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(hole).ellipse(ellipse(), fill=255)
    hole.save(mask)
    return photo, mask


def ellipse() -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 of an ellipse of `HOLE` of the area, in the middle of the second tile."""
    across = 1.5
    down = (HOLE * WIDTH * HEIGHT / (3.14159265 * across)) ** 0.5
    x, y = WIDTH / TILES * 1.5, HEIGHT / TILES * 1.5
    return x - across * down, y - down, x + across * down, y + down


def measure(
    photo: Path, mask: Path, rounds: int, engine: str
) -> tuple[list[Limit], Mapping[str, float]]:
    """Rounds of both in turn, after one of each; then a fresh process of each for its memory."""
    out = photo.with_name("out.jpg")
    stages: list[Mapping[str, float]] = []

    def fill() -> None:
        import infill.pipeline

        result = infill.pipeline.fill(photo, mask, engine=engine)
        start = time.perf_counter()
        result.save(out, overwrite=True)
        stages.append({**result.seconds, "save": time.perf_counter() - start})

    alone: list[Callable[[], None]] = [
        lambda: recode_arrays(photo, out),
        lambda: recode(photo, out),
        lambda: load_and_save(photo, out),
    ]
    whole, arrays, images, ours = take_turns([fill, *alone], rounds)
    facts = {
        "seconds, file in to file out": whole,
        "seconds, decode and encode, arrays": arrays,
        "seconds, decode and encode, no array": images,
        "seconds, decode and encode, ours": ours,
    }
    for name in stages[-1]:
        facts[f"seconds, {name}"] = statistics.median([s[name] for s in stages[1:]])
    order: list[str | Path] = ["fill", photo, "--mask", mask, "--output", out, "--engine", engine]
    peak = peak_memory("infill", [*order, "--overwrite", "--quiet"])
    facts["MB, decode and encode"] = peak_memory("benchmarks.large_recode", [photo, out]) / MB
    high = (3 * RAW + 200 * MB) / MB
    return [
        Limit("file in to file out, of decoding and encoding (arrays)", whole / arrays, high=1.5),
        Limit("peak memory of infill fill", peak / MB, high=high, unit="MB", digits=0),
    ], facts


def take_turns(actions: Sequence[Callable[[], Any]], rounds: int) -> list[float]:
    """Median seconds of each action, called in turn `rounds` times after one untimed round."""
    seconds: list[list[float]] = [[] for _ in actions]
    for number in range(rounds + 1):
        for action, taken in zip(actions, seconds, strict=True):
            start = time.perf_counter()
            action()
            if number:
                taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in seconds]


def recode_arrays(photo: Path, out: Path) -> None:
    """Decode a JPEG into an array and encode the array with the same tables and subsampling."""
    import numpy as np
    from PIL import Image
    from PIL.JpegImagePlugin import get_sampling

    with Image.open(photo) as image:
        pixels = np.asarray(image)
        options = {"qtables": image.quantization, "subsampling": get_sampling(image)}
    Image.fromarray(pixels).save(out, **options)


def load_and_save(photo: Path, out: Path) -> None:
    """What Infill does to a photo that it does not fill."""
    from infill.picture import Picture

    Picture.load(photo).save(out, overwrite=True)


def recode(photo: Path, out: Path) -> None:
    """Decode a JPEG and encode it again with the same tables and subsampling, nothing else."""
    from PIL import Image

    with Image.open(photo) as image:
        image.load()
        image.save(out, quality="keep")


if __name__ == "__main__":
    sys.exit(main())
