"""Bodies as they come in, and answers to those that are not read to the end. Plain ASGI."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

from infill.api import problems
from infill.api.problems import Refused

log = logging.getLogger("infill.api")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LINGER_SECONDS = 2.0
LINGER_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Patience:
    """How long a body may take: `seconds`, and one more for every `pace` bytes that came."""

    seconds: float = 30.0
    pace: int = 32_768


class BodyLimit:
    """Reads no more of a body than `most` bytes, all bodies together no more than `together`,
    and none that does not arrive in time; one without a Content-Length too.
    """

    def __init__(self, app: App, most: int, together: int, patience: Patience) -> None:
        self._app = app
        self._most = most
        self._together = together
        self._patience = patience
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(self, receive)
        begun = False

        async def note(message: Message) -> None:
            nonlocal begun
            begun = True
            last = message["type"] == "http.response.body" and not message.get("more_body")
            if last and body.refused:
                await send({**message, "more_body": True})
                await linger(receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        try:
            stated = headers_of(scope).get("content-length", "")
            if stated.isdecimal() and int(stated) > self._most:
                raise self._too_large()
            await self._app(scope, body.receive, note)
        except Refused as refused:
            if begun:
                raise
            await refuse(scope, receive, send, refused)
        finally:
            self._held -= body.size

    def _too_large(self) -> Refused:
        return Refused(
            "too-large", f"the body is larger than the {self._most} bytes that are read here"
        )

    def take(self, size: int, whole: int) -> None:
        """Count some bytes of a body that has `whole` with them."""
        if whole > self._most:
            raise self._too_large()
        if self._held + size > self._together:
            raise Refused("busy", "the server is reading other photos; try again in a moment")
        self._held += size

    def deadline(self, started: float, size: int) -> float:
        """When the next bytes must be there, of a body that has `size` of them."""
        return started + self._patience.seconds + size / self._patience.pace


class _Body:
    """One request's body as it comes in."""

    def __init__(self, limit: BodyLimit, receive: Receive) -> None:
        self._limit = limit
        self._receive = receive
        self._started = time.monotonic()
        self._whole = False
        self.refused = False
        self.size = 0

    async def receive(self) -> Message:
        """The next message; after the body's end it waits for the client to go away."""
        if self._whole:
            return await self._receive()
        try:
            return await self._next()
        except Refused:
            self.refused = True
            raise

    async def _next(self) -> Message:
        left = self._limit.deadline(self._started, self.size) - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, left))
        except TimeoutError:
            raise Refused("too-slow", "the body did not arrive in time; try again") from None
        if message["type"] == "http.request":
            size = len(message.get("body", b""))
            self._limit.take(size, self.size + size)
            self.size += size
            self._whole = not message.get("more_body", False)
        return message


class LastResort:
    """Answers with a problem where something was raised that nobody foresaw, and logs it."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Refused:
            raise
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            log.exception("%s %s failed", scope["method"], scope["path"])
            await answer(scope, receive, send, problems.problem(error))


async def refuse(scope: Scope, receive: Receive, send: Send, refused: Refused) -> None:
    """Answer with a problem; a websocket is closed."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await answer(scope, receive, send, problems.problem(refused))


async def answer(scope: Scope, receive: Receive, send: Send, told: dict[str, Any]) -> None:
    """Send a problem, and close the connection if it may have a body that is not read."""
    content = problems.body(told)
    headers = {
        "content-type": problems.MEDIA_TYPE,
        "content-length": str(len(content)),
        **problems.headers(told),
    }
    if scope["method"] not in SAFE_METHODS:
        headers["connection"] = "close"
    pairs = [(key.lower().encode(), value.encode("latin-1")) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": told["status"], "headers": pairs})
    await send({"type": "http.response.body", "body": content, "more_body": True})
    if scope["method"] not in SAFE_METHODS:
        await linger(receive)
    await send({"type": "http.response.body", "body": b""})


async def linger(receive: Receive) -> None:
    """Read on for a moment what is not wanted: a connection that is closed on a client which
    still sends takes the answer with it.
    """
    end = time.monotonic() + LINGER_SECONDS
    size = 0
    while size < LINGER_BYTES and (left := end - time.monotonic()) > 0:
        try:
            message = await asyncio.wait_for(receive(), left)
        except TimeoutError:
            return
        size += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers by their names in small letters."""
    pairs: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in pairs}
