"""What a metric is: a card, a measure of one filled photo, and a reduction over many.

There are three kinds. A `Metric` looks at one fill (beside the truth, beside the photo as it
was, or alone). A `PromptMetric` also reads what was asked for. A `SetMetric` compares many fills
with many photos at once, as two sets, and needs only a few numbers of each kept.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadMask, BadPixels, MaskSizeMismatch, UnknownPlugin
from infill.registry import Registry

Better = Literal["higher", "lower", "one"]
"""Which way a figure improves; "one" means that 1 is right and both sides of it are wrong."""

Against = Literal["truth", "before", "nothing"]
"""What a fill is measured against: what ought to be there, the photo as it came in, or nothing."""

Criterion = Literal["realism", "adaptability", "preservation", "consistency"]
"""What of a fill a metric judges. (The benchmark's other two criteria, reproducibility and cost,
are of a run and not of a picture.)"""


@dataclass(frozen=True)
class MetricCard:
    """What a table needs to print a metric.

    name:    its name in the registry.
    summary: one line for a person.
    better:  every key of a row, in the order of the columns, and which way it improves.
    digits:  digits after the point for each key; 2 where it says nothing.
    labels:  what a table calls each key; the key itself where it says nothing.
    paper:   where the metric is from, "" for none.
    criterion: which of the benchmark's criteria it belongs to.
    against: what `measure` is given first. A metric against nothing looks at the filled photo
             alone, so a fill that equals the truth need not be its best.
    scored:  counts in the benchmark's overall score. A figure that finds faults and proves nothing
             by being good does not: one that a smooth fill gets right.
    least:   photos below which the figure of a `SetMetric` says little; few: what then is wrong
             with it.
    """

    name: str
    summary: str
    better: Mapping[str, Better]
    digits: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    paper: str = ""
    criterion: Criterion = "consistency"
    against: Against = "truth"
    scored: bool = True
    least: int = 1
    few: str = ""


class Metric(Protocol):
    """One way of scoring a fill. Registered by name.

    A metric that needs weights or a library that may not be here also has `missing() -> str |
    None`: one sentence that says what to do, or None. It touches no network.
    """

    card: ClassVar[MetricCard]

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """One row: the keys of `card.better`, always all of them, each a float.

        truth, filled: (H, W, 3) float32 RGB in [0, 1], not to be written. In the place of the
                       truth comes what `card.against` says; against nothing, only its shape
                       counts.
        mask:          (H, W) bool, True = hole, the pixels that were filled.

        A value is NaN where there is nothing to measure (an empty mask, a photo too small) and
        infinity where the match is exact and the unit is dB.
        Raises `BadPixels` or `MaskSizeMismatch` where shapes or dtypes are not those above.
        """
        ...

    def reduce(self, rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """One score for many rows, with the same keys (and perhaps more)."""
        ...


class OverPhotos:
    """Base of a metric of single photos whose score is the mean over them; see `reduce_rows`."""

    card: ClassVar[MetricCard]

    def reduce(self, rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """One score for many rows, with the same keys, and `<key>_exact` where a match was."""
        return reduce_rows(rows, self.card)


class PromptMetric(Protocol):
    """One way of scoring how well a fill follows a prompt. Registered by name in its own table."""

    card: ClassVar[MetricCard]

    def missing(self) -> str | None:
        """One sentence that says what to do before it can measure, or None."""
        ...

    def measure(
        self,
        before: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
        prompt: str,
        before_prompt: str = "",
    ) -> dict[str, float]:
        """One row, as `Metric.measure`.

        before:        (H, W, 3) float32 RGB in [0, 1], the photo as it came in.
        prompt:        what was asked for in the hole.
        before_prompt: what was there before; "" where nobody said, and what needs it is NaN.
        """
        ...

    def reduce(self, rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """One score for many rows."""
        ...


class SetMetric(Protocol):
    """One way of comparing many fills with many photos as sets. Registered in its own table.

    What is kept of a photo is small, and `compare` draws these notes one by one, so that memory
    does not grow with the photos themselves.
    """

    card: ClassVar[MetricCard]

    def missing(self) -> str | None:
        """One sentence that says what to do before it can measure, or None."""
        ...

    def describe(
        self, pixels: NDArray[np.float32], mask: NDArray[np.bool_]
    ) -> NDArray[np.floating[Any]]:
        """What is kept of one photo: (n, d) float16 or float32, d always the same.

        pixels: (H, W, 3) float32 RGB in [0, 1]; mask: (H, W) bool, True = hole.
        """
        ...

    def compare(
        self,
        truths: Iterable[NDArray[np.floating[Any]]],
        fills: Iterable[NDArray[np.floating[Any]]],
    ) -> dict[str, float]:
        """The keys of `card.better` for two sets of descriptions; NaN where too few were given.

        They are drawn in their order, once each; the same descriptions give the same figures.
        """
        ...


METRICS: Registry[Metric] = Registry(
    "metric",
    "infill.metrics",
    {
        "psnr": "infill.metrics.psnr:Psnr",
        "ssim": "infill.metrics.ssim:Ssim",
        "ms-ssim": "infill.metrics.ms_ssim:MsSsim",
        "haarpsi": "infill.metrics.haarpsi:HaarPsi",
        "vsi": "infill.metrics.vsi:Vsi",
        "texture": "infill.metrics.texture:Texture",
        "sharpness": "infill.metrics.sharpness:Sharpness",
        "seam": "infill.metrics.seam:Seam",
        "lpips": "infill.metrics.lpips:Lpips",
        "colour": "infill.metrics.colour:Colour",
        "noise": "infill.metrics.noise:Noise",
        "structure": "infill.metrics.structure:Structure",
        "preservation": "infill.metrics.preservation:Preservation",
        "niqe": "infill.metrics.niqe:Niqe",
    },
)

PROMPT_METRICS: Registry[PromptMetric] = Registry(
    "prompt metric",
    "infill.prompt_metrics",
    {
        "clip": "infill.metrics.clip:ClipScore",
    },
)

SET_METRICS: Registry[SetMetric] = Registry(
    "set metric",
    "infill.set_metrics",
    {
        "fid": "infill.metrics.fid:Fid",
        "kid": "infill.metrics.kid:Kid",
        "swd": "infill.metrics.swd:Swd",
    },
)


def missing(metric: Metric | PromptMetric | SetMetric) -> str | None:
    """What has to be done before the metric can measure, one sentence, or None: it is ready."""
    ask = getattr(metric, "missing", None)
    found: str | None = None if ask is None else ask()
    return found


def card_of(name: str) -> MetricCard:
    """The card of a metric of any kind. Raises `UnknownPlugin`, naming all that there are."""
    for table in (METRICS, PROMPT_METRICS, SET_METRICS):
        if name in table:
            maker: Any = table.factory(name)
            card: MetricCard = maker.card
            return card
    known = [*METRICS.names(), *PROMPT_METRICS.names(), *SET_METRICS.names()]
    raise UnknownPlugin(f"there is no metric {name!r}; there are: {', '.join(known)}")


def ready() -> list[str]:
    """The names in `METRICS` that can measure here and now."""
    return [name for name in METRICS.names() if missing(METRICS.get(name)) is None]


def measure_all(
    truth: NDArray[np.float32],
    filled: NDArray[np.float32],
    mask: NDArray[np.bool_],
    names: Sequence[str] | None = None,
) -> dict[str, float]:
    """The rows of the metrics `names` (None = all that are ready) as one.

    Arguments as in `Metric.measure`; the truth is also taken for the photo as it came in. Raises
    `UnknownPlugin` for a name that is none.
    """
    row: dict[str, float] = {}
    for name in ready() if names is None else names:
        row.update(METRICS.get(name).measure(truth, filled, mask))
    return row


def reduce_rows(rows: Sequence[Mapping[str, float]], card: MetricCard) -> dict[str, float]:
    """The mean of each key of the card over the rows that have it and in which it is finite.

    A key that is nowhere finite is infinite if some rows are (all that could be measured were
    exact) and else NaN. An infinite row is not averaged but counted: `<key>_exact` appears
    where there is one.
    """
    scores: dict[str, float] = {}
    for key in card.better:
        values = [row.get(key, math.nan) for row in rows]
        finite = [value for value in values if math.isfinite(value)]
        exact = sum(map(math.isinf, values))
        if finite:
            scores[key] = math.fsum(finite) / len(finite)
        else:
            scores[key] = math.inf if exact else math.nan
        if exact:
            scores[f"{key}_exact"] = float(exact)
    return scores


def format_score(value: float, digits: int) -> str:
    """A figure for a table: "exact" for infinity, "–" for NaN."""
    if math.isnan(value):
        return "–"
    return "exact" if math.isinf(value) else f"{value:.{digits}f}"


def to_json(row: Mapping[str, float]) -> dict[str, float | str | None]:
    """A row that JSON can hold: infinity becomes "exact", NaN becomes null."""
    plain: dict[str, float | str | None] = {}
    for key, value in row.items():
        plain[key] = None if math.isnan(value) else "exact" if math.isinf(value) else value
    return plain


def to_unit(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.float32]:
    """uint8 or uint16 pixels, (H, W, 3), as the float32 in [0, 1] that metrics take.

    Raises `BadPixels` for another dtype.
    """
    if pixels.dtype not in (np.uint8, np.uint16):
        raise BadPixels(f"pixels to score are uint8 or uint16, not {pixels.dtype}")
    unit: NDArray[np.float32] = pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    return unit


def check(truth: NDArray[np.float32], filled: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
    """Raise unless the arguments of `measure` have the shapes and dtypes that it states."""
    for name, pixels in (("truth", truth), ("filled", filled)):
        if pixels.dtype != np.float32 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise BadPixels(
                f"the {name} photo must be (H, W, 3) float32, not {pixels.shape} {pixels.dtype}"
            )
    if truth.shape != filled.shape:
        raise BadPixels(
            f"the filled photo is {_size(filled)} and the truth {_size(truth)}: "
            "only photos of one size can be compared"
        )
    if mask.dtype != np.bool_:
        raise BadMask(f"the mask must be bool, True = hole, not {mask.dtype}")
    if mask.shape != truth.shape[:2]:
        raise MaskSizeMismatch(
            f"the mask has shape {mask.shape} and the photo is {_size(truth)}: give one of the "
            "same size"
        )


def _size(pixels: NDArray[np.float32]) -> str:
    return f"{pixels.shape[1]}×{pixels.shape[0]}"
