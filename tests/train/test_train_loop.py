"""The loop on tiny networks: it learns, ends in time, and goes on as if it had not stopped."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from infill.errors import InfillError, MissingWeights
from infill.train import checkpoint, ema
from infill.train.loop import optimiser_of, progress_line, rate_at, train
from infill.train.processes import Alone
from infill.train.report import Report, time_left
from infill.train.tables import OptimiserConfig, RunConfig
from infill.train.turns import NETWORK, Batch, Job, Networks, Progress, Told, Turn
from infill.train.workers import Workers

RUN = RunConfig(seed=5, batch=6, steps=12, ema=0.9, precision="fp32", log_steps=4)
RATES = OptimiserConfig(learning_rate=0.02, warmup=2)


def network(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1),
        torch.nn.GroupNorm(2, 4),
        torch.nn.SiLU(),
        torch.nn.Conv2d(4, 1, 3, padding=1),
    )


def pictures(step: int) -> Batch:
    return {"photo": torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(step))}


def denoise(networks: Networks, batch: Batch, draw: torch.Generator) -> Told:
    """Mean square error of the picture made from a noisy one: needs the data and the draw."""
    clean = batch["photo"]
    noisy = clean + 0.1 * torch.randn(clean.shape, generator=draw)
    return Told((networks[NETWORK](noisy) - clean).square().mean())


def job(net: torch.nn.Module, **changes: Any) -> Job:
    turns = [Turn(NETWORK, changes.pop("loss", denoise))]
    whole = {"networks": {NETWORK: net}, "batch": pictures, "turns": lambda step, done: turns}
    return Job(**(whole | changes))


def run(
    net: torch.nn.Module,
    path: Path,
    config: RunConfig = RUN,
    rates: OptimiserConfig = RATES,
    *,
    tell: Callable[[str], None] = lambda line: None,
    identity: str = "r",
    loop: dict[str, Any] | None = None,
    **changes: Any,
) -> tuple[torch.nn.Module, Progress]:
    return train(
        job(net, **changes),
        config,
        rates,
        path=path,
        config=identity,
        report=Report(tell),
        **(loop or {}),
    )


def weights(net: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten() for value in net.state_dict().values()]).clone()


class Stop(Exception):
    """What stands for a process that is killed."""


def stopping_at(step: int) -> Any:
    def batch(at: int) -> Batch:
        if at == step:
            raise Stop
        return pictures(at)

    return batch


@pytest.mark.parametrize("workers", [1, 2])
def test_resumed_is_the_same_bit_for_bit(tmp_path: Path, workers: int) -> None:
    config = replace(RUN, workers=workers, save_minutes=1 / 60, validate_minutes=1e9)
    whole = network()
    average, _ = run(whole, tmp_path / "whole", config)

    parted, path, ticks = network(), tmp_path / "parted", iter(range(1000))
    with pytest.raises(Stop):  # a save every second by this clock: after every step but the first
        run(parted, path, config, batch=stopping_at(7), loop={"clock": lambda: next(ticks)})
    other = network(seed=99)  # its weights come from the checkpoint
    resumed, progress = run(other, path, config)
    assert progress.step == 12
    assert torch.equal(weights(other), weights(whole))
    assert torch.equal(weights(resumed), weights(average))
    assert not torch.equal(weights(resumed), weights(other))


def test_a_leg_ends_with_a_checkpoint_to_go_on_from(tmp_path: Path) -> None:
    whole, parted = network(), network()
    run(whole, tmp_path / "whole")
    for leg in range(1, 4):
        asked = iter([False] * 4 + [True] * 9)
        _, progress = run(parted, tmp_path / "c", loop={"stop": lambda asked=asked: next(asked)})
        assert progress.step == min(5 * leg, 12)
        if leg < 3:
            parted = network(seed=leg)
    assert torch.equal(weights(parted), weights(whole))


def test_a_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    average, _ = run(network(), tmp_path / "c")
    asked: list[int] = []

    def batch(step: int) -> Batch:
        asked.append(step)
        return pictures(step)

    again, progress = run(network(1), tmp_path / "c", batch=batch)
    assert not asked
    assert progress.step == 12
    assert torch.equal(weights(again), weights(average))


def error(networks: Networks, batch: Batch, draw: Any) -> Told:
    made = networks[NETWORK](batch["photo"])
    loss = (made - batch["photo"]).square().mean()
    return Told(loss, {"error": loss.detach()}, {"made": made.detach()})


@pytest.mark.parametrize(
    ("workers", "accumulate"), [(1, 1), (2, 1), (4, 1), (1, 3), (1, 4), (2, 2), (1, 6)]
)
def test_parts_give_the_gradient_of_the_whole_batch(workers: int, accumulate: int) -> None:
    """4 parts do not divide 6 pictures evenly."""
    net, batch = network(), pictures(0)
    value = error({NETWORK: net}, batch, None)
    value.loss.backward()
    expected = [weight.grad.clone() for weight in net.parameters()]
    net.zero_grad()
    config = replace(RUN, workers=workers, accumulate=accumulate)
    told = Workers({NETWORK: net}, config).gradients(Turn(NETWORK, error), batch, 0)
    assert told.loss.item() == pytest.approx(value.loss.item(), abs=1e-6)
    assert told.figures["error"].item() == pytest.approx(value.loss.item(), abs=1e-6)
    torch.testing.assert_close(told.kept["made"], value.kept["made"], rtol=0, atol=1e-6)
    for weight, grad in zip(net.parameters(), expected, strict=True):
        torch.testing.assert_close(weight.grad, grad, rtol=0, atol=1e-6)


def test_accumulation_trains_as_the_larger_batch_does(tmp_path: Path) -> None:
    results = []
    for accumulate in (1, 3):
        net = network()
        config = replace(RUN, accumulate=accumulate)
        run(net, tmp_path / str(accumulate), config, loss=error)
        results.append(weights(net))
    torch.testing.assert_close(results[0], results[1], rtol=0, atol=1e-5)


def test_each_worker_draws_its_own_noise_and_each_step_another() -> None:
    drawn = []

    def record(networks: Networks, batch: Batch, draw: Any) -> Told:
        drawn.append(torch.rand(1, generator=draw).item())
        return Told(networks[NETWORK](batch["photo"]).mean())

    workers = Workers({NETWORK: network()}, replace(RUN, workers=2))
    workers.gradients(Turn(NETWORK, record), pictures(0), 0)
    workers.gradients(Turn(NETWORK, record), pictures(0), 1)
    assert len(set(drawn)) == 4


@pytest.mark.parametrize("workers", [1, 2])
def test_only_the_network_whose_turn_it_is_learns(workers: int) -> None:
    nets = {NETWORK: network(), "other": network(1)}

    def both(networks: Networks, batch: Batch, draw: Any) -> Told:
        return Told(networks["other"](networks[NETWORK](batch["photo"])).mean())

    crew = Workers(nets, replace(RUN, workers=workers))
    for learns, rests in ((NETWORK, "other"), ("other", NETWORK)):
        crew.gradients(Turn(learns, both), pictures(0), 0)
        assert all(weight.grad is not None for weight in nets[learns].parameters())
        assert all(weight.grad is None for weight in nets[rests].parameters())
        nets[learns].zero_grad()


def test_learns_a_tiny_set(tmp_path: Path) -> None:
    photos = pictures(0)
    config = replace(RUN, steps=120)
    told: list[str] = []

    def measured(net: torch.nn.Module) -> float:
        draw = torch.Generator().manual_seed(9)
        return denoise({NETWORK: net}, photos, draw).loss.item()

    _, progress = run(
        network(),
        tmp_path / "c",
        config,
        replace(RATES, warmup=10, clip=10.0),
        batch=lambda step: photos,
        validate=lambda net, step: {"error": measured(net)},
        tell=told.append,
    )
    assert progress.log[-1]["error"] < measured(network()) / 4
    assert sum(line.startswith("step ") for line in told) == 120 // 4 + 1


def test_time_ends_the_run_and_sets_the_looks_saves_and_the_rate(tmp_path: Path) -> None:
    now = iter(range(0, 10_000, 20))  # seconds; the clock is read once a step
    config = replace(RUN, steps=0, minutes=4, validate_minutes=1, save_minutes=2, log_steps=1)
    saved, told = [], []
    _, progress = run(
        network(),
        tmp_path / "c",
        config,
        validate=lambda net, step: {"seen": 1.0},
        tell=told.append,
        saved=lambda net, progress: saved.append(progress.step),
        loop={"clock": lambda: next(now)},
    )
    assert progress.step == 12  # 240 s at 20 s a step
    assert saved == [6, 12]
    assert [entry["minutes"] for entry in progress.log] == [1, 2, 3, 4]
    rates = [line.split("rate ")[1][:8] for line in told if "rate" in line]
    assert (rates[1], rates[-1]) == ("1.97e-02", "7.34e-04")  # of step 2 at 20 s, 12 at 220 s


def test_the_line_of_progress_tells_speed_and_time_left() -> None:
    line = progress_line(Progress(30, 60.0), replace(RUN, steps=90), {"l1": 0.5}, 1e-3, 0.5)
    assert line == "step 30 of 90  1.0 min  l1 0.5  rate 1.00e-03  3 pictures/s  2 min left"
    line = progress_line(Progress(30, 60.0), replace(RUN, steps=0, minutes=2.0), {}, 1e-3, 0.5)
    assert line.endswith("60 s left")
    assert time_left(4000) == "67 min"
    assert time_left(3 * 3600 + 300) == "3 h 05 min"


def test_the_rate_rises_and_falls() -> None:
    config = replace(RATES, warmup=10, learning_rate=1.0, lowest_rate=0.1)
    assert rate_at(0, 0.0, config) == pytest.approx(0.1)
    assert rate_at(9, 0.0, config) == pytest.approx(1)
    assert rate_at(500, 0.5, config) == pytest.approx(0.55)
    assert rate_at(999, 1.0, config) == pytest.approx(0.1)


class TestNotFinite:
    @staticmethod
    def broken_from(step: int, what: float) -> Any:
        def batch(at: int) -> Batch:
            return {"photo": pictures(at)["photo"] * (what if at >= step else 1.0)}

        return batch

    @pytest.mark.parametrize("what", [float("nan"), float("inf")])
    def test_ends_the_run_and_spoils_nothing(self, tmp_path: Path, what: float) -> None:
        with pytest.raises(InfillError, match=r"of step 1 is nan; nothing was kept; .*below 0\.02"):
            run(network(), tmp_path / "c", batch=self.broken_from(0, what))
        assert not (tmp_path / "c").exists()

    def test_the_last_good_checkpoint_stays(self, tmp_path: Path) -> None:
        ticks, config = iter(range(1000)), replace(RUN, save_minutes=1 / 60)
        with pytest.raises(InfillError, match=r"of step 8 is nan; .* is still that of step 7"):
            run(
                network(),
                tmp_path / "c",
                config,
                batch=self.broken_from(7, float("nan")),
                loop={"clock": lambda: next(ticks)},
            )
        net = network(9)
        _, progress = run(net, tmp_path / "c", replace(RUN, steps=9))
        assert progress.step == 9
        assert torch.isfinite(weights(net)).all()


def test_several_processes_average_and_share(tmp_path: Path) -> None:
    """One process stands for two: it gets half of the places, and its gradients are halved."""

    class Half(Alone):
        count = 2

        def average(self, network: torch.nn.Module) -> None:
            for weight in network.parameters():
                weight.grad *= 0.5

    assert list(Half().share(6)) == [0, 1, 2]
    with pytest.raises(InfillError, match="multiple of the 2 processes, not 5"):
        Half().share(5)
    seen = []

    def watch(networks: Networks, batch: Batch, draw: Any) -> Told:
        return denoise(networks, batch, draw)

    for crew in (Alone(), Half()):
        net = network()
        config, rates = replace(RUN, steps=1), replace(RATES, clip=0.0, kind="adam", weight_decay=0)
        run(net, tmp_path / str(crew.count), config, rates, loss=watch, loop={"processes": crew})
        seen.append(weights(net))
    torch.testing.assert_close(seen[0], seen[1], rtol=0, atol=1e-5)  # Adam knows no scale


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
        run(network(), tmp_path / "c.safetensors", identity="this run")
        return tmp_path / "c.safetensors"

    def test_is_plain_data_that_names_what_it_holds(self, path: Path) -> None:
        content = path.read_bytes()
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])  # safetensors: a JSON header, then numbers
        text = header.pop("__metadata__")
        assert text["config"] == "this run"
        assert json.loads(text["state"])["step"] == 12
        assert {name.split(".")[0] for name in header} == {"network", "average"}
        assert "network.optimiser.0.weight.exp_avg_sq" in header
        assert "network.weights.0.weight" in header
        assert len(content) == 8 + length + max(v["data_offsets"][1] for v in header.values())

    def read(self, path: Path, identity: str | None = "this run", *more: str) -> Any:
        nets = {name: network() for name in (NETWORK, *more)}
        learners = {name: optimiser_of(net, RATES, 1.0) for name, net in nets.items()}
        return checkpoint.read(path, nets, ema.start(nets[NETWORK]), learners, identity)

    def test_another_configuration_is_refused_unless_it_may_have_changed(self, path: Path) -> None:
        assert Progress(**self.read(path)).step == 12
        with pytest.raises(MissingWeights, match="another configuration"):
            self.read(path, "another run")
        assert self.read(path, None)["step"] == 12

    def test_a_network_that_it_lacks_begins_anew_if_the_run_has_changed(self, path: Path) -> None:
        with pytest.raises(MissingWeights, match="of another network"):
            self.read(path, "this run", "discriminator")
        assert self.read(path, None, "discriminator")["step"] == 12

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
        learners = {NETWORK: torch.optim.AdamW(net.parameters())}
        with pytest.raises(MissingWeights, match="another network"):
            checkpoint.read(path, {NETWORK: net}, ema.start(net), learners, "this run")
