"""Whoever waits for kernels is told so, once; nobody else hears anything."""

import sys
from pathlib import Path

import pytest
from numba import njit
from tests.cli.tools import run, write_mask, write_photo

from infill.compiling import SENTENCE, announced


def compile_one() -> None:
    assert njit(lambda number: number + 1)(1) == 2


def test_told_once_while_the_block_lasts() -> None:
    heard: list[str] = []
    seen: list[tuple[float, str]] = []
    with announced(lambda *what: seen.append(what), heard.append) as progress:
        compile_one()
        assert heard == [], "nothing is listened for before the engine reports"
        progress(0.0, "start")
        assert heard == []
        compile_one()
        compile_one()
        progress(0.5, "match")
        assert heard == [SENTENCE]
    compile_one()
    assert heard == [SENTENCE]
    assert seen == [(0.0, "start"), (0.5, "match")]


def test_an_engine_without_kernels_does_not_load_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "numba")
    with announced(lambda *_: None, pytest.fail) as progress:
        progress(0.0, "start")
        assert "numba" not in sys.modules


def test_what_progress_raises_comes_through_and_ends_it() -> None:
    def refuse(fraction: float, stage: str) -> None:
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        announced(refuse, pytest.fail) as progress,
    ):
        progress(0.0, "start")
    compile_one()


def test_the_first_fill_of_the_default_engine_says_so(tmp_path: Path) -> None:
    photo, mask = write_photo(tmp_path / "photo.png"), write_mask(tmp_path / "mask.png")
    cache = str(tmp_path / "cache")
    said = []
    for out in ("1.png", "2.png"):
        done = run("fill", photo, "-m", mask, "-o", tmp_path / out, NUMBA_CACHE_DIR=cache)
        assert done.returncode == 0
        said.append(done.stderr.decode())
    assert said == [f"infill: {SENTENCE}\n", ""]
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()
