"""Keeps Gradio from writing stub files, which it does whenever a component class is made."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch


@contextmanager
def no_stubs() -> Iterator[None]:
    """For the import of Gradio, and for classes derived from its components.

    Gradio reads and parses the source of each such class to write a .pyi file beside it. That is
    half of the time its import takes, and an installed package is not to be written to. It lets
    a class be whose file cannot be found.
    """
    found = inspect.getfile

    def getfile(thing: Any) -> str:
        if str(getattr(thing, "__module__", "")).startswith(("gradio.", "infill.web.")):
            raise OSError("not to be read")
        return found(thing)

    with patch.object(inspect, "getfile", getfile):
        yield
