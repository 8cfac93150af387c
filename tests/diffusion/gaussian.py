"""A denoiser that is right, in closed form: for photos drawn from a normal distribution."""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from infill.diffusion.schedule import NoiseSchedule


class GaussianDenoiser:
    """For x_0 ~ N(mean, covariance) over the pixels of one row, one channel.

    x_t is normal, too, and E[ε | x_t] = √(1-ᾱ) (ᾱ Σ + (1-ᾱ) I)⁻¹ (x_t - √ᾱ mean).
    """

    channels = 1
    sha256: ClassVar[dict[str, str]] = {}

    def __init__(self, mean: np.ndarray, covariance: np.ndarray, schedule: NoiseSchedule) -> None:
        self.side = len(mean)
        self.mean, self.covariance, self.schedule = mean, covariance, schedule
        self.calls: list[int] = []

    def __call__(self, x: Tensor, t: Tensor) -> tuple[Tensor, None]:
        time = int(t[0])
        assert (t == time).all()
        self.calls.append(time)
        bar = float(self.schedule.alphas_cumprod[time])
        whole = bar * self.covariance + (1 - bar) * np.eye(self.side)
        gain = np.sqrt(1 - bar) * np.linalg.inv(whole)
        rows = x.reshape(-1, self.side) - torch.from_numpy(np.sqrt(bar) * self.mean).to(x)
        return (rows @ torch.from_numpy(gain.T).to(x)).reshape(x.shape), None


def conditional(
    mean: np.ndarray, covariance: np.ndarray, known: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of what is not `known` (bool), given `values` there."""
    hidden = ~known
    gain = covariance[np.ix_(hidden, known)] @ np.linalg.inv(covariance[np.ix_(known, known)])
    centre = mean[hidden] + gain @ (values - mean[known])
    return centre, covariance[np.ix_(hidden, hidden)] - gain @ covariance[np.ix_(known, hidden)]
