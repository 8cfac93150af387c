"""`infill serve`: the HTTP API."""

import socket
from typing import Annotated

import typer

from infill.cli import common, flags

EXAMPLES = """[bold]Examples[/bold]

[green]infill serve[/green]   on http://127.0.0.1:8765, for this machine alone

[green]curl -F photo=@photo.jpg -F mask=@mask.png http://127.0.0.1:8765/v1/fill -o out.png[/green]

[green]infill serve --host 0.0.0.0 --token "$(openssl rand -hex 16)"[/green]   for others"""

Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 = any free one.")]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="INFILL_TOKEN",
        metavar="SECRET",
        help="What callers must show; needed on any address but this machine's own.",
    ),
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Let anybody in who can reach the address.")
]
Cors = Annotated[
    list[str] | None,
    typer.Option("--cors", metavar="ORIGIN", help="A site whose pages may call: https://a.b."),
]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("serve", epilog=EXAMPLES)(serve)


@common.command
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8765,
    token: Token = None,
    insecure: Insecure = False,
    cors: Cors = None,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Serve the HTTP API, until Ctrl-C.

    What it takes and answers is told in docs/api.md, and by the server itself at
    /v1/openapi.json.
    """
    from infill.lazy import need

    need("uvicorn", extra="web")
    from infill.api import create_app
    from infill.api.running import run
    from infill.api.safety import check_address, hosts_of
    from infill.jobs import Pool

    check_address(host, token, insecure)
    listener = listen(host, port)
    with listener, Pool() as pool:
        pool.warm()
        app = create_app(pool, token=token, cors=cors or (), hosts=hosts_of(host, token, insecure))
        if not quiet:
            common.tell(f"listening on {address_of(listener)}, stop with Ctrl-C")
        run(app, listener, verbose=bool(verbose))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises `ServiceError` if the address is not to be had."""
    from infill.errors import ServiceError

    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ServiceError(
            f"cannot listen on {host} port {port}: {why}; choose another with --port"
        ) from None


def address_of(listener: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
