"""The training loop, for every network: what differs comes in as a `Job`.

Everything random follows from the seed and the number of the step, so a run that was stopped and
resumed ends as one that was not, bit for bit on a processor.
"""

import copy
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from infill.errors import InfillError
from infill.train import checkpoint, ema
from infill.train.processes import Alone
from infill.train.report import Report, time_left
from infill.train.tables import OptimiserConfig, RunConfig
from infill.train.turns import NETWORK, Job, Progress, Told
from infill.train.workers import Workers, number_of


def train(
    job: Job,
    run: RunConfig,
    optimiser: OptimiserConfig,
    *,
    path: Path,
    config: str,
    restart: bool = False,
    changed: bool = False,
    report: Report | None = None,
    processes: Alone | None = None,
    stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[nn.Module, Progress]:
    """Train the job's networks in place; returns a copy of the main one with the averaged
    weights, and the progress.

    path:    the checkpoint. If it is there, the run goes on from it, unless it is to `restart`;
             it is written over when there is a new one, and not before.
    config:  the whole configuration as text; a checkpoint of another one is refused unless the
             run may have `changed`.
    stop:    asked after every step; True = keep a checkpoint and return before the end.
    clock:   seconds; `run.minutes` are counted by it.

    Raises `InfillError` if a loss or gradient is no longer finite (the last checkpoint stays as
    it is), and what `checkpoint.read` does.
    """
    report, crew = report or Report(lambda line: None), processes or Alone()
    state = State(job, run, optimiser, path, config, report)
    if path.exists() and not restart:
        state.resume(None if changed else config)
    progress = state.progress
    if is_done(progress, run):
        report.tell("this run is done; --restart begins it anew")
    report.begin(progress.step)
    begun = clock() - progress.seconds
    looks = Timer(60 * run.validate_minutes, progress.seconds)
    saves = Timer(60 * run.save_minutes, progress.seconds)
    workers = Workers(job.networks, run, crew.index)
    stopped = False

    while not (is_done(progress, run) or stopped):
        done = fraction_done(progress, run)
        rate = rate_at(progress.step, done, optimiser)
        torch.manual_seed(number_of(run.seed, progress.step))  # dropout and the like
        batch = job.batch(progress.step)
        for turn in job.turns(progress.step, done):
            learner = job.networks[turn.learns]
            told = workers.gradients(turn, batch, progress.step)
            crew.average(learner)
            norm = nn.utils.clip_grad_norm_(learner.parameters(), optimiser.clip or math.inf)
            state.apply(turn.learns, rate)
            state.note(turn.learns, told, norm)
            batch = batch | told.kept
        state.follow()

        progress.step += 1
        progress.seconds, asked = crew.agree([clock() - begun, float(stop())])
        stopped, ended = bool(asked), is_done(progress, run)
        look, save = looks.due(progress.seconds) or ended, saves.due(progress.seconds)
        tells, save = progress.step % run.log_steps == 0, save or ended or stopped
        state.check(waiting=tells or look or save)
        if crew.main:
            if tells:
                state.tell(rate)
            if look and job.validate:
                state.look(job.validate)
            if save:
                state.save()
    workers.close()
    return state.averaged(), progress


class State:
    """All that changes during a run, and what is done with it between the steps."""

    def __init__(
        self,
        job: Job,
        run: RunConfig,
        optimiser: OptimiserConfig,
        path: Path,
        config: str,
        report: Report,
    ) -> None:
        self.job, self.run, self.optimiser = job, run, optimiser
        self.path, self.config, self.report = path, config, report
        self.optimisers = {
            name: optimiser_of(network, optimiser, job.rates.get(name, 1.0))
            for name, network in job.networks.items()
        }
        self.network = job.networks[NETWORK]
        self.average, self.progress = ema.start(self.network), Progress(photos=job.photos)
        self.copy = copy.deepcopy(self.network)
        self.recent, self.since_look = Means(), Means()
        self.pace, self.health = Pace(0, 0.0), Health(path)
        for network in job.networks.values():
            network.train()

    def resume(self, config: str | None) -> None:
        """Take everything from the checkpoint; `config` None = whatever its configuration was."""
        kept = checkpoint.read(self.path, self.job.networks, self.average, self.optimisers, config)
        for name, value in kept.items():
            setattr(self.progress, name, value)
        self.pace = Pace(self.progress.step, self.progress.seconds)
        self.health.kept = self.progress.step
        self.report.tell(f"going on from step {self.progress.step} of {self.path}")
        if self.progress.photos not in ("", self.job.photos):
            self.report.tell("the photos are not those that it has learnt from so far")
        self.progress.photos = self.job.photos

    def apply(self, name: str, rate: float) -> None:
        """Change a network's weights by its gradients, and forget these."""
        for group in self.optimisers[name].param_groups:
            group["lr"] = rate * self.job.rates.get(name, 1.0)
        self.optimisers[name].step()
        self.optimisers[name].zero_grad(set_to_none=True)

    def note(self, name: str, told: Told, norm: Tensor) -> None:
        """Keep what a turn told, for the log."""
        figures = {f"{name}_loss": told.loss, f"{name}_norm": norm} | told.figures
        self.recent.add(figures)
        self.since_look.add(figures)
        self.health.watch(told.loss + norm)

    def follow(self) -> None:
        """Move the average after the weights."""
        ema.update(self.average, self.network, ema.decay_at(self.progress.step, self.run.ema))

    def check(self, *, waiting: bool) -> None:
        """Raise `InfillError` if something is no longer finite; on a GPU only when one is
        `waiting` for it anyway."""
        if waiting or self.health.cheap:
            self.health.check(self.progress.step, self.optimiser)

    def tell(self, rate: float) -> None:
        """The line of progress, and figures for TensorBoard."""
        speed, means = self.pace.since(self.progress), self.recent.taken()
        self.report.tell(progress_line(self.progress, self.run, means, rate, speed))
        figures = means | {"rate": rate, "pictures per second": speed * self.run.batch}
        self.report.scalars(self.progress.step, figures)

    def look(self, validate: Callable[[nn.Module, int], dict[str, float]]) -> None:
        """Measure the averaged network on held-out photos."""
        progress = self.progress
        entry = {"step": progress.step, "minutes": round(progress.seconds / 60, 2)}
        with torch.no_grad():
            entry |= self.since_look.taken() | validate(self.averaged(), progress.step)
        progress.log.append(entry)
        self.report.look(progress.log)

    def save(self) -> None:
        """Write the checkpoint, and hand the averaged network on."""
        checkpoint.write(
            self.path,
            self.job.networks,
            self.average,
            self.optimisers,
            self.progress.as_dict(),
            self.config,
        )
        self.health.kept = self.progress.step
        self.job.saved(self.averaged(), self.progress)

    def averaged(self) -> nn.Module:
        """The network with the averaged weights."""
        self.copy.load_state_dict(self.average)
        return self.copy.eval()


def optimiser_of(
    network: nn.Module, config: OptimiserConfig, factor: float
) -> torch.optim.Optimizer:
    """Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019) for a network's weights."""
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config.kind]
    betas = (config.betas[0], config.betas[1])
    rate, decay = config.learning_rate * factor, config.weight_decay
    fused = next(network.parameters()).device.type in ("cpu", "cuda")  # one pass over the weights
    return kind(network.parameters(), rate, betas, weight_decay=decay, fused=fused)


