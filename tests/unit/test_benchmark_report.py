"""The benchmark's arithmetic: how it sums up, what it demands, what it shows."""

import json
import math
import os

import numpy as np
import pytest
from benchmarks import large, limits, processes, sheet, table, threads
from benchmarks.limits import Limit
from PIL import Image

# --- limits -------------------------------------------------------------------------------


def test_a_limit_is_kept_within_its_bounds_and_not_by_nothing():
    assert Limit("x", 0.9, low=0.9, high=1.1).kept
    assert not Limit("x", 1.2, low=0.9, high=1.1).kept
    assert Limit("x", 8, low=8).kept
    assert not Limit("x", 7.99, low=8).kept
    assert not Limit("x", math.nan, low=8).kept


def test_a_limit_prints_its_verdict():
    assert str(Limit("import", 0.2, high=0.3, unit="s")) == (
        "pass  import: 0.20 s (limit: at most 0.30 s)"
    )
    assert str(Limit("speed", 7, low=8, digits=0)) == "FAIL  speed: 7 (limit: at least 8)"
    assert "0.9 to 1.1" in str(Limit("sharpness", 1, low=0.9, high=1.1, digits=1))


def test_a_report_is_kept_only_if_all_are(tmp_path, capsys):
    good, bad = Limit("a", 1, high=2), Limit("b", 3, high=2)
    assert limits.report([good, good])
    assert not limits.report([bad, good])
    assert capsys.readouterr().out.count("pass") == 3
    limits.write_json(tmp_path / "new" / "x.json", [bad], facts={"c": 1})
    written = json.loads((tmp_path / "new" / "x.json").read_text())
    assert written["facts"] == {"c": 1}
    assert written["limits"][0]["kept"] is False


# --- the table ----------------------------------------------------------------------------


def row(method, kind="box", name="1", seconds=1.0, **scores):
    given = {"masked_psnr": 15.0, "psnr": 20.0, "haarpsi": 0.7, "texture": 30.0, "sharpness": 0.8}
    return {"name": name, "kind": kind, "method": method, "seconds": seconds, **given, **scores}


def test_summary_takes_medians_of_time_and_means_of_scores():
    rows = [
        row("gmic", name="1", seconds=1.0, haarpsi=0.6),
        row("gmic", name="2", seconds=2.0, haarpsi=0.7),
        row("gmic", name="3", seconds=9.0, haarpsi=0.8, kind="large"),
        row("exemplar", name="1", seconds=0.2),
        {"name": "2", "kind": "box", "method": "exemplar", "error": "broke"},
    ]
    summary = table.summarise(rows, ["exemplar", "gmic"])
    assert list(summary) == ["box", "large", "all"]
    ours, theirs = summary["all"]
    assert (ours.method, ours.photos, theirs.photos) == ("exemplar", 1, 3)
    assert theirs.seconds == 2.0
    assert theirs.speed == 1.0
    assert ours.speed == pytest.approx(10)
    assert theirs.values["haarpsi"] == pytest.approx(0.7)
    assert summary["box"][1].seconds == 1.5
    assert math.isnan(summary["large"][0].seconds)


def test_tables_print_every_method_and_a_dash_where_there_is_nothing():
    summary = table.summarise([row("exemplar", seconds=0.05)], ["exemplar", "gmic"])
    text = table.as_text(summary, {"gmic": "G'MIC"})
    assert text.startswith("box\nmethod")
    lines = text.splitlines()
    assert lines[2].split() == ["exemplar", "1", "0.050", "–", "15.0", "0.700", "30.0", "0.80"]
    assert lines[3].split() == ["G'MIC", "0", *["–"] * 6]
    assert len({len(line) for line in lines[1:4]}) == 1
    markdown = table.as_markdown(summary, {})
    assert "### All" in markdown
    assert "| exemplar | 1 | 0.050 | – | 15.0 | 0.700 | 30.0 | 0.80 |" in markdown


def test_an_exact_fill_does_not_make_a_mean_infinite():
    rows = [row("exemplar", masked_psnr=math.inf), row("exemplar", name="2", masked_psnr=12.0)]
    summary = table.summarise(rows, ["exemplar"])
    assert summary["all"][0].values["masked_psnr"] == 12.0


