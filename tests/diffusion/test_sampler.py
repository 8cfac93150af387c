"""The sampler: what it keeps, what it asks for, and that it fills as it should."""

import numpy as np
import pytest
import torch

from infill.diffusion import running
from infill.diffusion.guidance import Target, lambdas
from infill.diffusion.plan import Plan, make_plan
from infill.diffusion.plan import fast as fast_plan
from infill.diffusion.sampler import legs, repaint
from infill.diffusion.schedule import NoiseSchedule
from tests.diffusion.gaussian import GaussianDenoiser, conditional

WIDTH = 6
CLOSE = 0.25 * 0.8 ** np.abs(np.subtract.outer(np.arange(WIDTH), np.arange(WIDTH)))
MEAN = np.linspace(-0.2, 0.2, WIDTH)
KNOWN = np.array([True, False, False, False, False, True])
VALUES = np.array([0.9, 0.7])


def denoiser(clip: float | None = None) -> GaussianDenoiser:
    return GaussianDenoiser(MEAN, CLOSE, NoiseSchedule.linear(200, 5e-4, 0.1, clip=clip))


def row(values: np.ndarray, count: int = 1) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32)).reshape(1, 1, 1, -1).repeat(count, 1, 1, 1)


def filled(plan: Plan, count: int, seed: int = 0, target: Target | None = None) -> np.ndarray:
    """(count, WIDTH) fills of one row whose two ends are known."""
    values = np.full(WIDTH, np.nan)  # what lies in the hole must not matter
    values[KNOWN] = VALUES
    draw = running.drawer([np.random.default_rng((seed, index)) for index in range(count)])
    found = repaint(denoiser(), row(values, count), row(KNOWN), plan, draw, target=target)
    return found.reshape(count, WIDTH).numpy()


def many(known: np.ndarray, plan: Plan, count: int) -> np.ndarray:
    """The same for so many fills that all their noise comes from one generator, for speed."""
    rng = np.random.default_rng(0)
    values = np.zeros(WIDTH)
    values[known] = VALUES[: known.sum()]
    found = repaint(
        denoiser(), row(values, count), row(known), plan,
        lambda shape: torch.from_numpy(rng.standard_normal(shape, np.float32)),
    )  # fmt: skip
    return found.reshape(count, WIDTH).numpy()


class TestAgainstTheTruth:
    """Photos drawn from a normal distribution: how the hole must be spread is known exactly."""

    def test_all_hole_gives_the_distribution_of_the_photos(self) -> None:
        rows = many(np.zeros(WIDTH, np.bool_), make_plan(200), 4000)
        assert np.abs(rows.mean(0) - MEAN).max() < 0.04
        assert np.abs(np.cov(rows.T) - CLOSE).max() < 0.035

    @pytest.fixture(scope="class")
    @staticmethod
    def errors() -> dict[int, tuple[float, float]]:
        """Worst error of mean and covariance of the hole, by how often stretches are repeated."""
        centre, spread = conditional(MEAN, CLOSE, KNOWN, VALUES)
        told = {}
        for times in (1, 4, 20):
            inner = many(KNOWN, make_plan(100, 4, times), 2500)[:, ~KNOWN]
            told[times] = (
                float(np.abs(inner.mean(0) - centre).max()),
                float(np.abs(np.cov(inner.T) - spread).max()),
            )
        return told

    def test_resampling_brings_the_mean_to_that_of_the_conditional(
        self, errors: dict[int, tuple[float, float]]
    ) -> None:
        once, few, often = (errors[times][0] for times in (1, 4, 20))
        assert often < few < once
        assert often < 0.12 < 0.4 < once, "the mean itself is about 0.7"

    def test_and_the_covariance_is_right(self, errors: dict[int, tuple[float, float]]) -> None:
        assert errors[4][1] < 0.02, "variances are between 0.08 and 0.12"
        assert errors[20][1] < 0.045, "steps of finite length lose a little spread each time"

    def test_the_fast_plan_is_far_better_than_as_many_plain_steps(self) -> None:
        centre, _ = conditional(MEAN, CLOSE, KNOWN, VALUES)
        fast = fast_plan()
        plain = make_plan(min(200, fast.calls))
        wrong = [
            float(np.abs(many(KNOWN, plan, 1000)[:, ~KNOWN].mean(0) - centre).max())
            for plan in (fast, plain)
        ]
        assert wrong[0] < wrong[1] / 3


