"""Intervals, ranks with ties, and wins: exact on small tables, right on known distributions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infill.bench.stats import (
    EXACT,
    MANY,
    Bootstrap,
    Pair,
    expanded_tail,
    pairs,
    ranks,
    student,
    surely,
    wins,
)

NAN, INF = float("nan"), float("inf")


def table(*columns):
    return np.array(columns, np.float64).T


def test_an_interval_is_the_mean_and_what_lies_around_it():
    found = Bootstrap([str(number) for number in range(5)]).interval(table([1, 2, 3, 4, 5]))[0]
    assert found.value == 3
    assert (found.count, found.exact) == (5, 0)
    # All 3125 ways of drawing five of them, so that the ends are known.
    grid = np.stack(np.meshgrid(*[np.arange(1, 6)] * 5), -1).reshape(-1, 5).mean(axis=1)
    tail = 100 * expanded_tail(5)
    low, high = np.percentile(grid, [tail, 100 - tail])
    assert found.low == pytest.approx(low, abs=0.21)
    assert found.high == pytest.approx(high, abs=0.21)


def test_few_groups_have_wider_ends_and_many_the_usual_ones():
    assert expanded_tail(5) == pytest.approx(0.000959, abs=1e-5)
    assert expanded_tail(100_000) == pytest.approx(0.025, abs=1e-5)
    for freedom, wanted in ((4, 2.7764), (13, 2.1604), (20, 2.0860), (30, 2.0423), (200, 1.9719)):
        assert student(freedom) == pytest.approx(wanted, abs=1e-3)


def test_samples_of_one_group_are_drawn_together():
    """Ten copies of two photos are two photos: the mean of a draw is one of three values."""
    values = table([0.0] * 10 + [1.0] * 10)
    means = Bootstrap(["a"] * 10 + ["b"] * 10).means(values)
    assert set(np.unique(means)) == {0.0, 0.5, 1.0}
    assert (means == 0.5).mean() == pytest.approx(0.5, abs=0.03)


def test_few_groups_say_nothing_about_others():
    found = Bootstrap(["a", "a", "b", "c", "d"]).interval(table([1.0, 3.0, 2.0, 2.0, 2.0]))[0]
    assert (found.value, found.low, found.high) == (2.0, None, None)


def test_exact_matches_are_counted_and_what_is_missing_is_left_out():
    found = Bootstrap(list("abcd")).interval(table([1.0, INF, 3.0, NAN], [NAN] * 4))
    assert (found[0].value, found[0].count, found[0].exact) == (2.0, 2, 1)
    assert (found[1].value, found[1].low, found[1].count) == (None, None, 0)


@pytest.mark.parametrize(("groups", "least"), [(8, 0.86), (40, 0.91)])
def test_the_interval_covers_the_mean_about_as_often_as_it_says(groups, least):
    """Of 400 sets of draws of a skewed distribution."""
    values = np.random.default_rng(1).exponential(2.0, (groups, 400))
    found = Bootstrap([str(number) for number in range(groups)], draws=1000).interval(values)
    covered = np.mean([one.low <= 2.0 <= one.high for one in found])
    assert least <= covered <= 0.98


@pytest.mark.parametrize(("samples", "engines"), [(3, 2), (5, 2), (10, 6), (34, 6)])
def test_equal_engines_are_seldom_told_apart(samples, engines):
    """Engines that draw from one distribution: some pair is called sure in about 5 % of runs."""
    rng = np.random.default_rng(samples)
    wrong = 0
    for _ in range(60):
        values = rng.exponential(1, (samples, 1)) + rng.standard_t(4, (samples, engines))
        found = ranks([str(n) for n in range(engines)], values, "higher", _groups(samples))
        wrong += any(one.rank > 1 for one in found.values())
    assert wrong <= 8  # of 60: 3 are expected, 8 or fewer come in 99.6 % of cases


def test_many_engines_can_be_told_apart():
    rng = np.random.default_rng(0)
    values = np.arange(22) * 10.0 + rng.normal(0, 1, (20, 22))
    found = ranks([str(n) for n in range(22)], values, "higher", _groups(20))
    assert [found[str(n)].rank for n in range(22)] == list(range(22, 0, -1))


def test_many_groups_are_taken_for_normal():
    """Just above and below the number at which that begins, p is the same to a hundredth."""
    apart = np.random.default_rng(5).normal(0, 1, MANY + 1)
    apart += 0.1 - apart.mean()  # 1.7 standard errors from 0
    few = pairs(table(apart[:-1], np.zeros(MANY)), _groups(MANY))[0].p
    many = pairs(table(apart, np.zeros(MANY + 1)), _groups(MANY + 1))[0].p
    assert few == pytest.approx(many, abs=0.02)
    assert 0.03 < many < 0.2


def test_pairs_are_compared_on_the_same_samples():
    """The second is better by 1 on every sample, though both vary by far more."""
    base = np.array([0.0, 100.0, 50.0, 75.0, 20.0, 10.0, 5.0, 60.0])
    found = pairs(table(base, base + 1), Bootstrap([str(n) for n in range(8)]))
    assert found[0].difference == -1
    assert found[0].p == 2 / 2**8, "two of all ways of giving signs go as far"


def test_equal_engines_and_single_samples_are_no_difference():
    same = pairs(table([1, 2, 3], [1, 2, 3]), Bootstrap(list("abc")))
    assert (same[0].difference, same[0].p) == (0, 1)
    single = pairs(table([1.0], [9.0]), Bootstrap(["a"]))
    assert (single[0].difference, single[0].p) == (-8, 1)
    nothing = pairs(table([NAN, NAN], [1.0, 2.0]), Bootstrap(list("ab")))
    assert nothing[0].p == 1


def test_an_exact_match_is_better_than_any_other():
    found = pairs(table([INF, INF, INF], [50.0, 40.0, 30.0]), Bootstrap(list("abc")))
    assert found[0].difference == pytest.approx(EXACT - 40)


def test_many_comparisons_at_once_are_held_to_one_level():
    """Holm: 0.01 < 0.05/3 passes, 0.02 < 0.05/2 passes, 0.06 does not; 0.04 alone would."""
    found = [Pair(0, 1, 1.0, 0.02), Pair(0, 2, 1.0, 0.06), Pair(1, 2, 1.0, 0.01)]
    assert [pair.p for pair in surely(found)] == [0.01, 0.02]
    assert surely([Pair(0, 1, 1.0, 0.03), Pair(0, 2, 1.0, 0.04), Pair(1, 2, 1.0, 0.03)]) == []


def test_ranks_have_ties_where_the_data_cannot_tell():
    rng = np.random.default_rng(0)
    common = rng.normal(0, 1, 60)
    good, alike, bad = common + 1, common + 1 + rng.normal(0, 0.5, 60), common - 1
    found = ranks(["good", "alike", "bad"], table(good, alike, bad), "higher", _groups(60))
    assert (found["good"].rank, found["alike"].rank, found["bad"].rank) == (1, 1, 3)
    assert found["good"].tied == ("alike",)
    assert found["bad"].tied == ()
    turned = ranks(["good", "alike", "bad"], table(good, alike, bad), "lower", _groups(60))
    assert (turned["bad"].rank, turned["good"].rank) == (1, 2)


def test_nearest_to_one_is_best_where_one_is_right():
    found = ranks(
        ["low", "right", "high"],
        table([0.5] * 9, [1.05] * 9, [1.9] * 9),
        "one",
        _groups(9),
    )
    assert [found[name].rank for name in ("right", "low", "high")] == [1, 2, 3]


def test_an_engine_without_a_value_has_no_rank():
    given = table([1, 2, 3, 4, 5, 6], [NAN] * 6, [2, 3, 4, 5, 6, 7])
    found = ranks(["a", "none", "b"], given, "higher", _groups(6))
    assert {name: one.rank for name, one in found.items()} == {"a": 2, "b": 1}


def _groups(count):
    return Bootstrap([str(number) for number in range(count)])


def test_wins_are_the_share_of_others_that_are_beaten():
    values = table([3, 1], [2, 1], [1, NAN])
    np.testing.assert_allclose(wins(values, "higher"), [[1, 0.5, 0], [0.5, 0.5, NAN]])
    np.testing.assert_allclose(wins(values, "lower")[0], [0, 0.5, 1])
    np.testing.assert_allclose(wins(table([0.9], [1.2], [0.4]), "one"), [[1, 0.5, 0]])
    np.testing.assert_allclose(wins(table([INF], [1.0]), "higher"), [[1, 0]])
    assert np.isnan(wins(table([1.0]), "higher")).all()


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=6))
def test_wins_of_all_engines_come_to_one_half(rows):
    values = np.array(rows, np.float64)
    np.testing.assert_allclose(wins(values, "higher").mean(axis=1), 0.5)


def test_the_same_table_gives_the_same_figures():
    values = np.random.default_rng(3).normal(size=(30, 4))
    assert _groups(30).interval(values) == _groups(30).interval(values)


def test_several_tables_at_once_are_each_as_alone():
    values = np.random.default_rng(3).normal(size=(30, 4))
    both = _groups(30).intervals({"a": values[:, :1], "b": values[:, 1:]})
    alone = [*_groups(30).interval(values[:, :1]), *_groups(30).interval(values[:, 1:])]
    for together, one in zip([*both["a"], *both["b"]], alone, strict=True):
        assert (together.low, together.high) == pytest.approx((one.low, one.high))
