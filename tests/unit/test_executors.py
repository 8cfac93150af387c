"""The executors, and what only the local one promises."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance_executor import assert_executor, square

from infill.errors import BatchError, UnknownPlugin
from infill.executors import EXECUTORS
from infill.executors.local import Local


def environment_and_threads(_: int) -> tuple[str, str, str, int]:
    names = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "INFILL_THREADS")
    first, second, third = (os.environ[name] for name in names)
    return first, second, third, os.getpid()


def sleep_after_the_first(number: int) -> None:
    if number:
        time.sleep(600)


@pytest.mark.parametrize("jobs", [1, 2])
def test_local_conforms(jobs: int) -> None:
    assert_executor(Local(jobs))


def test_the_registry_knows_it() -> None:
    assert EXECUTORS.names() == ["local"]
    with pytest.raises(UnknownPlugin, match="no executor 'ray'"):
        EXECUTORS.get("ray")


@pytest.mark.parametrize(("jobs", "threads"), [(0, 1), (1, 0), (-1, 1)])
def test_numbers_below_one_are_refused(jobs: int, threads: int) -> None:
    with pytest.raises(BatchError, match="at least 1"):
        Local(jobs, threads)


def test_threads_are_set_in_the_worker_and_only_there() -> None:
    before = dict(os.environ)
    (outcome,) = Local(1, threads=3).map(environment_and_threads, [0])
    assert outcome.value[:3] == ("3", "3", "3")
    assert outcome.value[3] != os.getpid()
    assert dict(os.environ) == before


def test_closing_kills_the_busy_workers() -> None:
    threads_before = threading.active_count()
    outcomes = Local(2).map(sleep_after_the_first, range(5))
    assert next(outcomes).item == 0
    begun = time.monotonic()
    outcomes.close()  # type: ignore[attr-defined]
    assert time.monotonic() - begun < 60, "it waited for a job of ten minutes"
    assert threading.active_count() == threads_before


def note_and_sleep(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(600)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # A zombie that nobody has waited for is dead too.
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or ") Z " not in state.read_text()


def test_a_busy_worker_does_not_outlive_its_killed_parent(tmp_path: Path) -> None:
    note = tmp_path / "worker"
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from infill.executors.local import Local\n"
        "from tests.unit.test_executors import note_and_sleep\n"
        f"list(Local().map(note_and_sleep, [{str(note)!r}]))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    end = time.monotonic() + 60
    while not (note.exists() and note.read_text()):
        assert time.monotonic() < end
        time.sleep(0.01)
    parent.kill()
    parent.wait()
    worker = int(note.read_text())
    while is_alive(worker):
        assert time.monotonic() < end, "the worker lives on"
        time.sleep(0.01)


def test_an_iterable_that_raises_is_the_callers_error() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise RuntimeError("the list of photos is gone")

    with pytest.raises(RuntimeError, match="list of photos"):
        list(Local(1).map(square, broken()))
