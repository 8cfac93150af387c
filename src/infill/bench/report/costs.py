"""What engines cost, and what is had for it: the cost table and the scatters."""

from collections.abc import Callable

from infill.bench import words
from infill.bench.report import background
from infill.bench.report.markup import Content, Markup, join, tag
from infill.bench.report.pieces import folded, notes, section, table, wide
from infill.bench.report.plots import Point, frontier, scatter
from infill.bench.summary import Cost, Interval, Summary


def costs(summary: Summary) -> Markup | None:
    """Cost against quality, by time and (where there is a rate) by price, then the figures."""
    if not summary.costs:
        return None
    seconds = _scatter(
        "cost-seconds", summary, lambda cost: cost.steady.value, "seconds for one fill (log scale)"
    )
    prices = _scatter(
        "cost-price", summary, lambda cost: cost.price, "price of 1,000 photos, US $ (log scale)"
    )
    return section(
        "cost-quality", "Cost against quality", seconds, prices, _table(summary), _stages(summary)
    )


def _scatter(
    ident: str, summary: Summary, cost_of: Callable[[Cost], float | None], across: str
) -> Markup | None:
    """One drawing with the sentence that names its frontier; nothing without two figures."""
    scores = {line.engine: line.score for line in summary.standings}
    points = []
    for cost in summary.costs:
        value, score = cost_of(cost), scores.get(cost.engine)
        if value is not None and value > 0 and score is not None and score.value is not None:
            points.append(Point(cost.engine, value, score))
    if not points:
        return None
    title = f"Overall score against {across.removesuffix(' (log scale)')}"
    plot = scatter(ident, title, points, across, "overall score")
    caption = tag("figcaption", tag("strong", title), ". ", _frontier_told(points))
    return tag("figure", caption, wide(plot, title), class_="large")


def _frontier_told(points: list[Point]) -> str:
    """`On the frontier: a, b. Off it: c (a costs less and is better).`"""
    best = frontier(points)
    told = f"On the frontier, from cheap to good: {', '.join(point.label for point in best)}."
    for point in points:
        if point not in best:
            better = next(
                other
                for other in best
                if other.cost <= point.cost
                and (other.quality.value or 0.0) >= (point.quality.value or 0.0)
            )
            told += f" {point.label} is off it: {better.label} costs no more and is no worse."
    return told + " It is drawn by the means; the whiskers tell how sure they are."


def _table(summary: Summary) -> Markup:
    head = ["Engine", "First fill, s", "Steady, s", "Photos an hour", "Host memory, MB",
            "Device memory, MB", "Energy, J", "Price of 1,000, US $"]  # fmt: skip
    rows: list[list[Content]] = []
    for cost in summary.costs:
        first, after = background.cost_cells(cost)
        rows.append([cost.engine, first, _steady(cost.steady), *after])
    fine = (
        "Steady is the median wall time of a fill, below it the 5th and 95th percentile; the first "
        "fill of a process also loads and compiles. Photos an hour are of one process; memory is "
        "the peak of one, what the metrics hold left out."
    )
    return join(
        [
            table("Cost of each engine", head, rows, right=range(1, len(head))),
            tag("p", fine, class_="fine"),
            notes(background.rates(summary)),
        ]
    )


def _steady(steady: Interval) -> Content:
    mean = tag("span", words.short(steady.value), class_="mean")
    if steady.low is None or steady.high is None:
        return mean
    return [mean, tag("small", f"{words.short(steady.low)} to {words.short(steady.high)}")]


def _stages(summary: Summary) -> Markup | None:
    """Seconds by stage of the pipeline."""
    stages = list(dict.fromkeys(stage for cost in summary.costs for stage in cost.stages))
    if not stages:
        return None
    rows = [
        [cost.engine, *(words.short(cost.stages.get(stage)) for stage in stages)]
        for cost in summary.costs
    ]
    body = table("Seconds by stage", ["Engine", *stages], rows, right=range(1, len(stages) + 1))
    return folded("Median seconds by stage of the pipeline", body)
