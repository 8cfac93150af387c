"""HTML and SVG put together from small pieces, escaped unless they are markup already."""

import html
import json
from collections.abc import Iterable
from typing import Any

VOID = frozenset({"br", "hr", "img", "input", "meta"})

Content = Any
"""Text (which is escaped), a number, `Markup`, None (left out), or an iterable of these."""


class Markup(str):
    """Text that is HTML already, and is not escaped again."""

    __slots__ = ()


def tag(name: str, *content: Content, **attributes: Any) -> Markup:
    """One element. `class_` is written `class` and `data_key` `data-key`.

    An attribute that is None or False is left out, one that is True stands alone.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        written = key.rstrip("_").replace("_", "-")
        parts.append(written if value is True else f'{written}="{_attribute(value)}"')
    start = f"<{' '.join(parts)}>"
    return Markup(start if name in VOID else f"{start}{join(content)}</{name}>")


def join(content: Iterable[Content]) -> Markup:
    """The pieces one after the other, text among them escaped."""
    return Markup("".join(map(_piece, content)))


def _piece(content: Content) -> str:
    if content is None:
        return ""
    if isinstance(content, Markup):
        return content
    if isinstance(content, str):
        return html.escape(content)
    if isinstance(content, Iterable):
        return join(content)
    return html.escape(str(content))


def _attribute(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return html.escape(str(value))


def data(ident: str, value: Any) -> Markup:
    """JSON that the page's scripts read; nothing in it can end the element or start another."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char in "<>&\u2028\u2029":
        if char in text:
            text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(f'<script type="application/json" id="{ident}">{text}</script>')
