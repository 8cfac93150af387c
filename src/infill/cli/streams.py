"""Files named on the command line, where - is stdin or stdout."""

import sys
from collections.abc import Iterable
from pathlib import Path

from infill.errors import BadOption, Unreadable, Unwritable

DASH = "-"


def read_once(*names: str | None) -> None:
    """Raise `BadOption` if more than one of the names is -."""
    if sum(name == DASH for name in names) > 1:
        raise BadOption("only one input can be -, since stdin is read once; name the other's file")


def source(name: str) -> str | bytes:
    """What a name stands for: the bytes of stdin for -, else the name itself.

    Raises `Unreadable` if there is nothing in stdin.
    """
    if name != DASH:
        return name
    content = sys.stdin.buffer.read()
    if not content:
        raise Unreadable("stdin is empty; pipe a picture into it")
    return content


def write(content: bytes) -> None:
    """Write a file's bytes to stdout. Raises `Unwritable` where there is no room for them."""
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritable(f"stdout cannot be written: {error.strerror}") from error


def target(output: str, *, json: bool) -> Path | None:
    """Where an output goes; None is stdout. Raises `BadOption` if JSON is to go there, too."""
    if output != DASH:
        return Path(output)
    if json:
        raise BadOption("--json and the picture cannot both go to stdout; name a file with -o")
    return None


def files(names: Iterable[str | None]) -> list[str]:
    """Those of `names` that are files."""
    return [name for name in names if name not in (None, DASH)]
