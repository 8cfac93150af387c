"""What `benchmarks.clicks` prints, draws and checks of its rows."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.limits import Limit

STEPS = (3, 5)
"""After how many corrective clicks the mask is compared."""


@dataclass(frozen=True)
class Row:
    """What was measured of one object: IoUs, and seconds."""

    name: str
    kind: str
    area: float
    peer_box: float
    box: float
    click: float
    best: float
    after: tuple[float, ...]
    """After 0, 1, … corrective clicks; the first is `click`."""
    peer_seconds: float
    embed_seconds: float
    box_seconds: float
    click_seconds: float


def figures(row: Row) -> dict[str, float]:
    """The IoUs of a row, by what tables call them."""
    return {
        "GrabCut, box": row.peer_box,
        "box": row.box,
        "click": row.click,
        "best of 3": row.best,
        **{f"after {step}": row.after[step] for step in STEPS},
    }


def print_tables(rows: Sequence[Row]) -> None:
    """Means, medians, halves, sizes, and the classes that do worst."""
    by_size = sorted(rows, key=lambda row: row.area)
    third = -(-len(rows) // 3)
    groups: dict[str, Sequence[Row]] = {
        "all": rows,
        "even rows": rows[0::2],
        "odd rows": rows[1::2],
        "smallest third": by_size[:third],
        "middle third": by_size[third:-third],
        "largest third": by_size[-third:],
    }
    names = list(figures(rows[0]))
    print(f"{'mean IoU':16}{'objects':>8}" + "".join(f"{name:>14}" for name in names))
    for title, group in groups.items():
        if group:
            print(_line(title, group, statistics.mean))
    print(_line("median, all", rows, statistics.median))
    kinds = {kind: [row for row in rows if row.kind == kind] for kind in {r.kind for r in rows}}
    common = {kind: group for kind, group in kinds.items() if len(group) >= 2}
    worst = sorted(common, key=lambda kind: statistics.mean(r.click for r in common[kind]))
    for kind in worst[:5]:
        print(_line(f"class {kind}", kinds[kind], statistics.mean))
    print("\nworst after one click: " + _worst(rows, lambda row: row.click))
    print(f"worst after {STEPS[-1]} more: " + _worst(rows, lambda row: row.after[STEPS[-1]]))
    print("\nmedian seconds on these photos")
    for title in ("peer", "embed", "box", "click"):
        seconds = [getattr(row, f"{title}_seconds") for row in rows]
        print(f"  {title if title != 'peer' else 'GrabCut'}: {statistics.median(seconds):.3f}")


def _line(title: str, group: Sequence[Row], middle: Callable[[list[float]], float]) -> str:
    columns = zip(*(figures(row).values() for row in group), strict=True)
    cells = "".join(f"{middle(list(column)):14.3f}" for column in columns)
    return f"{title:16}{len(group):8}{cells}"


def _worst(rows: Sequence[Row], key: Callable[[Row], float]) -> str:
    return ", ".join(f"{row.name} {key(row):.2f}" for row in sorted(rows, key=key)[:8])


def targets(rows: Sequence[Row], speed: dict[str, float]) -> list[Limit]:
    """What the segmenter must reach."""
    means = {name: statistics.mean(figures(row)[name] for row in rows) for name in figures(rows[0])}
    return [
        Limit("mean IoU, box", means["box"], low=0.67, digits=3),
        Limit("mean IoU, box, above GrabCut's", means["box"], low=means["GrabCut, box"], digits=3),
        Limit("mean IoU, one click", means["click"], low=0.50, digits=3),
        Limit("mean IoU, one click, best of three", means["best of 3"], low=0.60, digits=3),
        Limit("mean IoU, after 5 corrective clicks", means["after 5"], low=0.75, digits=3),
        Limit("embed, 1 megapixel", speed["embed"], high=0.7, unit="s"),
        Limit("a click, 1 megapixel", speed["a click"], high=0.3, unit="s"),
        Limit("embed and first click", speed["embed and the first click"], high=1.0, unit="s"),
        Limit("click after five others", speed["the click after five others"], high=0.3, unit="s"),
    ]


def drawn(
    pixels: Any, truth: Any, row: Row, masks: dict[str, Any]
) -> tuple[str, list[tuple[str, Any]]]:
    """A row of the sheet: title, and captioned pictures with what was selected in its colour."""
    values = [row.peer_box, row.box, row.click, row.after[-1]]
    shown = [("truth", outlined(pixels, truth))]
    for (title, mask), value in zip(masks.items(), values, strict=True):
        shown.append((f"{title}  {value:.2f}", outlined(pixels, mask)))
    return f"{row.name}  class {row.kind}", shown


def outlined(pixels: Any, mask: Any) -> Any:
    """The photo, greyed and darkened outside of the mask, with a magenta outline."""
    import cv2
    import numpy as np

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None] // 2
    shown = np.where(mask[..., None], pixels, grey).astype(np.uint8)
    lines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, lines, -1, (255, 0, 255), 2)
    return shown
