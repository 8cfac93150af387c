"""Where metrics find their weights: `infill download`, the settings, and what is said of them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from infill import weights
from infill.cli.download import needed
from infill.errors import BadOption, UnknownPlugin
from infill.metrics import networks
from infill.metrics.base import METRICS, SET_METRICS, missing
from infill.settings import Settings, using
from infill.weights import url
from tests.cli.tools import call
from tests.hub import Hub, Repository, known
from tests.metrics import tiny
from tests.metrics.test_clip import saved  # noqa: F401  (a fixture)


def sources(*words: str) -> list[weights.Source]:
    name, model = (*words, None)[:2]
    return [one.source for one in needed(str(name), model, None, None)]


class TestNeeded:
    def test_the_inception_of_fid_and_kid_is_one(self) -> None:
        address = url.parse(Settings().inception_weights)
        assert address.name == "pt_inception-2015-12-05-6726825d.pth"
        assert address.sha256.startswith("6726825d")  # as its name says
        for name in ("fid", "kid"):
            (source,) = sources(name)
            assert source.name == Settings().inception_weights
            assert source.typed() == "infill download fid"
            assert source.inert

    def test_lpips_takes_another_trunk(self) -> None:
        trunk = sources("lpips", "vgg")[0]
        assert trunk.name.startswith("https://download.pytorch.org/models/vgg16-397923af.pth#sha")
        assert trunk.typed() == "infill download lpips --model vgg"

    def test_clip_takes_another_model(self) -> None:
        (source,) = sources("clip", "laion/other")
        assert (source.name, source.typed()) == (
            "laion/other",
            "infill download clip --model laion/other",
        )

    def test_metrics_without_weights_need_none(self) -> None:
        assert sources("psnr") == []
        with pytest.raises(BadOption, match="psnr has no model to choose"):
            sources("psnr", "a/b")

    def test_what_is_wrong(self) -> None:
        with pytest.raises(BadOption, match="metric fid takes --model, not --option or --revision"):
            needed("fid", None, "main", None)
        with pytest.raises(UnknownPlugin, match=r"no engine, segmenter or metric 'fit'.*lpips"):
            needed("fit", None, None, None)


class TestMissing:
    @pytest.mark.parametrize("name", ["fid", "kid"])
    def test_says_what_to_type(self, name: str) -> None:
        told = missing(SET_METRICS.get(name))
        assert told is not None
        assert "infill download fid" in told
        assert "INFILL_INCEPTION_WEIGHTS" in told
        assert len(told.splitlines()) == 1

    def test_an_address_without_its_sum(self) -> None:
        with using(inception_weights="https://example.org/w.pth"):
            told = missing(SET_METRICS.get("fid"))
        assert told is not None
        assert "comes without its checksum" in told

    def test_what_was_fetched_is_found_without_a_network(self, tmp_path: Path) -> None:
        torch.save(tiny.inception().state_dict(), tmp_path / "w.pth")
        name = f"https://example.org/w.pth#sha256={weights.sha256_of(tmp_path / 'w.pth')}"
        place = url.place(url.parse(name))
        place.parent.mkdir(parents=True)
        shutil.copy(tmp_path / "w.pth", place)
        with using(inception_weights=name):
            metric = SET_METRICS.get("fid")
            assert missing(metric) is None
            row = metric.describe(tiny.photo(30, 30), np.ones((30, 30), bool))
        assert row.shape == (1, 2048 // tiny.SHRINK)

    def test_without_a_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = networks.find_spec
        monkeypatch.setattr(networks, "find_spec", lambda n: None if n == "torch" else real(n))
        for metric in (METRICS.get("lpips"), SET_METRICS.get("fid"), SET_METRICS.get("kid")):
            assert missing(metric) == "torch is not installed; type: pip install 'infill[torch]'"


class TestDownload:
    @pytest.fixture
    def hub(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        with known(monkeypatch, tmp_path / "hubs-cache") as running, using(offline=0):
            yield running

    def test_clip_as_the_hub_has_it(self, hub: Hub, saved: Path, tmp_path: Path) -> None:  # noqa: F811
        files = {path.name: path.read_bytes() for path in saved.iterdir()}
        state = weights_of(saved)
        del files["model.safetensors"]
        torch.save(state, tmp_path / "pytorch_model.bin")
        files["pytorch_model.bin"] = (tmp_path / "pytorch_model.bin").read_bytes()
        files["tf_model.h5"] = b"for others"
        hub.models["openai/clip-vit-base-patch32"] = Repository(files, licence=None)
        told = call("download", "clip")
        assert told.code == 0, told.err
        assert "openai/clip-vit-base-patch32: licence MIT" in told.err
        assert "openai/clip-vit-base-patch32 downloaded" in told.out
        assert not hub.gets("tf_model.h5")
        listed = json.loads(call("download", "--list", "--json").out)["weights"]
        row = next(row for row in listed if row["for"] == "clip")
        assert row["here"]
        from infill.metrics.base import PROMPT_METRICS

        with using(offline=1):
            metric = PROMPT_METRICS.get("clip")
            assert missing(metric) is None
            photo, hole = tiny.photo(40, 40), np.ones((40, 40), bool)
            assert 0 <= metric.measure(photo, photo, hole, "a vase")["clip_score"] <= 100

    def test_the_list_names_the_metrics(self, hub: Hub) -> None:
        rows = json.loads(call("download", "--list", "--json").out)["weights"]
        types = {row["for"]: row["type"] for row in rows}
        assert types["fid"] == types["kid"] == "infill download fid"
        assert types["lpips"] == "infill download lpips"
        assert types["clip"] == "infill download clip"
        assert hub.asked == []

    def test_a_metric_that_needs_none(self) -> None:
        assert call("download", "psnr").out == "psnr needs no weights: it works as it is\n"


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")
