"""`infill rate`: a page that asks people which fill of a benchmark's run is better."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infill.cli import common, flags

if TYPE_CHECKING:
    from infill.rating.booth import Booth

EXAMPLES = """[bold]Examples[/bold]

[green]infill rate out/bench --open[/green]   on this computer; stop it and go on whenever you like

[green]infill rate out/bench --host 0.0.0.0 --token "$(openssl rand -hex 16)"[/green]   for others

[green]infill rate out/bench --summary[/green]   what the answers come to so far"""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("rate", epilog=EXAMPLES)(rate)


@common.command
def rate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run of `infill bench`.")],
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes any that is free.", min=0)] = 7861,
    token: Annotated[
        str | None,
        typer.Option(help="What visitors must show.", envvar="INFILL_TOKEN", show_envvar=True),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let others use it without a token.")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    rater: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who rates; else the page asks.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Draws what is asked; 0 at first.", min=0)
    ] = None,
    ballots: Annotated[
        int | None, typer.Option(help="Questions for each rater; 60 at first.", min=1, max=1000)
    ] = None,
    fills: Annotated[
        int | None, typer.Option(help="Fills in a question, 2 or 3; 3 at first.", min=2, max=3)
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Print what the answers come to, and end.")
    ] = False,
    json: flags.AsJson = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Ask people which fill is better, without telling them whose is which.

    Answers are kept in RUN/ratings.sqlite as they are given; `infill bench` puts what they come
    to into its report.
    """
    if summary or json:
        _tell(run, json)
        return
    from infill.api.safety import check_address
    from infill.rating.booth import Booth, clean_name

    check_address(host, token, insecure)
    name = None if rater is None else clean_name(rater)
    booth = Booth(run, seed=seed, count=ballots, together=fills)

    def announce(url: str) -> None:
        print(f"{len(booth.questions)} questions for each rater", flush=True)
        print(f"Rate the fills at {url}  (Ctrl+C ends it)", flush=True)
        if open_:
            import webbrowser

            webbrowser.open(url)

    _serve(booth, name, host, port, token, insecure, announce)


def _serve(
    booth: "Booth",
    rater: str | None,
    host: str,
    port: int,
    token: str | None,
    insecure: bool,
    announce: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM, behind what keeps the web app safe."""
    from infill.api.safety import Guard, Headers, hosts_of
    from infill.lazy import need
    from infill.web import serve, style
    from infill.web.stubs import no_stubs

    need("uvicorn", extra="web")
    fastapi = need("fastapi", extra="web")
    listening = serve.listen(host, port)
    with listening, serve.private_folder(), serve.ended_by_signals():
        with no_stubs():
            need("gradio", extra="web")
        from infill.rating.serve import mounted

        app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        # The last one added is the outermost.
        app.add_middleware(serve.Doorkeeper)
        app.add_middleware(Guard, token=token, hosts=hosts_of(host, token, insecure), page=True)
        app.add_middleware(Headers, page=True, cors=False)
        page = mounted(app, booth, rater, theme=style.theme(), css=style.css())
        serve.answer(page, listening, host, token, announce)


def _tell(run: Path, json: bool) -> None:
    """Print what the answers come to."""
    from infill.errors import Unreadable
    from infill.rating.summary import OVERALL, rated

    if not run.is_dir():
        raise Unreadable(f"there is no folder {run}; name that of a run of `infill bench`")
    found = rated(run)
    if json:
        common.print_json(found)
        return
    if found is None:
        common.tell(f"nobody has rated {run} yet; type: infill rate {run} --open")
        return
    common.tell(f"{found['raters']} raters, {found['ballots']} ballots, {found['answers']} answers")
    for name, criterion in found["criteria"].items():
        common.tell(f"\n{criterion['title']}. {criterion['question']}")
        rows = [
            [str(facts["rank"]), engine, _chance(facts), *(str(facts[key]) for key in COUNTS)]
            for engine, facts in criterion["engines"].items()
        ]
        head = ["rank", "engine", "chosen over an average one", *COUNTS]
        common.table(head, rows, right=[0, 3, 4, 5])
        common.tell(f"agreement between raters: {_agreement(criterion['agreement'])}")
        common.tell(f"of raters with themselves: {_agreement(criterion['self'])}")
        for note in criterion["notes"] if name != OVERALL else ():  # those are the last lines
            common.tell(f"note: {note}")
    for note in found["notes"]:
        common.tell(f"note: {note}")


COUNTS = ("wins", "ties", "losses")


def _chance(facts: dict[str, float | None]) -> str:
    middle, low, high = (
        facts[key] for key in ("probability", "probability_low", "probability_high")
    )
    assert middle is not None
    if low is None or high is None:
        return f"{middle:.0%}"
    return f"{middle:.0%} ({low:.0%} to {high:.0%})"


def _agreement(facts: dict[str, float | None]) -> str:
    if facts["share"] is None or facts["chance"] is None:
        return "nothing was answered twice"
    alpha = "not defined" if facts["alpha"] is None else f"{facts['alpha']:.2f}"
    return f"alpha {alpha}; {facts['share']:.0%} of answers equal, by chance {facts['chance']:.0%}"
