"""The summary picture: engines with their scores and intervals, and some samples below them."""

import io
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from infill import sheets
from infill.bench import words
from infill.bench.report.background import first_line
from infill.bench.report.encode import below, read
from infill.bench.summary import Pictured, Standing, Summary
from infill.errors import InfillError
from infill.geometry import Box, bounds

WIDTH, EDGE, GAP = 1200, 32, 10
ENGINES, COLUMNS, SAMPLES = 10, 5, 5
"""At most so many engines with bars, engines with pictures, and samples."""

SCORE = "how often better than another engine on the same sample (line: half), 95 % intervals"

SHAPE = 4 / 3
"""Width over height of a picture on it."""

PAPER, INK, SOFT = (255, 255, 255), (27, 28, 30), (86, 89, 94)
RULE, BAR, BEST = (214, 214, 210), (169, 180, 191), (10, 94, 168)
TITLE, VERDICT, TEXT, SMALL = 30, 20, 17, 14

Row = Mapping[str, Any]
Strip = tuple[str, list[NDArray[np.uint8]]]
"""A sample's caption, and its pictures from left to right."""


def draw(summary: Summary, rows: Sequence[Row], run: Path) -> bytes:
    """A JPEG 1200 pixels wide; the same bytes for the same run."""
    shown = [line.engine for line in summary.standings][:COLUMNS]
    heads, strips = _strips(
        summary.pictures, {str(row.get("key")): row for row in rows}, run, shown
    )
    tall = Image.new("RGB", (WIDTH, 4000), PAPER)
    pen = ImageDraw.Draw(tall)
    y = _draw_head(pen, summary)
    y = _draw_bars(pen, summary.standings, y)
    y = _draw_strips(tall, pen, heads, strips, y)
    stream = io.BytesIO()
    tall.crop((0, 0, WIDTH, y + EDGE - GAP)).save(stream, "JPEG", quality=88, optimize=True)
    return stream.getvalue()


def _write(
    pen: ImageDraw.ImageDraw, x: float, y: float, text: str, size: int, ink: Any = INK,
    room: float = WIDTH - 2 * EDGE,
) -> None:  # fmt: skip
    pen.text((x, y), sheets.cut(text, room, size), ink, font=sheets.font(size))


def _draw_head(pen: ImageDraw.ImageDraw, summary: Summary) -> int:
    """Title, the first sentences of the verdict and what was run; the height that they take."""
    _write(pen, EDGE, EDGE - 8, summary.title, TITLE)
    y = EDGE + TITLE + 10
    for sentence in summary.verdict[:2]:
        for line in textwrap.wrap(sheets.plain(sentence), 105)[:2]:
            _write(pen, EDGE, y, line, VERDICT)
            y += VERDICT + 8
    counts = [
        words.counted(len(summary.engines), "engine"),
        words.counted(summary.samples, "sample"),
        words.counted(summary.trials, "trial"),
    ]
    told = ", ".join([*counts, *filter(None, [first_line(summary)])])
    _write(pen, EDGE, y + 2, told.replace("\u202f", " ").replace(" ·", ","), SMALL, SOFT)
    return y + SMALL + 22


def _draw_bars(pen: ImageDraw.ImageDraw, standings: Sequence[Standing], y: int) -> int:
    """A bar for each engine from 0 to its score, its interval, and its rank."""
    if not standings:
        return y
    left, right, line = EDGE + 250, WIDTH - EDGE - 230, 30
    shown = standings[:ENGINES]
    _write(pen, left, y, SCORE, SMALL, SOFT)
    y += SMALL + 10
    top = y
    for one in shown:
        first = one.rank.rank == 1
        _write(pen, EDGE, y + 3, f"{words.place(one.rank)}", TEXT, SOFT)
        _write(pen, EDGE + 44, y + 3, one.engine, TEXT, BEST if first else INK, room=200)
        _draw_bar(pen, one, left, right, y)
        told = words.whole(one.score, 2)
        _write(pen, right + 14, y + 3, told, TEXT, INK, room=WIDTH - EDGE - right - 14)
        y += line
    middle = (left + right) // 2
    pen.line((middle, top, middle, y - 4), fill=SOFT)
    if len(standings) > len(shown):
        _write(pen, left, y, f"and {len(standings) - len(shown)} more engines", SMALL, SOFT)
        y += SMALL + 8
    return y + 14


