"""What is measured at the hole's border and outside it: exact values, then statements by loops."""

import math

import cv2
import numpy as np
import pytest
from tests.conformance_metrics import middle, picture, scene

from infill.metrics import colour, noise, structure
from infill.metrics import preservation as preservation_module
from infill.metrics.colour import Colour, colour_step, to_lab
from infill.metrics.noise import STEP, Noise, noise_levels, noise_mismatch
from infill.metrics.preservation import Preservation
from infill.metrics.structure import Structure


def flat(shape, value=0.5):
    return np.full((*shape, 3), value, np.float32)


def square(shape, size):
    """A hole of some side in the middle."""
    mask = np.zeros(shape, bool)
    top, left = ((side - size) // 2 for side in shape)
    mask[top : top + size, left : left + size] = True
    return mask


# --- preservation -------------------------------------------------------------------------


def test_preservation_of_one_changed_value():
    before, mask = flat((2, 3)), np.zeros((2, 3), bool)
    mask[0, 0] = True
    filled = before.copy()
    filled[0, 0] = 0  # in the hole: asked for
    filled[1, 2, 1] += np.float32(51 / 255)
    row = Preservation().measure(before, filled, mask)
    assert row["outside_max"] == pytest.approx(51, abs=1e-4)
    assert row["outside_mean"] == pytest.approx(51 / 15, abs=1e-5)
    assert row["outside_psnr"] == pytest.approx(-10 * math.log10(0.2**2 / 15), abs=1e-5)


def test_preservation_of_what_was_kept_is_exact_and_counted():
    before, mask = picture((9, 9)), middle((9, 9))
    filled = before.copy()
    filled[mask] = 0
    row = Preservation().measure(before, filled, mask)
    assert row == {"outside_max": 0.0, "outside_mean": 0.0, "outside_psnr": math.inf}
    other = {"outside_max": 2.0, "outside_mean": 1.0, "outside_psnr": 40.0}
    assert Preservation().reduce([row, other]) == {
        "outside_max": 1.0,
        "outside_mean": 0.5,
        "outside_psnr": 40.0,
        "outside_psnr_exact": 1.0,
    }


def test_preservation_is_that_of_scikit_image():
    from skimage.metrics import peak_signal_noise_ratio

    before, filled, mask = picture((20, 30)), picture((20, 30), 1), middle((20, 30))
    row = Preservation().measure(before, filled, mask)
    expected = peak_signal_noise_ratio(before[~mask], filled[~mask], data_range=1.0)
    assert row["outside_psnr"] == pytest.approx(expected, abs=1e-4)


def test_preservation_in_strips_is_the_same_and_a_full_hole_has_no_outside(monkeypatch):
    before, filled, mask = picture((20, 30)), picture((20, 30), 1), middle((20, 30))
    mask[3:6] = True  # a strip that is all hole
    whole = Preservation().measure(before, filled, mask)
    monkeypatch.setattr(preservation_module, "_ROWS_AT_ONCE", 3)
    assert Preservation().measure(before, filled, mask) == pytest.approx(whole, rel=1e-9)
    full = Preservation().measure(before, filled, np.ones((20, 30), bool))
    assert all(math.isnan(value) for value in full.values())


# --- colour -------------------------------------------------------------------------------


def test_lab_is_that_of_scikit_image():
    from skimage.color import rgb2lab

    pixels = picture((30, 30))
    pixels[0] *= np.float32(0.05)  # the straight parts of both curves
    np.testing.assert_allclose(to_lab(pixels), rgb2lab(pixels.astype(np.float64)), atol=1e-4)


def test_a_flat_fill_of_another_colour_is_its_delta_e_from_the_photo():
    from skimage.color import deltaE_cie76, rgb2lab

    photo, mask = flat((40, 40)), square((40, 40), 12)
    photo[mask] = (0.6, 0.5, 0.4)
    expected = deltaE_cie76(rgb2lab([0.5, 0.5, 0.5]), rgb2lab([0.6, 0.5, 0.4]))
    assert colour_step(photo, mask) == pytest.approx(expected, abs=1e-3)


def test_a_slope_that_goes_on_has_no_step_and_a_fill_that_is_lighter_on_it_has_one():
    slope = np.repeat(np.linspace(0.3, 0.7, 80)[None, :, None], 60, 0)
    photo = np.repeat(slope, 3, axis=2).astype(np.float32)
    mask = square((60, 80), 20)
    assert colour_step(photo, mask) < 0.3
    photo[mask] += np.float32(0.1)
    assert colour_step(photo, mask) > 5


def test_dark_on_one_side_and_light_on_the_other_is_not_right_on_the_average():
    photo, mask = flat((60, 80)), square((60, 80), 30)
    rows, columns = np.nonzero(mask)
    photo[rows, columns] += np.where(columns < 40, 0.1, -0.1)[:, None].astype(np.float32)
    assert colour_step(photo, mask) > 5


def stated_colour(filled, mask):
    """The step from its definition: loops over the border's pixels and their windows."""
    height, width = mask.shape
    y, x = np.mgrid[:height, :width]
    lab = to_lab(filled)

    def distance(to):
        there = np.argwhere(to)
        away = [np.hypot(y - a, x - b) for a, b in there]
        return np.min(away, axis=0)

    depth, beyond = distance(~mask), distance(mask)
    rings = [mask & (depth <= 4), ~mask & (beyond <= 4), ~mask & (beyond > 4) & (beyond <= 8)]
    across, beside = [], []
    for a, b in np.argwhere(mask & (depth == 1)):
        near = (abs(y - a) <= 8) & (abs(x - b) <= 8)
        if min((near & ring).sum() for ring in rings) < 17:
            continue
        means = [lab[near & ring].mean(axis=0) for ring in rings]
        across.append(np.linalg.norm(means[0] - means[1]))
        beside.append(np.linalg.norm(means[1] - means[2]))
    return max(0, np.mean(across) - np.mean(beside))


@pytest.mark.parametrize("seed", range(3))
def test_colour_is_what_its_definition_says(seed):
    photo, mask = scene((34, 45), seed), np.zeros((34, 45), bool)
    mask[8 + seed : 20, 12:30] = True
    mask[0:4, 0:9] = True  # at the photo's edge
    photo[mask] *= np.float32(0.8)
    expected = stated_colour(photo, mask)
    assert expected > 1
    assert colour_step(photo, mask) == pytest.approx(expected, abs=1e-4)


def test_colour_is_undefined_without_a_border_or_without_all_three_rings():
    photo = picture((30, 30))
    assert math.isnan(colour_step(photo, np.zeros((30, 30), bool)))
    assert math.isnan(colour_step(photo, np.ones((30, 30), bool)))
    narrow = np.ones((30, 30), bool)
    narrow[:, :4] = False  # no ring behind the outer one
    assert math.isnan(colour_step(photo, narrow))
    assert Colour.card.against == "nothing"


# --- noise --------------------------------------------------------------------------------


def noisy(shape, inside, outside, mask):
    rng = np.random.default_rng(5)
    sigma = np.where(mask, inside, outside)[..., None]
    return (0.5 + sigma * rng.normal(size=(*shape, 3))).astype(np.float32)


def test_the_noise_level_of_gaussian_noise_is_its_deviation():
    photo = noisy((200, 200), 0.03, 0.03, np.zeros((200, 200), bool))
    assert noise_levels(photo)[8:-8, 8:-8].mean() == pytest.approx(0.03, rel=0.02)


def test_as_noisy_is_nought_twice_or_half_as_noisy_is_one():
    shape, mask = (160, 160), square((160, 160), 80)
    assert noise_mismatch(noisy(shape, 0.02, 0.02, mask), mask) < 0.1
    assert noise_mismatch(noisy(shape, 0.04, 0.02, mask), mask) == pytest.approx(1, abs=0.1)
    assert noise_mismatch(noisy(shape, 0.02, 0.04, mask), mask) == pytest.approx(1, abs=0.1)


def test_a_smooth_fill_in_a_noisy_photo_is_a_finite_mismatch():
    mask = square((120, 120), 50)
    photo = noisy((120, 120), 0, 0.02, mask)
    level = float(np.quantile(noise_levels(photo)[5:30, 5:-5], 0.25))
    expected = math.log2(math.hypot(level, STEP) / STEP)
    assert noise_mismatch(photo, mask) == pytest.approx(expected, abs=0.1)


def test_noise_does_not_see_planes_and_straight_edges_along_the_axes():
    y, x = np.mgrid[:120, :140].astype(np.float32)
    photo = np.repeat((0.002 * x + 0.003 * y + 0.2 * (x > 70))[..., None], 3, axis=2)
    assert noise_mismatch(photo.astype(np.float32), square((120, 140), 50)) < 1e-3


def stated_noise(filled, mask):
    """The mismatch from its definition: loops over squares, float64."""
    height, width = mask.shape
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
    holes = np.argwhere(mask)
    inside, beside = [], []
    for a in range(4, height - 4):
        for b in range(4, width - 4):
            seen = mask[a - 4 : a + 5, b - 4 : b + 5]
            far = np.hypot(*(holes - (a, b)).T).min() > 32
            if (seen.any() and not seen.all()) or (not seen.any() and far):
                continue
            answers = [
                abs((filled[i - 1 : i + 2, j - 1 : j + 2] * kernel[..., None]).sum(axis=(0, 1)))
                for i in range(a - 3, a + 4)
                for j in range(b - 3, b + 4)
            ]
            (inside if seen.all() else beside).append(np.mean(answers))
    one, other = (
        math.sqrt(math.pi / 2) / 6 * np.quantile(found, 0.25) for found in (inside, beside)
    )
    return abs(math.log2(math.sqrt((one**2 + STEP**2) / (other**2 + STEP**2))))


def test_noise_is_what_its_definition_says():
    photo, mask = picture((40, 62)), np.zeros((40, 62), bool)
    mask[6:22, 3:20] = True
    photo[mask] *= np.float32(0.4)
    expected = stated_noise(photo.astype(np.float64), mask)
    assert expected > 1
    assert noise_mismatch(photo, mask) == pytest.approx(expected, abs=1e-5)


def test_noise_is_undefined_where_a_region_is_too_small():
    photo = picture((60, 60))
    assert math.isnan(noise_mismatch(photo, np.zeros((60, 60), bool)))
    assert math.isnan(noise_mismatch(photo, np.ones((60, 60), bool)))
    assert math.isnan(noise_mismatch(photo, square((60, 60), 11)))  # 3 × 3 squares: 9
    assert math.isfinite(noise_mismatch(photo, square((60, 60), 12)))
    assert noise.LEAST == 16
    assert math.isnan(Noise().measure(photo, photo, square((60, 60), 58))["noise"])


# --- structure ----------------------------------------------------------------------------


def stripes(shape, degrees=0.0, contrast=0.3):
    """Soft stripes; at 0 degrees they run down the photo."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    turn = math.radians(degrees)
    wave = 0.5 + contrast * np.sin((x * math.cos(turn) + y * math.sin(turn)) / 2.5)
    return np.repeat(wave[..., None], 3, axis=2).astype(np.float32)


def test_stripes_that_go_on_are_1_and_those_that_end_are_0():
    photo, mask = stripes((120, 120), 20), square((120, 120), 40)
    assert structure.structure(photo, mask) == pytest.approx(1, abs=0.02)
    ended = photo.copy()
    ended[mask] = 0.5
    assert structure.structure(ended, mask) == pytest.approx(0, abs=0.02)


def test_stripes_that_turn_are_0_and_those_of_half_the_contrast_four_fifths():
    shape, mask = (120, 120), square((120, 120), 40)
    photo = stripes(shape, 30)
    turned, weak = photo.copy(), photo.copy()
    turned[mask] = stripes(shape, 120)[mask]
    weak[mask] = stripes(shape, 30, 0.15)[mask]
    assert structure.structure(turned, mask) == pytest.approx(0, abs=0.05)
    assert structure.structure(weak, mask) == pytest.approx(0.8, abs=0.02)


def test_lines_that_begin_at_the_border_are_as_wrong_as_those_that_end():
    photo, mask = flat((120, 120)), square((120, 120), 40)
    photo[mask] = stripes((120, 120), 30)[mask]
    assert structure.structure(photo, mask) == pytest.approx(0, abs=0.02)


def test_lines_along_the_border_need_no_counterpart():
    photo, mask = stripes((120, 120), 90), np.zeros((120, 120), bool)
    mask[40:80] = True  # a band of rows, and stripes along rows
    photo[mask] = 0.5
    assert math.isnan(structure.structure(photo, mask))


def test_structure_is_undefined_without_lines_or_gradients_on_both_sides():
    photo = stripes((40, 40))
    assert math.isnan(structure.structure(flat((40, 40)), square((40, 40), 10)))
    assert math.isnan(structure.structure(photo, np.zeros((40, 40), bool)))
    assert math.isnan(structure.structure(photo, np.ones((40, 40), bool)))
    assert math.isnan(structure.structure(photo, square((40, 40), 2)))
    assert math.isfinite(structure.structure(photo, square((40, 40), 8)))


def stated_continuity(photo, inner, outer):
    """S from its definition: eigenvalues of each window's tensor, loops over border pixels."""
    height, width = inner.shape
    photo = photo.astype(np.float64)
    smooth = cv2.GaussianBlur(outer.astype(np.float32), (0, 0), 2).astype(np.float64)

    def slope(values, a, b):
        part, side = values[a - 1 : a + 2, b - 1 : b + 2], np.array([3, 10, 3]) / 32
        across = np.tensordot(side, part[:, 2] - part[:, 0], 1)
        return np.array([across, np.tensordot(side, part[2] - part[0], 1)])

    def lines(side, a, b):
        gradients = []
        for i in range(max(1, a - 4), min(height - 1, a + 5)):
            for j in range(max(1, b - 4), min(width - 1, b + 5)):
                if side[i - 1 : i + 2, j - 1 : j + 2].all():
                    found = slope(photo, i, j)
                    gradients.append(found @ found.T)
        if len(gradients) < 9:
            return None
        values, vectors = np.linalg.eigh(np.mean(gradients, axis=0))
        return values, math.atan2(vectors[1, 1], vectors[0, 1])

    total = weights = 0.0
    for a, b in np.argwhere(inner):
        beside = [(a - 1, b), (a + 1, b), (a, b - 1), (a, b + 1)]
        beside = [(i, j) for i, j in beside if 0 <= i < height and 0 <= j < width]
        if not any(outer[place] for place in beside):
            continue
        sides = [lines(side, a, b) for side in (inner, outer)]
        if None in sides:
            continue
        normal = math.atan2(*slope(smooth, a, b)[::-1])
        vectors, crossing = [], []
        for (low, high), angle in sides:
            length = math.sqrt(high - low)
            vectors.append(length * np.array([math.cos(2 * angle), math.sin(2 * angle)]))
            clear = (high - low) / (high + low)
            crossing.append(length * math.sin(angle - normal) ** 2 * clear)
        one, other = vectors
        agreement = max(0, 2 * one @ other / (one @ one + other @ other))
        total += max(crossing) * agreement
        weights += max(crossing)
    return total / weights


def test_structure_is_what_its_definition_says():
    photo, mask = scene((50, 60), 2), np.zeros((50, 60), bool)
    mask[16:33, 20:41] = True
    photo[mask] = scene((50, 60), 3)[mask]
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    across = stated_continuity(photo, mask, ~mask)
    beside = stated_continuity(photo, ~mask & (away <= 8), away > 8)
    assert 0.1 < across < beside
    expected = 1 - max(0, beside - across)
    row = Structure().measure(photo, photo, mask)
    assert row["structure"] == pytest.approx(expected, abs=1e-4)


def test_a_photo_that_was_not_filled_goes_on_and_a_blurred_fill_does_not():
    photo = scene((200, 260), 4)
    mask = square((200, 260), 80)
    blurred = photo.copy()
    blurred[mask] = cv2.GaussianBlur(photo, (0, 0), 4)[mask]
    own = structure.structure(photo, mask)
    assert own > 0.85
    assert structure.structure(blurred, mask) < own - 0.1


def test_a_small_hole_in_a_large_photo_is_measured_as_in_a_small_one():
    photo, mask = scene((240, 300)), np.zeros((240, 300), bool)
    mask[100:120, 140:170] = True
    near = slice(50, 170), slice(90, 220)
    for measure in (structure.structure, colour.colour_step, noise.noise_mismatch):
        assert measure(photo, mask) == pytest.approx(measure(photo[near], mask[near]), abs=1e-6)
