"""Medians with their uncertainty, tables in Markdown and sheets of pictures."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from infill import sheets

RESAMPLES = 2000
CONFIDENCE = 95  # percent
LARGEST_FILE = 300_000  # bytes of a sheet
CELL = 96  # pixels a side of a picture on a sheet, at least
GAP, LINE = 4, 16
PAPER, INK = (255, 255, 255), (0, 0, 0)

Shown = NDArray[np.float32]
"""A picture, (H, W, 3) float32 in [0, 1]."""


@dataclass(frozen=True)
class Median:
    """The median of some figures and its bootstrap interval."""

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "–"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def median(values: Sequence[float], seed: int = 0) -> Median:
    """The median and the percentile bootstrap of it (Efron 1979); NaN are left out."""
    known = np.array([value for value in values if not math.isnan(value)], np.float64)
    if not len(known):
        return Median(math.nan, math.nan, math.nan, 0)
    rng = np.random.default_rng(seed)
    drawn = np.median(rng.choice(known, (RESAMPLES, len(known))), axis=1)
    low, high = np.percentile(drawn, [(100 - CONFIDENCE) / 2, (100 + CONFIDENCE) / 2])
    return Median(float(np.median(known)), float(low), float(high), len(known))


def difference(ours: Sequence[float], other: Sequence[float]) -> Median:
    """The median of the differences, photo by photo (and seed by seed)."""
    return median([one - two for one, two in zip(ours, other, strict=True)])


def grid(
    corner: str, rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[str]]
) -> str:
    """A Markdown table with names down its side and along its head."""
    body = [[name, *line] for name, line in zip(rows, cells, strict=True)]
    return sheets.markdown([corner, *columns], body, right=range(1, len(columns) + 1))


def draw(bands: Sequence[tuple[str, Sequence[tuple[str, Shown]]]], path: Path) -> int:
    """Write a JPEG of at most LARGEST_FILE bytes: rows of pictures, each with its caption.

    bands: a title for each row, and (caption, picture) for each of its pictures; an empty title
    takes no room. Returns the bytes written.
    """
    wide = max(len(row) for _, row in bands)
    parts = [_band(title, row, wide) for title, row in bands]
    sheet = Image.new("RGB", (parts[0].width, sum(part.height for part in parts)), PAPER)
    top = 0
    for part in parts:
        sheet.paste(part, (0, top))
        top += part.height
    path.parent.mkdir(parents=True, exist_ok=True)
    for quality in range(92, 20, -6):
        held = io.BytesIO()
        sheet.save(held, "JPEG", quality=quality, subsampling=0)
        if len(held.getvalue()) <= LARGEST_FILE:
            break
    path.write_bytes(held.getvalue())
    return len(held.getvalue())


def _band(title: str, row: Sequence[tuple[str, Shown]], wide: int) -> Image.Image:
    shown = [_enlarged(pixels) for _, pixels in row]
    side = shown[0].shape[0]
    head = LINE if title else 0
    band = Image.new("RGB", (wide * (side + GAP), head + LINE + side + GAP), PAPER)
    pen = ImageDraw.Draw(band)
    pen.text((GAP, 0), sheets.plain(title), INK, font=sheets.font(12))
    for column, ((text, _), pixels) in enumerate(zip(row, shown, strict=True)):
        left = column * (side + GAP)
        caption = sheets.cut(text, side, 10) if text else ""
        pen.text((left + 1, head + 2), caption, INK, font=sheets.font(10))
        band.paste(Image.fromarray(pixels), (left, head + LINE))
    return band


def _enlarged(pixels: Shown) -> NDArray[np.uint8]:
    """Whole pixels repeated: what the model made, and nothing that smooths it."""
    times = max(1, -(-CELL // pixels.shape[0]))
    eight = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    return eight.repeat(times, 0).repeat(times, 1)
