"""Freed memory given back to the system before more is asked for, in large photos."""

import ctypes
import sys
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Return to the system what the C library keeps of freed arrays; some milliseconds at most.

    glibc keeps freed blocks of up to 32 MB for later, and what one stage leaves behind then lies
    beside what the next one needs. Does nothing where there is no glibc.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
