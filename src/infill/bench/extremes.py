"""A sheet of the best, the middle and the worst fills of one engine by one figure."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from infill import sheets
from infill.bench.layout import sample_folder
from infill.bench.rows import Row, number
from infill.errors import BatchError
from infill.masks.parse import as_mask
from infill.picture import Picture

GAP, LINE, TEXT = 8, 20, 13
PAPER, INK = (255, 255, 255), (20, 20, 20)
HEADINGS = ("to fill", "filled", "truth")

Pixels = NDArray[np.uint8]


def extremes(rows: Sequence[Row], key: str, each: int, *, lowest: bool) -> list[tuple[str, Row]]:
    """The `each` best, middle and worst rows by a figure, each with the word for it.

    lowest: the lowest figure is the best. Rows without the figure are left out; where there are
    too few rows, none is shown twice.
    """
    known = [row for row in rows if row["error"] is None]
    known = [row for row in known if not np.isnan(number(row["scores"].get(key)))]
    ordered = sorted(known, key=lambda row: number(row["scores"][key]), reverse=not lowest)
    count = len(ordered)
    each = min(each, max(1, count // 3))
    middle = max(0, (count - each) // 2)
    starts = {"best": 0, "middle": middle, "worst": max(0, count - each)}
    found, seen = [], set()
    for word, start in starts.items():
        for row in ordered[start : start + each]:
            if row["key"] not in seen:
                seen.add(row["key"])
                found.append((word, row))
    return found


def write_sheet(
    folder: Path,
    rows: Sequence[Row],
    key: str,
    label: str,
    path: Path,
    *,
    lowest: bool = False,
    each: int = 3,
    longest: int = 260,
) -> Path:
    """Draw the sheet: a line for each of `extremes`, with the photo to fill (its hole tinted), the
    fill and the truth; written whole or not at all.

    key, label: the figure, and what it is called. longest: side of a picture, in pixels.
    Raises `BatchError` where no row has the figure.
    """
    chosen = extremes(rows, key, each, lowest=lowest)
    if not chosen:
        raise BatchError(f"no fill has the figure {label}, so there is no best or worst to show")
    lines = [_line(folder, row, longest) for _, row in chosen]
    width = max(sum(picture.shape[1] + GAP for picture in line) + GAP for line in lines)
    heights = [max(picture.shape[0] for picture in line) + LINE + GAP for line in lines]
    sheet = Image.new("RGB", (width, sum(heights) + LINE + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    _heads(pen, lines[0])
    top = LINE + GAP
    for (word, row), line, height in zip(chosen, lines, heights, strict=True):
        score = number(row["scores"][key])
        figure = "exact" if np.isinf(score) else f"{score:.3g}"
        text = f"{word}: {row['sample']}, {label} {figure}"
        pen.text((GAP, top), sheets.cut(text, width - 2 * GAP, TEXT), INK, sheets.font(TEXT))
        left = GAP
        for picture in line:
            sheet.paste(Image.fromarray(picture), (left, top + LINE))
            left += picture.shape[1] + GAP
        top += height
    return Picture.from_array(np.asarray(sheet)).save(path, overwrite=True)


def _heads(pen: ImageDraw.ImageDraw, line: Sequence[Pixels]) -> None:
    left = GAP
    for heading, picture in zip(HEADINGS, line, strict=False):
        pen.text((left, GAP // 2), heading, INK, sheets.font(TEXT))
        left += picture.shape[1] + GAP


def _line(folder: Path, row: Row, longest: int) -> list[Pixels]:
    """The pictures of one fill, (h, w, 3) uint8."""
    place = folder / sample_folder(row["slug"])
    before = sheets.eight_bits(Picture.load(place / "before.png").pixels)
    tinted = sheets.overlay(before, as_mask(place / "mask.png"))
    filled = sheets.eight_bits(Picture.load(folder / row["output"]).pixels)
    truth = place / "truth.png"
    wanted = sheets.eight_bits(Picture.load(truth).pixels) if truth.exists() else before
    return [sheets.fitted(pixels, longest) for pixels in (tinted, filled, wanted)]
