"""`infill download` and `--offline`: against a hub on this machine, as a person types it."""

import hashlib
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infill.engines.base import ENGINES
from infill.engines.flat import Flat
from infill.settings import current
from infill.weights import Source
from tests.cli.tools import call, run, write_mask, write_photo
from tests.hub import COMMIT, Hub, Repository, known

pytest.importorskip("huggingface_hub.constants")

SAM = "facebook/sam-vit-base"
NETWORK = bytes(range(256)) * 3000


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with known(monkeypatch, tmp_path / "cache") as running:
        monkeypatch.delenv("INFILL_SAM_CHECKPOINT", raising=False)
        files = {"config.json": b"{}", "model.safetensors": NETWORK, "model.bin": b"\x80\x04."}
        running.models[SAM] = Repository(dict(files), licence="apache-2.0")
        running.models["my/sam"] = Repository(
            dict(files), licence="other", revisions=("v1", COMMIT)
        )
        yield running


class Needy(Flat):
    """An engine whose weights an option names."""

    def sources(self, options: Any) -> list[Source]:
        return [Source(SAM, licence="Ours", commercial_use=False)]


@pytest.fixture
def needy(monkeypatch: pytest.MonkeyPatch) -> None:
    get = ENGINES.get
    monkeypatch.setattr(ENGINES, "get", lambda name: Needy() if name == "flat" else get(name))


class TestDownload:
    def test_a_segmenter(self, hub: Hub, tmp_path: Path) -> None:
        told = call("download", "sam")
        assert told.code == 0
        folder = tmp_path / "cache" / "models--facebook--sam-vit-base" / "snapshots" / COMMIT
        assert told.out == f"{SAM} downloaded: 768.0 kB in {folder}\n"
        assert f"{SAM}: licence apache-2.0, commercial use: yes; 768.0 kB from " in told.err
        assert (folder / "model.safetensors").read_bytes() == NETWORK
        assert not (folder / "model.bin").exists()
        again = call("download", "sam")
        assert again.out == f"{SAM} is here already: 768.0 kB in {folder}\n"
        assert again.err == ""

    def test_another_model_and_revision(self, hub: Hub) -> None:
        told = call("download", "sam", "--model", "my/sam", "--revision", "v1", "--json")
        assert told.code == 0
        assert "licence other, commercial use: read https://hf.co/my/sam; " in told.err
        found = json.loads(told.out)["weights"]
        assert [(one["name"], one["downloaded"]) for one in found] == [("my/sam", True)]
        assert found[0]["bytes"] == len(NETWORK) + 2

    def test_any_model(self, hub: Hub) -> None:
        assert "my/sam downloaded" in call("download", "my/sam", "--revision", "v1").out

    def test_an_engine_says_its_own_licence(self, hub: Hub, needy: None) -> None:
        told = call("download", "flat")
        assert told.code == 0
        assert f"{SAM}: licence Ours (the hub says: apache-2.0), commercial use: no;" in told.err

    def test_an_engine_that_needs_none(self) -> None:
        assert call("download", "telea").out == "telea needs no weights: it works as it is\n"

    def test_an_engine_that_does_not_tell(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Mute(Flat):
            card = replace(Flat.card, name="mute", extra="diffusion")

        get = ENGINES.get
        monkeypatch.setattr(ENGINES, "get", lambda name: Mute() if name == "flat" else get(name))
        told = call("download", "flat")
        assert told.code == 2
        assert "flat does not tell what weights it needs" in told.err
        assert call("download", "--list").code == 0

    def test_quiet_leaves_the_licence(self, hub: Hub) -> None:
        told = call("download", "sam", "--quiet")
        assert told.out == ""
        assert len(told.err.splitlines()) == 1

    def test_as_a_process_of_its_own_that_is_cut_off_and_goes_on(
        self, hub: Hub, tmp_path: Path
    ) -> None:
        hub.models[SAM].cut["model.safetensors"] = [500_000]
        there = {"HF_ENDPOINT": hub.endpoint, "HF_HUB_CACHE": str(tmp_path / "new")}
        told = run("download", "sam", **there)
        assert told.returncode == 0, told.stderr.decode()
        assert hub.gets("model.safetensors") == [None, "bytes=500000-"]
        assert hub.sent["model.safetensors"] == len(NETWORK)

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ([], "name one thing to do"),
            (["sam", "--list"], "name one thing to do"),
            (
                ["nothing"],
                "there is no engine, segmenter or metric 'nothing'; there are: exemplar, ",
            ),
            (["telea", "--model", "a/b"], "telea has no model to choose"),
            (["telea", "--revision", "v1"], "telea takes no revision"),
            (["telea", "-O", "nothing=1"], "has no option 'nothing'"),
            (["sam", "-O", "device=cpu"], "segmenter sam takes --model and --revision"),
            (["a/b", "--model", "c/d"], "a/b is a model on the hub"),
            (["no/body"], "the hub has no model no/body"),
        ],
    )
    def test_what_cannot_be_done(self, hub: Hub, words: list[str], sentence: str) -> None:
        told = call("download", *words)
        assert told.code == 2
        assert sentence in told.err

    def test_the_network_is_off(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("INFILL_OFFLINE", "1")
        told = call("download", "sam")
        assert told.code == 2
        assert f"infill download sam --model {SAM}" in told.err
        assert hub.asked == []


class TestList:
    def test_what_is_here_and_what_to_type(self, hub: Hub) -> None:
        before = json.loads(call("download", "--list", "--json").out)
        rows = {row["for"]: row for row in before["weights"]}
        assert not rows["sam"]["here"]
        assert rows["sam"]["type"] == f"infill download sam --model {SAM}"
        assert before["others"] == []
        call("download", "sam")
        call("download", "my/sam", "--revision", "v1")
        after = json.loads(call("download", "--list", "--json").out)
        row = {row["for"]: row for row in after["weights"]}["sam"]
        assert (row["here"], row["bytes"]) == (True, len(NETWORK) + 2)
        assert [row["name"] for row in after["others"]] == ["my/sam"]
        assert after["others"][0]["bytes"] == len(NETWORK) + 2

    def test_for_a_person(self, hub: Hub, needy: None) -> None:
        out = call("download", "--list").out
        line = next(line for line in out.splitlines() if line.strip().startswith("flat"))
        assert line.split() == [
            *("flat", SAM, "not", "here", "Ours", "no", "infill", "download", "flat")
        ]

    def test_asks_nobody(self, hub: Hub) -> None:
        call("download", "--list")
        assert hub.asked == []


class TestConvert:
    def test_tensors(self, tmp_path: Path) -> None:
        torch = pytest.importorskip("torch")
        from safetensors.torch import load_file

        one = torch.arange(6.0).reshape(2, 3)
        inner = {"a": one, "b": one.T, "c": one, "d": one.half()[0], "epoch": 3}
        path = tmp_path / "old.ckpt"
        torch.save({"state_dict": inner, "step": 7}, path)
        told = call("download", "--convert", path)
        assert (told.code, told.out) == (0, f"{tmp_path / 'old.safetensors'}\n")
        found = load_file(tmp_path / "old.safetensors")
        assert set(found) == {"a", "b", "c", "d"}
        assert all(torch.equal(found[name], inner[name]) for name in found)
        assert found["d"].dtype == torch.float16
        again = call("download", "--convert", path)
        assert again.code == 2
        assert "exists" in again.err
        assert call("download", "--convert", path, "--overwrite").code == 0

    def test_what_would_run_code_is_refused_and_does_not_run(self, tmp_path: Path) -> None:
        torch = pytest.importorskip("torch")

        class Evil:
            def __reduce__(self) -> tuple[Any, ...]:
                return os.mkdir, (str(tmp_path / "ran"),)

        path = tmp_path / "evil.pt"
        torch.save({"a": torch.zeros(1), "b": Evil()}, path)
        told = call("download", "--convert", path)
        assert told.code == 2
        assert "is not opened: it could run code" in told.err
        assert {one.name for one in tmp_path.iterdir()} == {"evil.pt"}

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("x.safetensors", b"", "so there is nothing to convert"),
            ("x.ckpt", b"no pickle", "or is damaged"),
            ("y.ckpt", None, "there is no file"),
        ],
    )
    def test_what_is_no_pickle(
        self, tmp_path: Path, name: str, content: bytes | None, words: str
    ) -> None:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        told = call("download", "--convert", tmp_path / name)
        assert told.code == 2
        assert words in told.err

    def test_no_tensors(self, tmp_path: Path) -> None:
        torch = pytest.importorskip("torch")
        torch.save([1, 2], tmp_path / "x.pt")
        assert "holds no tensors by name" in call("download", "--convert", tmp_path / "x.pt").err


