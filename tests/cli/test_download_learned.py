"""`infill download` for the engines `lama` and `deepfill`, and --convert of their files."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from infill.nets import loading
from tests.cli.tools import call, write_mask, write_photo
from tests.hub import Hub, Repository, known
from tests.nets.files import Evil, deepfill_file, lightning_file, script_file, with_table
from tests.nets.networks import deepfill_of, lama_of
from tests.unit.test_weights_url import Place, place

pytest.importorskip("huggingface_hub.constants")

LAMA = "smartywu/big-lama"

__all__ = ["place"]  # the fixture: a server of one file


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has LaMa as it is published: a zip with a Lightning checkpoint in it."""
    made = lightning_file(tmp_path / "best.ckpt", lama_of())
    with zipfile.ZipFile(tmp_path / "big-lama.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("big-lama/config.yaml", "run_title: big-lama")
        packed.write(made, "big-lama/models/best.ckpt")
    content = (tmp_path / "big-lama.zip").read_bytes()
    monkeypatch.setenv("INFILL_THREADS", "1")
    monkeypatch.setenv("INFILL_DEVICE", "cpu")
    with known(monkeypatch, tmp_path / "cache") as running:
        running.models[LAMA] = Repository({"big-lama.zip": content}, licence="apache-2.0")
        yield running


class TestLama:
    def test_the_zip_on_the_hub_and_a_fill_without_a_network(
        self, hub: Hub, tmp_path: Path
    ) -> None:
        photo, mask = write_photo(tmp_path / "p.png"), write_mask(tmp_path / "m.png")
        given = ("fill", photo, "-m", mask, "-e", "lama", "-o", tmp_path / "out.png", "--offline")
        before = call(*given)
        assert before.code == 2
        assert "type: infill download lama;" in before.err
        assert not hub.asked
        hub.models[LAMA].cut = {"big-lama.zip": [5000]}
        told = call("download", "lama")
        assert told.code == 0
        assert "licence Apache-2.0, commercial use: yes" in told.err
        assert "smartywu/big-lama downloaded: " in told.out
        assert hub.gets("big-lama.zip") == [None, "bytes=5000-"]
        assert "is here already" in call("download", "lama").out
        made = call(*given, "--json")
        assert made.code == 0, made.err
        assert (tmp_path / "out.png").is_file()

    def test_the_list(self, hub: Hub) -> None:
        rows = json.loads(call("download", "--list", "--json").out)["weights"]
        (row,) = (row for row in rows if row["for"] == "lama")
        assert (row["name"], row["here"], row["commercial_use"]) == (LAMA, False, True)
        assert row["type"] == "infill download lama"
        assert not any(row["for"] == "deepfill" for row in rows)

    def test_another_model_of_the_hub(self, hub: Hub) -> None:
        hub.models["a/b"] = Repository({"x/one.pth": b"1", "two.pth": b"2"}, licence=None)
        told = call("download", "lama", "--model", "a/b/x/one.pth")
        assert told.code == 0
        assert "licence none, commercial use: read https://hf.co/a/b" in told.err
        assert set(hub.sent) == {"x/one.pth"}
        told = call("download", "lama", "--model", "a/b/x/none.pth")
        assert told.code == 2
        assert "holds no x/none.pth; it holds: two.pth, x/one.pth" in told.err


class TestAddress:
    def test_deepfill(self, place: Place, tmp_path: Path) -> None:
        file = deepfill_file(tmp_path / "x.pth", deepfill_of("tf"), tf=True)
        place.content = file.read_bytes()
        place.cut = [10_000]
        digest = hashlib.sha256(place.content).hexdigest()
        address = f"{place.address}/states_tf_x.pth#sha256={digest}"
        told = call("download", "deepfill", "--model", address)
        assert told.code == 0, told.err
        assert "licence unknown" in told.err
        assert place.asked[-1][1] == "bytes=10000-"
        asked = len(place.asked)
        assert "is here already" in call("download", "deepfill", "--model", address).out
        assert len(place.asked) == asked

    def test_a_wrong_checksum(self, place: Place) -> None:
        told = call("download", "lama", "--model", f"{place.address}/x#sha256={'0' * 64}")
        assert told.code == 2
        assert "is not the file that was asked for" in told.err

    def test_none(self, place: Place) -> None:
        told = call("download", "deepfill", "--model", f"{place.address}/x.pth")
        assert told.code == 2
        assert "comes without its checksum; write it as URL#sha256=HEX" in told.err
        assert not place.asked


def test_deepfill_alone_needs_a_name() -> None:
    told = call("download", "deepfill")
    assert told.code == 2
    assert "type: infill download deepfill --model MODEL" in told.err


class TestConvert:
    def test_lightning_and_torchscript_and_the_zip_around_one(self, tmp_path: Path) -> None:
        network = lama_of()
        lightning_file(tmp_path / "a.ckpt", network)
        script_file(tmp_path / "b.pt", network)
        with zipfile.ZipFile(tmp_path / "c.zip", "w") as packed:
            packed.write(tmp_path / "a.ckpt", "big-lama/models/best.ckpt")
        for name in ("a.ckpt", "b.pt", "c.zip"):
            told = call("download", "--convert", tmp_path / name)
            assert told.code == 0, told.err
            written = (tmp_path / name).with_suffix(".safetensors")
            assert told.out == f"{written}\n"
            assert not any(one.startswith("state_dict.") for one in load_file(written))
            found = loading.lama(written).state_dict()
            assert all(
                torch.equal(found[key], value) for key, value in network.state_dict().items()
            )

    @pytest.mark.parametrize(
        ("tensor", "told"),
        [
            (torch.eye(3).to_sparse(), "is no plain table of numbers"),
            (torch.empty(3, device="meta"), "is no plain table of numbers"),
            (torch.zeros(1).expand(2**40), "is larger than its numbers"),
        ],
    )
    def test_tensors_that_cannot_be_kept(
        self, tmp_path: Path, tensor: torch.Tensor, told: str
    ) -> None:
        torch.save({"a\x1b": tensor}, tmp_path / "a.pth")
        made = call("download", "--convert", tmp_path / "a.pth")
        assert made.code == 2
        assert f"a\\x1b {'in it ' if 'plain' in told else ''}{told}" in made.err
        assert {one.name for one in tmp_path.iterdir()} == {"a.pth"}

    def test_safetensors_under_another_name(self, tmp_path: Path) -> None:
        save_file({"weight": torch.ones(3)}, tmp_path / "a.pth")
        made = call("download", "--convert", tmp_path / "a.pth")
        assert made.code == 0, made.err
        assert torch.equal(load_file(tmp_path / "a.safetensors")["weight"], torch.ones(3))

    def test_code_in_them_is_refused_and_does_not_run(self, tmp_path: Path) -> None:
        script = script_file(tmp_path / "b.pt", lama_of())
        with_table(script, {"model": Evil(tmp_path / "ran")})
        told = call("download", "--convert", script)
        assert told.code == 2
        assert "is not opened: it could run code" in told.err
        assert {one.name for one in tmp_path.iterdir()} == {"b.pt"}
