"""`infill sweep`: as a person runs it, killed and stopped, and told nonsense."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from infill.picture import Picture
from infill.pipeline import fill
from tests.cli.tools import (
    Answer,
    call,
    command,
    environment,
    files_below,
    interruptible,
    run,
    write_mask,
    write_photo,
)

MANY = 150


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_photo(tmp_path / "photo.png")
    write_mask(tmp_path / "mask.png")
    return tmp_path


def sweep(folder: Path, *args: object) -> Answer:
    return call("sweep", folder / "photo.png", folder / "mask.png", "-o", folder / "out", *args)


def rows(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "out" / "rows.jsonl").read_text(encoding="utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def timeless(folder: Path) -> dict[str, dict[str, Any]]:
    """The rows by key, without their times."""
    found = {}
    for row in rows(folder):
        assert row["key"] not in found, "a row for each fill, and no more"
        found[row["key"]] = {name: row[name] for name in row if name != "seconds"}
    return found


def test_as_a_process(folder: Path) -> None:
    done = run(
        "sweep", "photo.png", "mask.png", "-e", "telea", "--grid", "radius=1,3,9", "--seeds", "0,1",
        "-o", "out", "--format", "jpg", "--cell", 100, cwd=folder,
    )  # fmt: skip
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == 0, err
    assert "6 of 6 fills" in err
    assert "6 done, 0 failed in" in out
    assert "radius" in out
    assert "seam" in out
    names = files_below(folder / "out")
    assert {"run.json", "rows.jsonl", "table.md", "table.csv", "sheet.jpg"} <= names
    assert len([name for name in names if name.startswith("fills/")]) == 6
    for row in rows(folder):
        same = fill(
            folder / "photo.png", folder / "mask.png", engine="telea",
            radius=row["options"]["radius"], seed=row["seed"],
        )  # fmt: skip
        made = Picture.load(folder / "out" / row["output"])
        assert (made.pixels == same.picture.pixels).all()
        assert f"{row['seam']:.3f}" in out
    with Image.open(folder / "out" / "sheet.jpg") as image:
        assert image.format == "JPEG"
        assert image.width > 3 * 100


def test_json_and_quiet(folder: Path) -> None:
    answer = sweep(folder, "-e", "telea", "-g", "radius=1,9", "--json")
    assert (answer.code, answer.err) == (0, "")
    told = json.loads(answer.out)
    assert (told["done"], told["failed"], told["skipped"]) == (2, 0, 0)
    assert told["rows"] == rows(folder)
    assert Path(told["sheet"]).is_file()
    answer = sweep(folder, "-e", "telea", "-g", "radius=1,9", "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_the_default_engine_and_values_that_hold_commas(folder: Path) -> None:
    answer = sweep(folder, "-e", "flat", "-g", "colour=0,0,1|1,0,0", "--columns", "seed")
    assert answer.code == 0, answer.err
    for row, colour in zip(rows(folder), [(0, 0, 255), (255, 0, 0)], strict=True):
        made = Picture.load(folder / "out" / row["output"])
        assert tuple(made.pixels[20, 20]) == colour
    answer = sweep(folder, "-g", "texture=0,1", "--set", "effort=0.25")
    assert answer.code == 0, answer.err
    assert "2 done" in answer.out
    assert "effort = 0.25" in (folder / "out" / "table.md").read_text(encoding="utf-8")


def test_nonsense_is_one_sentence_and_nothing_is_written(folder: Path) -> None:
    cases: dict[tuple[object, ...], str] = {
        ("-g", "radios=1"): "engine telea has no option 'radios'; it has: radius",
        ("-g", "radius"): "NAME=VALUE,VALUE, not 'radius'",
        ("-g", "radius=1,wide"): "radius is a whole number, not 'wide'",
        ("-g", "radius=1,101"): "radius must be between 1 and 100, not 101",
        ("-g", "radius=1,2,3", "--seeds", "0,1", "--limit", 5): "has 6 fills",
        ("-g", "radius=1", "-O", "radius=2"): "both in the grid and fixed",
        ("--set", "radius"): "NAME=VALUE, not 'radius'",
        ("--seeds", "0,one"): "not '0,one'",
        ("--reference", folder / "photo.png"): "no option 'reference'",
        ("--columns", "steps"): "the grid has seed",
        ("--format", "xyz"): "xyz",
        ("-e", "magic"): "no engine 'magic'",
    }
    for args, words in cases.items():
        rest = () if "-e" in args else ("-e", "telea")
        answer = sweep(folder, *args, *rest)
        assert answer.code == 2, f"{args}: {answer}"
        assert words in answer.err, f"{args}: {answer.err}"
        assert answer.err.count("\n") == 1
    assert not (folder / "out").exists()


def test_a_fill_that_fails_is_told_and_the_others_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from infill.engines.base import ENGINES

    ENGINES.names()
    monkeypatch.setattr(ENGINES, "_places", dict(ENGINES._places))
    ENGINES.add("aimed", "tests.sweep_engines:Aimed")
    guided = ("-e", "aimed", "--reference", folder / "photo.png")
    answer = sweep(folder, *guided, "-g", "broken=true,false", "-g", "weight=0.5,1")
    assert answer.code == 1
    assert answer.err.count("failed: broken = on, weight = ") == 2
    assert "broken on purpose" in answer.err
    assert "2 done, 2 failed" in answer.out
    assert "exact" in answer.out, "at a weight of 1 the fill is the target"
    assert sweep(folder, *guided, "-g", "broken=false", "-g", "weight=0.5,1").code == 0


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.005)


ALL = ("-e", "telea", "-g", "radius=3", "--limit", MANY, "--seeds", ",".join(map(str, range(MANY))))


def _start(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command(
            "sweep", folder / "photo.png", folder / "mask.png", "-o", folder / "out", "--cell", 32,
            *ALL,
        ),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=interruptible,
    )  # fmt: skip


def _lines(folder: Path) -> int:
    path = folder / "out" / "rows.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_killed_half_way_it_goes_on_and_the_result_is_the_same(folder: Path) -> None:
    for enough in (2, 6):
        process = _start(folder)
        _wait_for(lambda enough=enough: _lines(folder) >= enough, f"{enough} rows")  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with (folder / "out" / "rows.jsonl").open("ab") as torn:
            torn.write(b'{"key": "0123456789abcdef", "outp')
    before = _lines(folder)
    assert 6 <= before < MANY, "it was killed before it had ended"
    assert not (folder / "out" / "sheet.png").exists()
    last = sweep(folder, "--cell", 32, *ALL)
    assert last.code == 0
    assert f"{MANY - before} done, 0 failed, {before} done before" in last.out
    resumed = timeless(folder)
    sheet = (folder / "out" / "sheet.png").read_bytes()
    assert len(resumed) == MANY
    (folder / "out").rename(folder / "resumed")
    again = sweep(folder, "--cell", 32, *ALL)
    assert f"{MANY} done" in again.out
    assert timeless(folder) == resumed
    assert len(sheet) > 0


def test_ctrl_c_keeps_what_is_done(folder: Path) -> None:
    process = _start(folder)
    _wait_for(lambda: _lines(folder) >= 2, "two rows")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    done = _lines(folder)
    assert f"{done} of {MANY} fills done; the same command goes on" in err.decode()
    table = (folder / "out" / "table.md").read_text(encoding="utf-8")
    assert f"{done} of {MANY} fills are done." in table
    assert (folder / "out" / "sheet.png").is_file()
    assert f"{done} done before" in sweep(folder, "--cell", 32, *ALL).out
