"""The loop on tiny networks: it learns, ends in time, and goes on as if it had not stopped."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from infill.errors import InfillError, MissingWeights
from infill.train import checkpoint, ema
from infill.train.config import LoopConfig
from infill.train.loop import Progress, rate_at, train
from infill.train.workers import Workers

STEPS = LoopConfig(
    seed=5, batch=6, steps=12, warmup=2, learning_rate=0.02, ema=0.9, bfloat16=False, log_steps=4
)


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    """One thread, so that sums are made in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def network(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1),
        torch.nn.GroupNorm(2, 4),
        torch.nn.SiLU(),
        torch.nn.Conv2d(4, 1, 3, padding=1),
    )


def pictures(step: int) -> torch.Tensor:
    return torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(step))


def denoise(net: torch.nn.Module, clean: torch.Tensor, draw: torch.Generator) -> Any:
    """Mean square error of the picture made from a noisy one: needs the data and the draw."""
    noisy = clean + 0.1 * torch.randn(clean.shape, generator=draw)
    return (net(noisy) - clean).square().mean()


def weights(net: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten() for value in net.state_dict().values()]).clone()


class Stop(Exception):
    """What stands for a process that is killed."""


def stopping_at(step: int) -> Any:
    def batch(at: int) -> torch.Tensor:
        if at == step:
            raise Stop
        return pictures(at)

    return batch


@pytest.mark.parametrize("workers", [1, 2])
def test_resumed_is_the_same_bit_for_bit(tmp_path: Path, workers: int) -> None:
    config = replace(STEPS, workers=workers, save_minutes=1 / 60, validate_minutes=1e9)
    whole = network()
    average, _ = train(whole, pictures, denoise, config, run="r", path=tmp_path / "whole")

    parted, path, ticks = network(), tmp_path / "parted", iter(range(1000))
    with pytest.raises(Stop):  # a save every second by this clock: after every step but the first
        train(
            parted,
            stopping_at(7),
            denoise,
            config,
            run="r",
            path=path,
            clock=lambda: next(ticks),
        )
    other = network(seed=99)  # its weights come from the checkpoint
    resumed, progress = train(other, pictures, denoise, config, run="r", path=path)
    assert progress.step == 12
    assert torch.equal(weights(other), weights(whole))
    assert torch.equal(weights(resumed), weights(average))
    assert not torch.equal(weights(resumed), weights(other))


def test_a_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    average, _ = train(network(), pictures, denoise, STEPS, run="r", path=tmp_path / "c")
    asked: list[int] = []

    def batch(step: int) -> torch.Tensor:
        asked.append(step)
        return pictures(step)

    again, progress = train(network(1), batch, denoise, STEPS, run="r", path=tmp_path / "c")
    assert not asked
    assert progress.step == 12
    assert torch.equal(weights(again), weights(average))


def test_several_workers_give_the_gradient_of_the_whole_batch() -> None:
    net, clean = network(), pictures(0)

    def error(net: torch.nn.Module, clean: torch.Tensor, draw: Any) -> torch.Tensor:
        return (net(clean) - clean).square().mean()

    value = error(net, clean, None)
    value.backward()
    expected = [weight.grad.clone() for weight in net.parameters()]
    for count in (1, 2, 4):  # 4 do not divide 6 pictures evenly
        net.zero_grad()
        config = replace(STEPS, workers=count)
        assert Workers(net, error, config).gradients(clean, 0) == pytest.approx(value.item())
        for weight, grad in zip(net.parameters(), expected, strict=True):
            torch.testing.assert_close(weight.grad, grad, rtol=1e-4, atol=1e-6)


def test_each_worker_draws_its_own_noise_and_each_step_another() -> None:
    drawn = []

    def record(net: torch.nn.Module, clean: torch.Tensor, draw: Any) -> torch.Tensor:
        drawn.append(torch.rand(1, generator=draw).item())
        return net(clean).mean()

    workers = Workers(network(), record, replace(STEPS, workers=2))
    workers.gradients(pictures(0), 0)
    workers.gradients(pictures(0), 1)
    assert len(set(drawn)) == 4


def test_learns_a_tiny_set(tmp_path: Path) -> None:
    photos = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    config = replace(STEPS, steps=120, warmup=10, learning_rate=0.02, clip=10.0)
    told: list[str] = []
    _, progress = train(
        network(),
        lambda step: photos,
        denoise,
        config,
        run="r",
        path=tmp_path / "c",
        validate=lambda net: {
            "error": float(denoise(net, photos, torch.Generator().manual_seed(9)))
        },
        tell=told.append,
    )
    before = denoise(network(), photos, torch.Generator().manual_seed(9))
    assert progress.log[-1]["error"] < before / 4
    assert sum(line.startswith("step ") for line in told) == 120 // 4 + 1


