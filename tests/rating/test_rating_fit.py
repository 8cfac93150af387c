"""Scores of choices: exact values on tables by hand, and known scores found again."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from infill.rating import fit as fitting
from infill.rating.fit import chance_of_winning, fit, resampled, strengths, votes

PAIR = np.array([[True, True]])
NO_PRIOR = np.zeros((2, 2))


def pairs(*counts: tuple[int, int, float]) -> tuple[NDArray, NDArray, NDArray]:
    """wins, asked and kinds of three engines from (winner, loser, how often)."""
    wins, kinds, asked = np.zeros(3), [], []
    for winner, loser, count in counts:
        wins[winner] += count
        kinds.append([index in (winner, loser) for index in range(3)])
        asked.append(count)
    return wins, np.array(asked, float), np.array(kinds)


class TestByHand:
    def test_three_wins_to_one(self) -> None:
        scores = strengths(np.array([3.0, 1.0]), np.array([4.0]), PAIR, NO_PRIOR)
        assert scores == pytest.approx([np.log(3) / 2, -np.log(3) / 2])

    def test_no_difference_is_half_a_win_each(self) -> None:
        cast = votes(["a", "b"], [["a", "b"]] * 4, ["a", None, "a", None], ["r"] * 4, ["s"] * 4)
        assert cast.shares.sum(axis=0) == pytest.approx([3, 1])
        scores = fit(cast, prior=1e-9).scores
        assert scores[0] - scores[1] == pytest.approx(np.log(3), abs=1e-6)

    def test_no_difference_among_three_is_a_third_each(self) -> None:
        cast = votes(["a", "b", "c"], [["c", "a", "b"]], [None], ["r"], ["s"])
        assert cast.shares[0] == pytest.approx([1 / 3] * 3)

    def test_a_choice_among_three_goes_by_shares(self) -> None:
        scores = strengths(
            np.array([6.0, 3.0, 1.0]), np.array([10.0]), np.ones((1, 3), bool), np.zeros((2, 3))
        )
        assert scores[0] - scores[1] == pytest.approx(np.log(2), abs=1e-6)
        assert scores[1] - scores[2] == pytest.approx(np.log(3), abs=1e-6)

    def test_three_engines_whose_odds_multiply(self) -> None:
        wins, asked, kinds = pairs((0, 1, 2), (1, 0, 1), (1, 2, 2), (2, 1, 1), (0, 2, 4), (2, 0, 1))
        scores = strengths(wins, asked, kinds, np.zeros((2, 3)))
        assert np.diff(scores) == pytest.approx([-np.log(2)] * 2, abs=1e-5)

    def test_one_who_always_wins_stays_finite_where_the_slope_is_nought(self) -> None:
        prior = np.full((2, 2), 0.5)
        high, low = strengths(np.array([5.0, 0.0]), np.array([5.0]), PAIR, prior)
        assert high == pytest.approx(-low)
        slope = 5 * (1 - chance_of_winning(high - low)) + 0.5 - chance_of_winning(high)
        assert slope == pytest.approx(0, abs=1e-5)

    def test_the_average_engine_is_beaten_half_of_the_time(self) -> None:
        cast = simulated(np.array([0.0, 1.0, 2.0, -7.0]), 200, seed=1)
        assert np.mean([chance_of_winning(score) for score in fit(cast).scores]) == pytest.approx(
            0.5
        )

    def test_chances_do_not_overflow(self) -> None:
        assert chance_of_winning(0.0) == 0.5
        assert chance_of_winning(-2000.0) == 0.0
        assert chance_of_winning(2000.0) == 1.0


def simulated(
    truth: NDArray[np.float64], count: int, *, seed: int, together: int = 3
) -> fitting.Votes:
    """Choices by the model itself, of eight raters on forty samples."""
    rng = np.random.default_rng(seed)
    names = [f"engine-{index}" for index in range(len(truth))]
    shown: list[Sequence[str]] = []
    chosen: list[str | None] = []
    for _ in range(count):
        drawn = rng.choice(len(truth), together, replace=False)
        power = np.exp(truth[drawn])
        best = rng.choice(drawn, p=power / power.sum())
        shown.append([names[index] for index in drawn])
        chosen.append(names[best])
    raters = [str(number) for number in rng.integers(8, size=count)]
    samples = [str(number) for number in rng.integers(40, size=count)]
    return votes(names, shown, chosen, raters, samples)


class TestOnVotesOfKnownEngines:
    TRUTH = np.array([1.2, 0.4, 0.0, -0.5, -1.1])

    def test_the_scores_lie_in_the_intervals(self) -> None:
        inside = []
        for seed in range(8):
            fitted = fit(simulated(self.TRUTH, 400, seed=seed), seed=seed, draws=400)
            for index, value in enumerate(self.TRUTH - _centre(self.TRUTH)):
                ends = fitted.interval(index)
                assert ends is not None
                assert ends[0] < fitted.scores[index] < ends[1]
                inside.append(ends[0] <= value <= ends[1])
        assert np.mean(inside) >= 0.9

    def test_more_answers_narrow_the_interval(self) -> None:
        widths = [
            np.diff(fit(simulated(self.TRUTH, count, seed=3), draws=300).interval(0) or ())[0]
            for count in (100, 1600)
        ]
        assert widths[1] < widths[0] / 2

    def test_the_order_is_sure_with_many_answers_and_open_with_few(self) -> None:
        many = fit(simulated(self.TRUTH, 2000, seed=4), draws=300)
        assert all(many.surely_above(index, index + 2) for index in range(3))
        assert not any(many.surely_above(index + 1, index) for index in range(4))
        few = fit(simulated(self.TRUTH, 12, seed=4), draws=300)
        assert not few.surely_above(1, 2)

    def test_pairs_work_as_well_as_threes(self) -> None:
        fitted = fit(simulated(self.TRUTH, 3000, seed=5, together=2), draws=10)
        assert fitted.scores == pytest.approx(self.TRUTH - _centre(self.TRUTH), abs=0.25)

    def test_the_same_seed_gives_the_same_intervals(self) -> None:
        cast = simulated(self.TRUTH, 60, seed=6)
        assert np.array_equal(fit(cast, seed=1).draws, fit(cast, seed=1).draws)
        assert not np.array_equal(fit(cast, seed=1).draws, fit(cast, seed=2).draws)

    def test_newton_finds_what_mm_finds(self) -> None:
        cast = simulated(self.TRUTH, 60, seed=7)
        kinds, which = np.unique(cast.sets, axis=0, return_inverse=True)
        rng = np.random.default_rng(0)
        weights = rng.multinomial(60, np.full(60, 1 / 60), size=5).astype(float)
        wins = weights @ cast.shares
        asked = weights @ np.eye(len(kinds))[which.reshape(-1)]
        prior = np.full((2, 5, 5), 0.5)
        found = resampled(wins, asked, kinds, prior, np.zeros(5))
        for row in range(5):
            slow = strengths(wins[row], asked[row], kinds, prior[:, row])
            assert found[row] == pytest.approx(slow, abs=1e-4)

    @pytest.mark.slow
    def test_intervals_hold_where_raters_and_photos_differ_in_taste(self) -> None:
        truth = with_tastes(self.TRUTH, 400, 400, seed=0)
        expected = fit(truth, draws=1).scores
        inside = []
        for seed in range(1, 31):
            fitted = fit(with_tastes(self.TRUTH, 5, 24, seed=seed), seed=seed, draws=300)
            for index, value in enumerate(expected):
                low, high = fitted.interval(index) or (0.0, 0.0)
                inside.append(low <= value <= high)
        assert 0.9 <= np.mean(inside) <= 0.99


def with_tastes(
    truth: NDArray[np.float64], raters: int, samples: int, *, seed: int
) -> fitting.Votes:
    """Choices among three, sixty for each rater; raters and photos have leanings of their own."""
    rng = np.random.default_rng(seed)
    of_rater = rng.normal(scale=0.5, size=(raters, len(truth)))
    of_sample = rng.normal(scale=0.7, size=(samples, len(truth)))
    cases = [(rater, turn % samples) for rater in range(raters) for turn in range(60)]
    drawn = [rng.choice(len(truth), 3, replace=False) for _ in cases]
    chosen = []
    for (rater, sample), among in zip(cases, drawn, strict=True):
        power = np.exp((truth + of_rater[rater] + of_sample[sample])[among])
        chosen.append(str(rng.choice(among, p=power / power.sum())))
    return votes(
        [str(index) for index in range(len(truth))],
        [[str(index) for index in among] for among in drawn],
        chosen,
        [str(rater) for rater, _ in cases],
        [str(sample) for _, sample in cases],
    )


class TestCasesWithoutAnEnd:
    def test_an_engine_that_always_won_has_an_interval(self) -> None:
        names = [str(number) for number in range(6)]
        cast = votes(["a", "b"], [["a", "b"]] * 6, ["a"] * 6, ["r"] * 6, names)
        fitted = fit(cast)
        low, high = fitted.interval(0) or (0.0, 0.0)
        assert np.isfinite(fitted.scores).all()
        assert 0 < low < fitted.scores[0] < high < np.inf
        assert fitted.surely_above(0, 1)

    def test_two_groups_that_never_met(self) -> None:
        shown = [["a", "b"]] * 4 + [["c", "d"]] * 4
        cast = votes(list("abcd"), shown, list("aaab" + "cccd"), ["r", "s"] * 4, list("xyzw" * 2))
        scores = fit(cast).scores
        assert scores[:2] == pytest.approx(scores[2:], abs=1e-5)
        assert scores[0] > 0.3 > scores[1]

    def test_one_rater_and_one_photo_say_nothing_of_others(self) -> None:
        fitted = fit(votes(["a", "b"], [["a", "b"]] * 9, ["a"] * 9, ["r"] * 9, ["s"] * 9))
        assert fitted.interval(0) is None
        assert not fitted.surely_above(0, 1)


def _centre(scores: NDArray[np.float64]) -> float:
    """The score that those beat half of the time, by search."""
    grid = np.linspace(-8, 3, 200_001)
    mean = (1 / (1 + np.exp(grid[:, None] - scores))).mean(axis=1)
    return float(grid[np.abs(mean - 0.5).argmin()])


def test_chance_is_seldom_called_sure() -> None:
    """One rater who answers by chance on few photos: on five or fewer nobody is ever ahead."""
    rng = np.random.default_rng(2)
    for photos, allowed in ((2, 0), (5, 0), (12, 6)):
        wrong = 0
        for _ in range(40):
            chosen = [str(rng.choice(["a", "b"])) for _ in range(photos)]
            cast = votes(
                ["a", "b"],
                [["a", "b"]] * photos,
                chosen,
                ["r"] * photos,
                list(map(str, range(photos))),
            )
            fitted = fit(cast, draws=200)
            wrong += fitted.surely_above(0, 1) or fitted.surely_above(1, 0)
        assert wrong <= allowed
