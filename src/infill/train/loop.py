"""The training loop, for every network: what differs comes in as functions.

    batch(step) → pictures;  loss(network, pictures, draw) → scalar;  validate(network) → figures

Everything random follows from the seed and the number of the step (a loss draws from the
generator `draw` alone), so a run that was stopped and resumed ends as one that was not.
"""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from infill.errors import InfillError
from infill.train import checkpoint, ema
from infill.train.config import LoopConfig
from infill.train.workers import Loss, Workers

Net = TypeVar("Net", bound=nn.Module)
Batch = Callable[[int], Tensor]
Validate = Callable[[Net], dict[str, float]]


@dataclass
class Progress:
    """How far a run is; kept in its checkpoint."""

    step: int = 0
    seconds: float = 0.0
    log: list[dict[str, float]] = field(default_factory=list)
    """One entry per look at the held-out photos: step, minutes, learning loss, figures."""


def train(
    network: Net,
    batch: Batch,
    loss: Loss[Net],
    config: LoopConfig,
    *,
    run: str,
    path: Path,
    validate: Validate[Net] | None = None,
    tell: Callable[[str], None] = print,
    saved: Callable[[Net, Progress], None] = lambda network, progress: None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Net, Progress]:
    """Train `network` in place; returns a copy of it with the averaged weights, and the progress.

    run:   the whole configuration as text; a checkpoint of another one is refused.
    path:  the checkpoint. If it is there, the run goes on from it.
    validate: figures of the averaged network; called without gradients.
    saved: called with the averaged network after every checkpoint, the last one included.
    clock: seconds; `config.minutes` are counted by it.

    Raises `InfillError` if the loss is no longer a finite number, and what `checkpoint.read` does.
    """
    optimiser = torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    average, progress = ema.start(network), Progress()
    if path.exists():
        progress = Progress(**checkpoint.read(path, network, average, optimiser, run))
        tell(f"going on from step {progress.step} of {path}")
    averaged = copy.deepcopy(network).eval()
    workers = Workers(network, loss, config)
    begun = clock() - progress.seconds
    looks, saves = (
        Timer(60 * config.validate_minutes, progress.seconds),
        Timer(60 * config.save_minutes, progress.seconds),
    )
    losses: list[float] = []
    pace = Pace(progress.step, progress.seconds)

    while (done := fraction_done(progress, config)) < 1:
        rate = rate_at(progress.step, done, config)
        for group in optimiser.param_groups:
            group["lr"] = rate
        network.train()
        value = workers.gradients(batch(progress.step), progress.step)
        nn.utils.clip_grad_norm_(network.parameters(), config.clip)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        ema.update(average, network, ema.decay_at(progress.step, config.ema))

        losses.append(value)
        progress.step += 1
        progress.seconds = clock() - begun
        if not math.isfinite(losses[-1]):
            raise InfillError(
                f"the loss of step {progress.step} is {losses[-1]}; "
                f"lower the learning rate ({config.learning_rate:g}) and begin anew"
            )
        ended = fraction_done(progress, config) >= 1
        if progress.step % config.log_steps == 0:
            speed = pace.since(progress) * config.batch
            mean = float(np.mean(losses[-config.log_steps :]))
            tell(
                f"step {progress.step}  {progress.seconds / 60:.1f} min  loss {mean:.4f}  "
                f"rate {rate:.2e}  {speed:.0f} pictures/s"
            )
        if validate and (looks.due(progress.seconds) or ended):
            averaged.load_state_dict(average)
            entry = {"step": progress.step, "minutes": round(progress.seconds / 60, 2)}
            with torch.no_grad():
                entry |= {"loss": float(np.mean(losses))} | validate(averaged)
            losses.clear()
            progress.log.append(entry)
            tell("  ".join(f"{name} {figure:.5g}" for name, figure in entry.items()))
        if saves.due(progress.seconds) or ended:
            checkpoint.write(path, network, average, optimiser, asdict(progress), run)
            averaged.load_state_dict(average)
            saved(averaged, progress)
    averaged.load_state_dict(average)
    return averaged, progress


def fraction_done(progress: Progress, config: LoopConfig) -> float:
    """0 at the beginning, 1 or more when the run is to end: by steps, or else by time."""
    if config.steps:
        return progress.step / config.steps
    return progress.seconds / (60 * config.minutes)


def rate_at(step: int, done: float, config: LoopConfig) -> float:
    """The learning rate: up a straight line over `warmup` steps, and by half a cosine from its
    highest at the beginning down to `lowest_rate` of it when `done` is 1."""
    rise = min(1.0, (step + 1) / max(1, config.warmup))
    fall = (1 + math.cos(math.pi * min(1.0, done))) / 2
    return config.learning_rate * rise * (config.lowest_rate + (1 - config.lowest_rate) * fall)


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
