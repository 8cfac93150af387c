"""What the commands share: how they end, how they print, how they read numbers and options."""

import contextlib
import functools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

import typer

from infill.errors import BadOption, Cancelled, InfillError, WouldOverwrite

if TYPE_CHECKING:
    from infill.result import Keep

P = ParamSpec("P")

BUG = 70
"""Exit code of an error that nobody foresaw (EX_SOFTWARE of sysexits.h)."""


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Make `function` end as every command does: one sentence and an exit code, no traceback.

    The traceback is shown with INFILL_DEBUG=1 or -vv.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
            sys.stdout.flush()
        except KeyboardInterrupt:
            complain("stopped")
            raise typer.Exit(Cancelled.exit_code) from None
        except BrokenPipeError:
            # Whoever read the output has had enough, as in `infill engines | head -1`.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise typer.Exit(141) from None
        except InfillError as error:
            if wants_traceback(kwargs.get("verbose")):
                raise
            how = " with --overwrite" if isinstance(error, WouldOverwrite) else ""
            complain(f"{error}{how}")
            raise typer.Exit(error.exit_code) from None
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            if wants_traceback(kwargs.get("verbose")):
                raise
            complain(
                f"a mistake in Infill itself, or out of memory ({type(error).__name__}: {error}); "
                "set INFILL_DEBUG=1 to see where, and please report it"
            )
            raise typer.Exit(BUG) from None

    return run


def wants_traceback(verbose: object = 0) -> bool:
    """Whether the person asked to see where errors come from."""
    return os.environ.get("INFILL_DEBUG", "0") not in ("", "0") or (
        isinstance(verbose, int) and verbose >= 2
    )


def complain(sentence: str) -> None:
    """One sentence on stderr."""
    print(f"infill: {sentence}", file=sys.stderr)


def tell(text: str, *, to_stderr: bool = False) -> None:
    """One line of the answer: on stdout, unless that carries a picture or JSON."""
    print(text, file=sys.stderr if to_stderr else sys.stdout)


def print_json(answer: Any) -> None:
    """One JSON object on stdout, on one line."""
    print(json.dumps(answer, ensure_ascii=False, default=str))


@contextlib.contextmanager
def progress_bar(*, silent: bool) -> Iterator[Callable[[float, str], None]]:
    """A `Progress` that draws a bar on stderr, once a fill has taken more than a moment.

    Nothing is drawn where nobody looks: when stderr is no terminal. Unless `silent`, a line says
    so when kernels are compiled first.
    """
    if silent:
        yield lambda fraction, stage: None
        return
    from infill.compiling import announced

    with _bar() as report, announced(report, complain) as telling:
        yield telling


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[float, str], None]]:
    if not sys.stderr.isatty():
        yield lambda fraction, stage: None
        return
    from tqdm import tqdm

    layout = "{percentage:3.0f}%|{bar:20}| {desc} {elapsed}, {remaining} left"
    bar = tqdm(total=1.0, file=sys.stderr, delay=0.7, leave=False, bar_format=layout)

    def report(fraction: float, stage: str) -> None:
        bar.set_description_str(stage, refresh=False)
        bar.update(fraction - bar.n)

    with bar:
        yield report


def read_recipe_choice(word: str) -> "Keep":
    """The word after --recipe. Raises `BadOption` for another one."""
    choices: dict[str, Keep] = {"embed": "embed", "beside": "beside", "none": "none"}
    if word not in choices:
        raise BadOption(f"--recipe is one of {', '.join(choices)}, not {word!r}")
    return choices[word]


def engine_and_options(
    name: str | None, pairs: list[str] | None, *, read: bool = False
) -> tuple[str, dict[str, Any]]:
    """The engine's name (that of the settings if None) and its options, from NAME=VALUE.

    Values are read as the option's own kind; see `infill.engines.typed`. Pictures stay the paths
    that were typed, unless `read` asks for the pictures themselves.
    Raises `BadOption` for what is no NAME=VALUE or of another kind, and `UnknownPlugin`.
    """
    from infill.engines.base import ENGINES, make_options, read_pictures
    from infill.engines.typed import parted, typed
    from infill.settings import current

    chosen = name or current().engine
    engine = ENGINES.get(chosen)
    options: dict[str, Any] = {}
    for pair in pairs or []:
        key, text = parted(pair)
        options[key] = typed(engine, key, text)
    if read:
        options = read_pictures(options)
    make_options(engine, options)
    return chosen, options


def table(
    head: list[str],
    rows: list[list[str]],
    *,
    right: Iterable[int] = (),
    to_stderr: bool = False,
) -> None:
    """A table for a person, on stdout or stderr; `right` are the columns of figures.

    Where it is not shown on a terminal it is as wide as it needs to be, so that `grep` finds
    whole lines.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(stderr=to_stderr)
    if not console.is_terminal:
        console = Console(stderr=to_stderr, width=10_000)
    columns = set(right)
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, title in enumerate(head):
        justify: Literal["left", "right"] = "right" if index in columns else "left"
        last = index == len(head) - 1  # prose, which may go over several lines
        drawn.add_column(title, justify=justify, no_wrap=not last, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console.print(drawn)