def _draw_bar(pen: ImageDraw.ImageDraw, one: Standing, left: int, right: int, y: int) -> None:
    def at(share: float) -> float:
        return left + (right - left) * min(1.0, max(0.0, share))

    pen.line((left, y + 24, right, y + 24), fill=RULE)
    if one.score.value is None:
        return
    ink = BEST if one.rank.rank == 1 else BAR
    pen.rectangle((left, y + 4, at(one.score.value), y + 20), fill=ink)
    if one.score.low is not None and one.score.high is not None:
        low, high = at(one.score.low), at(one.score.high)
        pen.line((low, y + 12, high, y + 12), fill=INK, width=2)
        for end in (low, high):
            pen.line((end, y + 8, end, y + 16), fill=INK, width=1)


# --- samples ----------------------------------------------------------------------------------


def _strips(
    pictures: Sequence[Pictured], rows: Mapping[str, Row], run: Path, engines: Sequence[str]
) -> tuple[list[str], list[Strip]]:
    """Headings of the columns, and the first samples that can be shown with all `engines`."""
    truths = all(picture.truth for picture in pictures)
    heads = ["photo, hole marked", *(["truth"] if truths else []), *engines]
    strips: list[Strip] = []
    for picture in _typical(pictures):
        if len(strips) == SAMPLES:
            break
        files = [rows.get(_first(picture, engine), {}).get("output") for engine in engines]
        if not engines or not all(files):
            continue
        try:
            strips.append(_strip(picture, [str(file) for file in files], run, truths))
        except InfillError:  # a picture of the run is gone or damaged: another sample is shown
            continue
    return heads, strips


def _first(picture: Pictured, engine: str) -> str:
    trials = picture.fills.get(engine, {})
    return trials[min(trials, key=int)] if trials else ""


def _typical(pictures: Sequence[Pictured]) -> list[Pictured]:
    """Samples from the middling ones outwards, kinds of hole in turn: neither best nor worst."""
    kinds: dict[str, list[Pictured]] = {}
    for picture in sorted(pictures, key=lambda one: (-one.badness, one.name)):
        kinds.setdefault(picture.kind, []).append(picture)
    ranked = []
    for of in kinds.values():
        middle = (len(of) - 1) / 2
        ordered = sorted(range(len(of)), key=lambda at: (abs(at - middle), at))
        ranked += [(turn, of[at]) for turn, at in enumerate(ordered)]
    return [picture for _, picture in sorted(ranked, key=lambda pair: pair[0])]


def _strip(picture: Pictured, files: Sequence[str], run: Path, truths: bool) -> Strip:
    """The pictures of one sample around its hole, all of the same part. Raises `PictureError`."""
    from infill.masks import as_mask

    before = read(run, picture.before)
    hole = as_mask(below(run, picture.mask), before)
    view = _around(hole)
    shown = [sheets.overlay(before, hole)]
    if truths and picture.truth:
        shown.append(read(run, picture.truth))
    shown += [read(run, file) for file in files]
    return picture.title, [np.ascontiguousarray(pixels[view.slices]) for pixels in shown]


def _around(hole: NDArray[np.bool_]) -> Box:
    """The part of a photo that is shown: the hole and what is near it, four to three."""
    height, width = hole.shape
    box = bounds(hole) if hole.any() else Box(0, 0, height, width)
    tall = max(1.6 * box.height, 1.6 * box.width / SHAPE, 0.45 * height)
    tall = min(tall, height, width / SHAPE)
    rows, columns = max(1, round(tall)), max(1, min(width, round(tall * SHAPE)))
    top = min(max(0, (box.top + box.bottom - rows) // 2), height - rows)
    left = min(max(0, (box.left + box.right - columns) // 2), width - columns)
    return Box(top, left, top + rows, left + columns)


def _draw_strips(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    heads: Sequence[str],
    strips: Sequence[Strip],
    y: int,
) -> int:
    if not strips:
        return y
    wide = (WIDTH - 2 * EDGE - GAP * (len(heads) - 1)) // len(heads)
    size = (wide, round(wide / SHAPE))
    for column, text in enumerate(heads):
        _write(pen, EDGE + column * (wide + GAP), y, text, SMALL, SOFT, room=wide)
    y += SMALL + 8
    for _, pictures in strips:
        for column, pixels in enumerate(pictures):
            shown = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
            sheet.paste(shown, (EDGE + column * (wide + GAP), y))
        y += size[1] + GAP
    return y
