"""LPIPS as a metric: the protocol, where its weights are found, and what it says without them."""

import math
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from infill import weights
from infill.errors import MissingWeights
from infill.metrics import lpips as lpips_module
from infill.metrics import networks
from infill.metrics.base import METRICS, missing, ready
from infill.metrics.lpips import Lpips, Published
from infill.nets.lpips import Lpips as Network
from infill.settings import using
from tests.conformance_metrics import (
    SIZES,
    assert_bad_input_is_refused,
    assert_card,
    assert_metric,
    assert_perfect_scores_best,
    assert_row,
    assert_worse_fill_scores_worse,
    middle,
    picture,
)
from tests.metrics import tiny


@pytest.fixture(params=["alex", "vgg"])
def one_file(request, tmp_path):
    """A small trunk and its heads in one file, which the settings name; the network."""
    trunk = tiny.alexnet() if request.param == "alex" else tiny.vgg16()
    heads = tiny.heads(trunk.widths)
    save_file({**trunk.state_dict(), **heads.state_dict()}, tmp_path / "lpips.safetensors")
    with using(lpips_weights=str(tmp_path / "lpips.safetensors")):
        yield Network(trunk, heads).eval()


class TestMeasure:
    def test_keeps_the_protocol(self, one_file) -> None:
        assert missing(METRICS.get("lpips")) is None
        assert "lpips" in ready()
        if one_file.least <= 20:  # of the photos that are reduced there
            assert_metric(Lpips())
            return
        assert_card(Lpips())
        for shape in SIZES:
            assert_row(Lpips(), picture(shape), picture(shape, 1), middle(shape))
            assert_perfect_scores_best(Lpips(), picture(shape), middle(shape))
        assert_worse_fill_scores_worse(Lpips())
        assert_bad_input_is_refused(Lpips())

    def test_reduces_to_the_mean(self) -> None:
        rows = [{"lpips": 0.5, "masked_lpips": 0.25}, {"lpips": 0.25, "masked_lpips": math.nan}]
        assert Lpips().reduce(rows) == {"lpips": 0.375, "masked_lpips": 0.25}

    def test_is_the_network_and_the_mean_of_its_map_in_the_hole(self, one_file) -> None:
        truth, filled = tiny.photo(40, 50), tiny.photo(40, 50, seed=1)
        mask = np.zeros((40, 50), bool)
        mask[5:20, 10:37] = True
        a, b = (torch.from_numpy(2 * x.transpose(2, 0, 1) - 1)[None] for x in (truth, filled))
        with torch.inference_mode():
            distance, places = one_file(a, b)
        row = Lpips().measure(truth, filled, mask)
        assert row["lpips"] == pytest.approx(distance.item(), rel=1e-5)
        assert row["masked_lpips"] == pytest.approx(places[0].numpy()[mask].mean(), rel=1e-5)

    def test_what_is_small_or_has_no_hole(self, one_file) -> None:
        small = tiny.photo(one_file.least - 1, 60)
        row = Lpips().measure(small, small, np.ones(small.shape[:2], bool))
        assert all(math.isnan(value) for value in row.values())
        photo = tiny.photo(40, 40)
        row = Lpips().measure(photo, 1 - photo, np.zeros((40, 40), bool))
        assert row["lpips"] > 0
        assert math.isnan(row["masked_lpips"])

    def test_the_network_is_read_once(self, one_file, monkeypatch) -> None:
        from infill.nets import backbones

        read = []
        real = backbones.lpips
        monkeypatch.setattr(backbones, "lpips", lambda *a: read.append(a) or real(*a))
        photo = tiny.photo(40, 40)
        for _ in range(3):
            Lpips().measure(photo, photo, np.ones((40, 40), bool))
        assert len(read) == 1

    def test_threads_are_put_back(self, one_file) -> None:
        before = torch.get_num_threads()
        seen = []
        trunk = Network.forward
        with pytest.MonkeyPatch.context() as patch, using(threads=before + 1):
            patch.setattr(
                Network,
                "forward",
                lambda *a: (
                    seen.append((torch.get_num_threads(), torch.is_inference_mode_enabled()))
                    or trunk(*a)
                ),
            )
            photo = tiny.photo(40, 40)
            Lpips().measure(photo, photo, np.ones((40, 40), bool))
        assert seen == [(before + 1, True)]
        assert torch.get_num_threads() == before


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Small files in the place of the public ones, here under their addresses."""
    trunk, heads = tiny.alexnet(), tiny.heads(tiny.ALEX)
    torch.save(tiny.classified(trunk), tmp_path / "alex-small.pth")
    torch.save(heads.state_dict(), tmp_path / "heads.pth")
    sums = [weights.sha256_of(tmp_path / name) for name in ("alex-small.pth", "heads.pth")]
    address = f"https://example.org/alex-small.pth#sha256={sums[0]}"
    monkeypatch.setattr(lpips_module, "PUBLISHED", {"alex": Published(address, sums[1])})
    monkeypatch.setattr(lpips_module, "INSTALLED", (("bringer", "inside"),))
    return tmp_path


def fetched(source: weights.Source, file: Path) -> None:
    """As `infill download` leaves it."""
    from infill.weights import url

    place = url.place(url.parse(source.name))
    place.parent.mkdir(parents=True)
    shutil.copy(file, place)


class TestWeights:
    def test_the_addresses_are_whole(self) -> None:
        from infill.weights import url

        for kind, told in lpips_module.PUBLISHED.items():
            address = url.parse(told.trunk)
            assert address.url.startswith("https://download.pytorch.org/models/")
            assert address.sha256[:8] in address.name  # as torchvision names its files
            assert url.parse(lpips_module.heads_source(kind).name).sha256 == told.heads

    def test_without_them_it_says_what_to_type(self, published) -> None:
        told = missing(Lpips())
        assert told is not None
        assert "infill download lpips" in told
        assert "INFILL_LPIPS_WEIGHTS" in told
        assert len(told.splitlines()) == 1
        assert "lpips" not in ready()
        photo = tiny.photo(40, 40)
        with pytest.raises(MissingWeights, match="infill download lpips"):
            Lpips().measure(photo, photo, np.ones((40, 40), bool))

    def test_fetched_by_their_addresses(self, published) -> None:
        trunk, heads = Lpips().sources()
        fetched(trunk, published / "alex-small.pth")
        told = missing(Lpips())
        assert told is not None
        assert "the weights of alex.pth" in told
        fetched(heads, published / "heads.pth")
        assert missing(Lpips()) is None
        photo = tiny.photo(40, 40)
        row = Lpips().measure(photo, 1 - photo, np.ones((40, 40), bool))
        assert row["lpips"] > 0

    def test_heads_that_a_package_brings_need_no_download(self, published, monkeypatch) -> None:
        package = published / "site" / "bringer"
        (package / "inside").mkdir(parents=True)
        (package / "__init__.py").write_text("raise RuntimeError('imported')")
        monkeypatch.syspath_prepend(str(published / "site"))
        shutil.copy(published / "heads.pth", package / "inside" / "alex.pth")
        (trunk,) = Lpips().sources()
        fetched(trunk, published / "alex-small.pth")
        assert missing(Lpips()) is None
        photo = tiny.photo(40, 40)
        assert Lpips().measure(photo, 1 - photo, np.ones((40, 40), bool))["lpips"] > 0
        (package / "inside" / "alex.pth").write_bytes(b"another")
        assert len(Lpips().sources()) == 2  # what is not the authors' file is left alone

    def test_a_folder_of_both_files(self, published) -> None:
        folder = published / "folder"
        folder.mkdir()
        with using(lpips_weights=str(folder)):
            told = missing(Lpips())
            assert told is not None
            assert "holds no file of weights" in told
            with pytest.raises(MissingWeights, match="holds no file of weights"):
                Lpips().measure(*(np.zeros((40, 40, 3), np.float32),) * 2, np.ones((40, 40), bool))
            shutil.copy(published / "alex-small.pth", folder)
            shutil.copy(published / "heads.pth", folder)
            assert missing(Lpips()) is None
            photo = tiny.photo(40, 40)
            assert Lpips().measure(photo, 1 - photo, np.ones((40, 40), bool))["lpips"] > 0

    def test_a_path_that_is_none(self, tmp_path) -> None:
        with using(lpips_weights=str(tmp_path / "nothing.pth")):
            told = missing(Lpips())
        assert told is not None
        assert told.startswith(f"there is no file {tmp_path}/nothing.pth")

    def test_without_pytorch(self, monkeypatch) -> None:
        real = networks.find_spec
        monkeypatch.setattr(
            networks, "find_spec", lambda name: None if name == "torch" else real(name)
        )
        for name in ("lpips",):
            assert missing(METRICS.get(name)) == (
                "torch is not installed; type: pip install 'infill[torch]'"
            )

    def test_asking_imports_nothing_heavy(self) -> None:
        import subprocess

        code = (
            "import sys; from infill.metrics.base import ready; ready(); "
            "print('torch' in sys.modules)"
        )
        source = str(Path(lpips_module.__file__).parents[2])
        script = f"import sys; sys.path.insert(0, {source!r}); {code}"
        command = [sys.executable, "-c", script]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        assert told.stdout.strip() == "False"


def test_a_trunk_alone_wants_its_heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the file nor in a package: it says so, and does not ask the network for them."""
    monkeypatch.setattr("infill.metrics.lpips.INSTALLED", ())
    save_file(tiny.alexnet().state_dict(), tmp_path / "trunk.safetensors")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    photo = np.zeros((40, 40, 3), np.float32)
    for named in (tmp_path, tmp_path / "trunk.safetensors"):
        with using(lpips_weights=str(named)):
            told = missing(Lpips())
            assert told is not None
            assert "alex.pth" in told
            with pytest.raises(MissingWeights, match=r"alex\.pth"):
                Lpips().measure(photo, photo, np.ones((40, 40), bool))
