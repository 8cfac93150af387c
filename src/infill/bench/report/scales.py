"""From figures to places on a drawing, and which figures to write along it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Scale:
    """A straight or logarithmic axis: `low` is drawn at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Where `value` is drawn; a value beyond the axis is drawn at its end."""
        value = min(max(value, self.low), self.high)
        low, high = self._seen(self.low), self._seen(self.high)
        share = (self._seen(value) - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def _seen(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def ticks(self, most: int = 5) -> list[float]:
        """Round figures within the axis, at most about `most` of them."""
        if self.log:
            return _decades(self.low, self.high, most)
        return round_figures(self.low, self.high, most)


def fitting(
    values: Iterable[float | None], start: float, end: float, *, log: bool = False
) -> Scale:
    """An axis that holds all finite `values` with a little room on both sides.

    Zero and less have no place on a logarithmic axis and do not count there.
    """
    found = [
        float(value)
        for value in values
        if value is not None and math.isfinite(value) and (value > 0 or not log)
    ]
    low, high = (min(found), max(found)) if found else (1.0, 1.0)
    if log:
        room = max(0.06 * math.log10(high / low), 0.12)
        return Scale(low / 10**room, high * 10**room, start, end, log=True)
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    # What is never negative gets no axis that is.
    first = -0.4 * room if low >= 0 > low - room else low - room
    return Scale(first, high + room, start, end)


def round_figures(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 × 10^k within [low, high], at most `most` of them."""
    if not high > low:
        return [low]
    rough = (high - low) / max(1, most)
    unit = 10.0 ** math.floor(math.log10(rough))
    for factor in (1, 2, 5, 10):
        step = factor * unit
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return [number * step for number in range(first, last + 1)]
    return [low, high]


def _decades(low: float, high: float, most: int) -> list[float]:
    start, stop = math.floor(math.log10(low)), math.ceil(math.log10(high))
    if high < 10 * low:  # within a decade, even figures are as good
        return round_figures(low, high, most)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [
            factor * 10.0**power
            for power in range(start, stop + 1)
            for factor in factors
            if low <= factor * 10.0**power <= high
        ]
        if len(found) <= most or factors == (1,):
            return found[:: max(1, math.ceil(len(found) / most))]
    return []


def written(value: float, ticks: Sequence[float]) -> str:
    """A tick as text, with as many digits as tell it from its neighbours."""
    if value == 0:
        return "0"
    steps = [abs(b - a) for a, b in pairwise(ticks) if b != a]
    step = min(steps, default=abs(value))
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    if digits > 6 or abs(value) >= 1e7:
        return f"{value:.2g}"
    return f"{value:,.{digits}f}".replace(",", "\u202f")
