"""`infill bench --task edit`: an engine that reads a prompt, judged by a network that reads it too.

Both are small and random: what they say is no matter, that they are asked rightly is.
"""

import json
from pathlib import Path

import pytest

from infill.batch.rows import read_rows
from infill.picture import Picture
from tests.bench.runs import write_room
from tests.cli.tools import call
from tests.engines.diffusers import tiny
from tests.metrics.test_clip import saved  # noqa: F401  (a fixture)

KEYS = ("clip_score", "clip_direction")


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return write_room(tmp_path / "rooms")


def test_a_prompt_is_filled_and_judged(
    room: Path,
    saved: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = tiny.save("sd", tmp_path / "sd")
    monkeypatch.setenv("INFILL_CLIP_MODEL", str(saved))
    out = tmp_path / "out"
    # What random weights make of the known part fits nothing, so drift is let through.
    engine = f"sd:model={model},num_inference_steps=2,drift=ignore"
    answer = call(
        "bench", room, "--task", "edit", "-e", engine, "--trials", 2,
        "--metric", "clip", "--metric", "psnr", "--metric", "preservation", "-o", out,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    rows = list(read_rows(out / "rows.jsonl", "key").values())
    assert len(rows) == 2
    for row in rows:
        assert row["prompt"] == "a brass lamp"
        assert row["recipe"]["options"]["prompt"] == "a brass lamp"
        assert row["recipe"]["options"]["negative_prompt"] == "people"
        assert 0 <= row["scores"]["clip_score"] <= 100
        assert -1 <= row["scores"]["clip_direction"] <= 1
        assert row["scores"]["psnr"] is None, "nobody knows the truth of an edit"
        assert row["scores"]["outside_max"] == 0
    assert rows[0]["same_bytes"] is True
    # The object is still in the photo that came in: it is what is to be replaced.
    before = Picture.load(out / "samples" / "den" / "before.png").pixels
    assert tuple(before[24, 26]) == (200, 30, 30)
    summary = json.loads((out / "report" / "summary.json").read_text())
    table = next(one for one in summary["tables"] if one["criterion"] == "adaptability")
    assert [column["key"] for column in table["columns"]] == list(KEYS)
    page = (out / "report" / "index.html").read_text()
    assert "a brass lamp" in page
