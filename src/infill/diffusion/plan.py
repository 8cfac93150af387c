"""The walk of RePaint up and down the steps of a diffusion model, as plain numbers.

Lugmayr et al. 2022 ("RePaint: Inpainting using Denoising Diffusion Probabilistic Models", arXiv
2201.09865), section 4.2 and appendix: after some reverse steps the walk jumps back, that is, noise
is added again, and denoises once more, so that what is filled and what is known come to agree.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

PUBLISHED: dict[str, Any] = {"steps": 250, "jump_length": 10, "jump_n_sample": 10}
"""The settings of the paper: 4,570 moves, 2,410 of them calls of the network."""

FAST: dict[str, Any] = {
    "steps": 60,
    "jump_length": 2,
    "jump_n_sample": 9,
    "resample_from": 0.6,
}
"""The cheap plan, less than a tenth of the calls: few steps, short jumps, and none while there is
little but noise, for what comes to agree there is lost again. The one place for these numbers."""


@dataclass(frozen=True)
class Plan:
    """Which steps of the model are kept, and in which order they are gone through.

    steps: how many steps of the model are kept (see `NoiseSchedule.respaced`).
    times: steps from `steps - 1`, the noisiest, to -1, the photo without noise; each differs from
        the last by one. Down is a call of the network, up adds noise.
    eta:   noise of a reverse step as in Song et al. 2021 ("Denoising Diffusion Implicit Models",
        arXiv 2010.02502), equation 16, from 0 (none) to 1 (as much as the posterior has); None
        = the DDPM's own step, with the variance that the model brings.
    """

    steps: int
    times: tuple[int, ...]
    eta: float | None = None

    def __post_init__(self) -> None:
        if not self.times or self.times[0] != self.steps - 1 or self.times[-1] != -1:
            raise ValueError("a plan begins at the noisiest of its steps and ends at -1")
        if any(abs(a - b) != 1 for a, b in pairwise(self.times)):
            raise ValueError("a plan goes from step to step and leaves none out")
        if min(self.times[:-1]) < 0 or max(self.times) >= self.steps:
            raise ValueError(f"a plan of {self.steps} steps stays between 0 and {self.steps - 1}")
        if self.eta is not None and not 0 <= self.eta <= 1:
            raise ValueError(f"eta must be between 0 and 1, not {self.eta}")

    @property
    def calls(self) -> int:
        """How often the network is called."""
        return sum(a > b for a, b in pairwise(self.times))


def resampling_times(
    steps: int,
    jump_length: int = 1,
    jump_n_sample: int = 1,
    *,
    n_sample: int = 1,
    resample_from: float = 0.0,
    resample_until: float = 1.0,
) -> list[int]:
    """The steps to go through, from `steps - 1` to -1.

    At every multiple of `jump_length` that has room for it below the start, the walk goes up
    `jump_length` steps and down again, so that each stretch is gone down `jump_n_sample` times.
    n_sample: each single step is gone down that often, too, by going up one step; not from the
        two noisiest steps.
    resample_from, resample_until: shares of the steps, counted from the noisiest: there is no
        going up before the one and none after the other.

    With the defaults of the last three this is the schedule that the authors published.
    """
    for name, value in (("steps", steps), ("jump_length", jump_length)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    if min(jump_n_sample, n_sample) < 1:
        raise ValueError("each step is gone down at least once: n_sample is 1 or more")
    if not 0 <= resample_from <= resample_until <= 1:
        raise ValueError("resample_from and resample_until are shares, the first no larger")
    highest = steps - 1 - resample_from * steps  # of what a walk up may reach
    lowest = steps - 1 - resample_until * steps  # and where it may begin
    left = dict.fromkeys(range(0, steps - jump_length, jump_length), jump_n_sample - 1)
    times, here = [steps - 1], steps - 1
    while True:
        again = n_sample - 1 if lowest <= here < min(steps - 2, highest) else 0
        times += [here + 1, here] * again
        if left.get(here) and lowest <= here and here + jump_length <= highest:
            left[here] -= 1
            times += range(here + 1, here + jump_length + 1)
            here += jump_length
        here -= 1
        times.append(here)
        if here < 0:
            return times


def published(eta: float | None = None) -> Plan:
    """The plan of the paper: 250 steps, jumps of 10, each stretch 10 times."""
    return make_plan(**PUBLISHED, eta=eta)


def fast() -> Plan:
    """The cheap plan, for most photos; see `FAST`."""
    return make_plan(**FAST)


def make_plan(
    steps: int,
    jump_length: int = 1,
    jump_n_sample: int = 1,
    *,
    n_sample: int = 1,
    resample_from: float = 0.0,
    resample_until: float = 1.0,
    eta: float | None = None,
) -> Plan:
    """A plan of these settings; see `resampling_times` and `Plan`."""
    times = resampling_times(
        steps,
        jump_length,
        jump_n_sample,
        n_sample=n_sample,
        resample_from=resample_from,
        resample_until=resample_until,
    )
    return Plan(steps, tuple(times), eta)


def descent(plan: Plan) -> np.ndarray:
    """(calls,) int: the step that each call of the network starts from."""
    return np.array([a for a, b in pairwise(plan.times) if a > b], np.int64)
