"""The classic segmenter: the suite, what its loops compute, and scenes whose truth is known."""

import itertools

import numpy as np
import pytest

from infill.segmenters.base import SEGMENTERS, Prompt
from infill.segmenters.classic import Classic, kernels
from infill.segmenters.classic.cut import min_cut
from infill.segmenters.classic.graph import build, compressed, diffusion
from infill.segmenters.classic.outline import full_mask
from infill.segmenters.classic.regions import MEASURES
from infill.segmenters.classic.weights import WEIGHTS
from tests.conformance import assert_segmenter


@pytest.fixture(scope="module")
def segmenter():
    return Classic()


def overlap(mask, truth):
    return (mask & truth).sum() / (mask | truth).sum()


def discs(size=(150, 200)):
    """Two discs, red and green, on a noisy grey ground; pixels and where each disc is."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: size[0], : size[1]]
    red, green = np.hypot(x - 60, y - 75) < 35, np.hypot(x - 145, y - 75) < 30
    pixels = np.full((*size, 3), 120.0)
    pixels[red], pixels[green] = (200, 40, 40), (40, 160, 60)
    return np.clip(pixels + rng.normal(0, 5, pixels.shape), 0, 255).astype(np.uint8), red, green


def test_it_keeps_the_promises_of_segmenters():
    assert_segmenter(SEGMENTERS.get("classic"), honours_clicks=True)


def test_a_click_a_box_and_a_brush_find_the_disc(segmenter):
    pixels, red, green = discs()
    state = segmenter.embed(pixels)
    brush = np.zeros_like(red)
    brush[70:80, 40:80] = True
    for prompt in (
        Prompt(((60.5, 75.5),)),
        Prompt(box=(22, 37, 98, 113)),
        Prompt(brush=brush),
        Prompt(((60.5, 75.5), (145, 75)), (True, False)),
    ):
        assert overlap(segmenter.segment(state, prompt)[0].mask, red) > 0.93, prompt
    clicked = segmenter.segment(state, Prompt(((145, 75),)))[0].mask
    assert overlap(clicked, green) > 0.93


def test_further_clicks_add_and_take_away(segmenter):
    pixels, red, green = discs()
    state = segmenter.embed(pixels)
    both = segmenter.segment(state, Prompt(((60, 75), (145, 75))))[0].mask
    assert overlap(both, red | green) > 0.93
    boxed = segmenter.segment(state, Prompt(((60, 75),), (False,), box=(15, 30, 185, 120)))[0].mask
    assert overlap(boxed, green) > 0.9


def test_a_click_that_is_right_already_changes_nothing(segmenter):
    pixels, _, _ = discs()
    state = segmenter.embed(pixels)
    once = segmenter.segment(state, Prompt(((60, 75),)))[0].mask
    again = segmenter.segment(state, Prompt(((60, 75), (55, 80), (10, 10)), (True, True, False)))
    assert (again[0].mask == once).all()


def test_nothing_outside_of_the_box_is_selected(segmenter):
    pixels, _, _ = discs()
    box = (25.5, 40.2, 90.0, 100.9)
    state = segmenter.embed(pixels)
    for candidate in segmenter.segment(state, Prompt(box=box)):
        rows, columns = np.nonzero(candidate.mask)
        assert rows.min() >= 40
        assert rows.max() <= 100
        assert columns.min() >= 25
        assert columns.max() <= 89


def test_the_candidates_differ_in_size(segmenter):
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:160, :160]
    away = np.hypot(x - 80, y - 80)
    pixels = np.full((160, 160, 3), 90.0)
    pixels[away < 60], pixels[away < 25] = (150, 60, 60), (230, 210, 60)
    pixels = np.clip(pixels + rng.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)
    found = segmenter.segment(segmenter.embed(pixels), Prompt(((80, 80),)))
    assert len(found) >= 2
    assert max(overlap(candidate.mask, away < 25) for candidate in found) > 0.85
    assert max(overlap(candidate.mask, away < 60) for candidate in found) > 0.85
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)


def test_a_large_photo_has_a_crisp_outline(segmenter):
    y, x = np.mgrid[:1200, :1600]
    disc = np.hypot(x - 700, y - 600) < 300
    pixels = np.where(disc[..., None], (210, 60, 50), (70, 90, 130)).astype(np.uint8)
    mask = segmenter.segment(segmenter.embed(pixels), Prompt(((700, 600),)))[0].mask
    assert overlap(mask, disc) > 0.985


def test_clicks_of_both_meanings_in_one_superpixel_divide_it(segmenter):
    pixels, _, _ = discs()
    graph = build(pixels)
    largest = int(graph.area.argmax())
    rows, columns = np.nonzero(graph.labels == largest)
    a, b = (rows[0], columns[0]), (rows[-1], columns[-1])
    clicks = [(a[1] + 0.5, a[0] + 0.5, True), (b[1] + 0.5, b[0] + 0.5, False)]
    grey = np.zeros(graph.labels.shape, np.uint8)
    mask = full_mask(graph, grey, np.ones(len(graph), bool), clicks, None)
    assert mask[a]
    assert not mask[b]


# --- the graph and its loops ----------------------------------------------------------------


def test_superpixels_are_numbered_without_gaps_and_hang_together():
    import cv2

    graph = build(discs()[0])
    count = len(graph)
    assert set(np.unique(graph.labels)) == set(range(count))
    assert (np.bincount(graph.labels.ravel()) == graph.area).all()
    for label in range(0, count, 50):
        pieces, _ = cv2.connectedComponents(
            (graph.labels == label).astype(np.uint8), connectivity=4
        )
        assert pieces == 2  # the background counts as one


def test_every_edge_has_a_twin():
    a, b = np.array([0, 0, 1, 2]), np.array([1, 2, 2, 3])
    starts, nodes, twin, edge_at = compressed(a, b, 4)
    source = np.repeat(np.arange(4), np.diff(starts))
    assert (twin[twin] == np.arange(8)).all()
    assert (nodes[twin] == source).all()
    assert (edge_at[twin] == edge_at).all()
    assert (np.minimum(source, nodes) == a[edge_at]).all()


def test_the_minimum_cut_is_the_least_of_all_labellings():
    rng = np.random.default_rng(4)
    a, b = np.array([(i, j) for i in range(8) for j in range(i + 1, 8) if rng.random() < 0.6]).T
    for _ in range(20):
        weights = rng.random(len(a)).astype(np.float32)
        unary = rng.normal(0, 1, 8).astype(np.float32)
        starts, nodes, twin, edge_at = compressed(a, b, 8)
        found = min_cut(starts, nodes, twin, weights[edge_at], unary)

        def energy(labels, weights=weights, unary=unary):
            labels = np.asarray(labels, bool)
            return unary[labels].sum() + weights[labels[a] != labels[b]].sum()

        least = min(energy(labels) for labels in itertools.product((0, 1), repeat=8))
        assert energy(found) == pytest.approx(least, abs=1e-5)


def test_walkers_come_by_where_they_easily_get():
    a, b = np.array([0, 1, 2]), np.array([1, 2, 3])
    _, kinship = diffusion(a, b, np.array([5.0, 0.01, 5.0]), 4)  # a chain with a weak middle
    assert np.allclose(kinship, kinship.transpose(0, 2, 1), rtol=1e-3)
    assert (kinship[:, 0, 1] > 2 * kinship[:, 0, 2]).all()


def test_depths_are_distances_from_the_outline():
    labels = np.arange(49).reshape(7, 7)
    a = np.concatenate([labels[:, :-1].ravel(), labels[:-1].ravel()])
    b = np.concatenate([labels[:, 1:].ravel(), labels[1:].ravel()])
    starts, nodes, _, _ = compressed(a, b, 49)
    y, x = (np.float32(axis.ravel()) + 0.5 for axis in np.mgrid[:7, :7])
    region = ((x > 1) & (x < 6) & (y > 1) & (y < 6))[None]  # 5 × 5 in the middle
    far = np.full(49, 99, np.float32)
    depth = kernels.depths(starts, nodes, x, y, far, region).reshape(7, 7)
    assert depth[0].max() == 0
    assert depth[1, 3] == 0.5
    assert depth[3, 3] == 2.5
    ring = kernels.rings(starts, nodes, region, 1).reshape(7, 7)
    assert ring.sum() == 20
    assert not ring[3, 3]


def test_every_weight_belongs_to_a_measure():
    assert set(WEIGHTS) == {"click", "add", "remove", "box"}
    for weights in WEIGHTS.values():
        assert set(weights) <= {*MEASURES, "constant"}
