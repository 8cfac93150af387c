"""The sampler against the papers' formulas, stated once more in plain float64 NumPy.

Nothing here uses the package's schedules: β, ᾱ and all that follows are computed on the spot.
"""

from typing import ClassVar

import numpy as np
import pytest
import torch

from infill.diffusion import plan as plans
from infill.diffusion.guidance import Target, lambdas
from infill.diffusion.plan import make_plan
from infill.diffusion.sampler import repaint, reverse
from infill.diffusion.schedule import NoiseSchedule

STEPS = 250
KEPT = np.round(np.linspace(0, 999, STEPS)).astype(int)
WHOLE = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
BARS = WHOLE[KEPT]
SHAPE = (2, 3, 4, 5)


class Told:
    """A network that answers with what it was made with."""

    channels, side = 3, 4
    sha256: ClassVar[dict[str, str]] = {}

    def __init__(self, eps: np.ndarray, value: np.ndarray | None, schedule: NoiseSchedule) -> None:
        self.eps, self.value, self.schedule = eps, value, schedule
        self.times: list[int] = []

    def __call__(
        self, x: torch.Tensor, t: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        self.times += t.tolist()
        value = None if self.value is None else torch.from_numpy(self.value)
        return torch.from_numpy(self.eps).to(x), value


def stated(
    x: np.ndarray, eps: np.ndarray, value: np.ndarray | None, t: int, kind: str, clip: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x_0, mean and standard deviation of a DDPM step from t (Ho et al. 2020, equations 7, 15)."""
    bar, before = BARS[t], BARS[t - 1] if t else 1.0
    alpha = bar / before
    beta = 1 - alpha
    x0 = x / np.sqrt(bar) - np.sqrt(1 / bar - 1) * eps
    if clip:
        x0 = np.minimum(np.maximum(x0, -1), 1)
    mean = (np.sqrt(before) * beta * x0 + np.sqrt(alpha) * (1 - before) * x) / (1 - bar)
    small = (1 - before) / (1 - bar) * beta
    if kind == "learned_range":
        share = (value + 1) / 2
        if t == 0:
            return x0, mean, np.zeros_like(x)
        variance = beta**share * small ** (1 - share)
    elif kind == "learned":
        variance = np.exp(value) if t else 0 * x
    else:
        variance = np.full_like(x, small if kind == "fixed_small" or t == 0 else beta)
    return x0, mean, np.sqrt(variance)


@pytest.mark.parametrize("kind", ["fixed_small", "fixed_large", "learned_range", "learned"])
@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize("t", [0, 1, 2, 117, 248, 249])
def test_one_ddpm_step(kind: str, clip: bool, t: int) -> None:
    rng = np.random.default_rng(t)
    x, eps = rng.standard_normal((2, *SHAPE))
    value = rng.uniform(-1, 1, SHAPE) if kind.startswith("learned") else None
    schedule = NoiseSchedule.linear(variance=kind, clip=1.0 if clip else None)
    told = Told(eps, value, schedule)
    found = reverse(told, schedule.respaced(STEPS), torch.from_numpy(x), t)
    expected = stated(x, eps, value, t, kind, clip)
    assert told.times == [KEPT[t]] * 2
    for ours, theirs in zip(found, expected, strict=True):
        assert np.abs(np.asarray(ours) - theirs).max() < 1e-6 * max(1, np.abs(theirs).max())


@pytest.mark.parametrize("t", [0, 1, 60, 249])
@pytest.mark.parametrize("kind", ["fixed_small", "learned_range"])
def test_one_ddpm_step_in_the_precision_that_is_used(kind: str, t: int) -> None:
    rng = np.random.default_rng(t)
    bar = BARS[t]
    x0, eps = rng.uniform(-0.9, 0.9, SHAPE), rng.standard_normal(SHAPE)
    x = (np.sqrt(bar) * x0 + np.sqrt(1 - bar) * eps).astype(np.float32)
    eps, value = eps.astype(np.float32), rng.uniform(-1, 1, SHAPE).astype(np.float32)
    schedule = NoiseSchedule.linear(variance=kind)
    told = Told(eps, value, schedule)
    _, mean, sigma = reverse(told, schedule.respaced(STEPS), torch.from_numpy(x), t)
    expected = stated(x.astype(float), eps.astype(float), value.astype(float), t, kind, True)
    assert mean.dtype == torch.float32
    assert np.abs(mean.numpy() - expected[1]).max() < 1e-6
    assert np.abs(np.asarray(sigma) - expected[2]).max() < 1e-6


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("t", [0, 1, 117, 249])
def test_one_ddim_step(eta: float, t: int) -> None:
    """Song et al. 2021, equations 12 and 16, with ε of the clipped estimate."""
    rng = np.random.default_rng(t)
    x, eps = rng.standard_normal((2, *SHAPE))
    bar, before = BARS[t], BARS[t - 1] if t else 1.0
    x0 = np.clip((x - np.sqrt(1 - bar) * eps) / np.sqrt(bar), -1, 1)
    again = (x - np.sqrt(bar) * x0) / np.sqrt(1 - bar)
    sigma = eta * np.sqrt((1 - before) / (1 - bar)) * np.sqrt(1 - bar / before)
    mean = np.sqrt(before) * x0 + np.sqrt(1 - before - sigma**2) * again
    schedule = NoiseSchedule.linear()
    found = reverse(
        Told(eps, None, schedule), schedule.respaced(STEPS), torch.from_numpy(x), t, eta
    )
    for ours, theirs in zip(found, (x0, mean, sigma), strict=True):
        assert np.abs(np.asarray(ours) - theirs).max() < 1e-6


def test_ddim_with_all_its_noise_is_the_ddpm_step() -> None:
    rng = np.random.default_rng(0)
    x, eps = rng.standard_normal((2, *SHAPE))
    schedule = NoiseSchedule.linear().respaced(STEPS)
    told = Told(eps, None, schedule)
    plain = reverse(told, schedule, torch.from_numpy(x), 100)
    implicit = reverse(told, schedule, torch.from_numpy(x), 100, 1.0)
    for one, other in zip(plain, implicit, strict=True):
        assert np.allclose(one, other, atol=1e-9)


class Matrix:
    """A network that mixes neighbouring columns, in float64: ε = x M."""

    channels, side = 3, 5
    sha256: ClassVar[dict[str, str]] = {}
    matrix = np.eye(5) * 0.5 + np.eye(5, k=1) * 0.3 - np.eye(5, k=-2) * 0.2

    def __init__(self, schedule: NoiseSchedule) -> None:
        self.schedule = schedule

    def __call__(self, x: torch.Tensor, t: torch.Tensor) -> tuple[torch.Tensor, None]:
        return x @ torch.from_numpy(self.matrix).to(x), None


def test_a_whole_walk_with_a_target() -> None:
    """Algorithm 1 of RePaint with the mask conflict resolved, step by step, jumps included.

    λ belongs to the noise level: after a jump up it is again what it was there.
    """
    rng = np.random.default_rng(3)
    scene, target = rng.uniform(-1, 1, (2, *SHAPE))
    keep = np.zeros((1, 1, 4, 5))
    keep[..., :2] = 1
    keep[..., 2] = 0.5
    weight = np.array([0, 0, 0, 1, 0.5]).reshape(1, 1, 1, 5) * np.ones((1, 1, 4, 1))
    plan = make_plan(9, 3, 3)
    fall = lambdas("linear", 0.8, 0.7, 9)
    noises: list[np.ndarray] = []

    def draw(shape: tuple[int, ...]) -> torch.Tensor:
        noises.append(rng.standard_normal(shape))
        return torch.from_numpy(noises[-1])

    schedule = NoiseSchedule.linear(1000)
    aim = Target(torch.from_numpy(target), torch.from_numpy(weight), fall)
    found = repaint(
        Matrix(schedule), torch.from_numpy(scene), torch.from_numpy(keep), plan, draw, target=aim
    ).numpy()

    bars = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[
        np.round(np.linspace(0, 999, 9)).astype(int)
    ]
    left = iter(noises)
    x, place = next(left), 0
    times = list(plan.times)
    while place + 1 < len(times):
        t = times[place]
        if times[place + 1] > t:  # as far up as it goes, at once
            top = place
            while times[top + 1] > times[top]:
                top += 1
            ratio = bars[times[top]] / bars[t]
            x, place = np.sqrt(ratio) * x + np.sqrt(1 - ratio) * next(left), top
            continue
        bar, before = bars[t], bars[t - 1] if t else 1.0
        x0 = np.clip((x - np.sqrt(1 - bar) * (x @ Matrix.matrix)) / np.sqrt(bar), -1, 1)
        beta = 1 - bar / before
        mean = np.sqrt(before) * beta / (1 - bar) * x0
        mean = mean + np.sqrt(1 - beta) * (1 - before) / (1 - bar) * x
        z = next(left) if t else np.zeros(SHAPE)
        own = mean + np.sqrt(beta * (1 - before) / (1 - bar)) * z
        share = weight * 0.8 * max(0, 1 - (8 - t) / (0.7 * 9))
        own = share * (np.sqrt(before) * target + np.sqrt(1 - before) * z) + (1 - share) * own
        x = keep * (np.sqrt(before) * scene + np.sqrt(1 - before) * z) + (1 - keep) * own
        place += 1
    assert next(left, None) is None, "it drew more noise than it used"
    assert np.abs(found - x).max() < 1e-6


def test_known_pixels_are_noised_as_much_as_the_step_says() -> None:
    """What the network sees of the known region at step t has mean √ᾱ x_0 and variance 1 - ᾱ."""
    seen: dict[int, list[np.ndarray]] = {}

    class Spy(Matrix):
        def __call__(self, x: torch.Tensor, t: torch.Tensor) -> tuple[torch.Tensor, None]:
            seen.setdefault(int(t[0]), []).append(x.numpy().copy())
            return torch.zeros_like(x), None

    rng = np.random.default_rng(0)
    known = torch.full((1, 3, 40, 5), 0.5, dtype=torch.float64)
    keep = torch.ones(1, 1, 40, 5, dtype=torch.float64)
    plan = make_plan(6, 2, 10)
    repaint(
        Spy(NoiseSchedule.linear()),
        known,
        keep,
        plan,
        lambda s: torch.from_numpy(rng.standard_normal(s)),
    )
    assert plan.calls == sum(len(values) for values in seen.values())
    for time, values in seen.items():
        if time == 999:
            continue  # the start is noise alone
        joined = np.concatenate(values)
        assert abs(joined.mean() - np.sqrt(WHOLE[time]) * 0.5) < 0.05
        assert abs(joined.var() - (1 - WHOLE[time])) < 0.08


def test_the_published_walk_keeps_all_250_steps() -> None:
    assert set(plans.published().times) == set(range(-1, STEPS))
