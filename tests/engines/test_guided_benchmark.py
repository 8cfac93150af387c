"""`python -m benchmarks.guided` on a tiny random model and three photos made on the spot."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from benchmarks import guided, guided_parts, guided_report, walks, wasserstein

from infill import settings
from tests.engines.guided_scenes import bottle, disc, target, texture
from tests.engines.tiny_ddpm import save


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder, clicks = tmp_path / "photos", tmp_path / "clicks"
    folder.mkdir()
    clicks.mkdir()
    for index in range(3):
        cv2.imwrite(str(folder / f"{index}.jpg"), texture((80, 90), (80, 120, 70), index))
        hole = disc((80, 90), 40, 30 + 10 * index, 16).astype(np.uint8) * 255
        cv2.imwrite(str(folder / f"{index}_mask.png"), hole)
    thing = bottle((70, 90), 30, 8, 54)
    cv2.imwrite(str(clicks / "a.jpg"), target(thing).pixels[..., ::-1])
    cv2.imwrite(str(clicks / "a_truth.png"), thing.astype(np.uint8) * 255)
    monkeypatch.setenv("INFILL_BENCH", str(folder))
    monkeypatch.setattr(guided_parts, "STARTS", (1.0,))
    monkeypatch.setattr(guided_parts, "ENDS", (0.5, 1.0))
    monkeypatch.setattr(guided_parts, "HEATS", ((0, 0), (2, 2)))
    monkeypatch.setattr(guided_parts, "BUFFERS", (0, 1))
    return folder


def test_all_parts(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    options = guided.parse([save(tmp_path / "model"), "--out", str(out), "--steps", "2"])
    with settings.using(threads=1, offline=1):
        guided.Bench(options).run()
        made = sorted(path.name for path in (out / "cache").iterdir())
        first = (out / "lambda.json").read_bytes()
        guided.Bench(options).run()
    assert sorted(path.name for path in (out / "cache").iterdir()) == made, "nothing made twice"
    assert (out / "lambda.json").read_bytes() == first
    report = (out / "report.md").read_text()
    for words in ("RePaint, this project's schedule", "λ₀ = 1", "heat 2, 2 passes", "Recommended"):
        assert words in report
    assert report in capsys.readouterr().out
    for name in ("seam", "lambda", "border"):
        assert 0 < (out / f"{name}.jpg").stat().st_size <= guided_report.LARGEST_FILE


def test_a_median_and_its_interval() -> None:
    values = [float(value) for value in range(101)]
    found = guided_report.median([*values, float("nan")])
    assert (found.value, found.count) == (50, 101)
    assert 30 < found.low < 50 < found.high < 70
    assert guided_report.difference(values, [value + 2 for value in values]).value == -2
    assert str(guided_report.median([])) == "–"


def test_without_targets_it_says_so(photos: Path, tmp_path: Path) -> None:
    empty = tmp_path / "none"
    empty.mkdir()
    options = guided.parse([save(tmp_path / "model"), "--targets", str(empty)])
    with pytest.raises(SystemExit, match="has no target"):
        guided.Bench(options)


class TestWalks:
    def test_each_is_made_once_and_compared(
        self, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out, model = tmp_path / "walks", save(tmp_path / "model")
        options = walks.parse([model, "--out", str(out), "--walks", "fast;plain, 50"])
        with settings.using(threads=1, offline=1):
            walks.run(options)
            first = capsys.readouterr().out
            walks.run(options)
        assert capsys.readouterr().out == first
        assert "| fast | 236 |" in first
        assert "| plain, 50 steps | 50 |" in first
        assert len(list((out / "cache").iterdir())) == 2
        assert (out / "walks.jpg").stat().st_size > 0

    def test_the_distance_of_two_sets_of_patches(self) -> None:
        photos = [texture((40, 40), (80, 120, 70), seed) / np.float32(255) for seed in range(3)]
        holes = [disc((40, 40), 20, 20, 8)] * 3
        slices = wasserstein.Slices(photos, holes)
        real = slices.of(photos, holes)
        assert wasserstein.distance(real, real) == 0
        moved = [photos[1], photos[2], photos[0]]
        assert wasserstein.distance(real, slices.of(moved, holes)) < 1e-6, "no pairs are compared"
        grey = [np.full_like(photo, 0.5) for photo in photos]
        darker = [photo * np.float32(0.9) for photo in photos]
        near, far = (wasserstein.distance(real, slices.of(p, holes)) for p in (darker, grey))
        assert 0 < near < far
