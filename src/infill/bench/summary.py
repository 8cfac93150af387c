"""What a run comes to, as data: what the report prints, and what `summary.json` holds.

All of it is made of plain values, so `asdict` gives JSON. A figure that could not be had is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infill.metrics.base import Better

FORMAT = 1
"""Goes up when a summary means something else than before."""


@dataclass(frozen=True)
class Interval:
    """A figure and where it may lie: a mean over samples with its 95 % bootstrap interval, unless
    whoever holds it says otherwise.

    value: the mean over the samples (each the mean of its trials); None if nothing was measured.
    low, high: the ends of the interval; None where too few samples say anything about others.
    count: samples with a finite value.
    exact: samples that matched exactly, whose value is infinite; they are not in the mean.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    count: int = 0
    exact: int = 0


@dataclass(frozen=True)
class Column:
    """One figure of a table. better: which way it improves ("" = neither). note: below it."""

    key: str
    label: str
    better: Better | str
    digits: int
    summary: str = ""
    note: str = ""


@dataclass(frozen=True)
class Rank:
    """A place among the engines: 1 + the number of engines that are surely better.

    tied: engines that the data cannot tell from this one.
    """

    rank: int
    tied: Sequence[str] = ()


@dataclass(frozen=True)
class Table:
    """The figures of one criterion: an interval and a rank for each engine and key.

    cells: engine → key → interval. ranks: engine → key → rank; only keys that improve one way.
    notes: what a reader must know (too few photos for FID; a metric that lacks its weights).
    """

    criterion: str
    title: str
    columns: Sequence[Column]
    cells: Mapping[str, Mapping[str, Interval]]
    ranks: Mapping[str, Mapping[str, Rank]]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Standing:
    """One engine in the overall table.

    score:    how often it is better than another engine on the same sample, over the criteria that
              can be seen and tell the engines apart: 0 never, 1 always, 0.5 as often as not.
    criteria: the same for each criterion.
    behind:   its score less that of the first engine, paired on the samples; None for the first.
    """

    engine: str
    rank: Rank
    score: Interval
    criteria: Mapping[str, Interval]
    behind: Interval | None = None


@dataclass(frozen=True)
class Cost:
    """What an engine costs. Seconds are wall seconds of one fill.

    first:  median of the first fills of fresh processes, loading and compiling included.
    steady: median of all others, with the 5th and 95th percentile.
    stages: median seconds by stage of the pipeline, steady fills.
    photos_an_hour: by one process, steady.
    host_mb, device_mb: peak of memory, in 10^6 bytes. joules: of one fill, where a counter is.
    price: of 1,000 photos on the hardware the run had, and by which rate (see `rates`).
    """

    engine: str
    first: float | None
    steady: Interval
    stages: Mapping[str, float]
    photos_an_hour: float | None
    host_mb: float | None
    device_mb: float | None
    joules: float | None
    price: float | None
    rate: str = ""


@dataclass(frozen=True)
class Failure:
    """A fill that failed, and why."""

    engine: str
    sample: str
    trial: int
    error: str


@dataclass(frozen=True)
class Reference:
    """A published figure beside a matching protocol. It is no result of this run.

    note: what it was measured on, as far as it is known. checked: when it was compared with its
    source; "" if the source could not be had.
    """

    engine: str
    figure: str
    value: float
    source: str
    note: str = ""
    checked: str = ""


@dataclass(frozen=True)
class Pictured:
    """One sample as the report shows it. Paths are relative to the folder of the run.

    kind: what sort of hole (the mask's kind, or the protocol's name).
    fills: engine → trial → row key; a failed one is not there.
    badness: how badly the engines did on it, in [0, 1]: sorts worst cases first.
    """

    name: str
    title: str
    kind: str
    hard: str
    prompt: str
    before: str
    mask: str
    truth: str | None
    fills: Mapping[str, Mapping[str, str]]
    badness: float


@dataclass(frozen=True)
class Spread:
    """How one figure is spread over the samples of one engine, for `infill evaluate`.

    percentiles: "5", "25", "50", "75", "90", "95" → value. counts, edges: a histogram.
    """

    engine: str
    key: str
    label: str
    mean: float | None
    deviation: float | None
    count: int
    exact: int
    percentiles: Mapping[str, float]
    counts: Sequence[int] = ()
    edges: Sequence[float] = ()


@dataclass(frozen=True)
class Summary:
    """A whole run. See the classes above for what each part is.

    verdict:  sentences that a person understands in ten seconds.
    by_kind:  kind of hole → engine → key → interval.
    rated:    what people said, as `infill.rating` gives it (None: nobody was asked).
    left_out: samples that are not compared, since an engine failed on them.
    """

    title: str
    verdict: Sequence[str]
    engines: Sequence[str]
    samples: int
    trials: int
    standings: Sequence[Standing]
    tables: Sequence[Table]
    by_kind: Mapping[str, Mapping[str, Mapping[str, Interval]]]
    costs: Sequence[Cost]
    spreads: Sequence[Spread]
    pictures: Sequence[Pictured]
    failures: Sequence[Failure]
    left_out: Sequence[str]
    references: Sequence[Reference]
    techniques: Sequence[Mapping[str, Any]]
    rated: Mapping[str, Any] | None
    hardware: Mapping[str, Any]
    versions: Mapping[str, str]
    protocol: Mapping[str, Any]
    command: str
    notes: Sequence[str] = ()
    format: int = field(default=FORMAT)
