"""Tiny random checkpoints of DeepFillv2 and LaMa, as they are found in public."""

from collections.abc import Callable, Iterator

import pytest

from infill.engines.learned import running
from tests.engines.learned.tiny import network
from tests.nets.files import deepfill_file, lightning_file


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The path of a checkpoint by its kind: plain, tf, lama."""
    folder = tmp_path_factory.mktemp("checkpoints")
    paths = {
        "plain": deepfill_file(folder / "states_pt_x.pth", network("plain")),
        "tf": deepfill_file(folder / "states_tf_x.pth", network("tf"), tf=True),
        "lama": lightning_file(folder / "best.ckpt", network("lama")),
    }
    return lambda kind: str(paths[kind])


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No more threads than one, on the processor; nothing kept from test to test."""
    monkeypatch.setenv("INFILL_THREADS", "1")
    monkeypatch.setenv("INFILL_DEVICE", "cpu")
    yield
    running.forget()
