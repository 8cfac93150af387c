"""The page's results: the overall table, each criterion, and each kind of hole."""

from collections.abc import Sequence

from infill.bench import words
from infill.bench.report.background import SCORE_NOTE
from infill.bench.report.markup import Content, Markup, tag
from infill.bench.report.pieces import drawings, folded, notes, section, table
from infill.bench.report.plots import Dot, whiskers
from infill.bench.summary import Column, Interval, Rank, Standing, Summary, Table

SCORE = f"{SCORE_NOTE} In the bars the dashed line is 0.5, the thin one the 95 % interval."

MARKS = (
    "Below each mean is its 95 % bootstrap interval over the samples. #1 is the best in a column; "
    "= means that the data cannot tell the engine from another, so the rank is shared."
)


def overall(summary: Summary) -> Markup | None:
    """Every engine with its rank, its score as a bar, and its score in each criterion."""
    if not summary.standings:
        return None
    criteria = list(dict.fromkeys(key for line in summary.standings for key in line.criteria))
    rows = [_standing(line, criteria) for line in summary.standings]
    bar = tag("span", "Score as a bar", class_="sr")
    head = ["Engine", "Rank", "Score", bar, "Behind the first", *map(words.named, criteria),
            "Tied with"]  # fmt: skip
    body = table("Overall", head, rows, right=[1, 2, *range(4, 5 + len(criteria))])
    return section("overall", "Overall", body, tag("p", SCORE, class_="fine"))


def _standing(line: Standing, criteria: Sequence[str]) -> list[Content]:
    first = line.rank.rank == 1
    return [
        tag("span", line.engine, class_="first" if first else None),
        words.place(line.rank),
        _figure(line.score, 2, None),
        tag("td", _bar(line.score, first), class_="barcell"),
        _figure(line.behind, 2, None),
        *(_share(line.criteria.get(key)) for key in criteria),
        ", ".join(line.rank.tied) or words.NONE,
    ]


def _share(interval: Interval | None) -> Markup:
    """A score in one criterion; in words where no engine differs from another."""
    if interval is not None and interval.value == interval.low == interval.high == 0.5:
        return tag("td", tag("small", "all equal"), class_="num")
    return _figure(interval, 2, None)


def _bar(score: Interval, first: bool) -> Markup:
    """A bar from 0 to the score, with its interval and a line at one half."""
    if score.value is None:
        return tag("div", class_="bar")
    parts = [tag("i", style=f"width:{_percent(score.value)}")]
    if score.low is not None and score.high is not None:
        low, high = max(0.0, score.low), min(1.0, score.high)
        parts.append(tag("b", style=f"left:{_percent(low)};width:{_percent(high - low)}"))
    return tag("div", parts, class_="bar first" if first else "bar", aria_hidden="true")


def _percent(share: float) -> str:
    return f"{100 * min(1.0, max(0.0, share)):.1f}%"


def _figure(interval: Interval | None, digits: int, rank: Rank | None) -> Markup:
    """A cell: the mean with its rank, the interval below."""
    if interval is None or (interval.value is None and not interval.exact):
        rank = None  # what was not measured has no place
    best = rank is not None and rank.rank == 1
    below = "; ".join(filter(None, [words.span(interval, digits), words.exacts(interval)]))
    mark = tag("span", f"#{words.place(rank)}", class_="rank") if rank is not None else None
    mean = tag("span", words.middle(interval, digits), class_="mean")
    return tag(
        "td",
        mark,
        mean,
        tag("small", below) if below else None,
        class_="num best" if best else "num",
    )


def criteria(summary: Summary) -> list[tuple[str, str, Markup]]:
    """A section for each table: its id, what the list of contents calls it, and the section."""
    found: list[tuple[str, str, Markup]] = []
    for number, one in enumerate(summary.tables):
        ident = f"criterion-{number}"
        title = one.title or words.named(one.criterion)
        marks = None if found else tag("p", MARKS, class_="fine")  # told once, at the first table
        short = words.named(one.criterion) or title
        found.append((ident, short, _criterion(ident, title, one, summary.engines, marks)))
    return found


