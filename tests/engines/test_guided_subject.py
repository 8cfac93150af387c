"""The object in the target: given, cut out, clicked on, or found."""

import numpy as np
import pytest

from infill.engines.guided.subject import contrast_along, subject
from infill.errors import BadOption
from infill.picture import Picture
from tests.engines.guided_scenes import bottle, disc, overlap, target, texture

SIZE = (90, 120)
BOTTLE = bottle(SIZE, 40, 20, 54)
PICTURE = target(BOTTLE)


def test_finds_what_stands_out_when_nothing_is_said() -> None:
    assert overlap(subject(PICTURE, None, None, "classic"), BOTTLE) > 0.85


def test_a_click_says_which_of_two() -> None:
    pixels = PICTURE.pixels.copy()
    ball = disc(SIZE, 60, 100, 14)
    pixels[ball] = (30, 60, 190)
    found = subject(Picture(pixels), None, (100.0, 60.0), "classic")
    assert overlap(found, ball) > 0.85
    assert not (found & BOTTLE).any()


def test_a_mask_wins_and_is_taken_as_it_is() -> None:
    mask = disc(SIZE, 30, 30, 9)
    assert (subject(PICTURE, mask, (100.0, 60.0), "classic") == mask).all()


def test_a_cut_out_picture_says_itself_where_its_object_is() -> None:
    ball = disc(SIZE, 40, 40, 20)
    alpha = np.where(ball, 255, 0).astype(np.uint8)
    assert (subject(Picture(PICTURE.pixels, alpha), None, None, "classic") == ball).all()


def test_a_picture_of_16_bits() -> None:
    deep = Picture(PICTURE.pixels.astype(np.uint16) * 257)
    assert overlap(subject(deep, None, None, "classic"), BOTTLE) > 0.85


GRAIN = np.random.default_rng(0).normal(90, 8, (*SIZE, 3)).clip(0, 255).astype(np.uint8)
RAMP = np.tile(np.linspace(0, 255, SIZE[1]).astype(np.uint8)[None, :, None], (SIZE[0], 1, 3))


@pytest.mark.parametrize(
    "pixels",
    [np.full((*SIZE, 3), 90, np.uint8), GRAIN, RAMP, texture(SIZE, (90, 140, 60), 3)],
    ids=["flat", "grain", "ramp", "grass"],
)
def test_a_target_without_an_object_is_one_sentence(pixels: np.ndarray) -> None:
    with pytest.raises(BadOption, match="shows no object that stands out; say where"):
        subject(Picture(pixels), None, None, "classic")


def test_a_click_on_nothing() -> None:
    with pytest.raises(BadOption, match="no object at 60,45"):
        subject(Picture(np.full((*SIZE, 3), 90, np.uint8)), None, (60.0, 45.0), "classic")


def test_what_is_given_wrongly_is_named() -> None:
    with pytest.raises(BadOption, match="lies outside the 120×90 photo"):
        subject(PICTURE, None, (121.0, 4.0), "classic")
    with pytest.raises(BadOption, match="9×8 pixels, but reference is 120×90"):
        subject(PICTURE, np.ones((8, 9), np.bool_), None, "classic")
    with pytest.raises(BadOption, match="marks no object"):
        subject(PICTURE, np.zeros(SIZE, np.bool_), None, "classic")
    clear = Picture(PICTURE.pixels, np.zeros(SIZE, np.uint8))
    with pytest.raises(BadOption, match="fully transparent"):
        subject(clear, None, None, "classic")


def test_a_large_picture_is_looked_at_smaller() -> None:
    ball = disc((900, 1200), 450, 600, 300)
    pixels = np.full((900, 1200, 3), 51, np.uint8)
    pixels[ball] = 102
    assert contrast_along(pixels, ball) == pytest.approx(0.2, abs=0.03)
    assert contrast_along(pixels, np.ones_like(ball)) == 0


def test_contrast_is_the_step_across_the_outline() -> None:
    ball = disc(SIZE, 45, 60, 30)
    pixels = np.full((*SIZE, 3), 51, np.uint8)
    pixels[ball] = 102
    assert contrast_along(pixels, ball) == pytest.approx(0.2)
    assert contrast_along(pixels, disc(SIZE, 45, 60, 20)) == pytest.approx(0)
