"""The report as Markdown: what a person reads in a repository, tables and no pictures but one."""

from collections.abc import Iterator, Sequence

from infill.bench import words
from infill.bench.report.background import (
    REFERENCE_NOTE,
    SCORE_NOTE,
    cost_cells,
    facts,
    rates,
    techniques,
)
from infill.bench.report.ratings import judged
from infill.bench.summary import Interval, Spread, Standing, Summary, Table
from infill.sheets import markdown

PERCENTILES = ("5", "25", "50", "75", "90", "95")


def write(summary: Summary, *, picture: str | None) -> str:
    """The whole text. picture: the summary picture's name beside it, None if there is none."""
    parts = [f"# {plain(summary.title)}"]
    parts += [f"**{plain(sentence)}**" for sentence in summary.verdict]
    if picture:
        parts.append(f"![Engines, scores and some samples]({picture})")
    parts.append(_counted(summary))
    parts += [f"- {plain(note)}" for note in summary.notes]
    for title, body in _sections(summary):
        parts += [f"## {title}", body]
    return "\n\n".join(parts) + "\n"


def plain(text: object) -> str:
    """Text on one line in which Markdown and HTML find nothing to act on."""
    line = " ".join(str(text).split())
    for char in "\\`*_[]<>":
        line = line.replace(char, f"\\{char}")
    return line.replace("&", "&amp;")


def _counted(summary: Summary) -> str:
    counts = [
        words.counted(len(summary.engines), "engine"),
        words.counted(summary.samples, "sample"),
        words.counted(summary.trials, "trial"),
    ]
    return "; ".join(counts) + "."


def _sections(summary: Summary) -> Iterator[tuple[str, str]]:
    if summary.standings:
        yield "Overall", _overall(summary.standings)
    for table in summary.tables:
        yield (
            plain(table.title or words.named(table.criterion)),
            _table(table, summary.engines),
        )
    if summary.by_kind:
        yield "By kind of hole", _kinds(summary)
    if summary.costs:
        yield "Cost", _costs(summary)
    if summary.spreads:
        yield "Spread over the samples", _spreads(summary.spreads)
    if summary.rated:
        yield "What people said", _rated(summary)
    if summary.references:
        yield "Published figures, for reference", _references(summary)
    if summary.techniques:
        yield "Techniques", _grid(*techniques(summary))
    if summary.failures or summary.left_out:
        yield "Failures", _failures(summary)
    yield "To repeat it", _repeat(summary)


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    return markdown([plain(cell) for cell in head], [[*map(plain, row)] for row in rows], right)


def _overall(standings: Sequence[Standing]) -> str:
    criteria = list(dict.fromkeys(key for line in standings for key in line.criteria))
    head = ["rank", "engine", "score (95 % interval)", "behind the first", *criteria, "tied with"]
    rows = [
        [
            words.place(line.rank),
            line.engine,
            words.whole(line.score, 2),
            words.whole(line.behind, 2),
            *(words.whole(line.criteria.get(key), 2) for key in criteria),
            ", ".join(line.rank.tied) or words.NONE,
        ]
        for line in standings
    ]
    return f"{_grid(head, rows, range(2, 4 + len(criteria)))}\n\n{SCORE_NOTE}"


def _table(table: Table, engines: Sequence[str]) -> str:
    told = "\n".join(f"- {plain(note)}" for note in table.notes)
    if not table.columns:
        return "Nothing of this was measured." + (f"\n\n{told}" if told else "")
    head = ["engine", *(words.heading(column) for column in table.columns)]
    rows = []
    for engine in engines:
        cells, ranks = table.cells.get(engine, {}), table.ranks.get(engine, {})
        row = [engine]
        for column in table.columns:
            mark = words.place(ranks.get(column.key))
            text = words.whole(cells.get(column.key), column.digits)
            row.append(f"{text} #{mark}" if mark else text)
        rows.append(row)
    notes = [f"{column.label}: {column.note}" for column in table.columns if column.note]
    told = "\n".join(f"- {plain(note)}" for note in [*table.notes, *notes])
    return _grid(head, rows, range(1, len(head))) + (f"\n\n{told}" if told else "")


