"""What a run keeps on disk, and what it makes of a file that a killed process left."""

import json
from pathlib import Path

import pytest

from infill.batch.rows import RowFile, read_rows, stamp
from infill.errors import BatchError

IDENTITY = {"engine": "telea", "seed": 7}


def row(name: str, error: str | None = None) -> dict[str, object]:
    return {"input": name, "output": name, "error": error}


def open_rows(folder: Path, *, restart: bool = False, **changes: object) -> RowFile:
    return RowFile(folder, IDENTITY | changes, restart=restart)


def lines(folder: Path) -> list[str]:
    return (folder / "rows.jsonl").read_text().splitlines()


def test_rows_come_back(tmp_path: Path) -> None:
    with open_rows(tmp_path) as rows:
        assert not rows.continues
        rows.append(row("b"))
        rows.append(row("a", "it is no image"))
    with open_rows(tmp_path) as rows:
        assert rows.continues
        assert rows.rows == {"b": row("b"), "a": row("a", "it is no image")}
        rows.append(row("a"))
        rows.sort(["a", "b", "c"])
    assert [json.loads(line) for line in lines(tmp_path)] == [row("a"), row("b")]


def test_a_last_line_torn_anywhere_is_dropped_and_mended(tmp_path: Path) -> None:
    with open_rows(tmp_path) as rows:
        rows.append(row("a"))
        rows.append(row("b"))
    path = tmp_path / "rows.jsonl"
    whole = path.read_bytes()
    last = whole.splitlines(keepends=True)[1]
    for cut in range(1, len(last) + 1):
        path.write_bytes(whole[:-cut])
        # Without its newline alone the line is whole, and is kept.
        left = ["a", "b"] if cut == 1 else ["a"]
        with open_rows(tmp_path) as rows:
            assert sorted(rows.rows) == left
            rows.append(row("c"))
        assert [json.loads(line)["input"] for line in lines(tmp_path)] == [*left, "c"]


def test_lines_that_are_no_rows_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\n[1]\n{"output": "x"}\n\xff\xfe\n{"input": "a"}\nnull\n')
    assert read_rows(path) == {"a": {"input": "a"}}
    assert read_rows(tmp_path / "missing") == {}


def test_other_options_are_refused_and_named(tmp_path: Path) -> None:
    with open_rows(tmp_path) as rows:
        rows.append(row("a"))
    with pytest.raises(BatchError, match=r"seed was 7 and is now 8.*--restart"):
        open_rows(tmp_path, seed=8)
    assert len(lines(tmp_path)) == 1, "nothing was lost"
    with open_rows(tmp_path, restart=True, seed=8) as rows:
        assert rows.rows == {}
    assert lines(tmp_path) == []
    assert json.loads((tmp_path / "run.json").read_text())["seed"] == 8


def test_a_damaged_run_file_is_an_error_and_can_be_restarted(tmp_path: Path) -> None:
    open_rows(tmp_path).close()
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(BatchError, match=r"run.json cannot be read.*--restart"):
        open_rows(tmp_path)
    open_rows(tmp_path, restart=True).close()


def test_two_runs_in_one_folder_are_refused(tmp_path: Path) -> None:
    with open_rows(tmp_path), pytest.raises(BatchError, match="another run is writing"):
        open_rows(tmp_path)
    open_rows(tmp_path).close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BatchError, match="cannot write to"):
        open_rows(tmp_path / "file" / "out")


def test_the_stamp_tells_an_edited_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one")
    before = stamp(path, None)
    assert before is not None
    assert before[0] == 3
    assert stamp(path) == before
    path.write_bytes(b"three")
    assert stamp(path) != before
    assert stamp(path, tmp_path / "missing") is None
