"""What metrics that need networks share: where weights lie, what is missing, the network itself.

A network is read once in a process and kept; it runs where the setting `device` says, with as many
threads as the setting `threads` says.
"""

import shlex
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from infill import settings, weights
from infill.device import pick
from infill.errors import InfillError, MissingExtra
from infill.lazy import need
from infill.metrics.base import check
from infill.weights import INERT, Source

if TYPE_CHECKING:
    from torch import Tensor

MOST = 4
"""Networks that are kept; another one takes the place of the one that was used longest ago."""

INCEPTION_LICENCE = "Apache-2.0; trained on ImageNet, whose photos are for research"

T = TypeVar("T")

_kept: OrderedDict[Hashable, Any] = OrderedDict()
_lock = RLock()


# --- weights --------------------------------------------------------------------------------


def file_source(
    name: str, *, command: str, where: str, licence: str | None = None, extra: str = "torch"
) -> Source:
    """One file of weights, read as tensors and nothing else.

    name: a path, URL#sha256=HEX, or a name on the hub (owner/name or owner/name/file).
    """
    model, file = weights.one_file(name, INERT)
    return Source(
        model,
        file=file,
        inert=True,
        licence=licence,
        commercial_use=None,
        extra=extra,
        command=command,
        where=where,
    )


def inception_source(name: str | None = None) -> Source:
    """The weights of the FID's Inception; None = those that the settings name."""
    name = name or settings.current().inception_weights
    published = name == settings.Settings.inception_weights
    given = "" if published else f" --model {shlex.quote(name)}"
    return file_source(
        name,
        command=f"infill download fid{given}",
        where="INFILL_INCEPTION_WEIGHTS",
        licence=INCEPTION_LICENCE if published else None,
    )


def lacks(modules: Sequence[str], extra: str) -> str | None:
    """The sentence about the first of the libraries that is not here, or None. Imports none."""
    for module in modules:
        if find_spec(module) is None:
            return str(
                MissingExtra(f"{module} is not installed; type: pip install 'infill[{extra}]'")
            )
    return None


def absent(sources: Sequence[Source]) -> str | None:
    """The sentence about weights that are not on this machine, or None. Asks no network."""
    for source in sources:
        try:
            weights.find(source, offline=True)
        except InfillError as error:
            return str(error)
    return None


# --- networks -------------------------------------------------------------------------------


def kept(key: Hashable, make: Callable[[], T]) -> T:
    """What `make` gives, made once for a key and kept. Raises what `make` raises."""
    with _lock:
        if key not in _kept:
            while len(_kept) >= MOST:
                _kept.popitem(last=False)
            _kept[key] = make()
        _kept.move_to_end(key)
        found: T = _kept[key]
        return found


def forget() -> None:
    """Let go of all networks and of what they saw."""
    with _lock:
        _kept.clear()
        _seen.clear()


@contextmanager
def running() -> Iterator[None]:
    """The way in which networks run: without gradients, with the threads that the settings allow,
    and in true float32 on GPUs, whose short cuts move a figure in its third digit."""
    torch = need("torch", extra="torch")
    from infill.diffusion.running import threads

    flags = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    with threads(), torch.inference_mode(), flags:
        yield


def to_tensor(pixels: NDArray[np.float32], device: str) -> "Tensor":
    """A photo (H, W, 3) as (1, 3, H, W) float32 on the device, in the same range."""
    torch = need("torch", extra="torch")
    tensor: Tensor = torch.from_numpy(np.array(pixels.transpose(2, 0, 1), order="C"))[None]
    return tensor.to(device)


# --- what Inception sees of a photo, which FID and KID share --------------------------------

REMEMBERED = 1024
"""Photos of which the features are kept, 8 kB each."""

_seen: OrderedDict[Hashable, NDArray[np.float32]] = OrderedDict()


def inception_features(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(1, 2048) float32: what Inception's last layer before the classifier makes of a photo.

    pixels: (H, W, 3) float32 RGB in [0, 1], of any size; made 299 × 299 as `inception.resize` says,
            whatever its proportions, as the published FIDs have it.
    Raises `MissingWeights`, `MissingExtra`.
    """
    from hashlib import blake2b

    device = pick(extra="torch")
    path = weights.find(inception_source())
    network_key = ("inception", str(path.resolve()), weights.sha256_of(path), device)
    content = blake2b(pixels.tobytes(), digest_size=16).digest()
    key = (network_key, pixels.shape, content)
    with _lock:
        if key in _seen:
            _seen.move_to_end(key)
            return _seen[key].copy()
    network = kept(network_key, lambda: _inception(path, device))
    with running():
        found: NDArray[np.float32] = network(255 * to_tensor(pixels, device)).cpu().numpy()
    with _lock:
        while len(_seen) >= REMEMBERED:
            _seen.popitem(last=False)
        _seen[key] = found
    return found.copy()


def _inception(path: Path, device: str) -> Any:
    from infill.nets import backbones

    return backbones.inception(path).to(device)


class OfInception:
    """Base of a `SetMetric` whose descriptions are Inception's features, seen once for all such."""

    def sources(self, model: str | None = None) -> list[Source]:
        """The weights to fetch; model: a path or URL#sha256=HEX, None = the setting."""
        return [inception_source(model)]

    def missing(self) -> str | None:
        """See `SetMetric.missing`."""
        return lacks(("torch", "safetensors"), "torch") or absent(self.sources())

    def describe(self, pixels: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """(1, 2048) float32: Inception's features of the whole photo. Arguments and errors as
        `SetMetric.describe`; `MissingWeights` and `MissingExtra` beside those."""
        check(pixels, pixels, mask)
        return inception_features(pixels)
