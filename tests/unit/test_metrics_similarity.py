"""HaarPSI, SSIM, MS-SSIM and VSI against statements of them that share no code with ours."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conformance_metrics import middle, picture, scene

from infill.metrics import haarpsi as haarpsi_module
from infill.metrics import ms_ssim as ms_ssim_module
from infill.metrics import ssim as ssim_module
from infill.metrics import vsi as vsi_module
from infill.metrics.haarpsi import HaarPsi, haarpsi
from infill.metrics.ms_ssim import MsSsim
from infill.metrics.ssim import Ssim
from infill.metrics.vsi import Vsi, vsi_maps

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


def test_haarpsi_of_the_whole_does_not_need_a_hole():
    truth, other = picture((20, 20)), picture((20, 20), 1)
    nothing, all_of_it = np.zeros((20, 20), bool), np.ones((20, 20), bool)
    row = HaarPsi().measure(truth, other, nothing)
    assert row["haarpsi"] == haarpsi(truth, other)
    assert math.isnan(row["masked_haarpsi"])
    row = HaarPsi().measure(truth, other, all_of_it)
    assert row["masked_haarpsi"] == pytest.approx(row["haarpsi"], abs=1e-6)


def test_haarpsi_in_the_hole_counts_places_by_their_share():
    """A change that lies in one half: the hole there scores below the whole, the hole in the other
    half, away from the change, scores as good as alike."""
    truth = picture((64, 64))
    changed = truth.copy()
    changed[:, :24] = picture((64, 64), 1)[:, :24]
    left, right = np.zeros((64, 64), bool), np.zeros((64, 64), bool)
    left[:, :20], right[:, 40:] = True, True
    whole = haarpsi(truth, changed)
    assert HaarPsi().measure(truth, changed, left)["masked_haarpsi"] < whole
    assert HaarPsi().measure(truth, changed, right)["masked_haarpsi"] == pytest.approx(1, abs=1e-6)


def test_haarpsi_in_a_hole_of_flat_photos():
    """No place has any weight: the hole's own do."""
    one, other = (np.full((16, 16, 3), value, np.float32) for value in (0.4, 0.6))
    hole = np.zeros((16, 16), bool)
    hole[4:12, 4:12] = True
    row = HaarPsi().measure(one, other, hole)
    assert row["masked_haarpsi"] <= 1
    assert not math.isnan(row["masked_haarpsi"])


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


# --- MS-SSIM ------------------------------------------------------------------------------


def pair(shape, noise=0.2):
    """Two like scenes: the second has noise and a blurred middle."""
    truth, mask = scene(shape), middle(shape)
    filled = ((1 - noise) * truth + noise * picture(shape, 1)).astype(np.float32)
    filled[mask] = truth[mask].mean(axis=0)
    return truth, filled, mask


def as_tensor(photo):
    import torch

    return torch.from_numpy(photo.transpose(2, 0, 1)[None].copy())


@pytest.mark.parametrize(("shape", "noise"), [((176, 176), 0.4), ((179, 210), 0.05)])
def test_ms_ssim_is_made_of_torchmetrics_similarities(shape, noise):
    """Scale by scale; at the coarsest its map is cut to the places where the window fits.

    (Its own MS-SSIM keeps the reflected rim there, unlike the paper and its other scales.)
    """
    pytest.importorskip("torchmetrics")
    from torch.nn.functional import avg_pool2d
    from torchmetrics.functional.image import structural_similarity_index_measure as similarity

    truth, filled, mask = pair(shape, noise)
    a, b = as_tensor(filled), as_tensor(truth)
    expected = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        if scale < 4:
            _, mean = similarity(a, b, data_range=1.0, return_contrast_sensitivity=True)
        else:
            _, full = similarity(a, b, data_range=1.0, return_full_image=True)
            mean = full[..., 5:-5, 5:-5].mean()
        expected *= float(mean) ** weight
        a, b = avg_pool2d(a, 2), avg_pool2d(b, 2)
    assert 0.3 < expected < 0.99
    assert MsSsim().measure(truth, filled, mask)["ms_ssim"] == pytest.approx(expected, abs=1e-5)


