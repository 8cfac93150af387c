"""The other commands, and what all of them have in common."""

import csv
import io
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import infill
from infill.cli.batch import workers
from infill.cli.compare import statistics as summary_of
from infill.engines.base import ENGINES
from infill.picture import Picture
from infill.settings import Settings
from tests.cli.tools import call, command, environment, hole, run, scene, write_mask, write_photo

COMMANDS = (
    "fill",
    "mask",
    "batch",
    "compare",
    "replay",
    "engines",
    "demo",
    "doctor",
    "segment",
    "app",
    "serve",
    "sweep",
    "download",
    "train",
)


def test_version_and_help() -> None:
    done = run("--version")
    assert done.stdout.decode() == f"infill {infill.__version__}\n"
    text = run("--help").stdout.decode()
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize("name", [*COMMANDS, "mask make", "mask refine", "mask show"])
def test_every_command_has_help_with_examples(name: str) -> None:
    answer = call(*name.split(), "--help")
    assert answer.code == 0
    assert name == "mask" or "Examples" in answer.out
    assert f"infill {name}" in answer.out


def test_a_wrong_command_line_is_exit_code_2() -> None:
    for args in (("paint",), ("fill",), ("fill", "x.png", "--colour", "red"), ("batch", "x")):
        assert call(*args).code == 2


