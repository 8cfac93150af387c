"""The benchmark of DeepFillv2 and LaMa, on tiny networks: what it prints, not how fast they are."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks import learned


def test_tiny(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--tiny", "--rounds", "1", "--threads", "1", "--devices", "cpu"]
    given += ["--json", str(tmp_path / "x.json"), "--markdown", str(tmp_path / "x.md")]
    assert learned.main(given) == 0
    out = capsys.readouterr().out
    written = (tmp_path / "x.md").read_text(encoding="utf-8")
    assert written.strip() in out
    lines = written.splitlines()
    assert len(lines) == 2 + 2 * 5
    assert lines[0] == f"| {' | '.join(learned.HEADINGS)} |"
    assert lines[2].startswith("| deepfill | cpu | plain, float32 |")
    rows = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["rows"]
    assert {row["network"] for row in rows} == set(learned.NETWORKS)
    assert all(row["seconds"] > 0 for row in rows)
    assert [row["speed"] for row in rows if "plain" in row["way"]] == [1, 1]


@pytest.mark.parametrize("name", learned.NETWORKS)
def test_all_ways_give_the_same_picture(name: str) -> None:
    photo, mask = learned.scene(64)
    made = []
    for way in learned.ways(compile=False):
        import torch

        torch.manual_seed(0)
        found = learned.runner(name, way, "cpu", photo, mask, True)()
        if way.plain:
            found = found[0].permute(1, 2, 0).numpy()
            made.append(found if name == "lama" else (found + 1) / 2)
        else:
            made.append(found[0])
            away = np.abs(made[0] - made[-1]).max()
            assert away < (1e-5 if way.dtype == "float32" else 0.05)


def test_the_published_sizes() -> None:
    from infill.engines.base import ENGINES

    for name in learned.NETWORKS:
        network = learned.build(name, tiny=False)
        count = sum(value.numel() for value in network.parameters())
        assert count == ENGINES.get(name).card.parameters
