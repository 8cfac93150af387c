"""Where weights are looked for, and what is said when they are not there or not whole."""

import json
import shutil
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infill.errors import BadOption, MissingExtra, MissingWeights
from infill.segmenters.sam import LOADED, Options, Sam, _networks, checkpoint, families, loaded
from infill.settings import using
from infill.weights import Source, choose, hub, transfer
from tests.segmenters import sam_models

pytest.importorskip("torch")
pytest.importorskip("transformers")

import huggingface_hub
from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

NAME = "facebook/sam-vit-base"


class Hub:
    """A hub: what was downloaded before, and what the network answers, folders or errors."""

    def __init__(self, patch: pytest.MonkeyPatch, before: Any, answer: Any = None) -> None:
        self.before, self.answer = before, answer
        self.looked: list[Any] = []
        self.fetched: list[Any] = []
        patch.setattr(hub, "cached", self.look)
        patch.setattr(hub, "ask", self.tell)
        patch.setattr(hub, "_selected", lambda source, listing: [])
        patch.setattr(hub, "_fetch_all", self.fetch)

    def look(self, source: Source) -> Path | None:
        self.looked.append((source.name, source.revision))
        found: Path | None = self.before
        return found

    def tell(self, source: Source) -> None:
        self.fetched.append((source.name, source.revision))
        if isinstance(self.answer, Exception):
            raise self.answer

    def fetch(self, *_: Any) -> Path:
        found: Path = self.answer
        return found


NOT_HERE = LocalEntryNotFoundError("not here")


def refusal(kind: Any, status: int) -> Exception:
    """An error as the hub's library raises it for an answer of the hub."""
    error: Exception = kind.__new__(kind)
    error.args = (f"the hub says {status}",)
    return error


