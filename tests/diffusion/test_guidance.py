"""λ over the steps, the heated mask, the scene buffer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infill.diffusion.guidance import heated, inside, lambdas

HOLE = np.zeros((20, 30), np.bool_)
HOLE[6:14, 8:22] = True


def distance(mask: np.ndarray) -> np.ndarray:
    """(H, W) distance of each pixel's centre to the nearest one that is True, by brute force."""
    rows, columns = np.nonzero(mask)
    y, x = np.indices(mask.shape)
    return np.sqrt(((y[..., None] - rows) ** 2 + (x[..., None] - columns) ** 2).min(-1))


class TestLambdas:
    def test_linear_falls_to_nothing_at_p(self) -> None:
        assert np.allclose(lambdas("linear", 0.8, 0.5, 8), [0.8, 0.6, 0.4, 0.2, 0, 0, 0, 0])

    def test_constant_stays(self) -> None:
        assert lambdas("constant", 0.3, 0.1, 4).tolist() == [0.3] * 4

    def test_p_nothing_is_no_target_at_all(self) -> None:
        assert lambdas("linear", 1, 0, 5).tolist() == [0] * 5

    @given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 300))
    def test_never_rises_and_is_over_at_p(self, start: float, p: float, steps: int) -> None:
        found = lambdas("linear", start, p, steps)
        assert found.shape == (steps,)
        assert found.dtype == np.float64
        assert (np.diff(found) <= 0).all()
        assert found.min() >= 0
        assert p == 0 or found[0] == start
        assert (found[np.arange(steps) >= p * steps] == 0).all()

    @pytest.mark.parametrize(
        "given", [("linear", 1.1, 1, 5), ("linear", 1, -0.1, 5), ("falling", 1, 1, 5),
                  ("constant", 1, 1, 0)]
    )  # fmt: skip
    def test_refused(self, given: tuple[str, float, float, int]) -> None:
        with pytest.raises(ValueError):
            lambdas(*given)  # type: ignore[arg-type]


class TestHeated:
    def test_hole_is_hot_and_far_away_is_cold(self) -> None:
        heat = heated(HOLE, 4, 30)
        away = distance(HOLE)
        assert heat.dtype == np.float32
        assert (heat[HOLE] == 1).all()
        assert (heat[away > 4] == 0).all()
        assert ((heat > 0) & (heat < 1))[(away > 0) & (away <= 4)].all()

    def test_it_falls_with_distance_and_many_passes_make_it_straight(self) -> None:
        rows = np.zeros((9, 40), np.bool_)
        rows[:, :10] = True  # a straight border, so the heat falls along the row alone
        few, many = heated(rows, 7, 3)[4], heated(rows, 7, 2000)[4]
        for line in (few, many):
            assert (np.diff(line[9:18]) < 0).sum() >= 3
            assert (np.diff(line) <= 0).all()
        assert np.allclose(many[9:18], 1 - np.arange(9) / 8, atol=1e-3)
        assert (many >= few).all()
        assert (few[10 + 3 :] == 0).all(), "one pixel a pass"

    @pytest.mark.parametrize(("width", "passes"), [(0, 5), (5, 0)])
    def test_no_heat(self, width: int, passes: int) -> None:
        assert (heated(HOLE, width, passes) == HOLE).all()

    def test_nothing_to_heat_and_everything_hot(self) -> None:
        assert not heated(np.zeros((4, 5), np.bool_), 3, 3).any()
        assert (heated(np.ones((4, 5), np.bool_), 3, 3) == 1).all()

    def test_the_mask_is_not_written(self) -> None:
        before = HOLE.copy()
        HOLE.flags.writeable = False
        heated(HOLE, 3, 3)
        inside(HOLE, 2)
        assert (before == HOLE).all()

    @pytest.mark.parametrize("given", [(-1, 1), (1, -1)])
    def test_refused(self, given: tuple[int, int]) -> None:
        with pytest.raises(ValueError):
            heated(HOLE, *given)


class TestBuffer:
    @pytest.mark.parametrize("buffer", [0, 1, 2, 3, 10])
    def test_a_margin_is_left(self, buffer: int) -> None:
        expected = HOLE & (distance(~HOLE) > buffer)
        assert (inside(HOLE, buffer) == expected).all()

    def test_no_margin_at_the_photos_border(self) -> None:
        mask = np.zeros((6, 8), np.bool_)
        mask[:, :4] = True
        assert inside(mask, 1).tolist() == [[True] * 3 + [False] * 5] * 6
        assert inside(np.ones((3, 3), np.bool_), 2).all()

    def test_refused(self) -> None:
        with pytest.raises(ValueError):
            inside(HOLE, -1)
