"""Agreement, against the worked examples of Krippendorff 2011 (its sections A to C)."""

import pytest

from infill.rating.agreement import agreement


def units(*observers: str) -> list[list[str]]:
    """What each observer said of each unit; "." is nothing."""
    said = [line.split() for line in observers]
    return [[one for one in unit if one != "."] for unit in zip(*said, strict=True)]


def test_two_values_two_observers() -> None:
    found = agreement(units("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"))
    assert found.alpha == pytest.approx(0.095, abs=5e-4)
    assert found.share == pytest.approx(0.6)
    assert found.chance == pytest.approx((14 * 13 + 6 * 5) / (20 * 19))


def test_many_values_two_observers() -> None:
    found = agreement(units("a a b b d c c c e d d a", "b a b b b c c c e d d d"))
    assert found.alpha == pytest.approx(0.692, abs=5e-4)
    assert found.units == 12


def test_four_observers_with_gaps() -> None:
    found = agreement(
        units(
            "1 2 3 3 2 1 4 1 2 . . .",
            "1 2 3 3 2 2 4 1 2 5 . 3",
            ". 3 3 3 2 3 4 2 2 5 1 .",
            "1 2 3 3 2 4 4 1 2 5 1 .",
        )
    )
    assert found.alpha == pytest.approx(0.743, abs=5e-4)
    assert (found.units, found.values) == (11, 40)


def test_perfect_agreement_is_one() -> None:
    assert agreement([[1, 1], [2, 2, 2]]).alpha == 1


def test_nothing_to_agree_on() -> None:
    assert agreement([["a", "a"], ["a", "a"]]).alpha is None
    alone = agreement([["a"], ["b"], []])
    assert (alone.alpha, alone.share, alone.units) == (None, None, 0)