class TestOffline:
    def test_segment(self, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("transformers")
        photo = write_photo(tmp_path / "photo.png")

        def refuse(*_: Any, **__: Any) -> None:
            raise AssertionError("a socket was opened")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        words = ["segment", photo, "--point", "9,9", "-s", "sam", "-o", tmp_path / "m.png"]
        told = call(*words, "--offline")
        assert told.code == 2
        assert "(the network is off)" in told.err
        assert (hub.asked, current().offline, "INFILL_OFFLINE" in os.environ) == ([], 0, False)

    @pytest.mark.parametrize("command", ["fill", "batch"])
    def test_the_setting_holds_as_long_as_the_command(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
    ) -> None:
        write_photo(tmp_path / "in" / "photo.png")
        write_mask(tmp_path / "masks" / "photo.png")
        seen: list[tuple[int, str | None]] = []

        def spy(self: Any, pixels: Any, *_: Any) -> Any:
            seen.append((current().offline, os.environ.get("INFILL_OFFLINE")))
            return pixels.copy()

        if command == "fill":
            monkeypatch.setattr(Flat, "fill", spy)
            photo, mask = tmp_path / "in" / "photo.png", tmp_path / "masks" / "photo.png"
            told = call("fill", photo, "-m", mask, "-e", "flat", "--offline")
            assert seen == [(1, "1")]
        else:
            masks = tmp_path / "masks"
            from infill.executors import local

            start = local.start

            def watched(module: str, variables: dict[str, str]) -> Any:
                seen.append((current().offline, variables.get("INFILL_OFFLINE")))
                return start(module, variables)

            monkeypatch.setattr(local, "start", watched)
            out = tmp_path / "out"
            told = call(
                "batch", tmp_path / "in", "-m", masks, "-o", out, "-e", "flat", "--offline", "-j1"
            )
            assert {variable for _, variable in seen} == {"1"}
        assert told.code == 0, told.err
        assert (current().offline, "INFILL_OFFLINE" in os.environ) == (0, False)


def test_the_checksum_is_the_hubs(hub: Hub, tmp_path: Path) -> None:
    hub.models[SAM].served["model.safetensors"] = NETWORK[:-1] + b"!"
    told = call("download", "sam")
    assert told.code == 2
    assert f"model.safetensors of {SAM} came damaged" in told.err
    assert hashlib.sha256(NETWORK).hexdigest() not in {
        path.name for path in (tmp_path / "cache").rglob("*")
    }
