"""Serving the page and the HTTP API from one process, on one port: `infill app`.

Uploads and results lie in a folder of this process alone (mode 0700) that is deleted at the end.
Gradio reads where that is when it is imported, so nothing here imports it before `private_folder`.
"""

import asyncio
import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infill import settings
from infill.errors import BadSetting
from infill.lazy import need
from infill.web.stubs import no_stubs

if TYPE_CHECKING:
    from infill.jobs import Pool

CLICKS_LATER = 3.5  # seconds after the page is announced
QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "GRADIO_SHARE": "False",
    "GRADIO_SSR_MODE": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder no other user can read, where Gradio keeps every file; deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="infill-"))
    folder.chmod(0o700)
    os.environ |= QUIET | {
        "GRADIO_TEMP_DIR": str(folder),
        "GRADIO_EXAMPLES_CACHE": str(folder / "examples"),
    }
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(
    host: str,
    port: int,
    *,
    token: str | None = None,
    insecure: bool = False,
    announce: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until SIGINT or SIGTERM; then stop the work and delete every file.

    port:     0 takes any that is free.
    token:    what visitors must show: the address that is announced holds it once.
    insecure: others may use the server without a token.
    announce: called with the page's address as soon as it answers.

    Raises `BadSetting` for an address that cannot be served on, or not safely, and
    `MissingExtra` where the web libraries are not installed.
    """
    from infill.api.safety import check_address, hosts_of
    from infill.jobs import Pool

    check_address(host, token, insecure)
    need("uvicorn", extra="web")
    listening = listen(host, port)
    with listening, private_folder() as folder, ended_by_signals(), Pool() as pool:
        pool.warm("fill")  # beside the import of Gradio, which takes as long
        from infill.api import create_app

        names = hosts_of(host, token, insecure)
        api = create_app(pool, token=token, page=True, hosts=names)
        # Whoever opens the page first has the cores; a click comes some seconds later.
        clicks = threading.Timer(CLICKS_LATER, pool.warm, ("click",))
        clicks.daemon = True

        def ready(url: str) -> None:
            announce(url)
            clicks.start()

        answer(mounted(api, pool, folder), listening, host, token, ready)


def answer(
    app: Any,
    listening: socket.socket,
    host: str,
    token: str | None,
    announce: Callable[[str], None],
) -> None:
    """Serve an ASGI app on a socket that listens, until a signal ends it.

    announce: called with the page's address, which holds the token, before the first answer.
    """
    uvicorn = need("uvicorn", extra="web")
    config = uvicorn.Config(
        app, log_level="warning", timeout_graceful_shutdown=1, server_header=False
    )
    name = f"[{host}]" if ":" in host else host
    announce(f"http://{name}:{listening.getsockname()[1]}/" + (f"?token={token}" if token else ""))
    logging.getLogger("uvicorn.error").addFilter(_Hush())
    uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises `BadSetting`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except (OSError, OverflowError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise BadSetting(
            f"cannot listen on {host}, port {port}: {reason}; choose another with --port"
        ) from error


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM ends the block as SIGINT does, so that what it holds is given back."""

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        return  # that is how a server ends
    finally:
        signal.signal(signal.SIGTERM, before)


def mounted(app: Any, pool: "Pool", folder: Path) -> Any:
    """The page at the root of a FastAPI app, below which whatever the app has already stays.

    folder: a `private_folder`. Raises `MissingExtra` where Gradio is not installed.
    """
    with no_stubs():
        gr = need("gradio", extra="web")
    from infill.web import page, style, uploads, wiring
    from infill.web.crowd import Crowd

    limits = settings.current()
    uploads.keep_names_off_the_disk()
    built = page.build(limits.keep_seconds)
    # Gradio holds visitors to files of its own only once it was launched, which mounting is not.
    built.blocks.has_launched = True
    wiring.connect(built, Crowd(pool, folder).enter)
    app.add_middleware(Doorkeeper)
    return gr.mount_gradio_app(
        app,
        built.blocks,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=limits.upload_bytes,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=style.theme(),
        css=style.css(),
    )


class Doorkeeper:
    """Refuses what Gradio offers beside the page: to fetch addresses on a visitor's behalf.

    To a browser on this machine it has everything sent as it is: compressing the page's scripts
    takes longer than handing them over.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = str(scope.get("path", "")).lower()
        if "file=http" in path or "proxy=" in path:
            headers = [(b"x-content-type-options", b"nosniff"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        if scope["type"] == "http" and (scope.get("client") or ("",))[0] in ("127.0.0.1", "::1"):
            kept = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
            scope = {**scope, "headers": kept}
        await self._app(scope, receive, send)


class _Hush(logging.Filter):
    """Drops what uvicorn says, with a stack trace, of pages that are open when it ends."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        ended = "timeout graceful shutdown exceeded"
        return not (isinstance(error, asyncio.CancelledError) or ended in record.getMessage())
