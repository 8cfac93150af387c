"""The benchmark: what it fills, and that every method gets a fair turn."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import (
    batch,
    cases,
    fill,
    gmic,
    peers,
    sheet,
)
from benchmarks.cases import Case
from benchmarks.peers import Method
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


def photo(path, size=(40, 30), seed=0):
    """Write a random photo of width × height and, beside it, a mask of its middle."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(path)
    mask = np.zeros((size[1], size[0]), np.uint8)
    mask[10:20, 15:25] = 255
    Image.fromarray(mask).save(path.with_name(f"{path.stem}_mask.png"))
    return path


# --- cases --------------------------------------------------------------------------------


def test_cases_are_photos_with_a_mask_beside_them(tmp_path):
    photo(tmp_path / "001_box_coco_9.png")
    photo(tmp_path / "000_strokes_bsds_1.jpg")
    Image.new("RGB", (4, 4)).save(tmp_path / "no_mask_here.png")
    (tmp_path / "notes.txt").write_text("no photo")
    found = cases.find_cases(tmp_path)
    assert [(case.name, case.kind) for case in found] == [
        ("000_strokes_bsds_1", "strokes"),
        ("001_box_coco_9", "box"),
    ]
    truth, hole = found[1].load()
    assert truth.shape == (30, 40, 3)
    assert hole.dtype == bool
    assert hole.sum() == 100
    assert hole[10:20, 15:25].all()


def test_a_mask_of_another_size_is_refused(tmp_path):
    case = Case("x", "box", photo(tmp_path / "a.png"), tmp_path / "b_mask.png")
    Image.new("L", (4, 4)).save(tmp_path / "b_mask.png")
    with pytest.raises(SystemExit, match="not of the size"):
        case.load()


@pytest.mark.parametrize(
    ("stem", "kind"),
    [("000_strokes_bsds_306005", "strokes"), ("holiday", "photo"), ("a_b_c_d", "photo")],
)
def test_the_kind_of_hole_is_in_the_name(stem, kind):
    assert cases.kind_of(stem) == kind


def test_blanking_leaves_nothing_of_the_truth_and_the_truth_alone():
    truth = np.full((4, 4, 3), 200, np.uint8)
    hole = np.zeros((4, 4), bool)
    hole[1, 2] = True
    pixels = cases.blanked(truth, hole)
    assert (pixels[1, 2] == 0).all()
    assert (pixels[~hole] == 200).all()
    assert (truth == 200).all()


def named(*kinds):
    return [Case(f"{i:03}", kind, Path("x"), Path("y")) for i, kind in enumerate(kinds)]


def test_a_choice_is_spread_over_the_kinds_and_over_each_kind():
    twelve = named(*["a", "b"] * 6)
    assert [c.name for c in cases.choose(twelve, 4)] == ["000", "001", "006", "007"]
    assert [c.kind for c in cases.choose(twelve, 3)].count("a") == 2
    assert cases.choose(twelve, None) == twelve
    assert cases.choose(twelve, 99) == twelve
    assert cases.choose(twelve, 1)[0].kind == "a"


def test_the_folder_is_the_one_named_or_else_the_bundled_photos(tmp_path, capsys):
    photo(tmp_path / "000_box_x_1.png")
    assert len(cases.cases_at_hand({"INFILL_BENCH": str(tmp_path)})) == 1
    assert capsys.readouterr().out == ""
    bundled = cases.cases_at_hand({})
    assert "INFILL_BENCH" in capsys.readouterr().out
    assert {case.kind for case in bundled} == {"free-form", "rectangle"}
    for case in bundled[:2]:
        truth, hole = case.load()
        assert hole.shape == truth.shape[:2]
        assert 0 < hole.mean() < 0.7
    with pytest.raises(SystemExit, match="no folder"):
        cases.cases_at_hand({"INFILL_BENCH": str(tmp_path / "missing")})
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="NAME_mask"):
        cases.cases_at_hand({"INFILL_BENCH": str(tmp_path / "empty")})


