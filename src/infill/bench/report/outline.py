"""Where the hole is, as the lines of an SVG path."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.bench.report.encode import below
from infill.errors import InfillError

SIDE = 400
"""Longest side of the drawing in its own units; the lines are exact to about one of them."""

LONGEST = 24_000
"""Letters of a path. A hole of fine pieces all over the photo would be more lines than photo."""


def path(run: Path, mask: str) -> dict[str, Any] | None:
    """{"size": [w, h], "d": path, "box": whether it is the hole's extent alone}, or None.

    None where there is no hole, or its file can't be read.
    """
    from infill.masks import as_mask

    try:
        hole = as_mask(below(run, mask))
    except InfillError:
        return None
    return lines(hole) if hole.any() else None


def lines(hole: NDArray[np.bool_]) -> dict[str, Any]:
    """The outline of a (H, W) bool mask, True = hole, with at least one True."""
    import cv2

    height, width = hole.shape
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(hole.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    # A border of sky, so that a hole at the photo's rim is closed there.
    framed = cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    _, marked = cv2.threshold(framed, 127, 255, cv2.THRESH_BINARY)
    contours, _ = cv2.findContours(marked, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parts = []
    for contour in contours:
        points = cv2.approxPolyDP(contour, 0.7, closed=True).reshape(-1, 2) - 1
        if len(points) > 1:
            parts.append("M" + "L".join(f"{x} {y}" for x, y in points.tolist()) + "Z")
    text = "".join(parts)
    if text and len(text) <= LONGEST:
        return {"size": list(size), "d": text, "box": False}
    ys, xs = np.nonzero(hole)
    left, right, top, bottom = (
        round(float(end) * scale) for end in (xs.min(), xs.max() + 1, ys.min(), ys.max() + 1)
    )
    d = f"M{left} {top}L{right} {top}L{right} {bottom}L{left} {bottom}Z"
    return {"size": list(size), "d": d, "box": True}
