"""Mask operations: literal arrays first, then what must hold for every mask."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from infill.errors import BadMask
from infill.masks import morphology
from infill.masks.amount import Amount, size
from infill.masks.morphology import (
    close,
    convex_hull,
    drop_specks,
    feather,
    fill_holes,
    grow,
    invert,
    shrink,
    smooth,
)
from infill.masks.refine import OPERATIONS, Step, parse_chain, refine


def drawn(text: str) -> np.ndarray:
    """A mask as drawn, one word a row: # = hole."""
    return np.array([[letter == "#" for letter in row] for row in text.split()])


def shown(mask: np.ndarray) -> str:
    return "\n".join("".join(".#"[int(cell)] for cell in row) for row in mask)


def same(mask: np.ndarray, text: str) -> None:
    assert mask.dtype == np.bool_
    assert shown(mask) == shown(drawn(text))


DOT = drawn("""
    .......
    .......
    .......
    ...#...
    .......
    .......
    .......
""")


def test_grow_by_one_reaches_the_four_neighbours():
    same(grow(drawn("..... ..... ..#.. ..... ....."), 1), "..... ..#.. .###. ..#.. .....")


def test_grow_below_the_next_distance_adds_nothing_more():
    assert np.array_equal(grow(DOT, 1.41), grow(DOT, 1))
    assert np.array_equal(grow(DOT, 0.99), DOT)
    assert np.array_equal(grow(DOT, 0), DOT)


def test_grow_is_a_disc_and_no_square():
    same(
        grow(DOT, 3),
        """
        ...#...
        .#####.
        .#####.
        #######
        .#####.
        .#####.
        ...#...
        """,
    )


def test_grow_holds_a_distance_that_is_exactly_the_radius():
    mask = np.zeros((11, 11), bool)
    mask[5, 5] = True
    assert grow(mask, 5)[5 + 3, 5 + 4]  # 3, 4, 5
    assert not grow(mask, 4.99)[5 + 3, 5 + 4]


def test_grow_is_clipped_at_the_border():
    same(grow(drawn("#... .... ...."), 2), "###. ##.. #...")


def test_grow_in_percent_of_the_root_of_the_area():
    square = np.zeros((30, 30), bool)
    square[10:20, 10:20] = True
    assert size(square) == 10
    assert np.array_equal(grow(square, "20%"), grow(square, 2))


def test_shrink_takes_a_disc_from_the_outline():
    same(shrink(grow(DOT, 3), 1), "....... ...#... ..###.. .#####. ..###.. ...#... .......")


def test_shrink_leaves_the_border_of_the_photo_alone():
    half = drawn("###.. ###.. ###..")
    same(shrink(half, 1), "##... ##... ##...")
    same(shrink(half, 1, from_border=True), "..... .#... .....")
    assert shrink(np.ones((4, 5), bool), 2).all()
    same(shrink(np.ones((4, 5), bool), 1, from_border=True), "..... .###. .###. .....")


def test_close_bridges_a_gap_twice_the_amount_wide():
    same(close(drawn("####..####"), 1), "##########")
    same(close(drawn("####...####"), 1), "####...####")
    same(close(drawn("###...### ###...### ###...###"), 2), "######### ######### #########")
    same(close(drawn("...... .#..#. .#..#. ......"), 1), "...... .#..#. .#..#. ......")
    same(
        close(drawn("...... .#.#.. .#.#.. .#.#.. ......"), 1), "...... .#.#.. .###.. .#.#.. ......"
    )


def test_close_does_not_bridge_to_the_border():
    near = drawn(".#... ..... .....")
    assert np.array_equal(close(near, 3), near)


def test_smooth_takes_a_bump_and_fills_a_notch_of_a_straight_outline():
    rough = drawn("""
        .........
        ....#....
        #########
        #########
        ####.####
    """)
    even = drawn("""
        .........
        .........
        #########
        #########
        #########
    """)
    assert np.array_equal(smooth(np.vstack([rough, drawn("#########")]), 2)[:5], even)


def test_smooth_rounds_a_corner():
    square = np.zeros((8, 8), bool)
    square[2:, 2:] = True
    same(
        smooth(square, 2),
        """
        ........
        ........
        ...#####
        ..######
        ..######
        ..######
        ..######
        ..######
        """,
    )


def test_smooth_by_less_than_a_pixel_is_a_copy():
    smoothed = smooth(DOT, 0.9)
    assert np.array_equal(smoothed, DOT)
    assert smoothed is not DOT


