"""The walk of RePaint as its authors published it, from the paper's description alone."""

import hashlib

from infill.diffusion import plan as plans

SHA256 = "6e0acdaed798beec529a342f6843a2493ede0e90dc55b9720770498167c5a7fc"
"""Of the steps that the authors' own code gives for 250 steps, jumps of 10, 10 resamplings, as
decimal numbers joined by commas."""


def test_step_by_step() -> None:
    times = plans.published().times
    # Straight down to the first multiple of ten that has ten steps above it.
    expected = list(range(249, 229, -1))
    for bottom in range(230, -1, -10):
        # Nine times ten up and ten down again; then the next ten down, or past the end.
        for _ in range(9):
            expected += [*range(bottom + 1, bottom + 11), *range(bottom + 9, bottom - 1, -1)]
        expected += range(bottom - 1, max(bottom - 11, -2), -1)
    assert list(times) == expected


def test_the_very_sequence() -> None:
    times = plans.published().times
    assert len(times) == 4571
    assert times[:32] == (*range(249, 229, -1), *range(231, 241), 239, 238)
    assert times[-4:] == (2, 1, 0, -1)
    assert hashlib.sha256(",".join(map(str, times)).encode()).hexdigest() == SHA256


def test_how_often_each_step_is_taken() -> None:
    """Every stretch of ten ten times, but the highest, which is only once gone down."""
    downs = plans.descent(plans.published())
    counts = {step: int((downs == step).sum()) for step in range(250)}
    assert all(counts[step] == 1 for step in range(241, 250))
    assert all(counts[step] == 10 for step in range(1, 241) if step % 10)
    assert len(downs) == 2410
