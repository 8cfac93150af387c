"""`infill segment`: from clicks, boxes and brushes to a mask, alone and in a pipe."""

import json
from pathlib import Path

import numpy as np
import pytest

import infill
from infill.masks import as_mask, to_image
from infill.picture import Picture
from tests.cli.tools import call, files_below, run


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A red ball on green grain."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:180, :240]
    ball = (x - 120) ** 2 + (y - 90) ** 2 < 40**2
    pixels = np.where(ball[..., None], (190, 40, 40), (70, 120, 60)) + rng.normal(
        0, 5, (180, 240, 3)
    )
    return Picture.from_array(pixels.clip(0, 255).astype(np.uint8)).save(tmp_path / "photo.png")


def ball() -> np.ndarray:
    y, x = np.mgrid[:180, :240]
    return (x - 120) ** 2 + (y - 90) ** 2 < 40**2


def overlap(mask: np.ndarray) -> float:
    return (mask & ball()).sum() / (mask | ball()).sum()


def test_a_click_a_box_and_a_brush_find_the_ball(photo: Path, tmp_path: Path) -> None:
    brush = np.zeros((180, 240), bool)
    brush[80:100, 100:140] = True
    Picture.from_array(to_image(brush)).save(tmp_path / "brush.png")
    for number, args in enumerate(
        (("--point", "120,90"), ("--box", "75,45,165,135"), ("--brush", tmp_path / "brush.png"))
    ):
        out = tmp_path / f"{number}.png"
        answer = call("segment", photo, *args, "-o", out, "--json")
        assert answer.code == 0, answer.err
        found = json.loads(answer.out)
        assert 1 <= len(found["candidates"]) <= 3
        assert found["hole_pixels"] == as_mask(out).sum()
        assert overlap(as_mask(out)) > 0.9, args


def test_it_says_what_the_library_says(photo: Path, tmp_path: Path) -> None:
    found = infill.segment(photo, [(120, 90), (10, 10)], [True, False])
    out = tmp_path / "mask.png"
    for number, candidate in enumerate(found, 1):
        args = ("--point", "120,90", "--not", "10,10", "--candidate", number, "-o", out)
        assert call("segment", photo, *args, "--overwrite").code == 0
        assert (as_mask(out) == candidate.mask).all()


def test_from_a_click_to_a_filled_photo_through_a_pipe(photo: Path, tmp_path: Path) -> None:
    mask = run("segment", photo, "--point", "120,90", "--refine", "grow=2", "-o", "-").stdout
    out = tmp_path / "clean.png"
    assert run("fill", photo, "-m", "-", "-o", out, "-e", "telea", stdin=mask).returncode == 0
    filled = Picture.load(out).pixels.astype(int)
    assert (filled[ball()][:, 0] > 150).mean() < 0.02, "no red is left"


def test_bad_requests(photo: Path, tmp_path: Path) -> None:
    before = files_below(tmp_path)
    cases: dict[tuple[object, ...], str] = {
        (): "say where the object is",
        ("--point", "1"): "is not 2 numbers",
        ("--point", "a,b"): "is not 2 numbers",
        ("--point", "500,2"): "lies outside",
        ("--box", "9,9,1,1"): "x1 > x0",
        ("--text", "the ball"): "takes no text",
        ("--point", "9,9", "--segmenter", "eye"): "no segmenter 'eye'",
    }
    for args, words in cases.items():
        answer = call("segment", photo, *args, "-o", tmp_path / "mask.png")
        assert answer.code == 2, f"{args}: {answer}"
        assert words in answer.err, f"{args}: {answer.err}"
        assert answer.err.count("\n") == 1
    assert files_below(tmp_path) == before
