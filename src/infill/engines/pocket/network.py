"""The network in ONNX Runtime: one session for each number of threads, no PyTorch."""

import hashlib
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill import settings
from infill.engines.pocket.about import WEIGHTS
from infill.errors import EngineFailed, MissingWeights
from infill.weights.transfer import first_line

FILE = Path(__file__).with_name("pocket.onnx")
USUAL = 400 * 400
"""Pixels up to which ONNX Runtime keeps the memory of a run for the next one."""

Floats = NDArray[np.float32]

_making = Lock()


class NoRoom(Exception):
    """There is not enough memory for a picture of that size."""


def run(pixels: Floats, mask: NDArray[np.bool_]) -> Floats:
    """The network's rendition of a picture with a hole: (H, W, 3) float32 in [0, 1].

    pixels: (H, W, 3) float32 in [0, 1]; what lies in the hole is not looked at.
    mask:   (H, W) bool, True = hole. H and W are multiples of 16.

    Raises `NoRoom` where memory is short, `MissingWeights` where the file of weights is not
    there or damaged.
    """
    known = np.where(mask[..., None], np.float32(0), pixels * 2 - 1)
    given = {
        "picture": np.ascontiguousarray(known.transpose(2, 0, 1)[None], np.float32),
        "mask": np.ascontiguousarray(mask, np.float32)[None, None],
    }
    ready = session(settings.current().worker_threads)
    try:
        (made,) = ready.run(None, given, _how(mask.size))
    except Exception as error:  # the library's own kinds of errors, which have no common base
        if _tells_of_memory(error):
            raise NoRoom from error
        raise
    if not np.isfinite(made).all():
        raise EngineFailed("the network gave values that are no number (NaN)")
    return np.ascontiguousarray(made[0].transpose(1, 2, 0) / 2 + 0.5, np.float32)


def session(threads: int) -> Any:
    """The network, ready to run with that many threads, kept. Any thread may call it."""
    with _making:  # of threads that come at once, one makes it
        return _session(threads)


@lru_cache(maxsize=2)
def _session(threads: int) -> Any:
    import onnxruntime

    try:
        content = FILE.read_bytes()
    except OSError as error:
        raise MissingWeights(
            f"{FILE} is missing ({error.strerror}); install Infill again"
        ) from error
    if hashlib.sha256(content).hexdigest() != WEIGHTS.sha256:
        raise MissingWeights(f"{FILE} is damaged; install Infill again")
    how = onnxruntime.SessionOptions()
    how.intra_op_num_threads = threads
    how.inter_op_num_threads = 1
    how.log_severity_level = 4
    # Threads that wait in a loop would take the processor from the rest of the pipeline.
    how.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(content, how, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above; the file is as it should be
        told = first_line(error)
        raise EngineFailed(f"the network cannot be started ({told}); free some memory") from error


def _how(size: int) -> Any:
    """How a picture of so many pixels is run: what a large one took is given back after it."""
    import onnxruntime

    how = onnxruntime.RunOptions()
    how.log_severity_level = 4
    if size > USUAL:
        how.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return how


def _tells_of_memory(error: Exception) -> bool:
    told = str(error).lower()
    return isinstance(error, MemoryError) or "allocate" in told or "bad_alloc" in told
