"""Multi-scale structural similarity as a loss."""

from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of each scale, from the full size on: Wang, Simoncelli and Bovik 2003, section 3.2."""
WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2


def scales_of(side: int) -> int:
    """How many of the five scales a picture is large enough for: at each the window must fit."""
    count = 1
    while count < len(WEIGHTS) and side // 2**count >= WINDOW:
        count += 1
    return count


def ms_ssim(made: Tensor, truth: Tensor) -> Tensor:
    """Multi-scale SSIM: Wang, Simoncelli and Bovik, "Multiscale structural similarity for image
    quality assessment", 2003, equation 7, the mean over pictures and channels.

    made, truth: (N, C, H, W) in [0, 1], sides at least 11. Each scale is half the size of the one
    before, by the means of 2 × 2 pixels. Where a picture is too small for five scales, as many as
    fit are taken and their weights brought to a sum of 1. A negative similarity counts as 0.
    Returns a scalar, float32.
    """
    made, truth = made.float(), truth.float()
    count = scales_of(min(made.shape[-2:]))
    weights = [weight / sum(WEIGHTS[:count]) for weight in WEIGHTS[:count]]
    total = made.new_ones(made.shape[:2])
    for scale, weight in enumerate(weights):
        whole, contrast = _similarities(made, truth)
        total = total * (whole if scale == count - 1 else contrast).clamp(min=1e-6) ** weight
        if scale < count - 1:
            made, truth = avg_pool2d(made, 2), avg_pool2d(truth, 2)
    return total.mean()


def _similarities(made: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM, and its contrast and structure alone, each (N, C): means where the window fits."""
    mean_a, mean_b = _smooth(made), _smooth(truth)
    var_a = _smooth(made * made) - mean_a * mean_a
    var_b = _smooth(truth * truth) - mean_b * mean_b
    covariance = _smooth(made * truth) - mean_a * mean_b
    contrast = (2 * covariance + C2) / (var_a + var_b + C2)
    light = (2 * mean_a * mean_b + C1) / (mean_a * mean_a + mean_b * mean_b + C1)
    return (light * contrast).mean(dim=(2, 3)), contrast.mean(dim=(2, 3))


def _smooth(values: Tensor) -> Tensor:
    """Gaussian means where the window fits; in float32 even under autocast, since variances are
    small differences of large numbers."""
    channels = values.shape[1]
    line = _gaussian().to(values.device)
    down = line.view(1, 1, -1, 1).expand(channels, 1, WINDOW, 1)
    across = line.view(1, 1, 1, -1).expand(channels, 1, 1, WINDOW)
    with torch.autocast(values.device.type, enabled=False):
        return conv2d(conv2d(values, down, groups=channels), across, groups=channels)


@cache
def _gaussian() -> Tensor:
    places = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    bell = torch.exp(-places.square() / (2 * SIGMA**2))
    return (bell / bell.sum()).float()
