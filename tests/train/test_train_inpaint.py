"""A network that fills holes: trained on a few photos, alone and against a discriminator."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.train.tools import Tiny

from infill.errors import BadOption, InfillError, MissingExtra, MissingWeights
from infill.metrics.base import METRICS, to_unit
from infill.picture import Picture
from infill.train import networks
from infill.train.data.photos import Thumbnails
from infill.train.export import read_weights
from infill.train.figures import HeldOut
from infill.train.inpaint import Batches, Inpaint, to_batch
from infill.train.processes import Alone
from infill.train.runs import How, Where, configured, start
from infill.train.tables import InpaintConfig
from infill.train.turns import Progress
from infill.train.workers import generator

TABLES: dict[str, dict[str, Any]] = {
    "run": {"name": "tiny", "steps": 6, "batch": 4, "log_steps": 1, "precision": "fp32"},
    "data": {"side": 16, "held_out": 0.3, "colour": 0.1},
    "masks": {"free_form": 1, "object": 1, "rectangle": 1, "border": 1, "pool": 4},
    "network": {"name": "tests.train.tools:Tiny"},
    "discriminator": {"arguments": {"width": 4, "layers": 2}, "rate": 2.0},
    "losses": {
        **{"adversarial": 0.1, "adversarial_from": 0.3, "adversarial_ramp": 0.3},
        **{"r1": 0.1, "r1_every": 2, "features": 1.0, "similarity": 0.1},
    },
    "optimiser": {"warmup": 2, "learning_rate": 0.01},
    "validation": {"pictures": 3, "shown": 2},
}


def config_of(photos: Path, **changes: dict[str, Any]) -> InpaintConfig:
    tables = {name: values | changes.get(name, {}) for name, values in TABLES.items()}
    tables["data"]["photos"] = str(photos)
    made = configured(tables)
    assert isinstance(made, InpaintConfig)
    return made


def learn(
    photos: Path, out: Path, how: How | None = None, **changes: dict[str, Any]
) -> tuple[Progress, bool]:
    where = Where(out, out.with_name(f"{out.name}.run"))
    return start(config_of(photos, **changes), where, how or How(tell=lambda line: None))


def kept(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out.with_name(f"{out.name}.run") / "checkpoint.safetensors")


def stopping_after(steps: int) -> How:
    asked = iter([False] * (steps - 1) + [True])
    return How(tell=lambda line: None, stop=lambda: next(asked))


class TestRun:
    @pytest.mark.parametrize(
        ("run", "short", "network"),
        [
            ({}, 0, "Tiny"),
            ({}, 24, "Tiny"),
            ({"workers": 2}, 24, "Calm"),
            ({"precision": "bf16", "accumulate": 2}, 0, "Tiny"),
        ],
    )
    def test_resumed_is_the_same_bit_for_bit(
        self, photos: Path, tmp_path: Path, run: dict[str, Any], short: int, network: str
    ) -> None:
        """Six steps, and three and three: the discriminator joins before the break."""
        changes = {
            "run": run,
            "data": {"short": short},
            "network": {"name": f"tests.train.tools:{network}"},
        }
        learn(photos, tmp_path / "whole", **changes)
        progress, ended = learn(photos, tmp_path / "parted", stopping_after(3), **changes)
        assert (progress.step, ended) == (3, False)
        half = kept(tmp_path / "parted")
        assert "discriminator.optimiser.layers.0.weight.exp_avg" in half
        progress, ended = learn(photos, tmp_path / "parted", **changes)
        assert (progress.step, ended) == (6, True)
        whole, parted = kept(tmp_path / "whole"), kept(tmp_path / "parted")
        assert whole.keys() == parted.keys()
        for name, value in whole.items():
            assert torch.equal(value, parted[name]), name
        changed = [name for name in whole if not torch.equal(whole[name], half[name])]
        assert {name.split(".")[0] for name in changed} == {"network", "average", "discriminator"}

    def test_what_it_leaves_behind(self, photos: Path, tmp_path: Path) -> None:
        learn(photos, tmp_path / "out")
        told = json.loads((tmp_path / "out" / "training.json").read_text())
        assert told["step"] == 6
        assert told["weights"] == sum(weight.numel() for weight in Tiny().parameters())
        assert told["photos"]["learnt_from"] + told["photos"]["held_out"] == 16
        assert told["device"].startswith("cpu")
        assert told["network"]["name"] == "tests.train.tools:Tiny"
        lines = (tmp_path / "out.run" / "log.jsonl").read_text().splitlines()
        assert [json.loads(line) for line in lines] == told["log"]
        assert {"l1_hole", "masked_psnr", "haarpsi", "texture", "refined", "r1"} <= told["log"][
            0
        ].keys()
        sheet = Picture.load(tmp_path / "out.run" / "samples" / "0000006.jpg")
        assert sheet.pixels.shape == (2 * 18 + 2, 3 * 16 + 4, 3)

    @pytest.mark.parametrize(
        ("kind", "dtype"), [("float16", torch.float16), ("float32", torch.float32)]
    )
    def test_the_weights_written_are_the_averaged_ones(
        self, photos: Path, tmp_path: Path, kind: str, dtype: torch.dtype
    ) -> None:
        learn(photos, tmp_path / "out", run={"export": kind, "steps": 2})
        written, state = load_file(tmp_path / "out" / "tiny.safetensors"), kept(tmp_path / "out")
        for name, value in written.items():
            assert value.dtype == dtype
            assert torch.equal(value, state[f"average.{name}"].to(dtype))
        assert set(written) == set(Tiny().state_dict())

    def test_a_second_stage_begins_with_the_weights_of_the_first(
        self, photos: Path, tmp_path: Path
    ) -> None:
        learn(photos, tmp_path / "one", run={"export": "float32", "steps": 2})
        first = tmp_path / "one" / "tiny.safetensors"
        still = {"learning_rate": 1e-12, "weight_decay": 0.0}
        changes = {"run": {"start_from": str(first), "steps": 1}, "optimiser": still}
        learn(photos, tmp_path / "two", **changes)
        before, after = load_file(first), kept(tmp_path / "two")
        for name, value in before.items():
            torch.testing.assert_close(after[f"network.weights.{name}"], value, rtol=0, atol=1e-6)

    def test_from_l1_to_adversarial_with_another_configuration(
        self, photos: Path, tmp_path: Path
    ) -> None:
        learn(photos, tmp_path / "out", losses={"adversarial": 0.0, "features": 0.0})
        assert not any(name.startswith("discriminator") for name in kept(tmp_path / "out"))
        with pytest.raises(MissingWeights, match="--changed"):
            learn(photos, tmp_path / "out")
        how = How(changed=True, tell=lambda line: None)
        progress, _ = learn(photos, tmp_path / "out", how, run={"steps": 8})
        assert progress.step == 8
        assert any(name.startswith("discriminator.") for name in kept(tmp_path / "out"))

    def test_restart_forgets(self, photos: Path, tmp_path: Path) -> None:
        learn(photos, tmp_path / "out", run={"steps": 2})
        told: list[str] = []
        learn(photos, tmp_path / "out", How(restart=True, tell=told.append))
        assert not any("going on" in line for line in told)
        learn(photos, tmp_path / "out", How(tell=told.append))
        assert any("going on from step 6" in line for line in told)

    def test_a_run_may_end_early_with_what_the_whole_one_had_by_then(
        self, photos: Path, tmp_path: Path
    ) -> None:
        learn(photos, tmp_path / "whole", stopping_after(4))
        progress, ended = learn(photos, tmp_path / "early", run={"stop_at": 4})
        assert (progress.step, ended) == (4, True)
        there, here = kept(tmp_path / "whole"), kept(tmp_path / "early")
        assert all(torch.equal(there[name], value) for name, value in here.items())
        progress, ended = learn(photos, tmp_path / "early")  # the rest of it
        assert (progress.step, ended) == (6, True)

    def test_a_restart_that_fails_keeps_what_was_there(self, photos: Path, tmp_path: Path) -> None:
        learn(photos, tmp_path / "out", stopping_after(3))
        before = (tmp_path / "out.run" / "checkpoint.safetensors").read_bytes()
        how = How(restart=True, tell=lambda line: None)
        with pytest.raises(InfillError, match="nan"):
            learn(photos, tmp_path / "out", how, optimiser={"learning_rate": 1e30, "clip": 0.0})
        assert (tmp_path / "out.run" / "checkpoint.safetensors").read_bytes() == before

    def test_a_leg_with_other_photos_says_so(self, photos: Path, tmp_path: Path) -> None:
        others = shutil.copytree(photos, tmp_path / "others")
        told: list[str] = []
        learn(photos, tmp_path / "out", stopping_after(2))
        learn(others, tmp_path / "out", replace(stopping_after(1), tell=told.append))
        assert not any("the photos are not those" in line for line in told)
        next(others.iterdir()).rename(others / "another.png")
        for expected in (1, 0):
            told.clear()
            learn(others, tmp_path / "out", replace(stopping_after(1), tell=told.append))
            assert sum("the photos are not those" in line for line in told) == expected

    def test_a_loss_that_is_no_number_keeps_what_was_there(
        self, photos: Path, tmp_path: Path
    ) -> None:
        learn(photos, tmp_path / "out", stopping_after(3))
        before = (tmp_path / "out.run" / "checkpoint.safetensors").read_bytes()
        mad = {"optimiser": {"learning_rate": 1e30, "clip": 0.0}}
        how = How(changed=True, tell=lambda line: None)
        with pytest.raises(InfillError, match=r"nan; .*is still that of step 3; .*learning_rate"):
            learn(photos, tmp_path / "out", how, run={"steps": 60}, **mad)
        assert (tmp_path / "out.run" / "checkpoint.safetensors").read_bytes() == before

    def test_accelerate_in_one_process_gives_the_same(self, photos: Path, tmp_path: Path) -> None:
        pytest.importorskip("accelerate")
        for name, wanted in (("plain", False), ("together", True)):
            learn(photos, tmp_path / name, run={"accelerate": wanted, "steps": 3})
        one, other = kept(tmp_path / "plain"), kept(tmp_path / "together")
        assert all(torch.equal(one[name], other[name]) for name in one)

    def test_tensorboard(self, photos: Path, tmp_path: Path) -> None:
        pytest.importorskip("tensorboard")
        learn(photos, tmp_path / "out", run={"tensorboard": True, "steps": 2})
        (events,) = (tmp_path / "out.run" / "tensorboard").iterdir()
        content = events.read_bytes()
        for name in (b"refined", b"held out/masked_psnr", b"pictures per second", b"samples"):
            assert name in content

    def test_tensorboard_that_is_not_installed(
        self, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "tensorboard", None)
        with pytest.raises(MissingExtra, match=r"tensorboard is not installed; .*infill\[train\]"):
            learn(photos, tmp_path / "out", run={"tensorboard": True})

    def test_it_learns(self, photos: Path, tmp_path: Path) -> None:
        progress, _ = learn(
            photos,
            tmp_path / "out",
            run={"steps": 80, "validate_minutes": 1e-6, "ema": 0.5},
            network={"name": "tests.train.tools:Calm"},
            losses={"adversarial": 0.0, "features": 0.0, "similarity": 0.0},
            validation={"shown": 0},
        )
        first, last = progress.log[0], progress.log[-1]
        assert last["l1_hole"] < 0.8 * first["l1_hole"]
        assert not (tmp_path / "out.run" / "samples").exists()


class TestMistakes:
    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"network": {"name": "big"}}, "network.name is one of pocket, deepfill, lama, or mod"),
            ({"network": {"name": "no.such:Net"}}, "there is no no.such:Net"),
            ({"network": {"name": "tests.train.tools:Nothing"}}, "there is no tests.train.tools"),
            ({"network": {"name": "pathlib:Path"}}, "is no class of networks"),
            (
                {"network": {"name": "os:system", "arguments": {"command": "touch ran"}}},
                "is no class of networks",
            ),
            ({"discriminator": {"arguments": {"layers": 0}}}, "cannot be made with these"),
            ({"network": {"name": "mynet:Net"}}, "as with PYTHONPATH=."),
            (
                {
                    "network": {"name": "tests.train.tools:Single"},
                    "losses": {"refined": 0.0, "similarity": 0.0},
                },
                "has one output, of which losses.coarse takes nothing",
            ),
            ({"network": {"arguments": {"depth": 3}}}, "cannot be made with these arguments"),
            ({"network": {"name": "tests.train.tools:Cropping"}}, "it must keep the shape"),
            ({"network": {"name": "pocket"}, "data": {"side": 20}}, "cannot take squares of 20"),
            ({"discriminator": {"name": "judge"}}, "discriminator.name is one of sn-patch"),
            ({"data": {"layout": "tar"}}, "data.layout is one of folder"),
            ({"run": {"compile": True}}, "run.compile is for CUDA"),
            ({"run": {"workers": 2}}, "a network with dropout takes run.workers = 1"),
            ({"losses": {"perceptual": 1.0}}, "losses.vgg is empty"),
            ({"run": {"start_from": "nothing.safetensors"}}, "no .safetensors file of weights"),
        ],
    )
    def test_are_one_sentence_before_any_work(
        self, photos: Path, tmp_path: Path, changes: dict, sentence: str
    ) -> None:
        with pytest.raises(InfillError, match=sentence) as caught:
            learn(photos, tmp_path / "out", **changes)
        assert not Path("ran").exists()
        assert len(str(caught.value).splitlines()) == 1
        assert not (tmp_path / "out.run" / "checkpoint.safetensors").exists()

    def test_a_folder_that_cannot_be_made(self, photos: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("no folder")
        with pytest.raises(InfillError, match="file/out cannot be made"):
            learn(photos, tmp_path / "file" / "out")

    def test_weights_of_another_network(self, tmp_path: Path) -> None:
        save_file({"first.weight": torch.zeros(3)}, tmp_path / "w.safetensors")
        with pytest.raises(
            MissingWeights, match=r"of another network: \d tensors differ, as first"
        ):
            read_weights(tmp_path / "w.safetensors", Tiny())


class TestTurns:
    @pytest.fixture
    def task(self, photos: Path) -> Inpaint:
        config = config_of(photos, network={"name": "tests.train.tools:Calm"})
        return Inpaint(config, "cpu")

    @pytest.fixture
    def batch(self, task: Inpaint) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng(0)
        photos = Thumbnails.of([rng.integers(0, 255, (20, 24, 3), np.uint8) for _ in range(8)])
        return to_batch(Batches(photos, task.config, Alone())(0), "cpu")

    def test_the_discriminator_joins_when_it_is_time(self, task: Inpaint) -> None:
        def who(step: int, done: float) -> list[str]:
            return [turn.learns for turn in task.turns(step, done)]

        assert who(0, 0.29) == ["network"]
        assert who(0, 0.3) == ["network", "discriminator"]

    def test_the_network_s_loss_is_the_weighted_sum(
        self, task: Inpaint, batch: dict[str, torch.Tensor]
    ) -> None:
        weights = task.config.losses
        for done, share in ((0.1, 0.0), (0.45, 0.5), (0.9, 1.0)):
            told = task.turns(0, done)[0].loss(task.networks, batch, generator(0, 0, 0))
            factor = {"adversarial": share, "features": share}
            expected = sum(
                getattr(weights, name) * factor.get(name, 1.0) * value.item()
                for name, value in told.figures.items()
            )
            assert told.loss.item() == pytest.approx(expected, rel=1e-5)
            assert ("adversarial" in told.figures) == (share > 0)

    def test_the_hole_is_hidden_from_the_network_and_known_pixels_from_the_judge(
        self, task: Inpaint, batch: dict[str, torch.Tensor]
    ) -> None:
        photo, mask = batch["photo"], batch["mask"]
        other = photo * (1 - mask) + 0.5 * mask
        turn = task.turns(0, 1.0)[0]
        made = [
            turn.loss(task.networks, {"photo": one, "mask": mask}, generator(0, 0, 0)).kept["made"]
            for one in (photo, other)
        ]
        assert torch.equal(made[0] * mask, made[1] * mask)
        assert torch.equal(made[0] * (1 - mask), photo * (1 - mask))

    def test_the_penalty_comes_every_few_steps(
        self, task: Inpaint, batch: dict[str, torch.Tensor]
    ) -> None:
        for step in range(4):
            turn = task.turns(step, 1.0)[1]
            whole = batch | {"made": torch.zeros_like(batch["photo"])}
            told = turn.loss(task.networks, whole, generator(0, step, 0))
            assert ("r1" in told.figures) == (step % 2 == 0)

    def test_processes_share_one_batch(self, photos: Path) -> None:
        class One(Alone):
            def __init__(self, index: int) -> None:
                self.index, self.count = index, 2

        stored = Thumbnails.of([np.full((20, 24, 3), index, np.uint8) for index in range(8)])
        config = config_of(photos)
        whole = Batches(stored, config, Alone())(3)
        parts = [Batches(stored, config, One(index))(3) for index in (0, 1)]
        for both, pair in zip(whole, zip(*parts, strict=True), strict=True):
            np.testing.assert_array_equal(both, np.concatenate(pair))


class TestFigures:
    @pytest.fixture
    def looked(self) -> HeldOut:
        rng = np.random.default_rng(0)
        photos = rng.integers(0, 255, (20, 24, 24, 3), np.uint8)
        masks = np.zeros((20, 24, 24), np.bool_)
        masks[:, 4:15, 6:20] = True
        return HeldOut(photos, masks)

    def test_the_fill_is_pasted(self, looked: HeldOut) -> None:
        filled = looked.filled(lambda picture, mask: torch.full_like(picture, 0.2))
        assert np.all(filled[looked.masks] == round(1.2 * 127.5))
        np.testing.assert_array_equal(filled[~looked.masks], looked.photos[~looked.masks])

    def test_figures_are_the_means_of_the_metrics(self, looked: HeldOut) -> None:
        filled = looked.photos.copy()
        filled[looked.masks] = 255 - filled[looked.masks]
        found = looked.figures(filled)
        pairs = zip(looked.photos, filled, looked.masks, strict=True)
        rows = [METRICS.get("texture").measure(to_unit(a), to_unit(b), m) for a, b, m in pairs]
        assert found["texture"] == pytest.approx(np.mean([row["texture"] for row in rows]))
        apart = [
            np.abs(a[m].astype(float) - b[m]).mean() / 255
            for a, b, m in zip(looked.photos, filled, looked.masks, strict=True)
        ]
        assert found["l1_hole"] == pytest.approx(np.mean(apart), rel=1e-5)
        assert found["sharpness"] == pytest.approx(1, rel=1e-5)

    def test_an_exact_fill_has_no_infinite_figures(self, looked: HeldOut) -> None:
        found = looked.figures(looked.photos)
        assert "masked_psnr" not in found
        assert found["l1_hole"] == 0
        json.dumps(found, allow_nan=False)

    def test_the_sheet_hides_the_hole_in_the_first_column(self, looked: HeldOut) -> None:
        sheet = looked.sheet(looked.photos, 2)
        other = replace(
            looked, photos=np.where(looked.masks[..., None], 7, looked.photos).astype(np.uint8)
        )
        np.testing.assert_array_equal(sheet[:, :26], other.sheet(other.photos, 2)[:, :26])


class TestNetworks:
    """Those of the table answer as the task expects, small ones."""

    @pytest.mark.parametrize(
        ("name", "arguments", "outputs"),
        [
            ("pocket", {"channels": [8, 8, 8, 8], "heads": 2}, 2),
            ("deepfill", {"width": 8}, 2),
            ("lama", {"width": 8, "halvings": 2, "blocks": 1}, 1),
        ],
    )
    def test_fill(self, name: str, arguments: dict[str, Any], outputs: int) -> None:
        entry = networks.find(networks.NETWORKS, name, "network.name")
        network = networks.build(entry, arguments, "network").eval()
        picture, mask = torch.rand(1, 3, 32, 32) * 2 - 1, torch.zeros(1, 1, 32, 32)
        mask[..., 8:20, 8:20] = 1
        with torch.no_grad():
            made = entry.call(network, picture * (1 - mask), mask)
        assert len(made) == outputs
        for one in made:
            assert one.shape == picture.shape
            assert one.abs().max() <= 1

    @pytest.mark.parametrize(
        ("name", "arguments"), [("sn-patch", {"width": 4, "layers": 3}), ("deepfill", {"width": 4})]
    )
    def test_judge(self, name: str, arguments: dict[str, Any]) -> None:
        entry = networks.find(networks.DISCRIMINATORS, name, "discriminator.name")
        network = networks.build(entry, arguments, "discriminator")
        verdicts, features = entry.call(network, torch.rand(2, 3, 64, 64), torch.ones(2, 1, 64, 64))
        assert verdicts.shape[:2] == (2, 16)
        assert len(features) >= 2

    def test_an_unknown_name(self) -> None:
        with pytest.raises(BadOption, match="of your own, not 'x'"):
            networks.find(networks.NETWORKS, "x", "network.name")


def test_a_deepfill_is_read_as_it_was_trained(photos: Path, tmp_path: Path) -> None:
    """Layout and fusing can't be told from the tensors; the file says them."""
    from infill.nets import loading

    arguments = {"width": 16, "layout": "tf", "fuse": True}
    learn(
        photos,
        tmp_path / "out",
        run={"steps": 1, "name": "fill"},
        data={"side": 32},
        network={"name": "deepfill", "arguments": arguments},
        losses={"adversarial": 0.0, "features": 0.0, "similarity": 0.0},
    )
    network = loading.deepfill(tmp_path / "out" / "fill.safetensors")
    attention = next(one for one in network.modules() if hasattr(one, "fuse_weight"))
    assert (attention.layout, attention.fuse) == ("tf", True)
