"""Telling that memory ran out, and letting go of what holds it."""

import gc
import sys
import traceback
from collections.abc import Callable
from typing import TypeVar

from infill.memory import give_back

T = TypeVar("T")

SIGNS = (  # what PyTorch's allocators and the libraries below them say, in lower case
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "_status_alloc_failed",
    "failed to allocate",
)


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether `error`, or what it was raised from, says that memory ran out on any device."""
    torch = sys.modules.get("torch")
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        if torch is not None and isinstance(error, torch.OutOfMemoryError):
            return True
        if isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS):
            return True
        error = error.__cause__
    return False


def if_room(run: Callable[[], T]) -> T | None:
    """What `run` returns, or None if memory ran out; all that it held is let go then."""
    try:
        return run()
    except (MemoryError, RuntimeError) as error:  # PyTorch's are of the second kind
        if not is_out_of_memory(error):
            raise
        let_go(error)
    free_memory()
    return None


def free_memory() -> None:
    """Give back what nobody holds any more: Python's garbage, the devices' caches, the heap."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    if torch is not None and torch.backends.mps.is_available():
        torch.mps.empty_cache()
    give_back()


def let_go(error: BaseException | None) -> None:
    """Empty the frames that `error` came through: their variables keep tensors alive."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
