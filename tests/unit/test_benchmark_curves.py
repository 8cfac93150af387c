"""Curves of training runs: what is read, tabled and drawn."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from benchmarks import curves

LOOKS = [
    {"step": 10, "masked_psnr": 15.0, "haarpsi": 0.6, "texture": 40.0, "sharpness": 0.3},
    {"step": 30, "masked_psnr": 17.5, "haarpsi": 0.65, "texture": 30.0, "sharpness": 0.5},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    text = "\n".join(json.dumps(look) for look in LOOKS)
    (tmp_path / "log.jsonl").write_text(text + "\n")
    return tmp_path


def test_table_and_charts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "new" / "curves.svg"
    given = [f"a<b={folder}", f"late={folder / 'log.jsonl'}", "--svg", str(out)]
    assert curves.main(given) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "| a<b | 10 | 15.00 | 0.6000 | 40.0 | 0.30 |"
    assert len(lines) == 2 + 4
    drawn = ElementTree.parse(out).getroot()
    spaced = "{http://www.w3.org/2000/svg}"
    assert len(list(drawn.iter(f"{spaced}polyline"))) == 2 * len(curves.FIGURES)
    texts = [one.text for one in drawn.iter(f"{spaced}text")]
    assert texts[:2] == ["a<b", "late"]
    assert {"17.50", "15.00", "10", "30"} <= set(texts)


def test_higher_is_drawn_higher(folder: Path) -> None:
    chart = curves._chart([curves.read(f"a={folder}")], "masked_psnr")
    points = chart.partition('points="')[2].partition('"')[0].split()
    (left, low), (right, high) = (map(float, point.split(",")) for point in points)
    assert left < right
    assert low > high  # pixels count downwards


def test_only_later_steps(folder: Path) -> None:
    assert [look["step"] for look in curves.read(f"a={folder}", 11).looks] == [30]


@pytest.mark.parametrize("text", ["a", "a=nowhere", "=", "a="])
def test_what_is_no_run(text: str) -> None:
    with pytest.raises(SystemExit, match=r"NAME=PATH"):
        curves.read(text)


def test_no_look_to_show(folder: Path) -> None:
    with pytest.raises(SystemExit, match="no look"):
        curves.read(f"a={folder}", 31)
    (folder / "log.jsonl").write_text('{"step": 5, "loss": 0.1}\n')
    with pytest.raises(SystemExit, match="no look"):
        curves.read(f"a={folder}")
