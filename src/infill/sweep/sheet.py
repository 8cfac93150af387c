"""The pictures of a sweep in one labelled sheet: one option across, all others down."""

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from infill import sheets
from infill.batch.rows import Row
from infill.geometry import Box, bounds
from infill.picture import Picture
from infill.sweep.plan import Cell, Plan
from infill.sweep.table import figure

GAP = 8
LINE = 18
TEXT = 13
"""Height of the letters of every label, in pixels."""

WIDEST_LABEL = 280
SIDE = 16_000
"""Longest side of a sheet, in pixels; pictures are made smaller to stay below it."""

SMALLEST = 32
PAPER, INK, FAINT = (255, 255, 255), (0, 0, 0), (235, 235, 235)


@dataclass(frozen=True)
class Layout:
    """Where things are on a sheet, in its pixels.

    places:  the picture of each fill, by key.
    pitch:   from one column to the next.
    columns: left end of each column's heading; headings: their text.
    labels:  lines of text of each row, drawn from `GAP` on; rows: top of each row.
    """

    size: tuple[int, int]
    pitch: int
    places: Mapping[str, Box]
    columns: Sequence[int]
    headings: Sequence[str]
    heading_top: int
    rows: Sequence[int]
    labels: Sequence[Sequence[str]]


def write(
    plan: Plan,
    rows: Mapping[str, Row],
    pictures: Mapping[str, Path],
    path: Path,
    *,
    longest: int = 256,
) -> Layout:
    """Draw the fills of `rows` (by key) and write the sheet, whole or not at all.

    pictures: the finished photo of each fill, by key; those that failed have none.
    longest:  longest side of a picture on the sheet, in pixels.
    """
    columns, lines = arranged(plan)
    longest = _room(longest, len(columns), len(lines))
    view = viewed(plan.hole)
    shown = {
        key: sheets.fitted(_seen(Picture.load(place), view), longest, enlarge=True)
        for key, place in pictures.items()
    }
    before = _before(plan, view, longest)
    layout = _laid_out(plan, columns, lines, rows, before)
    sheet = Image.new("RGB", layout.size, PAPER)
    pen = ImageDraw.Draw(sheet)
    _draw_head(plan, sheet, pen, before)
    for left, text in zip(layout.columns, layout.headings, strict=True):
        _write(pen, left, layout.heading_top, text)
    for top, label in zip(layout.rows, layout.labels, strict=True):
        for number, text in enumerate(label):
            _write(pen, GAP, top + number * LINE, text)
    for key, box in layout.places.items():
        _draw_cell(sheet, pen, box, layout.pitch - GAP, rows.get(key), shown.get(key))
    Picture.from_array(np.asarray(sheet)).save(path, overwrite=True, quality=90)
    return layout


def arranged(plan: Plan) -> tuple[list[str], list[tuple[list[str], list[Cell]]]]:
    """The headings of the columns, and each row's label and its fills from left to right."""
    across = next(axis for axis in plan.axes if axis.name == plan.columns)
    down = [axis for axis in plan.axes if axis is not across]
    by_values = {tuple(cell.values.items()): cell for cell in plan.cells}
    lines = []
    for combination in itertools.product(*(axis.values for axis in down)):
        chosen = {axis.name: one.shown for axis, one in zip(down, combination, strict=True)}
        label = [f"{name} = {text}" for name, text in chosen.items()]
        fills = []
        for one in across.values:
            values = {**chosen, across.name: one.shown}
            fills.append(by_values[tuple((axis.name, values[axis.name]) for axis in plan.axes)])
        lines.append((label, fills))
    return [f"{across.name} = {one.shown}" for one in across.values], lines


