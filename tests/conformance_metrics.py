"""What every metric must do: `assert_metric(metric)` and `assert_set_metric(metric)`."""

import math
from typing import get_args

import numpy as np
import pytest

from infill.errors import BadMask, BadPixels, MaskSizeMismatch
from infill.metrics.base import Against, Better, Criterion, Metric, SetMetric

SIZES = [(1, 1), (1, 9), (7, 1), (6, 6), (7, 8), (13, 11), (31, 40)]
LARGE = (200, 260)
"""A photo in which every metric has something to measure."""


def picture(shape, seed=0):
    """A random (H, W, 3) float32 photo in [0, 1], on 8-bit levels as real ones are."""
    drawn = np.random.default_rng(seed).integers(0, 256, (*shape, 3))
    return (drawn / 255).astype(np.float32)


def scene(shape, seed=0):
    """A photo with the spectrum of real ones, (H, W, 3) float32 on 8-bit levels.

    Amplitudes fall with the frequency; the channels have most in common; a slope and two edges.
    """
    rng = np.random.default_rng(seed)
    down, across = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    fall = 1 / np.maximum(np.hypot(down, across), 1 / max(shape))
    fields = [np.fft.irfft2(fall * np.fft.rfft2(rng.normal(size=shape)), shape) for _ in range(4)]
    grey, *tints = [field / field.std() for field in fields]
    y, x = np.mgrid[: shape[0], : shape[1]] / np.reshape(shape, (2, 1, 1))
    edges = 0.15 * (x + y > 1) - 0.15 * (x > 0.55)
    channels = [0.45 + 0.1 * x + edges + 0.1 * grey + 0.02 * tint for tint in tints]
    return (np.rint(np.clip(np.stack(channels, axis=2), 0, 1) * 255) / 255).astype(np.float32)


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
    for shape in (*SIZES, LARGE):
        if metric.card.against == "nothing":
            assert_truth_is_not_looked_at(metric, shape)
        else:
            assert_perfect_scores_best(metric, picture(shape), middle(shape))
    for mask in (np.zeros((13, 11), bool), np.ones((13, 11), bool)):
        assert_row(metric, picture((13, 11)), picture((13, 11), 1), mask)
    assert_row(metric, scene(LARGE), scene(LARGE, 1), middle(LARGE))
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
    assert set(card.labels) <= set(card.better)
    assert len(set(card.labels.values())) == len(card.labels)
    assert card.criterion in get_args(Criterion)
    assert card.against in get_args(Against)
    assert card.least >= 1


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
    """What is wrong everywhere scores below what is a little wrong.

    In the hole, or outside it for a metric against the photo as it came in, which in turn does
    not see what is in the hole. A metric against nothing may need a large photo like a real one.
    """
    against = metric.card.against
    shape = LARGE if against == "nothing" else (40, 40)
    truth = scene(shape) if against == "nothing" else picture(shape) * np.float32(0.5)
    mask = middle(shape)
    wrong = ~mask if against == "before" else mask
    near, far = truth.copy(), truth.copy()
    near[wrong] += np.float32(0.02) * picture(shape, 2)[wrong]
    far[wrong] = picture(shape, 3)[wrong]
    little, much = (metric.measure(truth, filled, mask) for filled in (near, far))
    for key, better in metric.card.better.items():
        if better == "higher":
            assert little[key] > much[key], key
        elif better == "lower":
            assert little[key] < much[key], key
        else:
            assert abs(little[key] - 1) < abs(much[key] - 1), key
    if against == "before":
        only_hole = np.where(mask[..., None], picture(shape, 3), truth)
        assert metric.measure(truth, only_hole, mask) == metric.measure(truth, truth, mask)


def assert_reduces(metric):
    """One row stays as it is, the score of three lies between them, and of none is NaN."""
    for shape in ((20, 20), LARGE):  # the smaller that all keys can be measured in
        mask = middle(shape)
        rows = [metric.measure(picture(shape), picture(shape, seed), mask) for seed in (1, 2, 3)]
        if all(math.isfinite(value) for row in rows for value in row.values()):
            break
    else:
        pytest.fail(f"{metric.card.name} measures nothing even in a photo of {LARGE}")
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


def assert_set_metric(
    metric: SetMetric, photos: int = 8, shape: tuple[int, int] = (64, 64)
) -> None:
    """The promises of the protocol for a metric of sets.

    photos, shape: how many and how large its sets must be for it to have figures.
    """
    assert_card(metric)
    assert_describes(metric, shape)
    everywhere = np.ones(shape, bool)
    truths = [scene(shape, seed) for seed in range(photos)]
    fills = {
        "same": truths,
        "near": [
            np.clip(t + 0.1 * (picture(shape, 90 + i) - 0.5), 0, 1) for i, t in enumerate(truths)
        ],
        "far": [picture(shape, 60 + i) for i in range(photos)],
    }
    described = {
        name: [metric.describe(fill.astype(np.float32), everywhere) for fill in made]
        for name, made in fills.items()
    }
    scores = {name: metric.compare(described["same"], made) for name, made in described.items()}
    for score in scores.values():
        assert list(score) == list(metric.card.better)
        assert all(type(value) is float and math.isfinite(value) for value in score.values())
    for key, better in metric.card.better.items():
        sign = 1 if better == "lower" else -1
        assert sign * scores["same"][key] <= sign * scores["near"][key], key
        assert sign * scores["near"][key] < sign * scores["far"][key], key
    once = metric.compare(iter(described["same"]), iter(described["far"]))
    assert once == scores["far"], "drawn once, in order, the figures are the same"
    for few in ([], described["same"]):
        assert all(math.isnan(value) for value in metric.compare(few, iter([])).values())
        assert all(math.isnan(value) for value in metric.compare([], few).values())


def assert_describes(metric, shape):
    """(n, d) of few bytes, d always the same; the same again; nothing given is written."""
    assert isinstance(metric.missing(), str | None)
    widths = set()
    for size in (shape, (shape[0] + 1, shape[1] + 3)):
        for mask in (np.ones(size, bool), middle(size), np.zeros(size, bool)):
            pixels = picture(size)
            for given in (pixels, mask):
                given.flags.writeable = False
            found = metric.describe(pixels, mask)
            assert found.ndim == 2
            assert found.dtype in (np.float16, np.float32)
            assert found.nbytes < 2**18
            widths.add(found.shape[1])
            np.testing.assert_array_equal(metric.describe(pixels, mask), found)
    assert len(widths) == 1
    with pytest.raises(BadPixels, match="float32"):
        metric.describe(pixels.astype(np.float64), mask)
    with pytest.raises(BadMask, match="bool"):
        metric.describe(pixels, mask.astype(np.uint8))
    with pytest.raises(MaskSizeMismatch):
        metric.describe(pixels, mask[:5])
