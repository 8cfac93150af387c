"""What every executor must do. A new one is tested by `assert_executor(executor)`."""

import os
import signal
import sys
import time
from collections.abc import Iterator

from infill.executors import Executor, Outcome


def square(number: int) -> int:
    return number * number


def fail_on_odd(number: int) -> int:
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number


def die_on_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def unpicklable(number: int) -> object:
    return (lambda: number) if number else 0


def noisy(number: int) -> int:
    print("a library that prints", number)
    sys.stdout.flush()
    return number


class Adder:
    """A job that carries something of its own."""

    def __init__(self, amount: int) -> None:
        self.amount = amount

    def __call__(self, number: int) -> int:
        return number + self.amount


def _by_item(outcomes: Iterator[Outcome]) -> dict[int, Outcome]:
    table: dict[int, Outcome] = {}
    for outcome in outcomes:
        assert outcome.item not in table, "one outcome for each item"
        table[outcome.item] = outcome
    return table


def assert_executor(executor: Executor) -> None:
    """Every promise in the docstring of `Executor.map`."""
    _assert_values(executor)
    _assert_failures_stay_with_their_item(executor)
    _assert_items_are_drawn_late(executor)


def _assert_values(executor: Executor) -> None:
    assert list(executor.map(square, [])) == []
    done = _by_item(executor.map(square, range(20)))
    assert {item: outcome.value for item, outcome in done.items()} == {
        number: number * number for number in range(20)
    }
    assert all(outcome.error is None for outcome in done.values())
    assert _by_item(executor.map(Adder(5), [1, 2]))[2].value == 7
    assert sorted(_by_item(executor.map(noisy, range(4)))) == [0, 1, 2, 3]


def _assert_failures_stay_with_their_item(executor: Executor) -> None:
    done = _by_item(executor.map(fail_on_odd, range(6)))
    assert sorted(done) == list(range(6))
    assert done[3] == Outcome(3, error="ValueError: 3 is odd")
    assert done[4] == Outcome(4, 4)

    done = _by_item(executor.map(die_on_three, range(8)))
    assert sorted(done) == list(range(8))
    assert [item for item, outcome in done.items() if outcome.error] == [3]
    assert "SIGKILL" in (done[3].error or "")

    done = _by_item(executor.map(unpicklable, [0, 1, 2]))
    assert done[0].error is None
    assert "cannot be sent back" in (done[1].error or "")


def _assert_items_are_drawn_late(executor: Executor) -> None:
    drawn = []

    def endless() -> Iterator[int]:
        number = 0
        while True:
            drawn.append(number)
            yield number
            number += 1

    outcomes = executor.map(square, endless())
    for _ in range(10):
        next(outcomes)
    time.sleep(0.5)  # workers that run ahead of a slow caller would draw thousands meanwhile
    close = outcomes.close  # type: ignore[attr-defined]
    close()
    count = len(drawn)
    assert count < 100, "items are drawn as workers become free"
    assert len(drawn) == count, "nothing is drawn after the iterator is closed"
