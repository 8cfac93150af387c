"""Waiting for a job without a thread: until it ends, or the client goes away."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator

from starlette.requests import Request

from infill.api.answers import job_state
from infill.errors import Cancelled
from infill.jobs import Job

HEARTBEAT = 15.0  # seconds after which a silent stream of events says that it is alive


class ClientGone(Cancelled):
    """Nobody waits for the answer any more."""


@contextlib.contextmanager
def heard(job: Job) -> Iterator[asyncio.Event]:
    """An event that is set whenever the job changes."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens
            loop.call_soon_threadsafe(event.set)

    end = job.listen(tell)
    try:
        yield event
    finally:
        end()


async def finished(job: Job, request: Request) -> None:
    """Wait until the job has ended. Cancels it, and raises `ClientGone`, if the client goes away
    first or the server stops.
    """
    gone = asyncio.ensure_future(_gone(request))
    try:
        with heard(job) as event:
            while not job.over:
                change = asyncio.ensure_future(event.wait())
                try:
                    await asyncio.wait({change, gone}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    change.cancel()
                event.clear()
                if gone.done() and not job.over:
                    raise ClientGone("the client went away")
    finally:
        gone.cancel()
        job.cancel()  # nothing, unless it is still under way


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def events(job: Job) -> AsyncIterator[bytes]:
    """Server-sent events: "progress" whenever something changes, and at the end "done", "failed"
    or "cancelled". The data of each is the job's state in JSON.
    """
    with heard(job) as event:
        while True:
            event.clear()
            told = job_state(job)
            over = told["state"] in ("done", "failed", "cancelled")
            name = told["state"] if over else "progress"
            yield f"event: {name}\ndata: {json.dumps(told)}\n\n".encode("ascii")
            if over:
                return
            while not event.is_set():
                try:
                    await asyncio.wait_for(event.wait(), HEARTBEAT)
                except TimeoutError:
                    yield b": still here\n\n"
