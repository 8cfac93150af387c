"""Saving a result: every format, the recipe in it, beside it or nowhere."""

from pathlib import Path

import numpy as np
import pytest

import infill
from infill import Recipe, Result, fill
from infill.errors import BadOption, FormatCannotHold, WouldOverwrite
from infill.picture import Picture, read_text

EMBEDDING = ["png", "jpg", "webp", "tif", "avif"]


@pytest.fixture(scope="module")
def result() -> Result:
    photo = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    mask = np.zeros((40, 50), np.bool_)
    mask[10:20, 15:30] = True
    return fill(photo, mask, engine="telea")


def test_printed_it_shows_no_arrays(result: Result) -> None:
    text = repr(result)
    assert text.startswith("Result(picture=<Picture 50 x 40")
    assert "outside_max_diff=0" in text
    assert "array" not in text.replace("uint8 RGB, array>", "")
    assert result.recipe.mask not in text


@pytest.mark.parametrize("suffix", EMBEDDING)
def test_embedded(result: Result, tmp_path: Path, suffix: str) -> None:
    path = result.save(tmp_path / f"out.{suffix}")
    assert [*tmp_path.iterdir()] == [path]
    assert Recipe.read(path) == result.recipe


def test_a_long_recipe_fits_a_jpeg(tmp_path: Path) -> None:
    photo = np.zeros((700, 900, 3), np.uint8)
    mask = np.random.default_rng(0).random((700, 900)) < 0.5  # takes 100 kB; a segment has 64
    result = fill(photo, mask, engine="flat")
    assert len(result.recipe.to_json()) > 2**16
    assert Recipe.read(result.save(tmp_path / "out.jpg")) == result.recipe


def test_beside_where_there_is_no_room(result: Result, tmp_path: Path) -> None:
    path = result.save(tmp_path / "out.bmp")
    assert result.recipe_path(path) == tmp_path / "out.bmp.recipe.json"
    assert result.recipe_path(path, "none") is None
    assert result.recipe_path(tmp_path / "out.png") is None
    assert {*tmp_path.iterdir()} == {path, tmp_path / "out.bmp.recipe.json"}
    assert Recipe.read(path) == result.recipe


def test_beside_when_asked_for(result: Result, tmp_path: Path) -> None:
    path = result.save(tmp_path / "out.png", recipe="beside")
    assert {*tmp_path.iterdir()} == {path, tmp_path / "out.png.recipe.json"}
    assert "infill" not in read_text(path)
    assert Recipe.read(path) == result.recipe


def test_none(result: Result, tmp_path: Path) -> None:
    path = result.save(tmp_path / "out.png", recipe="none")
    assert [*tmp_path.iterdir()] == [path]
    assert "infill" not in read_text(path)


def test_another_word(result: Result, tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="'embed', 'beside' or 'none'"):
        result.save(tmp_path / "out.png", recipe="inside")  # type: ignore[arg-type]
    assert [*tmp_path.iterdir()] == []


def test_what_is_no_path(result: Result) -> None:
    with pytest.raises(BadOption, match="to a path, not to a int"):
        result.save(3)  # type: ignore[arg-type]


def test_nothing_is_overwritten(result: Result, tmp_path: Path) -> None:
    beside = tmp_path / "out.png.recipe.json"
    beside.write_text("mine")
    with pytest.raises(WouldOverwrite, match=r"out\.png\.recipe\.json"):
        result.save(tmp_path / "out.png", recipe="beside")
    assert [*tmp_path.iterdir()] == [beside], "the picture is not written either"
    result.save(tmp_path / "out.png", recipe="beside", overwrite=True)
    assert Recipe.read(beside) == result.recipe
    with pytest.raises(WouldOverwrite):
        result.save(tmp_path / "out.png")


def test_pixels_of_a_lossless_file_are_the_results(result: Result, tmp_path: Path) -> None:
    for suffix in ("png", "tif", "bmp", "webp"):
        again = Picture.load(result.save(tmp_path / f"out.{suffix}"))
        assert (again.pixels == result.picture.pixels).all()
        assert result.encoding_note(f"out.{suffix}") is None


@pytest.mark.parametrize("name", ["out.jpg", "jpeg", "out.avif"])
def test_a_lossy_format_is_said_to_be_one(result: Result, name: str) -> None:
    note = result.encoding_note(name)
    assert note is not None
    assert "lossy" in note
    assert "outside the mask too" in note


def test_webp_is_lossy_if_a_quality_is_asked_for(result: Result) -> None:
    assert result.encoding_note("a.webp", quality=80) is not None
    assert result.encoding_note("a.webp", quality=80, lossless=True) is None
    assert result.encoding_note("a.webp", lossless=False) is not None
    with pytest.raises(FormatCannotHold):
        result.encoding_note("a.xyz")


def test_bytes_are_those_of_the_file(result: Result, tmp_path: Path) -> None:
    for recipe in ("embed", "none"):
        path = result.save(tmp_path / "out.png", recipe=recipe, overwrite=True)  # type: ignore[arg-type]
        assert result.to_bytes("png", recipe=recipe) == path.read_bytes()  # type: ignore[arg-type]


def test_load_and_save_of_the_package(result: Result, tmp_path: Path) -> None:
    path = infill.save(result, tmp_path / "a.png")
    assert Recipe.read(path) == result.recipe
    picture = infill.load(path)
    again = infill.save(picture, tmp_path / "b.png")
    assert (infill.load(again).pixels == result.picture.pixels).all()
    with pytest.raises(WouldOverwrite):
        infill.save(picture.pixels, again)
    infill.save(picture.pixels, again, overwrite=True)


def test_a_recipe_does_not_outlive_its_result(result: Result, tmp_path: Path) -> None:
    path = result.save(tmp_path / "a.png")
    mask = np.zeros((40, 50), np.bool_)
    mask[0, 0] = True
    second = fill(path, mask, engine="flat")
    assert Recipe.read(second.save(tmp_path / "b.png")).engine == "flat"
    assert "infill" not in read_text(second.save(tmp_path / "c.png", recipe="none"))
