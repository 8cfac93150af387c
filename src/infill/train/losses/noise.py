"""What a network is to make small."""

from collections.abc import Callable

import torch
from torch import Tensor

Predict = Callable[[Tensor, Tensor], Tensor]
"""A network: noisy pictures (N, C, H, W) and their times (N,) int64 → the noise in them."""


def noised(clean: Tensor, noise: Tensor, alphas_cumprod: Tensor, times: Tensor) -> Tensor:
    """Pictures diffused to their times: equation 4 of Ho, Jain and Abbeel, "Denoising Diffusion
    Probabilistic Models", 2020.

    clean:          (N, C, H, W) float32 in [-1, 1].
    noise:          the same shape, standard normal.
    alphas_cumprod: (T,), the ᾱ of every time.
    times:          (N,) int64 in [0, T).
    """
    kept = alphas_cumprod[times].to(clean.dtype).view(-1, 1, 1, 1)
    return kept.sqrt() * clean + (1 - kept).sqrt() * noise


def snr_weight(alphas_cumprod: Tensor, cap: float) -> Tensor:
    """(T,) weights of the noise-prediction loss at each time: min(SNR, γ) / SNR with
    SNR = ᾱ / (1 - ᾱ) and γ = `cap`; 0 = no weighting.

    Hang et al., "Efficient Diffusion Training via Min-SNR Weighting Strategy", 2023. Times with
    little noise are many and easy to tell apart by details; unweighted they take most of what
    the network learns from those that decide what the picture shows.
    """
    if not cap:
        return torch.ones_like(alphas_cumprod)
    ratio = alphas_cumprod / (1 - alphas_cumprod)
    return ratio.clamp(max=cap) / ratio


def spread_times(count: int, steps: int, draw: torch.Generator) -> Tensor:
    """(count,) int64 times in [0, steps), one in each of `count` equal parts: each time is as
    likely as any other, and a batch has early and late ones. A loss averaged over such times
    varies less from batch to batch than over independent ones."""
    places = (torch.arange(count) + torch.rand(count, generator=draw)) / count
    return (places * steps).long().clamp(max=steps - 1)


def noise_loss(
    predict: Predict,
    clean: Tensor,
    alphas_cumprod: Tensor,
    weight: Tensor,
    draw: torch.Generator,
) -> Tensor:
    """Weighted mean square error of the predicted noise: equation 14 of Ho et al. 2020, times
    `weight` (T,) at the time of each picture. `clean` is (N, C, H, W) float32 in [-1, 1];
    returns a scalar, float32."""
    noise = torch.randn(clean.shape, generator=draw)
    times = spread_times(len(clean), len(alphas_cumprod), draw)
    noise, times = noise.to(clean.device), times.to(clean.device)
    predicted = predict(noised(clean, noise, alphas_cumprod, times), times)
    errors = (predicted.float() - noise).square().mean(dim=(1, 2, 3))
    return (errors * weight[times]).mean()
