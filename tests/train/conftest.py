"""What all tests of training share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.train.tools import write_photos


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One thread on the processor, so that sums are made in one order."""
    monkeypatch.setenv("INFILL_THREADS", "1")
    monkeypatch.setenv("INFILL_DEVICE", "cpu")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos")
