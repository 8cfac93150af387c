"""The loss against plain statements of its formulas."""

import numpy as np
import pytest
import torch

from infill.train.losses.noise import noise_loss, noised, snr_weight, spread_times

ALPHAS = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)


def test_noised_is_equation_4() -> None:
    rng = np.random.default_rng(0)
    clean, noise = rng.normal(size=(2, 3, 3, 4, 4))
    times = np.array([0, 400, 999])
    kept = ALPHAS.numpy().astype(np.float64)[times].reshape(-1, 1, 1, 1)
    expected = np.sqrt(kept) * clean + np.sqrt(1 - kept) * noise
    got = noised(*map(torch.from_numpy, (clean, noise)), ALPHAS, torch.from_numpy(times))
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-12)


def test_weight_is_min_snr_over_snr() -> None:
    kept = ALPHAS.numpy().astype(np.float64)
    ratio = kept / (1 - kept)
    expected = np.minimum(ratio, 5) / ratio
    np.testing.assert_allclose(snr_weight(ALPHAS, 5.0).numpy(), expected, rtol=1e-3)
    assert snr_weight(ALPHAS, 5.0)[-1] == 1
    assert torch.all(snr_weight(ALPHAS, 0.0) == 1)


def test_times_fall_one_in_each_part_and_reach_both_ends() -> None:
    for seed in range(20):
        times = spread_times(10, 1000, draw(seed))
        assert times.dtype == torch.int64
        assert (times // 100).tolist() == list(range(10))
    every = torch.cat([spread_times(10, 20, draw(seed)) for seed in range(50)])
    assert set(every.tolist()) == set(range(20))


def test_a_perfect_network_has_no_loss_and_a_silent_one_has_the_noise() -> None:
    clean = torch.zeros(64, 3, 8, 8)  # then the noise can be read off the noisy picture
    weight = torch.ones(1000)

    def perfect(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        return noisy / (1 - ALPHAS[times]).sqrt().view(-1, 1, 1, 1)

    assert noise_loss(perfect, clean, ALPHAS, weight, draw()) < 1e-10
    silent = noise_loss(lambda noisy, times: torch.zeros_like(noisy), clean, ALPHAS, weight, draw())
    assert silent.item() == pytest.approx(1, abs=0.05)


def test_the_weight_counts_at_the_picture_s_own_time() -> None:
    clean, weight = torch.zeros(8, 3, 4, 4), torch.zeros(1000)
    weight[500:] = 2

    def wrong_when_late(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        right = noisy / (1 - ALPHAS[times]).sqrt().view(-1, 1, 1, 1)
        return right + (times >= 500).view(-1, 1, 1, 1)

    loss = noise_loss(wrong_when_late, clean, ALPHAS, weight, draw())
    assert loss.item() == pytest.approx(1, abs=1e-4)  # an error of 1, weight 2, half of the times


def test_follows_from_the_generator_alone() -> None:
    clean = torch.rand(4, 3, 8, 8, generator=draw(1))
    losses = [
        noise_loss(lambda noisy, times: 0.5 * noisy, clean, ALPHAS, torch.ones(1000), draw(seed))
        for seed in (3, 3, 4)
    ]
    assert losses[0] == losses[1] != losses[2]
