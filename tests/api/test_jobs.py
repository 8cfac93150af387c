"""Jobs that nobody waits for: progress, events, results, and going away."""

import json
import os
import signal
import socket
import time

import httpx
import numpy as np
import pytest

import infill
from tests.api.tools import (
    FLAT,
    LONG,
    MASK,
    PHOTO,
    SLOW,
    Served,
    assert_problem,
    big,
    files,
    picture,
    serving,
    until,
)

BIG_PHOTO, BIG_MASK = big()


def slow(served: Served, **more: str) -> str:
    """Begin a job that takes minutes, and return its address once it works."""
    given = files(photo=BIG_PHOTO, mask=BIG_MASK)
    answer = served.post(files=given, data=SLOW | {"wait": "false"} | more)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])


def working(served: Served, place: str) -> None:
    until(lambda: served.client.get(place).json()["state"] == "running", "that it works")


class TestAJob:
    def test_is_told_of_until_it_is_done(self, served: Served) -> None:
        answer = served.post(
            files=files(), data={"wait": "false", "seeds": "4,6", "format": "webp"}
        )
        assert answer.status_code == 202
        place = answer.headers["location"]
        assert place == f"/v1/jobs/{answer.json()['id']}"
        until(lambda: served.client.get(place).json()["state"] == "done", "the end")
        told = served.client.get(place).json()
        assert (told["fraction"], told["candidates"], told["error"]) == (1.0, 2, None)
        assert told["created"] <= told["started"] <= told["ended"]
        result = served.client.get(f"{place}/result")
        assert result.headers["content-type"] == "image/webp"
        assert result.headers["infill-seed"] == "4"
        second = served.client.get(f"{place}/result", params={"candidate": 1, "format": "png"})
        assert second.headers["infill-seed"] == "6"
        expected = infill.fill(PHOTO, MASK, seed=6).picture.pixels
        assert np.array_equal(picture(second.content), expected)
        third = served.client.get(f"{place}/result", params={"candidate": 2})
        assert "2 candidates" in assert_problem(third, 404, "not-found")["detail"]

    def test_that_was_waited_for_has_its_other_candidates_too(self, served: Served) -> None:
        answer = served.post(files=files(), data={"candidates": "2"})
        place = f"/v1/jobs/{answer.headers['infill-job']}/result"
        assert served.client.get(place).content == answer.content
        assert served.client.get(place, params={"candidate": 1}).headers["infill-seed"] == "1"

    def test_streams_its_events(self, served: Served) -> None:
        answer = served.post(files=files(), data={"wait": "false", "candidates": "3"})
        seen = []
        with served.client.stream("GET", f"{answer.headers['location']}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    seen.append([line[7:]])
                elif line.startswith("data: "):
                    seen[-1].append(json.loads(line[6:]))
        assert seen[-1][0] == "done"
        assert {name for name, _ in seen[:-1]} <= {"progress"}
        fractions = [told["fraction"] for _, told in seen]
        assert fractions == sorted(fractions)
        assert seen[-1][1]["candidates"] == 3

    def test_is_deleted_with_its_result(self, served: Served) -> None:
        answer = served.post(files=files(), data=FLAT)
        place = f"/v1/jobs/{answer.headers['infill-job']}"
        assert served.client.delete(place).status_code == 204
        for request in (served.client.get(place), served.client.delete(place)):
            assert_problem(request, 404, "no-such-job")
        assert_problem(served.client.get(f"{place}/result"), 404, "no-such-job")

    def test_that_nobody_knows(self, served: Served) -> None:
        for path in ("/v1/jobs/guess", "/v1/jobs/guess/events", "/v1/jobs/guess/result"):
            assert_problem(served.client.get(path), 404, "no-such-job")

    def test_is_forgotten_after_a_while(self) -> None:
        with serving({"keep_seconds": 1}) as served:
            answer = served.post(files=files(), data=FLAT)
            place = f"/v1/jobs/{answer.headers['infill-job']}/result"
            until(lambda: served.client.get(place).status_code == 404, "that it is deleted")
            assert served.pool.kept_bytes() == 0


class TestStopping:
    def test_delete_cancels(self, served: Served) -> None:
        place = slow(served)
        working(served, place)
        assert_problem(served.client.get(f"{place}/result"), 409, "not-finished")
        assert served.client.delete(place).status_code == 204
        until(lambda: served.client.get(place).json()["state"] == "cancelled", "the end of it")
        assert_problem(served.client.get(f"{place}/result"), 409, "cancelled")
        with served.client.stream("GET", f"{place}/events") as stream:
            assert next(stream.iter_lines()) == "event: cancelled"

    def test_a_client_that_goes_away_cancels_its_job(self, served: Served) -> None:
        request = httpx.Request(
            "POST",
            f"{served.url}/v1/fill",
            files=files(photo=BIG_PHOTO, mask=BIG_MASK),
            data=SLOW,
        )
        body = request.read()
        head = "".join(f"{key}: {value}\r\n" for key, value in request.headers.items())
        with socket.create_connection(("127.0.0.1", served.port)) as connection:
            connection.sendall(f"POST /v1/fill HTTP/1.1\r\n{head}\r\n".encode() + body)
            until(lambda: served.pool.running() == 1, "that it works")
        until(lambda: served.pool.running() == 0, "that it stops")
        after = served.post(files=files(), data=FLAT)
        assert after.status_code == 200

    def test_the_time_limit(self) -> None:
        with serving({"job_seconds": 1}) as served:
            answer = served.post(files=files(photo=BIG_PHOTO, mask=BIG_MASK), data=SLOW)
            assert_problem(answer, 503, "timed-out")
            assert served.post(files=files(), data=FLAT).status_code == 200

    def test_a_killed_worker_is_a_problem_and_the_next_one_works(self, served: Served) -> None:
        place = slow(served)
        working(served, place)
        until(lambda: served.client.get(place).json()["stage"] != "starting", "that it works")
        for pid in served.pool.pids():
            os.kill(pid, signal.SIGKILL)
        until(lambda: served.client.get(place).json()["state"] == "failed", "that it fails")
        told = assert_problem(served.client.get(f"{place}/result"), 503, "worker-died")
        assert "SIGKILL" in told["detail"]
        assert served.client.get(place).json()["error"]["type"] == "/problems/worker-died"
        assert served.post(files=files(), data=FLAT).status_code == 200


class TestTheQueue:
    def test_that_is_full_says_when_to_come_again(self) -> None:
        with serving({"queue_jobs": 1}) as served:
            places = [slow(served)]
            working(served, places[0])
            places.append(slow(served))
            assert served.client.get(places[1]).json()["position"] == 0
            answer = served.post(files=files(), data=FLAT)
            told = assert_problem(answer, 429, "queue-full")
            assert int(answer.headers["retry-after"]) >= 1
            assert told["retry_after"] >= 1
            click = served.post("/v1/masks/refine", files={"mask": ("m.png", MASK)})
            assert click.status_code == 200  # another lane
            for place in reversed(places):
                assert served.client.delete(place).status_code == 204
            until(lambda: served.pool.running() == 0, "that there is room again")
            assert served.post(files=files(), data=FLAT).status_code == 200

    def test_a_small_job_goes_before_a_big_one_that_waits(self, served: Served) -> None:
        first, second = slow(served), slow(served)
        working(served, first)
        small = served.post(files=files(), data=FLAT | {"wait": "false"}).headers["location"]
        assert served.client.get(small).json()["position"] == 0
        assert served.client.get(second).json()["position"] == 1
        served.client.delete(first)
        until(lambda: served.client.get(small).json()["state"] == "done", "the small one")
        served.client.delete(second)
        until(lambda: served.pool.running() == 0, "that all is quiet")

    def test_a_hundred_small_fills_eight_at_a_time_lose_none(self, served: Served) -> None:
        from benchmarks.service import flood

        begun = time.monotonic()
        outcomes = flood(served.url, PHOTO, MASK, count=40, at_a_time=8, engine="exemplar")
        assert time.monotonic() - begun < LONG
        assert len(outcomes) == 40
        for outcome in outcomes:
            assert (outcome.status, outcome.difference) == (200, "0")
        assert [outcome.seed for outcome in outcomes] == [str(seed) for seed in range(40)]
        for seed in (0, 39):
            expected = infill.fill(PHOTO, MASK, seed=seed).picture.pixels
            assert np.array_equal(picture(outcomes[seed].content), expected)
        assert served.pool.waiting("fill") == 0


@pytest.fixture(autouse=True)
def _quiet_after(served: Served) -> object:
    yield
    until(lambda: served.pool.running() == 0, "that nothing is left running")
