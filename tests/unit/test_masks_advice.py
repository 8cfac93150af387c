"""Masks that miss part of the object: a rim, its shadow, its mirror image."""

import cv2
import numpy as np
import pytest

from infill.masks import grow, shrink
from infill.masks.advice import advise

GRASS, RED = np.array([70, 120, 60]), np.array([190, 40, 40])


def scene(height: int = 240, width: int = 320, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A red ball on grass, with grain, and its exact mask."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    ball = (x - width / 2) ** 2 + (y - height / 2.5) ** 2 < (height / 5) ** 2
    photo = np.where(ball[..., None], RED, GRASS) + rng.normal(0, 6, (height, width, 3))
    return photo.clip(0, 255).astype(np.uint8), ball


def kinds(photo: np.ndarray, mask: np.ndarray) -> list[str]:
    return [advice.kind for advice in advise(photo, mask)]


def test_a_whole_mask_is_left_alone() -> None:
    photo, ball = scene()
    assert advise(photo, ball) == []
    assert advise(photo, grow(ball, 4)) == []


@pytest.mark.parametrize("missing", [3, 5, 8])
@pytest.mark.parametrize("size", [(240, 320), (900, 1200)])
def test_a_rim_is_seen_and_the_proposal_has_it(missing: int, size: tuple[int, int]) -> None:
    photo, ball = scene(*size)
    left = missing * max(1, max(size) // 512)
    (advice,) = advise(photo, shrink(ball, left))
    assert advice.kind == "rim"
    assert "grow it by" in advice.sentence
    assert (advice.mask | ball).sum() == advice.mask.sum(), "all of the ball"
    assert advice.mask.sum() < grow(ball, 4 * left + 8).sum(), "and little more"


def test_a_larger_thing_of_the_same_colour_is_no_rim() -> None:
    photo, ball = scene()
    assert "rim" not in kinds(photo, shrink(ball, 30))


def test_a_shadow_that_hangs_on_the_object() -> None:
    photo, ball = scene()
    y, x = np.mgrid[:240, :320]
    shadow = ((x - 190) / 45) ** 2 + ((y - 145) / 12) ** 2 < 1
    shadow &= ~ball
    dark = photo.astype(float)
    dark[cv2.GaussianBlur(shadow.astype(np.float32), (0, 0), 2) > 0.5] *= 0.55
    (advice,) = advise(dark.astype(np.uint8), ball)
    assert advice.kind == "shadow"
    assert (advice.mask & shadow).sum() > 0.9 * shadow.sum()
    assert (advice.mask & ~grow(shadow | ball, 6)).sum() == 0
    assert (advice.mask & ball).sum() == ball.sum()


def test_a_dark_ground_is_no_shadow() -> None:
    photo, ball = scene()
    photo[140:] = photo[140:] // 2
    assert "shadow" not in kinds(photo, ball)


def test_a_mirror_image_below() -> None:
    rng = np.random.default_rng(3)
    photo = np.full((240, 320, 3), (90, 110, 150), np.uint8)
    coarse = rng.integers(0, 256, (8, 10, 3), dtype=np.uint8)
    thing = cv2.resize(coarse, (100, 80), interpolation=cv2.INTER_CUBIC)
    photo[40:120, 110:210] = thing
    photo[120:200, 110:210] = thing[::-1] * 0.6 + np.array([30, 40, 60])
    mask = np.zeros((240, 320), bool)
    mask[40:120, 110:210] = True
    found = {advice.kind: advice.mask for advice in advise(photo, mask)}
    assert "reflection" in found
    assert found["reflection"][121:199, 111:209].all()
    photo[120:200, 110:210] = cv2.resize(
        rng.integers(0, 256, (8, 10, 3), dtype=np.uint8), (100, 80), interpolation=cv2.INTER_CUBIC
    )
    assert "reflection" not in kinds(photo, mask)


def test_nothing_is_said_of_empty_full_or_tiny_masks() -> None:
    photo, ball = scene()
    assert advise(photo, np.zeros_like(ball)) == []
    assert advise(photo, np.ones_like(ball)) == []
    assert advise(photo[:9, :9], np.eye(9, dtype=bool)) == []
    before = ball.copy()
    advise(photo, ball)
    assert (ball == before).all()
