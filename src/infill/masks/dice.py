"""Random numbers that are the same on every machine and with every version of NumPy.

NumPy may change how its distributions are made; it does not change the uniform numbers of a
PCG64 stream. So everything here is made of those, by additions and multiplications alone.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadMask

Rng = np.random.Generator | int
"""A generator, which moves on, or a seed: a whole number of 0 or more."""


class Dice:
    """Draws from a generator or a seed. Raises `BadMask` for what is neither."""

    def __init__(self, rng: Rng) -> None:
        if isinstance(rng, np.random.Generator):
            self._rng = rng
            return
        if not isinstance(rng, int | np.integer) or isinstance(rng, bool) or rng < 0:
            raise BadMask(f"a seed is a whole number of 0 or more, not {rng!r}")
        self._rng = np.random.Generator(np.random.PCG64(int(rng)))

    def between(self, low: float, high: float) -> float:
        """A uniform number in [low, high)."""
        return low + (high - low) * float(self._rng.random())

    def whole(self, low: int, high: int) -> int:
        """A uniform whole number from low to high, both included."""
        return min(low + int((high - low + 1) * float(self._rng.random())), high)

    def chance(self, probability: float) -> bool:
        """True with that probability."""
        return float(self._rng.random()) < probability

    def normal(self, mean: float, deviation: float) -> float:
        """A nearly normal number: the sum of twelve uniform ones (Irwin-Hall), within 6 sigma."""
        return mean + deviation * (sum(self.many(12).tolist()) - 6.0)

    def many(self, count: int) -> NDArray[np.float64]:
        """(count,) uniform numbers in [0, 1)."""
        numbers: NDArray[Any] = self._rng.random(count)
        return numbers


def wanted_area(mask_ratio: float, shape: tuple[int, int]) -> int:
    """The pixels (at least 1) that make `mask_ratio` of a photo. Raises `BadMask` out of (0, 1]."""
    if not 0 < mask_ratio <= 1:
        raise BadMask(f"the mask ratio is above 0 and at most 1, not {mask_ratio}")
    return max(round(mask_ratio * shape[0] * shape[1]), 1)
