"""HaarPSI and SSIM against statements of them that share no code with ours."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conformance_metrics import middle, picture

from infill.metrics import haarpsi as haarpsi_module
from infill.metrics import ssim as ssim_module
from infill.metrics.haarpsi import HaarPsi, haarpsi
from infill.metrics.ssim import Ssim

# --- HaarPSI ------------------------------------------------------------------------------


def convolve(plane, kernel):
    """The central part of the full convolution as MATLAB's conv2(..., "same") cuts it.

    Zeros outside; for an even kernel of side k the output at i sums over i-k/2+1 … i+k/2.
    """
    size = len(kernel)
    before, after = size // 2 - 1, size // 2
    padded = np.pad(plane, ((before, after), (before, after)))
    height, width = plane.shape
    total = np.zeros_like(plane)
    for y in range(size):
        for x in range(size):
            # convolution turns the kernel by half a turn
            weight = kernel[size - 1 - y, size - 1 - x]
            total += weight * padded[y : y + height, x : x + width]
    return total


def stated_haarpsi(reference, distorted):
    """HaarPSI as the paper writes it, in float64: section by section, nothing shared."""
    c, alpha = 30.0, 4.2
    planes = []
    for photo in (reference, distorted):
        r, g, b = np.moveaxis(photo.astype(np.float64) * 255, 2, 0)
        yiq = (
            0.299 * r + 0.587 * g + 0.114 * b,
            0.596 * r - 0.274 * g - 0.322 * b,
            0.211 * r - 0.523 * g + 0.312 * b,
        )
        planes.append([convolve(p, np.ones((2, 2)) / 4)[::2, ::2] for p in yiq])

    def haar(plane, scale, turned):
        kernel = np.ones((2**scale, 2**scale)) / 2**scale
        kernel[: 2**scale // 2] *= -1
        return np.abs(convolve(plane, kernel.T if turned else kernel))

    def similarity(a, b):
        return (2 * a * b + c) / (a**2 + b**2 + c)

    def logistic(x):
        return 1 / (1 + np.exp(-alpha * x))

    (y1, i1, q1), (y2, i2, q2) = planes
    maps, weights = [], []
    for turned in (False, True):
        scales = [similarity(haar(y1, j, turned), haar(y2, j, turned)) for j in (1, 2)]
        maps.append(np.mean(scales, axis=0))
        weights.append(np.maximum(haar(y1, 3, turned), haar(y2, 3, turned)))
    mean = np.ones((2, 2)) / 4
    colour = [
        similarity(np.abs(convolve(a, mean)), np.abs(convolve(b, mean)))
        for a, b in ((i1, i2), (q1, q2))
    ]
    maps.append(np.mean(colour, axis=0))
    weights.append(np.mean(weights, axis=0))
    pooled = np.sum(logistic(np.array(maps)) * weights) / np.sum(weights)
    return (math.log(pooled / (1 - pooled)) / alpha) ** 2


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 2**32 - 1),
    noise=st.floats(0.01, 1),
)
def test_haarpsi_is_what_the_paper_says(shape, seed, noise):
    truth = picture(shape, seed)
    other = (1 - noise) * truth + noise * picture(shape, seed + 1)
    other = other.astype(np.float32)
    expected = stated_haarpsi(truth, other)
    assert haarpsi(truth, other) == pytest.approx(expected, abs=1e-6)


def test_haarpsi_of_a_smooth_photo_is_what_the_paper_says():
    y, x = np.mgrid[0:65, 0:48].astype(np.float32)
    truth = np.stack([y / 65, x / 48, (y + x) / 120], axis=2)
    filled = truth.copy()
    filled[20:40, 10:30] = filled[20:40, 10:30].mean(axis=(0, 1))
    score = haarpsi(truth, filled)
    assert score == pytest.approx(stated_haarpsi(truth, filled), abs=1e-6)
    assert 0.3 < score < 0.99


def test_haarpsi_is_symmetric_and_1_for_equal_photos():
    truth, other = picture((30, 31)), picture((30, 31), 1)
    assert haarpsi(truth, truth.copy()) == 1
    assert haarpsi(truth, other) == haarpsi(other, truth)


def test_haarpsi_of_black_and_white_is_what_the_paper_says():
    black, white = (np.full((16, 16, 3), v, np.float32) for v in (0, 1))
    assert haarpsi(black, black.copy()) == 1
    assert haarpsi(black, white) == pytest.approx(stated_haarpsi(black, white), abs=1e-6)
    assert haarpsi(black, white) < 0.3


def test_haarpsi_without_any_structure_weighs_all_places_alike():
    maps = [np.full((2, 2), value, np.float32) for value in (0.5, 0.5, 0.5)]
    nothing = [np.zeros((2, 2), np.float32)] * 3
    assert haarpsi_module._pool(maps, nothing) == pytest.approx(0.25)


def test_haarpsi_has_one_key_and_does_not_need_a_hole():
    truth, other = picture((20, 20)), picture((20, 20), 1)
    nothing = np.zeros((20, 20), bool)
    assert HaarPsi().measure(truth, other, nothing) == {"haarpsi": haarpsi(truth, other)}


# --- SSIM ---------------------------------------------------------------------------------


def reference_ssim(truth, filled):
    """scikit-image's, with the settings of Wang et al. 2004; the score and the full map."""
    from skimage.metrics import structural_similarity

    return structural_similarity(
        truth.astype(np.float64),
        filled.astype(np.float64),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        channel_axis=2,
        full=True,
    )


@pytest.mark.parametrize("shape", [(11, 11), (12, 40), (64, 51)])
@pytest.mark.parametrize("noise", [0.02, 0.3, 1.0])
def test_ssim_is_that_of_scikit_image(shape, noise):
    truth = picture(shape)
    filled = ((1 - noise) * truth + noise * picture(shape, 1)).astype(np.float32)
    expected, expected_map = reference_ssim(truth, filled)
    mask = middle(shape)
    row = Ssim().measure(truth, filled, mask)
    assert row["ssim"] == pytest.approx(expected, abs=1e-6)
    inner = np.zeros(shape, bool)
    inner[5:-5, 5:-5] = mask[5:-5, 5:-5]
    if inner.any():
        assert row["masked_ssim"] == pytest.approx(expected_map[inner].mean(), abs=1e-6)
    else:
        assert math.isnan(row["masked_ssim"])


def test_ssim_in_strips_is_the_same(monkeypatch):
    truth, filled, mask = picture((50, 30)), picture((50, 30), 1), middle((50, 30))
    whole = Ssim().measure(truth, filled, mask)
    monkeypatch.setattr(ssim_module, "_ROWS_AT_ONCE", 7)
    assert Ssim().measure(truth, filled, mask) == pytest.approx(whole, rel=1e-12)


def test_ssim_needs_a_window():
    row = Ssim().measure(picture((10, 50)), picture((10, 50), 1), middle((10, 50)))
    assert all(math.isnan(value) for value in row.values())


def test_masked_ssim_of_a_hole_in_the_margin_is_undefined():
    mask = np.zeros((30, 30), bool)
    mask[:5] = True
    row = Ssim().measure(picture((30, 30)), picture((30, 30), 1), mask)
    assert math.isnan(row["masked_ssim"])
    assert math.isfinite(row["ssim"])
