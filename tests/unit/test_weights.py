"""Where weights are found: here, in the hub's cache, on the hub; whole, checked, or not at all."""

import errno
import hashlib
import json
import shutil
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.hub import COMMIT, Hub, Repository, known

from infill import weights
from infill.errors import Cancelled, MissingExtra, MissingWeights
from infill.settings import using
from infill.weights import Source, transfer
from infill.weights import hub as talking

huggingface_hub = pytest.importorskip("huggingface_hub")
constants = pytest.importorskip("huggingface_hub.constants")

NAME = "someone/inpainting"
NETWORK = bytes(range(256)) * 3000
CONFIG = b'{"kind": "tiny"}'
TYPE = f"infill download {NAME}"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model on it, and an empty cache."""
    with known(monkeypatch, tmp_path / "cache") as running:
        running.models[NAME] = Repository(
            {"config.json": CONFIG, "unet/net.safetensors": NETWORK, "unet/net.bin": b"\x80\x04."}
        )
        yield running


def partials(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "cache").rglob(f"*{transfer.PARTIAL}"))


def no_sockets(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Make every way to the network raise, and keep what was tried."""
    tried: list[Any] = []

    def refuse(*given: Any, **_: Any) -> None:
        tried.append(given)
        raise AssertionError("a socket was opened")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    return tried


