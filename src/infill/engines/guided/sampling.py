"""Guided filling with a diffusion model of pixels: RePaint with a target."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from infill.engines.base import Progress
from infill.engines.guided.guide import Guide
from infill.engines.guided.options import Options
from infill.engines.repaint import EXTRA, denoiser_of, notes_of, plan_of, watcher
from infill.errors import EngineFailed
from infill.lazy import need

if TYPE_CHECKING:
    from infill.diffusion.model import Denoiser

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Task:
    """One picture to be made, and the noise for it.

    scene: (H, W, 3) float32 in [0, 1]. mask: (H, W) bool, True = hole.
    """

    scene: Floats
    mask: Mask
    guide: Guide
    rng: np.random.Generator


@dataclass(frozen=True, eq=False)
class Made:
    """Pictures (H, W, 3) float32 in [0, 1], as many as there were tasks.

    notes, weights: as in `infill.engines.base.Filled`.
    """

    pictures: list[Floats]
    notes: tuple[str, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)


def sample(tasks: Sequence[Task], options: Options, progress: Progress) -> Made:
    """A picture for each task, by the model that the options name; all in one batch.

    Where the device's memory is too small for that they are made one by one, with the same
    noise, and a note says so. Raises `MissingWeights`, `EngineFailed`.
    """
    denoiser, device = denoiser_of(options)

    def run(some: Sequence[Task], told: Progress) -> list[Floats]:
        return guided(denoiser, device, some, options, told)

    pictures, notes = all_or_one_by_one(tasks, run, progress)
    return Made(pictures, (*notes, *notes_of(denoiser)), denoiser.sha256)


def guided(
    denoiser: "Denoiser",
    device: str,
    tasks: Sequence[Task],
    options: Options,
    progress: Progress,
) -> list[Floats]:
    """The pictures of one batch; see `infill.diffusion.sampler.repaint` for the equations.

    With no weight of the target at any step this is RePaint, bit for bit.
    """
    from infill.diffusion import running
    from infill.diffusion.guidance import Target, heated, lambdas
    from infill.diffusion.sampler import repaint

    torch = need("torch", extra=EXTRA)
    plan = plan_of(options)
    weights = lambdas(options.lambda_kind, options.lambda_start, options.lambda_until, plan.steps)
    target = None
    if weights.any():
        where = [running.to_weight(task.guide.where, device) for task in tasks]
        target = Target(
            running.to_tensor([task.guide.pixels for task in tasks], device),
            torch.cat(where),
            weights,
        )
    warm = [heated(task.mask, options.heat_width, options.heat_passes) for task in tasks]
    with running.threads():
        found = repaint(
            denoiser,
            running.to_tensor([task.scene for task in tasks], device),
            torch.cat([running.to_weight(1 - one, device) for one in warm]),
            plan,
            running.drawer([task.rng for task in tasks], device),
            target=target,
            on_step=watcher(progress),
        )
        return [running.to_picture(one) for one in found]


def all_or_one_by_one(
    tasks: Sequence[Task],
    run: Callable[[Sequence[Task], Progress], list[Floats]],
    progress: Progress,
) -> tuple[list[Floats], tuple[str, ...]]:
    """What `run` makes of all tasks at once, or of one after the other if memory is short.

    Returns the pictures and notes. Raises `EngineFailed` if there is no memory even for one.
    """
    short = need("torch", extra=EXTRA).OutOfMemoryError
    before = copy.deepcopy([task.rng.bit_generator.state for task in tasks])
    try:
        return run(tasks, progress), ()
    except short as error:
        if len(tasks) == 1:
            raise EngineFailed(
                "the device's memory is too small for this model; set device to cpu"
            ) from error
    pictures = []
    for index, task in enumerate(tasks):
        task.rng.bit_generator.state = before[index]
        pictures += run([task], part_of(progress, index, len(tasks)))
    return pictures, ("the device ran out of memory, so the candidates were made one by one",)


def part_of(progress: Progress, index: int, count: int) -> Progress:
    """`progress` of one of `count` pieces of work as progress of all; previews go through."""

    def report(fraction: float, stage: str) -> None:
        progress((index + fraction) / count, stage)

    show = getattr(progress, "preview", None)
    if show is not None:
        report.preview = show  # type: ignore[attr-defined]
    return report
