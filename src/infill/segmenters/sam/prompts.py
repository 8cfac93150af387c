"""A person's prompt in the numbers that a network takes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infill.segmenters.base import Mask, Prompt
from infill.segmenters.sam.frame import Floats, Frame

PIXEL_CENTRE = 0.5
"""Every network of the family adds this to the coordinates that it is given, for it counts
pixels from their centres; ours count from the photo's corner, so it is taken off before."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """points: (n, 2) float32 x, y in the network's square; labels: (n,) int64, 1 = on the object,
    0 = not; box: (4,) float32 or None; mask: (cells, cells) float32 logits or None.
    ambiguous: one click and nothing else, which may mean a part, the whole or what it is part of.
    """

    points: Floats
    labels: NDArray[np.int64]
    box: Floats | None
    mask: Floats | None
    ambiguous: bool


def inputs(prompt: Prompt, frame: Frame, cells: int) -> Inputs:
    """The prompt (its text aside) for a network whose mask prompt has `cells` × `cells` cells.

    A brush becomes three things: the mask prompt, the point deepest inside it, and, unless there
    is a box already, the box around it. A box is cut at the photo's edge.
    """
    points, labels = list(prompt.points), list(prompt.labels)
    box, mask = prompt.box, None
    if prompt.brush is not None and prompt.brush.any():
        mask = frame.reduce(prompt.brush, cells)
        points.append(deepest(prompt.brush))
        labels.append(True)
        box = box or bounds(prompt.brush)
    corners = None
    if box is not None:
        height, width = frame.size
        cut = np.clip(np.reshape(box, (2, 2)), 0, [width, height])
        corners = frame.place(cut).reshape(4) - np.float32(PIXEL_CENTRE)
    return Inputs(
        frame.place(np.reshape(points, (-1, 2)).astype(float)) - np.float32(PIXEL_CENTRE),
        np.array(labels, np.int64),
        corners,
        mask,
        ambiguous=labels == [True] and box is None and mask is None,
    )


def deepest(brush: Mask) -> tuple[float, float]:
    """(x, y) of the centre of the pixel farthest from the edge of what is painted.

    The mean of the painted pixels may lie beside a bent stroke; this never does.
    """
    import cv2

    depth = cv2.distanceTransform(
        np.pad(brush, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(column) - 1 + 0.5, float(row) - 1 + 0.5


def bounds(brush: Mask) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) around what is painted, on the pixels' outer edges."""
    rows, columns = np.flatnonzero(brush.any(1)), np.flatnonzero(brush.any(0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def agrees(mask: Mask, prompt: Prompt) -> bool:
    """Whether a mask that the text found is the one that the rest of the prompt points at: it
    holds the points and lacks the others, lies more inside the box than outside it, and covers
    most of the brush.
    """
    height, width = mask.shape
    for (x, y), label in zip(prompt.points, prompt.labels, strict=True):
        if mask[min(int(y), height - 1), min(int(x), width - 1)] != label:
            return False
    if prompt.box is not None:
        x0, y0, x1, y1 = (max(0, round(value)) for value in prompt.box)
        if 2 * np.count_nonzero(mask[y0:y1, x0:x1]) < np.count_nonzero(mask):
            return False
    if prompt.brush is not None and prompt.brush.any():
        return bool(2 * np.count_nonzero(mask & prompt.brush) >= np.count_nonzero(prompt.brush))
    return True
