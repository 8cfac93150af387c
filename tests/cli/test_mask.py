"""`infill mask`: make, refine, show."""

import json
from pathlib import Path

import numpy as np
import pytest

from infill.masks import as_mask, feather, grow, random_mask
from infill.picture import Picture
from tests.cli.tools import call, files_below, hole, run, scene, write_mask, write_photo


def test_make_from_shapes(tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "photo.png")
    out = tmp_path / "mask.png"
    answer = call(
        "mask", "make", photo, "--box", "0,0,4,2", "--polygon", "10,10 20,10 20,20 10,20", "-o", out
    )
    assert answer.code == 0
    assert answer.out.splitlines()[0] == str(out)
    expected = np.zeros((48, 64), dtype=bool)
    expected[:2, :4] = expected[10:20, 10:20] = True
    assert (as_mask(out) == expected).all()
    assert Picture.load(out).grey


def test_make_at_random_for_a_size(tmp_path: Path) -> None:
    out = tmp_path / "mask.png"
    args = ("--random", "free-form", "--mask-ratio", 0.3, "--seed", 5, "-o", out, "--json")
    answer = json.loads(call("mask", "make", "64x48", *args).out)
    expected = random_mask("free-form", (48, 64), 0.3, rng=5)
    assert (as_mask(out) == expected).all()
    assert answer["coverage"] == pytest.approx(expected.mean())


def test_make_from_coco_annotations(tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "photo.png")
    table = {
        "images": [{"id": 3, "file_name": "photo.png", "height": 48, "width": 64}],
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 3, "category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 4, 0, 4]]},
            {"id": 2, "image_id": 3, "category_id": 2, "segmentation": [[8, 8, 9, 8, 9, 9, 8, 9]]},
        ],
    }
    notes = tmp_path / "instances.json"
    notes.write_text(json.dumps(table))
    args = ("mask", "make", photo, "--annotation", notes, "-o", tmp_path / "mask.png")
    for more, pixels in (((), 17), (("--category", "dog"), 16), (("--category", "cat"), 1)):
        answer = call(*args, *more, "--overwrite", "--json")
        assert answer.code == 0, answer.err
        assert json.loads(answer.out)["hole_pixels"] == pixels


def test_refine_and_show(tmp_path: Path) -> None:
    photo, mask = write_photo(tmp_path / "photo.png"), write_mask(tmp_path / "mask.png")
    out = tmp_path / "grown.png"
    assert call("mask", "refine", mask, "grow=1,shrink=1,invert", "-o", out).code == 0
    assert (as_mask(out) == ~hole()).all()
    assert call("mask", "show", photo, mask, "-o", tmp_path / "shown.png").code == 0
    shown = Picture.load(tmp_path / "shown.png").pixels
    assert (shown[~hole()] == scene()[~hole()]).all()
    assert (shown[hole()] != scene()[hole()]).any()


def test_bad_requests(tmp_path: Path) -> None:
    photo, mask = write_photo(tmp_path / "photo.png"), write_mask(tmp_path / "mask.png")
    out = ("-o", tmp_path / "new.png")
    before = files_below(tmp_path)
    cases: dict[tuple[object, ...], str] = {
        ("make", photo, *out): "say what to mask",
        ("make", photo, "--mask-ratio", 0.5, *out): "random masks",
        ("make", photo, "--random", "stars", *out): "no random mask 'stars'",
        ("make", photo, "--random", "grid", "--mask-ratio", 0.5, *out): "takes no mask ratio",
        ("make", "0x5", "--random", "half", *out): "1×1",
        ("make", tmp_path / "none.png", "--random", "half", *out): "none.png",
        ("make", photo, "--box", "0,0,9,9", "-o", mask): "--overwrite",
        ("make", photo, "--box", "0,0,9,9", "-o", tmp_path / "x.xyz"): ".xyz",
        ("refine", mask, "grow", *out): "amount",
        ("refine", mask, "grow=1", "-o", mask): "is the input",
        ("show", photo, tmp_path / "none.png", *out): "none.png",
    }
    for args, words in cases.items():
        answer = call("mask", *args)
        assert answer.code == 2, f"{args}: {answer}"
        assert words in answer.err, f"{args}: {answer.err}"
        assert answer.err.count("\n") == 1
    assert files_below(tmp_path) == before


def test_masks_go_through_pipes(tmp_path: Path) -> None:
    """make | refine | show and make | fill, with nothing on stdout but the picture."""
    photo = write_photo(tmp_path / "photo.png")
    made = run("mask", "make", "-", "--box", "16,16,32,24", "-o", "-", stdin=photo.read_bytes())
    expected = np.zeros((48, 64), dtype=bool)
    expected[16:24, 16:32] = True
    assert (as_mask(made.stdout) == expected).all()
    assert b"4.2% of 64" in made.stderr
    grown = run("mask", "refine", "-", "grow=1", "-o", "-", stdin=made.stdout).stdout
    assert (as_mask(grown) == grow(expected, 1)).all()
    shown = Picture.load(run("mask", "show", photo, "-", "-o", "-", stdin=grown).stdout).pixels
    assert (shown[~grow(expected, 1)] == scene()[~grow(expected, 1)]).all()
    out = tmp_path / "filled.png"
    args = ("fill", photo, "-m", "-", "-o", out, "--engine", "flat", "--json")
    assert json.loads(run(*args, stdin=grown).stdout)["hole_pixels"] == grow(expected, 1).sum()


def test_stdin_is_read_once_and_stdout_carries_one_thing(tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "photo.png").read_bytes()
    for args in (("fill", "-", "-m", "-"), ("mask", "show", "-", "-", "-o", tmp_path / "x.png")):
        done = run(*args, stdin=photo)
        assert done.returncode == 2
        assert b"only one input can be -" in done.stderr
    done = run("mask", "make", "9x9", "--box", "1,1,2,2", "-o", "-", "--json")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"cannot both go to stdout" in done.stderr


def test_feather_writes_a_soft_mask_that_reads_back(tmp_path: Path) -> None:
    mask, out = write_mask(tmp_path / "mask.png"), tmp_path / "soft.png"
    assert call("mask", "refine", mask, "grow=1", "--feather", 6, "-o", out).code == 0
    soft = Picture.load(out).pixels[..., 0]
    assert (soft == np.round(feather(grow(hole(), 1), 6) * 255)).all()
    assert len(np.unique(soft)) > 5
    assert (as_mask(out, threshold=1) == grow(hole(), 1)).all()
    answer = call("mask", "refine", mask, "grow=1", "--feather", "wide", "-o", tmp_path / "y.png")
    assert answer.code == 2
    assert "an amount is written" in answer.err
