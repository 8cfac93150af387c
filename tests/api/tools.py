"""A real server on a real socket, and pictures to send it."""

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from PIL import Image

from infill import settings
from infill.api import create_app
from infill.api.running import server
from infill.jobs import Pool

LONG = 120.0  # seconds that a busy machine may take for anything here


def png(pixels: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(file, "PNG")
    return file.getvalue()


RNG = np.random.default_rng(11)
PIXELS = RNG.integers(0, 255, (48, 64, 3), dtype=np.uint8)
HOLE = np.zeros((48, 64), np.bool_)
HOLE[20:30, 24:40] = True
PHOTO = png(PIXELS)
MASK = png(HOLE * np.uint8(255))
FLAT = {"engine": "flat"}


def big(side: int = 1500) -> tuple[bytes, bytes]:
    """A photo and a mask that the default engine works on for a long time, if asked for effort."""
    mask = np.zeros((side, side), np.uint8)
    mask[side // 4 : -side // 4, side // 4 : -side // 4] = 255
    return png(np.random.default_rng(3).integers(0, 255, (side, side, 3))), png(mask)


SLOW = {"engine": "exemplar", "options": '{"effort": 8}', "candidates": "8"}


def files(**more: bytes) -> dict[str, Any]:
    """Parts of a form: the photo and the mask, or others."""
    given = {"photo": PHOTO, "mask": MASK, **more}
    return {name: (f"{name}.png", content, "image/png") for name, content in given.items()}


def picture(content: bytes) -> Any:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


@dataclass
class Served:
    """A running server. client: knows where it is."""

    url: str
    port: int
    pool: Pool
    client: httpx.Client

    def post(self, path: str = "/v1/fill", **more: Any) -> httpx.Response:
        return self.client.post(path, **more)


@contextmanager
def serving(limits: dict[str, Any] | None = None, **choices: Any) -> Iterator[Served]:
    """An API server in a thread, on a free port, with these settings."""
    with settings.using(**(limits or {})):
        pool = Pool()
    app = create_app(pool, **choices)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    running = server(app)
    thread = threading.Thread(target=running.run, args=([listener],), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: running.started, "that the server is up")
        with httpx.Client(base_url=url, timeout=LONG) as client:
            yield Served(url, port, pool, client)
    finally:
        running.should_exit = True
        thread.join(LONG)
        listener.close()
        pool.close()
    assert not thread.is_alive()
    assert pool.pids() == []


def until(condition: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, f"it never came to pass: {what}"
        time.sleep(0.01)


def assert_problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """It is a problem of that kind, whole and without a trace of the inside."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["type"] == f"/problems/{kind}"
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    return told