def _criterion(
    ident: str, title: str, one: Table, engines: Sequence[str], marks: Markup | None
) -> Markup:
    if not one.columns:
        nothing = tag("p", "Nothing of this was measured.")
        return section(ident, title, nothing, notes(one.notes, "notes warn"))
    rows: list[list[Content]] = []
    for engine in engines:
        cells, ranks = one.cells.get(engine, {}), one.ranks.get(engine, {})
        figures = [
            _figure(cells.get(column.key), column.digits, ranks.get(column.key))
            for column in one.columns
        ]
        rows.append([engine, *figures])
    head = ["Engine", *map(_heading, one.columns)]
    told = [f"{column.label}: {column.note}" for column in one.columns if column.note]
    return section(
        ident,
        title,
        notes(one.notes, "notes warn"),
        drawings(*(_panel(ident, one, column, engines) for column in one.columns)),
        table(title, head, rows, right=range(1, len(head))),
        notes(told),
        marks,
    )


def _heading(column: Column) -> Markup:
    way = words.ARROWS.get(column.better)
    return tag("span", words.heading(column), title=". ".join(filter(None, [column.summary, way])))


def _panel(ident: str, one: Table, column: Column, engines: Sequence[str]) -> Markup | None:
    """The column as dots with whiskers; nothing if no engine has a figure there."""
    dots = []
    for engine in engines:
        interval = one.cells.get(engine, {}).get(column.key) or Interval(None)
        rank = one.ranks.get(engine, {}).get(column.key)
        dots.append(Dot(engine, interval, rank is not None and rank.rank == 1))
    return panel(f"{ident}-{column.key}", column, dots)


def panel(ident: str, column: Column, dots: Sequence[Dot]) -> Markup | None:
    """A drawing with its caption."""
    if not any(dot.interval.value is not None for dot in dots):
        return None
    way = words.ARROWS.get(column.better, "")
    plot = whiskers(
        "plot-" + "".join(char if char.isalnum() else "-" for char in ident),
        f"{column.label} of each engine",
        dots,
        column.digits,
        ideal=1.0 if column.better == "one" else None,
    )
    caption = tag("figcaption", tag("strong", column.label), f" {way}" if way else None)
    return tag("figure", caption, plot, class_="panel")


# --- kinds of hole ----------------------------------------------------------------------------


def kinds(summary: Summary) -> Markup | None:
    """Each figure by kind of hole: a table, and a panel for each kind."""
    columns = columns_of(summary)
    keys = dict.fromkeys(
        key for of in summary.by_kind.values() for cells in of.values() for key in cells
    )
    if not keys:
        return None
    parts = [
        _kind(columns.get(key) or Column(key, key, "", 2), summary, opened=number == 0)
        for number, key in enumerate(keys)
    ]
    fine = (
        "Means with their 95 % intervals over the samples of each kind. With few samples of a kind "
        "there is no interval, and a mean says little."
    )
    return section("kinds", "By kind of hole", parts, tag("p", fine, class_="fine"))


def columns_of(summary: Summary) -> dict[str, Column]:
    """Every column of the tables by its key."""
    return {column.key: column for one in summary.tables for column in one.columns}


def _kind(column: Column, summary: Summary, *, opened: bool) -> Markup:
    rows: list[list[Content]] = []
    for engine in summary.engines:
        cells = [of.get(engine, {}).get(column.key) for of in summary.by_kind.values()]
        rows.append([engine, *(_figure(cell, column.digits, None) for cell in cells)])
    panels = []
    for number, (kind, of) in enumerate(summary.by_kind.items()):
        dots = [
            Dot(engine, of.get(engine, {}).get(column.key) or Interval(None), False)
            for engine in summary.engines
        ]
        titled = Column(column.key, kind, column.better, column.digits)
        panels.append(panel(f"kind-{column.key}-{number}", titled, dots))
    head = ["Engine", *summary.by_kind]
    label = f"{column.label} by kind of hole"
    return folded(
        words.heading(column),
        drawings(*panels),
        table(label, head, rows, right=range(1, len(head))),
        open_=opened,
    )
