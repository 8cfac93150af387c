"""`infill fill`: what it writes, what it says, and that bad input leaves nothing behind."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from infill import fill
from infill.picture import Picture, read_text
from tests.cli.tools import (
    call,
    command,
    environment,
    files_below,
    hole,
    run,
    scene,
    write_mask,
    write_photo,
)

ENGINE = ("--engine", "telea")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    write_photo(tmp_path / "photo.png")
    write_mask(tmp_path / "mask.png")
    return tmp_path


def test_as_a_process(work: Path) -> None:
    done = run("fill", "photo.png", "--mask", "mask.png", *ENGINE, cwd=work)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "photo.filled.png"
    assert "telea: 4.2% of the photo filled" in lines[1]
    assert lines[1].endswith("2944 pixels outside the mask compared, 0 changed")
    before, after = scene(), Picture.load(work / "photo.filled.png").pixels
    assert (before[~hole()] == after[~hole()]).all()
    assert (before[hole()] != after[hole()]).any()
    assert files_below(work) == {"photo.png", "mask.png", "photo.filled.png"}


def test_stdin_and_stdout(work: Path) -> None:
    photo = (work / "photo.png").read_bytes()
    done = run("fill", "-", "-m", work / "mask.png", *ENGINE, stdin=photo)
    assert done.returncode == 0
    filled = Picture.load(done.stdout)
    assert (filled.pixels[~hole()] == scene()[~hole()]).all()
    assert b"0 changed" in done.stderr, "what a person reads does not mix with the picture"
    webp = run("fill", work / "photo.png", "-m", work / "mask.png", *ENGINE, "-o", "-")
    assert Picture.load(webp.stdout).metadata.format == "PNG"
    webp = run("fill", "-", "-m", work / "mask.png", *ENGINE, "--format", "webp", stdin=photo)
    assert Picture.load(webp.stdout).metadata.format == "WEBP"


def test_json_is_one_object_alone_on_stdout(work: Path) -> None:
    answer = call("fill", work / "photo.png", "-m", work / "mask.png", *ENGINE, "--json")
    found = json.loads(answer.out)
    assert answer.out.count("\n") == 1
    assert answer.err == ""
    assert found["output"] == str(work / "photo.filled.png")
    assert found["engine"] == "telea"
    assert found["hole_pixels"] == int(hole().sum())
    assert found["proof"] == {"outside_max_diff": 0, "outside_pixels": int((~hole()).sum())}
    assert found["recipe"]["engine"] == "telea"
    assert {"load", "mask", "engine", "save"} <= set(found["seconds"])


def test_quiet_and_verbose(work: Path) -> None:
    args = ("fill", work / "photo.png", "-m", work / "mask.png", *ENGINE, "--overwrite")
    assert call(*args, "-q").out == ""
    assert "engine" not in call(*args).out
    assert "engine  " in call(*args, "-v").out


def test_the_hole_is_all_that_was_given_and_refined(work: Path) -> None:
    args = ("fill", work / "photo.png", *ENGINE, "--json", "--overwrite")
    box = ("--box", "0,0,10,5")
    polygon = ("--polygon", "20,20 30,20 30,30 20,30")
    pixels = [
        json.loads(call(*args, *rest).out)["hole_pixels"]
        for rest in (
            box,
            polygon,
            (*box, *polygon),
            (*box, "--box", "0,5,10,10"),
            (*box, "-m", work / "mask.png"),
            (*box, "--refine", "grow=1"),
            ("-m", work / "mask.png", "--invert-mask"),
        )
    ]
    size, photo = int(hole().sum()), 48 * 64
    assert pixels == [50, 100, 150, 100, 50 + size, 50 + 15, photo - size]


def test_without_a_mask_what_is_transparent_is_filled(tmp_path: Path) -> None:
    alpha = np.where(hole(), 0, 255).astype(np.uint8)
    cut = np.dstack([scene(), alpha])
    Picture.from_array(cut).save(tmp_path / "cut.png")
    for refine, more in ((), 0), (("--refine", "grow=1"), 1):
        answer = call("fill", tmp_path / "cut.png", *ENGINE, "--overwrite", "--json", *refine)
        pixels = json.loads(answer.out)["hole_pixels"]
        assert (pixels > hole().sum()) == bool(more)
        filled = Picture.load(tmp_path / "cut.filled.png")
        assert filled.alpha is None or (filled.alpha == 255).all()
    answer = call("fill", tmp_path / "cut.png", *ENGINE, "-o", tmp_path / "opaque.jpg")
    assert answer.code == 0, "a filled cut-out is opaque, and a JPEG can hold it"


def test_an_empty_mask_saves_the_photo_and_says_so(work: Path) -> None:
    write_mask(work / "empty.png", np.zeros((48, 64), dtype=bool))
    answer = call("fill", work / "photo.png", "-m", work / "empty.png", *ENGINE)
    assert answer.code == 0
    assert "the mask is empty" in answer.out
    assert (Picture.load(work / "photo.filled.png").pixels == scene()).all()


def test_engine_options_are_read_as_what_they_are(work: Path) -> None:
    args = ("fill", work / "photo.png", "-m", work / "mask.png", *ENGINE, "--overwrite", "--json")
    recipe = json.loads(call(*args, "-O", "radius=7").out)["recipe"]
    assert recipe["options"]["radius"] == 7


@pytest.mark.parametrize("keep", ["embed", "beside", "none"])
def test_where_the_recipe_goes(work: Path, keep: str) -> None:
    call("fill", work / "photo.png", "-m", work / "mask.png", *ENGINE, "--recipe", keep)
    assert ("infill" in read_text(work / "photo.filled.png")) == (keep == "embed")
    assert (work / "photo.filled.png.recipe.json").exists() == (keep == "beside")


def _bad_inputs(work: Path) -> dict[str, tuple[tuple[object, ...], str]]:
    """Name of the case: the arguments after `fill`, and words of the sentence."""
    (work / "empty.jpg").touch()
    (work / "text.jpg").write_text("this is no photo, but it is long enough to be looked at")
    (work / "cut.png").write_bytes((work / "photo.png").read_bytes()[:300])
    write_mask(work / "small.png", np.ones((10, 10), dtype=bool))
    write_mask(work / "full.png", np.ones((48, 64), dtype=bool))
    (work / "folder.jpg").mkdir()
    photo, mask = work / "photo.png", ("-m", work / "mask.png")
    good = (photo, *mask)
    return {
        "missing photo": ((work / "nowhere.jpg", *mask), "nowhere.jpg"),
        "missing mask": ((photo, "-m", work / "nowhere.png"), "nowhere.png"),
        "a folder": ((work / "folder.jpg", *mask), "folder"),
        "zero bytes": ((work / "empty.jpg", *mask), "empty.jpg"),
        "no image": ((work / "text.jpg", *mask), "text.jpg"),
        "truncated": ((work / "cut.png", *mask), "cut.png"),
        "mask of another size": ((photo, "-m", work / "small.png"), "10×10"),
        "full mask": ((photo, "-m", work / "full.png"), "nothing to fill from"),
        "no mask, no transparency": ((photo,), "transparent"),
        "mask on stdin": ((photo, "-m", "-"), "stdin"),
        "output exists": ((*good, "-o", work / "full.png"), "full.png exists"),
        "output is the input": ((*good, "-o", photo), "is the input"),
        "output is the mask": ((*good, "-o", work / "mask.png"), "with --overwrite"),
        "no such folder": ((*good, "-o", work / "no" / "x.png"), "no folder"),
        "unknown extension": ((*good, "-o", work / "x.xyz"), ".xyz"),
        "unknown engine": ((*good, "--engine", "magic"), "no engine 'magic'"),
        "unknown option": ((*good, "-O", "speed=9"), "no option 'speed'"),
        "option of another kind": ((*good, "-O", "radius=big"), "number"),
        "option without a value": ((*good, "-O", "radius"), "NAME=VALUE"),
        "box of three numbers": ((photo, "--box", "1,2,3"), "four numbers"),
        "box outside": ((photo, "--box", "900,900,910,910"), "covers no pixel"),
        "polygon of two points": ((photo, "--polygon", "1,1 2,2"), "three points"),
        "unknown refinement": ((*good, "--refine", "bloat=3"), "no mask operation 'bloat'"),
        "unknown recipe word": ((*good, "--recipe", "maybe"), "embed, beside, none"),
        "json and picture on stdout": ((*good, "-o", "-", "--json"), "stdout"),
        "recipe beside stdout": ((*good, "-o", "-", "--recipe", "beside"), "stdout"),
        "negative seed": ((*good, "--seed", "-1"), "seed"),
    }


def test_bad_input_is_one_sentence_exit_code_2_and_nothing_written(work: Path) -> None:
    cases = _bad_inputs(work)
    before = files_below(work)
    for name, (args, words) in cases.items():
        engine = () if "--engine" in args else ENGINE
        answer = call("fill", *args, *engine)
        assert answer.code == 2, f"{name}: exit code {answer.code}\n{answer.err}"
        assert answer.out == "", name
        assert words in answer.err, f"{name}: {answer.err}"
        assert answer.err.startswith("infill: "), f"{name}: {answer.err}"
        assert answer.err.count("\n") == 1, f"{name}: one sentence, not {answer.err}"
        assert files_below(work) == before, name


def test_too_many_pixels(work: Path) -> None:
    done = run(
        "fill", work / "photo.png", "-m", work / "mask.png", *ENGINE, INFILL_MAX_PIXELS="1000"
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"1000" in done.stderr or b"1,000" in done.stderr
    assert not (work / "photo.filled.png").exists()


def test_a_traceback_only_for_who_asks(work: Path) -> None:
    assert b"Traceback" not in run("fill", work / "none.png").stderr
    assert b"Traceback" in run("fill", work / "none.png", INFILL_DEBUG="1").stderr
    assert b"Traceback" in run("fill", work / "none.png", "-vv").stderr


@pytest.mark.parametrize("name", [".", ".."])
def test_a_folder_is_no_photo(work: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(work)
    answer = call("fill", name, "-m", "mask.png", *ENGINE)
    assert (answer.code, answer.err) == (2, f"infill: {name} is a folder; name a photo in it\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-o", "out.webp", "--quality", "80"], "coded as WEBP"),
        (["-o", "out.webp"], "0 changed"),  # from a PNG it is lossless
        (["-o", "out.JPEG"], "coded as JPEG"),
        (["-o", "out.avif"], "coded as AVIF"),
        (["-o", "out.tif"], "0 changed"),
    ],
)
def test_a_lossy_output_is_called_one(
    work: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.chdir(work)
    answer = call("fill", "photo.png", "-m", "mask.png", *ENGINE, *options)
    assert answer.out.splitlines()[1].endswith(said)


def test_a_full_stdout_is_said(work: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here")
    words = command("fill", "photo.png", "-m", "mask.png", *ENGINE, "-o", "-")
    with full.open("wb") as target:
        done = subprocess.run(
            words, cwd=work, stdout=target, stderr=subprocess.PIPE, env=environment(), timeout=120
        )
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[0].startswith("infill: stdout cannot be written")


def test_a_full_mask_names_the_photo(work: Path) -> None:
    write_mask(work / "full.png", np.ones((48, 64), dtype=bool))
    answer = call("fill", work / "photo.png", "-m", work / "full.png", *ENGINE)
    assert answer.code == 2
    assert answer.err.startswith(f"infill: {work / 'photo.png'}: every pixel is masked")
    assert files_below(work) == {"photo.png", "mask.png", "full.png"}


def test_a_recipe_that_lies_beside_is_announced(work: Path) -> None:
    args = ("fill", work / "photo.png", "-m", work / "mask.png", *ENGINE)
    answer = call(*args, "-o", work / "out.bmp")
    assert f"  recipe: {work / 'out.bmp.recipe.json'}\n" in answer.out
    assert "  recipe: " not in call(*args, "-o", work / "out.png").out


class TestCandidates:
    def test_each_has_a_name_and_a_seed(self, work: Path) -> None:
        photo, mask = work / "photo.png", work / "mask.png"
        answer = call("fill", photo, "-m", mask, "-n", 2, "--seed", 5, "--json")
        told = json.loads(answer.out)["candidates"]
        assert [one["recipe"]["seed"] for one in told] == [5, 6]
        names = ["photo.filled-1.png", "photo.filled-2.png"]
        assert [Path(one["output"]).name for one in told] == names
        alone = fill(photo, mask, seed=6)
        made = Picture.load(work / names[1])
        assert np.array_equal(made.pixels, alone.picture.pixels)

    def test_none_is_overwritten(self, work: Path) -> None:
        (work / "photo.filled-2.png").write_bytes(b"mine")
        answer = call("fill", work / "photo.png", "-m", work / "mask.png", "-n", 2)
        assert answer.code == 2
        assert "photo.filled-2.png" in answer.err
        assert not (work / "photo.filled-1.png").exists(), "said before the work is done"

    def test_stdout_holds_one(self, work: Path) -> None:
        answer = call("fill", work / "photo.png", "-m", work / "mask.png", "-n", 2, "-o", "-")
        assert answer.code == 2
        assert "stdout holds one picture" in answer.err

    def test_a_prompt_is_for_engines_that_read_it(self, work: Path) -> None:
        answer = call("fill", work / "photo.png", "-m", work / "mask.png", "--prompt", "a cat")
        assert answer.code == 2
        assert "engine exemplar has no option 'prompt'" in answer.err
