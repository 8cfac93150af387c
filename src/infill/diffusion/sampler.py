"""RePaint: an unconditional diffusion model, made to fill a hole.

Lugmayr et al. 2022, arXiv 2201.09865, algorithm 1. Each reverse step of the model is joined to the
known pixels, diffused to the same noise:

    x_{t-1} = m ⊙ (√ᾱ_{t-1} x_0 + √(1 - ᾱ_{t-1}) z) + (1 - m) ⊙ (µ(x_t, t) + σ_t z)

and now and then noise is added again and the model denoises once more (`plan`). A target picture
is mixed in as `guidance` tells.
"""

from collections.abc import Callable
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from infill.diffusion.guidance import Target
from infill.diffusion.plan import Plan
from infill.diffusion.schedule import NoiseSchedule

if TYPE_CHECKING:
    from infill.diffusion.model import Denoiser

Draw = Callable[[tuple[int, ...]], Tensor]
"""Standard normal noise of a shape, float32, on any device; the only source of randomness."""

Watch = Callable[[int, int, Tensor], None]
"""Called after each call of the network with how many are done, of how many, and its estimate of
the photo without noise, (N, C, H, W) in [-1, 1]. What it raises ends the sampling."""


def repaint(
    denoiser: "Denoiser",
    known: Tensor,
    keep: Tensor,
    plan: Plan,
    draw: Draw,
    *,
    target: Target | None = None,
    on_step: Watch | None = None,
) -> Tensor:
    """`known` with the rest filled by the model: (N, C, H, W) float32, about [-1, 1].

    known: (N, C, H, W) float32 in [-1, 1]; what it holds where `keep` is 0 does not matter.
    keep:  (N, 1, H, W) or (1, 1, H, W) float32 in [0, 1]: 1 = known, 0 = hole; between them both
        are mixed at every step, in that share (the heated mask).
    plan:  the steps to go through.
    draw:  where the noise comes from. It is asked for one noise of known's shape at the start,
        one for each reverse step that adds noise, and one for each way up: a jump of k steps is
        one draw from q(x_{t+k} | x_t), which is what k single steps come to.
    target: mixed in where it has weight; λ goes with the noise level, so that it rises again
        when the walk jumps back.

    Raises what `on_step` raises, and `ValueError` for shapes or lengths that do not fit.
    """
    _check(denoiser, known, keep, plan, target)
    schedule = denoiser.schedule.respaced(plan.steps)

    def noise() -> Tensor:
        return draw(tuple(known.shape)).to(known)

    scene = torch.where(keep > 0, known, 0)  # nothing that lies in the hole may get out, NaN even
    sample, done = noise(), 0
    with torch.no_grad():
        for start, end in legs(plan):
            if end > start:
                sample = diffuse(sample, schedule.bar(end) / schedule.bar(start), noise())
                continue
            clean, mean, deviation = reverse(denoiser, schedule, sample, start, plan.eta)
            fresh = noise() if end >= 0 else torch.zeros_like(mean)
            own = mean + deviation * fresh
            bar = schedule.bar(end)
            if target is not None:
                share = float(target.lambdas[plan.steps - 1 - start]) * target.weight
                own = torch.lerp(own, diffuse(target.pixels, bar, fresh), share)
            sample = torch.lerp(own, diffuse(scene, bar, fresh), keep)
            done += 1
            if on_step is not None:
                on_step(done, plan.calls, torch.lerp(clean, scene, keep))
    return sample


def legs(plan: Plan) -> list[tuple[int, int]]:
    """The plan's moves (from, to): each step down on its own, steps up in a row as one."""
    moves: list[tuple[int, int]] = []
    for start, end in pairwise(plan.times):
        if end > start and moves and moves[-1][1] > moves[-1][0]:
            moves[-1] = (moves[-1][0], end)
        else:
            moves.append((start, end))
    return moves


def diffuse(clean: Tensor, bar: float, noise: Tensor) -> Tensor:
    """√bar · clean + √(1 - bar) · noise: q(x_t | x_0) with bar = ᾱ_t (Ho et al., equation 4)."""
    return sqrt(bar) * clean + sqrt(1.0 - bar) * noise


def reverse(
    denoiser: "Denoiser",
    schedule: NoiseSchedule,
    sample: Tensor,
    step: int,
    eta: float | None = None,
) -> tuple[Tensor, Tensor, Tensor | float]:
    """One reverse step from `step`: (x_0 estimate, mean µ of x_{t-1}, standard deviation σ).

    The estimate is (x_t - √(1 - ᾱ_t) ε) / √ᾱ_t, clipped as the schedule says (Ho et al., equation
    15). With eta None, µ is the posterior's mean for it (equation 7) and σ the model's; at step 0
    there is no noise. Otherwise µ and σ are those of DDIM (Song et al. 2021, equations 12 and 16),
    with ε taken from the clipped estimate.
    """
    times = torch.full((len(sample),), int(schedule.timesteps[step]), device=sample.device)
    eps, value = denoiser(sample, times)
    bar, before = schedule.bar(step), schedule.bar(step - 1)
    clean = (sample - sqrt(1.0 - bar) * eps) / sqrt(bar)
    if schedule.clip is not None:
        clean = clean.clamp(-schedule.clip, schedule.clip)
    if eta is None:
        mean = float(schedule.from_clean[step]) * clean + float(schedule.from_noisy[step]) * sample
        return clean, mean, _deviation(schedule, step, value)
    sigma = eta * sqrt(float(schedule.posterior_variance[step]))
    eps = (sample - sqrt(bar) * clean) / sqrt(1.0 - bar)
    mean = sqrt(before) * clean + sqrt(max(0.0, 1.0 - before - sigma**2)) * eps
    return clean, mean, sigma


def _deviation(schedule: NoiseSchedule, step: int, value: Tensor | None) -> Tensor | float:
    """σ of a DDPM step, 0 at step 0; `value` is what the network says about it, if it does.

    "learned_range": σ² = exp(v ln β + (1 - v) ln β̃) with v = (value + 1) / 2 (Nichol and
    Dhariwal 2021, equation 15). "learned": value = ln σ².
    """
    if step == 0:
        return 0.0
    if schedule.variance == "fixed_small":
        return sqrt(float(schedule.posterior_variance[step]))
    if schedule.variance == "fixed_large":
        return sqrt(float(schedule.betas[step]))
    if value is None:
        raise ValueError("this schedule's variance is learned, but the network says none")
    if schedule.variance == "learned":
        return torch.exp(0.5 * value)
    low = float(schedule.smallest_log[step])
    high = float(torch.tensor(schedule.betas[step], dtype=torch.float64).log())
    return torch.exp(0.5 * (low + (value + 1.0) / 2.0 * (high - low)))


def _check(
    denoiser: "Denoiser", known: Tensor, keep: Tensor, plan: Plan, target: Target | None
) -> None:
    count, channels, height, width = known.shape
    if channels != denoiser.channels:
        raise ValueError(f"the model has {denoiser.channels} channels, not {channels}")
    if keep.shape not in {(count, 1, height, width), (1, 1, height, width)}:
        raise ValueError(f"keep has shape {tuple(keep.shape)}, which does not fit {known.shape}")
    if target is not None and len(target.lambdas) != plan.steps:
        raise ValueError(
            f"the target has {len(target.lambdas)} weights, the plan {plan.steps} steps"
        )
