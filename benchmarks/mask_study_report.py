"""What the mask study prints: tables with paired intervals, and a sheet of pictures."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.mask_study_forms import KNOWN, UNKNOWN, WORDS, Column
from infill.bench.stats import Bootstrap
from infill.sheets import cut, fitted, font, markdown, overlay

Row = Mapping[str, Any]

SETS = {
    "composites": ("People put into another photo", KNOWN),
    "real": ("People where they are", UNKNOWN),
}
TILE, LINE = 176, 18


def summarised(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Means, and differences to the raw mask with 95 % intervals; rows of one photo are drawn
    together (a paired bootstrap), and only scenes that every engine filled in every form count."""
    found = []
    for set_name, (_, columns) in SETS.items():
        common = whole([row for row in rows if row["set"] == set_name])
        engines = list(dict.fromkeys(row["engine"] for row in common))
        for column in columns:
            for engine in engines if column.engines else engines[:1]:
                part = [row for row in common if row["engine"] == engine]
                for cell in compared(part, column):
                    found.append(
                        {"set": set_name, "engine": engine if column.engines else ""} | cell
                    )
    return found


def whole(rows: Sequence[Row]) -> list[Row]:
    """Rows of the scenes for which every engine and form has a row without an error."""
    wanted = {(row["engine"], row["form"]) for row in rows}
    have: dict[str, set[Any]] = {}
    for row in rows:
        if not row["error"]:
            have.setdefault(row["scene"], set()).add((row["engine"], row["form"]))
    return [row for row in rows if have.get(row["scene"]) == wanted]


def compared(rows: Sequence[Row], column: Column, to: str = "raw") -> Iterator[dict[str, Any]]:
    """Each form's mean of one figure and its difference to the form `to`."""
    forms = [form for form in WORDS if any(row["form"] == form for row in rows)]
    scenes = list(dict.fromkeys(row["scene"] for row in rows))
    groups = {row["scene"]: row["group"] for row in rows}
    at = {(row["scene"], row["form"]): row["scores"].get(column.key) for row in rows}
    values = np.array(
        [[_number(at.get((scene, form))) for form in forms] for scene in scenes], np.float64
    ).reshape(len(scenes), len(forms))
    if to not in forms:
        return
    bootstrap = Bootstrap([groups[scene] for scene in scenes])
    apart = bootstrap.interval(values - values[:, [forms.index(to)]])
    for form, mean, difference in zip(forms, bootstrap.interval(values), apart, strict=True):
        if mean.value is None:
            continue
        yield {
            "key": column.key,
            "form": form,
            "mean": mean.value,
            "difference": difference.value,
            "low": difference.low,
            "high": difference.high,
            "scenes": mean.count,
        }


def tables(cells: Sequence[Mapping[str, Any]], rows: Sequence[Row]) -> str:
    """Markdown: for each set a table of the masks and one for each engine; a line for each form.

    In brackets stands the difference to the raw mask and where it may lie; bold where that is
    better for sure.
    """
    parts = []
    for set_name, (title, columns) in SETS.items():
        here = [cell for cell in cells if cell["set"] == set_name]
        if not here:
            continue
        scenes = max(cell["scenes"] for cell in here)
        parts.append(f"### {title}\n\n{scenes} people; {_proposed(rows, set_name)}.")
        for engine in ["", *dict.fromkeys(cell["engine"] for cell in here if cell["engine"])]:
            of_it = [cell for cell in here if cell["engine"] == engine]
            shown = [column for column in columns if column.engines == bool(engine)]
            lines = [
                [WORDS[form], *(_cell(of_it, column, form) for column in shown)]
                for form in WORDS
                if any(cell["form"] == form for cell in of_it)
            ]
            head = [engine or "the masks alone", *(column.label for column in shown)]
            parts.append(markdown(head, lines, right=range(1, len(head))))
    return "\n\n".join(parts)