# --- G'MIC --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("[gmic]-2./ Initialize timer.\n[gmic]-2./ Elapsed time: 3.887 s.\n", 3.887),
        ("Elapsed time: 1e-05 s.", 1e-5),
        ("Elapsed time: 2 min 3.5 s.", 123.5),
    ],
)
def test_elapsed_reads_what_toc_prints(said, seconds):
    assert gmic.elapsed(said) == pytest.approx(seconds)


@pytest.mark.parametrize("said", ["", "*** Error ***", "Elapsed time: 1 s. Elapsed time: 2 s."])
def test_elapsed_does_not_guess(said):
    with pytest.raises(gmic.GmicFailed):
        gmic.elapsed(said)


def test_gmic_that_fails_is_told(tmp_path, monkeypatch):
    fake = tmp_path / "gmic"
    fake.write_text("#!/bin/sh\necho 'Unknown command' >&2\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert gmic.why_missing() is None
    with pytest.raises(gmic.GmicFailed, match=r"exit code 3.*Unknown command"):
        gmic.matchpatch(np.zeros((8, 8, 3), np.uint8), np.eye(8, dtype=bool))


def test_gmic_gets_the_photo_and_the_mask_and_its_own_clock_counts(tmp_path, monkeypatch):
    fake = tmp_path / "gmic"
    fake.write_text(
        f"#!{sys.executable}\n"
        "import sys, numpy as np\n"
        "from PIL import Image\n"
        "photo, mask, *order, out = sys.argv[1:]\n"
        "want = ['-tic', '-inpaint_matchpatch[0]', '[1]', '-toc', '-output[0]']\n"
        "assert order == want, order\n"
        "pixels = np.array(Image.open(photo))\n"
        "hole = np.array(Image.open(mask)) == 255\n"
        "assert hole.sum() == 3 and (pixels[hole] == 0).all()\n"
        "pixels[hole] = (1, 2, 3)\n"
        "Image.fromarray(pixels).save(out)\n"
        "print('[gmic]-2./ Elapsed time: 0.25 s.', file=sys.stderr)\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    truth = np.full((5, 6, 3), (10, 20, 30), np.uint8)
    hole = np.zeros((5, 6), bool)
    hole[2, 1:4] = True
    filled, seconds = gmic.matchpatch(cases.blanked(truth, hole), hole)
    assert seconds == 0.25
    np.testing.assert_array_equal(filled[hole], [[1, 2, 3]] * 3)
    np.testing.assert_array_equal(filled[~hole], truth[~hole])


def test_a_machine_without_gmic_is_told_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install gmic" in gmic.why_missing()
    assert fill.ready(["gmic"]) == []


# --- the run ------------------------------------------------------------------------------


def method(name, value, seconds=1.0):
    """A method that fills everything, inside the hole and outside it, with one value."""

    def paint(pixels, hole):
        assert (pixels[hole] == 0).all()
        pixels[:] = value
        hole[:] = False
        return pixels, seconds

    return Method(name, name.capitalize(), paint)


def broken(pixels, hole):
    raise ValueError("no idea")


def test_methods_get_blanked_copies_and_only_the_hole_is_taken(tmp_path):
    case = Case("a", "box", photo(tmp_path / "a.png"), tmp_path / "a_mask.png")
    truth, hole = case.load()
    found = fill.take_turns(case, truth, hole, [method("one", 7), method("two", 9)], repeats=2)
    assert [name for name, _, _ in found] == ["one", "two"]
    for (_, filled, scores), value in zip(found, (7, 9), strict=True):
        assert (filled[hole] == value).all()
        np.testing.assert_array_equal(filled[~hole], truth[~hole])
        assert scores["kind"] == "box"
        assert scores["hole"] == pytest.approx(100 / 1200)
        assert {"masked_psnr", "haarpsi", "texture", "sharpness", "seconds"} <= set(scores)


def test_the_fastest_of_several_fills_counts(tmp_path):
    case = Case("a", "box", photo(tmp_path / "a.png"), tmp_path / "a_mask.png")
    times = iter([3.0, 1.0, 2.0])
    changing = Method("x", "X", lambda pixels, hole: (pixels, next(times)))
    ((_, _, scores),) = fill.take_turns(case, *case.load(), [changing], repeats=3)
    assert scores["seconds"] == 1.0


def test_a_method_that_raises_does_not_stop_the_others(tmp_path, capsys):
    case = Case("a", "box", photo(tmp_path / "a.png"), tmp_path / "a_mask.png")
    methods = [Method("bad", "Bad", broken), method("good", 5)]
    rows = fill.run([case], methods, 1, fill.Keep(None, sheet=False))
    assert rows[0]["error"] == "ValueError: no idea"
    assert rows[1]["seconds"] == 1.0
    assert "a: Bad failed" in capsys.readouterr().out


def test_fills_are_kept_in_a_folder_and_for_the_sheet(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
    keep = fill.Keep(tmp_path / "fills", sheet=True)
    keep.add("a", "one", pixels)
    np.testing.assert_array_equal(keep.get("a", "one"), pixels)
    with Image.open(tmp_path / "fills" / "a.one.png") as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)
    assert keep.get("a", "two") is None
    nothing = fill.Keep(None, sheet=False)
    nothing.add("a", "one", pixels)
    assert nothing.get("a", "one") is None


def test_opencv_and_engines_are_methods():
    pixels = np.full((32, 32, 3), 100, np.uint8)
    hole = np.zeros((32, 32), bool)
    hole[12:20, 12:20] = True
    for name in ("telea", "navier-stokes", "flat"):
        found = peers.method(name)
        assert found.missing is None
        filled, seconds = found.fill(cases.blanked(pixels, hole), hole)
        assert filled.dtype == np.uint8
        assert abs(filled.astype(int) - 100).max() <= 3
        assert seconds > 0


def test_biharmonic_is_a_method():
    pytest.importorskip("skimage", reason="scikit-image is in the extra `metrics`")
    pixels = np.full((16, 16, 3), 100, np.uint8)
    hole = np.zeros((16, 16), bool)
    hole[6:9, 6:9] = True
    filled, _ = peers.method("biharmonic").fill(cases.blanked(pixels, hole), hole)
    assert abs(filled.astype(int) - 100).max() <= 1


def test_a_batch_is_laid_out_with_as_many_photos_as_asked(tmp_path):
    photo(tmp_path / "000_box_x_1.png")
    photo(tmp_path / "001_box_x_2.png", seed=1)
    out = tmp_path / "run"
    out.mkdir()
    assert batch.lay_out(cases.find_cases(tmp_path), 5, out) == 5
    assert len(list((out / "photos").iterdir())) == 5
    assert {p.stem for p in (out / "photos").iterdir()} == {
        p.stem for p in (out / "masks").iterdir()
    }
    with Image.open(out / "masks" / "004.png") as mask:
        assert np.count_nonzero(mask) == 100


def test_the_comparison_from_the_command_line(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    photo(folder / "000_box_x_1.png")
    photo(folder / "001_large_x_2.png", size=(33, 41), seed=1)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fill", "--methods", "flat,telea", "--threads", "1",
         "--json", tmp_path / "rows.json", "--sheet", tmp_path / "sheet.png",
         "--sheet-of", "001_large_x_2"],
        cwd=ROOT,
        env={**os.environ, "INFILL_BENCH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 photos, 2 methods" in done.stdout
    assert "OpenCV Telea" in done.stdout
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert [(r["name"], r["method"]) for r in rows] == [
        (name, method) for name in ("000_box_x_1", "001_large_x_2") for method in ("flat", "telea")
    ]
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.width == 4 * (sheet.CELL + sheet.GAP)
