"""Boxes and polygons: exact pixels, then the area they must have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infill.errors import BadMask
from infill.masks.parse import from_box, from_polygon


def rows(mask: np.ndarray) -> list[str]:
    return ["".join(".#"[int(cell)] for cell in row) for row in mask]


def test_a_box_covers_its_first_and_not_its_last_column():
    assert rows(from_box((1, 0, 3, 2), (3, 5))) == [".##..", ".##..", "....."]


def test_a_box_covers_the_pixels_whose_centres_it_holds():
    assert rows(from_box((0.5, 0.6, 2.5, 2.6), (3, 4))) == ["....", "##..", "##.."]


def test_a_box_from_text_is_clipped_to_the_photo():
    assert rows(from_box("-2, 1, 2, 99", (3, 4))) == ["....", "##..", "##.."]


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((1, 2, 3), "four numbers"),
        ("1,2,3,x", "no list of numbers"),
        ((0, 0, np.nan, 2), "four numbers"),
        ((3, 0, 1, 2), "empty"),
        ((1, 1, 1, 4), "empty"),
        ((9, 9, 12, 12), "no pixel of the 4×3 photo"),
        ((-9, 0, -1, 3), "no pixel"),
        ((0.6, 0.6, 1.4, 1.4), "no pixel"),
    ],
)
def test_a_box_that_is_none(box, message):
    with pytest.raises(BadMask, match=message):
        from_box(box, (3, 4))


def test_a_polygon_of_whole_corners_covers_its_area():
    assert rows(from_polygon([(1, 1), (5, 1), (5, 3), (1, 3)], (4, 6))) == [
        "......",
        ".####.",
        ".####.",
        "......",
    ]


def test_a_triangle():
    assert rows(from_polygon([(0, 0), (5, 0), (0, 5)], (5, 5))) == [
        "####.",
        "###..",
        "##...",
        "#....",
        ".....",
    ]


def test_a_centre_on_a_slanted_right_outline_is_outside():
    # The line from (-5, 6) to (10, -5) meets the centre (2.5, 0.5), which is then outside.
    assert rows(from_polygon([(0, 0), (-5, 6), (10, -5)], (1, 3))) == ["##."]


def test_a_loop_within_a_loop_is_open():
    both = [(0, 0), (5, 0), (5, 5), (0, 5), (0, 0), (1, 1), (4, 1), (4, 4), (1, 4), (1, 1)]
    assert rows(from_polygon(both, (5, 5))) == ["#####", "#...#", "#...#", "#...#", "#####"]


def test_several_polygons_are_united():
    first, second = [0, 0, 3, 0, 3, 2, 0, 2], [(2, 1), (5, 1), (5, 3), (2, 3)]
    expected = ["###..", "#####", "..###"]
    assert rows(from_polygon([first, second], (3, 5))) == expected
    assert rows(from_polygon("0,0 3,0 3,2 0,2; 2,1 5,1 5,3 2,3", (3, 5))) == expected
    assert rows(from_polygon([second, [0, 0, 3, 0, 3, 2, 0, 2]], (3, 5))) == expected


@pytest.mark.parametrize("points", [[(0, 0), (2, 0), (2, 2), (0, 2)], [0, 0, 2, 0, 2, 2, 0, 2]])
@pytest.mark.parametrize("kind", [list, np.array])
def test_the_forms_of_one_polygon(points, kind):
    assert rows(from_polygon(kind(points), (2, 3))) == ["##.", "##."]


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "three points"),
        ([(0, 0), (1, 1)], "three points, not 2"),
        ("1,1 2,2", "three points, not 2"),
        ([0, 0, 1, 1, 2], "pairs"),
        ([(0, 0, 1), (1, 1, 1), (2, 2, 2)], "pairs"),
        ([(0, 0), (1, np.nan), (2, 2)], "finite"),
        ([(0, 0), (1, "a"), (2, 2)], "pairs"),
        ([(0, 0), (1,), (2, 2)], "pairs"),
        ([(9, 9), (12, 9), (12, 12)], "no pixel"),
        ([(0, 0), (1, 1), (2, 2)], "no pixel"),
    ],
)
def test_a_polygon_that_is_none(points, message):
    with pytest.raises(BadMask, match=message):
        from_polygon(points, (4, 4))


corner = st.tuples(st.integers(-8, 20), st.integers(-8, 20))


@given(st.lists(corner, min_size=3, max_size=8), st.integers(1, 13), st.integers(1, 13))
def test_a_polygon_is_every_centre_with_an_odd_winding(points, height, width):
    expected = np.array(
        [[odd(points, column + 0.5, row + 0.5) for column in range(width)] for row in range(height)]
    )
    if not expected.any():
        with pytest.raises(BadMask):
            from_polygon(points, (height, width))
    else:
        assert np.array_equal(from_polygon(points, (height, width)), expected)


def odd(points, x, y):
    """The crossing rule, one centre at a time, in whole numbers."""
    inside = False
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        if (ay <= y) != (by <= y):
            if ay > by:
                ax, ay, bx, by = bx, by, ax, ay
            inside ^= (ax - x) * (by - ay) + (y - ay) * (bx - ax) <= 0
    return inside


@given(corner, corner, corner, corner)
def test_two_halves_of_a_polygon_share_no_pixel_and_leave_none_out(a, b, c, d):
    def parity(points):
        try:
            return from_polygon(points, (13, 13))
        except BadMask:
            return np.zeros((13, 13), bool)

    whole, halves = parity([a, b, c, d]), (parity([a, b, c]), parity([a, c, d]))
    assert np.array_equal(whole, halves[0] ^ halves[1])
