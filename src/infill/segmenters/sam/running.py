"""How a network is run: one at a time, on so many threads, in such a precision."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from infill import settings
from infill.lazy import need
from infill.segmenters.sam.checkpoint import EXTRA

LOCK = threading.RLock()
"""Held around every call of a network and every load of one. Two at once would not be faster,
for each takes all cores or the whole graphics card, and would need the memory twice; and
PyTorch's number of threads is one number for the whole process."""


@contextmanager
def inference(device: str = "cpu", dtype: str = "float32") -> Iterator[None]:
    """One network call: alone, without gradients, on as many threads as the setting `threads`.

    dtype: what convolutions and products are computed in; the weights stay float32.
    """
    torch = need("torch", extra=EXTRA)
    with LOCK:
        cast: AbstractContextManager[object] = nullcontext()
        if dtype != "float32":
            cast = torch.autocast(device.partition(":")[0], dtype=getattr(torch, dtype))
        outside = torch.get_num_threads()
        torch.set_num_threads(settings.current().worker_threads)
        try:
            with torch.inference_mode(), cast:
                yield
        finally:
            torch.set_num_threads(outside)


def precision(dtype: str, device: str) -> str:
    """What "auto" means on a device: bfloat16 where the graphics card computes in it, else
    float32, which keeps the masks of one photo alike on every processor.
    """
    if dtype != "auto":
        return dtype
    torch = need("torch", extra=EXTRA)
    return "bfloat16" if device.startswith("cuda") and torch.cuda.is_bf16_supported() else "float32"
