"""Files for readers that run nothing: any kind of checkpoint, from the hub too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.hub import Hub, Repository, known

from infill import weights
from infill.errors import MissingWeights
from infill.weights import INERT, Source

pytest.importorskip("huggingface_hub.constants")

NAME = "someone/lama"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with known(monkeypatch, tmp_path / "cache") as running:
        running.models[NAME] = Repository({"README.md": b"hello", "big.zip": b"PK" * 999})
        yield running


def source(name: str = NAME, **more: Any) -> Source:
    name, file = weights.one_file(name, INERT)
    return Source(name, file=file, inert=True, **more)


def test_the_only_file_and_the_licence_first(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    path = weights.find(source())
    assert (path.name, path.read_bytes()) == ("big.zip", b"PK" * 999)
    assert "licence mit" in capsys.readouterr().err
    assert set(hub.sent) == {"big.zip"}
    assert weights.here(source()) == path


def test_a_file_in_a_folder_by_its_name(hub: Hub) -> None:
    hub.models[NAME].files |= {"models/best.ckpt": b"1", "models/x.pth": b"2", "y.pt": b"3"}
    with pytest.raises(MissingWeights, match=r"one file of weights and holds several \(big\.zip"):
        weights.find(source())
    assert weights.find(source(f"{NAME}/models/x.pth")).read_bytes() == b"2"
    with pytest.raises(MissingWeights, match=r"holds no none\.pth; it holds: big\.zip, models/b"):
        weights.find(source(f"{NAME}/none.pth"))


def test_others_are_refused_them_as_before(hub: Hub) -> None:
    with pytest.raises(MissingWeights, match="can run code"):
        weights.locate_file(NAME, "models/best.ckpt")
    with pytest.raises(MissingWeights, match=r"holds no \.safetensors"):
        weights.locate(NAME)


def test_local_files_and_folders(tmp_path: Path) -> None:
    inner = tmp_path / "big" / "models"
    inner.mkdir(parents=True)
    (inner / "best.ckpt").write_bytes(b"1")
    (tmp_path / "big" / "config.yaml").write_text("")
    assert weights.find(source(str(inner / "best.ckpt"))) == inner / "best.ckpt"
    assert weights.find(source(str(tmp_path / "big"))) == inner / "best.ckpt"
    (inner / "best.ckpt").unlink()
    with pytest.raises(MissingWeights, match="one file of weights and holds none"):
        weights.find(source(str(tmp_path / "big")))
    with pytest.raises(MissingWeights, match=r"there is no file no/such\.pth"):
        weights.find(source("no/such.pth"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a/b", ("a/b", "")),
        ("a/b/c.pth", ("a/b", "c.pth")),
        ("a/b/c/d.zip", ("a/b", "c/d.zip")),
        ("a/b/c.txt", ("a/b/c.txt", "")),
        ("/a/b/c.pth", ("/a/b/c.pth", "")),
        ("https://a/b/c.pth", ("https://a/b/c.pth", "")),
    ],
)
def test_a_file_of_a_model(text: str, parts: tuple[str, str]) -> None:
    assert weights.one_file(text, INERT) == parts
    if text.endswith(".pth"):
        assert weights.one_file(text) == (text, "")
