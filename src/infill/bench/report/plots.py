"""Drawings as inline SVG: dots with whiskers, cost against quality, histograms.

They take their colours from the page's style sheet, so they follow light and dark mode, and each
has a title and a description; the table beside it says the same in text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from infill.bench import words
from infill.bench.report.markup import Content, Markup, join, tag
from infill.bench.report.scales import Scale, fitting, written
from infill.bench.summary import Interval, Spread

WIDTH = 340
LABEL = 104
"""Room for the engines' names, left of a panel's axis."""

LINE = 22
LETTERS = 15
"""Letters of a name that have room; the whole name is in the mark's title."""


@dataclass(frozen=True)
class Dot:
    """One engine on a panel. best: drawn in the colour that marks the best."""

    label: str
    interval: Interval
    best: bool = False


@dataclass(frozen=True)
class Point:
    """One engine on the scatter: what it costs and how good it is."""

    label: str
    cost: float
    quality: Interval


def drawing(
    ident: str, title: str, desc: str, size: tuple[float, float], *parts: Content
) -> Markup:
    """An SVG of `size` in its own units, with a title and a description for who cannot see it."""
    width, height = size
    return tag(
        "svg",
        tag("title", title, id=f"{ident}-title"),
        tag("desc", desc, id=f"{ident}-desc"),
        parts,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_labelledby=f"{ident}-title {ident}-desc",
        class_="plot",
    )


def whiskers(
    ident: str, title: str, dots: Sequence[Dot], digits: int, *, ideal: float | None = None
) -> Markup:
    """A panel: a line for each engine, a dot at its mean and a whisker over its interval.

    ideal: where a dashed line is drawn, for figures of which one value is right.
    """
    ends = [end for dot in dots for end in _ends(dot.interval)]
    scale = fitting([*ends, ideal] if ends else [0, 1], LABEL, WIDTH - 14)
    bottom = 8 + LINE * len(dots)
    parts = [_axis(scale, 4, bottom)]
    if ideal is not None and ends:
        parts.append(_line(scale.at(ideal), 4, scale.at(ideal), bottom, "ideal"))
    for number, dot in enumerate(dots):
        parts.append(_dot(dot, scale, 4 + LINE * (number + 0.5) + 2, digits))
    told = "; ".join(f"{dot.label} {words.whole(dot.interval, digits)}" for dot in dots)
    return drawing(ident, title, told, (WIDTH, bottom + 22), parts)


def _ends(interval: Interval) -> list[float]:
    found = (interval.value, interval.low, interval.high)
    return [end for end in found if end is not None]


def _dot(dot: Dot, scale: Scale, y: float, digits: int) -> Markup:
    name = dot.label if len(dot.label) <= LETTERS else dot.label[: LETTERS - 1] + "…"
    label = _text(LABEL - 10, y + 4, name, "name", anchor="end")
    interval = dot.interval
    if interval.value is None:
        return join([label, _text(LABEL + 4, y + 4, words.middle(interval, digits), "soft")])
    mark = []
    if interval.low is not None and interval.high is not None:
        mark.append(_line(scale.at(interval.low), y, scale.at(interval.high), y, "whisker"))
    mark.append(tag("circle", cx=scale.at(interval.value), cy=y, r=4.5))
    told = tag("title", f"{dot.label}: {words.whole(interval, digits)}")
    return join([label, tag("g", told, mark, class_="mark best" if dot.best else "mark")])


