"""The run: rows that are whole, go on after a kill, and tell what failed."""

import json
import shutil

import numpy as np
import pytest

from infill.batch.rows import read_rows
from infill.bench import run as running
from infill.bench.job import load
from infill.bench.measure import choose
from infill.bench.rows import number, read, tabulated
from infill.bench.run import Run, read_run
from infill.engines.base import ENGINES
from infill.errors import BatchError, MissingWeights, UnknownPlugin
from infill.masks import as_mask
from infill.metrics.psnr import psnr
from infill.picture import Picture
from infill.pipeline import fill
from tests.bench.runs import Here, options_of, write_photos, write_room


@pytest.fixture
def photos(tmp_path):
    return write_photos(tmp_path / "photos", 2)


@pytest.fixture(scope="module", autouse=True)
def faulty():
    """Two engines that fail: one on some photos, one on all."""
    ENGINES.add("weak", "tests.bench.runs:Weak")
    ENGINES.add("unarmed", "tests.bench.runs:Unarmed")
    yield
    for name in ("weak", "unarmed"):
        del ENGINES._places[name]


def go(options, folder, **how):
    with Run(options, folder, **how) as run:
        rows = list(run.rows(Here()))
        list(run.compare_trials(Here()))
        return rows, run.ended()


def test_every_fill_has_a_row_a_picture_and_figures(photos, tmp_path):
    out = tmp_path / "out"
    options = options_of(photos)
    rows, ended = go(options, out)
    assert (ended.done, ended.failed, ended.skipped, ended.left) == (8, 0, 0, 0)
    assert len({row["output"] for row in rows}) == 8
    for row in rows:
        filled = Picture.load(out / row["output"])
        sample = next(one for one in options.samples if one.slug == row["slug"])
        loaded = load(sample, options)
        truth = loaded.truth.astype(np.float32) / 255
        mine = filled.pixels.astype(np.float32) / 255
        assert row["scores"]["psnr"] == pytest.approx(psnr(truth, mine), abs=1e-9)
        assert row["scores"]["seam"] > 0
        assert row["seconds"]["total"] >= row["seconds"]["engine"] > 0
        assert row["host_mb"] > 10
        assert row["recipe"]["seed"] == row["seed"]
        assert row["coverage"] == pytest.approx(loaded.mask.mean(), abs=1e-6)
    folder = out / "samples" / rows[0]["slug"]
    np.testing.assert_array_equal(
        as_mask(folder / "mask.png"), load(options.samples[0], options).mask
    )
    assert not (folder / "truth.png").exists(), "the photo itself is the truth"


def test_a_fill_is_what_the_library_gives(photos, tmp_path):
    """The row's recipe and seed make the very same pixels again."""
    options = options_of(photos, "exemplar", trials=1)
    rows, _ = go(options, tmp_path / "out")
    loaded = load(options.samples[0], options)
    again = fill(loaded.before, loaded.mask, engine="exemplar", seed=rows[0]["seed"])
    saved = Picture.load(tmp_path / "out" / rows[0]["output"]).pixels
    np.testing.assert_array_equal(saved, again.picture.pixels)
    assert rows[0]["same_bytes"] is True
    assert rows[0]["output_sha256"] == again.recipe.output_sha256


def test_the_truth_of_a_removal_is_the_clean_photo(tmp_path):
    write_room(tmp_path / "rooms")
    options = options_of(tmp_path / "rooms", "flat", trials=1)
    rows, _ = go(options, tmp_path / "out")
    place = tmp_path / "out" / "samples" / "den"
    clean = Picture.load(place / "truth.png").pixels
    np.testing.assert_array_equal(
        clean, Picture.load(tmp_path / "rooms" / "den" / "clean.png").pixels
    )
    filled = Picture.load(tmp_path / "out" / rows[0]["output"]).pixels
    wanted = psnr(clean.astype(np.float32) / 255, filled.astype(np.float32) / 255)
    assert rows[0]["scores"]["psnr"] == pytest.approx(wanted)


def test_what_has_no_truth_is_measured_without_one(tmp_path):
    write_room(tmp_path / "rooms")
    options = options_of(tmp_path / "rooms", "flat", trials=1)
    from infill.bench.samples import find_samples

    edit = options.__class__(
        **{**vars(options), "samples": find_samples(tmp_path / "rooms", task="edit")}
    )
    rows, _ = go(edit, tmp_path / "out")
    assert rows[0]["scores"]["psnr"] is None
    assert rows[0]["scores"]["seam"] is not None


