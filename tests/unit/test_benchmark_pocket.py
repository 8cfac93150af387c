"""The benchmark of the network in the package: what it measures, not how fast it is here."""

import json
from pathlib import Path

import pytest
from benchmarks import pocket


def test_figures_and_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "pocket.json"
    given = ["--runs", "1", "--starts", "1", "--threads", "1", "--json", str(out)]
    assert pocket.main(given) == 0
    told = json.loads(out.read_text())
    limits = {one["what"]: one for one in told["limits"]}
    assert [one["high"] for one in limits.values()] == [150, 300, 400]
    assert 50 < limits["memory of the process"]["figure"] < 2000
    # Seen at 512 × 512 it works on two and a half times as many pixels as by default.
    assert told["facts"]["seen at 512×512"] * 1000 > limits["a photo of 512×512"]["figure"]
    assert capsys.readouterr().out.count("limit: at most") == 3
