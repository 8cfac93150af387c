"""The benchmark of the diffusion engines runs whole, on tiny networks."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
import transformers
from benchmarks import diffusion, diffusion_models
from benchmarks.diffusion import HOLES, MODELS, Row, table

ROW = Row("sdxl", "whole", "1024×1024", 4.0, 4.0, 2.0, 61.0, 12.5e9, 11.4e9, 30, 30, ())


pytestmark = pytest.mark.filterwarnings(  # the library's Euler sampler, as NumPy 2 sees it
    "ignore:__array__ implementation:DeprecationWarning"
)


@pytest.fixture(autouse=True)
def loud_again() -> Iterator[None]:
    """The benchmark hushes the libraries for the rest of its process; here others follow."""
    logs = [diffusers.utils.logging, transformers.utils.logging]
    before = [log.get_verbosity() for log in logs]
    yield
    for log, level in zip(logs, before, strict=True):
        log.set_verbosity(level)
        log.enable_progress_bar()


def test_tiny_networks_are_measured_both_ways(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "figures.json"
    page = tmp_path / "new" / "table.md"
    asked = ["--tiny", "--rounds", "1", "--json", str(out), "--markdown", str(page)]
    assert diffusion.main(asked) == 0
    told = json.loads(out.read_text(), parse_constant=pytest.fail)
    assert told["measured"]
    assert "tiny networks on the processor" in told["machine"]
    assert [(row["model"], row["hole"]) for row in told["rows"]] == [
        (model, hole) for model in MODELS for hole in HOLES
    ]
    for row in told["rows"]:
        assert row["our_calls"] == row["library_calls"] > 0
        assert row["works_at"] == "64×64"  # the size that the tiny networks are made for
        assert min(row["library"], row["library_at_our_size"], row["ours"], row["first"]) > 0
        assert row["our_memory"] is None
    assert page.read_text() in capsys.readouterr().out + "\n"


def test_without_a_gpu_the_table_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    out = tmp_path / "figures.json"
    assert diffusion.main(["--json", str(out)]) == 0
    assert diffusion.main(["--check"]) == 1
    assert json.loads(out.read_text()) == {"limits": [], "measured": False, "rows": []}
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| sd")]
    assert len(lines) == 2 * len(MODELS) * len(HOLES)
    assert all("not measured" in line and "≥" in line for line in lines)


def test_a_line_tells_how_many_times_as_fast_and_the_memory() -> None:
    lines = table([ROW], ["sdxl"]).splitlines()
    told = "| sdxl | whole | 1024×1024 | 4.00 | 4.00 | 2.00 | 2.00 | ≥ 1.6 | 12.5 | 11.4 | 61.0 |"
    assert told in lines
    assert "not measured" in lines[-1]


def test_targets_are_missed_by_too_little_speed_and_by_fewer_network_calls() -> None:
    def kept(row: Row) -> list[bool]:
        return [limit.kept for limit in diffusion._limits([row])]

    assert kept(ROW) == [True, True]
    assert kept(replace(ROW, ours=3.0)) == [False, True]
    assert kept(replace(ROW, hole="5%")) == [False, True]
    assert kept(replace(ROW, our_calls=29)) == [True, False]


@pytest.mark.parametrize(
    ("model", "published"),
    [
        ("sd", {"unet": 859_535_364, "vae": 83_653_863, "text_encoder": 123_060_480}),
        ("sdxl", {"unet": 2_567_478_084, "vae": 83_653_863, "text_encoder_2": 694_659_840}),
    ],
)
def test_the_full_size_networks_have_as_many_weights_as_the_published_ones(
    model: str, published: dict[str, int]
) -> None:
    pipe = diffusion_models.build(model, device="meta")
    for name, count in published.items():
        network = getattr(pipe, name)
        assert sum(weight.numel() for weight in network.parameters()) == count, name


@pytest.mark.parametrize(("hole", "share"), [("whole", 0.88), ("5%", 0.05)])
def test_the_holes_are_as_large_as_they_say(hole: str, share: float) -> None:
    photo, mask = diffusion.scene(1024, hole)
    assert photo.shape == (1024, 1024, 3)
    assert photo.dtype == np.uint8
    assert mask.mean() == pytest.approx(share, abs=0.005)
