"""Guided filling with a diffusion model of pixels: RePaint with a target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from infill.engines.base import Progress
from infill.engines.guided.guide import Guide
from infill.engines.guided.options import Options
from infill.engines.repaint import (
    EXTRA,
    all_or_one_by_one,
    denoiser_of,
    notes_of,
    plan_of,
    watcher,
)
from infill.errors import Drifted
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
class Candidate:
    """What was made of one task.

    pixels: (H, W, 3) float32 in [0, 1]. notes: what is true of this candidate.
    refused: why it must not be used, if so.
    """

    pixels: Floats
    notes: tuple[str, ...] = ()
    refused: Drifted | None = None


@dataclass(frozen=True, eq=False)
class Made:
    """As many candidates as there were tasks. weights: as in `infill.engines.base.Filled`."""

    candidates: list[Candidate]
    weights: Mapping[str, str] = field(default_factory=dict)


def sample(tasks: Sequence[Task], options: Options, progress: Progress) -> Made:
    """A picture for each task, by the model that the options name; all in one batch.

    Where the device's memory is too small for that they are made one by one, with the same
    noise, and a note says so. Raises `MissingWeights`, `EngineFailed`.
    """
    denoiser, device = denoiser_of(options)

    def run(some: slice, told: Progress) -> list[Floats]:
        return guided(denoiser, device, tasks[some], options, told)

    pictures, notes = all_or_one_by_one([task.rng for task in tasks], run, progress, device)
    whole = (*notes, *notes_of(denoiser))
    return Made([Candidate(picture, whole) for picture in pictures], denoiser.sha256)


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
