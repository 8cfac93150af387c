"""How figures are spread over the samples: histograms, and a table of percentiles."""

from infill.bench import words
from infill.bench.report.markup import Content, Markup, tag
from infill.bench.report.pieces import drawings, section, table
from infill.bench.report.plots import histogram
from infill.bench.summary import Spread, Summary

PERCENTILES = ("5", "25", "50", "75", "90", "95")


def spreads(summary: Summary) -> Markup | None:
    """For each figure: a histogram of each engine on common axes, and the percentiles."""
    if not summary.spreads:
        return None
    keys = list(dict.fromkeys(spread.key for spread in summary.spreads))
    parts = [_figure([spread for spread in summary.spreads if spread.key == key]) for key in keys]
    fine = "Dashed: the median. Exact matches have no finite figure; they are counted apart."
    return section("spread", "Spread over the samples", parts, tag("p", fine, class_="fine"))


def _figure(spreads_of: list[Spread]) -> list[Content]:
    label = spreads_of[0].label
    drawn = [spread for spread in spreads_of if spread.counts and len(spread.edges) > 1]
    panels = [
        tag(
            "figure",
            tag("figcaption", tag("strong", spread.engine), f" {spread.label}"),
            histogram(
                f"spread-{number}-{_ident(spread.key)}",
                f"{spread.label} of {spread.engine}: histogram over {spread.count} samples",
                spread,
                drawn,
            ),
            class_="panel",
        )
        for number, spread in enumerate(drawn)
    ]
    head = ["Engine", "Samples", "Exact", "Mean", "Standard deviation"]
    head += [f"{percent} %" for percent in PERCENTILES]
    rows = [[spread.engine, *_line(spread)] for spread in spreads_of]
    return [
        tag("h3", label),
        drawings(*panels),
        table(f"{label}: percentiles", head, rows, right=range(1, len(head))),
    ]


def _line(spread: Spread) -> list[str]:
    figures = [spread.mean, spread.deviation, *map(spread.percentiles.get, PERCENTILES)]
    return [str(spread.count), str(spread.exact), *(words.number(value, 3) for value in figures)]


def _ident(text: str) -> str:
    return "".join(char if char.isalnum() else "-" for char in text)
