"""A figure, the limit that it must keep, and how both are printed."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Limit:
    """One thing that must hold. `low` and `high` are inclusive; None = no bound there."""

    what: str
    figure: float
    low: float | None = None
    high: float | None = None
    unit: str = ""
    digits: int = 2

    @property
    def kept(self) -> bool:
        """Whether the figure lies within the bounds; a figure that is NaN does not."""
        if math.isnan(self.figure):
            return False
        above = self.low is None or self.figure >= self.low
        return above and (self.high is None or self.figure <= self.high)

    def __str__(self) -> str:
        verdict = "pass" if self.kept else "FAIL"
        return f"{verdict}  {self.what}: {self._number(self.figure)} (limit: {self._bounds()})"

    def _bounds(self) -> str:
        if self.low is not None and self.high is not None:
            return f"{self._number(self.low)} to {self._number(self.high)}"
        if self.low is not None:
            return f"at least {self._number(self.low)}"
        return "none" if self.high is None else f"at most {self._number(self.high)}"

    def _number(self, value: float) -> str:
        return f"{value:.{self.digits}f}{self.unit and ' ' + self.unit}"


def report(limits: Iterable[Limit]) -> bool:
    """Print each limit on its line; True if all are kept."""
    kept = True
    for limit in limits:
        print(limit)
        kept = kept and limit.kept
    return kept


def write_json(path: Path, limits: Iterable[Limit], **more: object) -> None:
    """The limits, and whatever else was measured, as a JSON file."""
    rows = [{**asdict(limit), "kept": limit.kept} for limit in limits]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"limits": rows, **more}, indent=1) + "\n", encoding="utf-8")