class TestWhatItKeeps:
    def test_known_pixels_come_back_bit_for_bit(self) -> None:
        rows = filled(make_plan(12, 3, 2), 3)
        assert (rows[:, KNOWN] == VALUES.astype(np.float32)).all()
        assert np.isfinite(rows).all()

    def test_what_lies_in_the_hole_does_not_matter(self) -> None:
        plan, keep = make_plan(8, 2, 2), row(KNOWN)
        results = []
        for secret in (0.0, 0.9, np.inf):
            values = np.where(KNOWN, 0.5, secret)
            draw = running.drawer([np.random.default_rng(0)])
            results.append(repaint(denoiser(), row(values), keep, plan, draw))
        assert torch.equal(results[0], results[1])
        assert torch.equal(results[0], results[2])

    def test_same_seed_same_fill_and_each_of_a_batch_has_its_own(self) -> None:
        plan = make_plan(10, 2, 2)
        first, again, other = filled(plan, 2), filled(plan, 2), filled(plan, 2, seed=1)
        assert (first == again).all()
        assert not np.allclose(first, other)
        assert not np.allclose(first[0], first[1])
        assert np.allclose(filled(plan, 1)[0], first[0], atol=1e-5)

    def test_without_noise_in_its_steps_only_the_start_is_random(self) -> None:
        draws = []

        def draw(shape: tuple[int, ...]) -> torch.Tensor:
            draws.append(shape)
            return torch.zeros(shape)

        values = np.zeros(WIDTH)
        found = repaint(denoiser(), row(values), row(values), make_plan(5, eta=0.0), draw)
        assert torch.isfinite(found).all()
        # one at the start, one a step but the last
        assert draws == [(1, 1, 1, WIDTH)] * 5


class TestHowItWalks:
    def test_the_network_is_called_at_the_plans_steps_in_the_models_own_time(self) -> None:
        model, plan, told = denoiser(), make_plan(6, 2, 2), []
        draw = running.drawer([np.random.default_rng(0)])
        repaint(
            model, row(np.zeros(WIDTH)), row(KNOWN), plan, draw,
            on_step=lambda done, calls, clean: told.append((done, calls, clean.shape)),
        )  # fmt: skip
        times = model.schedule.respaced(6).timesteps
        downs = [5, 4, 3, 4, 3, 2, 1, 2, 1, 0]
        assert model.calls == [times[step] for step in downs]
        assert told == [(done, 10, (1, 1, 1, WIDTH)) for done in range(1, 11)]

    def test_jumps_are_one_leg_each(self) -> None:
        plan = make_plan(6, 2, 2)
        ups = [(a, b) for a, b in legs(plan) if b > a]
        assert ups == [(2, 4), (0, 2)]
        assert sum(b < a for a, b in legs(plan)) == plan.calls

    def test_it_can_be_stopped_at_every_call(self) -> None:
        class Stop(Exception):
            pass

        model = denoiser()

        def stop(done: int, calls: int, clean: torch.Tensor) -> None:
            if done == 3:
                raise Stop

        draw = running.drawer([np.random.default_rng(0)])
        with pytest.raises(Stop):
            repaint(model, row(np.zeros(WIDTH)), row(KNOWN), make_plan(9), draw, on_step=stop)
        assert len(model.calls) == 3

    @pytest.mark.parametrize(
        ("known", "keep", "steps"),
        [
            (torch.zeros(1, 3, 1, WIDTH), torch.ones(1, 1, 1, WIDTH), 4),
            (torch.zeros(2, 1, 1, WIDTH), torch.ones(3, 1, 1, WIDTH), 4),
            (torch.zeros(1, 1, 1, WIDTH), torch.ones(1, 1, 1, WIDTH - 1), 4),
            (torch.zeros(1, 1, 1, WIDTH), torch.ones(1, 1, 1, WIDTH), 201),
        ],
    )
    def test_what_does_not_fit(self, known: torch.Tensor, keep: torch.Tensor, steps: int) -> None:
        draw = running.drawer([np.random.default_rng(0)])
        with pytest.raises(ValueError):
            repaint(denoiser(), known, keep, make_plan(steps), draw)


