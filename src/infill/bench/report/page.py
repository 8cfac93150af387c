"""The whole page, in one file that needs nothing else: style, scripts, figures and pictures."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

from infill.bench import words
from infill.bench.report import appendix, costs, results, spreads
from infill.bench.report.album import Album
from infill.bench.report.background import first_line
from infill.bench.report.markup import Content, Markup, data, join, tag
from infill.bench.report.pieces import notes, section
from infill.bench.summary import Summary

HERE = Path(__file__).parent
SCRIPTS = ("page.js", "gallery.js", "viewer.js", "table.js")
"""In the order in which they are run; all within one function, so that none leaks a name."""

Part = tuple[str, str, Markup | None]
"""A section: its id, what the list of contents calls it, and the section (None: left out)."""


def write(summary: Summary, records: dict[str, Any], album: Album) -> str:
    """The page as text. records: as `records.records` gives them."""
    parts = [part for part in _parts(summary, album, len(records["rows"])) if part[2] is not None]
    script = '(() => {\n"use strict";\n' + "\n".join(map(_file, SCRIPTS)) + "})();\n"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    body = join(
        [
            _head(summary),
            tag("nav", tag("div", [tag("a", name, href=f"#{ident}") for ident, name, _ in parts]),
                class_="contents", aria_label="Contents"),
            tag("main", [part for _, _, part in parts], id="top"),
            _viewer() if album.samples else None,
            tag("footer", "Made by infill. This page needs no network and loads nothing."),
        ]
    )  # fmt: skip
    carried = [data("records", records), data("album", {"samples": album.samples})]
    return Template(_file("page.html")).substitute(
        hash=digest,
        title=tag("title", summary.title)[len("<title>") : -len("</title>")],
        style=_file("page.css"),
        body=body,
        data=join([*carried, data("images", album.images)]),
        script=script,
    )


def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _parts(summary: Summary, album: Album, rows: int) -> Sequence[Part]:
    return [
        ("overall", "Overall", results.overall(summary)),
        ("pictures", "Pictures", _pictures(summary, album)),
        *results.criteria(summary),
        ("kinds", "Kinds", results.kinds(summary)),
        ("cost-quality", "Cost and quality", costs.costs(summary)),
        ("spread", "Spread", spreads.spreads(summary)),
        ("rated", "People", appendix.ratings(summary)),
        ("references", "Published", appendix.references(summary)),
        ("techniques", "Techniques", appendix.techniques_table(summary)),
        ("failures", "Failures", appendix.failures(summary)),
        ("fills-section", "All fills", _fills(rows)),
        ("repeat", "Repeat", appendix.repeat(summary)),
    ]


def _head(summary: Summary) -> Markup:
    """What a person reads in ten seconds."""
    counts = [
        words.counted(len(summary.engines), "engine"),
        words.counted(summary.samples, "sample"),
        words.counted(summary.trials, "trial") + " each",
    ]
    return tag(
        "header",
        tag("h1", summary.title),
        tag("p", ", ".join(counts), ". ", first_line(summary), class_="byline"),
        [tag("p", sentence, class_="verdict") for sentence in summary.verdict],
        notes(summary.notes, "notes warn"),
        class_="top",
    )


# --- what the scripts fill --------------------------------------------------------------------


def _pictures(summary: Summary, album: Album) -> Markup | None:
    if not album.samples:
        return None
    engines = [
        tag("label", tag("input", type="checkbox", value=engine, checked=True), engine)
        for engine in summary.engines
    ]
    orders = {"worst": "worst first", "best": "best first", "worst-of": "worst in that score first",
              "name": "by name"}  # fmt: skip
    controls = tag(
        "div",
        _labelled("Kind of hole", tag("select", id="case-kind")),
        _labelled("Score", tag("select", id="case-score")),
        _labelled(
            "Order",
            tag("select", [tag("option", text, value=key) for key, text in orders.items()],
                id="case-order"),
        ),
        tag("label", tag("input", type="checkbox", id="case-outline", class_="outline-toggle"),
            "outline of the hole"),
        tag("fieldset", tag("legend", "Engines"), engines, id="case-engines"),
        class_="controls",
    )  # fmt: skip
    return section(
        "pictures",
        "Pictures",
        tag("p", _shown(album)),
        controls,
        tag("div", id="case-pager", class_="controls"),
        tag("div", id="cases"),
        _noscript("The pictures"),
    )


def _shown(album: Album) -> list[Content]:
    """Which samples are shown how, in a sentence or two."""
    told: list[Content] = [
        "Worst cases first. Press a fill to enlarge it, compare it with what came in or with "
        "another fill, and leaf with the arrow keys. Pictures here are made smaller and "
        f"compressed (at most {album.side} pixels); the fills themselves are in the run's folder."
    ]
    if album.small or album.bare:
        told.append(
            f" To keep the page small, {words.counted(album.full, 'sample')} can be enlarged (the "
            f"worst, and as many chosen from every kind and quality), {album.small} more are "
            f"shown small, and {album.bare} with their figures only."
        )
    return told


def _fills(rows: int) -> Markup | None:
    if not rows:
        return None
    controls = tag(
        "div",
        _labelled("Search", tag("input", type="search", id="fill-search")),
        _labelled("Engine", tag("select", id="fill-engine")),
        tag("label", tag("input", type="checkbox", id="fill-failed"), "failed ones only"),
        class_="controls",
    )
    return section(
        "fills-section",
        "All fills",
        controls,
        tag("div", id="fill-pager", class_="controls"),
        tag("div", id="fills", class_="scroll", role="region", aria_label="All fills", tabindex=0),
        _noscript("The table of fills (also in rows.csv)"),
    )


def _labelled(text: str, control: Markup) -> Markup:
    return tag("label", text, " ", control)


def _noscript(what: str) -> Markup:
    return tag("noscript", tag("p", f"{what} can be seen only where scripts run."))


def _viewer() -> Markup:
    """The dialog in which a fill is seen large."""
    stage = tag(
        "div",
        tag("img", data_part="under", alt=""),
        tag("img", data_part="over", class_="over", alt=""),
        tag("div", data_part="edge", class_="edge"),
        tag("span", data_part="left", class_="side left"),
        tag("span", data_part="right", class_="side right"),
        tag("input", type="range", min=0, max=100, step="0.5", value=50, data_part="slider",
            aria_label="How much of the left picture is shown"),
        data_part="stage",
        class_="stage",
    )  # fmt: skip
    outlined = tag("input", type="checkbox", data_part="outline", class_="outline-toggle")
    controls = tag(
        "div",
        tag("button", "Previous", type="button", data_part="previous"),
        tag("span", data_part="place", aria_live="polite"),
        tag("button", "Next", type="button", data_part="next"),
        _labelled("On the left:", tag("select", data_part="against")),
        tag("label", outlined, "outline of the hole"),
        class_="controls",
    )
    fine = "Left and right: other fills. Up and down: other samples. o: the outline."
    inner = tag(
        "div",
        tag("header", tag("h2", data_part="title", id="viewer-title"),
            tag("button", "Close", type="button", data_part="close")),
        stage,
        controls,
        tag("div", data_part="figures", class_="figures"),
        tag("details", tag("summary", "Recipe"), tag("pre", data_part="recipe")),
        tag("p", fine, class_="fine"),
        class_="viewer",
    )  # fmt: skip
    return tag("dialog", inner, id="viewer", aria_labelledby="viewer-title")
