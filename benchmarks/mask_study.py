"""How much better masking buys: people removed with masks of five forms.

    python -m benchmarks.mask_study --annotations instances_val2017.json --photos val2017
    python -m benchmarks.mask_study --photos DIR [--objects clicks.csv --coco-class 1]

The second reads DIR/NAME.jpg with DIR/NAME_truth.png beside it, and takes the names in the table.

An annotated outline is raw, thickened, smoothed, both, or both with the shadow that Infill
proposes (`infill mask advise`); each is filled by each engine. What is behind a person nobody
knows, so that there are two sets of scenes:

composites  A person, cut out along the photo's own edges with a soft rim, is put into another
            photo with a drawn shadow. Everything behind is known. All forms are measured over the
            same pixels: the union of all masks and of all that is to be hidden.
real        The people where they are: what of their rim is left, what still looks like them, and
            how the fill meets the photo.

Rows are kept in OUT/rows.jsonl as they come, and a run that was stopped goes on. It ends with
OUT/masks.md, OUT/masks.json and OUT/masks.jpg.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.threads import set_threads

if TYPE_CHECKING:
    from benchmarks.mask_study_forms import Forms
    from benchmarks.mask_study_people import Scene

SHOWN = {
    "raw": "filled, raw mask",
    "thickened": "thickened",
    "both": "smoothed, thickened",
    "shadow": "and with shadow",
}
"""The forms on the sheet, and their captions."""

FORMAT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it, or go on with it; 0 when it is done."""
    options = parsed(arguments)
    set_threads(options.threads)
    from benchmarks.mask_study_forms import Forms
    from benchmarks.mask_study_people import annotated_people, chosen, outlined_people
    from infill.errors import InfillError

    people = (
        annotated_people(options.annotations, options.photos)
        if options.annotations
        else outlined_people(options.photos, options.objects, options.coco_class)
    )
    try:
        found = chosen(people, options.count, options.seed)
        if len(found) < 2:
            raise SystemExit(
                f"{options.photos} has {len(found)} people that stand free; the study needs 2 or "
                "more: give --annotations, or photos with NAME_truth.png beside them"
            )
        options.out.mkdir(parents=True, exist_ok=True)
        study = Study(options, Forms(options.thicker, options.smoother))
        study.run(found)
    except InfillError as error:
        raise SystemExit(str(error)) from error
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mask_study",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--annotations", type=Path, help="a COCO instances file")
    parser.add_argument("--photos", type=Path, required=True, help="the folder of its photos")
    parser.add_argument("--objects", type=Path, help="a table of names and classes, without it all")
    parser.add_argument("--coco-class", default="1", help="the class in the table (default: 1)")
    parser.add_argument("--engines", default="exemplar,telea,pocket", help="with commas between")
    parser.add_argument("--count", type=int, default=30, help="people (default: 30)")
    parser.add_argument("--seed", type=int, default=0, help="which people, places and shadows")
    parser.add_argument("--thicker", default="5%", help="by how much (default: 5%% of its size)")
    parser.add_argument("--smoother", default="5%", help="over how much (default: 5%%)")
    parser.add_argument("--threads", type=int, default=2, help="threads (default: 2)")
    parser.add_argument(
        "--shown",
        type=int,
        default=6,
        help="scenes on the sheet: the first ones, then with a shadow proposed (default: 6)",
    )
    parser.add_argument("--out", type=Path, default=Path("out/mask-study"), help="the folder")
    options = parser.parse_args(arguments)
    if not options.photos.is_dir():
        parser.error(f"there is no folder {options.photos}")
    if options.count < 2:
        parser.error("--count is 2 or more")
    return options


