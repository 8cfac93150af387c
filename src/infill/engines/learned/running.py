"""A network made ready for a device, and kept for the next fill of this process."""

import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

from infill.engines.base import Progress
from infill.engines.diffusers import memory, tuning
from infill.engines.scarce import free_memory
from infill.lazy import need
from infill.weights import sha256_of

if TYPE_CHECKING:
    from torch import Tensor, nn

EXTRA = "torch"
MOST = 2
"""Networks that are kept; another one takes the place of the one that was used longest ago."""

FIXED = 2**26
"""Bytes that a run takes at any size: what kernels make of the weights."""


@dataclass
class Loaded:
    """A network on its device. lock: held while it runs, since progress hangs on its layers.

    multiple, least: of the sides that it takes, in pixels.
    """

    network: Any
    device: str
    dtype: str
    sha256: str
    multiple: int
    least: int
    channels_last: bool
    tuned: tuning.Tuned = field(default_factory=tuning.Tuned)
    lock: Any = field(default_factory=Lock)

    def given(self, x: "Tensor") -> "Tensor":
        """The input (N, C, H, W) in the network's number format and order."""
        torch = need("torch", extra=EXTRA)
        order = torch.channels_last if self.channels_last else torch.contiguous_format
        return x.to(getattr(torch, self.dtype)).contiguous(memory_format=order)

    @property
    def itemsize(self) -> int:
        return 4 if self.dtype == "float32" else 2


_kept: OrderedDict[Hashable, Loaded] = OrderedDict()
_lock = RLock()


def load(
    path: Path,
    make: Callable[[], "nn.Module"],
    last: Callable[[Any], "nn.Module"],
    device: str,
    dtype: str,
    *which: Hashable,
) -> Loaded:
    """The network in the file, ready; the one that is kept, if it is the same.

    make:  reads it: float32, on the CPU, in evaluation.
    last:  its last convolution, which stays in float32: bfloat16 has steps of a grey level.
    which: what else makes it another network.
    Raises what `make` raises, and then keeps nothing.
    """
    sha256 = sha256_of(path)
    key = (str(path.resolve()), sha256, device, dtype, *which)
    with _lock:
        if key not in _kept:
            while len(_kept) >= MOST:
                _kept.popitem(last=False)
                free_memory()
            _kept[key] = ready(make(), last, device, dtype, sha256)
        _kept.move_to_end(key)
        return _kept[key]


def forget() -> None:
    """Let go of all networks."""
    with _lock:
        _kept.clear()
    free_memory()


def ready(
    network: Any,
    last: Callable[[Any], "nn.Module"],
    device: str,
    dtype: str,
    sha256: str = "",
    *,
    channels_last: bool | None = None,
) -> Loaded:
    """The network on its device, in its number format and memory order.

    channels_last: None = see `likes_channels_last`.
    """
    torch = need("torch", extra=EXTRA)
    if channels_last is None:
        channels_last = likes_channels_last(device, dtype)
    order = torch.channels_last if channels_last else torch.contiguous_format
    network = network.to(device=device, dtype=getattr(torch, dtype)).to(memory_format=order)
    if dtype != "float32":
        last(network).float().register_forward_pre_hook(_widened)
    multiple = getattr(network, "multiple", 8)
    least = getattr(network, "least", multiple)
    return Loaded(network, device, dtype, sha256, multiple, least, channels_last)


def likes_channels_last(device: str, dtype: str) -> bool:
    """Whether the fast kernels read in that order: the processor's, and CUDA's for half precision.

    On the processor it took 7 % off both networks in float32, and in bfloat16 60 % off LaMa.
    """
    where = memory.kind(device)
    return where == "cpu" or (where == "cuda" and dtype != "float32")


def _widened(_: Any, given: tuple["Tensor", ...]) -> tuple["Tensor", ...]:
    return tuple(one.float() for one in given)


def chosen_dtype(asked: str, device: str) -> str:
    """The number format: what was asked for, or the device's usual one."""
    return memory.pick_dtype(device) if asked == "auto" else asked


@contextmanager
def compiled(loaded: Loaded, asked: tuning.Compile, size: Hashable) -> Iterator[bool]:
    """Run the network through compiled code inside the block, if asked and possible: whether."""
    tuned = loaded.tuned
    tuned.notes = []
    tuned.compiling = tuning.wants_compiled(tuned, asked, size)
    if tuned.compiling:
        tuned.compiled.add(size)
        tuning.through_compiled(loaded.network, tuned, lambda: False)
    try:
        with warnings.catch_warnings():
            # LaMa's spectra: they run as they are, between compiled pieces.
            warnings.filterwarnings("ignore", ".*code generation for complex operators")
            yield tuned.compiling
    finally:
        tuned.compiling = False


@contextmanager
def counted(loaded: Loaded, parts: Sequence["nn.Module"], progress: Progress) -> Iterator[None]:
    """Tell the progress after each of the network's parts, so that it can be stopped there.

    Not of a network that is compiled: that one runs as a whole.
    """
    if loaded.tuned.compiling:
        progress(0.0, "fill")
        yield
        return
    done = 0

    def tell(*_: Any) -> None:
        nonlocal done
        done += 1
        progress(min(1.0, done / len(parts)), "fill")

    hooks = [part.register_forward_hook(tell) for part in parts]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