def shadows(rows: Sequence[Row]) -> str:
    """What the proposal of a shadow adds to masks that are smoothed and thickened, in Markdown."""
    lines = []
    title, every = SETS["composites"]
    columns = [column for column in every if column.better and column.engines]
    common = whole([row for row in rows if row["set"] == "composites"])
    for engine in dict.fromkeys(row["engine"] for row in common):
        part = [row for row in common if row["engine"] == engine]
        found = {
            column.key: next(
                (c for c in compared(part, column, "both") if c["form"] == "shadow"), {}
            )
            for column in columns
        }
        lines.append([engine, *(_added(found[column.key], column) for column in columns)])
    head = ["engine", *(column.label for column in columns)]
    return f"### What the proposed shadow adds to both\n\n{title}.\n\n" + markdown(
        head, lines, right=range(1, len(head))
    )


def _added(cell: Mapping[str, Any], column: Column) -> str:
    """ "+0.30, +0.10 to +0.50"."""
    if not cell or cell["low"] is None:
        return "–"
    parts = (f"{cell[key]:+.{column.digits}f}" for key in ("difference", "low", "high"))
    return "{}, {} to {}".format(*parts)


def _proposed(rows: Sequence[Row], set_name: str) -> str:
    """For how many people a shadow was proposed, in words."""
    areas: dict[str, dict[str, int]] = {}
    for row in rows:
        if row["set"] == set_name:
            areas.setdefault(row["scene"], {})[row["form"]] = row["area"]
    count = sum(of.get("shadow", 0) > of.get("both", 0) for of in areas.values())
    return f"a shadow was proposed for {count} of {len(areas)}"


def _cell(cells: Sequence[Mapping[str, Any]], column: Column, form: str) -> str:
    """ "21.30 (+1.20, 0.80 to 1.70)", bold where the interval is on the better side of 0."""
    for cell in cells:
        if (cell["key"], cell["form"]) == (column.key, form):
            break
    else:
        return "–"
    digits = column.digits
    said = f"{cell['mean']:.{digits}f}"
    if form == "raw" or cell["low"] is None:
        return said
    low, high = cell["low"], cell["high"]
    better = {"higher": low > 0, "lower": high < 0, "": False}[column.better]
    said += f" ({cell['difference']:+.{digits}f}, {low:+.{digits}f} to {high:+.{digits}f})"
    return f"**{said}**" if better else said


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


# --- pictures -----------------------------------------------------------------------------


def sheet(lines: Sequence[tuple[str, Sequence[tuple[str, NDArray[np.uint8]]]]], path: Path) -> None:
    """One line of captioned pictures for each scene, as a JPEG."""
    from PIL import Image, ImageDraw

    wide = max(len(pictures) for _, pictures in lines)
    drawn = Image.new("RGB", (wide * (TILE + 4) + 4, len(lines) * (TILE + LINE + 6)), "white")
    pen = ImageDraw.Draw(drawn)
    for row, (_, pictures) in enumerate(lines):
        for column, (caption, pixels) in enumerate(pictures):
            x, y = 4 + column * (TILE + 4), row * (TILE + LINE + 6)
            pen.text((x, y + 2), cut(caption, TILE, 12), fill="black", font=font(12))
            drawn.paste(Image.fromarray(fitted(pixels, TILE, enlarge=True)), (x, y + LINE))
    drawn.save(path, quality=80, optimize=True)


def pictured(
    scene: Any, mask: NDArray[np.bool_], fills: Mapping[str, NDArray[np.uint8]]
) -> tuple[str, list[tuple[str, NDArray[np.uint8]]]]:
    """A line of the sheet: the photo, the raw mask, and the fills by caption, cut to the person."""
    seen = mask | scene.person | (mask if scene.shadow is None else scene.shadow)
    box = _square(seen)
    pictures = [("photo", scene.pixels[box]), ("raw mask", overlay(scene.pixels, mask)[box])]
    pictures += [(caption, filled[box]) for caption, filled in fills.items()]
    if scene.behind is not None:
        pictures.append(("what is behind", scene.behind[box]))
    return scene.name, pictures


def _square(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """A square about a mask with a quarter of its size around, as far as the photo goes."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    side = int(1.5 * max(rows[-1] - rows[0], columns[-1] - columns[0])) + 16
    parts = []
    for found, length in ((rows, mask.shape[0]), (columns, mask.shape[1])):
        middle, reach = int(found[0] + found[-1]) // 2, min(side, length)
        start = min(max(middle - reach // 2, 0), length - reach)
        parts.append(slice(start, start + reach))
    return parts[0], parts[1]