def viewed(hole: NDArray[np.bool_]) -> Box:
    """What of the photo is on the sheet: the hole and half as much again on each side of it."""
    box = bounds(hole)
    margin = max(16, max(box.height, box.width) // 2)
    return box.grown(margin, (hole.shape[0], hole.shape[1]))


def _seen(picture: Picture, view: Box) -> NDArray[np.uint8]:
    return sheets.eight_bits(picture.pixels[view.slices])


def _room(longest: int, columns: int, lines: int) -> int:
    """`longest`, or less where so many pictures would make the sheet too large."""
    across = (SIDE - WIDEST_LABEL) // columns - 2 * GAP
    down = (SIDE - 1000) // lines - LINE - 2 * GAP
    return max(SMALLEST, min(longest, across, down))


def _before(plan: Plan, view: Box, longest: int) -> list[tuple[str, NDArray[np.uint8]]]:
    """The pictures above all fills: the photo, the hole in it, and what they are guided by."""
    photo = _seen(plan.photo, view)
    found = [("photo", photo), ("hole", sheets.overlay(photo, plan.hole[view.slices]))]
    if plan.reference is not None:
        found.append(("reference", sheets.eight_bits(plan.reference.pixels)))
    return [(title, sheets.fitted(pixels, longest, enlarge=True)) for title, pixels in found]


def _laid_out(
    plan: Plan,
    columns: Sequence[str],
    lines: Sequence[tuple[list[str], list[Cell]]],
    rows: Mapping[str, Row],
    before: Sequence[tuple[str, NDArray[np.uint8]]],
) -> Layout:
    height, width = before[0][1].shape[:2]
    texts = [*columns, *(caption(row) for row in rows.values() if row["error"] is None)]
    widest = min(WIDEST_LABEL, (SIDE - 2 * WIDEST_LABEL) // len(columns) - GAP)
    pitch = max(width, min(widest, max(map(_length, texts)))) + GAP
    down = [_length(text) for label, _ in lines for text in label]
    left = GAP + min(WIDEST_LABEL, max(down, default=0)) + GAP
    heading_top = GAP + 2 * LINE + max(pixels.shape[0] for _, pixels in before) + 2 * GAP
    tall = max(height, max(len(label) for label, _ in lines) * LINE) + LINE + GAP
    tops = [heading_top + LINE + GAP + number * tall for number in range(len(lines))]
    places = {}
    for top, (_, fills) in zip(tops, lines, strict=True):
        for number, cell in enumerate(fills):
            start = left + number * pitch
            places[cell.key] = Box(top, start, top + height, start + width)
    strip = sum(pixels.shape[1] + GAP for _, pixels in before) + GAP
    return Layout(
        pitch=pitch,
        size=(max(left + len(columns) * pitch, strip, 2 * WIDEST_LABEL), tops[-1] + tall + GAP),
        places=places,
        columns=[left + number * pitch for number in range(len(columns))],
        headings=[sheets.cut(text, pitch - GAP, TEXT) for text in columns],
        heading_top=heading_top,
        rows=tops,
        labels=[[sheets.cut(t, left - 2 * GAP, TEXT) for t in label] for label, _ in lines],
    )


def _draw_head(
    plan: Plan,
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    before: Sequence[tuple[str, NDArray[np.uint8]]],
) -> None:
    """The title, and the pictures that every fill starts from."""
    fixed = "".join(f", {name} = {shown}" for name, shown in plan.fixed.items())
    _write(pen, GAP, GAP, sheets.cut(f"{plan.engine}{fixed}", sheet.width - 2 * GAP, TEXT))
    left = GAP
    for title, pixels in before:
        _write(pen, left, GAP + LINE, sheets.cut(title, pixels.shape[1], TEXT))
        sheet.paste(Image.fromarray(pixels), (left, GAP + 2 * LINE))
        left += max(pixels.shape[1], _length(title)) + GAP


def _draw_cell(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    box: Box,
    room: int,
    row: Row | None,
    pixels: NDArray[np.uint8] | None,
) -> None:
    """One fill with its figures below it, or why there is none in its place.

    room: pixels for the figures.
    """
    if row is not None and pixels is not None:
        sheet.paste(Image.fromarray(pixels), (box.left, box.top))
        _write(pen, box.left, box.bottom + 2, sheets.cut(caption(row), room, TEXT))
        return
    pen.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), fill=FAINT)
    why = "not done yet" if row is None else f"failed: {row['error']}"
    wide = max(8, int(box.width / (_length("n") or 1)))
    most = max(1, (box.height - GAP) // LINE)
    for number, line in enumerate(textwrap.wrap(why, wide)[:most]):
        text = sheets.cut(line, box.width - GAP, TEXT)
        _write(pen, box.left + GAP // 2, box.top + GAP // 2 + number * LINE, text)


def caption(row: Row) -> str:
    """`PSNR 23.10  seam 1.020  0.412 s`: the figures that there are."""
    parts = [f"seam {figure(row, 'seam')}", f"{figure(row, 'seconds')} s"]
    if row["target_psnr"] is not None:
        parts.insert(0, f"PSNR {figure(row, 'target_psnr')}")
    return "  ".join(parts)


def _length(text: str) -> int:
    return int(sheets.font(TEXT).getlength(sheets.plain(text))) + 1


def _write(pen: ImageDraw.ImageDraw, left: int, top: int, text: str) -> None:
    pen.text((left, top), sheets.plain(text), INK, font=sheets.font(TEXT))