def verdicts(rows, methods):
    return {limit.what: limit.kept for limit in table.targets(table.summarise(rows, methods))}


def test_another_engine_has_to_be_the_best_of_all_in_every_score():
    methods = ["hybrid", "exemplar", "telea"]
    rows = [
        row("hybrid", haarpsi=0.76, texture=19.0, masked_psnr=17.0, sharpness=0.95),
        row("exemplar", haarpsi=0.75, texture=20.0, masked_psnr=16.6),
        row("telea", haarpsi=0.70, texture=35.0, masked_psnr=16.9),
    ]

    def kept(changed):
        summary = table.summarise([rows[0] | changed, *rows[1:]], methods)
        return [limit.what for limit in table.targets(summary, "hybrid") if limit.kept]

    every = ["sharpness", *(f"{name}, all, best of the others" for name in table.HEADINGS[5:7])]
    every.append("masked PSNR, all, best of the others")
    assert kept({}) == every
    assert kept({"masked_psnr": 16.8}) == every[:3]
    assert kept({"texture": 20.5}) == [every[0], every[1], every[3]]
    assert kept({"sharpness": 0.89, "haarpsi": 0.74}) == every[2:]
    assert len(table.targets(table.summarise(rows[:1], methods[:1]), "hybrid")) == 1


def test_targets_against_gmic_and_against_the_best_peer_of_each_kind():
    methods = ["exemplar", "telea", "gmic"]
    good = {"seconds": 0.1, "haarpsi": 0.75, "texture": 20.0, "sharpness": 1.0}
    rows = [
        *(row("exemplar", kind, **good) for kind in ("box", "large")),
        *(row("gmic", kind, seconds=0.9) for kind in ("box", "large")),
        row("telea", "box", texture=19.0),
        row("telea", "large"),
    ]
    found = verdicts(rows, methods)
    assert found.pop("texture distance, box, best peer") is False
    assert all(found.values())
    assert "HaarPSI, large, best peer" in found
    slow = [r | {"seconds": 0.2} if r["method"] == "exemplar" else r for r in rows]
    assert verdicts(slow, methods)["times as fast as G'MIC"] is False


def test_targets_without_gmic_or_without_ours():
    alone = verdicts([row("exemplar", sharpness=1.0)], ["exemplar"])
    assert alone == {"sharpness": True}
    assert verdicts([row("telea")], ["telea"]) == {}


# --- the sheet ----------------------------------------------------------------------------


def test_the_worst_are_those_furthest_behind_the_best_peer():
    rows = [
        *(row("exemplar", name=n, haarpsi=h) for n, h in (("1", 0.5), ("2", 0.9), ("3", 0.6))),
        *(row("gmic", name=n, haarpsi=h) for n, h in (("1", 0.6), ("2", 0.8), ("3", 0.9))),
        row("telea", name="1", haarpsi=0.7),
    ]
    assert sheet.worst(rows, "haarpsi", 2) == ["3", "1"]
    assert sheet.worst(rows, "haarpsi", 9) == ["3", "1", "2"]


def test_the_worst_know_which_way_a_score_improves():
    rows = [row("exemplar", name=n, texture=t, sharpness=s)
            for n, t, s in (("1", 10.0, 1.5), ("2", 40.0, 0.9))]  # fmt: skip
    assert sheet.worst(rows, "texture", 1) == ["2"]
    assert sheet.worst(rows, "sharpness", 1) == ["1"]
    assert sheet.worst([row("telea")], "haarpsi", 1) == []


def test_a_sheet_has_a_band_for_each_photo_and_holds_a_missing_fill(tmp_path):
    small = np.full((50, 80, 3), 40, np.uint8)
    wide = np.full((300, 1000, 3), 80, np.uint8)
    bands = [("one", [("truth", small), ("ours", None)]), ("two", [("truth", wide)])]
    sheet.draw(bands, tmp_path / "new" / "sheet.png")
    with Image.open(tmp_path / "new" / "sheet.png") as image:
        assert image.width == 2 * (sheet.CELL + sheet.GAP)
        margin = 2 * sheet.LINE + 2 * sheet.GAP
        assert image.height == 50 + 120 + 2 * margin
        assert image.getpixel((3, 2 * sheet.LINE + 3)) == (40, 40, 40)


