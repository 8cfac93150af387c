"""`infill bench`, `infill evaluate` and `infill report`: as a person runs them."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image

from infill.batch.rows import read_rows
from tests.bench.runs import write_photos, write_room
from tests.cli.tools import call, command, environment, interruptible, run
from tests.data.trees import coco

QUICK = ("-e", "telea", "-e", "flat", "--metric", "psnr", "--metric", "ssim", "--metric", "seam")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos", 3)


def rows(folder: Path) -> dict[str, dict]:
    return read_rows(folder / "rows.jsonl", "key")


def test_as_a_process(photos: Path, tmp_path: Path) -> None:
    done = run("bench", photos, *QUICK, "--trials", 2, "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    told = done.stdout.decode()
    assert "rank" in told
    assert "telea" in told
    page = tmp_path / "out" / "report" / "index.html"
    assert str(page.relative_to(tmp_path)) in told
    for name in ("index.html", "report.md", "rows.csv", "summary.json", "summary.jpg"):
        assert (page.parent / name).stat().st_size > 100
    assert len(rows(tmp_path / "out")) == 3 * 2 * 2
    summary = json.loads((page.parent / "summary.json").read_text())
    assert summary["command"].startswith(f"infill bench {photos}")
    assert summary["samples"] == 3


def test_killed_at_any_moment_it_goes_on(photos: Path, tmp_path: Path) -> None:
    """Killed hard twice while it writes, then let run: the same rows as in one go."""
    given = ["bench", photos, *QUICK, "--trials", 4, "-j", 2]
    out = tmp_path / "out"
    for wanted in (3, 9):
        going = subprocess.Popen(
            command(*given, "-o", out), env=environment(), stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 60
        while len(rows(out)) < wanted and going.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        going.kill()
        going.wait()
    assert 9 <= len(rows(out)) <= 24
    assert call(*given, "-o", out, "--quiet").code == 0
    assert call(*given, "-o", tmp_path / "whole", "--quiet").code == 0

    def lasting(folder: Path) -> list[tuple[str, str, dict]]:
        return [(k, r["output_sha256"], r["scores"]) for k, r in rows(folder).items()]

    assert lasting(out) == lasting(tmp_path / "whole")
    assert not list(out.rglob("*.tmp"))


def test_ctrl_c_says_how_to_go_on(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    going = subprocess.Popen(
        command("bench", photos, *QUICK, "--trials", 200, "-o", out),
        env=environment(),
        stderr=subprocess.PIPE,
        preexec_fn=interruptible,
    )
    until = time.monotonic() + 60
    while len(rows(out)) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(going.pid, signal.SIGINT)
    said = going.communicate(timeout=60)[1].decode()
    assert going.returncode == 130
    assert "of 1200 fills done; the same command goes on" in said


def test_rooms_to_remove_and_to_edit(tmp_path: Path) -> None:
    write_room(tmp_path / "rooms")
    out = tmp_path / "out"
    given = ("-e", "flat", "--metric", "psnr", "--trials", 1)
    assert call("bench", tmp_path / "rooms", *given, "-o", out).code == 0
    assert rows(out)["den/flat/0"]["scores"]["psnr"] is not None
    both = call(
        "bench", tmp_path / "rooms", *given, "-o", tmp_path / "both", "--sample-masks",
        "object,loose",
    )  # fmt: skip
    assert both.code == 0
    assert set(rows(tmp_path / "both")) == {"den-object/flat/0", "den-loose/flat/0"}
    edit = ("bench", tmp_path / "rooms", "-o", tmp_path / "edit", "--task", "edit")
    answer = call(*edit, "-e", "flat")
    assert (answer.code, "flat reads no prompt" in answer.err) == (2, True)
    answer = call(*edit)
    assert (answer.code, "needs engines that read a prompt" in answer.err) == (2, True)
    answer = call(*edit, "-e", "sd", "--metric", "seam", "--offline", "--trials", 1)
    assert answer.code == 2, "its weights are not here"
    assert rows(tmp_path / "edit")["den/sd/0"]["prompt"] == "a brass lamp"
    assert "infill download" in rows(tmp_path / "edit")["den/sd/0"]["error"]


def test_masks_are_drawn_by_a_protocol(photos: Path, tmp_path: Path) -> None:
    for path in photos.glob("*_mask.png"):
        path.unlink()
    given = ("bench", photos, "-e", "flat", "--metric", "psnr", "--trials", 1, "-o", tmp_path / "o")
    answer = call(*given, "--mask", "rectangle", "--mask-ratio", 0.2, "--size", 40, "-n", 2)
    assert answer.code == 0, answer.err
    found = list(rows(tmp_path / "o").values())
    assert len(found) == 2
    assert all((row["width"], row["height"]) == (40, 40) for row in found)
    assert all(0.15 < row["coverage"] < 0.25 for row in found)
    summary = json.loads((tmp_path / "o" / "report" / "summary.json").read_text())
    assert summary["protocol"]["protocol"]["name"] == "rectangle"
    assert len(summary["protocol"]["protocol"]["hash"]) == 64


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--mask-ratio", "0.2"], "--mask-ratio needs --mask"),
        (["--classes", "dog"], "--classes needs --mask"),
        (["--dataset", "ffhq"], "--dataset needs --mask"),
        (["--root", "x"], "--root needs --dataset"),
        (["--annotations", "x"], "--annotations needs --dataset"),
        (["--split", "train"], "--split needs --dataset"),
        (["--shard", "0/2"], "I from 1 to N"),
        (["--metric", "lpips"], "infill download lpips"),
        (["--mask", "rectangel"], "rectangle"),
        (["-e", "tilia"], "no engine 'tilia'"),
        (["--task", "paint"], "remove or edit"),
        (["--metric", "pnsr"], "no metric 'pnsr'"),
        (["--sample-masks", "tight", "-e", "flat"], "these have one each"),
        (["-e", "telea", "-e", "telea"], "named twice"),
    ],
)
def test_nonsense_is_one_sentence(
    photos: Path, tmp_path: Path, given: list[str], said: str
) -> None:
    answer = call("bench", photos, "-o", tmp_path / "out", "--trials", 1, *given)
    assert answer.code == 2
    assert said in answer.err
    assert not (tmp_path / "out" / "rows.jsonl").exists()


def test_no_samples_and_no_run_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    answer = call("bench", tmp_path / "empty", "-e", "flat", "-o", tmp_path / "out")
    assert (answer.code, "holds no sample" in answer.err) == (2, True)
    answer = call("report", tmp_path / "empty")
    assert (answer.code, "holds no run" in answer.err) == (2, True)
    drawn = ("--mask", "half", "-o", tmp_path / "out")
    answer = call("evaluate", tmp_path / "empty", "-e", "flat", "--mask", "repaint-half")
    assert answer.code == 2, drawn
    answer = call("evaluate", "-e", "flat")
    assert (answer.code, "name a folder of photos" in answer.err) == (2, True)


def test_a_fill_that_fails_is_told_and_the_report_is_written(photos: Path, tmp_path: Path) -> None:
    next(photos.glob("000*[0-9].png")).write_bytes(b"no picture")
    out = tmp_path / "out"
    answer = call("bench", photos, *QUICK, "--trials", 1, "-o", out)
    assert answer.code == 1
    assert "failed: 000_box_made_0/telea/0" in answer.err
    assert "000_box_made_0" in (out / "report" / "report.md").read_text().replace("\\", "")
    assert "2 fills failed" in answer.out


def test_evaluate_tells_percentiles_and_shows_extremes(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    answer = call(
        "evaluate", photos, "-e", "telea", "--mask", "rectangle", "--mask-ratio", 0.25,
        "--size", 40, "-o", out,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    for word in ("PSNR", "SSIM", "90 %", "deviation", "best, middle and worst"):
        assert word in answer.out
    with Image.open(out / "extremes-masked_psnr.jpg") as sheet:
        assert sheet.width > 100
        assert len(sheet.convert("L").getcolors()) > 50
    summary = json.loads((out / "report" / "summary.json").read_text())
    spread = next(one for one in summary["spreads"] if one["key"] == "psnr")
    values = sorted(row["scores"]["psnr"] for row in rows(out).values())
    assert len(values) == 3, "masks that lie beside the photos are no photos"
    assert spread["percentiles"]["50"] == pytest.approx(values[1])
    assert sum(spread["counts"]) == len(values)


def test_evaluate_over_a_named_data_set_shows_published_figures(tmp_path: Path) -> None:
    """FFHQ's own layout, numbers 60000 on being its validation part."""
    root = tmp_path / "ffhq"
    write_photos(root / "made", 4, (64, 64))
    place = root / "images1024x1024" / "69000"
    place.mkdir(parents=True)
    for number, path in enumerate(sorted((root / "made").glob("*[0-9].png"))):
        path.rename(place / f"{69000 + number}.png")
    answer = call(
        "evaluate", "--dataset", "ffhq", "--root", root, "--engine", "telea",
        "--mask", "rectangle", "--mask-ratio", 0.25, "-o", tmp_path / "out",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert "published, for reference: Stable Diffusion, PSNR, mean 25.53" in answer.out
    wrong = call("evaluate", "--dataset", "ffhq", "--root", root / "made", "-e", "telea")
    assert wrong.code == 2
    assert "ffhq" in wrong.err.lower()


def test_a_report_is_written_again_with_another_price(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call("bench", photos, *QUICK, "--trials", 2, "-o", out, "-q").code == 0
    answer = call("report", out, "--price-per-hour", 7.2, "--note", "Drawn by hand.", "--json")
    told = json.loads(answer.out)
    cost = told["summary"]["costs"][0]
    assert cost["price"] == pytest.approx(cost["steady"]["value"] * 2)
    assert "Drawn by hand." in (out / "report" / "index.html").read_text()


def test_masks_of_annotated_objects(tmp_path: Path) -> None:
    """COCO's own layout: the dog of the first photo, and no photo without one."""
    root = coco(tmp_path / "coco")
    with_size = ("--mask", "repaint-expand", "--size", 32, "-o", tmp_path / "drawn")
    answer = call("bench", "--dataset", "coco", "--root", root, "-e", "flat", *with_size)
    assert answer.code == 0, answer.err
    assert all(row["coverage"] == 0.9375 for row in rows(tmp_path / "drawn").values())
    given = ("bench", "--dataset", "coco", "--root", root, "-e", "flat", "--metric", "psnr")
    given += ("--trials", 1, "--mask", "object")
    answer = call(*given, "--classes", "dög", "-o", tmp_path / "dogs")
    assert answer.code == 0, answer.err
    (found,) = rows(tmp_path / "dogs").values()
    assert found["sample"].endswith("000000000001.jpg")
    assert found["coverage"] == pytest.approx(20 * 5 / (40 * 30), abs=0.02)
    none = call(*given, "--classes", "person", "--areas", "0.4,0.5", "-o", tmp_path / "none")
    assert (none.code, "no photo left" in none.err) == (2, True)
    wrong = call(*given, "--classes", "cat", "-o", tmp_path / "none")
    assert (wrong.code, "no class 'cat'" in wrong.err) == (2, True)


def test_shards_share_out_what_was_counted(photos: Path, tmp_path: Path) -> None:
    given = ("evaluate", photos, "-e", "flat", "--mask", "repaint-half", "-n", 3)
    names = []
    for part in ("1/2", "2/2"):
        out = tmp_path / part.replace("/", "-")
        assert call(*given, "--shard", part, "-o", out, "-q").code == 0
        names += [row["sample"] for row in rows(out).values()]
    assert len(names) == len(set(names)) == 3
    answer = call(*given, "--shard", "3/2")
    assert (answer.code, "I from 1 to N" in answer.err) == (2, True)