class TestDownload:
    def test_what_is_wanted_and_nothing_else(self, hub: Hub) -> None:
        folder = weights.locate(NAME)
        assert (folder / "config.json").read_bytes() == CONFIG
        assert (folder / "unet" / "net.safetensors").read_bytes() == NETWORK
        assert not (folder / "unet" / "net.bin").exists()
        assert folder.name == COMMIT
        assert hub.sent == {"config.json": len(CONFIG), "unet/net.safetensors": len(NETWORK)}

    def test_the_second_time_asks_nobody(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = weights.locate(NAME)
        asked = len(hub.asked)
        tried = no_sockets(monkeypatch)
        assert weights.locate(NAME) == folder
        assert (len(hub.asked), tried) == (asked, [])

    def test_where_the_hubs_own_library_finds_it(self, hub: Hub) -> None:
        folder = weights.locate(NAME)
        theirs = huggingface_hub.hf_hub_download(
            NAME,
            "unet/net.safetensors",
            local_files_only=True,
            cache_dir=constants.HF_HUB_CACHE,
        )
        assert Path(theirs) == folder / "unet" / "net.safetensors"

    def test_the_licence_comes_before_the_first_byte(
        self, hub: Hub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hub.models[NAME].licence = "cc-by-nc-4.0"
        stream = SimpleNamespace(
            write=lambda text: hub.events.append(text), flush=lambda: None, isatty=lambda: False
        )
        monkeypatch.setattr(sys, "stderr", stream)
        weights.locate(NAME)
        told = next(i for i, event in enumerate(hub.events) if "licence" in event)
        gets = [i for i, event in enumerate(hub.events) if event.startswith("GET someone")]
        assert len(gets) == 2
        assert told < min(gets)
        assert f"{NAME}: licence cc-by-nc-4.0, commercial use: no; 768.0 kB" in hub.events[told]

    @pytest.mark.parametrize(
        ("licence", "commercial", "on_hub", "words"),
        [
            (
                "Community",
                True,
                "other",
                "licence Community (the hub says: other), commercial use: y",
            ),
            ("Research", False, "mit", "licence Research (the hub says: mit), commercial use: no;"),
            ("MIT", True, "mit", "licence MIT, commercial use: yes;"),
            ("Free", True, "cc-by-nc-4.0", "(the hub says: cc-by-nc-4.0), commercial use: no;"),
            (None, None, "mit", "licence mit, commercial use: yes;"),
            (None, None, "other", f"licence other, commercial use: read https://hf.co/{NAME};"),
            (None, None, None, "licence none, commercial use: read https"),
        ],
    )
    def test_whose_word_counts_on_the_licence(
        self,
        hub: Hub,
        capfd: pytest.CaptureFixture[str],
        licence: str | None,
        commercial: bool | None,
        on_hub: str | None,
        words: str,
    ) -> None:
        hub.models[NAME].licence = on_hub
        weights.locate(NAME, licence=licence, commercial_use=commercial)
        assert words in capfd.readouterr().err

    def test_progress_goes_up_to_the_end_and_can_stop_it(self, hub: Hub, tmp_path: Path) -> None:
        seen: list[float] = []

        def stop(fraction: float, word: str) -> None:
            assert word == "downloading 768.0 kB"
            if fraction > 0.3:
                raise Cancelled("stopped")

        with pytest.raises(Cancelled):
            weights.locate(NAME, progress=stop)
        assert weights.here(Source(NAME)) is None
        kept = sum(path.stat().st_size for path in partials(tmp_path))
        assert 0.3 * len(NETWORK) < kept < len(NETWORK)
        weights.locate(NAME, progress=lambda fraction, word: seen.append(fraction))
        assert hub.gets("net.safetensors")[-1] == f"bytes={kept}-"
        assert seen == sorted(seen)
        assert (seen[0], seen[-1]) == (kept / len(NETWORK), 1)

    def test_a_revision(self, hub: Hub) -> None:
        hub.models[NAME].revisions += ("v1",)
        folder = weights.locate(NAME, revision="v1")
        assert weights.here(Source(NAME, revision="v1")) == folder
        assert weights.here(Source(NAME, revision=COMMIT)) == folder
        assert weights.here(Source(NAME)) is None
        with pytest.raises(MissingWeights, match=rf"{NAME} on the hub has no revision v2; see "):
            weights.locate(NAME, revision="v2")

    def test_only_what_is_missing_comes(self, hub: Hub) -> None:
        weights.locate(NAME, wanted=["unet/*.safetensors"])
        weights.locate(NAME, complete=lambda folder: (folder / "config.json").is_file())
        assert len(hub.gets("net.safetensors")) == 1

    def test_from_the_store_that_the_hub_names_and_without_the_persons_token(
        self, hub: Hub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        hub.models[NAME].store = True
        hub.models[NAME].cut["unet/net.safetensors"] = [100_000]
        assert (weights.locate(NAME) / "unet/net.safetensors").read_bytes() == NETWORK
        path = f"{NAME}/resolve/{COMMIT}/unet/net.safetensors"
        assert hub.tokens[path] == "Bearer hf_secret"
        assert hub.tokens[f"store/{path}"] is None
        assert hub.gets(f"store/{path}") == [None, "bytes=100000-"]

    def test_two_at_once_fetch_it_once(self, hub: Hub) -> None:
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(weights.locate, [NAME, NAME]))
        assert found[0] == found[1]
        assert hub.sent["unet/net.safetensors"] == len(NETWORK)

    def test_a_file_system_without_links(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: Any) -> None:
            raise OSError("no links here")

        monkeypatch.setattr(Path, "symlink_to", refuse)
        path = weights.locate(NAME) / "unet" / "net.safetensors"
        assert path.read_bytes() == NETWORK
        assert not path.is_symlink()
        asked = len(hub.asked)
        assert weights.locate(NAME) == path.parents[1]
        assert len(hub.asked) == asked
        assert weights.sha256_of(path) == hashlib.sha256(NETWORK).hexdigest()


class TestBroken:
    def test_a_server_that_stands_still_is_given_up_and_asked_again(
        self, hub: Hub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transfer, "SECONDS", 0.3)
        hub.models[NAME].stall["unet/net.safetensors"] = 1.0
        assert (weights.locate(NAME) / "unet/net.safetensors").read_bytes() == NETWORK
        assert hub.gets("net.safetensors") == [None, f"bytes={len(NETWORK) // 2}-"]

    def test_a_cut_connection_is_taken_up_where_it_broke(self, hub: Hub, tmp_path: Path) -> None:
        hub.models[NAME].cut["unet/net.safetensors"] = [100_000, 200_000]
        folder = weights.locate(NAME)
        assert (folder / "unet/net.safetensors").read_bytes() == NETWORK
        assert hub.gets("net.safetensors") == [None, "bytes=100000-", "bytes=300000-"]
        assert hub.sent["unet/net.safetensors"] == len(NETWORK)
        assert partials(tmp_path) == []

    def test_the_next_try_goes_on_where_this_one_gave_up(
        self, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(transfer, "TRIES", 0)
        hub.models[NAME].cut["unet/net.safetensors"] = [100_000, 0]
        with pytest.raises(MissingWeights, match=f"broke off .*goes on from there; type: {TYPE}"):
            weights.locate(NAME)
        assert [path.stat().st_size for path in partials(tmp_path)] == [100_000]
        assert weights.here(Source(NAME)) is None
        folder = weights.locate(NAME)
        assert (folder / "unet/net.safetensors").read_bytes() == NETWORK
        assert hub.gets("net.safetensors")[-1] == "bytes=100000-"
        assert hub.sent["unet/net.safetensors"] == len(NETWORK)

    def test_a_server_that_sends_no_parts(self, hub: Hub) -> None:
        hub.models[NAME].ranges = False
        hub.models[NAME].cut["unet/net.safetensors"] = [100_000]
        seen: list[float] = []
        folder = weights.locate(NAME, progress=lambda fraction, word: seen.append(fraction))
        assert (folder / "unet/net.safetensors").read_bytes() == NETWORK
        assert seen[-1] == 1

    @pytest.mark.parametrize("path", ["unet/net.safetensors", "config.json"])
    def test_wrong_bytes_are_found_out_and_removed(
        self, hub: Hub, tmp_path: Path, path: str
    ) -> None:
        true = hub.models[NAME].files[path]
        hub.models[NAME].served[path] = true[:-1] + b"!"
        with pytest.raises(MissingWeights, match=rf"{path} of {NAME} came damaged.*type again"):
            weights.locate(NAME)
        assert not [file for file in (tmp_path / "cache").rglob(Path(path).name) if file.exists()]
        assert partials(tmp_path) == []
        assert weights.here(Source(NAME)) is None
        hub.models[NAME].served.clear()
        assert (weights.locate(NAME) / path).read_bytes() == true

    def test_a_tampered_rest_of_a_file(
        self, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """What was kept of an earlier try is checked with the rest."""
        monkeypatch.setattr(transfer, "TRIES", 0)
        hub.models[NAME].cut["unet/net.safetensors"] = [100_000, 0]
        with pytest.raises(MissingWeights):
            weights.locate(NAME)
        partials(tmp_path)[0].write_bytes(b"x" * 100_000)
        with pytest.raises(MissingWeights, match="came damaged"):
            weights.locate(NAME)
        assert (weights.locate(NAME) / "unet/net.safetensors").read_bytes() == NETWORK

    def test_no_room(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        usage = SimpleNamespace(free=10_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
        with pytest.raises(MissingWeights, match=r"no room .*768\.0 kB more are to come.*HF_HOME"):
            weights.locate(NAME)
        assert hub.sent == {}

    def test_the_disk_fills_up(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(transfer, "_stream", full)
        with pytest.raises(MissingWeights, match="there is no room for the weights"):
            weights.locate(NAME)

    def test_nobody_answers(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            where = f"http://127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setattr(constants, "ENDPOINT", where)
        with pytest.raises(MissingWeights, match=f"type: {TYPE}; or set option model") as caught:
            weights.locate(NAME)
        assert "the hub does not answer" in str(caught.value)
        assert "\n" not in str(caught.value)


class TestRefused:
    def test_a_licence_to_accept_first(self, hub: Hub) -> None:
        hub.models[NAME].locked = "GatedRepo"
        words = rf"hf auth login, once https://hf.co/{NAME} lets you in, and {TYPE}"
        with pytest.raises(MissingWeights, match=words):
            weights.locate(NAME)
        assert hub.sent == {}

    def test_no_such_model(self, hub: Hub) -> None:
        with pytest.raises(MissingWeights, match="the hub has no model nobody/nothing, or does"):
            weights.locate("nobody/nothing")

    @pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "a/b/c", "..", "~/nothing"])
    def test_no_such_folder(self, name: str, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        if name == "..":
            name = "../nowhere"
        tried = no_sockets(monkeypatch)
        with pytest.raises(MissingWeights, match=f"there is no folder {name}; set option model"):
            weights.locate(name)
        assert tried == []

    def test_nothing_but_pickles(self, hub: Hub) -> None:
        hub.models[NAME] = Repository({"config.json": CONFIG, "model.bin": b"\x80\x04."})
        with pytest.raises(MissingWeights, match=r"holds no \.safetensors .* can run code"):
            weights.locate(NAME)
        assert hub.sent == {}

    def test_descriptions_alone_may_be_asked_for_and_need_no_licence(
        self, hub: Hub, capfd: pytest.CaptureFixture[str]
    ) -> None:
        folder = weights.locate(
            NAME, wanted=["*.json"], complete=lambda place: (place / "config.json").is_file()
        )
        assert [path.name for path in folder.rglob("*") if path.is_file()] == ["config.json"]
        assert "licence" not in capfd.readouterr().err

    def test_not_whole_on_the_hub_either(self, hub: Hub) -> None:
        with pytest.raises(MissingWeights, match=f"{NAME} on the hub does not hold all"):
            weights.locate(NAME, complete=lambda folder: False)

    def test_what_answers_is_no_hub(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        """Names of folders and files come from its answer, so they are held to what they are."""
        monkeypatch.setattr("tests.hub.COMMIT", "../../elsewhere")
        with pytest.raises(MissingWeights, match="names no commit"):
            weights.locate(NAME)

    @pytest.mark.parametrize("path", ["../up.safetensors", "/abs.safetensors", "a//b.json"])
    def test_a_file_that_would_lie_elsewhere(self, hub: Hub, path: str) -> None:
        hub.models[NAME].files[path] = b"{}"
        with pytest.raises(MissingWeights, match="what answers for the hub names a file"):
            weights.locate(NAME)
        assert hub.sent == {}

    def test_without_the_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in sys.modules if name.startswith("huggingface_hub")]:
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingExtra, match=r"infill\[diffusion\]"):
            weights.locate(NAME)


class TestOffline:
    @pytest.mark.parametrize("way", ["argument", "setting", "HF_HUB_OFFLINE"])
    def test_never_opens_a_socket(
        self, hub: Hub, monkeypatch: pytest.MonkeyPatch, way: str
    ) -> None:
        tried = no_sockets(monkeypatch)
        if way == "HF_HUB_OFFLINE":
            monkeypatch.setenv(way, "1")
        with using(offline=int(way == "setting")), pytest.raises(MissingWeights) as caught:
            weights.locate(NAME, offline=True if way == "argument" else None)
        assert f"type: {TYPE};" in str(caught.value)
        assert str(caught.value).endswith("(the network is off)") == (way != "argument")
        assert (tried, hub.asked) == ([], [])

    def test_uses_what_is_here(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = weights.locate(NAME)
        tried = no_sockets(monkeypatch)
        with using(offline=1):
            assert weights.locate(NAME) == folder
        assert tried == []

    def test_a_folder_of_ones_own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tried = no_sockets(monkeypatch)
        (tmp_path / "a.safetensors").write_bytes(NETWORK)
        assert weights.locate(str(tmp_path)) == tmp_path
        assert weights.locate(str(tmp_path / "a.safetensors")) == tmp_path / "a.safetensors"
        assert tried == []


class TestFile:
    @pytest.fixture(autouse=True)
    def lora(self, hub: Hub) -> None:
        hub.models["her/style"] = Repository({"a.safetensors": b"a" * 999, "README.md": b"hi"})
        hub.models["two/styles"] = Repository({"a.safetensors": b"a", "b/c.safetensors": b"c"})
        hub.models["two/more"] = Repository({"a.safetensors": b"a", "b.safetensors": b"b"})

    @pytest.mark.parametrize(
        ("name", "file"),
        [
            ("her/style", None),
            ("her/style", "a.safetensors"),
            ("her/style/a.safetensors", None),
            ("two/styles", "b/c.safetensors"),
            ("two/styles/b/c.safetensors", None),
            ("two/styles", None),
        ],
    )
    def test_on_the_hub(self, hub: Hub, name: str, file: str | None, monkeypatch: Any) -> None:
        path = weights.locate_file(name, file)
        found = hub.models["/".join(name.split("/")[:2])].files
        assert path.read_bytes() in found.values()
        assert path.name == ("c.safetensors" if "b/c" in f"{name}{file}" else "a.safetensors")
        assert list(hub.sent.values()) == [path.stat().st_size]
        tried = no_sockets(monkeypatch)
        assert weights.locate_file(name, file) == path
        assert tried == []

    def test_which_of_them(self, hub: Hub) -> None:
        with pytest.raises(MissingWeights, match=r"several \(a.safetensors, b.safetensors\); name"):
            weights.locate_file("two/more")

    def test_none_of_that_name(self, hub: Hub) -> None:
        with pytest.raises(MissingWeights, match=r"holds no x.safetensors; it holds: a.saf"):
            weights.locate_file("her/style", "x.safetensors")

    def test_local(self, tmp_path: Path) -> None:
        one = tmp_path / "one.safetensors"
        one.write_bytes(b"1")
        assert weights.locate_file(str(one)) == one
        assert weights.locate_file(str(tmp_path)) == one
        assert weights.locate_file(str(tmp_path), "one.safetensors") == one
        with pytest.raises(MissingWeights, match=r"holds no two.safetensors; set option model"):
            weights.locate_file(str(tmp_path), "two.safetensors")
        (tmp_path / "two.safetensors").write_bytes(b"2")
        with pytest.raises(MissingWeights, match="holds several"):
            weights.locate_file(str(tmp_path))
        with pytest.raises(MissingWeights, match=r"there is no file .*three.safetensors"):
            weights.locate_file(str(tmp_path / "three.safetensors"))

    @pytest.mark.parametrize(("name", "file"), [("her/style", "a.ckpt"), ("her/a.pt", None)])
    def test_pickles_are_not_even_asked_for(self, hub: Hub, name: str, file: str | None) -> None:
        with pytest.raises(MissingWeights, match="is a pickle"):
            weights.locate_file(name, file)
        assert hub.asked == []


class TestSafe:
    @pytest.mark.parametrize("name", ["x.ckpt", "x.PTH", "x.bin", "x.pt", "x.pkl"])
    def test_pickles_are_refused_with_the_mend(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / name
        path.write_bytes(b"\x80\x04.")
        for refuse in (weights.check_safe, lambda p: weights.locate(str(p))):
            with pytest.raises(MissingWeights, match=rf"infill download --convert {path}$"):
                refuse(path)

    @pytest.mark.parametrize("name", ["missing256.pt", "weights/missing.ckpt", "./no/where.bin"])
    def test_one_that_is_not_there_is_first_of_all_not_there(self, name: str) -> None:
        with pytest.raises(MissingWeights) as caught:
            weights.locate(name, offline=True)
        sentence = str(caught.value)
        assert sentence.startswith(f"there is no file {name}; set option model to one")
        assert "\n" not in sentence

    def test_others_are_not(self) -> None:
        weights.check_safe("x.safetensors")

    def test_a_folder_of_pickles_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "unet").mkdir()
        (tmp_path / "unet" / "net.bin").write_bytes(b"\x80\x04.")
        with pytest.raises(MissingWeights, match=r"does not hold .*net\.bin, which can run code"):
            weights.locate(str(tmp_path))

    def test_the_sum_of_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "x"
        path.write_bytes(b"abc")
        assert weights.sha256_of(path).startswith("ba7816bf8f01cfea")
        path.write_bytes(b"abcd")
        assert weights.sha256_of(path).startswith("88d4266fd4e6338d")

    def test_the_sum_of_what_the_hub_brought_is_its_name(
        self, hub: Hub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = weights.locate(NAME) / "unet" / "net.safetensors"
        monkeypatch.setattr(weights, "_sha256", None)
        assert weights.sha256_of(path) == path.resolve().name


class TestChoice:
    NAMES = (
        "model_index.json",
        "sd-v1-5.safetensors",
        "unet/config.json",
        "unet/net.safetensors",
        "unet/net.fp16.safetensors",
        "unet/net.non_ema.safetensors",
        "text/model-00001-of-00002.safetensors",
        "text/model-00002-of-00002.safetensors",
        "text/model.fp16-00001-of-00002.safetensors",
        "text/model.fp16-00002-of-00002.safetensors",
        "text/model.safetensors.index.json",
        "vae/net.safetensors",
        "vae/net.bin",
        "only/net.fp16.safetensors",
    )

    def weights(self, variant: str | None, *wanted: str) -> list[str]:
        found = weights.choose(self.NAMES, wanted or ("*",), variant)
        return [name for name in found if name.endswith(".safetensors")]

    def test_plain(self) -> None:
        assert self.weights(None) == [
            "unet/net.safetensors",
            "text/model-00001-of-00002.safetensors",
            "text/model-00002-of-00002.safetensors",
            "vae/net.safetensors",
            "only/net.fp16.safetensors",
        ]

    def test_a_variant_where_there_is_one(self) -> None:
        assert self.weights("fp16") == [
            "unet/net.fp16.safetensors",
            "text/model.fp16-00001-of-00002.safetensors",
            "text/model.fp16-00002-of-00002.safetensors",
            "vae/net.safetensors",
            "only/net.fp16.safetensors",
        ]

    def test_patterns(self) -> None:
        assert self.weights(None, "*.safetensors", "!unet/*", "!only/*", "!text/*") == [
            "vae/net.safetensors"
        ]
        assert "vae/net.bin" not in weights.choose(self.NAMES, ["*"])

    def test_a_pickle_is_taken_by_its_ending_alone_and_only_where_nothing_safe_is(self) -> None:
        both = ["net.bin", "net.safetensors", "code.py"]
        assert weights.choose(both, ["*"]) == ["net.safetensors"]
        assert weights.choose(both, ["*.bin", "*.safetensors"]) == ["net.safetensors"]
        assert weights.choose(["net.bin", "x.pt"], ["*", "*.bin"]) == ["net.bin"]
        assert weights.choose(["net.bin"], ["*", "net*"]) == []

    def test_chat_templates_come_along(self) -> None:
        names = ["processor/chat_template.jinja", "net.safetensors", "sample.png"]
        assert weights.choose(names, Source.wanted) == names[:2]

    def test_a_model_whose_parts_lie_in_one_folder(self) -> None:
        names = ["model_index.json", "config.json", "net.safetensors"]
        assert weights.choose(names, ["*"]) == names

    def test_a_name_with_dots_is_no_variant(self) -> None:
        names = ["sam2.1.safetensors", "sam2.safetensors"]
        assert weights.choose(names, ["*"]) == names


class TestWhole:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        plan = {
            "_class_name": "StableDiffusionInpaintPipeline",
            "unet": ["diffusers", "UNet2DConditionModel"],
            "scheduler": ["diffusers", "DDIMScheduler"],
            "tokenizer": ["transformers", "CLIPTokenizer"],
            "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
            "image_encoder": [None, None],
            "requires_safety_checker": True,
        }
        files = ["unet/config.json", "unet/net.safetensors", "scheduler/scheduler_config.json"]
        files += ["tokenizer/tokenizer_config.json"]
        for name in files:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("{}")
        (tmp_path / "model_index.json").write_text(json.dumps(plan))
        return tmp_path

    def test_a_pipeline(self, folder: Path) -> None:
        assert weights.lacking(folder) == ["safety_checker"]
        assert weights.whole_pipeline(folder)
        assert weights.whole(folder)

    @pytest.mark.parametrize(
        ("file", "part"),
        [
            ("unet/net.safetensors", "unet/*.safetensors"),
            ("unet/config.json", "unet"),
            ("scheduler/scheduler_config.json", "scheduler"),
            ("tokenizer/tokenizer_config.json", "tokenizer"),
            ("model_index.json", "model_index.json"),
        ],
    )
    def test_a_part_is_missing(self, folder: Path, file: str, part: str) -> None:
        (folder / file).unlink()
        assert weights.lacking(folder, ["safety_checker"]) == [part]
        assert not weights.whole_pipeline(folder)

    def test_parts_that_lie_in_the_folder_itself(self, folder: Path) -> None:
        shutil.copy(folder / "unet" / "config.json", folder)
        assert not weights.whole_pipeline(folder / "unet")
        shutil.move(folder / "unet" / "net.safetensors", folder)
        shutil.rmtree(folder / "unet")
        assert weights.whole_pipeline(folder)

    def test_shards(self, tmp_path: Path) -> None:
        table = {
            "weight_map": {"a": "m-00001-of-00002.safetensors", "b": "m-00002-of-00002.safetensors"}
        }
        (tmp_path / "m.safetensors.index.json").write_text(json.dumps(table))
        (tmp_path / "m-00001-of-00002.safetensors").write_bytes(b"1")
        assert not weights.whole_network(tmp_path)
        assert not weights.whole(tmp_path)
        (tmp_path / "m-00002-of-00002.safetensors").write_bytes(b"2")
        assert weights.whole_network(tmp_path)

    @pytest.mark.parametrize("text", ["", "[]", '{"weight_map": {}}', '{"weight_map": 3}'])
    def test_an_index_that_says_nothing(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "m.safetensors.index.json").write_text(text)
        (tmp_path / "m-00001-of-00002.safetensors").write_bytes(b"1")
        assert not weights.whole_network(tmp_path)


def test_the_cache_alone_decides_what_is_here(hub: Hub) -> None:
    source = Source(NAME)
    assert weights.here(source) is None
    assert talking.cached(source) is None
    folder = weights.find(source)
    assert weights.here(source) == talking.cached(source) == folder
