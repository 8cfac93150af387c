"""Noise schedules: the numbers that diffusers has, respacing, and what is refused."""

import numpy as np
import pytest
from diffusers import DDPMScheduler
from hypothesis import given
from hypothesis import strategies as st

from infill.diffusion.schedule import NoiseSchedule


def test_linear_is_the_product_of_one_minus_beta() -> None:
    schedule = NoiseSchedule.linear(4, 0.1, 0.4)
    assert np.allclose(schedule.alphas_cumprod, [0.9, 0.9 * 0.8, 0.9 * 0.8 * 0.7, 0.3024])
    assert np.allclose(schedule.betas, [0.1, 0.2, 0.3, 0.4])
    assert schedule.timesteps.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"])
@pytest.mark.parametrize("steps", [1000, 50])
def test_same_numbers_as_the_library(kind: str, steps: int) -> None:
    theirs = DDPMScheduler(num_train_timesteps=steps, beta_schedule=kind)
    ours = NoiseSchedule.from_config(theirs.config)
    assert np.allclose(ours.alphas_cumprod, theirs.alphas_cumprod.numpy(), rtol=2e-5, atol=1e-9)
    assert (ours.variance, ours.prediction, ours.clip) == ("fixed_small", "epsilon", 1.0)


def test_every_setting_of_the_scheduler_counts() -> None:
    told = {
        "trained_betas": [0.1, 0.5],
        "variance_type": "fixed_small_log",
        "prediction_type": "v_prediction",
        "clip_sample": True,
        "clip_sample_range": 2.0,
    }
    schedule = NoiseSchedule.from_config(told)
    assert np.allclose(schedule.alphas_cumprod, [0.9, 0.45])
    assert (schedule.variance, schedule.prediction) == ("fixed_small", "v_prediction")
    assert schedule.clip == 2.0
    assert NoiseSchedule.from_config({**told, "clip_sample": False}).clip is None


@pytest.mark.parametrize(
    "config",
    [
        {"beta_schedule": "laplacian"},
        {"rescale_betas_zero_snr": True},
        {"variance_type": "guessed"},
        {"prediction_type": "flow"},
        {"trained_betas": [0.5, 1.5]},
    ],
)
def test_what_is_not_known_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        NoiseSchedule.from_config(config)


@pytest.mark.parametrize("name", ["DDPMScheduler", "DDIMScheduler", "PNDMScheduler", None])
def test_relatives_of_ddpm_share_its_noise(name: str | None) -> None:
    told = NoiseSchedule.from_config({"_class_name": name})
    assert (told.alphas_cumprod == NoiseSchedule.linear().alphas_cumprod).all()


@pytest.mark.parametrize(
    "name", ["ScoreSdeVeScheduler", "CMStochasticIterativeScheduler", "EDMEulerScheduler"]
)
def test_a_scheduler_of_other_models_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} has other noise than DDPM"):
        NoiseSchedule.from_config({"_class_name": name})


@given(st.integers(1, 400), st.integers(1, 400))
def test_respaced_keeps_the_ends_and_the_noise(steps: int, kept: int) -> None:
    whole = NoiseSchedule.linear(steps, 1e-4, 0.02)
    if kept > steps:
        with pytest.raises(ValueError, match="steps"):
            whole.respaced(kept)
        return
    fewer = whole.respaced(kept)
    times = fewer.timesteps
    assert len(fewer) == kept
    assert times[0] == 0
    assert kept == 1 or times[-1] == steps - 1
    assert (np.diff(times) > 0).all()
    assert (fewer.alphas_cumprod == whole.alphas_cumprod[times]).all()
    # the steps between two that are kept, in one: the same ᾱ
    assert np.allclose(np.cumprod(1 - fewer.betas), fewer.alphas_cumprod)
    even = np.arange(kept) * (steps - 1) / max(1, kept - 1)
    assert np.abs(times - even).max() <= 0.5 + 1e-9


def test_250_of_1000_steps_as_published() -> None:
    # The stride is 999/249: one step in 83 is longer, and the ends are kept.
    times = NoiseSchedule.linear().respaced(250).timesteps
    assert times[:3].tolist() == [0, 4, 8]
    assert times[-3:].tolist() == [991, 995, 999]
    strides, counts = np.unique(np.diff(times), return_counts=True)
    assert dict(zip(strides.tolist(), counts.tolist(), strict=True)) == {4: 246, 5: 3}


def test_the_posterior_has_no_variance_at_the_last_step() -> None:
    schedule = NoiseSchedule.linear(10)
    assert schedule.posterior_variance[0] == 0
    assert np.isfinite(schedule.smallest_log).all()
    assert schedule.smallest_log[0] == schedule.smallest_log[1]
    assert (schedule.posterior_variance <= schedule.betas).all()
    assert schedule.from_clean[0] == pytest.approx(1)
    assert schedule.from_noisy[0] == 0
    assert schedule.bar(-1) == 1


def test_one_step_is_a_schedule_too() -> None:
    schedule = NoiseSchedule.linear(1000).respaced(1)
    assert schedule.timesteps.tolist() == [0]
    assert np.isfinite(schedule.smallest_log).all()


@pytest.mark.parametrize("bars", [[0.5, 0.9], [1.0, 0.5], [0.5, 0.0], []])
def test_noise_must_grow(bars: list[float]) -> None:
    with pytest.raises(ValueError):
        NoiseSchedule(np.array(bars), np.arange(len(bars)))