def stated_ms_ssim(truth, filled, mask):
    """From scikit-image's filter alone, float64: whole and in the hole, for any size."""
    from skimage.filters import gaussian

    def smooth(values):
        return gaussian(values, 1.5, truncate=3.5, channel_axis=2)[5:-5, 5:-5]

    a, b, hole = truth.astype(np.float64), filled.astype(np.float64), mask
    weights = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    count = sum(min(mask.shape) // 2**scale >= 11 for scale in range(5))
    scores = np.ones(2)
    for scale in range(count):
        mean_a, mean_b = smooth(a), smooth(b)
        spread = smooth(a**2) - mean_a**2 + smooth(b**2) - mean_b**2
        found = (2 * (smooth(a * b) - mean_a * mean_b) + 0.03**2) / (spread + 0.03**2)
        if scale == count - 1:
            found *= (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2)
        inner = hole[5:-5, 5:-5]
        means = np.array([found.mean(), found[inner].mean() if inner.any() else np.nan])
        scores *= np.maximum(means, 0) ** (weights[scale] * sum(weights) / sum(weights[:count]))
        height, width = (side // 2 for side in hole.shape)
        a, b, hole = (
            values[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1)
            for values in (a, b, hole)
        )
        a, b, hole = a.mean(axis=(1, 3)), b.mean(axis=(1, 3)), hole.any(axis=(1, 3))[..., 0]
    return scores


@pytest.mark.parametrize("shape", [(11, 30), (22, 25), (60, 61), (90, 130), (180, 200)])
def test_ms_ssim_of_every_size_is_what_it_says(shape):
    truth, filled, mask = pair(shape)
    row = MsSsim().measure(truth, filled, mask)
    expected = stated_ms_ssim(truth, filled, mask)
    np.testing.assert_allclose(list(row.values()), expected, atol=1e-6)


def test_ms_ssim_takes_as_many_scales_as_fit_and_needs_a_window():
    assert [ms_ssim_module.scales_of(side) for side in (11, 21, 22, 44, 88, 175, 176, 900)] == [
        1, 1, 2, 3, 4, 4, 5, 5,
    ]  # fmt: skip
    row = MsSsim().measure(picture((10, 50)), picture((10, 50), 1), middle((10, 50)))
    assert all(math.isnan(value) for value in row.values())


def test_ms_ssim_in_strips_is_the_same_and_a_negative_photo_scores_nought(monkeypatch):
    truth, filled, mask = pair((60, 40))
    whole = MsSsim().measure(truth, filled, mask)
    monkeypatch.setattr(ms_ssim_module, "_ROWS_AT_ONCE", 7)
    assert MsSsim().measure(truth, filled, mask) == pytest.approx(whole, rel=1e-12)
    noise = picture((60, 40))
    assert MsSsim().measure(noise, 1 - noise, mask) == {"ms_ssim": 0, "masked_ms_ssim": 0}


# --- VSI ----------------------------------------------------------------------------------


def shrink_or_grow(values, new):
    """MATLAB's imresize(..., "bilinear") along the first axis, tap by tap."""
    old = len(values)
    scale = min(1, new / old)
    found = []
    for place in range(new):
        middle_of = (place + 0.5) * old / new - 0.5
        total = weights = 0.0
        for tap in range(math.floor(middle_of - 1 / scale), math.ceil(middle_of + 1 / scale) + 1):
            weight = max(0.0, 1 - abs(tap - middle_of) * scale)
            mirrored = tap
            while not 0 <= mirrored < old:
                mirrored = -1 - mirrored if mirrored < 0 else 2 * old - 1 - mirrored
            total += weight * values[mirrored]
            weights += weight
        found.append(total / weights)
    return np.array(found)


def imresize(values, shape):
    one = shrink_or_grow(values, shape[0])
    return np.swapaxes(shrink_or_grow(np.swapaxes(one, 0, 1), shape[1]), 0, 1)


def stretched(values):
    return (values - values.min()) / (values.max() - values.min())


def stated_saliency(photo):
    """SDSP section by section, with full transforms and MATLAB's grids."""
    small = imresize(photo.astype(np.float64), (256, 256))
    linear = np.where(small <= 0.04045, small / 12.92, ((small + 0.055) / 1.055) ** 2.4)
    r, g, b = np.moveaxis(linear, 2, 0)
    xyz = (
        (r * 0.4124564 + g * 0.3575761 + b * 0.1804375) / 0.9642,
        r * 0.2126729 + g * 0.7151522 + b * 0.0721750,
        (r * 0.0193339 + g * 0.1191920 + b * 0.9503041) / 0.8251,
    )
    fx, fy, fz = (np.where(v > 0.008856, np.cbrt(v), (903.3 * v + 16) / 116) for v in xyz)
    lab = [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)]
    grid = np.arange(-128, 128) / 256
    u, v = np.meshgrid(grid, grid)
    outside = u**2 + v**2 > 0.25
    radius = np.fft.ifftshift(np.hypot(np.where(outside, 0, u), np.where(outside, 0, v)))
    radius[radius == 0] = np.nan
    gabor = np.nan_to_num(np.exp(-(np.log(radius / 0.021) ** 2) / (2 * 1.34**2)))
    responses = [np.real(np.fft.ifft2(np.fft.fft2(plane) * gabor)) for plane in lab]
    by_frequency = np.sqrt(sum(response**2 for response in responses))
    ones = np.arange(1, 257)
    by_place = np.exp(-((ones[:, None] - 128) ** 2 + (ones[None] - 128) ** 2) / 145**2)
    by_colour = 1 - np.exp(-(stretched(lab[1]) ** 2 + stretched(lab[2]) ** 2) / 0.001**2)
    return stretched(imresize(by_frequency * by_place * by_colour, photo.shape[:2]))


def stated_vsi(truth, filled, mask):
    """VSI and VSI in the hole as the paper writes them, float64 and complex powers."""
    from scipy.signal import convolve2d

    factor = max(1, round(min(mask.shape) / 256))

    def same(values, kernel):
        """MATLAB's conv2(..., "same")."""
        full = convolve2d(values, kernel)
        top, left = (side // 2 for side in kernel.shape)
        return full[top : top + values.shape[0], left : left + values.shape[1]]

    def shrunk(values):
        return same(values, np.ones((factor, factor)) / factor**2)[::factor, ::factor]

    def like(x, y, constant):
        return (2 * x * y + constant) / (x**2 + y**2 + constant)

    scharr = np.array([[3, 0, -3], [10, 0, -10], [3, 0, -3]]) / 16
    saliencies, gradients, ms, ns = [], [], [], []
    for photo in (truth, filled):
        r, g, b = np.moveaxis(photo.astype(np.float64) * 255, 2, 0)
        light = shrunk(0.06 * r + 0.63 * g + 0.27 * b)
        saliencies.append(shrunk(stated_saliency(photo)))
        gradients.append(np.sqrt(same(light, scharr) ** 2 + same(light, scharr.T) ** 2))
        ms.append(shrunk(0.30 * r + 0.04 * g - 0.35 * b))
        ns.append(shrunk(0.34 * r - 0.60 * g + 0.17 * b))
    colour = like(*ms, 130) * like(*ns, 130)
    map_ = like(*saliencies, 1.27) * like(*gradients, 386) ** 0.4
    map_ = map_ * np.real(colour.astype(complex) ** 0.02)
    weights = np.maximum(*saliencies)
    inside = weights * shrunk(mask.astype(np.float64))
    return (map_ * weights).sum() / weights.sum(), (map_ * inside).sum() / inside.sum()


@pytest.mark.parametrize("shape", [(256, 256), (40, 61), (300, 270), (520, 400), (641, 700)])
def test_vsi_is_what_the_paper_says(shape):
    truth, filled, mask = pair(shape)
    row = Vsi().measure(truth, filled, mask)
    expected = stated_vsi(truth, filled, mask)
    np.testing.assert_allclose(list(row.values()), expected, atol=1e-6)
    assert 0.5 < row["masked_vsi"] < row["vsi"] < 0.999


def test_saliency_is_that_of_the_paper_and_of_one_colour_nought():
    photo = scene((90, 300))
    np.testing.assert_allclose(vsi_module.saliency(photo), stated_saliency(photo), atol=1e-9)
    assert not vsi_module.saliency(np.full((20, 30, 3), 0.4, np.float32)).any()


def test_vsi_of_opposite_colours_takes_the_real_part_of_a_negative_power():
    red, blue = (np.zeros((30, 30, 3), np.float32) for _ in range(2))
    red[..., 0], blue[..., 2] = 1, 1
    blue[:, :15, 1] = 0.2
    m, n = (2 * a * b * 255**2 + 130 for a, b in ((0.30, -0.35), (0.34, 0.17)))
    m, n = m / ((0.30**2 + 0.35**2) * 255**2 + 130), n / ((0.34**2 + 0.17**2) * 255**2 + 130)
    assert m * n < 0
    catches = vsi_module.saliency(blue)[20, 25]  # of the red photo it is 0
    expected = 1.27 / (catches**2 + 1.27) * (complex(m * n) ** 0.02).real
    similarity, weight = vsi_maps(red, blue)
    assert similarity[20, 25] == pytest.approx(expected, rel=1e-6)
    assert weight[20, 25] == catches


def test_vsi_is_symmetric_and_photos_of_one_colour_are_compared_all_over():
    truth, filled, mask = pair((60, 80))
    assert Vsi().measure(truth, filled, mask) == Vsi().measure(filled, truth, mask)
    grey, green = (np.full((20, 20, 3), value, np.float32) for value in (0.5, (0.2, 0.6, 0.2)))
    row = Vsi().measure(grey, green, middle((20, 20)))
    assert 0 < row["vsi"] < 1
    assert row["masked_vsi"] == pytest.approx(vsi_maps(grey, green)[0][10, 10])
    assert math.isnan(Vsi().measure(grey, green, np.zeros((20, 20), bool))["masked_vsi"])


def test_a_resize_to_the_same_size_is_the_same_and_a_constant_stays_one():
    values = picture((7, 9)).astype(np.float64)
    assert vsi_module.resize(values, 7, 0) is values
    for size in (1, 3, 40):
        np.testing.assert_allclose(vsi_module.resize(np.ones((7, 2)), size, 0), 1, atol=1e-12)
