"""Sweeps: grids, keys, figures, what is made again and what is not."""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tests.cli.tools import files_below, hole, scene, write_mask, write_photo

from infill import sheets
from infill import sweep as package
from infill.engines.base import ENGINES
from infill.errors import BadMask, BadOption, BatchError, Cancelled, FullMask
from infill.metrics.base import to_unit
from infill.metrics.psnr import psnr
from infill.metrics.seam import seam
from infill.picture import Picture
from infill.pipeline import fill
from infill.sweep import Sweep, axes, plan, read_grid, read_options, sweep
from infill.sweep import sheet as sheet_module
from infill.sweep import table as table_module


@pytest.fixture(autouse=True)
def engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engines of `tests.sweep_engines` in the registry, for one test."""
    ENGINES.names()
    monkeypatch.setattr(ENGINES, "_places", dict(ENGINES._places))
    for name in ("Aimed", "Small"):
        ENGINES.add(name.lower(), f"tests.sweep_engines:{name}")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A photo, its mask, and a target of the photo's size."""
    photo = write_photo(tmp_path / "photo.png")
    target = write_photo(tmp_path / "target.png", seed=5)
    return photo, write_mask(tmp_path / "mask.png"), target


def rows_of(out: Path) -> dict[str, dict[str, Any]]:
    lines = (out / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["key"]: row for row in map(json.loads, lines)}


class TestGrid:
    def test_reading(self) -> None:
        assert read_grid(["lambda-start=0.25, 0.5,1", "colour=0,0,1|1,0,0"]) == {
            "lambda_start": ["0.25", "0.5", "1"],
            "colour": ["0,0,1", "1,0,0"],
        }
        assert read_options(["steps=20", "prompt=a=b, c"]) == {"steps": "20", "prompt": "a=b, c"}

    @pytest.mark.parametrize(
        ("pairs", "words"),
        [
            (["radius"], "NAME=VALUE,VALUE"),
            (["radius=1", "radius=2"], "names radius twice"),
            (["radius=1,,2"], "a value of radius is empty"),
        ],
    )
    def test_bad_writing(self, pairs: list[str], words: str) -> None:
        with pytest.raises(BadOption, match=words):
            read_grid(pairs)

    def test_values_are_of_the_options_kind(self) -> None:
        engine = ENGINES.get("aimed")
        grid = {
            "weight": ["1", "0.5"],
            "rounds": ["3"],
            "sort": ["fancy"],
            "broken": ["yes", "false"],
            "prompt": ["12"],
        }
        found = {axis.name: [one.given for one in axis.values] for axis in axes(engine, grid, [7])}
        assert found == {
            "weight": [1.0, 0.5],
            "rounds": [3],
            "sort": ["fancy"],
            "broken": [True, False],
            "prompt": ["12"],
            "seed": [7],
        }
        assert type(found["weight"][0]) is float
        (colour, *_) = axes(ENGINES.get("flat"), {"colour": ["none", "0,0,1"]}, [0])
        assert [one.given for one in colour.values] == [None, "0,0,1"]

    @pytest.mark.parametrize(
        ("grid", "words"),
        [
            ({"size": ["1"]}, "no option 'size'; it has: weight, rounds, rim, sort"),
            ({"weight": ["much"]}, "weight is a number, not 'much'"),
            ({"rounds": ["1.5"]}, "rounds is a whole number, not '1.5'"),
            ({"sort": ["odd"]}, "sort is one of plain, fancy, not 'odd'"),
            ({"broken": ["perhaps"]}, "broken is true or false, not 'perhaps'"),
            ({"weight": ["0.5", "0.50"]}, "weight the value 0.5 twice"),
            ({"weight": []}, "no value for weight"),
            ({"weight": "1"}, "values of weight are a list"),
            ({"seed": ["1"]}, "seeds are no option"),
        ],
    )
    def test_bad_values(self, grid: dict[str, Any], words: str) -> None:
        with pytest.raises(BadOption, match=words):
            axes(ENGINES.get("aimed"), grid, [0])

    def test_bad_seeds(self) -> None:
        for seeds, words in (([-1], "from 0 up, not -1"), ([1, 1], "seed the value 1 twice")):
            with pytest.raises(BadOption, match=words):
                axes(ENGINES.get("flat"), {}, seeds)


