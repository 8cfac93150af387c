"""What each engine costs: time, memory, energy, money."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infill.bench.rates import price, rate_of
from infill.bench.rows import Row, Table
from infill.bench.summary import Cost, Interval


def costs(
    table: Table, machine: Mapping[str, Any], price_per_hour: float | None = None
) -> list[Cost]:
    """A line for each engine, from its fills of the samples that are compared."""
    found = []
    for engine in table.engines:
        rows = [row for slug in table.slugs for row in table.by[engine, slug]]
        found.append(_cost(engine, rows, machine, price_per_hour))
    return found


def ran_on(rows: Sequence[Row]) -> dict[str, Any]:
    """What the rows say of where they were made: `processes` and `threads`, the most common ones;
    `mixed`, a sentence where starts of the run differed."""
    good = [row for row in rows if row["error"] is None and "threads" in row]
    if not good:
        return {}
    ways = Counter((row["processes"], row["threads"]) for row in good)
    machines = sorted({row["machine"] for row in good})
    processes, threads = ways.most_common(1)[0][0]
    told: dict[str, Any] = {"processes": processes, "threads": threads, "mixed": ""}
    if len(machines) > 1:
        told["mixed"] = f"the fills were made on several machines: {'; '.join(machines)}"
    elif len(ways) > 1:
        told["mixed"] = "the fills were made with different numbers of processes or threads"
    return told


def _cost(
    engine: str, rows: Sequence[Row], machine: Mapping[str, Any], price_per_hour: float | None
) -> Cost:
    steady = [row for row in rows if not row.get("first")]
    seconds = [row["seconds"]["total"] for row in steady]
    middle = float(np.median(seconds)) if seconds else None
    device = _most(rows, "device_mb")
    dollars, how = _price(middle, machine, bool(device), price_per_hour)
    return Cost(
        engine=engine,
        first=_median([row["seconds"]["total"] for row in rows if row.get("first")]),
        steady=Interval(
            middle,
            float(np.percentile(seconds, 5)) if seconds else None,
            float(np.percentile(seconds, 95)) if seconds else None,
            len(seconds),
        ),
        stages=_stages(steady),
        photos_an_hour=3600 / middle if middle else None,
        host_mb=_most(rows, "host_mb"),
        device_mb=device,
        joules=_median([row["joules"] for row in steady if row.get("joules") is not None]),
        price=dollars,
        rate=how,
    )


def _price(
    seconds: float | None, machine: Mapping[str, Any], device: bool, price_per_hour: float | None
) -> tuple[float | None, str]:
    """US dollars for 1,000 photos, and by which rate."""
    if seconds is None:
        return None, ""
    if price_per_hour is not None:
        # So many processes shared the machine while one fill took these seconds.
        shared = int(machine.get("processes") or 1)
        how = f"{price_per_hour:g} $ an hour, as given"
        return seconds / 3.6 * price_per_hour / shared, how
    rate = rate_of(machine, device=device)
    if rate is None:
        return None, "no rate is known for this GPU; give one with --price-per-hour"
    return price(seconds, rate, int(machine.get("threads") or 1)), rate.in_words()


def _stages(rows: Sequence[Row]) -> dict[str, float]:
    names = [name for row in rows[:1] for name in row["seconds"] if name != "total"]
    return {name: _median([row["seconds"][name] for row in rows]) or 0.0 for name in names}


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None


def _most(rows: Sequence[Row], key: str) -> float | None:
    """The largest of what was read; None where nothing was."""
    known = [row[key] for row in rows if row.get(key) is not None]
    return max(known) if known else None
