"""The noise of a diffusion model, step by step, and the walk up and down those steps.

Symbols as in Ho et al. 2020 ("Denoising Diffusion Probabilistic Models", arXiv 2006.11239): step
t adds noise of variance β_t, α_t = 1 - β_t, ᾱ_t = α_0 ⋯ α_t, and
q(x_t | x_0) = N(√ᾱ_t x_0, (1 - ᾱ_t) I). Steps are counted from 0, the least noisy; step -1 is the
photo without noise (ᾱ_{-1} = 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

VARIANCES = ("fixed_small", "fixed_large", "learned_range", "learned")
SCHEDULERS = (
    *("DDPMScheduler", "DDPMParallelScheduler", "DDIMScheduler", "DDIMParallelScheduler"),
    *("RePaintScheduler", "PNDMScheduler", "DPMSolverMultistepScheduler"),
    *("DPMSolverSinglestepScheduler", "DEISMultistepScheduler", "UniPCMultistepScheduler"),
)
"""diffusers' schedulers for models that were trained with the noise of Ho et al.; others (of score
or consistency models) have β under the same names, or none, and tell the network another time."""
PREDICTIONS = ("epsilon", "sample", "v_prediction")


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """How much noise lies at each step of a model, and what the model says about it.

    alphas_cumprod: (T,) float64, ᾱ_t, falling, in (0, 1).
    timesteps: (T,) int64, what the network is told at each step: its own count of time. It
        differs from 0, 1, 2, … where steps were left out (`respaced`).
    variance: of a reverse step: "fixed_small" (that of the posterior, β̃_t), "fixed_large" (β_t),
        "learned_range" (the network says where between the two), "learned" (its logarithm).
    prediction: what the network gives: the noise ("epsilon"), x_0 ("sample"), or
        √ᾱ ε - √(1-ᾱ) x_0 ("v_prediction").
    clip: the estimate of x_0 is clipped to [-clip, clip]; None = left as it is.
    """

    alphas_cumprod: Array
    timesteps: NDArray[np.int64]
    variance: str = "fixed_small"
    prediction: str = "epsilon"
    clip: float | None = 1.0

    def __post_init__(self) -> None:
        bars = self.alphas_cumprod
        if bars.ndim != 1 or not len(bars) or bars.shape != self.timesteps.shape:
            raise ValueError("a noise schedule needs one ᾱ and one time for each step")
        if not (bars.max() < 1 and bars.min() > 0 and (np.diff(bars) < 0).all()):
            raise ValueError("ᾱ must fall from step to step, between 1 and 0")
        if self.variance not in VARIANCES:
            raise ValueError(f"variance is one of {', '.join(VARIANCES)}, not {self.variance!r}")
        if self.prediction not in PREDICTIONS:
            known = ", ".join(PREDICTIONS)
            raise ValueError(f"a network predicts one of {known}, not {self.prediction!r}")

    def __len__(self) -> int:
        return len(self.alphas_cumprod)

    @classmethod
    def from_betas(cls, betas: Array, **more: Any) -> "NoiseSchedule":
        """From β_t, (T,) float64 in (0, 1)."""
        bars: Array = np.cumprod(1.0 - np.asarray(betas, np.float64), dtype=np.float64)
        return cls(bars, np.arange(len(bars), dtype=np.int64), **more)

    @classmethod
    def linear(
        cls, steps: int = 1000, start: float = 1e-4, end: float = 0.02, **more: Any
    ) -> "NoiseSchedule":
        """β rises evenly from `start` to `end`, as in Ho et al. 2020."""
        return cls.from_betas(np.linspace(start, end, steps, dtype=np.float64), **more)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "NoiseSchedule":
        """From what stands in a diffusers `scheduler_config.json`; defaults are the library's.

        Raises `ValueError` for a kind of schedule or scheduler that is not known.
        """
        scheduler = config.get("_class_name") or SCHEDULERS[0]
        if scheduler not in SCHEDULERS:
            raise ValueError(
                f"a model for the {scheduler} has other noise than DDPM; name one that was made "
                f"for the {SCHEDULERS[0]} or a relative of it"
            )
        kind = config.get("beta_schedule", "linear")
        given = config.get("trained_betas")
        if config.get("rescale_betas_zero_snr"):
            raise ValueError("a schedule that ends in pure noise (zero SNR) is not supported")
        steps = int(config.get("num_train_timesteps", 1000))
        low, high = float(config.get("beta_start", 1e-4)), float(config.get("beta_end", 0.02))
        betas = np.asarray(given, np.float64) if given else _betas(kind, steps, low, high)
        # "…_log" are the same variances, computed another way
        variance = str(config.get("variance_type") or "fixed_small").removesuffix("_log")
        prediction = str(config.get("prediction_type", "epsilon"))
        clip = float(config.get("clip_sample_range", 1.0)) if config.get("clip_sample", 1) else None
        return cls.from_betas(betas, variance=variance, prediction=prediction, clip=clip)

    def respaced(self, steps: int) -> "NoiseSchedule":
        """`steps` of these steps, evenly spread, the first and the last among them.

        The rule of Nichol and Dhariwal 2021 ("Improved Denoising Diffusion Probabilistic Models",
        section 4): step i is round(i (T - 1) / (steps - 1)), the product by repeated addition, as
        in their code, which settles what rounds up. ᾱ stays as it is at the steps that are kept,
        so that β grows.
        """
        if not 1 <= steps <= len(self):
            raise ValueError(f"this model has 1 to {len(self)} steps, not {steps}")
        if steps == len(self):
            return self
        stride = (len(self) - 1) / (steps - 1) if steps > 1 else 1.0
        places = accumulate(repeat(stride, steps - 1), initial=0.0)
        kept = np.array([round(place) for place in places])
        return replace(
            self, alphas_cumprod=self.alphas_cumprod[kept], timesteps=self.timesteps[kept]
        )

    @cached_property
    def before(self) -> Array:
        """(T,) ᾱ_{t-1}, 1 before the first step."""
        return np.append(1.0, self.alphas_cumprod[:-1])

    @cached_property
    def betas(self) -> Array:
        """(T,) β_t = 1 - ᾱ_t / ᾱ_{t-1}."""
        return 1.0 - self.alphas_cumprod / self.before

    @cached_property
    def posterior_variance(self) -> Array:
        """(T,) β̃_t = β_t (1 - ᾱ_{t-1}) / (1 - ᾱ_t), Ho et al. equation 7; 0 at step 0."""
        return self.betas * (1.0 - self.before) / (1.0 - self.alphas_cumprod)

    @cached_property
    def smallest_log(self) -> Array:
        """(T,) ln β̃_t, that of step 1 at step 0 where β̃ is 0 (as the learned range takes it)."""
        first = self.posterior_variance[min(1, len(self) - 1)] or self.betas[0]
        return np.log(np.append(first, self.posterior_variance[1:]))

    @cached_property
    def from_clean(self) -> Array:
        """(T,) weight of x_0 in the posterior's mean: √ᾱ_{t-1} β_t / (1 - ᾱ_t), equation 7."""
        return self.betas * np.sqrt(self.before) / (1.0 - self.alphas_cumprod)

    @cached_property
    def from_noisy(self) -> Array:
        """(T,) weight of x_t in the posterior's mean: √α_t (1 - ᾱ_{t-1}) / (1 - ᾱ_t)."""
        return np.sqrt(1.0 - self.betas) * (1.0 - self.before) / (1.0 - self.alphas_cumprod)

    def bar(self, step: int) -> float:
        """ᾱ of a step from -1 (the photo itself: 1) up."""
        return 1.0 if step < 0 else float(self.alphas_cumprod[step])


def _betas(kind: str, steps: int, low: float, high: float) -> Array:
    """(steps,) β by the name that diffusers gives the schedule."""
    if kind == "linear":
        return np.linspace(low, high, steps, dtype=np.float64)
    if kind == "scaled_linear":
        return np.linspace(low**0.5, high**0.5, steps, dtype=np.float64) ** 2
    if kind == "squaredcos_cap_v2":  # Nichol and Dhariwal 2021, equation 17
        times = np.arange(steps + 1, dtype=np.float64) / steps
        bars = np.cos((times + 0.008) / 1.008 * np.pi / 2) ** 2
        return np.minimum(1.0 - bars[1:] / bars[:-1], 0.999)
    if kind == "sigmoid":
        return (high - low) / (1.0 + np.exp(-np.linspace(-6, 6, steps))) + low
    raise ValueError(f"noise schedule {kind!r} is not known; use one with linear noise")
