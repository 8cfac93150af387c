"""Sliced Wasserstein distance of sets: exact values, a statement from its definition, its sets."""

import math

import cv2
import numpy as np
import pytest
from tests.conformance_metrics import assert_set_metric, picture, scene

from infill.metrics import swd
from infill.metrics.base import SET_METRICS
from infill.metrics.swd import Swd


def described(make, count=4, shape=(64, 64)):
    everywhere = np.ones(shape, bool)
    return [Swd().describe(make(shape, seed), everywhere) for seed in range(count)]


def test_it_keeps_the_protocol():
    assert SET_METRICS.get("swd").card.name == "swd"
    assert_set_metric(Swd())


# --- patches ------------------------------------------------------------------------------


def test_patches_are_those_with_their_middle_in_the_hole():
    photo, mask = picture((30, 40)), np.zeros((30, 40), bool)
    mask[14, 20] = mask[2, 20] = True  # around the second there is no whole patch
    found = Swd().describe(photo, mask)
    assert found.dtype == np.float16
    assert found.shape == (3, 148)  # one a level, the coarser ones at the same place
    assert found[:, 0].tolist() == [0, 1, 2]
    half = cv2.pyrDown(photo)
    fine = photo - cv2.pyrUp(half, dstsize=(40, 30))
    patch = fine[11:18, 17:24].transpose(2, 0, 1).ravel()
    np.testing.assert_allclose(found[0, 1:], patch, atol=1e-3)
    coarse = cv2.pyrDown(half)
    patch = coarse[0:7, 2:9].transpose(2, 0, 1).ravel()  # around (14, 20) / 4
    np.testing.assert_allclose(found[2, 1:], patch, atol=1e-3)


def test_a_photo_of_one_colour_has_nothing_but_its_low_pass():
    found = Swd().describe(np.full((64, 64, 3), 0.25, np.float32), np.ones((64, 64), bool))
    assert not found[found[:, 0] < 2, 1:].any()
    assert (found[found[:, 0] == 2, 1:] == 0.25).all()


def test_many_patches_are_thinned_evenly_and_at_the_same_places():
    photo, mask = scene((200, 300)), np.ones((200, 300), bool)
    found = Swd().describe(photo, mask)
    assert np.bincount(found[:, 0].astype(int)).tolist() == [128, 128, 128]
    places = np.stack([np.arange(300.0 * 200).reshape(200, 300) / 6e4] * 3, axis=2)
    chosen = swd._patches(places.astype(np.float32), mask)[:, 24]
    assert (np.diff(chosen) > 0).all()
    assert np.abs(chosen - (np.arange(128) + 0.5) / 128).max() < 0.03


def test_small_photos_have_fewer_levels_or_none():
    for shape, levels in (((6, 90), []), ((7, 9), [0]), ((14, 14), [0, 1]), ((28, 28), [0, 1, 2])):
        found = Swd().describe(picture(shape), np.ones(shape, bool))
        assert sorted(set(found[:, 0].tolist())) == levels


# --- distance -----------------------------------------------------------------------------


def stated_distance(one, other):
    """As the paper's appendix: normalise each set, project, sort, mean difference; float64."""
    sets = []
    for patches in (one, other):
        values = patches.astype(np.float64).reshape(len(patches), 3, 49)
        values = values - values.mean(axis=(0, 2), keepdims=True)
        values = values / values.std(axis=(0, 2), keepdims=True)
        sets.append(values.reshape(len(patches), 147))
    total = 0.0
    for direction in swd.directions().astype(np.float64):
        first, second = (np.sort(values @ direction) for values in sets)
        total += np.abs(first - second).mean()
    return 1000 * total / 512


def test_the_distance_is_what_its_definition_says():
    rng = np.random.default_rng(0)
    one = rng.normal(size=(300, 147)).astype(np.float16)
    other = (rng.random((300, 147)) ** 3).astype(np.float16)
    expected = stated_distance(one, other)
    assert expected > 50
    assert swd.distance(one, other) == pytest.approx(expected, rel=1e-5)


def test_the_same_patches_in_another_order_are_nought_and_each_level_counts_alike():
    rows = described(scene)
    assert set(Swd().compare(rows, rows[::-1]).values()) == {0.0}
    scores = Swd().compare(rows, described(picture))
    levels = [scores[f"swd_{name}"] for name in ("fine", "middle", "coarse")]
    assert scores["swd"] == pytest.approx(sum(levels) / 3)
    assert min(levels) > 10


def test_a_change_of_contrast_alone_is_not_seen_and_blur_is():
    rng = np.random.default_rng(1)
    patches = rng.normal(size=(400, 147)).astype(np.float16)
    assert swd.distance(patches, patches * np.float16(0.5)) == pytest.approx(0, abs=0.5)
    sharp = described(scene)
    blurred = described(lambda *given: cv2.GaussianBlur(scene(*given), (0, 0), 2))
    assert Swd().compare(sharp, blurred)["swd_fine"] > 50


def test_sets_of_two_sizes_are_compared_at_the_same_shares():
    values = np.array([[0.0, 1, 2, 3, 4, 5, 6, 7]], np.float32)
    np.testing.assert_allclose(swd._at_shares(values, 4), [[0.5, 2.5, 4.5, 6.5]])
    np.testing.assert_allclose(swd._at_shares(values, 2), [[1.5, 5.5]])
    rng = np.random.default_rng(2)
    patches = rng.normal(size=(600, 147)).astype(np.float16)
    twice = np.concatenate([patches, patches])
    assert swd.distance(patches, twice) < 15
    assert swd.distance(patches, twice) == pytest.approx(swd.distance(twice, patches))


def test_a_flat_set_has_a_finite_distance():
    flat = [Swd().describe(np.full((64, 64, 3), 0.5, np.float32), np.ones((64, 64), bool))] * 8
    scores = Swd().compare(described(scene, 8), flat)
    assert all(math.isfinite(value) and value > 100 for value in scores.values())


def test_too_few_patches_say_nothing():
    one = [Swd().describe(scene((64, 64)), np.ones((64, 64), bool))]  # 128 a level
    two = described(scene, 2)
    assert math.isnan(Swd().compare(two, one)["swd_fine"])
    scores = Swd().compare(two, two)
    assert scores["swd_fine"] == 0
    assert math.isnan(scores["swd_coarse"])  # 16 × 16 pixels have 100 patches each
    assert math.isnan(scores["swd"])


def test_of_very_many_patches_each_is_as_likely_to_be_held(monkeypatch):
    monkeypatch.setattr(swd, "CAPACITY", 300)
    rows = np.zeros((100, 148), np.float16)
    sets = []
    for number in range(20):
        part = rows.copy()
        part[:, 1:] = number
        sets.append(part)
    held = swd._gather(iter(sets))
    assert held[0].shape == (300, 147)
    assert len(held[1]) == len(held[2]) == 0
    np.testing.assert_array_equal(held[0], swd._gather(sets)[0])
    counts = np.bincount(held[0][:, 0].astype(int), minlength=20)
    assert counts.min() >= 5
    assert counts.max() <= 30  # 15 expected of each
    few = swd._gather(sets[:3])[0]
    np.testing.assert_array_equal(few[:, 0], np.repeat([0, 1, 2], 100))