class TestTarget:
    WANTED = np.array([0.0, 0.3, -0.4, 0.5, -0.6, 0.0])

    def target(self, weights: np.ndarray, where: np.ndarray = ~KNOWN) -> Target:
        return Target(row(self.WANTED), row(where), weights)

    def test_constant_one_lays_the_target_down_as_it_is(self) -> None:
        plan = make_plan(10, 2, 2)
        rows = filled(plan, 2, target=self.target(lambdas("constant", 1, 1, 10)))
        assert np.allclose(rows[:, ~KNOWN], self.WANTED[~KNOWN], atol=1e-6)

    def test_nothing_is_plain_repaint(self) -> None:
        plan = make_plan(10, 2, 2)
        for target in (
            self.target(lambdas("constant", 0, 1, 10)),
            self.target(lambdas("constant", 1, 1, 10), np.zeros(WIDTH)),
        ):
            assert (filled(plan, 2, target=target) == filled(plan, 2)).all()

    def test_closer_with_a_larger_lambda_and_a_longer_fall(self) -> None:
        plan, distances = make_plan(20, 4, 2), []
        for start, p in ((0.3, 0.5), (0.9, 0.5), (0.9, 0.95)):
            target = self.target(lambdas("linear", start, p, 20))
            rows = filled(plan, 60, target=target)[:, ~KNOWN]
            distances.append(np.abs(rows - self.WANTED[~KNOWN]).mean())
        assert distances[0] > distances[1] > distances[2]

    def test_known_pixels_stay_and_the_weight_says_where(self) -> None:
        plan = make_plan(10)
        everywhere = self.target(lambdas("constant", 1, 1, 10), np.ones(WIDTH))
        rows = filled(plan, 1, target=everywhere)
        assert (rows[:, KNOWN] == VALUES.astype(np.float32)).all()
        half = np.array([0, 1, 1, 0, 0, 0])
        rows = filled(plan, 1, target=self.target(lambdas("constant", 1, 1, 10), half))
        assert np.allclose(rows[0, 1:3], self.WANTED[1:3], atol=1e-6)
        assert not np.allclose(rows[0, 3:5], self.WANTED[3:5], atol=1e-3)

    def test_one_weight_for_each_step(self) -> None:
        with pytest.raises(ValueError, match="steps"):
            filled(make_plan(10), 1, target=self.target(np.ones(9)))


def test_soft_mask_mixes_scene_and_model() -> None:
    keep = np.array([1.0, 0.5, 0.0, 0.0, 0.5, 1.0])
    scene = np.array([0.5, 3.0, 0.0, 0.0, 3.0, 0.5])  # far from what the model would make
    draw = running.drawer([np.random.default_rng(index) for index in range(50)])
    found = repaint(denoiser(), row(scene, 50), row(keep), make_plan(10), draw)
    middle = found.reshape(50, WIDTH).numpy().mean(0)
    assert 0.8 < middle[1] < 2.9
    assert (found.reshape(50, WIDTH)[:, 0] == 0.5).all()


def test_pictures_and_tensors_are_each_others_inverse() -> None:
    picture = np.random.default_rng(0).random((5, 7, 3), np.float32)
    tensor = running.to_tensor([picture, picture])
    assert tensor.shape == (2, 3, 5, 7)
    assert -1 <= float(tensor.min()) < float(tensor.max()) <= 1
    back = running.to_picture(tensor[1])
    assert back.dtype == np.float32
    assert back.flags.c_contiguous
    assert np.allclose(back, picture, atol=1e-6)
    assert running.to_picture(tensor[0] * 9).max() == 1


def test_threads_are_put_back() -> None:
    from infill import settings

    before = torch.get_num_threads()
    with settings.using(threads=before + 2), running.threads():
        assert torch.get_num_threads() == before + 2
        with running.threads():
            pass
        assert torch.get_num_threads() == before + 2
    assert torch.get_num_threads() == before
