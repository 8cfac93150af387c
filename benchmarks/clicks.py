"""How well the segmenters find an object from a click, from a box and from corrective clicks.

Objects of real photos, outlined by people, each with a box and with a click at its innermost
place. INFILL_BENCH_CLICKS names a folder with clicks.csv (columns name, coco_class, click_x,
click_y, box_x0, box_y0, box_x1, box_y1, area), clicks/NAME.jpg and clicks/NAME_truth.png.

A corrective click is put where a careful person would put it: of all that is wrong, in the
largest piece that hangs together, at the place farthest from that piece's outline; "this too" if
it is missing, "not this" if it is too much. "After 5" is the first click and five such clicks.

The peer, in the same run, is OpenCV's GrabCut from the box, five iterations. IoU is the
intersection of mask and truth over their union, and figures are means over the objects. The
weights of `classic` were fitted to objects like these; even and odd rows are printed apart.
"""

import argparse
import csv
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.clicks_report import STEPS, Row, drawn, print_tables, targets
from benchmarks.limits import report, write_json
from benchmarks.threads import describe, set_threads, use_opencv_threads, warn_if_busy

MEGAPIXEL = 1_000_000
ITERATIONS = 5


@dataclass(frozen=True)
class Thing:
    """One object. click: x, y; box: x0, y0, x1, y1, in pixels; area: its share of the photo."""

    name: str
    kind: str
    click: tuple[float, float]
    box: tuple[float, float, float, float]
    area: float
    photo: Path
    truth: Path

    def load(self) -> tuple[Any, Any]:
        """Pixels (H, W, 3) uint8 RGB, and the object (H, W) bool."""
        import numpy as np
        from PIL import Image

        with Image.open(self.photo) as image:
            pixels = np.asarray(image.convert("RGB"))
        with Image.open(self.truth) as image:
            truth = np.asarray(image.convert("L")) > 127
        if truth.shape != pixels.shape[:2]:
            raise SystemExit(f"{self.truth} is not of the size of {self.photo}")
        return pixels, truth


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 if `--check` was given and a limit was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clicks", description=__doc__)
    parser.add_argument("--segmenter", default="classic", help="its name (default: classic)")
    parser.add_argument("--photos", type=int, metavar="N", help="N of the objects (default: all)")
    parser.add_argument("--threads", type=int, default=2, help="threads (default: 2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="draw every object (PNG)")
    parser.add_argument("--check", action="store_true", help="exit code 1 if a limit is missed")
    options = parser.parse_args(arguments)
    set_threads(options.threads)
    use_opencv_threads(options.threads)
    print(describe())
    warn_if_busy()
    things = choose(things_at_hand(), options.photos)
    from infill.segmentation import make

    segmenter = make(options.segmenter)
    take_turn(segmenter, things[0])  # loads and compiles what there is to load and compile
    rows, pictures = [], []
    for thing in things:
        row, masks = take_turn(segmenter, thing)
        rows.append(row)
        if options.sheet:
            pictures.append(drawn(*thing.load(), row, masks))
    speed = speed_at_a_megapixel(segmenter, things[:8])
    print_tables(rows)
    limits = targets(rows, speed)
    for what, seconds in speed.items():
        print(f"  1 megapixel, {what}: {seconds:.3f} s")
    kept = report(limits)
    if options.sheet:
        from benchmarks.sheet import draw

        draw(pictures, options.sheet)
    if options.json:
        write_json(options.json, limits, rows=[asdict(row) for row in rows], speed=speed)
    return 1 if options.check and not kept else 0


# --- what is measured ---------------------------------------------------------------------


def things_at_hand() -> list[Thing]:
    """The objects of the folder that INFILL_BENCH_CLICKS names."""
    named = os.environ.get("INFILL_BENCH_CLICKS")
    if not named:
        raise SystemExit("INFILL_BENCH_CLICKS names no folder with clicks.csv and clicks/")
    table = Path(named) / "clicks.csv"
    if not table.is_file():
        raise SystemExit(f"INFILL_BENCH_CLICKS: there is no file {table}")
    folder = table.parent / "clicks"
    with table.open(encoding="utf-8", newline="") as lines:
        found = [
            Thing(
                line["name"],
                line["coco_class"],
                (float(line["click_x"]), float(line["click_y"])),
                tuple(float(line[f"box_{side}"]) for side in ("x0", "y0", "x1", "y1")),  # type: ignore[arg-type]
                float(line["area"]),
                folder / f"{line['name']}.jpg",
                folder / f"{line['name']}_truth.png",
            )
            for line in csv.DictReader(lines)
        ]
    if not found:
        raise SystemExit(f"{table} names no object")
    return found


def choose(things: Sequence[Thing], count: int | None) -> list[Thing]:
    """`count` of them, spread evenly; all if None."""
    if count is None or count >= len(things):
        return list(things)
    return [things[k * len(things) // max(1, count)] for k in range(max(1, count))]


def take_turn(segmenter: Any, thing: Thing) -> tuple[Row, dict[str, Any]]:
    """Everything that is measured of one object, and masks to look at."""
    from infill.segmenters.base import Prompt

    pixels, truth = thing.load()
    peer, peer_seconds = timed(lambda: grabcut(pixels, thing.box))
    state, embed_seconds = timed(lambda: segmenter.embed(pixels))
    boxed, box_seconds = timed(lambda: segmenter.segment(state, Prompt(box=thing.box))[0].mask)
    clicked, click_seconds = timed(lambda: segmenter.segment(state, Prompt((thing.click,))))
    masks = corrected(segmenter, state, thing.click, truth, max(STEPS))
    row = Row(
        thing.name,
        thing.kind,
        thing.area,
        peer_box=iou(peer, truth),
        box=iou(boxed, truth),
        click=iou(clicked[0].mask, truth),
        best=max(iou(candidate.mask, truth) for candidate in clicked),
        after=tuple(iou(mask, truth) for mask in masks),
        peer_seconds=peer_seconds,
        embed_seconds=embed_seconds,
        box_seconds=box_seconds,
        click_seconds=click_seconds,
    )
    return row, {"GrabCut, box": peer, "box": boxed, "click": masks[0], "corrected": masks[-1]}


def timed(action: Callable[[], Any]) -> tuple[Any, float]:
    """What it returns, and the seconds it took."""
    start = time.perf_counter()
    result = action()
    return result, time.perf_counter() - start


def iou(mask: Any, truth: Any) -> float:
    """Intersection over union of two (H, W) bool masks; 1 if both are empty."""
    union = int((mask | truth).sum())
    return int((mask & truth).sum()) / union if union else 1.0


def grabcut(pixels: Any, box: tuple[float, float, float, float]) -> Any:
    """OpenCV's GrabCut (Rother et al. 2004) from the box, (H, W) bool."""
    import cv2
    import numpy as np

    height, width = pixels.shape[:2]
    left, top = max(0, int(box[0])), max(0, int(box[1]))
    right, bottom = min(width, round(box[2])), min(height, round(box[3]))
    labels = np.zeros((height, width), np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    rectangle = (left, top, max(1, right - left), max(1, bottom - top))
    if rectangle[2:] == (width, height):  # it wants some background
        rectangle = (1, 1, width - 2, height - 2)
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    cv2.grabCut(bgr, labels, rectangle, *models, ITERATIONS, cv2.GC_INIT_WITH_RECT)
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def corrected(
    segmenter: Any, state: Any, click: tuple[float, float], truth: Any, steps: int
) -> list[Any]:
    """The masks after 0, 1, … `steps` corrective clicks."""
    from infill.segmenters.base import Prompt

    points, labels = [click], [True]
    masks = [segmenter.segment(state, Prompt(tuple(points), tuple(labels)))[0].mask]
    for _ in range(steps):
        found = next_click(masks[-1], truth)
        if found is not None:
            points.append(found[:2])
            labels.append(found[2])
            prompt = Prompt(tuple(points), tuple(labels))
            masks.append(segmenter.segment(state, prompt)[0].mask)
        else:
            masks.append(masks[-1])
    return masks


def next_click(mask: Any, truth: Any) -> tuple[float, float, bool] | None:
    """x, y and label of the click that a careful person would make next; None if all is right."""
    import cv2
    import numpy as np

    count, pieces, facts, _ = cv2.connectedComponentsWithStats((mask ^ truth).astype(np.uint8))
    if count < 2:
        return None
    largest = 1 + int(facts[1:, cv2.CC_STAT_AREA].argmax())
    inside = np.pad(pieces == largest, 1).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(column) + 0.5, float(row) + 0.5, bool(truth[row, column])


def speed_at_a_megapixel(segmenter: Any, things: Sequence[Thing]) -> dict[str, float]:
    """Median seconds on photos enlarged to a megapixel: embed, one click, and both."""
    import cv2

    from infill.segmenters.base import Prompt

    embeds, clicks, fifths = [], [], []
    for thing in things:
        pixels, truth = thing.load()
        scale = (MEGAPIXEL / truth.size) ** 0.5
        large = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        state, seconds = timed(lambda large=large: segmenter.embed(large))
        embeds.append(seconds)
        points = [tuple(scale * value for value in thing.click)]
        labels = [True]
        one = Prompt(tuple(points), tuple(labels))
        clicks.append(timed(lambda state=state, one=one: segmenter.segment(state, one))[1])
        goal = cv2.resize(truth.astype("uint8"), (large.shape[1], large.shape[0])) > 0
        for _ in range(max(STEPS)):
            mask = segmenter.segment(state, Prompt(tuple(points), tuple(labels)))[0].mask
            found = next_click(mask, goal)
            if found:
                points.append(found[:2])
                labels.append(found[2])
        six = Prompt(tuple(points), tuple(labels))
        fifths.append(timed(lambda state=state, six=six: segmenter.segment(state, six))[1])
    return {
        "embed": statistics.median(embeds),
        "a click": statistics.median(clicks),
        "embed and the first click": statistics.median(map(sum, zip(embeds, clicks, strict=True))),
        "the click after five others": statistics.median(fifths),
    }


if __name__ == "__main__":
    sys.exit(main())