def test_help_and_completion_load_no_engine() -> None:
    code = (
        "import sys; sys.argv = ['infill', '--version']\n"
        "from infill.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'cv2', 'PIL', 'numba', 'onnxruntime', 'rich.table'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment(), check=True
    )
    assert done.stderr.decode().strip() == "[]"
    shown = run("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert b"infill" in shown.stdout


def test_a_closed_pipe_is_no_error() -> None:
    process = subprocess.Popen(
        command("engines", "--json"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err


def test_engines_as_a_table_and_one_card() -> None:
    table = call("engines").out
    assert "telea" in table
    assert "commercial" in table
    found = json.loads(call("engines", "--json").out)
    assert [card["name"] for card in found["engines"]] == ENGINES.names()
    assert found["broken"] == {}
    card = json.loads(call("engines", "telea", "--json").out)
    assert card["options"]["radius"] > 0
    (line,) = [line for line in call("engines", "telea").out.splitlines() if "radius" in line]
    assert line.split()[:2] == ["radius", "3"]
    assert "whole number, 1 to 100" in line
    assert "How far around a pixel" in line
    assert call("engines", "magic").code == 2


def test_doctor_says_what_is_here() -> None:
    found = json.loads(call("doctor", "--json").out)
    assert found["healthy"]
    assert found["infill"] == infill.__version__
    assert found["packages"]["numpy"] == np.__version__
    assert "web" in found["extras"]
    assert set(found["kernels"]) == {"folder", "kernels", "warm"}
    text = call("doctor").out
    assert "numpy" in text
    assert "cores" in text


def test_doctor_knows_every_extra_of_the_package() -> None:
    import tomllib

    root = Path(__file__).parents[2]
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    found = json.loads(call("doctor", "--json").out)["extras"]
    assert set(found) == set(extras) - {"test", "dev", "all"}


def test_demo(tmp_path: Path) -> None:
    done = run("demo", "--engine", "telea", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert text.count("0 changed") == 3
    assert text.count(" s with telea") == 3
    assert "out/demo/sheet.png" in text
    sheet = Picture.load(tmp_path / "out" / "demo" / "sheet.png")
    assert sheet.height > 1200
    assert len(list((tmp_path / "out" / "demo").iterdir())) == 4


def test_replay_says_whether_the_bytes_are_equal(tmp_path: Path) -> None:
    photo, mask = write_photo(tmp_path / "photo.png"), write_mask(tmp_path / "mask.png")
    out = tmp_path / "out.png"
    assert call("fill", photo, "-m", mask, "-e", "telea", "-o", out).code == 0
    equal = call("replay", out, "--photo", photo, "-o", tmp_path / "again.png")
    assert equal.code == 0, equal.err
    assert "equal, byte for byte" in equal.out
    assert (Picture.load(tmp_path / "again.png").pixels == Picture.load(out).pixels).all()

    other = write_photo(tmp_path / "other.png", seed=5)
    different = call("replay", out, "--photo", other, "--json")
    assert different.code == 1
    found = json.loads(different.out)
    assert not found["equal"]
    assert found["differences"] == ["the photo is not the one that the recipe was made from"]

    for args, words in (
        ((photo, "--photo", photo), "holds no recipe"),
        ((out, "--photo", tmp_path / "none.png"), "none.png"),
        ((out, "--photo", write_photo(tmp_path / "small.png", height=20)), "64×48"),
    ):
        answer = call("replay", *args)
        assert answer.code == 2
        assert words in answer.err


def test_compare_two_photos(tmp_path: Path) -> None:
    truth = write_photo(tmp_path / "truth.png")
    mask = write_mask(tmp_path / "mask.png")
    filled = scene().astype(np.int16)
    filled[hole()] += 10
    Picture.from_array(np.clip(filled, 0, 255).astype(np.uint8)).save(tmp_path / "filled.png")
    assert filled.max() <= 255
    row = json.loads(call("compare", tmp_path / "filled.png", truth, "-m", mask, "--json").out)
    (photo,) = row["photos"]
    # Every hole pixel is 10 steps off: by hand, 20 log10(255 / 10), and less over the whole.
    assert photo["masked_psnr"] == pytest.approx(20 * math.log10(25.5), abs=1e-4)
    share = hole().mean()
    assert photo["psnr"] == pytest.approx(20 * math.log10(25.5) - 10 * math.log10(share), abs=1e-4)
    assert photo["masked_ssim"] < photo["ssim"] < 1
    table = call("compare", tmp_path / "filled.png", truth, "-m", mask).out
    assert "masked psnr" in table
    assert "28.13" in table
    exact = json.loads(call("compare", truth, truth, "--json").out)
    assert exact["photos"][0]["psnr"] == "exact"
    assert exact["summary"]["psnr"]["exact"] == 1
    assert "masked_psnr" not in exact["summary"], "there was no mask"


def test_compare_says_what_does_not_exist(tmp_path: Path) -> None:
    answer = call("compare", tmp_path / "nope", tmp_path)
    assert (answer.code, answer.err) == (
        2,
        f"infill: {tmp_path / 'nope'} does not exist; check the name\n",
    )


def test_compare_folders(tmp_path: Path) -> None:
    shifts = (0, 1, 2, 4)
    for number, shift in enumerate(shifts):
        name = f"{number % 2}/{number}.png"
        write_photo(tmp_path / "truth" / name)
        write_mask(tmp_path / "masks" / name)
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.minimum(scene(), 250) + np.uint8(0)
        Picture.from_array(pixels).save(tmp_path / "truth" / name, overwrite=True)
        Picture.from_array(pixels + np.uint8(shift)).save(tmp_path / "out" / name)
    args = ("compare", tmp_path / "out", tmp_path / "truth", "-m", tmp_path / "masks")
    found = json.loads(call(*args, "--json").out)["summary"]["psnr"]
    decibels = [20 * math.log10(255 / shift) for shift in shifts[1:]]
    assert (found["count"], found["exact"]) == (3, 1)
    assert found["mean"] == pytest.approx(statistics.fmean(decibels), abs=1e-3)
    assert found["median"] == pytest.approx(statistics.median(decibels), abs=1e-3)
    table = list(csv.DictReader(io.StringIO(call(*args, "--csv").out)))
    assert [row["name"] for row in table] == ["0/0.png", "0/2.png", "1/1.png", "1/3.png"]
    assert table[0]["psnr"] == "exact"
    assert float(table[2]["masked_psnr"]) == pytest.approx(20 * math.log10(255), abs=1e-3)
    assert "median" in call(*args).out

    (tmp_path / "out" / "0" / "0.png").write_bytes(b"no photo")
    answer = call(*args, "--json")
    assert answer.code == 1
    assert [failure["name"] for failure in json.loads(answer.out)["failures"]] == ["0/0.png"]
    for left, right in (("out", "truth/0/0.png"), ("out/1/1.png", "truth"), ("masks", "out/1")):
        answer = call("compare", tmp_path / left, tmp_path / right)
        assert answer.code == 2
        assert answer.err.count("\n") == 1


def test_statistics_by_hand() -> None:
    found = summary_of([4.0, 1.0, math.inf, 2.0, 3.0, 5.0, math.nan])
    assert found == {
        "count": 5, "exact": 1, "mean": 3, "median": 3,
        "p5": 1.2, "p25": 2, "p75": 4, "p90": 4.6, "p95": 4.8,
    }  # fmt: skip
    assert math.isnan(summary_of([math.inf])["mean"])


@pytest.mark.parametrize(
    ("asked", "photos", "setting", "expected"),
    [
        ((None, None), 100, 0, (8, 1)),
        ((None, None), 2, 0, (2, 4)),
        ((None, None), 0, 0, (1, 8)),
        ((3, None), 100, 0, (3, 1)),
        ((3, None), 2, 0, (2, 1)),
        ((1, None), 100, 0, (1, 1)),
        ((2, 3), 100, 0, (2, 3)),
        ((None, None), 100, 2, (8, 2)),
        ((None, 1), 100, 2, (8, 1)),
    ],
)
def test_processes_and_threads(
    asked: tuple[int | None, int | None],
    photos: int,
    setting: int,
    expected: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("infill.settings._available_cores", lambda: 8)
    assert workers(*asked, photos, Settings(threads=setting)) == expected