def test_fill_holes_fills_what_no_side_step_leaves():
    ring = drawn("""
        .##...
        #..#.#
        #.#..#
        .#..##
    """)
    same(
        fill_holes(ring),
        """
        .##...
        ####.#
        ###..#
        .#..##
        """,
    )


def test_fill_holes_up_to_a_size():
    two = drawn("""
        ########
        #.##..##
        ####..##
        ########
    """)
    same(fill_holes(two, 1), "######## ####..## ####..## ########")
    assert fill_holes(two, 2).all()


def test_a_bay_at_the_border_is_no_hole():
    bay = drawn("#.# #.# ###")
    assert np.array_equal(fill_holes(bay), bay)


def test_drop_specks_below_the_size():
    parts = drawn("""
        #....##
        .....##
        ##.....
        .....#.
    """)
    same(drop_specks(parts, 2), ".....## .....## ....... .......")
    same(drop_specks(parts, 1.1), ".....## .....## ##..... .......")
    assert np.array_equal(drop_specks(parts, 1), parts)


def test_drop_specks_joins_parts_by_their_corners():
    diagonal = drawn("#... .#.. ..#. ...#")
    assert np.array_equal(drop_specks(diagonal, 2), diagonal)


def test_convex_hull_of_all_and_of_each():
    parts = drawn("""
        #.#......
        ..#......
        #.......#
    """)
    same(
        convex_hull(parts),
        """
        ###......
        ######...
        #########
        """,
    )
    bent = drawn("""
        #....#
        #....#
        ###..#
    """)
    same(convex_hull(bent, each=True), "#....# ##...# ###..#")


def test_convex_hull_adds_nothing_to_a_line():
    for line in (drawn("#... .#.. ..#. ...#"), drawn("..#.."), drawn("# # #")):
        assert np.array_equal(convex_hull(line), line)


def test_invert():
    same(invert(drawn("#. .# ..")), ".# #. ##")


def test_feather_lies_outside_the_mask():
    weight = feather(drawn("##......"), 3)
    assert weight.dtype == np.float32
    assert weight.tolist() == [[1, 1, 0.84375, 0.5, 0.15625, 0, 0, 0]]


def test_feather_ends_at_the_amount_in_every_direction():
    weight = feather(DOT, 1)
    assert weight[2:5, 2:5].tolist() == [[0, 0.5, 0], [0.5, 1, 0.5], [0, 0.5, 0]]
    assert weight.sum() == 3


def test_feather_by_nothing_is_the_mask():
    assert np.array_equal(feather(DOT, 0), DOT.astype(np.float32))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("4", Amount(4)),
        ("4px", Amount(4)),
        (" 2.5 px ", Amount(2.5)),
        ("5%", Amount(5, "%")),
        ("0.5 %", Amount(0.5, "%")),
        (3, Amount(3)),
        (Amount(7, "%"), Amount(7, "%")),
    ],
)
def test_amounts_from_text(text, amount):
    assert Amount.parse(text) == amount


@pytest.mark.parametrize("text", ["", "four", "4em", "-1", "%", "nan", "inf%", "4,5", -2, np.nan])
def test_text_that_is_no_amount(text):
    with pytest.raises(BadMask, match="amount"):
        Amount.parse(text)


def test_a_chain_is_its_operations_in_turn():
    mask = drawn("""
        ..........
        .####.....
        .#..#.....
        .####...#.
        ..........
    """)
    expected = smooth(fill_holes(grow(mask, 1)), "20%")
    assert np.array_equal(refine(mask, "grow=1, fill-holes,smooth=20%"), expected)
    assert np.array_equal(refine(mask, "drop_specks=2,INVERT"), ~drop_specks(mask, 2))
    assert np.array_equal(refine(mask, "convex-hull=each"), convex_hull(mask, each=True))
    assert np.array_equal(refine(mask, ""), mask)


