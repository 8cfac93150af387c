"""`infill serve`, as a process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

import infill
from infill.cli import app
from tests.api.tools import FLAT, LONG, files, until

SOURCE = str(Path(infill.__file__).parents[1])


@contextmanager
def command(*options: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the address that it says it listens on."""
    code = f"import sys; sys.path.insert(0, {SOURCE!r}); from infill.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **variables, "PYTHONUNBUFFERED": "1"},
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on http://"), line
        yield process, line.split()[2].rstrip(",")
    finally:
        process.kill()
        process.communicate()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=LONG).status_code == 200
    except httpx.TransportError:
        return False


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    children = Path(f"/proc/{process.pid}/task").glob("*/children")
    return [int(word) for path in children for word in path.read_text().split()]


def test_serves_until_it_is_stopped_and_leaves_no_process() -> None:
    with command(INFILL_SERVED_BATCH="2") as (process, url):
        until(lambda: answers(url), "that it answers")
        answer = httpx.post(f"{url}/v1/fill", files=files(), data=FLAT, timeout=LONG)
        assert answer.status_code == 200
        answer = httpx.post(f"{url}/v1/fill", files=files(), data={"candidates": "3"}, timeout=LONG)
        assert answer.status_code == 413  # the settings of the environment are in force
        workers = workers_of(process)
        assert len(workers) == 2
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        process.wait(LONG)
        assert time.monotonic() - begun < LONG / 2
        until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), "their end")
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_the_token_may_come_from_the_environment() -> None:
    with command("--host", "0.0.0.0", INFILL_TOKEN="a long secret") as (_, url):
        local = url.replace("0.0.0.0", "127.0.0.1")
        until(lambda: answers(local), "that it answers")
        assert httpx.get(f"{local}/v1/engines", timeout=LONG).status_code == 401
        headers = {"Authorization": "Bearer a long secret"}
        assert httpx.get(f"{local}/v1/engines", headers=headers, timeout=LONG).status_code == 200


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "0.0.0.0"], "give --token, or --insecure"),
        (["--host", "192.0.2.1", "--token", "a long secret"], "cannot listen on 192.0.2.1"),
        (["--token", "short"], "fewer than 8 characters"),
    ],
)
def test_refuses_in_one_sentence(options: list[str], words: str) -> None:
    result = CliRunner().invoke(app, ["serve", *options], env={"INFILL_TOKEN": None})
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_the_command_line_loads_none_of_it() -> None:
    code = (
        f"import sys; sys.path.insert(0, {SOURCE!r}); import infill.cli; "
        "print({'fastapi', 'uvicorn', 'starlette', 'prometheus_client'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
