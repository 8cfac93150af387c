"""Who is next: small jobs go before big ones, but no job waits for ever.

A job is due at the moment it came plus what its work is worth in seconds, and the one that is
due first is next. So a small job overtakes a big one that came shortly before it, and a big job
is overtaken only by what comes within that many seconds after it.
"""

from bisect import insort
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")

PIXELS_A_SECOND = 200_000
"""How much work one second of waiting is worth."""
LONGEST = 120.0
"""Seconds after which nobody who comes overtakes any more."""


def due(arrived: float, work: int) -> float:
    """When a job that arrived then (in seconds of any clock) with so much work is due."""
    return arrived + min(work / PIXELS_A_SECOND, LONGEST)


@dataclass(order=True, frozen=True)
class _Entry(Generic[Item]):
    due: float
    number: int
    item: Item = field(compare=False)


class Line(Generic[Item]):
    """A queue in the order of `due`; who came first wins a tie. Not safe between threads."""

    def __init__(self) -> None:
        self._entries: list[_Entry[Item]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, item: Item, arrived: float, work: int) -> None:
        """Put an item in its place."""
        self._count += 1
        insort(self._entries, _Entry(due(arrived, work), self._count, item))

    def take(self) -> Item | None:
        """The item that is due first, which leaves the queue; None if it is empty."""
        return self._entries.pop(0).item if self._entries else None

    def remove(self, item: Item) -> bool:
        """Take an item out, wherever it stands; False if it is not here."""
        place = self.place(item)
        if place is None:
            return False
        del self._entries[place]
        return True

    def place(self, item: Item) -> int | None:
        """How many are before the item, or None if it is not here."""
        places = (index for index, entry in enumerate(self._entries) if entry.item is item)
        return next(places, None)

    def items(self) -> list[Item]:
        """All of them, the next one first."""
        return [entry.item for entry in self._entries]
