"""Where the object goes, and in which light."""

import numpy as np
import pytest

from infill.engines.guided.harmony import harmonised
from infill.engines.guided.place import best_fit, box_fit, brought, covered, given
from infill.geometry import Box, bounds
from tests.engines.guided_scenes import bottle, disc, overlap


def carried(thing: np.ndarray, hole: np.ndarray) -> np.ndarray:
    place = best_fit(thing, hole)
    return covered(thing, place, hole.shape)


class TestBestFit:
    @pytest.mark.parametrize(("width", "scale"), [(64, 0.5), (128, 1.0), (400, 3.0)])
    def test_a_hole_of_the_objects_own_shape_is_met_exactly(self, width: int, scale: float) -> None:
        thing = bottle((140, 120), 30, 20, 90)
        hole = bottle((width * 2, width * 2), width // 2, width // 3, round(90 * scale))
        place = best_fit(thing, hole)
        assert place.scale == pytest.approx(scale, rel=0.06)
        assert overlap(carried(thing, hole), hole) > 0.9

    def test_a_disc_in_a_square_hole_stays_whole_and_touches_the_sides(self) -> None:
        thing, hole = disc((50, 50), 20, 25, 15), np.zeros((90, 120), np.bool_)
        hole[20:70, 40:90] = True
        found = carried(thing, hole)
        # The largest disc inside covers π/4; one a little larger wins until what spills costs
        # SPILL times what more is covered.
        assert 0.74 < (found & hole).sum() / hole.sum() < 0.9
        assert (found & ~hole).sum() / found.sum() < 0.03
        assert bounds(found).meet(bounds(hole)) is not None

    def test_not_the_box_but_the_shape_decides(self) -> None:
        """An L: its box's middle is outside of it, a square fits into the corner."""
        hole = np.zeros((100, 100), np.bool_)
        hole[10:90, 10:40] = hole[60:90, 10:90] = True
        thing = np.zeros((40, 40), np.bool_)
        thing[5:35, 5:35] = True
        found = carried(thing, hole)
        assert (found & hole).sum() / found.sum() > 0.9
        assert 800 <= found.sum() <= 1600

    def test_where_all_is_as_good_the_middle_is_taken(self) -> None:
        hole = np.zeros((60, 200), np.bool_)
        hole[10:50, 10:190] = True
        thing = disc((20, 20), 10, 10, 9)
        rows, columns = np.nonzero(carried(thing, hole))
        assert columns.mean() == pytest.approx(99.5, abs=2.5)
        assert rows.mean() == pytest.approx(29.5, abs=1.5)

    @pytest.mark.parametrize("thing", [np.ones((1, 1), np.bool_), np.ones((300, 2), np.bool_)])
    def test_tiny_and_thin(self, thing: np.ndarray) -> None:
        hole = disc((32, 32), 16, 16, 6)
        assert (carried(thing, hole) & hole).any()
        one = np.zeros((5, 5), np.bool_)
        one[4, 0] = True
        assert best_fit(thing, one).scale > 0


def test_box_fit_and_given() -> None:
    thing, hole = Box(10, 20, 30, 60), Box(0, 0, 50, 20)
    place = box_fit(thing, hole)
    assert place.scale == 0.5
    assert (place.left, place.top) == (-10.0, 15.0)  # 20·0.5 - 10 = 0 from the left, in the middle
    moved = given(thing, hole, 2.0, 0.5, -0.1)
    assert moved.scale == 1.0
    assert (moved.left, moved.top) == (10 + 10 - 40, 25 - 5 - 20)


class TestBrought:
    def test_at_scale_1_it_is_a_shift_bit_for_bit(self) -> None:
        picture = np.random.default_rng(0).random((9, 7, 3), np.float32)
        place = given(Box(0, 0, 9, 7), Box(3, 2, 12, 9), 1.0, 0, 0)
        moved = brought(picture, place, (14, 12), edge=False)
        assert (moved[3:12, 2:9] == picture).all()
        assert moved.sum() == pytest.approx(picture.sum(), rel=1e-5)

    @pytest.mark.parametrize("scale", [0.3, 0.5, 1.7])
    def test_areas_and_places_are_kept(self, scale: float) -> None:
        thing = disc((60, 80), 33, 41, 20)
        place = given(bounds(thing), Box(20, 30, 60, 70), scale, 0, 0)
        moved = brought(thing.astype(np.float32), place, (90, 110), edge=False)
        assert moved.sum() == pytest.approx(place.scale**2 * thing.sum(), rel=0.02)
        rows, columns = np.mgrid[:90, :110] + 0.5
        assert (moved * rows).sum() / moved.sum() == pytest.approx(40, abs=0.15)
        assert (moved * columns).sum() / moved.sum() == pytest.approx(50, abs=0.15)


class TestHarmonised:
    hole = disc((60, 60), 30, 30, 15)
    thing = disc((60, 60), 30, 30, 12)
    everywhere = np.ones((60, 60), np.bool_)

    def pixels(self, ground: float, thing: float) -> np.ndarray:
        pixels = np.full((60, 60, 3), ground, np.float32)
        pixels[self.thing] = thing
        return pixels

    def test_half_the_stops_between_the_surroundings(self) -> None:
        scene = self.pixels(0.2, 0)
        target, gains = harmonised(
            self.pixels(0.4, 0.6), self.thing, self.everywhere, scene, self.hole
        )
        assert gains == pytest.approx(np.full(3, 0.5**0.5))
        assert target[self.thing] == pytest.approx(0.6 * 0.5**0.5, abs=1e-6)

    def test_the_same_light_changes_nothing(self) -> None:
        scene = self.pixels(0.4, 0)
        _, gains = harmonised(self.pixels(0.4, 0.9), self.thing, self.everywhere, scene, self.hole)
        assert gains == pytest.approx(np.ones(3))

    def test_what_lies_in_the_hole_says_nothing(self) -> None:
        black, white = self.pixels(0.3, 0), self.pixels(0.3, 1)
        one, other = (
            harmonised(self.pixels(0.5, 0.5), self.thing, self.everywhere, scene, self.hole)[1]
            for scene in (black, white)
        )
        assert (one == other).all()

    def test_gains_are_bounded(self) -> None:
        scene = self.pixels(0.01, 0) * np.array((1, 0.2, 3), np.float32)
        target, gains = harmonised(self.pixels(1, 1), self.thing, self.everywhere, scene, self.hole)
        assert gains.min() >= 0.5 / 1.1 - 1e-9
        assert gains.max() / gains.min() <= 1.1**2 + 1e-9
        assert 0 <= target.min() <= target.max() <= 1

    def test_without_surroundings_the_object_itself_is_compared(self) -> None:
        scene = self.pixels(0.2, 0)
        _, gains = harmonised(self.pixels(0.9, 0.8), self.thing, self.thing, scene, self.hole)
        assert gains == pytest.approx(np.full(3, 0.5))

    def test_nothing_known_nothing_changed(self) -> None:
        pixels = self.pixels(0.5, 0.5)
        target, gains = harmonised(pixels, self.thing, self.everywhere, pixels, self.everywhere)
        assert (target == pixels).all()
        assert (gains == 1).all()
