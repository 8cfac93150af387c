"""`infill app`: the web page, and the HTTP API beside it."""

from typing import Annotated

import typer

from infill.cli import common, flags

EXAMPLES = """[bold]Examples[/bold]

[green]infill app --open[/green]   on this computer alone

[green]infill app --host 0.0.0.0 --token "$(openssl rand -hex 16)"[/green]   for others too"""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("app", epilog=EXAMPLES)(serve_app)


@common.command
def serve_app(
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes any that is free.", min=0)] = 7860,
    token: Annotated[
        str | None,
        typer.Option(help="What visitors must show.", envvar="INFILL_TOKEN", show_envvar=True),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let others use it without a token.")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Open a page where you click what should go and get your photo back without it.

    Everything is done on this computer; photos are deleted when it ends.
    """
    from infill.web import serve

    def announce(url: str) -> None:
        print(f"Infill is at {url}  (Ctrl+C ends it)", flush=True)
        if open_:
            import webbrowser

            webbrowser.open(url)

    serve.run(host, port, token=token, insecure=insecure, announce=announce)
