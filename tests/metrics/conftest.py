"""Settings of these tests: no network, a cache of their own, no weights but those they write."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from infill.metrics import networks
from infill.settings import using
from tests.metrics import tiny


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    with using(offline=1, device="cpu", threads=1):
        yield
    networks.forget()


@pytest.fixture
def inception_file(tmp_path: Path) -> Iterator[Path]:
    """A small Inception in the public file's layout, which the settings name."""
    path = tmp_path / "inception.pth"
    state = {**tiny.inception().state_dict(), "fc.bias": torch.zeros(8)}
    torch.save(state, path)
    with using(inception_weights=str(path)):
        yield path
