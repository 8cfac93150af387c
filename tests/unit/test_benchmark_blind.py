"""The blind look: what is drawn, what is hidden, and how answers are counted."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import blind
from benchmarks.blind import Pair
from PIL import Image

PAIRS = [
    Pair(1, "x", "box", "ours", "theirs"),
    Pair(2, "y", "box", "theirs", "ours"),
    Pair(3, "z", "large", "ours", "theirs"),
]


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.blind", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_sheets_and_tally(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INFILL_BENCH", raising=False)
    out = tmp_path / "blind"
    drawn = run("sheets", "flat", "telea", "--pairs", "4", "--seed", "1", "--out", out)
    assert drawn.returncode == 0, drawn.stderr
    assert "telea" not in drawn.stdout.lower()
    key = json.loads((out / blind.KEY).read_text())
    assert [pair["number"] for pair in key] == [1, 2, 3, 4]
    assert all({pair["a"], pair["b"]} == {"flat", "telea"} for pair in key)
    assert len({pair["name"] for pair in key}) == 4
    with Image.open(out / "sheet-1.png") as sheet:
        assert sheet.height > 4 * 100
        assert sheet.width > 3 * 300
    answers = tmp_path / "answers.txt"
    wanted = ["A" if pair["a"] == "telea" else "B" for pair in key]
    answers.write_text("\n".join(f"{i} {word}" for i, word in enumerate(wanted, 1)))
    told = run("tally", "--out", out, "--answers", answers, "--json", tmp_path / "rows.json")
    assert told.returncode == 0, told.stderr
    assert "telea 4" in told.stdout.splitlines()[-2]
    assert told.stdout.splitlines()[-1] == "by chance: 0.125"
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [row["answer"] for row in rows] == wanted


def test_the_same_seed_draws_the_same_order(tmp_path: Path) -> None:
    for name, seed in (("one", "3"), ("two", "3"), ("three", "4")):
        run("sheets", "flat", "telea", "--seed", seed, "--pairs", "6", "--out", tmp_path / name)
    keys = [(tmp_path / name / blind.KEY).read_text() for name in ("one", "two", "three")]
    assert keys[0] == keys[1] != keys[2]


def test_answers() -> None:
    text = "1 A\n# a remark\n\n2 B  # seam\n3 ="
    assert blind.read_answers(text, [1, 2, 3]) == {1: "A", 2: "B", 3: "="}


@pytest.mark.parametrize(
    "text", ["1 A\n2 C\n3 =", "1 A", "1 A\n2 B\n3 =\n4 A", "one A", "1 A B", "1 A\n2 B\n3 A\n1 B"]
)
def test_answers_that_are_none(text: str) -> None:
    with pytest.raises(SystemExit, match=r"answer"):
        blind.read_answers(text, [1, 2, 3])


def test_count() -> None:
    wins = blind.count(PAIRS, {1: "A", 2: "A", 3: "="})
    assert wins == {"ours": 1, "theirs": 1, "=": 1}
    assert blind.count(PAIRS, {1: "A", 2: "B", 3: "A"})["ours"] == 3


@pytest.mark.parametrize(
    ("one", "other", "expected"), [(5, 5, 1.0), (10, 0, 2 / 1024), (0, 10, 2 / 1024), (0, 0, 1.0)]
)
def test_sign_test(one: int, other: int, expected: float) -> None:
    assert blind.sign_test(one, other) == pytest.approx(expected)


def test_the_view_has_the_hole_and_some_of_what_is_around() -> None:
    hole = np.zeros((100, 200), np.bool_)
    hole[40:60, 100:140] = True
    box = blind.view(hole)
    assert (box.top, box.bottom, box.left, box.right) == (26, 74, 86, 154)
