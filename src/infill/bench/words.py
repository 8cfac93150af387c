"""Figures as text, as tables, pictures, sentences and the terminal all print them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from infill.bench.summary import Column, Interval, Rank

NONE = "–"
"""What stands for a figure that could not be had."""

LETTERS = {"cpu": "CPU", "gpu": "GPU", "gpus": "GPUs", "gb": "GB", "mb": "MB", "sha256": "SHA-256"}
"""How short words of keys are written."""

ARROWS = {"higher": "higher is better", "lower": "lower is better", "one": "1 is right"}


def number(value: float | None, digits: int) -> str:
    """`12.30`; "–" for None and NaN, "exact" for infinity."""
    if value is None or math.isnan(value):
        return NONE
    return "exact" if math.isinf(value) else f"{value:.{digits}f}"


def short(value: float | None) -> str:
    """A figure of no stated precision, to three significant digits: `0.0123`, `4.56`, `12300`."""
    if value is None or math.isnan(value):
        return NONE
    if value == 0 or math.isinf(value):
        return "0" if value == 0 else "exact"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 6)}f}".replace(",", "\u202f")


def middle(interval: Interval | None, digits: int) -> str:
    """The mean alone; "exact" where all that could be measured were exact."""
    if interval is None or interval.value is None:
        return "exact" if interval is not None and interval.exact else NONE
    return number(interval.value, digits)


def span(interval: Interval | None, digits: int) -> str:
    """The interval alone: `12.1 to 13.4`, or "" where there is none."""
    if interval is None or interval.low is None or interval.high is None:
        return ""
    return f"{number(interval.low, digits)} to {number(interval.high, digits)}"


def exacts(interval: Interval | None) -> str:
    """`3 of 12 exact` where some were and some were not, else ""."""
    if interval is None or not interval.exact or interval.value is None:
        return ""
    return f"{interval.exact} of {interval.exact + interval.count} exact"


def whole(interval: Interval | None, digits: int) -> str:
    """`12.30 (12.1 to 13.4; 3 of 12 exact)`."""
    inside = "; ".join(filter(None, [span(interval, digits), exacts(interval)]))
    return middle(interval, digits) + (f" ({inside})" if inside else "")


def place(rank: Rank | None) -> str:
    """`2`, or `2=` where the data cannot tell the engine from another; "" without a rank."""
    if rank is None:
        return ""
    return f"{rank.rank}=" if rank.tied else str(rank.rank)


def heading(column: Column) -> str:
    """What a column is called, with the way it improves."""
    way = {"higher": " ↑", "lower": " ↓", "one": " →1"}.get(column.better, "")
    return column.label + way


def told(value: Any) -> str:
    """Any plain value as text on one line: lists by commas, mappings as `key: value`."""
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {told(entry)}" for key, entry in value.items()) or NONE
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ", ".join(map(told, value)) or NONE
    return str(value)


def named(key: str) -> str:
    """A key of a mapping as a person reads it: `commercial_use` → `Commercial use`."""
    parts = [LETTERS.get(part, part) for part in str(key).replace("_", " ").split()]
    text = " ".join(parts)
    return text[:1].upper() + text[1:]


def counted(count: int, one: str, many: str = "") -> str:
    """`1 engine`, `3 engines`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}".replace(",", "\u202f")


def sane(value: Any) -> Any:
    """The value as JSON can hold it: infinity becomes "exact", NaN null, tuples lists."""
    if isinstance(value, float):
        return None if math.isnan(value) else "exact" if math.isinf(value) else value
    if isinstance(value, Mapping):
        return {str(key): sane(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [sane(entry) for entry in value]
    return value
