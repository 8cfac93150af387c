"""How far people agree with each other, and each with herself.

Krippendorff's alpha for nominal data (Krippendorff 2011, "Computing Krippendorff's
Alpha-Reliability"): 1 is agreement, 0 is chance, below 0 is worse than chance. It takes any number
of raters and gaps.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Agreement:
    """How far the values of units agree.

    alpha:  Krippendorff's; None where everyone always gave one and the same value, which leaves
            nothing to agree on, or nothing was answered twice.
    share:  of pairs of values in one unit that are equal. chance: the same for pairs of any
            values whatever. alpha = (share - chance) / (1 - chance).
    units:  units with at least two values. values: how many those are.
    """

    alpha: float | None
    share: float | None
    chance: float | None
    units: int
    values: int


def agreement(units: Iterable[Sequence[Hashable]]) -> Agreement:
    """Agreement of the values within each unit; a unit with fewer than two says nothing.

    A unit of m values holds m (m - 1) ordered pairs, and each weighs 1 / (m - 1).
    """
    together = [list(unit) for unit in units if len(unit) > 1]
    total = sum(len(unit) for unit in together)
    if not total:
        return Agreement(None, None, None, 0, 0)
    equal = 0.0
    everything: Counter[Hashable] = Counter()
    for unit in together:
        counts = Counter(unit)
        everything += counts
        equal += sum(count * (count - 1) for count in counts.values()) / (len(unit) - 1)
    share = equal / total
    chance = sum(count * (count - 1) for count in everything.values()) / (total * (total - 1))
    alpha = None if chance == 1 else (share - chance) / (1 - chance)
    return Agreement(alpha, share, chance, len(together), total)
