"""The mask study: where its people come from, what is pasted, and what is measured."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks import mask_study
from benchmarks.mask_study_forms import Forms, of_fill, of_mask, traces
from benchmarks.mask_study_people import (
    CutOut,
    Person,
    Scene,
    annotated_people,
    chosen,
    composites,
    cut_out,
    fit,
    outline,
    outlined_people,
    pasted,
    scaled,
)
from benchmarks.mask_study_report import compared, summarised, tables, whole
from PIL import Image

from infill.errors import EngineFailed
from infill.masks.dice import Dice

HEIGHT, WIDTH = 240, 260


def street(seed: int) -> np.ndarray:
    """A photo of plain ground with a little noise."""
    rng = np.random.default_rng(seed)
    pixels = np.full((HEIGHT, WIDTH, 3), (120, 150 + 9 * seed, 120), np.float64)
    return np.clip(pixels + rng.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8)


def body(grown: int = 0) -> np.ndarray:
    """Where the person stands."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[60 - grown : 180 + grown, 100 - grown : 150 + grown] = True
    return mask


def photo(seed: int) -> np.ndarray:
    pixels = street(seed)
    pixels[body()] = (200, 30, 40)
    return pixels


def folder(root: Path, count: int = 3, annotated: np.ndarray | None = None) -> Path:
    """Photos with a mask that misses a rim of three pixels, and a table of their classes."""
    root.mkdir(parents=True, exist_ok=True)
    mask = body(-3) if annotated is None else annotated
    with (root / "things.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["name", "coco_class"])
        for number in range(count):
            name = f"{number:03}_{number:012}"
            Image.fromarray(photo(number)).save(root / f"{name}.png")
            Image.fromarray(mask.astype(np.uint8) * 255).save(root / f"{name}_truth.png")
            table.writerow([name, 1 + number % 2])
    return root


class TestPeople:
    def test_of_a_folder_with_masks_beside(self, tmp_path: Path) -> None:
        root = folder(tmp_path, 3)
        (root / "999_truth.png").write_bytes((root / "000_000000000000_truth.png").read_bytes())
        people = list(outlined_people(root, None, "1"))
        assert [person.photo for person in people] == [f"{n:012}" for n in range(3)]
        assert np.array_equal(people[0].load(), body(-3))
        assert np.array_equal(people[1].pixels(), photo(1))
        named = list(outlined_people(root, root / "things.csv", "1"))
        assert [person.name[:3] for person in named] == ["000", "002"]

    def test_of_annotations(self, tmp_path: Path) -> None:
        def entry(number: int, image: int, box: tuple[int, int, int, int], kind: int = 1) -> dict:
            x, y, w, h = box
            corners = [x, y, x + w, y, x + w, y + h, x, y + h]
            return {"id": number, "image_id": image, "category_id": kind, "iscrowd": 0} | {
                "segmentation": [corners],
                "area": w * h,
            }

        names = [f"{number:012}.png" for number in (1, 2)]
        for name in names:
            Image.fromarray(street(0)).save(tmp_path / name)
        content = {
            "images": [
                {"id": n, "file_name": name, "height": HEIGHT, "width": WIDTH}
                for n, name in enumerate(names, 1)
            ],
            "annotations": [
                entry(1, 1, (10, 10, 30, 40)),
                entry(2, 1, (50, 20, 60, 80)),
                entry(3, 2, (50, 20, 60, 80), kind=2),
            ],
            "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}],
        }
        (tmp_path / "i.json").write_text(json.dumps(content))
        people = list(annotated_people(tmp_path / "i.json", tmp_path))
        assert [person.name for person in people] == [Path(names[0]).stem]
        expected = np.zeros((HEIGHT, WIDTH), bool)
        expected[20:100, 50:110] = True
        assert np.array_equal(people[0].load(), expected)

    def test_the_same_are_drawn_whatever_lies_beside(self, tmp_path: Path) -> None:
        few = chosen(outlined_people(folder(tmp_path / "a", 6), None, ""), 4, 0)
        more = chosen(outlined_people(folder(tmp_path / "b", 9), None, ""), 9, 0)
        names = [person.name for person in more]
        assert [name for name in names if name in {p.name for p in few}] == [p.name for p in few]

    def test_who_is_cut_off_or_too_small_is_left_out(self) -> None:
        assert fit(body())
        assert not fit(np.zeros((HEIGHT, WIDTH), bool))
        cut_off = body()
        cut_off[60:, 100:150] = True
        assert not fit(cut_off)
        assert not fit(body()[::2, ::2])


class TestCuttingOut:
    @pytest.mark.parametrize("wrong", [-3, 3])
    def test_the_outline_is_found_again(self, wrong: int) -> None:
        found = outline(photo(0), body(wrong))
        assert np.count_nonzero(found ^ body()) <= 0.01 * np.count_nonzero(body())

    def test_what_is_far_off_stays_out(self) -> None:
        pixels = photo(0)
        pixels[60:180, 200:220] = (200, 30, 40)  # of the same colour
        assert not outline(pixels, body(-3))[:, 190:].any()

    def test_the_rim_is_soft_and_has_the_person_s_colour(self) -> None:
        cut = cut_out(photo(0), body(-3))
        rim = (cut.opacity > 0.05) & (cut.opacity < 0.95)
        assert 300 < rim.sum() < 2500
        assert np.abs(cut.colours[rim] - (200, 30, 40)).max() < 4
        assert cut.annotated.sum() == body(-3).sum()


class TestPasting:
    def scene(self, occupied: np.ndarray | None = None, seed: int = 1) -> Scene:
        person = Person("a", "a", Path(), body)
        free = np.zeros((HEIGHT, WIDTH), bool) if occupied is None else occupied
        return pasted(person, cut_out(photo(0), body(-3)), street(2), free, Dice(seed))

    @pytest.mark.parametrize("seed", range(4))
    def test_nothing_else_changes(self, seed: int) -> None:
        scene = self.scene(seed=seed)
        assert scene.shadow is not None
        assert scene.behind is not None
        apart = np.abs(scene.pixels.astype(int) - scene.behind).max(axis=2)
        touched = scene.person | scene.shadow
        assert apart[~touched].max() <= 30  # the faintest rim, and a shadow of below 5 %
        assert (apart[~touched] > 12).mean() < 0.01
        assert apart[scene.person].mean() > 80
        assert not (scene.person & scene.shadow).any()

    def test_a_shadow_is_darker_than_what_it_falls_on(self) -> None:
        scene = self.scene()
        assert scene.shadow is not None
        assert scene.behind is not None
        assert scene.shadow.sum() > 100
        darker = scene.behind.astype(int) - scene.pixels
        assert (darker[scene.shadow] >= 0).all()

    def test_the_annotated_mask_misses_what_it_missed(self) -> None:
        scene = self.scene()
        missed = np.count_nonzero(scene.person & ~scene.annotated)
        # Three pixels and the soft rim of about 1.3, all round 120 × 50.
        assert missed == pytest.approx(2 * 4.3 * 170, rel=0.1)

    def test_the_other_person_is_not_hidden_if_there_is_room(self) -> None:
        occupied = np.zeros((HEIGHT, WIDTH), bool)
        occupied[:, : WIDTH // 2] = True
        assert np.count_nonzero(self.scene(occupied).person & occupied) == 0

    def test_who_is_too_large_is_made_smaller(self) -> None:
        whole = np.ones((100, 50), np.float32)
        cut = scaled(CutOut(np.ones((100, 50, 3), np.float32), whole, whole > 0), 0.5)
        assert cut.opacity.shape == cut.annotated.shape == (50, 25)
        assert cut.colours.shape == (50, 25, 3)
        assert cut.annotated.all()

    def test_everyone_goes_into_another_photo(self, tmp_path: Path) -> None:
        people = chosen(outlined_people(folder(tmp_path), None, ""), None, 0)
        scenes = list(composites(people, 0))
        assert len(scenes) == 3
        for number, (person, scene) in enumerate(zip(people, scenes, strict=True)):
            assert np.array_equal(scene.behind, people[(number + 1) % 3].pixels())
            assert scene.group == person.photo
        again = list(composites(people, 0))
        assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(scenes, again, strict=True))

    def test_people_of_one_photo_alone(self, tmp_path: Path) -> None:
        people = list(outlined_people(folder(tmp_path, 1), None, ""))
        with pytest.raises(SystemExit, match="at least two photos"):
            list(composites(people, 0))


def plain_scene() -> Scene:
    """A person of 10 × 20 pixels, of whom the mask has 10 × 16, and a shadow of 5 × 8."""
    person, shadow = np.zeros((60, 80), bool), np.zeros((60, 80), bool)
    person[20:40, 30:40], shadow[40:45, 30:38] = True, True
    behind = np.full((60, 80, 3), 100, np.uint8)
    pixels = behind.copy()
    pixels[person], pixels[shadow] = 200, 60
    annotated = person.copy()
    annotated[36:] = False
    return Scene("s", "g", pixels, annotated, person, shadow, behind)


class TestMeasures:
    def test_of_a_mask(self) -> None:
        scene = plain_scene()
        # The rim is 4 pixels wide: all but 2 × 12 of 200 pixels; 40 of it are not covered.
        row = of_mask(scene, scene.annotated)
        assert row["residue"] == pytest.approx(100 * 40 / 176)
        assert row["shadow_left"] == 100
        assert row["extra"] == 0
        all_of_it = np.ones((60, 80), bool)
        assert of_mask(scene, all_of_it) == {
            "residue": 0,
            "shadow_left": 0,
            "extra": pytest.approx(100 * (4800 - 240) / 200),
        }

    def test_what_is_left_counts_as_what_is_filled_badly(self) -> None:
        scene = plain_scene()
        forms = {"raw": scene.annotated}
        assert scene.behind is not None
        left = scene.pixels.copy()
        left[scene.annotated] = 100  # filled perfectly; the rest of the person and the shadow stay
        row = of_fill(scene, forms, scene.annotated, left)
        # Of 240 pixels 40 are off by 100 and 40 by 40 levels.
        wrong = (40 * 100**2 + 40 * 40**2) / 240 / 255**2
        assert row["psnr"] == pytest.approx(-10 * np.log10(wrong), abs=1e-3)
        assert of_fill(scene, forms, scene.annotated, scene.behind)["psnr"] == np.inf
        assert of_fill(scene, forms, scene.annotated, scene.behind)["haarpsi"] == 1

    def test_all_forms_are_measured_over_the_same_pixels(self) -> None:
        scene = plain_scene()
        large = np.zeros((60, 80), bool)
        large[10:50, 20:60] = True
        forms = {"raw": scene.annotated, "large": large}
        wrong = scene.behind.copy()  # type: ignore[union-attr]
        wrong[15, 25] = 0
        found = {of_fill(scene, forms, mask, wrong)["psnr"] for mask in forms.values()}
        assert len(found) == 1
        assert found.pop() == pytest.approx(-10 * np.log10((100 / 255) ** 2 / 1600), abs=1e-3)

    def test_where_nobody_knows_what_is_behind(self) -> None:
        known = plain_scene()
        scene = Scene("s", "g", known.pixels, known.annotated, known.person)
        row = of_mask(scene, scene.annotated)
        assert np.isnan(row["shadow_left"])
        assert np.isnan(row["extra"])
        scores = of_fill(scene, {}, scene.annotated, scene.pixels)
        assert scores.keys() == {"seam", "colour", "structure", "traces"}

    def test_traces_are_what_looks_like_the_person(self) -> None:
        scene = plain_scene()
        union = scene.person
        clean, half = scene.pixels.copy(), scene.pixels.copy()
        clean[union] = 100
        half[20:30, 30:40] = 100
        found = [traces(scene, union, filled) for filled in (clean, half, scene.pixels)]
        assert found == pytest.approx([0, 50, 100], abs=0.1)

    def test_there_are_no_traces_to_see_where_all_is_masked(self) -> None:
        scene = plain_scene()
        assert np.isnan(traces(scene, np.ones((60, 80), bool), scene.pixels))


class TestForms:
    def test_are_what_they_say(self) -> None:
        scene = plain_scene()
        forms = Forms("2px", "2px").of(scene)
        assert list(forms) == ["raw", "thickened", "smoothed", "both", "shadow", "all"]
        assert forms["raw"].sum() == 160
        assert forms["thickened"][19, 30:40].all()
        assert forms["thickened"].sum() > forms["raw"].sum() > forms["smoothed"].sum()
        assert not (forms["both"] & ~forms["shadow"]).any()
        assert forms["all"][scene.person | scene.shadow].all()

    def test_only_what_is_known_can_be_hidden_whole(self) -> None:
        known = plain_scene()
        scene = Scene("s", "g", known.pixels, known.annotated, known.person)
        assert "all" not in Forms().of(scene)


def row(scene: str, form: str, psnr: float | None, **more: Any) -> dict[str, Any]:
    return {
        "set": "composites",
        "scene": scene,
        "group": scene,
        "engine": "telea",
        "form": form,
        "area": 10,
        "error": None,
        "scores": {"psnr": psnr},
    } | more


class TestReport:
    def test_differences_are_paired(self) -> None:
        from benchmarks.mask_study_forms import KNOWN

        rows = [row(f"{n}", "raw", 10.0 * n) for n in range(8)]
        rows += [row(f"{n}", "both", 10.0 * n + 2 + 0.1 * n) for n in range(8)]
        raw, both = compared(rows, KNOWN[0])
        assert (raw["form"], raw["difference"]) == ("raw", 0)
        assert both["mean"] == pytest.approx(37.35)
        assert both["difference"] == pytest.approx(2.35)
        assert 2 < both["low"] < 2.35 < both["high"] < 2.7  # though the scenes differ by 70

    def test_a_scene_that_one_engine_cannot_fill_is_left_out_for_all(self) -> None:
        rows = [row("a", "raw", 1.0), row("b", "raw", 2.0)]
        rows += [row("a", "raw", 3.0, engine="x"), row("b", "raw", None, engine="x", error="no")]
        assert {entry["scene"] for entry in whole(rows)} == {"a"}

    def test_a_table(self) -> None:
        rows = [row(f"{n}", "raw", 10.0 + n) for n in range(5)]
        rows += [row(f"{n}", "shadow", 12.0 + n, area=20) for n in range(5)]
        rows += [row(f"{n}", "both", 10.0 + n) for n in range(5)]
        text = tables(summarised(rows), rows)
        assert "5 people; a shadow was proposed for 5 of 5." in text
        assert "| raw | 12.00 |" in text
        assert "**14.00 (+2.00, +2.00 to +2.00)**" in text
        assert "| smoothed and thickened | 12.00 (+0.00, +0.00 to +0.00) |" in text


class TestCommand:
    @pytest.fixture(autouse=True)
    def one_thread(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # The command settles threads before NumPy is loaded, which it is here.
        monkeypatch.setattr(mask_study, "set_threads", lambda count: None)
        monkeypatch.setenv("INFILL_THREADS", "1")

    def run(self, tmp_path: Path, **changes: str) -> Path:
        given = {
            "--photos": str(tmp_path / "photos"),
            "--engines": "telea",
            "--out": str(tmp_path / "out"),
            "--threads": "1",
            "--shown": "1",
        } | changes
        assert mask_study.main([word for pair in given.items() for word in pair]) == 0
        return tmp_path / "out"

    def test_runs_and_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder(tmp_path / "photos", 2)
        out = self.run(tmp_path)
        first = (out / "masks.json").read_text()
        rows = (out / "rows.jsonl").read_text().splitlines(keepends=True)
        assert len(rows) == 2 * 6 + 2 * 5
        assert "People put into another photo" in capsys.readouterr().out
        with Image.open(out / "masks.jpg") as sheet:
            assert sheet.width > 1000
        # A run that was killed within a line, three rows before the end.
        (out / "rows.jsonl").write_text("".join(rows[:-3]) + rows[-3][:40])
        import infill

        filled = []
        whole_fill = infill.fill

        def counted(*given: Any, **options: Any) -> Any:
            filled.append(1)
            return whole_fill(*given, **options)

        monkeypatch.setattr(infill, "fill", counted)
        self.run(tmp_path)
        assert len(filled) == 3 + len(mask_study.SHOWN)
        again = json.loads((out / "masks.json").read_text())
        assert again["cells"] == json.loads(first)["cells"]

    def test_better_masks_leave_less(self, tmp_path: Path) -> None:
        folder(tmp_path / "photos", 3)
        out = self.run(tmp_path)
        cells = json.loads((out / "masks.json").read_text())["cells"]
        of = {(c["set"], c["key"], c["form"]): c for c in cells}
        for set_name in ("composites", "real"):
            assert of[set_name, "residue", "raw"]["mean"] > 50
            assert of[set_name, "residue", "thickened"]["mean"] < 40
            thicker = of[set_name, "traces", "thickened"]
            assert thicker["mean"] < of[set_name, "traces", "raw"]["mean"] - 10
            assert thicker["high"] is None, "three photos say nothing about others"
        assert of["composites", "psnr", "thickened"]["difference"] > 1
        assert of["composites", "residue", "all"]["mean"] == 0

    def test_an_engine_that_fails(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder(tmp_path / "photos", 2)

        def fails(*_: Any, **__: Any) -> Any:
            raise EngineFailed("it broke")

        monkeypatch.setattr("infill.fill", fails)
        out = self.run(tmp_path)
        assert "Left out for all: telea: it broke" in (out / "masks.md").read_text()

    def test_too_few_people(self, tmp_path: Path) -> None:
        folder(tmp_path / "photos", 1)
        with pytest.raises(SystemExit, match="has 1 people that stand free"):
            self.run(tmp_path)

    def test_annotations_that_are_none(self, tmp_path: Path) -> None:
        folder(tmp_path / "photos", 2)
        with pytest.raises(SystemExit, match=r"things\.csv is no COCO instances file"):
            self.run(tmp_path, **{"--annotations": str(tmp_path / "photos" / "things.csv")})

    def test_no_folder(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            self.run(tmp_path)
        assert "there is no folder" in capsys.readouterr().err
