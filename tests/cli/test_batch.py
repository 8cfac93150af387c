"""`infill batch`: whole runs, bad photos, runs that are killed and go on."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infill.batch import Batch, BatchOptions
from infill.executors.local import Local
from infill.picture import Picture
from tests.cli.tools import (
    Answer,
    call,
    command,
    environment,
    files_below,
    hole,
    interruptible,
    run,
    scene,
    write_mask,
    write_photo,
)

ENGINE = ("--engine", "telea")
RANDOM = ("--random", "rectangle", "--mask-ratio", "0.2", "--seed", "7")


def batch(folder: Path, *args: object) -> Answer:
    return call("batch", folder / "photos", "-o", folder / "out", *ENGINE, *args)


def rows(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "out" / "rows.jsonl").read_text()
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def timeless(folder: Path) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """The rows without their times, and every file of the output but the rows."""
    found = [{key: row[key] for key in row if key != "seconds"} for row in rows(folder)]
    out = folder / "out"
    files = {name: (out / name).read_bytes() for name in files_below(out)}
    return found, {name: data for name, data in files.items() if name != "rows.jsonl"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(("a/x.png", "b/x.png", "x.jpg", "x.png")):
        write_photo(tmp_path / "photos" / name, seed=number)
    return tmp_path


def test_as_a_process(folder: Path) -> None:
    for name in ("a/x.bmp", "b/x_mask.png", "x.jpg.png", "x.png"):
        write_mask(folder / "masks" / name)
    done = run("batch", "photos", "--masks", "masks", "-o", "out", *ENGINE, "--jobs", 2, cwd=folder)
    assert done.returncode == 0, done.stderr
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "4 done, 0 failed in" in out
    assert "photos a second" in out
    assert "4 of 4 photos" in err
    assert "s/photo" in err
    assert "left" in err
    found = rows(folder)
    assert [row["input"] for row in found] == ["a/x.png", "b/x.png", "x.jpg", "x.png"]
    assert [row["output"] for row in found] == ["a/x.png", "b/x.png", "x.jpg", "x.png"]
    assert [Path(row["mask"]).as_posix() for row in found] == [
        "masks/a/x.bmp", "masks/b/x_mask.png", "masks/x.jpg.png", "masks/x.png",
    ]  # fmt: skip
    for number, row in enumerate(found):
        assert row["error"] is None
        assert row["engine"] == "telea"
        assert row["coverage"] == pytest.approx(hole().mean(), abs=1e-6)
        assert row["proof"] == {"outside_max_diff": 0, "outside_pixels": int((~hole()).sum())}
        assert row["seconds"] > 0
        if row["input"].endswith(".png"):
            after = Picture.load(folder / "out" / row["output"]).pixels
            assert (after[~hole()] == scene(seed=number)[~hole()]).all()


def test_random_masks_follow_from_the_seed_alone(folder: Path) -> None:
    assert batch(folder, *RANDOM, "-j", 1, "--save-masks", folder / "m1").code == 0
    first = timeless(folder)
    coverages = [row["coverage"] for row in first[0]]
    assert all(abs(coverage - 0.2) < 0.02 for coverage in coverages)
    masks = {name: (folder / "m1" / name).read_bytes() for name in files_below(folder / "m1")}
    assert len(set(masks.values())) == 4, "each photo has a mask of its own"
    again = batch(folder, *RANDOM, "-j", 2, "--save-masks", folder / "m1", "--restart")
    assert again.code == 0
    assert timeless(folder) == first
    other = batch(folder, *RANDOM[:-1], "8", "-j", 2, "--save-masks", folder / "m1", "--restart")
    assert other.code == 0
    assert [row["seed"] for row in rows(folder)] != [row["seed"] for row in first[0]]


def test_bad_photos_are_reported_and_do_not_stop_the_run(folder: Path) -> None:
    photos = folder / "photos"
    (photos / "broken.png").write_bytes((photos / "x.png").read_bytes()[:200])
    (photos / "empty.jpg").touch()
    for name in ("a/x.png", "broken.png", "empty.png", "x.png"):
        write_mask(folder / "masks" / name)
    write_mask(folder / "masks" / "b" / "x.png", np.ones((5, 5), dtype=bool))
    answer = batch(folder, "--masks", folder / "masks", "-j", 2)
    assert answer.code == 1
    assert "3 done, 3 failed" in answer.out
    errors = {row["input"]: row["error"] for row in rows(folder)}
    assert {name for name, error in errors.items() if error is None} == {
        "a/x.png",
        "x.png",
        "x.jpg",
    }
    for name, words in (("broken.png", "broken.png"), ("empty.jpg", "empty"), ("b/x.png", "5×5")):
        assert words in errors[name]
        assert answer.err.count(f"failed: {name}: ") == 1
    assert not (folder / "out" / "broken.png").exists()

    mended = write_photo(photos / "mended.png").replace(photos / "broken.png")
    assert mended.exists()
    again = batch(folder, "--masks", folder / "masks", "-j", 1)
    assert again.code == 1
    quiet = batch(folder, "--masks", folder / "masks", "-j", 1, "--quiet")
    assert quiet.out == ""
    assert [line.split(": ")[1] for line in quiet.err.splitlines()] == ["b/x.png", "empty.jpg"]
    assert "3 done before" in again.out, "what failed is tried again, what is done is not"
    assert {row["input"]: row["error"] for row in rows(folder)}["broken.png"] is None


def test_photos_without_a_mask_fail_by_name(folder: Path) -> None:
    write_mask(folder / "masks" / "a" / "x.png")
    answer = batch(folder, "--masks", folder / "masks", "-j", 1, "--json")
    assert answer.code == 1
    found = json.loads(answer.out)
    assert (found["done"], found["failed"], found["skipped"]) == (1, 3, 0)
    assert [failure["input"] for failure in found["failures"]] == ["b/x.png", "x.jpg", "x.png"]
    assert "holds no mask for it" in found["failures"][0]["error"]


def test_one_format_for_all_and_no_name_twice(folder: Path) -> None:
    assert batch(folder, *RANDOM, "--format", "png", "-j", 1).code == 0
    assert [row["output"] for row in rows(folder)] == ["a/x.png", "b/x.png", "x.jpg.png", "x.png"]
    assert Picture.load(folder / "out" / "x.jpg.png").metadata.format == "PNG"


def test_nothing_is_done_twice_unless_a_file_changed_or_went(folder: Path) -> None:
    assert batch(folder, *RANDOM, "-j", 1).code == 0
    first = timeless(folder)
    assert "0 done, 0 failed, 4 done before" in batch(folder, *RANDOM, "-j", 1).out
    (folder / "out" / "x.png").unlink()
    assert "1 done, 0 failed, 3 done before" in batch(folder, *RANDOM, "-j", 1).out
    assert timeless(folder) == first
    (folder / "photos" / "x.png").unlink()
    write_photo(folder / "photos" / "x.png", seed=99)
    assert "1 done, 0 failed, 3 done before" in batch(folder, *RANDOM, "-j", 1).out
    assert timeless(folder) != first


def test_what_cannot_start_is_refused_at_once(folder: Path) -> None:
    assert batch(folder, *RANDOM, "-j", 1).code == 0
    kept = timeless(folder)
    (folder / "plain").mkdir()
    write_photo(folder / "plain" / "x.png")
    photos, out = folder / "photos", folder / "out"
    cases: dict[tuple[object, ...], str] = {
        (photos, "-o", out, *ENGINE, *RANDOM, "--blend", 2): "blend was 0.0 and is now 2.0",
        (photos, "-o", out, "-e", "flat", *RANDOM): "engine was 'telea' and is now 'flat'",
        (photos, "-o", folder / "plain", *RANDOM, *ENGINE): "exists already",
        (photos, "-o", photos, *RANDOM): "is the photos folder",
        (folder / "none", "-o", out, *RANDOM): "photos folder",
        (photos, "-o", folder / "new", "--random", "stars"): "no random mask 'stars'",
        (photos, "-o", folder / "new", "--mask-ratio", 0.5): "random masks",
        (photos, "-o", folder / "new", "--random", "grid", "--mask-ratio", 0.5): "takes no",
        (photos, "-o", folder / "new", *RANDOM, "-e", "magic"): "no engine 'magic'",
        (photos, "-o", folder / "new", *RANDOM, "--refine", "bloat=1"): "'bloat'",
        (photos, "-o", folder / "new", *RANDOM, "--format", "xyz"): "xyz",
        (photos, "-o", folder / "new", "-m", folder / "plain/masks"): "masks folder",
    }
    for args, words in cases.items():
        rest = () if "-e" in args or ENGINE[0] in args else ENGINE
        answer = call("batch", *args, *rest)
        assert answer.code == 2, f"{args}: {answer}"
        assert words in answer.err, f"{args}: {answer.err}"
        assert answer.err.count("\n") == 1
    assert not (folder / "new").exists()
    assert timeless(folder) == kept


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.005)


def _start(folder: Path, *args: object) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command("batch", folder / "photos", "-o", folder / "out", *ENGINE, *RANDOM, *args),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=interruptible,
    )


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.fixture
def many(tmp_path: Path) -> Path:
    for number in range(24):
        write_photo(tmp_path / "photos" / f"{number % 3}" / f"{number}.png", seed=number)
    (tmp_path / "photos" / "bad.png").write_text("no photo at all, and never will be one")
    return tmp_path


def test_killed_half_way_it_goes_on_and_the_result_is_the_same(many: Path) -> None:
    answer = batch(many, *RANDOM, "-j", 2)
    assert (answer.code, len(rows(many))) == (1, 25)
    whole = timeless(many)
    (many / "out").rename(many / "whole")

    path = many / "out" / "rows.jsonl"
    for enough in (1, 4, 8):
        process = _start(many, "-j", 2)
        _wait_for(lambda enough=enough: _lines(path) >= enough, f"{enough} rows")  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with path.open("ab") as torn:
            torn.write(b'{"input": "0/0.png", "outp')
        # What a worker that was killed too would leave.
        (many / "out" / "0" / ".infill-0123456789abcdef.tmp").write_bytes(b"half a photo")
    before = _lines(path)
    assert 8 <= before < 25, "it was killed before it had ended"
    last = batch(many, *RANDOM, "-j", 1)
    assert last.code == 1
    assert "done before" in last.out
    assert timeless(many) == whole


def test_ctrl_c_stops_cleanly(many: Path) -> None:
    for number in range(300):  # enough that a busy machine cannot be through before the signal
        shutil.copy(many / "photos" / "0" / "0.png", many / "photos" / f"more-{number}.png")
    path = many / "out" / "rows.jsonl"
    process = _start(many, "-j", 2)
    _wait_for(lambda: _lines(path) >= 2, "two rows")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert "of 325 photos done; the same command goes on" in err.decode().splitlines()[-1]
    assert all(row["output"] for row in rows(many) if not row["error"])


class Killer:
    """An executor whose job dies over one photo, as one that runs out of memory does."""

    def __init__(self, victim: str) -> None:
        self.victim = victim

    def map(self, job: Any, items: Any) -> Any:
        return Local(2).map(Deadly(job, self.victim), items)


class Deadly:
    def __init__(self, job: Any, victim: str) -> None:
        self.job, self.victim = job, victim

    def __call__(self, item: Any) -> Any:
        if item.input == self.victim:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.job(item)


def test_a_worker_that_dies_costs_one_photo(folder: Path) -> None:
    options = BatchOptions(folder / "photos", folder / "out", random="half", engine="telea")
    with Batch(options) as opened:
        errors = {row["input"]: row["error"] for row in opened.rows(Killer("b/x.png"))}
    summary = opened.summary()
    assert (summary.done, summary.failed, summary.left) == (3, 1, 0)
    assert [name for name, error in errors.items() if error] == ["b/x.png"]
    assert "SIGKILL" in errors["b/x.png"]
    with Batch(options) as opened:
        assert [item.input for item in opened.todo] == ["b/x.png"]
        assert [row["error"] for row in opened.rows(Local())] == [None]