def test_pictures_on_a_sheet_are_shrunk_and_never_enlarged():
    assert sheet.fitted(np.zeros((10, 20, 3), np.uint8)).shape == (10, 20, 3)
    assert sheet.fitted(np.zeros((1000, 500, 3), np.uint8)).shape == (400, 200, 3)
    assert sheet.fitted(np.zeros((1, 5000, 3), np.uint8)).shape == (1, 400, 3)


def test_captions_say_the_scores_or_the_failure():
    assert sheet.caption(row("gmic"), "G'MIC") == "G'MIC  0.700  30.0  0.80"
    assert sheet.caption({"error": "x"}, "G'MIC") == "G'MIC: failed"
    assert sheet.ordered(["telea", "gmic", "exemplar"]) == ["exemplar", "gmic", "telea"]


# --- threads, processes, the other benchmarks ---------------------------------------------


def test_threads_must_be_set_before_numpy_is_there():
    with pytest.raises(RuntimeError, match="before numpy"):
        threads.set_threads(2)
    done = processes.run(
        ["-c", "import os; from benchmarks.threads import *; set_threads(3); "
               "print(*(os.environ[name] for name in VARIABLES))"]
    )  # fmt: skip
    assert done.output.split() == ["3"] * len(threads.VARIABLES)


def test_the_description_names_the_threads():
    assert threads.describe().startswith("threads: OpenMP")
    assert threads.processor("/no/such/file") == "an unnamed processor"


@pytest.mark.parametrize(("worked", "said"), [(0.01, ""), (0.3, "others use 1.5 cores")])
def test_a_busy_machine_is_warned_of(monkeypatch, capsys, worked, said):
    clock = iter([100.0, 100.0 + worked])
    monkeypatch.setattr(threads, "_busy_seconds", lambda: next(clock))
    threads.warn_if_busy(seconds=0.2)
    err = capsys.readouterr().err
    assert said in err
    assert bool(err) == bool(said)


def test_seconds_that_all_cores_have_worked(tmp_path):
    """User, nice, system, idle, waiting, interrupts, soft interrupts and stolen, in ticks."""
    stat = tmp_path / "stat"
    stat.write_text("cpu  1 2 4 1000 1000 8 16 32 500 500\ncpu0 1 2 4 1000 1000 8 16 32 500 500\n")
    assert threads._busy_seconds(str(stat)) == 63 / os.sysconf("SC_CLK_TCK")
    assert threads._busy_seconds(str(tmp_path / "none")) == 0


def test_peak_memory_is_the_fresh_process_own(tmp_path):
    module = tmp_path / "takes_memory.py"
    module.write_text("import sys\nheld = b'1' * int(sys.argv[1])\n")
    path = {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    little = processes.peak_memory("takes_memory", ["1000"], **path)
    much = processes.peak_memory("takes_memory", ["100000000"], **path)
    assert 90e6 < much - little < 110e6
    assert little < 60e6  # and not what this process, its parent, holds


def test_a_process_that_fails_is_told():
    with pytest.raises(SystemExit, match="ended with 3"):
        processes.run(["-c", "import sys; sys.exit(3)"])


def test_the_large_photo_has_a_hole_of_one_percent():
    x0, y0, x1, y1 = large.ellipse()
    area = math.pi * (x1 - x0) * (y1 - y0) / 4
    assert area / (large.WIDTH * large.HEIGHT) == pytest.approx(0.01, rel=1e-6)
    assert 0 < x0 < x1 < large.WIDTH
    assert 0 < y0 < y1 < large.HEIGHT


def test_turns_are_timed_after_one_that_is_not():
    calls = []
    taken = large.take_turns([lambda: calls.append("a"), lambda: calls.append("b")], 2)
    assert calls == ["a", "b"] * 3
    assert len(taken) == 2
    assert all(value >= 0 for value in taken)
