"""The pool of workers, with real processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.unit.job_tasks import (
    Carry,
    Click,
    Die,
    Fail,
    Say,
    Shown,
    Variables,
    Work,
    Zeros,
)

from infill import settings
from infill.errors import (
    BadMask,
    Cancelled,
    NoSuchJob,
    QueueFull,
    ServiceError,
    TimedOut,
    WorkerDied,
)
from infill.jobs import Job, Pool

LONG = 60.0  # seconds that a busy machine may take for anything here


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(grace=LONG) as pool:
        yield pool


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, f"it never came to pass: {what}"
        time.sleep(0.01)


def begun(job: Job, stage: str = "work") -> Job:
    until(lambda: job.stage == stage or job.over, f"{job} at {stage}")
    assert not job.over
    return job


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or ") Z " not in state.read_text()


class TestAJob:
    def test_returns_what_the_task_returned_in_another_process(self, pool: Pool) -> None:
        job = pool.submit(Say("hello"))
        assert job.wait(LONG)
        pid, value = job.result()
        assert value == "hello"
        assert pid in pool.pids()
        assert pid != os.getpid()
        assert (job.state, job.fraction, job.stage, job.error) == ("done", 1.0, "done", None)
        assert job.created <= (job.started or 0) <= (job.ended or 0)
        assert pool.job(job.id) is job

    def test_tells_its_progress(self, pool: Pool) -> None:
        job = pool.submit(Say(fractions=(0.25, 0.5, 0.75)))
        seen, version = [], 0
        while not job.over:
            state = job.changes(LONG, since=version)
            version = state["version"]
            seen.append(state["fraction"])
        assert seen == sorted(seen)
        assert seen[-1] == 1.0
        heard: list[str] = []
        job = pool.submit(Say(fractions=(0.25, 0.5, 0.75)))
        job.listen(lambda: heard.append(job.stage))
        assert job.wait(LONG)
        assert [stage for stage in heard if stage.startswith("at")] in (
            ["at 0.25", "at 0.5", "at 0.75"],
            ["at 0.5", "at 0.75"],  # it was quicker than we
            ["at 0.75"],
            [],
        )

    def test_guesses_the_seconds_left(self, pool: Pool) -> None:
        job = begun(pool.submit(Work()))
        until(lambda: job.fraction == 0.5, "half of it")
        assert job.seconds_left is not None
        passed = time.time() - (job.started or 0)
        assert job.seconds_left == pytest.approx(passed, abs=1)
        job.cancel()
        assert job.wait(LONG)
        assert job.seconds_left is None

    def test_a_listener_that_left_hears_nothing(self, pool: Pool) -> None:
        heard: list[int] = []
        job = pool.submit(Say())
        job.listen(lambda: heard.append(1))()
        assert job.wait(LONG)
        assert heard == []

    def test_changes_returns_at_the_timeout_and_at_the_end(self, pool: Pool) -> None:
        first = begun(pool.submit(Work()))
        second = pool.submit(Say())
        state = second.changes(0.01)
        assert (state["state"], state["position"], state["stage"]) == ("queued", 0, "waiting")
        first.cancel()
        assert second.wait(LONG)
        start = time.monotonic()
        assert second.changes(LONG)["state"] == "done"
        assert time.monotonic() - start < LONG / 2

    def test_shows_a_preview_and_what_takes_long(self, pool: Pool) -> None:
        job = pool.submit(Shown())
        until(lambda: job.preview is not None, "a preview")
        assert job.preview == b"a picture"
        job.cancel()
        assert job.wait(LONG)

    def test_has_no_result_before_the_end(self, pool: Pool) -> None:
        job = begun(pool.submit(Work()))
        with pytest.raises(NoSuchJob, match="it is running"):
            job.result()
        job.cancel()
        assert job.wait(LONG)

    @pytest.mark.parametrize(
        ("how", "kind", "words"),
        [
            ("ours", BadMask, "the mask is bad"),
            ("other", ServiceError, "RuntimeError: nobody expected this"),
            ("memory", ServiceError, "not enough memory"),
            ("lambda", ServiceError, "cannot be sent back"),
        ],
    )
    def test_that_fails_tells_why_and_the_next_one_runs(
        self, pool: Pool, how: str, kind: type[Exception], words: str
    ) -> None:
        job = pool.submit(Fail(how))
        assert job.wait(LONG)
        assert job.state == "failed"
        with pytest.raises(kind, match=words):
            job.result()
        assert isinstance(job.error, kind)
        after = pool.submit(Say(1))
        assert after.wait(LONG)
        assert after.result()[1] == 1

    def test_a_task_that_cannot_be_sent_fails_and_the_next_one_runs(self, pool: Pool) -> None:
        job = pool.submit(Say(threading.Lock()))
        assert job.wait(LONG)
        with pytest.raises(ServiceError, match="cannot be run"):
            job.result()
        after = pool.submit(Say(2))
        assert after.wait(LONG)

    def test_ids_are_long_and_never_the_same(self, pool: Pool) -> None:
        numbers = {pool.submit(Say()).id for _ in range(20)}
        assert len(numbers) == 20
        assert min(map(len, numbers)) >= 22

    def test_unknown_ids_are_refused(self, pool: Pool) -> None:
        with pytest.raises(NoSuchJob, match="no such job"):
            pool.job("guess")


class TestStopping:
    def test_a_running_job_stops_by_itself_and_its_process_lives(self, pool: Pool) -> None:
        job = begun(pool.submit(Work()))
        before = pool.pids()
        job.cancel()
        assert job.wait(LONG)
        assert job.state == "cancelled"
        with pytest.raises(Cancelled):
            job.result()
        assert pool.pids() == before

    def test_a_waiting_job_is_gone_at_once(self, pool: Pool) -> None:
        first = begun(pool.submit(Work()))
        waiting = pool.submit(Say())
        waiting.cancel()
        assert waiting.state == "cancelled"
        assert pool.waiting("fill") == 0
        first.cancel()
        assert first.wait(LONG)

    def test_a_job_that_has_ended_stays_as_it_is(self, pool: Pool) -> None:
        job = pool.submit(Say(3))
        assert job.wait(LONG)
        job.cancel()
        assert job.result()[1] == 3

    def test_a_job_that_never_calls_progress_is_killed_and_the_next_one_runs(self) -> None:
        with Pool(grace=0.2) as pool:
            job = begun(pool.submit(Work(quiet=True)))
            (worker,) = pool.pids()
            job.cancel()
            after = pool.submit(Say(5))
            assert job.wait(LONG)
            assert job.state == "cancelled"
            assert after.wait(LONG)
            assert after.result()[0] != worker
            assert not alive(worker)

    def test_the_time_limit(self) -> None:
        with settings.using(job_seconds=1), Pool(grace=LONG) as pool:
            job = pool.submit(Work())
            assert job.wait(LONG)
            assert job.state == "failed"
            with pytest.raises(TimedOut, match="longer than the 1 seconds"):
                job.result()

    def test_the_time_limit_of_a_job_that_never_calls_progress(self) -> None:
        with settings.using(job_seconds=1), Pool(grace=0.1) as pool:
            job = pool.submit(Work(quiet=True))
            after = pool.submit(Say(1))
            assert job.wait(LONG)
            assert isinstance(job.error, TimedOut)
            assert after.wait(LONG)
            assert after.state == "done"


class TestDeath:
    def test_of_a_busy_worker_costs_its_job_alone(self, pool: Pool) -> None:
        job = begun(pool.submit(Work()))
        after = [pool.submit(Say(number)) for number in range(3)]
        (worker,) = pool.pids()
        os.kill(worker, signal.SIGKILL)
        assert job.wait(LONG)
        with pytest.raises(WorkerDied, match="SIGKILL"):
            job.result()
        for number, other in enumerate(after):
            assert other.wait(LONG)
            assert other.result()[1] == number

    def test_by_an_exit_status(self, pool: Pool) -> None:
        job = pool.submit(Die(7))
        assert job.wait(LONG)
        with pytest.raises(WorkerDied, match="exit status 7"):
            job.result()

    def test_of_an_idle_worker_costs_nothing(self, pool: Pool) -> None:
        job = pool.submit(Say())
        assert job.wait(LONG)
        worker = job.result()[0]
        os.kill(worker, signal.SIGKILL)
        after = pool.submit(Say())
        assert after.wait(LONG)
        assert after.result()[0] != worker


class TestTheQueue:
    def test_is_bounded(self) -> None:
        with settings.using(queue_jobs=2), Pool() as pool:
            running = begun(pool.submit(Work()))
            waiting = [pool.submit(Say(number)) for number in range(2)]
            with pytest.raises(QueueFull, match="2 jobs wait already") as caught:
                pool.submit(Say())
            assert caught.value.retry_after >= 1
            click = pool.submit(Click())  # another lane
            assert click.wait(LONG)
            running.cancel()
            for number, job in enumerate(waiting):
                assert job.wait(LONG)
                assert job.result()[1] == number

    def test_is_bounded_in_bytes(self) -> None:
        with Pool(keep_bytes=1000) as pool:
            running = begun(pool.submit(Work()))
            waiting = pool.submit(Carry(np.zeros(2000, np.uint8)))
            with pytest.raises(QueueFull):
                pool.submit(Carry(np.zeros(10, np.uint8)))
            running.cancel()
            assert waiting.wait(LONG)
            assert waiting.result() == 2000
            assert pool.kept_bytes() == 0

    def test_small_jobs_go_first(self, pool: Pool) -> None:
        order: list[str] = []
        running = begun(pool.submit(Work()))
        jobs = {
            "big": pool.submit(Say("big", work=10_000_000)),
            "small": pool.submit(Say("small", work=100)),
        }
        assert jobs["big"].snapshot()["position"] == 1
        for name, job in jobs.items():
            job.listen(lambda job=job, name=name: job.over and order.append(name))  # type: ignore[misc]
        running.cancel()
        for job in jobs.values():
            assert job.wait(LONG)
        assert order == ["small", "big"]

    def test_a_click_does_not_wait_for_a_fill(self, pool: Pool) -> None:
        fill = begun(pool.submit(Work()))
        waiting = pool.submit(Say())
        click = pool.submit(Click("there"))
        assert click.wait(LONG)
        assert click.result()[1] == "there"
        assert (fill.state, waiting.state) == ("running", "queued")
        fill.cancel()
        assert waiting.wait(LONG)

    def test_every_device_has_a_worker(self) -> None:
        with settings.using(threads=3), Pool(devices=("cpu", "other")) as pool:
            first = begun(pool.submit(Work()))
            second = begun(pool.submit(Work()))
            assert pool.running() == 2
            first.cancel()
            second.cancel()
            names = ("INFILL_DEVICE", "OMP_NUM_THREADS", "INFILL_THREADS")
            job = pool.submit(Variables(names))
            assert job.wait(LONG)
            values, seen = job.result()
            assert values[0] in ("cpu", "other")
            assert values[1:] == ["3", "3"]
            assert seen.device == values[0]

    def test_workers_have_the_settings_of_the_pool(self) -> None:
        with settings.using(max_pixels=1234, engine="flat"), Pool() as pool:
            job = pool.submit(Variables(()))
            assert job.wait(LONG)
            _, seen = job.result()
        assert (seen.max_pixels, seen.engine) == (1234, "flat")


class TestResults:
    def test_are_forgotten_after_a_while(self) -> None:
        with settings.using(keep_seconds=1), Pool() as pool:
            job = pool.submit(Zeros(100))
            assert job.wait(LONG)
            until(lambda: pool.kept_bytes() == 0, "that nothing is kept")
            with pytest.raises(NoSuchJob):
                pool.job(job.id)
            with pytest.raises(NoSuchJob, match="deleted by now"):
                job.result()

    def test_are_bounded_in_bytes_and_the_oldest_go_first(self) -> None:
        with Pool(keep_bytes=1000) as pool:
            jobs = []
            for _ in range(4):
                jobs.append(pool.submit(Zeros(400)))
                assert jobs[-1].wait(LONG)
            until(lambda: pool.kept_bytes() == 800, "that two are kept")
            with pytest.raises(NoSuchJob):
                pool.job(jobs[0].id)
            assert len(pool.job(jobs[3].id).result()) == 400

    def test_can_be_forgotten_on_purpose(self, pool: Pool) -> None:
        job = pool.submit(Zeros(10))
        assert job.wait(LONG)
        pool.forget(job.id)
        with pytest.raises(NoSuchJob):
            pool.job(job.id)

    def test_forgotten_the_moment_they_are_there_harm_nobody(self, pool: Pool) -> None:
        for _ in range(50):
            job = pool.submit(Zeros(10))
            job.listen(lambda job=job: job.over and pool.discard(job))  # type: ignore[misc]
            assert job.wait(LONG)
        after = pool.submit(Say(2))
        assert after.wait(LONG)
        assert after.result()[1] == 2

    def test_the_photo_is_not_kept_with_them(self, pool: Pool) -> None:
        job = pool.submit(Carry(np.zeros(1000, np.uint8)))
        assert job.wait(LONG)
        assert job.task is None


class TestTheEnd:
    def test_close_leaves_no_process_and_no_thread_behind(self) -> None:
        threads = threading.active_count()
        pool = Pool()
        pool.warm()
        running = begun(pool.submit(Work(quiet=True)))
        waiting = pool.submit(Say())
        until(lambda: len(pool.pids()) == 2, "two workers")
        workers = pool.pids()
        pool.close()
        assert not any(alive(worker) for worker in workers)
        assert pool.pids() == []
        assert (running.state, waiting.state) == ("cancelled", "cancelled")
        until(lambda: threading.active_count() == threads, "that its threads are gone")
        with pytest.raises(ServiceError, match="closing"):
            pool.submit(Say())
        pool.close()
        pool.warm()
        assert pool.pids() == []

    def test_a_pool_that_did_nothing_starts_nothing(self) -> None:
        with Pool() as pool:
            assert pool.pids() == []

    def test_busy_workers_leave_when_the_server_is_killed(self, tmp_path: Path) -> None:
        note = tmp_path / "workers"
        code = (
            f"import sys, time; sys.path[:] = {sys.path!r}\n"
            "from infill.jobs import Pool\n"
            "from tests.unit.job_tasks import Click, Work\n"
            "pool = Pool()\n"
            "job = pool.submit(Work(quiet=True))\n"
            "pool.submit(Click()).wait()\n"
            "while job.stage != 'work': time.sleep(0.01)\n"
            f"open({str(note)!r}, 'w').write(' '.join(map(str, pool.pids())) + '.')\n"
            "time.sleep(600)\n"
        )
        server = subprocess.Popen([sys.executable, "-c", code])
        until(lambda: note.exists() and note.read_text().endswith("."), "that it works")
        workers = [int(word) for word in note.read_text().rstrip(".").split()]
        assert len(workers) == 2
        server.kill()
        server.wait()
        until(lambda: not any(map(alive, workers)), "that the workers leave")
