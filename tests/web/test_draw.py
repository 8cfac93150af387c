"""What the page shows: sizes, overlays and strokes."""

import base64
from typing import Any

import cv2
import numpy as np
import pytest

from infill.errors import InfillError
from infill.picture import Picture
from infill.web import draw


@pytest.mark.parametrize(
    ("size", "shown"),
    [((100, 50), (100, 50)), ((2800, 1400), (1400, 700)), ((1, 9000), (1, 1400))],
)
def test_shown_size_is_never_larger(size: tuple[int, int], shown: tuple[int, int]) -> None:
    assert draw.shown_size(*size) == shown


def test_reduced_is_eight_bits_with_transparency_on_white() -> None:
    pixels = np.full((4, 6, 3), 65535 // 2, np.uint16)
    alpha = np.zeros((4, 6), np.uint16)
    alpha[:, 3:] = 65535
    shown = draw.reduced(Picture(pixels, alpha))
    assert shown.dtype == np.uint8
    assert (shown[:, :3] == 255).all()
    assert (shown[:, 3:] == 127).all()


def decoded(url: str) -> np.ndarray:
    data = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_the_overlay_is_tinted_inside_and_solid_at_its_outline() -> None:
    mask = np.zeros((40, 60), bool)
    mask[10:30, 10:30] = True
    layer = decoded(draw.tinted(mask))
    assert layer.shape == (40, 60, 4)
    assert (layer[~mask, 3] == 0).all()
    assert layer[20, 20, 3] == draw.TINT
    assert layer[10, 20, 3] == draw.EDGE
    assert tuple(layer[20, 20, 2::-1]) == draw.MASK_COLOUR


def test_the_overlay_of_a_large_mask_is_as_small_as_the_photo_shown() -> None:
    mask = np.zeros((3000, 2000), bool)
    mask[:1500] = True
    layer = decoded(draw.tinted(mask))
    assert layer.shape[:2] == (1400, 933)
    assert abs((layer[:, :, 3] > 0).mean() - 0.5) < 0.01


def test_a_stroke_is_round_and_as_wide_as_the_brush() -> None:
    drawn = draw.stroke((100, 100), [(50.5, 50.5)], 10)
    rows, columns = np.mgrid[:100, :100]
    distance = np.hypot(rows - 50, columns - 50)
    assert drawn[distance <= 9].all()
    assert not drawn[distance > 11.5].any()


def test_a_stroke_follows_its_points_and_leaves_the_photo_cut() -> None:
    drawn = draw.stroke((60, 200), [(-20, 30), (100, 30), (250, 30)], 5)
    assert drawn[30, :].all()
    assert not drawn[:22].any()
    assert not drawn[38:].any()


@pytest.mark.parametrize(
    ("points", "radius"),
    [([], 3), ([(1, 2, 3)], 3), ([(float("nan"), 1)], 3), ([(1e9, 1)], 3), ([(1, 1)], 0), ("x", 3)],
)
def test_what_no_hand_paints_is_refused(points: Any, radius: float) -> None:
    with pytest.raises(InfillError):
        draw.stroke((20, 30), points, radius)


def test_a_mask_of_another_photo_is_stretched() -> None:
    mask = np.zeros((10, 20), bool)
    mask[:, 10:] = True
    found = draw.resized_mask(mask, 200, 100)
    assert found.shape == (100, 200)
    assert found[:, 110:].all()
    assert not found[:, :90].any()
    assert draw.resized_mask(mask, 20, 10) is mask


def test_a_cut_out_keeps_the_mask_and_pales_the_rest() -> None:
    photo = np.full((100, 100, 3), 100, np.uint8)
    mask = np.zeros((100, 100), bool)
    mask[:50] = True
    shown = draw.cut_out(photo, mask)
    assert (shown[10] == 100).all()
    assert (shown[90] == 224).all()