def test_a_chain_is_written_as_it_is_read():
    steps = parse_chain("grow=4, shrink=2.5%,fill_holes,fill-holes=9,convex-hull=each,invert")
    text = "grow=4px,shrink=2.5%,fill-holes,fill-holes=9px,convex-hull=each,invert"
    assert ",".join(map(str, steps)) == text
    assert parse_chain(text) == steps
    assert steps[0] == Step("grow", Amount(4))


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        ("widen=3", "no mask operation 'widen'.*grow.*invert"),
        ("grow", "grow=4px or grow=5%"),
        ("grow=", "grow=4px or grow=5%"),
        ("grow=x", "'x'"),
        ("invert=2", "invert takes nothing"),
        ("convex-hull=3", "each or nothing"),
        ("fill-holes=", "amount or nothing"),
        ("feather=3", "no mask operation 'feather'"),
    ],
)
def test_a_chain_that_cannot_be_read(chain, message):
    with pytest.raises(BadMask, match=message):
        parse_chain(chain)


@pytest.mark.parametrize("name", [*OPERATIONS, "feather"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (7, 1), (5, 4)])
@pytest.mark.parametrize("full", [False, True])
def test_empty_and_full_masks_of_any_shape(name, shape, full):
    mask = np.full(shape, full)
    if name == "feather":
        refined = feather(mask, 2) > 0
    else:
        needs = OPERATIONS[name].takes == "amount"
        refined = refine(mask, f"{name}=2" if needs else name)
    too_small = name == "drop-specks" and mask.size < 4
    assert np.array_equal(refined, mask ^ (name == "invert") if not too_small else mask & False)


masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=24))
radii = st.floats(0, 30, allow_nan=False)


@given(masks, radii)
def test_grow_and_shrink_bound_the_mask_and_are_dual(mask, radius):
    grown, shrunk = grow(mask, radius), shrink(mask, radius)
    assert not (mask & ~grown).any()
    assert not (shrunk & ~mask).any()
    assert not (shrink(mask, radius, from_border=True) & ~shrunk).any()
    if not mask.all():
        assert np.array_equal(shrunk, ~grow(~mask, radius))


@given(masks, radii)
def test_close_holds_the_mask_and_lies_in_the_grown_mask(mask, radius):
    closed = close(mask, radius)
    assert not (mask & ~closed).any()
    assert not (closed & ~grow(mask, radius)).any()
    inland = np.pad(mask, math.ceil(radius) + 1)
    once = close(inland, radius)
    assert np.array_equal(close(once, radius), once)
    # A closing is what no disc outside the mask reaches: the dual of the discs that fit.
    free = grow(shrink(~np.pad(inland, 31), radius), radius)[31:-31, 31:-31]
    assert np.array_equal(once, ~free)


@given(masks, radii)
def test_grow_is_every_pixel_within_the_radius(mask, radius):
    holes = np.argwhere(mask)
    here = np.argwhere(np.ones_like(mask))
    squared = ((here[:, None] - holes[None]) ** 2).sum(axis=2)
    near = (np.sqrt(squared) <= radius).any(axis=1).reshape(mask.shape)
    assert np.array_equal(grow(mask, radius), near)


@given(masks)
def test_hulls_and_filled_masks_stay_as_they_are(mask):
    for operation in (convex_hull, fill_holes):
        once = operation(mask)
        assert not (mask & ~once).any()
        assert np.array_equal(operation(once), once)
    each = convex_hull(mask, each=True)
    assert not (each & ~convex_hull(mask)).any()
    assert not (mask & ~each).any()


@given(masks, radii)
def test_feather_is_one_in_the_mask_and_falls_with_distance(mask, radius):
    weight = feather(mask, radius)
    assert (weight[mask] == 1).all()
    assert np.array_equal(weight > 0, grow(mask, radius))
    if mask.any():
        distance = morphology._distance(mask).ravel()
        by_distance = weight.ravel()[np.argsort(distance, kind="stable")]
        assert (np.diff(by_distance) <= 1e-6).all()
        assert (weight[~mask] < 1).all()


@given(masks, st.floats(0, 8))
def test_no_operation_writes_its_input_or_returns_it(mask, radius):
    before = mask.copy()
    mask.flags.writeable = False
    for name, operation in OPERATIONS.items():
        step = f"{name}={radius}" if operation.takes == "amount" else name
        refined = refine(mask, step)
        assert refined.shape == mask.shape
        assert not np.shares_memory(refined, mask)
    assert np.array_equal(mask, before)


@given(masks, st.floats(1, 6))
def test_smooth_treats_hole_and_photo_alike(mask, radius):
    pad = 7  # a frame of each kind, so that both masks have the same window to work in
    framed = np.pad(np.pad(mask, pad, constant_values=True), pad)
    assert np.array_equal(smooth(~framed, radius)[1:-1, 1:-1], ~smooth(framed, radius)[1:-1, 1:-1])