class Study:
    """A run: what is settled, and the rows so far."""

    def __init__(self, options: argparse.Namespace, forms: "Forms") -> None:
        self.options, self.forms = options, forms
        self.engines = [name.strip() for name in options.engines.split(",") if name.strip()]
        self.settled = {"format": FORMAT, "seed": options.seed} | {
            name: getattr(options, name) for name in ("thicker", "smoother")
        }
        self.file = options.out / "rows.jsonl"
        self.rows = [row for row in read(self.file) if row["settled"] == self.settled]

    def run(self, people: Sequence[Any]) -> None:
        """Fill, measure, and write what came out."""
        from tqdm import tqdm

        from benchmarks.mask_study_people import composites, real

        lines = []
        with self.file.open("a", encoding="utf-8") as kept, tqdm(total=2 * len(people)) as bar:
            sets = {"composites": composites(people, self.options.seed), "real": real(people)}
            for set_name, scenes in sets.items():
                for number, scene in enumerate(scenes):
                    shown = set_name == "composites" and self.shown(scene, number, len(lines))
                    fills = {}
                    for row, filled in self.scene(set_name, scene, again=shown):
                        fills[row["engine"], row["form"]] = filled
                        if row not in self.rows:
                            self.rows.append(row)
                            kept.write(json.dumps(row) + "\n")
                            kept.flush()
                    if shown:
                        lines.append(self.line(scene, fills))
                    bar.update()
        names = {person.name for person in people}
        self.write([row for row in self.rows if row["scene"] in names], lines)

    def shown(self, scene: "Scene", number: int, lines: int) -> bool:
        """Whether a scene is on the sheet: the first few, then those with a proposed shadow."""
        if number < (self.options.shown + 1) // 2:
            return True
        forms = self.forms.of(scene)
        return lines < self.options.shown and bool((forms["shadow"] & ~forms["both"]).any())

    def scene(
        self, set_name: str, scene: "Scene", *, again: bool
    ) -> Iterator[tuple[dict[str, Any], Any]]:
        """A row and the filled photo for each engine and form. Those that are there already are
        skipped unless they are wanted `again`, as pictures."""
        from benchmarks.mask_study_forms import of_fill, of_mask
        from infill import fill
        from infill.errors import InfillError
        from infill.metrics.base import to_json

        forms = self.forms.of(scene)
        have = {(row["set"], row["scene"], row["engine"], row["form"]): row for row in self.rows}
        for engine in self.engines:
            for form, mask in forms.items():
                known = have.get((set_name, scene.name, engine, form))
                pictured = again and engine == self.engines[0] and form in SHOWN
                if known and not pictured:
                    continue
                row = {"set": set_name, "scene": scene.name, "group": scene.group}
                row |= {"engine": engine, "form": form, "settled": self.settled, "error": None}
                row["area"] = int(mask.sum())
                begun, filled, scores = time.perf_counter(), None, dict[str, float]()
                try:
                    filled = fill(scene.pixels, mask, engine=engine).picture.pixels
                    row["seconds"] = round(time.perf_counter() - begun, 3)
                    scores = of_mask(scene, mask) | of_fill(scene, forms, mask, filled)
                except InfillError as error:
                    row["error"] = str(error)
                yield known or (row | {"scores": to_json(scores)}), filled

    def line(self, scene: "Scene", fills: dict[tuple[str, str], Any]) -> Any:
        """A line of the sheet, by the first engine."""
        from benchmarks.mask_study_report import pictured

        first = self.engines[0]
        shown = {form: fills.get((first, form)) for form in SHOWN}
        captions = {SHOWN[form]: filled for form, filled in shown.items() if filled is not None}
        return pictured(scene, scene.annotated, captions)

    def write(self, rows: list[dict[str, Any]], lines: list[Any]) -> None:
        """The tables, the figures and the sheet."""
        from benchmarks.mask_study_report import shadows, sheet, summarised, tables

        rows = [row for row in rows if row["engine"] in self.engines]
        cells = summarised(rows)
        text = tables(cells, rows) + "\n\n" + shadows(rows)
        failed = sorted({f"{row['engine']}: {row['error']}" for row in rows if row["error"]})
        text += "".join(f"\n\nLeft out for all: {sentence}" for sentence in failed)
        out = self.options.out
        (out / "masks.md").write_text(text + "\n", encoding="utf-8")
        figures = {"settled": self.settled, "cells": cells, "rows": rows}
        (out / "masks.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        if lines:
            sheet(lines, out / "masks.jpg")
        print(text)
        print(f"\n{out}: masks.md, masks.json, masks.jpg")


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a run so far; a torn last line is cut off the file."""
    if not path.is_file():
        return []
    rows, good = [], 0
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            row = json.loads(line)
        except ValueError:
            break
        if not line.endswith(b"\n") or not isinstance(row, dict):
            break
        rows.append(row)
        good += len(line)
    os.truncate(path, good)
    return rows


if __name__ == "__main__":
    sys.exit(main())
