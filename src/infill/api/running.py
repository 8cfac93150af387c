"""An app behind a listening socket, until somebody stops it."""

import contextlib
import socket
from typing import Any

LAST_WORDS = 5  # seconds that open answers have to end when the server stops


def server(app: Any, verbose: bool = False) -> Any:
    """A `uvicorn.Server` for the app; it tells nobody what it runs on."""
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="info" if verbose else "warning",
            server_header=False,
            proxy_headers=False,  # or anybody could say where they come from
            lifespan="on",
            ws="none",
            timeout_graceful_shutdown=LAST_WORDS,
        )
    )


def run(app: Any, listener: socket.socket, verbose: bool = False) -> None:
    """Serve until Ctrl-C, which is how a server is meant to be stopped, or SIGTERM."""
    with contextlib.suppress(KeyboardInterrupt):
        server(app, verbose).run(sockets=[listener])