def test_a_run_goes_on_where_it_was(photos, tmp_path):
    out = tmp_path / "out"
    with Run(options_of(photos), out) as run:
        rows = run.rows(Here())
        first = [next(rows)["key"] for _ in range(3)]
        rows.close()
    shutil.rmtree(out / "fills" / first[0].rpartition("/")[0])  # a fill that got lost
    made, ended = go(options_of(photos), out)
    assert ended.skipped == 1  # the first two were in the folder that is gone
    assert first[0] in [row["key"] for row in made]
    go(options_of(photos), tmp_path / "whole")
    assert _lasting(read(out)) == _lasting(read(tmp_path / "whole"))


def _lasting(rows):
    """What of the rows does not hang on the clock or on what the process did before."""
    fleeting = ("seconds", "wall", "host_mb", "device_mb", "joules", "first")
    return [{key: row[key] for key in row if key not in fleeting} for row in rows]


def test_a_torn_line_costs_its_fill_alone(photos, tmp_path):
    out = tmp_path / "out"
    go(options_of(photos), out)
    text = (out / "rows.jsonl").read_bytes()
    (out / "rows.jsonl").write_bytes(text[: -len(text) // 20])
    made, ended = go(options_of(photos), out)
    assert (len(made), ended.skipped) == (1, 7)


def test_another_run_in_the_same_folder_is_refused(photos, tmp_path):
    out = tmp_path / "out"
    go(options_of(photos, trials=1), out)
    with pytest.raises(BatchError, match="trials was 1 and is now 2"):
        Run(options_of(photos), out)
    write_photos(photos, 3)
    with pytest.raises(BatchError, match="samples_sha256"):
        Run(options_of(photos, trials=1), out)
    Run(options_of(photos), out, restart=True).close()
    assert not (out / "samples").exists(), "they may be of another size"
    assert not (out / "fills").exists()


def test_rows_of_another_version_are_refused(photos, tmp_path, monkeypatch):
    out = tmp_path / "out"
    go(options_of(photos, trials=1), out)
    monkeypatch.setattr(running.infill, "__version__", "99.0")
    with pytest.raises(BatchError, match=r"was made by Infill .* and this is 99\.0"):
        Run(options_of(photos, trials=1), out)
    rows = [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]
    rows[0]["format"] = 99
    (out / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(BatchError, match="rows of format 99"):
        read(out)


def test_an_engine_that_fails_on_some_samples_costs_these(photos, tmp_path):
    smooth = np.full((48, 64, 3), 200, np.uint8)
    Picture.from_array(smooth).save(photos / "002_box_made_2.png")
    shutil.copy(photos / "000_box_made_0_mask.png", photos / "002_box_made_2_mask.png")
    rows, ended = go(options_of(photos, "telea", "weak", trials=1), tmp_path / "out")
    failed = [row for row in rows if row["error"]]
    assert [row["key"] for row in failed] == ["002_box_made_2/weak/0"]
    assert "too smooth" in failed[0]["error"]
    assert ended.failed == 1
    table = tabulated(rows)
    assert table.left_out == ["002_box_made_2"]
    assert list(table.slugs) == ["000_box_made_0", "001_strokes_made_1"]
    _, again = go(options_of(photos, "telea", "weak", trials=1), tmp_path / "out")
    assert (again.skipped, again.failed) == (5, 1), "what failed is tried again"


def test_an_engine_without_weights_is_asked_once(photos, tmp_path):
    rows, ended = go(options_of(photos, "unarmed", "flat", trials=1), tmp_path / "out")
    assert ended.failed == 2
    assert all("infill download unarmed" in row["error"] for row in rows if row["error"])
    table = tabulated(rows)
    assert table.engines == ["flat"]
    assert table.left_out == []


def test_a_photo_that_cannot_be_read_is_told(photos, tmp_path):
    (photos / "000_box_made_0.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    rows, ended = go(options_of(photos, "flat", trials=1), tmp_path / "out")
    assert (ended.done, ended.failed) == (1, 1)
    assert "000_box_made_0.png" in rows[0]["error"]


def test_trials_are_compared_in_the_hole(photos, tmp_path):
    out = tmp_path / "out"
    go(options_of(photos, "exemplar", "telea", trials=3), out)
    found = [json.loads(line) for line in (out / "trials.jsonl").read_text().splitlines()]
    by = {row["key"]: row for row in found}
    assert by["000_box_made_0/telea"]["distance"] == 0
    slug = "000_box_made_0"
    hole = as_mask(out / "samples" / slug / "mask.png")
    fills = [
        Picture.load(out / "fills" / slug / "exemplar" / f"{trial}.png").pixels[hole] / 1.0
        for trial in range(3)
    ]
    apart = [np.sqrt(np.mean((fills[a] - fills[b]) ** 2)) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert by[f"{slug}/exemplar"]["distance"] == pytest.approx(np.mean(apart), abs=1e-3)
    with Run(options_of(photos, "exemplar", "telea", trials=3), out) as run:
        assert list(run.compare_trials(Here())) == [], "what is compared is not compared again"


def test_nothing_to_do_is_told(photos, tmp_path):
    options = options_of(photos)
    with pytest.raises(BatchError, match="nothing to fill"):
        Run(options.__class__(samples=[], entries=options.entries), tmp_path / "out")
    with pytest.raises(BatchError, match="no engine"):
        Run(options.__class__(samples=options.samples, entries=[]), tmp_path / "out")
    with pytest.raises(BatchError, match="holds no run"):
        read_run(tmp_path)
    with pytest.raises(BatchError, match="no rows yet"):
        read(tmp_path)


def test_another_kind_of_run_is_not_written_over(photos, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.json").write_text('{"kind": "sweep"}')
    with pytest.raises(BatchError, match="another kind of run"):
        Run(options_of(photos), tmp_path / "out", restart=True)


def test_a_damaged_run_can_be_started_over(photos, tmp_path):
    out = tmp_path / "out"
    go(options_of(photos, trials=1), out)
    (out / "run.json").write_text("{")
    with pytest.raises(BatchError, match="cannot be read"):
        Run(options_of(photos, trials=1), out)
    _, ended = go(options_of(photos, trials=1), out, restart=True)
    assert ended.done == 4


def test_torn_comparisons_of_trials_are_made_again(photos, tmp_path):
    out = tmp_path / "out"
    go(options_of(photos), out)
    before = read_rows(out / "trials.jsonl", "key")
    text = (out / "trials.jsonl").read_bytes()
    (out / "trials.jsonl").write_bytes(text[: len(text) // 2])
    go(options_of(photos), out)
    assert read_rows(out / "trials.jsonl", "key") == before


def test_only_what_is_needed_of_a_row_stays_in_memory(photos, tmp_path):
    with Run(options_of(photos), tmp_path / "out") as run:
        list(run.rows(Here()))
        assert all(set(row) == {"error", "output"} for row in run._file.rows.values())
    assert all(row["recipe"]["engine"] for row in read(tmp_path / "out"))


def test_the_machine_is_that_of_the_fills(photos, tmp_path):
    """A start that finds nothing to do says nothing of how fills were made."""
    out = tmp_path / "out"
    with Run(options_of(photos), out) as run:
        list(run.rows(Here(), jobs=2, threads=3))
    before = (out / "notes.json").read_bytes()
    with Run(options_of(photos), out, command="again") as run:
        list(run.rows(Here(), jobs=9, threads=9))
    assert (out / "notes.json").read_bytes() == before
    assert {(row["processes"], row["threads"]) for row in read(out)} == {(2, 3)}


def test_metrics_are_chosen_by_name_and_what_lacks_weights_is_told():
    found = choose(None)
    assert "psnr" in found.plain
    assert "lpips" in found.lacking
    assert "infill download" in found.lacking["lpips"]
    assert choose(["seam", "psnr"]).names == ["seam", "psnr"]
    with pytest.raises(UnknownPlugin, match="no metric 'pnsr'"):
        choose(["pnsr"])
    with pytest.raises(MissingWeights, match=r"metric lpips cannot measure.*infill download lpips"):
        choose(["psnr", "lpips"])


def test_figures_of_a_row_are_numbers():
    assert number("exact") == float("inf")
    assert np.isnan(number(None))
    assert number(2) == 2.0
