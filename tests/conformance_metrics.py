"""What every metric must do, whichever it is: `assert_metric(metric)`."""

import math
from typing import get_args

import numpy as np
import pytest

from infill.errors import BadMask, BadPixels, MaskSizeMismatch
from infill.metrics.base import Better, Metric

SIZES = [(1, 1), (1, 9), (7, 1), (6, 6), (7, 8), (13, 11), (31, 40)]


def picture(shape, seed=0):
    """A random (H, W, 3) float32 photo in [0, 1], on 8-bit levels as real ones are."""
    drawn = np.random.default_rng(seed).integers(0, 256, (*shape, 3))
    return (drawn / 255).astype(np.float32)


def middle(shape):
    """A hole in the middle third, at least one pixel."""
    mask = np.zeros(shape, bool)
    height, width = shape
    mask[height // 3 : max(1, 2 * height // 3), width // 3 : max(1, 2 * width // 3)] = True
    return mask


def assert_metric(metric: Metric) -> None:
    """The promises of the protocol, for sizes from one pixel up."""
    assert_card(metric)
    for shape in SIZES:
        assert_row(metric, picture(shape), picture(shape, 1), middle(shape))
        if metric.card.against == "nothing":
            assert_truth_is_not_looked_at(metric, shape)
        else:
            assert_perfect_scores_best(metric, picture(shape), middle(shape))
    for mask in (np.zeros((13, 11), bool), np.ones((13, 11), bool)):
        assert_row(metric, picture((13, 11)), picture((13, 11), 1), mask)
    assert_worse_fill_scores_worse(metric)
    assert_reduces(metric)
    assert_bad_input_is_refused(metric)


def assert_card(metric):
    card = metric.card
    assert card.name
    assert card.summary
    assert card.better
    assert set(card.better.values()) <= set(get_args(Better))
    assert set(card.digits) <= set(card.better)


def assert_row(metric, truth, filled, mask):
    """Every key, as Python floats; the same again; nothing that was given is written."""
    for given in (truth, filled, mask):
        given.flags.writeable = False
    row = metric.measure(truth, filled, mask)
    assert list(row) == list(metric.card.better)
    assert all(type(value) is float for value in row.values())
    again = metric.measure(truth, filled, mask)
    for key, value in row.items():
        assert value == again[key] or (math.isnan(value) and math.isnan(again[key])), key


def assert_perfect_scores_best(metric, truth, mask):
    best = {"one": 1.0, "lower": 0.0}
    for key, value in metric.measure(truth, truth.copy(), mask).items():
        if math.isnan(value):
            continue
        if metric.card.better[key] == "higher":
            assert value == math.inf or value == pytest.approx(1), key
        else:
            assert value == best[metric.card.better[key]], key


def assert_truth_is_not_looked_at(metric, shape):
    """A metric against nothing gives the same row whatever it is told is the truth."""
    filled, mask = picture(shape, 1), middle(shape)
    rows = [metric.measure(truth, filled, mask) for truth in (filled, picture(shape, 2))]
    np.testing.assert_equal(rows[0], rows[1])


def assert_worse_fill_scores_worse(metric):
    """A hole filled with noise scores below the truth with a little noise."""
    truth, mask = picture((40, 40)) * np.float32(0.5), middle((40, 40))
    near, far = truth.copy(), truth.copy()
    near[mask] += np.float32(0.02) * picture((40, 40), 2)[mask]
    far[mask] = picture((40, 40), 3)[mask]
    little, much = (metric.measure(truth, filled, mask) for filled in (near, far))
    for key, better in metric.card.better.items():
        if better == "higher":
            assert little[key] > much[key], key
        elif better == "lower":
            assert little[key] < much[key], key
        else:
            assert abs(little[key] - 1) < abs(much[key] - 1), key


def assert_reduces(metric):
    shape, mask = (20, 20), middle((20, 20))
    rows = [metric.measure(picture(shape), picture(shape, seed), mask) for seed in (1, 2, 3)]
    assert metric.reduce(rows[:1]) == pytest.approx(rows[0])
    score = metric.reduce(rows)
    assert list(score) == list(metric.card.better)
    for key, value in score.items():
        values = [row[key] for row in rows]
        assert min(values) <= value <= max(values)
    assert all(math.isnan(value) for value in metric.reduce([]).values())


def assert_bad_input_is_refused(metric):
    good, mask = picture((9, 8)), middle((9, 8))
    with pytest.raises(BadPixels, match="float32"):
        metric.measure(good.astype(np.float64), good, mask)
    with pytest.raises(BadPixels, match="float32"):
        metric.measure(good, good[..., 0], mask)
    with pytest.raises(BadPixels, match="8×9"):
        metric.measure(good, good[:5], mask)
    with pytest.raises(BadMask, match="bool"):
        metric.measure(good, good, mask.astype(np.uint8))
    with pytest.raises(MaskSizeMismatch, match=r"\(5, 8\)"):
        metric.measure(good, good, mask[:5])