class TestPlan:
    def test_every_combination(self) -> None:
        grid = {"radius": [1, 3], "blend": [1]}
        with pytest.raises(BadOption, match="no option 'blend'; it has: radius"):
            plan(scene(), hole(), engine="telea", grid=grid)
        made = plan(scene(), hole(), engine="telea", grid={"radius": [1, 3]}, seeds=[0, 4])
        assert [cell.values for cell in made.cells] == [
            {"radius": "1", "seed": "0"},
            {"radius": "1", "seed": "4"},
            {"radius": "3", "seed": "0"},
            {"radius": "3", "seed": "4"},
        ]
        assert made.columns == "radius"
        assert len({cell.key for cell in made.cells}) == 4
        again = plan(scene(), hole(), engine="telea", grid={"radius": ["3"]}, seeds=[4])
        assert again.cells[0].key == made.cells[3].key

    def test_keys_follow_from_all_that_decides_the_pixels(self, tmp_path: Path) -> None:
        target = write_photo(tmp_path / "target.png", seed=1)
        other = write_photo(tmp_path / "other.png", seed=2)
        model = tmp_path / "model.bin"
        model.write_bytes(b"1")

        def key(photo: Any = None, mask: Any = None, reference: Any = target, **more: Any) -> str:
            photo, mask = scene() if photo is None else photo, hole() if mask is None else mask
            more = {"options": {"prompt": str(model)}, **more}
            return plan(photo, mask, engine="aimed", reference=reference, **more).cells[0].key

        first = key()
        assert key() == first
        assert key(options={"prompt": str(model), "weight": 1.0}) == first, "the default, said"
        wider = hole()
        wider[0, 0] = True
        others = [
            key(photo=scene(seed=1)),
            key(mask=wider),
            key(reference=other),
            key(seeds=[1]),
            key(blend=2.0),
            key(match_colour=True),
            key(options={"prompt": str(model), "weight": 0.5}),
            key(options={"prompt": "x" * 5000}),
        ]
        model.write_bytes(b"trained on")
        others.append(key())
        assert len({first, *others}) == 10

    @pytest.mark.parametrize(
        ("changes", "error", "words"),
        [
            ({"grid": {"radius": range(1, 12)}, "seeds": range(10)}, BadOption,
             r"110 fills \(11 of radius × 10 of seed\), and the limit is 100"),
            ({"grid": {"radius": [1, 0]}}, BadOption, "radius must be between 1 and 100, not 0"),
            ({"options": {"radius": 3}, "grid": {"radius": [1]}}, BadOption, "both in the grid"),
            ({"options": {"radios": 3}}, BadOption, "no option 'radios'; it has: radius"),
            ({"reference": scene()}, BadOption, "no option 'reference'; it has: radius"),
            ({"columns": "steps"}, BadOption, "steps cannot be the columns: the grid has seed"),
            ({"mask": np.zeros((48, 64), bool)}, BadMask, "the mask is empty"),
            ({"mask": np.ones((48, 64), bool)}, FullMask, "every pixel is masked"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_said_before_anything_is_filled(
        self, changes: dict[str, Any], error: type[Exception], words: str
    ) -> None:
        with pytest.raises(error, match=words):
            plan(scene(), **{"mask": hole(), "engine": "telea", **changes})

    def test_pictures_as_values(self, files: tuple[Path, Path, Path]) -> None:
        photo, mask, target = files
        made = plan(photo, mask, engine="aimed", grid={"reference": [target, str(photo)]})
        assert [cell.values["reference"] for cell in made.cells] == [str(target), str(photo)]
        assert made.reference is None
        fixed = plan(photo, mask, engine="aimed", options={"reference": str(target)})
        assert fixed.reference is not None
        assert fixed.fixed == {"reference": str(target)}


class TestRun:
    def test_the_figures_are_those_of_the_pictures(
        self, files: tuple[Path, Path, Path], tmp_path: Path
    ) -> None:
        photo, mask, target = files
        report = sweep(
            photo, mask, tmp_path / "out", engine="aimed", reference=target,
            grid={"weight": [0.25, 1.0], "rim": [0, 3]}, seeds=[0, 1],
        )  # fmt: skip
        assert (report.done, report.failed, report.skipped, report.left) == (8, 0, 0, 0)
        aim = to_unit(Picture.load(target).pixels)
        for row in report.rows:
            made = Picture.load(tmp_path / "out" / row["output"])
            weight, rim = row["options"]["weight"], row["options"]["rim"]
            same = fill(
                photo, mask, engine="aimed", weight=weight, rim=rim, seed=row["seed"],
                reference=target,
            )  # fmt: skip
            np.testing.assert_array_equal(made.pixels, same.picture.pixels)
            where = hole()
            where[: 48 // 3 + rim] = False
            filled = to_unit(made.pixels)
            off = np.abs(filled[where].astype(np.float64) - aim[where])
            if weight == 1:
                assert row["target_psnr"] == "exact"
            else:
                assert row["target_psnr"] == pytest.approx(psnr(aim[where], filled[where]), 1e-5)
            assert row["target_mae"] == pytest.approx(off.mean(), abs=1e-7)
            assert row["seam"] == pytest.approx(seam(filled, hole()), rel=1e-6)
            assert (row["calls"], row["notes"]) == (2, ["aimed"])
            assert 0 < row["seconds"] < report.seconds
            assert row["error"] is None

    def test_an_engine_with_a_size_of_its_own_and_two_holes(self, tmp_path: Path) -> None:
        photo = scene(120, 160)
        mask = np.zeros((120, 160), bool)
        mask[10:50, 10:60] = mask[100:104, 150:154] = True
        target = np.full_like(photo, (200, 100, 50))
        report = sweep(
            photo, mask, tmp_path / "out", engine="small", reference=target,
            grid={"weight": [1.0, 0.5]},
        )  # fmt: skip
        for row in report.rows:
            made = Picture.load(tmp_path / "out" / row["output"])
            off = np.abs(to_unit(made.pixels) - to_unit(target))[mask]
            # Less exact than where nothing is resampled: what is the goal's own edge, say.
            assert row["target_mae"] == pytest.approx(off.mean(), abs=0.002)
        near, far = report.rows
        assert near["target_mae"] < 0.01 < 0.1 < far["target_mae"]
        assert near["calls"] == 4, "both holes count"

    def test_engines_without_a_goal_have_a_dash(self, tmp_path: Path) -> None:
        report = sweep(scene(), hole(), tmp_path / "out", engine="telea", grid={"radius": [1, 9]})
        assert [row["target_mae"] for row in report.rows] == [None, None]
        assert [row["calls"] for row in report.rows] == [None, None]
        lines = report.table.read_text(encoding="utf-8").splitlines()
        assert lines[2].startswith("| radius | seed | PSNR to target, dB | MAE to target | seam |")
        for line, row in zip(lines[4:6], report.rows, strict=True):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert cells == [
                row["values"]["radius"], "0", "–", "–",
                f"{row['seam']:.3f}", f"{row['seconds']:.3f}", "–",
            ]  # fmt: skip

    def test_the_csv_has_the_same_figures_in_full(
        self, files: tuple[Path, Path, Path], tmp_path: Path
    ) -> None:
        photo, mask, target = files
        report = sweep(
            photo, mask, tmp_path / "out", engine="aimed", reference=target,
            grid={"weight": [1.0, 0.3], "broken": [False, True]},
        )  # fmt: skip
        found = list(csv.DictReader(io.StringIO(report.csv.read_text(encoding="utf-8"))))
        assert len(found) == 4
        for line, row in zip(found, report.rows, strict=True):
            assert (line["key"], line["weight"]) == (row["key"], row["values"]["weight"])
            assert line["error"] == (row["error"] or "")
            for key in ("target_psnr", "target_mae", "seam", "seconds", "calls"):
                assert line[key] == ("" if row[key] is None else str(row[key]))

    def test_a_fill_that_fails_is_a_row_and_is_tried_again(
        self, files: tuple[Path, Path, Path], tmp_path: Path
    ) -> None:
        photo, mask, target = files
        again = [
            sweep(
                photo, mask, tmp_path / "out", engine="aimed", reference=target,
                grid={"broken": [True, False]},
            )
            for _ in range(2)
        ]  # fmt: skip
        assert [(one.done, one.failed, one.skipped) for one in again] == [(1, 1, 0), (0, 1, 1)]
        bad, good = again[1].rows
        assert "broken on purpose" in bad["error"]
        assert (bad["output"], bad["seam"], good["error"]) == (None, None, None)
        assert "broken on purpose" in again[1].table.read_text(encoding="utf-8")

    def test_a_larger_grid_makes_what_is_new_and_keeps_the_rest(self, tmp_path: Path) -> None:
        out = tmp_path / "out"

        def run(*radii: int, photo: Any = None, **more: Any) -> Any:
            given = scene() if photo is None else photo
            return sweep(given, hole(), out, engine="telea", grid={"radius": radii}, **more)

        assert run(1, 3).done == 2
        first = {name: (out / name).stat().st_mtime_ns for name in files_below(out)}
        report = run(1, 3, 5)
        assert (report.done, report.skipped, len(report.rows)) == (1, 2, 3)
        kept = [name for name in first if name.startswith("fills/")]
        assert len(kept) == 2
        assert all((out / name).stat().st_mtime_ns == first[name] for name in kept)
        report = run(3)
        assert (report.done, report.skipped) == (0, 1)
        assert [row["values"]["radius"] for row in report.rows] == ["3"]
        assert len(rows_of(out)) == 3, "rows of other grids stay"
        assert run(3, photo=scene(seed=9)).done == 1, "another photo has other keys"
        assert run(3).done == 0
        (out / report.rows[0]["output"]).unlink()
        assert run(3).done == 1, "a picture that is gone is made again"
        assert run(3, restart=True).done == 1
        assert len(rows_of(out)) == 1

    def test_stopped_by_the_caller_it_keeps_what_is_done(self, tmp_path: Path) -> None:
        seen: list[dict[str, Any]] = []

        def progress(fraction: float, stage: str) -> None:
            if len(seen) == 2:
                raise Cancelled("enough")

        out, grid = tmp_path / "out", {"radius": [1, 2, 3, 4]}
        with pytest.raises(Cancelled):
            sweep(scene(), hole(), out, engine="telea", grid=grid, progress=progress,
                  on_row=seen.append)  # fmt: skip
        assert list(rows_of(out)) == [row["key"] for row in seen]
        assert "2 of 4 fills are done" in (out / "table.md").read_text(encoding="utf-8")
        report = sweep(scene(), hole(), out, engine="telea", grid=grid)
        assert (report.done, report.skipped) == (2, 2)

    def test_what_a_killed_start_left_is_mended(self, tmp_path: Path) -> None:
        out, grid = tmp_path / "out", {"radius": [1, 2]}
        sweep(scene(), hole(), out, engine="telea", grid=grid)
        with (out / "rows.jsonl").open("ab") as torn:
            torn.write(b'{"key": "0123", "outp')
        (out / "fills" / ".infill-0123456789abcdef.tmp").write_bytes(b"half a photo")
        assert sweep(scene(), hole(), out, engine="telea", grid=grid).skipped == 2
        assert len(rows_of(out)) == 2
        assert not list(out.rglob("*.tmp"))

    def test_folders_of_others_are_refused(self, tmp_path: Path) -> None:
        todo = plan(scene(), hole(), engine="telea")
        (tmp_path / "run.json").write_text('{"engine": "telea"}')
        with pytest.raises(BatchError, match="holds a batch run; choose another folder"):
            Sweep(todo, tmp_path)
        (tmp_path / "run.json").unlink()
        (tmp_path / "table.md").write_text("mine")
        with pytest.raises(BatchError, match="no sweep has written it"):
            Sweep(todo, tmp_path)
        (tmp_path / "table.md").unlink()
        with Sweep(todo, tmp_path), pytest.raises(BatchError, match="another run is writing"):
            Sweep(todo, tmp_path)


def test_closeness_to_a_target_rises_with_its_weight(tmp_path: Path) -> None:
    """The real guided engine, with a tiny random network that knows nothing."""
    pytest.importorskip("diffusers")
    torch = pytest.importorskip("torch")
    from diffusers import DDPMScheduler, UNet2DModel

    torch.manual_seed(0)
    UNet2DModel(
        sample_size=16,
        block_out_channels=(8, 8),
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=4,
    ).save_pretrained(tmp_path / "model" / "unet", safe_serialization=True)
    DDPMScheduler(num_train_timesteps=50).save_pretrained(tmp_path / "model" / "scheduler")
    report = sweep(
        scene(), hole(), tmp_path / "out", engine="guided", reference=scene(seed=8),
        options={
            "model": str(tmp_path / "model"), "placement": "frame", "schedule": "custom",
            "num_inference_steps": "3", "buffer": "0", "lambda_kind": "constant",
        },
        grid={"lambda_start": [0.0, 0.5, 1.0]},
    )  # fmt: skip
    assert [row["error"] for row in report.rows] == [None] * 3
    found = [row["target_mae"] for row in report.rows]
    assert found[0] > found[1] > found[2]
    assert all(row["options"]["num_inference_steps"] == 3 for row in report.rows)


class TestSheet:
    def test_every_fill_is_in_its_place_under_its_label(
        self, files: tuple[Path, Path, Path], tmp_path: Path
    ) -> None:
        photo, mask, target = files
        out = tmp_path / "out"
        grid = {"weight": [0.0, 0.5, 1.0], "rim": [0, 4], "broken": [False, True]}
        made = plan(photo, mask, engine="aimed", reference=target, grid=grid)
        with Sweep(made, out, cell=120) as run:
            rows = {row["key"]: row for row in run.rows()}
            report = run.report()
            paths = {key: out / row["output"] for key, row in rows.items() if row["output"]}
            layout = sheet_module.write(made, rows, paths, tmp_path / "again.png", longest=120)
        assert report.sheet.read_bytes() == (tmp_path / "again.png").read_bytes()
        with Image.open(report.sheet) as image:
            assert image.size == layout.size
            drawn = np.asarray(image.convert("RGB"))
        assert list(layout.headings) == ["weight = 0", "weight = 0.5", "weight = 1"]
        assert [list(label) for label in layout.labels] == [
            ["rim = 0", "broken = off", "seed = 0"],
            ["rim = 0", "broken = on", "seed = 0"],
            ["rim = 4", "broken = off", "seed = 0"],
            ["rim = 4", "broken = on", "seed = 0"],
        ]
        for left, text in zip(layout.columns, layout.headings, strict=True):
            assert_written(drawn, left, layout.heading_top, text)
        for top, label in zip(layout.rows, layout.labels, strict=True):
            for number, text in enumerate(label):
                assert_written(drawn, sheet_module.GAP, top + number * sheet_module.LINE, text)
        view = sheet_module.viewed(hole())
        fills = {}
        for key, box in layout.places.items():
            part = drawn[box.slices]
            assert max(part.shape[:2]) == 120
            if rows[key]["output"] is None:
                assert (part[-1] == sheet_module.FAINT).all()
                continue
            whole = Picture.load(out / rows[key]["output"]).pixels
            expected = sheets.fitted(whole[view.slices], 120, enlarge=True)
            np.testing.assert_array_equal(part, expected)
            caption = sheet_module.caption(rows[key])
            assert caption.startswith("PSNR ")
            assert_written(drawn, box.left, box.bottom + 2, caption)
            fills[key] = part.tobytes()
        assert len(fills) == 6
        assert len(set(fills.values())) == 6, "fills that differ look different"

    def test_the_place_of_each_is_its_column_and_row(self) -> None:
        made = plan(scene(), hole(), engine="telea", grid={"radius": [1, 2]}, seeds=[3, 4],
                    columns="seed")  # fmt: skip
        columns, lines = sheet_module.arranged(made)
        assert columns == ["seed = 3", "seed = 4"]
        assert [label for label, _ in lines] == [["radius = 1"], ["radius = 2"]]
        for label, cells in lines:
            for heading, cell in zip(columns, cells, strict=True):
                assert label == [f"radius = {cell.options['radius']}"]
                assert heading == f"seed = {cell.seed}"

    def test_a_sheet_of_very_many_stays_within_what_formats_hold(self, tmp_path: Path) -> None:
        made = plan(scene(), hole(), engine="telea", seeds=range(120), limit=120)
        layout = sheet_module.write(made, {}, {}, tmp_path / "sheet.jpg", longest=500)
        assert max(layout.size) <= 16_384
        with Image.open(tmp_path / "sheet.jpg") as image:
            assert image.size == layout.size

    def test_a_long_label_is_cut_and_a_long_error_wrapped(self, tmp_path: Path) -> None:
        made = plan(scene(), hole(), engine="aimed", reference=scene(),
                    grid={"prompt": ["a dog | two", "x" * 300]})  # fmt: skip
        row = {"error": "word " * 200, "output": None, "target_psnr": None}
        rows = {cell.key: row for cell in made.cells}
        layout = sheet_module.write(made, rows, {}, tmp_path / "sheet.png")
        assert layout.headings[1].endswith("xx...")
        pitch = layout.columns[1] - layout.columns[0]
        assert sheets.font(13).getlength(layout.headings[1]) <= pitch

    def test_a_deep_photo_is_drawn_at_8_bits(self, tmp_path: Path) -> None:
        photo = scene().astype(np.uint16) * 257
        report = sweep(photo, hole(), tmp_path / "out", engine="telea", format="jpg")
        assert report.sheet.name == "sheet.jpg"
        assert report.rows[0]["error"] is None
        deep = Picture.load(tmp_path / "out" / report.rows[0]["output"])
        assert deep.pixels.dtype == np.uint16


def assert_written(drawn: np.ndarray, left: int, top: int, text: str) -> None:
    """That `text` is to be read at that place of the sheet, letter for letter."""
    width = int(sheets.font(13).getlength(text)) + 1
    own = Image.new("RGB", (width, 16), "white")
    ImageDraw.Draw(own).text((0, 0), text, "black", font=sheets.font(13))
    np.testing.assert_array_equal(drawn[top : top + 16, left : left + width], np.asarray(own))


def test_figures_for_a_person() -> None:
    row = {"target_psnr": "exact", "target_mae": 0.12345, "seam": None, "seconds": 1, "calls": 180}
    shown = [table_module.figure(row, key) for key in table_module.FIGURES]
    assert shown == ["exact", "0.1235", "–", "1.000", "180"]
    assert math.isinf(table_module.number("exact"))


def test_public_names() -> None:
    assert set(package.__all__) <= set(dir(package))
