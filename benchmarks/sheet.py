"""The sheet to look at: truth, hole and every method side by side, a row per photo."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.names import GMIC, OURS
from benchmarks.table import Row
from infill import sheets
from infill.metrics.base import METRICS, format_score

CELL = 400
"""Longest side of a picture on the sheet, in pixels."""

LINE = 18
GAP = 6
PAPER, INK = (255, 255, 255), (0, 0, 0)


def worst(rows: Sequence[Row], key: str, count: int, ours: str = OURS) -> list[str]:
    """The names of the `count` photos on which our score of `key` is furthest behind.

    Behind the best peer on that photo, or, where no peer ran, behind perfection.
    """
    sign = _sign(key)
    lag: dict[str, float] = {}
    for name in dict.fromkeys(row["name"] for row in rows):
        scores = {
            row["method"]: sign(row[key])
            for row in rows
            if row["name"] == name and "error" not in row and np.isfinite(row[key])
        }
        if ours in scores:
            own = scores.pop(ours)
            lag[name] = max(scores.values(), default=0.0) - own
    return sorted(lag, key=lambda name: -lag[name])[:count]


def _sign(key: str) -> Callable[[float], float]:
    """A function that makes more of the score better."""
    better = {k: way for name in METRICS for k, way in METRICS.get(name).card.better.items()}
    ways: dict[str, Callable[[float], float]] = {
        "higher": lambda value: value,
        "lower": lambda value: -value,
        "one": lambda value: -abs(value - 1),
    }
    return ways[better[key]]


def caption(row: Row, label: str) -> str:
    """`G'MIC  .732  28.3  0.78`: HaarPSI, texture distance, sharpness."""
    if "error" in row:
        return f"{label}: failed"
    digits = {"haarpsi": 3, "texture": 1, "sharpness": 2}
    return f"{label}  " + "  ".join(format_score(row[key], d) for key, d in digits.items())


def draw(
    pictures: Sequence[tuple[str, Sequence[tuple[str, NDArray[np.uint8] | None]]]], path: Path
) -> None:
    """Write the sheet: for each photo its title and its pictures with their captions."""
    wide = max(len(row) for _, row in pictures)
    font = sheets.font(13)
    bands = [_band(title, row, wide, font) for title, row in pictures]
    sheet = Image.new("RGB", (bands[0].width, sum(band.height for band in bands)), PAPER)
    top = 0
    for band in bands:
        sheet.paste(band, (0, top))
        top += band.height
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _band(
    title: str,
    row: Sequence[tuple[str, NDArray[np.uint8] | None]],
    wide: int,
    font: "sheets.Font",
) -> Image.Image:
    shown = [None if pixels is None else fitted(pixels) for _, pixels in row]
    tall = max(pixels.shape[0] for pixels in shown if pixels is not None)
    band = Image.new("RGB", (wide * (CELL + GAP), tall + 2 * LINE + 2 * GAP), PAPER)
    pen = ImageDraw.Draw(band)
    pen.text((GAP, 0), sheets.plain(title), INK, font=font)
    for column, ((text, _), pixels) in enumerate(zip(row, shown, strict=True)):
        left = column * (CELL + GAP)
        pen.text((left + GAP, LINE), sheets.plain(text), INK, font=font)
        if pixels is not None:
            band.paste(Image.fromarray(pixels), (left, 2 * LINE))
    return band


def fitted(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with its longest side at `CELL`; never enlarged."""
    return sheets.fitted(pixels, CELL)


def hole_shown(truth: NDArray[np.uint8], hole: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The photo with the hole in magenta."""
    shown = truth.copy()
    shown[hole] = (255, 0, 255)
    return shown


def ordered(methods: Sequence[str]) -> list[str]:
    """Ours and G'MIC first, since those are compared by eye."""
    first = [name for name in (OURS, GMIC) if name in methods]
    return first + [name for name in methods if name not in first]


def title(name: str, rows: Mapping[str, Row]) -> str:
    """The photo's name and how large it is."""
    some = next(iter(rows.values()))
    return f"{name}   {some['width']}×{some['height']}, hole {100 * some['hole']:.0f} %"
