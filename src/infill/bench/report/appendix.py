"""The page's later sections: what people said, references, techniques, failures, repeating."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from infill.bench import words
from infill.bench.report.background import REFERENCE_NOTE, TECHNIQUES, facts, techniques
from infill.bench.report.markup import Content, Markup, tag
from infill.bench.report.pieces import drawings, notes, section, table
from infill.bench.report.plots import Dot
from infill.bench.report.ratings import judged
from infill.bench.report.results import panel
from infill.bench.summary import Column, Summary

ADDRESS = re.compile(r"(https?://[^\s<>\"']*[^\s<>\"'.,;:)\]])")
"""An address of the web, without what ends the sentence around it."""


def ratings(summary: Summary) -> Markup | None:
    """Scores that people gave, with their intervals, and how far the raters agree."""
    if not summary.rated:
        return None
    found = judged(summary.rated)
    parts: list[Content] = [tag("p", found.counted), notes(found.notes, "notes warn")]
    panels = []
    for number, (criterion, scores) in enumerate(found.scores.items()):
        dots = [Dot(engine, score) for engine, score in scores.items()]
        column = Column(criterion, found.titles[criterion], "higher", 2)
        panels.append(panel(f"rated-{number}", column, dots))
    parts.append(drawings(*panels))
    asked = [f"{found.titles[key]}: {text}" for key, text in found.asked.items() if text]
    parts.append(notes(asked))
    for title, head, rows in found.tables():
        parts += [tag("h3", title), table(title, head, rows, right=range(1, len(head)))]
    if found.agreement:
        parts.append(tag("h3", "Agreement between raters"))
        parts.append(_pairs(found.agreement))
    return section("rated", "What people said", parts)


def references(summary: Summary) -> Markup | None:
    """Published figures, set apart from what this run measured."""
    if not summary.references:
        return None
    rows: list[list[Content]] = [
        [entry.engine, entry.figure, f"{entry.value:g}", _linked(entry.source),
         entry.note or words.NONE, entry.checked or words.NONE]
        for entry in summary.references
    ]  # fmt: skip
    head = ["Engine", "Figure", "Published value", "Source", "Of", "Compared with the source"]
    return section(
        "references",
        "Published figures, not results of this run",
        tag("p", REFERENCE_NOTE),
        table("Published figures", head, rows, right=[2]),
        kind="apart",
    )


def techniques_table(summary: Summary) -> Markup | None:
    """The engines' cards side by side."""
    if not summary.techniques:
        return None
    head, texts = techniques(summary)
    rows: list[list[Content]] = [
        [cell if heading != TECHNIQUES["paper"] else _linked(cell)
         for heading, cell in zip(head, row, strict=True)]
        for row in texts
    ]  # fmt: skip
    return section("techniques", "Techniques", table("Techniques", head, rows))


def failures(summary: Summary) -> Markup | None:
    """Which engine failed on which sample and why, and what is therefore not compared."""
    if not summary.failures and not summary.left_out:
        return None
    parts: list[Content] = []
    if summary.left_out:
        count = words.counted(len(summary.left_out), "sample")
        parts.append(
            tag("p", f"Engines are compared on the samples that all of them filled. {count} "
                "left out: ", ", ".join(summary.left_out), ".")
        )  # fmt: skip
    if summary.failures:
        rows = [[one.engine, one.sample, one.trial, one.error] for one in summary.failures]
        parts.append(table("Failures", ["Engine", "Sample", "Trial", "Why"], rows))
    return section("failures", "Failures", parts)


def repeat(summary: Summary) -> Markup:
    """The command, the protocol with its hash, seeds, hardware and versions."""
    parts: list[Content] = [tag("pre", tag("code", summary.command), tabindex=0)]
    for title, pairs in facts(summary):
        parts += [tag("h3", title), _pairs(pairs)]
    parts.append(
        tag("p", "The recipe of each fill (engine, options, seed, hashes and versions) opens from "
            "its line in the table of fills and from its enlarged picture; it also lies in the "
            "fill's own file.", class_="fine")
    )  # fmt: skip
    return section("repeat", "To repeat it", parts)


def _pairs(pairs: Sequence[tuple[str, str]]) -> Markup:
    return tag("dl", [[tag("dt", name), tag("dd", value)] for name, value in pairs])


def _linked(text: str) -> Content:
    """The text, the web addresses in it as links (which load nothing until they are pressed)."""
    return [_link(word) if number % 2 else word for number, word in enumerate(ADDRESS.split(text))]


def _link(address: str) -> Content:
    try:
        host = urlsplit(address).netloc
    except ValueError:  # "http://[" is no address
        return address
    return tag("a", address, href=address, rel="noreferrer") if host else address
