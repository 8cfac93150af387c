"""Metrics: exact values on arrays that fit in the head, then properties."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conformance_metrics import assert_metric, middle, picture

from infill.errors import BadPixels, UnknownPlugin
from infill.metrics import psnr as psnr_module
from infill.metrics import texture
from infill.metrics.base import (
    METRICS,
    format_score,
    measure_all,
    ready,
    reduce_rows,
    to_json,
    to_unit,
)
from infill.metrics.psnr import Psnr, psnr
from infill.metrics.sharpness import Sharpness, gradient_energy
from infill.metrics.texture import Texture


@pytest.mark.parametrize("name", ready())  # those that need weights have tests with small ones
def test_every_metric_keeps_the_protocol(name):
    metric = METRICS.get(name)
    assert metric.card.name == name
    assert_metric(metric)


def grey(rows):
    """A photo of three equal channels from rows of numbers."""
    return np.repeat(np.array(rows, np.float32)[..., None], 3, axis=2)


def mask_of(rows):
    return np.array(rows, bool)


# --- PSNR ---------------------------------------------------------------------------------


def test_psnr_of_a_difference_of_a_tenth_is_20_db():
    assert psnr(grey([[0.5, 0.5]]), grey([[0.6, 0.4]])) == pytest.approx(20, abs=1e-5)


def test_masked_psnr_looks_at_the_hole_alone_and_at_all_channels():
    truth = np.zeros((1, 4, 3), np.float32)
    filled = truth.copy()
    filled[0, 0] = (0.3, 0, 0)  # mean square over the hole's two pixels: 0.09 / 6
    row = Psnr().measure(truth, filled, mask_of([[1, 1, 0, 0]]))
    assert row["masked_psnr"] == pytest.approx(-10 * math.log10(0.09 / 6), abs=1e-5)
    assert row["psnr"] == pytest.approx(-10 * math.log10(0.09 / 12), abs=1e-5)


def test_psnr_of_an_exact_match_is_infinite_and_kept_out_of_the_mean():
    truth, mask = picture((4, 4)), middle((4, 4))
    exact = Psnr().measure(truth, truth, mask)
    assert exact == {"psnr": math.inf, "masked_psnr": math.inf}
    other = {"psnr": 20.0, "masked_psnr": 10.0}
    assert Psnr().reduce([exact, other, other]) == {
        "psnr": 20.0,
        "psnr_exact": 1.0,
        "masked_psnr": 10.0,
        "masked_psnr_exact": 1.0,
    }
    assert Psnr().reduce([exact])["psnr"] == math.inf


def test_psnr_of_an_empty_mask_is_that_of_the_whole_photo_alone():
    row = Psnr().measure(grey([[0, 0]]), grey([[0.1, 0.1]]), mask_of([[0, 0]]))
    assert row["psnr"] == pytest.approx(20, abs=1e-5)
    assert math.isnan(row["masked_psnr"])


def test_psnr_is_that_of_scikit_image():
    from skimage.metrics import peak_signal_noise_ratio

    truth, filled, mask = picture((20, 31)), picture((20, 31), 1), middle((20, 31))
    row = Psnr().measure(truth, filled, mask)
    whole = peak_signal_noise_ratio(truth, filled, data_range=1.0)
    inside = peak_signal_noise_ratio(truth[mask], filled[mask], data_range=1.0)
    assert row["psnr"] == pytest.approx(whole, abs=1e-4)
    assert row["masked_psnr"] == pytest.approx(inside, abs=1e-4)


def test_psnr_in_parts_is_the_same(monkeypatch):
    truth, filled = picture((30, 30)), picture((30, 30), 1)
    whole = psnr(truth, filled)
    monkeypatch.setattr(psnr_module, "_VALUES_AT_ONCE", 77)
    assert psnr(truth, filled) == pytest.approx(whole, rel=1e-12)


# --- sharpness ----------------------------------------------------------------------------


def test_gradient_energy_takes_neighbours_that_both_lie_in_the_hole():
    photo = grey([[0.0, 1.0, 0.5], [0.0, 0.0, 0.25]])
    mask = mask_of([[0, 1, 1], [0, 0, 1]])
    # right: (0.5 - 1)² in row 0; down: (0.25 - 0.5)² in column 2; three channels each
    assert gradient_energy(photo, mask) == pytest.approx(3 * (0.25 + 0.0625))


def test_half_the_contrast_is_a_sharpness_of_a_half():
    truth, mask = picture((12, 12)), middle((12, 12))
    row = Sharpness().measure(truth, truth * np.float32(0.5), mask)
    assert row["sharpness"] == pytest.approx(0.5, abs=1e-6)


def test_sharpness_of_a_flat_fill_is_zero_and_of_a_flat_truth_undefined():
    truth, mask = picture((12, 12)), middle((12, 12))
    flat = np.full_like(truth, 0.5)
    assert Sharpness().measure(truth, flat, mask) == {"sharpness": 0.0}
    assert math.isnan(Sharpness().measure(flat, truth, mask)["sharpness"])


def test_sharpness_of_scattered_hole_pixels_is_undefined():
    mask = np.zeros((5, 5), bool)
    mask[::2, ::2] = True  # no two of them are neighbours
    row = Sharpness().measure(picture((5, 5)), picture((5, 5), 1), mask)
    assert math.isnan(row["sharpness"])


# --- texture distance ---------------------------------------------------------------------


def stated_distance(truth, filled, mask):
    """The sliced distance from its definition: loops over patches, float64, no rounding."""
    directions = texture.directions().astype(np.float64)
    height, width = mask.shape
    sets = []
    for photo in (truth.astype(np.float64), filled.astype(np.float64)):
        patches = []
        for y in range(height - 6):
            for x in range(width - 6):
                if mask[y : y + 7, x : x + 7].any():
                    patch = photo[y : y + 7, x : x + 7]
                    patches.append((patch - patch.mean()).transpose(2, 0, 1).ravel())
        sets.append(np.sort(np.array(patches) @ directions.T, axis=0))
    return np.sqrt(np.square(sets[0] - sets[1]).mean(axis=0)).mean()


def test_texture_distance_is_what_its_definition_says():
    truth, filled = picture((22, 25)), picture((22, 25), 1) * np.float32(0.5)
    mask = middle((22, 25))
    full = stated_distance(truth, filled, mask)
    assert texture.sliced_distance(truth, filled, mask) == pytest.approx(full, abs=1e-5)

    def halved(photo):
        return photo[:22, :24].reshape(11, 2, 12, 2, 3).mean(axis=(1, 3))

    half = stated_distance(
        halved(truth), halved(filled), mask[:22, :24].reshape(11, 2, 12, 2).any(axis=(1, 3))
    )
    row = Texture().measure(truth, filled, mask)
    assert row["texture"] == pytest.approx(1000 * (full + half) / 2, abs=0.01)


def test_directions_are_fixed_and_of_unit_length_before_their_mean_is_taken_off():
    directions = texture.directions()
    assert directions.shape == (128, 147)
    assert np.abs(directions.mean(axis=1)).max() < 1e-6
    lengths = np.linalg.norm(directions, axis=1)
    assert lengths.max() <= 1 + 1e-6
    assert lengths.min() > 0.95
    assert directions[0, 0] == texture.directions()[0, 0]
    with pytest.raises(ValueError, match="read-only"):
        directions[0, 0] = 1


def test_the_longest_projection_fits_the_whole_numbers_it_is_rounded_to():
    longest = 0.5 * math.sqrt(3 * 7 * 7)  # half the values 0, half of them 1
    assert longest * texture.STEPS_PER_UNIT < np.iinfo(np.int16).max


def test_patches_that_touch_the_hole():
    mask = np.zeros((9, 20), bool)
    mask[4, 10] = True  # every 7×7 window with a corner in columns 4 to 10
    expected = np.zeros((3, 14), bool)
    expected[:, 4:11] = True
    np.testing.assert_array_equal(texture.touching(mask), expected)
    assert texture.touching(np.ones((6, 9), bool)).size == 0


def test_half_size_leaves_out_an_odd_edge_and_keeps_every_touched_pixel():
    photo = grey([[0.0, 0.4, 9.0], [0.8, 0.0, 9.0], [9.0, 9.0, 9.0]])
    np.testing.assert_allclose(texture.half_size(photo), grey([[0.3]]), atol=1e-7)
    touched = texture.half_mask(mask_of([[0, 0, 0, 1], [0, 1, 0, 0]]))
    np.testing.assert_array_equal(touched, [[True, True]])
    assert not texture.half_mask(np.zeros((4, 4), bool)).any()


def test_texture_distance_does_not_see_a_change_of_brightness():
    truth = picture((20, 20)) * np.float32(0.5)
    row = Texture().measure(truth, truth + np.float32(0.25), np.ones((20, 20), bool))
    assert row["texture"] == pytest.approx(0, abs=0.1)


def test_texture_distance_does_not_see_where_a_patch_is():
    truth = np.tile(picture((8, 8)), (4, 4, 1))
    shifted = np.roll(truth, (8, 16), axis=(0, 1))
    noisy = picture((32, 32), 5)
    everywhere = np.ones((32, 32), bool)
    assert Texture().measure(truth, shifted, everywhere)["texture"] == 0
    assert Texture().measure(truth, noisy, everywhere)["texture"] > 10


def test_texture_distance_of_a_small_photo():
    six = Texture().measure(picture((6, 30)), picture((6, 30), 1), middle((6, 30)))
    assert math.isnan(six["texture"])
    truth, filled, mask = picture((9, 30)), picture((9, 30), 1), middle((9, 30))
    full = texture.sliced_distance(truth, filled, mask)
    assert Texture().measure(truth, filled, mask)["texture"] == pytest.approx(1000 * full)


def test_texture_distance_in_strips_is_the_same(monkeypatch):
    truth, filled, mask = picture((40, 40)), picture((40, 40), 1), middle((40, 40))
    whole = texture.sliced_distance(truth, filled, mask)
    monkeypatch.setattr(texture, "_VALUES_AT_ONCE", 5000)
    assert texture.sliced_distance(truth, filled, mask) == pytest.approx(whole, rel=1e-4)


def test_of_very_many_patches_some_are_taken(monkeypatch):
    truth, mask = picture((60, 60)), middle((60, 60))
    filled = picture((60, 60), 1) * np.float32(0.3)
    whole = texture.sliced_distance(truth, filled, mask)
    monkeypatch.setattr(texture, "MOST_PATCHES", 300)
    some = texture.sliced_distance(truth, filled, mask)
    assert some != whole
    assert some == pytest.approx(whole, rel=0.1)


# --- what they share ----------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 24), st.integers(1, 24)),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_size_and_mask_gives_a_row_of_floats(shape, seed):
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) < rng.random()
    row = measure_all(picture(shape, seed), picture(shape, seed + 1), mask)
    assert all(type(value) is float for value in row.values())
    assert 0 <= row["haarpsi"] <= 1
    assert row["psnr"] > 0
    assert not row["texture"] < 0
    assert not row["sharpness"] < 0


def test_measure_all_joins_rows_and_takes_a_choice():
    truth, filled, mask = picture((16, 16)), picture((16, 16), 1), middle((16, 16))
    everything = measure_all(truth, filled, mask)
    assert {"psnr", "masked_psnr", "ssim", "haarpsi", "texture", "sharpness"} <= set(everything)
    chosen = measure_all(truth, filled, mask, ["sharpness", "haarpsi"])
    assert list(chosen) == ["sharpness", "haarpsi", "masked_haarpsi"]
    assert chosen["haarpsi"] == everything["haarpsi"]
    with pytest.raises(UnknownPlugin, match="haarpsi"):
        measure_all(truth, filled, mask, ["haarspi"])


def test_undefined_values_are_left_out_of_a_mean():
    rows = [{"sharpness": math.nan}, {"sharpness": 0.5}, {"sharpness": 1.5}]
    assert reduce_rows(rows, Sharpness.card) == {"sharpness": 1.0}
    assert math.isnan(reduce_rows(rows[:1], Sharpness.card)["sharpness"])


def test_scores_as_text_and_as_json():
    assert format_score(15.949, 2) == "15.95"
    assert format_score(math.inf, 2) == "exact"
    assert format_score(math.nan, 2) == "–"
    row = to_json({"a": 0.5, "b": math.inf, "c": math.nan})
    assert json.loads(json.dumps(row, allow_nan=False)) == {"a": 0.5, "b": "exact", "c": None}


def test_to_unit_scales_by_the_depth():
    assert to_unit(np.full((1, 1, 3), 51, np.uint8))[0, 0, 0] == np.float32(0.2)
    assert to_unit(np.full((1, 1, 3), 65535, np.uint16))[0, 0, 0] == 1
    with pytest.raises(BadPixels, match="float64"):
        to_unit(np.zeros((1, 1, 3)))