def fraction_done(progress: Progress, run: RunConfig) -> float:
    """0 at the beginning, 1 or more when the run is to end: by steps, or else by time."""
    if run.steps:
        return progress.step / run.steps
    return progress.seconds / (60 * run.minutes)


def is_done(progress: Progress, run: RunConfig) -> bool:
    """Whether the run has come to its end, or to the step at which it is to stop."""
    return fraction_done(progress, run) >= 1 or 0 < run.stop_at <= progress.step


def rate_at(step: int, done: float, config: OptimiserConfig) -> float:
    """The learning rate: up a straight line over `warmup` steps, and by half a cosine from its
    highest at the beginning down to `lowest_rate` of it when `done` is 1."""
    rise = min(1.0, (step + 1) / max(1, config.warmup))
    fall = (1 + math.cos(math.pi * min(1.0, done))) / 2
    return config.learning_rate * rise * (config.lowest_rate + (1 - config.lowest_rate) * fall)


def progress_line(
    progress: Progress, run: RunConfig, means: Mapping[str, float], rate: float, speed: float
) -> str:
    """One line: how far, the mean losses since the last one, speed, and time left."""
    if run.steps:
        far, left = f"{progress.step} of {run.steps}", (run.steps - progress.step) / speed
    else:
        far, left = str(progress.step), max(0.0, 60 * run.minutes - progress.seconds)
    losses = "  ".join(f"{name} {value:.4g}" for name, value in means.items())
    return (
        f"step {far}  {progress.seconds / 60:.1f} min  {losses}  rate {rate:.2e}  "
        f"{speed * run.batch:.3g} pictures/s  {time_left(left)} left"
    )


class Health:
    """Whether all is still finite."""

    def __init__(self, path: Path) -> None:
        self.path, self.kept = path, 0
        self.sum: Tensor | None = None
        self.cheap = False
        """Whether a look costs nothing: a GPU would have to be waited for."""

    def watch(self, value: Tensor) -> None:
        """One more value to be finite."""
        self.sum = value if self.sum is None else self.sum + value
        self.cheap = value.device.type == "cpu"

    def check(self, step: int, config: OptimiserConfig) -> None:
        """Raise `InfillError` if one of the values since the last check was not finite."""
        value, self.sum = 0.0 if self.sum is None else float(self.sum), None
        if math.isfinite(value):
            return
        last = f"{self.path} is still that of step {self.kept}" if self.kept else "nothing was kept"
        raise InfillError(
            f"the loss or a gradient of step {step} is {value}; {last}; go on with a learning "
            f"rate below {config.learning_rate:g}, by --set optimiser.learning_rate=... --changed"
        )


class Means:
    """Means of figures, each over the times that it was told; summed where the tensors are."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, figures: Mapping[str, Tensor]) -> None:
        """One more of each."""
        for name, value in figures.items():
            value = value.detach().float()
            self.sums[name] = self.sums[name] + value if name in self.sums else value
            self.counts[name] = self.counts.get(name, 0) + 1

    def taken(self) -> dict[str, float]:
        """The means so far; begins anew."""
        means = {name: float(value) / self.counts[name] for name, value in self.sums.items()}
        self.sums, self.counts = {}, {}
        return means


class Timer:
    """Says when it is time again."""

    def __init__(self, every: float, now: float) -> None:
        self.every, self.next = every, now + every

    def due(self, now: float) -> bool:
        """Whether `every` seconds have passed since it last was."""
        if now < self.next:
            return False
        self.next = now + self.every
        return True


class Pace:
    """Steps per second since it was last asked."""

    def __init__(self, step: int, seconds: float) -> None:
        self.step, self.seconds = step, seconds

    def since(self, progress: Progress) -> float:
        """Steps per second between the last call and this one."""
        steps, seconds = progress.step - self.step, progress.seconds - self.seconds
        self.step, self.seconds = progress.step, progress.seconds
        return steps / max(seconds, 1e-9)