def _axis(scale: Scale, top: float, bottom: float) -> Markup:
    """The lines down a panel and the figures below them."""
    ticks = scale.ticks()
    parts = []
    for tick in ticks:
        x = scale.at(tick)
        parts.append(_line(x, top, x, bottom, "grid"))
        parts.append(_text(x, bottom + 15, written(tick, ticks), "tick", anchor="middle"))
    return join(parts)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return tag("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=kind)


def _text(x: float, y: float, text: str, kind: str, anchor: str | None = None) -> Markup:
    return tag("text", text, x=float(x), y=float(y), class_=kind, text_anchor=anchor)


# --- cost against quality -------------------------------------------------------------------


def frontier(points: Sequence[Point]) -> list[Point]:
    """The points than which no other is both cheaper and better, cheapest first.

    Of several with the same cost and quality all are on it.
    """
    known = [point for point in points if point.quality.value is not None]
    kept = [
        point
        for point in known
        if not any(_dominates(other, point) for other in known if other is not point)
    ]
    return sorted(kept, key=lambda point: (point.cost, point.quality.value or 0.0))


def _dominates(a: Point, b: Point) -> bool:
    """Whether `a` is as cheap and as good as `b`, and one of the two strictly."""
    quality_a, quality_b = a.quality.value or 0.0, b.quality.value or 0.0
    if a.cost > b.cost or quality_a < quality_b:
        return False
    return a.cost < b.cost or quality_a > quality_b


def scatter(ident: str, title: str, points: Sequence[Point], across: str, up: str) -> Markup:
    """Cost on a logarithmic axis, quality upwards with whiskers, and the frontier as a stair."""
    width, height, left, bottom = 640.0, 360.0, 52.0, 312.0
    x = fitting([point.cost for point in points], left, width - 24, log=True)
    y = fitting([end for point in points for end in _ends(point.quality)], bottom, 14)
    best = frontier(points)
    parts: list[Content] = [_axis(x, 14, bottom)]
    ticks = y.ticks()
    for tick in ticks:
        parts.append(_line(left, y.at(tick), width - 24, y.at(tick), "grid"))
        parts.append(_text(left - 8, y.at(tick) + 4, written(tick, ticks), "tick", anchor="end"))
    parts.append(_text((left + width) / 2, height - 8, across, "axis", anchor="middle"))
    parts.append(
        tag("text", up, class_="axis", text_anchor="middle",
            transform=f"translate(13 {(bottom + 14) / 2:g}) rotate(-90)")
    )  # fmt: skip
    parts.append(_stair(best, x, y))
    taken: list[tuple[float, float, float, float]] = []
    for point in points:
        if point.quality.value is not None:
            parts.append(_point(point, x, y, point in best))
            at = x.at(point.cost), y.at(point.quality.value)
            taken.append((at[0] - 6, at[1] - 6, at[0] + 6, at[1] + 6))
    for point in points:
        if point.quality.value is not None:
            parts.append(_beside(point, x, y, taken, width))
    told = "; ".join(
        f"{point.label}: {words.short(point.cost)}, {words.whole(point.quality, 2)}"
        for point in points
    )
    names = ", ".join(point.label for point in best)
    return drawing(ident, title, f"{told}. On the frontier: {names}.", (width, height), parts)


def _stair(best: Sequence[Point], x: Scale, y: Scale) -> Markup | None:
    """The best quality to be had for at most so much."""
    if not best:
        return None
    steps = [f"M{x.at(best[0].cost):.1f} {y.start:.1f}"]
    for point in best:
        steps.append(f"H{x.at(point.cost):.1f}V{y.at(point.quality.value or 0.0):.1f}")
    return tag("path", d="".join([*steps, f"H{x.end:.1f}"]), class_="frontier")


def _point(point: Point, x: Scale, y: Scale, best: bool) -> Markup:
    quality = point.quality
    at = x.at(point.cost)
    parts: list[Content] = [tag("title", f"{point.label}: {words.whole(quality, 2)}")]
    if quality.low is not None and quality.high is not None:
        parts.append(_line(at, y.at(quality.low), at, y.at(quality.high), "whisker"))
    parts.append(tag("circle", cx=at, cy=y.at(quality.value or 0.0), r=5))
    return tag("g", parts, class_="mark best" if best else "mark")


def _beside(
    point: Point, x: Scale, y: Scale, taken: list[tuple[float, float, float, float]], width: float
) -> Markup:
    """The name, on the first side of its point where nothing is yet."""
    at, level = x.at(point.cost), y.at(point.quality.value or 0.0)
    name = point.label if len(point.label) <= 24 else point.label[:23] + "…"
    long = 6.6 * len(name)
    places = [(at + 10 if side > 0 else at - 10 - long, level + shift)
              for shift in (-3, 11, -14, 22, -26, 34) for side in (1, -1)]  # fmt: skip
    boxes = [(left, low - 11, left + long, low + 3) for left, low in places]
    free = [
        box
        for box in boxes
        if box[0] >= x.start and box[2] <= width and not any(_meet(box, other) for other in taken)
    ]
    box = free[0] if free else boxes[0]
    taken.append(box)
    return _text(box[0], box[3] - 3, name, "name")


def _meet(a: Sequence[float], b: Sequence[float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


# --- spreads --------------------------------------------------------------------------------


def histogram(ident: str, title: str, spread: Spread, scale_of: Sequence[Spread]) -> Markup:
    """One engine's histogram; the axes hold those of `scale_of`, so that several compare."""
    width, height, bottom = float(WIDTH), 150.0, 124.0
    edges = [edge for other in scale_of for edge in (*other.edges[:1], *other.edges[-1:])]
    low, high = (min(edges), max(edges)) if edges else (0.0, 1.0)
    x = Scale(low, high if high > low else low + 1, 10, width - 14)
    tallest = max((count for other in scale_of for count in other.counts), default=1) or 1
    y = Scale(0, tallest, bottom, 14)
    parts: list[Content] = [_axis(x, 10, bottom)]
    parts.append(_line(10, y.at(tallest), width - 14, y.at(tallest), "grid"))
    parts.append(_text(width - 14, y.at(tallest) - 2, str(tallest), "tick", anchor="end"))
    bins = zip(spread.counts, spread.edges, spread.edges[1:], strict=False)
    for count, low, high in bins:
        told = tag("title", f"{low:g} to {high:g}: {count}")
        left, right, top = x.at(low), x.at(high), y.at(count)
        parts.append(
            tag("rect", told, x=left + 0.5, y=top, width=max(0.5, right - left - 1),
                height=bottom - top, class_="bin")
        )  # fmt: skip
    median = spread.percentiles.get("50")
    if median is not None:
        parts.append(_line(x.at(median), 10, x.at(median), bottom, "ideal"))
    percents = ", ".join(
        f"{percent} %: {words.number(value, 3)}" for percent, value in spread.percentiles.items()
    )
    return drawing(ident, title, f"Percentiles: {percents}", (width, height), parts)
