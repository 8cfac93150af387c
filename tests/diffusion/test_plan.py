"""The walk up and down the steps."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infill.diffusion import plan as plans
from infill.diffusion.plan import Plan, make_plan, resampling_times


def test_without_jumps_straight_down() -> None:
    assert resampling_times(4) == [3, 2, 1, 0, -1]


def test_a_jump_goes_up_from_each_multiple_and_down_again() -> None:
    # 6 steps, jumps of 2, each stretch twice: up from 2, and from 0, once each.
    assert resampling_times(6, 2, 2) == [5, 4, 3, 2, 3, 4, 3, 2, 1, 0, 1, 2, 1, 0, -1]


def test_single_steps_can_be_gone_over_as_well() -> None:
    assert resampling_times(4, n_sample=2) == [3, 2, 1, 2, 1, 0, 1, 0, -1]


def test_resampling_can_be_kept_to_a_part_of_the_walk() -> None:
    early = resampling_times(6, 1, 2, resample_until=0.5)
    assert early == [5, 4, 5, 4, 3, 4, 3, 2, 3, 2, 1, 0, -1]
    late = resampling_times(6, 1, 2, resample_from=0.5)
    assert late == [5, 4, 3, 2, 1, 2, 1, 0, 1, 0, -1]
    assert resampling_times(6, 1, 2, resample_until=0) == resampling_times(6)


@given(
    st.integers(1, 60), st.integers(1, 12), st.integers(1, 5), st.integers(1, 3),
    st.floats(0, 1), st.floats(0, 1),
)  # fmt: skip
def test_every_walk_is_a_plan_and_counts(
    steps: int, length: int, count: int, single: int, start: float, until: float
) -> None:
    assume(start <= until)
    times = resampling_times(
        steps, length, count, n_sample=single, resample_from=start, resample_until=until
    )
    plan = Plan(steps, tuple(times))  # which checks its ends, its range and its strides
    downs = sum(a > b for a, b in pairwise(times))
    assert plan.calls == downs == len(plans.descent(plan))
    assert set(times) == set(range(-1, steps))
    # what goes up comes down again
    assert downs - (len(times) - 1 - downs) == steps


@given(st.integers(2, 60), st.integers(1, 12), st.integers(1, 5))
def test_calls_by_the_rule(steps: int, length: int, count: int) -> None:
    """Every stretch but the highest is gone down `count` times."""
    jumps = len(range(0, steps - length, length))
    plan = make_plan(steps, length, count)
    assert plan.calls == steps + jumps * length * (count - 1)


def test_the_fast_plan_takes_a_tenth_of_the_calls() -> None:
    assert plans.published().calls == 2410
    assert len(plans.published().times) - 1 == 4570
    assert plans.fast().calls <= 241


@pytest.mark.parametrize(
    ("steps", "times"),
    [
        (3, (2, 1, 0)),  # ends too early
        (3, (1, 0, -1)),  # begins too late
        (3, (2, 0, -1)),  # leaves one out
        (3, (2, 1, 0, -1, 0, -1)),  # goes on after the end
        (3, (2, 3, 2, 1, 0, -1)),  # above the noisiest
        (3, ()),
    ],
)
def test_what_is_no_plan(steps: int, times: tuple[int, ...]) -> None:
    with pytest.raises(ValueError):
        Plan(steps, times)


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 0},
        {"steps": 5, "jump_length": 0},
        {"steps": 5, "jump_n_sample": 0},
        {"steps": 5, "n_sample": 0},
        {"steps": 5, "resample_from": 0.6, "resample_until": 0.5},
        {"steps": 5, "eta": 1.5},
    ],
)
def test_settings_out_of_range(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        make_plan(**settings)  # type: ignore[arg-type]
