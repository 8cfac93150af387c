"""Tiny models, written once a session, and a machine without network or GPU."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("diffusers")
pytest.importorskip("transformers")

from infill import settings
from infill.engines.diffusers import loading


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny model by its name in `tiny.MAKERS`."""
    from tests.engines.diffusers import tiny

    root = tmp_path_factory.mktemp("models")

    def folder(name: str) -> Path:
        place = root / name
        if not place.exists():
            with loading.quiet():
                tiny.save(name, place)
        return place

    return folder


@pytest.fixture(autouse=True, scope="package")
def alone() -> Iterator[None]:
    """On the processor, with the network off; nothing is kept afterwards."""
    with settings.using(device="cpu", offline=1):
        yield
    loading.forget()
    assert "torchvision" not in sys.modules
