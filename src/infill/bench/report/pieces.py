"""Pieces that the page's sections share: headings, tables that scroll in themselves, notes."""

from collections.abc import Collection, Sequence

from infill.bench.report.markup import Content, Markup, tag

LONG = 28
"""Letters from which a cell is given room, so that a phone does not set one word a line."""


def section(ident: str, title: str, *content: Content, kind: str | None = None) -> Markup:
    """A part of the page with its heading, to which the list of contents links."""
    heading = tag("h2", title, id=f"{ident}-title")
    return tag("section", heading, content, id=ident, class_=kind, aria_labelledby=f"{ident}-title")


def table(
    label: str,
    head: Sequence[Content],
    rows: Sequence[Sequence[Content]],
    *,
    right: Collection[int] = (),
    caption: Content = None,
) -> Markup:
    """A table whose first column names its rows. It is wider than a phone on its own.

    label: what it is called for who cannot see it. right: the columns of figures.
    A cell may be a whole `td` already.
    """
    sides = ["num" if column in right else None for column in range(len(head))]
    heads = [
        tag("th", cell, scope="col", class_=side) for cell, side in zip(head, sides, strict=True)
    ]
    lines = []
    for row in rows:
        cells = [tag("th", row[0], scope="row")]
        cells += [_cell(cell, side) for cell, side in zip(row[1:], sides[1:], strict=True)]
        lines.append(tag("tr", cells))
    body = tag(
        "table",
        tag("caption", caption) if caption is not None else None,
        tag("thead", tag("tr", heads)),
        tag("tbody", lines),
    )
    return tag("div", body, class_="scroll", role="region", aria_label=label, tabindex=0)


def _cell(cell: Content, side: str | None) -> Markup:
    if isinstance(cell, Markup) and cell.startswith("<td"):
        return cell
    pieces = [cell] if isinstance(cell, str) else cell if isinstance(cell, list) else []
    if side is None and sum(map(len, pieces)) > LONG:
        side = "long"
    return tag("td", cell, class_=side)


def notes(texts: Sequence[str], kind: str = "notes") -> Markup | None:
    """A list of remarks; nothing if there are none."""
    if not texts:
        return None
    return tag("ul", [tag("li", text) for text in texts], class_=kind)


def folded(title: Content, *content: Content, open_: bool = False) -> Markup:
    """Something that opens when its title is pressed."""
    return tag("details", tag("summary", title), content, open=open_)


def drawings(*plots: Content) -> Markup:
    """Small drawings side by side, as many as there is room for."""
    return tag("div", plots, class_="panels")


def wide(plot: Content, label: str) -> Markup:
    """A drawing that on a phone scrolls in itself."""
    return tag("div", plot, class_="scroll wide", role="region", aria_label=label, tabindex=0)