def test_time_ends_the_run_and_sets_the_looks_saves_and_the_rate(tmp_path: Path) -> None:
    now = iter(range(0, 10_000, 20))  # seconds; the clock is read once a step
    config = replace(STEPS, steps=0, minutes=4, validate_minutes=1, save_minutes=2, log_steps=1)
    saved, told = [], []
    _, progress = train(
        network(),
        pictures,
        denoise,
        config,
        run="r",
        path=tmp_path / "c",
        validate=lambda net: {"seen": 1.0},
        tell=told.append,
        saved=lambda net, progress: saved.append(progress.step),
        clock=lambda: next(now),
    )
    assert progress.step == 12  # 240 s at 20 s a step
    assert saved == [6, 12]
    assert [entry["minutes"] for entry in progress.log] == [1, 2, 3, 4]
    rates = [line.split("rate ")[1][:8] for line in told if "rate" in line]
    assert (rates[1], rates[-1]) == ("1.97e-02", "7.34e-04")  # of step 2 at 20 s, 12 at 220 s


def test_the_rate_rises_and_falls() -> None:
    config = replace(STEPS, warmup=10, learning_rate=1.0, lowest_rate=0.1)
    assert rate_at(0, 0.0, config) == pytest.approx(0.1)
    assert rate_at(9, 0.0, config) == pytest.approx(1)
    assert rate_at(500, 0.5, config) == pytest.approx(0.55)
    assert rate_at(999, 1.0, config) == pytest.approx(0.1)


def test_a_loss_that_is_no_number_ends_the_run_and_spoils_nothing(tmp_path: Path) -> None:
    def broken(net: Any, clean: Any, draw: Any) -> torch.Tensor:
        return net(clean).mean() * float("nan")

    with pytest.raises(InfillError, match=r"loss of step 1 is nan; lower the learning rate"):
        train(network(), pictures, broken, STEPS, run="r", path=tmp_path / "c")
    assert not (tmp_path / "c").exists()


class TestAverage:
    def test_follows_the_weights_slower_and_slower(self) -> None:
        assert ema.decay_at(0, 0.999) == pytest.approx(0.1)
        assert ema.decay_at(90, 0.999) == pytest.approx(0.91)
        assert ema.decay_at(10**6, 0.999) == 0.999

    def test_moves_by_one_minus_decay_and_copies_counters(self) -> None:
        net = torch.nn.BatchNorm1d(2)
        average = ema.start(net)
        with torch.no_grad():
            net.weight.fill_(3.0)
            net.num_batches_tracked.fill_(7)
        ema.update(average, net, 0.75)
        assert average["weight"].tolist() == pytest.approx([1.5, 1.5])
        assert average["num_batches_tracked"] == 7


class TestCheckpoint:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        train(network(), pictures, denoise, STEPS, run="this run", path=tmp_path / "c.safetensors")
        return tmp_path / "c.safetensors"

    def test_is_plain_data_that_names_what_it_holds(self, path: Path) -> None:
        content = path.read_bytes()
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])  # safetensors: a JSON header, then numbers
        text = header.pop("__metadata__")
        assert text["config"] == "this run"
        assert json.loads(text["state"])["step"] == 12
        assert {name.split(".")[0] for name in header} == {"network", "average", "optimiser"}
        assert "optimiser.0.weight.exp_avg_sq" in header
        assert len(content) == 8 + length + max(v["data_offsets"][1] for v in header.values())

    def read(self, path: Path, run: str = "this run") -> Any:
        net = network()
        optimiser = torch.optim.AdamW(net.parameters())
        return checkpoint.read(path, net, ema.start(net), optimiser, run)

    def test_another_configuration_is_refused(self, path: Path) -> None:
        assert Progress(**self.read(path)).step == 12
        with pytest.raises(MissingWeights, match="another configuration"):
            self.read(path, "another run")

    def test_a_damaged_one_is_refused(self, path: Path) -> None:
        path.write_bytes(path.read_bytes()[:-10])
        with pytest.raises(MissingWeights, match=r"c\.safetensors is no checkpoint, or damaged"):
            self.read(path)

    def test_a_pickle_is_refused(self, path: Path) -> None:
        torch.save({"step": 1}, path)
        with pytest.raises(MissingWeights, match="no checkpoint"):
            self.read(path)

    def test_one_of_another_network_is_refused(self, path: Path) -> None:
        net = torch.nn.Linear(2, 2)
        optimiser = torch.optim.AdamW(net.parameters())
        with pytest.raises(MissingWeights, match="another network"):
            checkpoint.read(path, net, ema.start(net), optimiser, "this run")
