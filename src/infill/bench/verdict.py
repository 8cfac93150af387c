"""What a run comes to in a few sentences, each backed by a figure of the summary."""

from collections.abc import Sequence

from infill.bench import words
from infill.bench.summary import Interval, Standing, Summary


def verdict(summary: Summary) -> list[str]:
    """Sentences that a person understands in ten seconds."""
    found = [_best(summary.standings)]
    found += _cost(summary)
    found += _kept(summary)
    if summary.failures:
        engines = sorted({failure.engine for failure in summary.failures})
        found.append(
            f"{words.counted(len(summary.failures), 'fill')} failed ({', '.join(engines)})."
        )
    return found


def _best(standings: Sequence[Standing]) -> str:
    first = [one for one in standings if one.rank.rank == 1]
    if len(standings) == 1:
        return f"{standings[0].engine} alone was run, so there is nothing to compare it with."
    if len(first) == len(standings):
        return "The data cannot tell the engines apart: every difference may be chance."
    leaders = {one.engine for one in first}
    if any(name not in leaders for one in first for name in one.rank.tied):
        names = _listed([one.engine for one in first])
        ahead = "has" if len(first) == 1 else "have"
        return f"{names} {ahead} no better one, but not all differences to the others are sure."
    if len(first) > 1:
        names = _listed([one.engine for one in first])
        return f"{names} are ahead of the others; the data cannot tell them apart."
    return f"{first[0].engine} is best overall (score {_score(first[0].score)})."


def _cost(summary: Summary) -> list[str]:
    timed = [cost for cost in summary.costs if cost.steady.value is not None]
    if len(timed) < 2:
        return []
    quick = min(timed, key=lambda cost: cost.steady.value or 0.0)
    best = next((cost for cost in timed if cost.engine == summary.standings[0].engine), quick)
    seconds = f"{quick.engine} is quickest ({quick.steady.value:.3g} s a photo)"
    if best is quick:
        return [f"{seconds}."]
    return [f"{seconds}; {best.engine} takes {best.steady.value:.3g} s."]


def _kept(summary: Summary) -> list[str]:
    """Whether what is not masked was left alone, if it was measured."""
    for table in summary.tables:
        if table.criterion != "preservation":
            continue
        largest = {name: cells.get("outside_max") for name, cells in table.cells.items()}
        if any(one is None or one.value is None for one in largest.values()):
            return []  # not measured, or not for all
        changed = [name for name, one in largest.items() if one is not None and one.value]
        if changed:
            return [f"{_listed(changed)} changed pixels outside the hole."]
        return ["No engine changed a single pixel outside the hole."]
    return []


def _score(interval: Interval) -> str:
    """A score with its interval, "0.71, 95 % 0.66 to 0.76"."""
    span = words.span(interval, 2)
    return words.middle(interval, 2) + (f", 95 % {span}" if span else "")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
