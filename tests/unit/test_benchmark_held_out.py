"""Held-out photos with free-form holes, as a folder that the benchmark of fills reads."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks import held_out
from benchmarks.cases import find_cases
from PIL import Image

from infill.data.layouts import parted


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(40):
        pixels = rng.integers(0, 256, (70, 90 + number, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03}_{'sun' if number % 2 else 'cat'}.png")
    return folder


def run(photos: Path, out: Path, **changes: str) -> list[str]:
    given = {"--named": "sun", "--fraction": "0.5", "--count": "6", "--side": "64"} | changes
    words = [word for pair in given.items() for word in pair]
    assert held_out.main([str(photos), "--out", str(out), *words]) == 0
    return [case.name for case in find_cases(out)]


def test_photos_and_holes(photos: Path, tmp_path: Path) -> None:
    names = run(photos, tmp_path / "out")
    assert len(names) == 6
    aside = {Path(name).stem for name in parted("folder", photos, 0.5)[1].names}
    for case in find_cases(tmp_path / "out"):
        truth, hole = case.load()
        assert case.kind == held_out.KIND
        assert truth.shape == (64, 64, 3)
        assert 0.3 <= hole.mean() <= 0.6
        stem = case.name.partition("held-out_")[2]
        assert stem in aside
        assert "sun" in stem


def test_the_seed_decides(photos: Path, tmp_path: Path) -> None:
    out = [tmp_path / name for name in ("a", "b", "c")]
    for folder, seed in zip(out, ("1", "1", "2"), strict=True):
        run(photos, folder, **{"--seed": seed})
    held = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in out]
    assert held[0] == held[1] != held[2]


def test_too_few(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="give a lower --count"):
        run(photos, tmp_path / "out", **{"--count": "30"})


@pytest.mark.parametrize("area", [("0.6", "0.3"), ("0.5", "0.5"), ("0", "0.4"), ("0.5", "1")])
def test_shares_that_cannot_be(photos: Path, tmp_path: Path, area: tuple[str, str]) -> None:
    with pytest.raises(SystemExit, match="--area"):
        held_out.main([str(photos), "--out", str(tmp_path / "out"), "--area", *area])


def test_a_folder_that_is_in_use(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out")
    with pytest.raises(SystemExit, match="not empty"):
        run(photos, tmp_path / "out")


def test_no_photos(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(SystemExit, match="no photo"):
        run(tmp_path / "photos", tmp_path / "out")


def test_the_middle_of_a_photo(tmp_path: Path) -> None:
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:, 30:70] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert (np.asarray(held_out.square(tmp_path / "a.png", 20)) == 200).all()
    assert held_out.square(tmp_path / "a.png", 80).size == (80, 80)
