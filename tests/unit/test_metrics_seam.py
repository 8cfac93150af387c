"""Seam strength: exact values on arrays that fit in the head, then what it is for."""

import itertools
import math

import cv2
import numpy as np
import pytest
from tests.conformance_metrics import middle, picture

from infill.metrics.seam import FLOOR, REACH, Seam, seam


def grey(rows):
    """A photo of three equal channels from rows of numbers."""
    return np.repeat(np.array(rows, np.float32)[..., None], 3, axis=2)


def stated(filled, mask):
    """The ratio from its definition: loops over pixels, float64."""
    filled = filled.astype(np.float64)
    height, width = mask.shape
    jumps, steps = [], []
    for y in range(height):
        for x in range(width):
            for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
                line = [(y + k * down, x + k * right) for k in range(REACH + 2)]
                line = [(a, b) for a, b in line if 0 <= a < height and 0 <= b < width]
                if not mask[y, x] or len(line) < 2 or mask[line[1]]:
                    continue
                jumps.append(np.abs(filled[line[0]] - filled[line[1]]).mean())
                for near, far in itertools.pairwise(line[1:]):
                    if mask[far]:
                        break
                    steps.append(np.abs(filled[near] - filled[far]).mean())
    return (np.mean(jumps) + FLOOR) / (np.mean(steps) + FLOOR)


def test_a_jump_of_three_steps_is_a_seam_of_three():
    photo = grey([[0.0, 0.1, 0.2, 0.5, 0.5, 0.8, 0.9]])
    mask = np.array([[0, 0, 0, 1, 1, 0, 0]], bool)
    assert seam(photo, mask) == pytest.approx((0.3 + FLOOR) / (0.1 + FLOOR))


def test_a_fill_that_meets_a_flat_photo_has_none_and_one_that_does_not_has_a_large_one():
    flat = grey(np.full((9, 9), 0.5))
    mask = middle((9, 9))
    assert seam(flat, mask) == 1
    flat[mask] += 0.1
    assert seam(flat, mask) == pytest.approx((0.1 + FLOOR) / FLOOR, rel=1e-5)


def test_what_is_further_off_than_its_reach_has_no_say():
    photo = grey([[0.5, 0.5, *np.linspace(0.4, 0, REACH), 1, 0, 1, 0]])
    mask = np.zeros((1, photo.shape[1]), bool)
    mask[0, :1] = True
    before = seam(photo, mask)
    photo[0, 2 + REACH :] = 0.3
    assert seam(photo, mask) == before


@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_its_definition_says(seed):
    photo = picture((23, 31), seed)
    mask = np.random.default_rng(seed).random((23, 31)) < 0.2
    mask[5:12, 8:20] = True
    assert seam(photo, mask) == pytest.approx(stated(photo, mask), rel=1e-5)


def test_a_small_hole_in_a_large_photo_is_measured_as_in_a_small_one():
    photo, mask = picture((80, 90)), np.zeros((80, 90), bool)
    mask[40:50, 30:44] = True
    near = slice(30, 60), slice(20, 54)
    assert seam(photo, mask) == seam(photo[near], mask[near])


def test_undefined_without_a_border_or_without_two_known_pixels_beside_it():
    photo = picture((6, 6))
    assert math.isnan(seam(photo, np.zeros((6, 6), bool)))
    assert math.isnan(seam(photo, np.ones((6, 6), bool)))
    chequered = np.indices((6, 6)).sum(axis=0) % 2 == 0
    assert math.isnan(seam(photo, chequered))


def test_a_photo_that_was_not_filled_has_no_seam_and_a_shifted_fill_has_one():
    photo = cv2.GaussianBlur(picture((120, 120), 3), (0, 0), 1)
    mask = middle((120, 120))
    assert seam(photo, mask) == pytest.approx(1, abs=0.1)
    shifted = photo.copy()
    shifted[mask] += np.float32(0.2)
    assert Seam().measure(photo, shifted, mask)["seam"] > 2
