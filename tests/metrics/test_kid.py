"""KID against a double loop over pairs, and its deviation against fresh draws."""

import math

import numpy as np
import pytest

from infill.errors import BadPixels
from infill.metrics import kid as kid_module
from infill.metrics.kid import Kid

RNG = np.random.default_rng(0)


def kid(one, other) -> dict[str, float]:
    return Kid().compare((row[None] for row in one), (row[None] for row in other))


def literal(one, other) -> float:
    """The unbiased estimate of MMD², pair by pair."""

    def k(x, y) -> float:
        return (float(np.dot(x, y)) / len(x) + 1) ** 3

    def within(rows) -> float:
        count = len(rows)
        pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
        return sum(k(rows[i], rows[j]) for i, j in pairs) / (count * (count - 1))

    across = sum(k(x, y) for x in one for y in other) / (len(one) * len(other))
    return within(one) + within(other) - 2 * across


class TestCompare:
    @pytest.mark.parametrize("counts", [(2, 2), (7, 12), (20, 5)])
    def test_is_the_double_loop(self, counts) -> None:
        one = RNG.normal(size=(counts[0], 9)).astype(np.float32)
        other = (RNG.normal(size=(counts[1], 9)) * 2 + 1).astype(np.float32)
        expected = literal(one.astype(float), other.astype(float))
        assert kid(one, other)["kid"] == pytest.approx(expected, rel=1e-6)

    def test_of_one_kind_it_is_zero_on_the_mean_and_may_be_below(self) -> None:
        drawn = [kid(*RNG.normal(size=(2, 20, 6)))["kid"] for _ in range(200)]
        assert min(drawn) < 0
        assert abs(np.mean(drawn)) < 4 * np.std(drawn) / math.sqrt(len(drawn))

    def test_the_deviation_is_that_of_fresh_draws(self) -> None:
        """Of two Gaussians that differ, 80 rows each, within a third."""
        told, drawn = [], []
        for _ in range(60):
            row = kid(RNG.normal(size=(80, 4)), RNG.normal(size=(80, 4)) + 0.7)
            told.append(row["kid_deviation"])
            drawn.append(row["kid"])
        assert np.mean(told) == pytest.approx(np.std(drawn), rel=1 / 3)

    def test_of_many_rows_it_is_the_mean_over_parts(self, monkeypatch) -> None:
        one, other = RNG.normal(size=(60, 5)), RNG.normal(size=(50, 5)) + 1
        whole = kid(one, other)
        monkeypatch.setattr(kid_module, "SUBSET", 25)
        monkeypatch.setattr(kid_module, "SUBSETS", 400)
        parts = kid(one, other)
        assert parts["kid"] == pytest.approx(
            whole["kid"], abs=4 * parts["kid_deviation"] / math.sqrt(400)
        )
        assert parts["kid_deviation"] > 0
        assert parts != whole
        monkeypatch.setattr(kid_module, "ALL_PAIRS", 40)
        assert kid(one, other) == pytest.approx(parts, rel=1e-9)

    @pytest.mark.parametrize("subset", [1000, 10])
    def test_the_same_rows_give_the_same_figures(self, subset, monkeypatch) -> None:
        monkeypatch.setattr(kid_module, "SUBSET", subset)
        one, other = RNG.normal(size=(30, 5)), RNG.normal(size=(26, 5))
        assert kid(one, other) == kid(one, other)

    def test_too_few_is_nan(self) -> None:
        rows = RNG.normal(size=(5, 3))
        for one, other in ((rows[:0], rows), (rows, rows[:1])):
            assert all(math.isnan(value) for value in kid(one, other).values())
        three = kid(rows[:3], rows)
        assert math.isfinite(three["kid"])
        assert math.isnan(three["kid_deviation"])

    def test_features_of_two_networks(self) -> None:
        with pytest.raises(BadPixels, match="3 features a photo and the other 4"):
            kid(RNG.normal(size=(5, 3)), RNG.normal(size=(5, 4)))
