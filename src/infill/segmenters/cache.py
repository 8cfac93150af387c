"""What segmenters keep of the last photos, so that the second click on one is cheap."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.segmenters.base import Segmenter


class _Making:
    """A state that one caller computes and others may wait for; None until it is there."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.state: Any = None


class EmbeddingCache:
    """The states that were used last, `limit` bytes of them at most; safe between threads.

    A state larger than the limit is returned and not kept. Two callers who ask for the same one
    at the same time wait for one computation.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.hits = 0
        self.misses = 0
        self._states: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[Hashable, _Making] = {}

    @property
    def nbytes(self) -> int:
        """Bytes that are kept now."""
        with self._lock:
            return sum(state.nbytes for state in self._states.values())

    def __len__(self) -> int:
        with self._lock:
            return len(self._states)

    def state(self, segmenter: Segmenter, pixels: NDArray[np.uint8], key: str | None = None) -> Any:
        """The state of a photo, `segmenter.embed(pixels)` if it is not kept.

        pixels: (H, W, 3) uint8 RGB. key: stands for the pixels where the caller knows them
        already (a content hash); None computes SHA-256 over them.
        """
        content = key or content_hash(pixels)
        full = (segmenter.card.name, repr(segmenter.options), content)
        return self.get(full, lambda: segmenter.embed(pixels))

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is kept under `key`, or what `make` returns, which is then kept.

        An error of `make` goes to its own caller; whoever waited then makes it again.
        """
        while True:
            with self._lock:
                if key in self._states:
                    self._states.move_to_end(key)
                    self.hits += 1
                    return self._states[key]
                making = self._making.get(key)
                if making is None:
                    making = self._making[key] = _Making()
                    self.misses += 1
                    break
            making.done.wait()
            if making.state is not None:
                with self._lock:
                    self.hits += 1
                return making.state
        try:
            making.state = make()
        finally:
            with self._lock:  # kept in the same breath, so that nobody finds neither
                del self._making[key]
                if making.state is not None:
                    self._keep(key, making.state)
            making.done.set()
        return making.state

    def _keep(self, key: Hashable, state: Any) -> None:
        """Keep it, and let go of those used longest ago until all fit. Called under the lock."""
        if state.nbytes > self.limit:
            return  # the others would have to go, and for nothing
        self._states[key] = state
        while sum(kept.nbytes for kept in self._states.values()) > self.limit:
            self._states.popitem(last=False)

    def clear(self) -> None:
        """Keep nothing any more."""
        with self._lock:
            self._states.clear()


def content_hash(pixels: NDArray[np.uint8]) -> str:
    """SHA-256 (hex) of an array's shape and bytes."""
    digest = hashlib.sha256(repr((pixels.shape, pixels.dtype.str)).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