class TestLocate:
    def test_a_folder(self, tmp_path: Path) -> None:
        assert checkpoint.locate(str(sam_models.folder("sam"))) == sam_models.folder("sam")

    def test_a_folder_in_the_home_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copytree(sam_models.folder("sam"), tmp_path / "sam")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert checkpoint.locate("~/sam") == tmp_path / "sam"

    def test_what_is_here_is_used_without_a_look_at_the_network(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = Hub(monkeypatch, before=sam_models.folder("sam"))
        assert checkpoint.locate(NAME, "v1") == sam_models.folder("sam")
        assert (asked.looked, asked.fetched) == ([(NAME, "v1")], [])

    def test_what_is_missing_or_half_there_is_downloaded(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "config.json").write_text("{}")
        for before in (None, tmp_path):
            asked = Hub(monkeypatch, before, sam_models.folder("sam"))
            assert checkpoint.locate(NAME) == sam_models.folder("sam")
            assert asked.fetched == [(NAME, None)]

    def test_what_is_half_there_on_the_hub_too(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        Hub(monkeypatch, None, tmp_path)
        with pytest.raises(MissingWeights, match=rf"{NAME} on the hub .* model\.safetensors"):
            checkpoint.locate(NAME)

    def test_offline_never_asks_the_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = Hub(monkeypatch, None, sam_models.folder("sam"))
        with pytest.raises(MissingWeights):
            checkpoint.locate(NAME, offline=True)
        with using(offline=1), pytest.raises(MissingWeights, match="the network is off"):
            checkpoint.locate(NAME)
        assert asked.fetched == []

    @pytest.mark.parametrize(
        "error",
        [NOT_HERE, OSError("disk"), TimeoutError("slow"), refusal(RepositoryNotFoundError, 404)],
        ids=lambda error: type(error).__name__,
    )
    def test_the_error_is_what_to_type(
        self, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        Hub(monkeypatch, None, error)
        with pytest.raises(MissingWeights) as caught:
            checkpoint.locate(NAME, "v1")
        text = str(caught.value)
        assert f"infill download sam --model {NAME} --revision v1" in text
        assert "INFILL_SAM_CHECKPOINT" in text
        assert "\n" not in text
        assert caught.value.__cause__ is error

    def test_a_licence_to_accept_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Hub(monkeypatch, None, refusal(GatedRepoError, 403))
        with pytest.raises(
            MissingWeights, match=r"hf auth login.*infill download sam --model facebook/sam3"
        ):
            checkpoint.locate("facebook/sam3")

    @pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "a/b/c"])
    def test_no_such_folder(self, name: str) -> None:
        with pytest.raises(MissingWeights, match=f"there is no folder {name}"):
            checkpoint.locate(name)

    def test_a_folder_with_nothing_but_a_pickle(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text('{"model_type": "sam"}')
        (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
        with pytest.raises(MissingWeights, match=r"does not hold .* model\.safetensors"):
            checkpoint.locate(str(tmp_path))

    def test_a_shard_is_missing(self, tmp_path: Path) -> None:
        sam_models.save("sam", tmp_path, max_shard_size="40KB")
        shards = sorted(tmp_path.glob("model-*.safetensors"))
        assert len(shards) > 1
        assert checkpoint.locate(str(tmp_path)) == tmp_path
        shards[-1].unlink()
        with pytest.raises(MissingWeights, match=r"all of model\.safetensors"):
            checkpoint.locate(str(tmp_path))


class TestDownload:
    def test_nothing_but_configuration_and_safetensors(self) -> None:
        wanted = ["config.json", "vocab.json", "merges.txt", "model-00001-of-00002.safetensors"]
        others = ["pytorch_model.bin", "sam2.1.pt", "tf_model.h5", "code.py", "onnx/config.json"]
        assert choose(wanted + others, checkpoint.source(NAME).wanted) == wanted

    def test_a_network_that_swallows_everything_is_given_up(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A hub that takes the question and never answers."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            where = f"http://127.0.0.1:{silent.getsockname()[1]}"
            monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", where)
            monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
            monkeypatch.setattr(transfer, "SECONDS", 0.2)
            start = time.monotonic()
            with pytest.raises(MissingWeights, match=f"infill download sam --model {NAME}"):
                checkpoint.locate(NAME)
            assert time.monotonic() - start < 30


class TestLoad:
    def test_shards(self, tmp_path: Path) -> None:
        import torch

        sam_models.save("sam3_video", tmp_path, max_shard_size="100KB")
        assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
        network: Any = families.open_network(tmp_path, "cpu")
        whole: Any = families.open_network(sam_models.folder("sam3_video"), "cpu")
        for part in ("tracker", "detector"):
            ours, theirs = (getattr(one, part).model.state_dict() for one in (network, whole))
            assert all(torch.equal(ours[name], value) for name, value in theirs.items())

    def test_ready_for_inference(self) -> None:
        model = checkpoint.load("SamModel", sam_models.folder("sam"))
        assert not model.training
        assert not any(value.requires_grad for value in model.parameters())

    def test_another_kind_of_model(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text('{"model_type": "bert"}')
        with pytest.raises(BadOption, match=r"type 'bert'; segmenter sam takes: sam, sam_hq, sam2"):
            families.open_network(tmp_path, "cpu")

    @pytest.mark.parametrize("text", ["", "{", "[]"])
    def test_a_damaged_configuration(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(MissingWeights, match=r"config\.json .*; download it again"):
            families.open_network(tmp_path, "cpu")

    @pytest.mark.parametrize("kind", ["sam", "sam3_video"])
    def test_damaged_weights(self, tmp_path: Path, kind: str) -> None:
        folder = tmp_path / kind
        shutil.copytree(sam_models.folder(kind), folder)
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:1000])
        with pytest.raises(
            MissingWeights, match=r"cannot be read .*; download them again"
        ) as caught:
            families.open_network(folder, "cpu")
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("kind", ["sam", "sam3_video"])
    def test_weights_that_lack_a_part_are_never_filled_with_random_numbers(
        self, tmp_path: Path, kind: str
    ) -> None:
        from safetensors.torch import load_file, save_file

        folder = tmp_path / kind
        shutil.copytree(sam_models.folder(kind), folder)
        path = folder / "model.safetensors"
        kept = load_file(path)
        lost = [name for name in kept if name.endswith("mask_decoder.iou_token.weight")]
        del kept[lost[0]]
        save_file(kept, path, metadata={"format": "pt"})
        with pytest.raises(MissingWeights, match=r"lack 1 parts of .* mask_decoder.iou_token"):
            families.open_network(folder, "cpu")

    def test_weights_of_another_size(self, tmp_path: Path) -> None:
        shutil.copytree(sam_models.folder("sam"), tmp_path / "sam")
        path = tmp_path / "sam" / "config.json"
        told = json.loads(path.read_text())
        told["vision_config"]["hidden_size"] = 48
        path.write_text(json.dumps(told))
        with pytest.raises(MissingWeights, match="cannot be read"):
            families.open_network(path.parent, "cpu")

    def test_no_tokenizer(self, tmp_path: Path) -> None:
        shutil.copytree(sam_models.folder("sam3"), tmp_path / "sam3")
        (tmp_path / "sam3" / "tokenizer.json").unlink()
        with pytest.raises(MissingWeights, match=r"holds no tokenizer\.json"):
            families.open_network(tmp_path / "sam3", "cpu")

    def test_prints_nothing(self, capfd: pytest.CaptureFixture[str]) -> None:
        sam_models.folder("sam3_video")
        capfd.readouterr()
        families.open_network(sam_models.folder("sam3_video"), "cpu")
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("nested", [False, True])
    def test_colours_out_of_the_checkpoint(self, tmp_path: Path, nested: bool) -> None:
        told: dict[str, Any] = {"image_mean": [0.1, 0.2, 0.3], "image_std": [1, 2, 3]}
        shutil.copytree(sam_models.folder("sam"), tmp_path / "sam")
        name = "processor_config.json" if nested else "preprocessor_config.json"
        told = {"image_processor": told} if nested else told
        (tmp_path / "sam" / name).write_text(json.dumps(told))
        network = families.open_network(tmp_path / "sam", "cpu")
        assert network.colours == ((0.1, 0.2, 0.3), (1, 2, 3))

    @pytest.mark.parametrize("kind", sam_models.KINDS)
    def test_sizes_out_of_the_network_itself(self, kind: str) -> None:
        network = families.open_network(sam_models.folder(kind), "cpu")
        assert network.side == sam_models.SIDE.get(kind, 56)
        assert network.stretch == (kind not in ("sam", "sam_hq"))
        halves = kind.startswith("sam3")
        assert network.colours[0] == ((0.5, 0.5, 0.5) if halves else (0.485, 0.456, 0.406))


class TestKept:
    def test_one_network_for_one_set_of_options_and_few_at_once(self) -> None:
        options = [
            Sam(Options(checkpoint=str(sam_models.folder(kind)), device="cpu")).options
            for kind in ("sam", "sam2", "sam_hq")
        ]
        first = loaded(options[0])
        assert loaded(options[0]) is first
        for other in options[1:]:
            loaded(other)
        assert len(_networks) == LOADED
        assert loaded(options[0]) is not first

    def test_a_state_outlives_its_network(self) -> None:
        sam = Sam(Options(checkpoint=str(sam_models.folder("sam")), device="cpu"))
        state = sam.embed(sam_models.photo())
        from infill.segmenters.base import Prompt

        before = sam.segment(state, Prompt(points=((9, 9),)))
        _networks.clear()
        after = sam.segment(state, Prompt(points=((9, 9),)))
        for one, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(one.mask, other.mask)


@pytest.mark.parametrize("module", ["torch", "transformers"])
def test_without_the_extra_says_what_to_install(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    _networks.clear()
    monkeypatch.setitem(sys.modules, module, None)
    sam = Sam(Options(checkpoint=str(sam_models.folder("sam")), device="cpu"))
    with pytest.raises(MissingExtra, match=rf"{module} is not installed.*infill\[segment\]"):
        sam.embed(sam_models.photo())