def _kinds(summary: Summary) -> str:
    columns = {column.key: column for table in summary.tables for column in table.columns}
    keys = dict.fromkeys(
        key for engines in summary.by_kind.values() for cells in engines.values() for key in cells
    )
    parts = []
    for key in keys:
        column = columns.get(key)
        digits = column.digits if column else 2
        rows = [
            [engine, *(words.whole(of.get(engine, {}).get(key), digits)
                       for of in summary.by_kind.values())]
            for engine in summary.engines
        ]  # fmt: skip
        title = words.heading(column) if column else key
        head = ["engine", *summary.by_kind]
        parts.append(f"### {plain(title)}\n\n{_grid(head, rows, range(1, len(head)))}")
    return "\n\n".join(parts)


def _costs(summary: Summary) -> str:
    head = ["engine", "first s", "steady s (5 % to 95 %)", "photos an hour", "host MB",
            "device MB", "joules", "price of 1,000, US $"]  # fmt: skip
    rows = []
    for cost in summary.costs:
        first, after = cost_cells(cost)
        rows.append([cost.engine, first, _steady(cost.steady), *after])
    told = "".join(f"\n- {plain(rate)}" for rate in rates(summary))
    return _grid(head, rows, range(1, len(head))) + (f"\n{told}" if told else "")


def _steady(steady: Interval) -> str:
    if steady.low is None or steady.high is None:
        return words.short(steady.value)
    return f"{words.short(steady.value)} ({words.short(steady.low)} to {words.short(steady.high)})"


def _spreads(spreads: Sequence[Spread]) -> str:
    head = ["engine", "figure", "samples", "exact", "mean", "deviation"]
    head += [f"{percent} %" for percent in PERCENTILES]
    rows = [
        [
            spread.engine,
            spread.label,
            str(spread.count),
            str(spread.exact),
            words.number(spread.mean, 3),
            words.number(spread.deviation, 3),
            *(words.number(spread.percentiles.get(percent), 3) for percent in PERCENTILES),
        ]
        for spread in spreads
    ]
    return _grid(head, rows, range(2, len(head)))


def _rated(summary: Summary) -> str:
    found = judged(summary.rated or {})
    parts = [plain(found.counted)]
    parts += [f"- {plain(note)}" for note in found.notes]
    for title, head, rows in found.tables():
        parts.append(f"### {plain(title)}\n\n{_grid(head, rows, range(1, len(head)))}")
    if found.agreement:
        parts.append(_grid(["agreement between raters", ""], [[*pair] for pair in found.agreement]))
    return "\n\n".join(parts)


def _references(summary: Summary) -> str:
    rows = [
        [entry.engine, entry.figure, f"{entry.value:g}", entry.source, entry.checked or words.NONE]
        for entry in summary.references
    ]
    table = _grid(["engine", "figure", "value", "source", "checked"], rows, [2])
    return f"> {REFERENCE_NOTE}\n\n{table}"


def _failures(summary: Summary) -> str:
    parts = []
    if summary.left_out:
        parts.append(
            "Left out of the comparison, since an engine failed on them: "
            + ", ".join(map(plain, summary.left_out)) + "."
        )  # fmt: skip
    if summary.failures:
        rows = [[one.engine, one.sample, str(one.trial), one.error] for one in summary.failures]
        parts.append(_grid(["engine", "sample", "trial", "why"], rows))
    return "\n\n".join(parts)


def _repeat(summary: Summary) -> str:
    # A fence longer than any run of backticks in the command cannot be closed by it.
    fence = "```" + "`" * summary.command.count("`")
    parts = [f"{fence}\n{summary.command}\n{fence}"]
    for title, pairs in facts(summary):
        parts.append(f"### {title}\n\n" + _grid(["what", "value"], [[*pair] for pair in pairs]))
    return "\n\n".join(parts)
