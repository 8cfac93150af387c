"""Holes to learn with: masks of several kinds, quick enough to be drawn for every picture.

Free-form strokes, blobs and outlines of objects take milliseconds each. So some are drawn once,
from the seed, on a canvas larger than the picture; what a step gets is a window of one of them,
at a random place, turned and mirrored at random. Rectangles and borders are drawn anew each time.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadMask
from infill.masks.coco import from_annotation, read_instances
from infill.masks.random import blobs, border, free_form, random_rectangle
from infill.train.data.crops import Rng, random_numbers
from infill.train.tables import MaskConfig

Mask = NDArray[np.bool_]

KINDS = ("free_form", "rectangle", "object", "both", "border")
ROOM = 1.25
"""Side of the canvas that pooled masks are drawn on, over that of the picture."""
TRIES = 24
MOST_STROKES = 16  # times that strokes are drawn over each other
"""Windows tried for one whose area is in range; after these, the nearest is taken."""
SIDES = ("all", "left", "right", "top", "bottom", "left,right", "top,bottom")
LEAST_OBJECT = 24
"""Shorter side, in pixels of its photo, below which an annotated object is left out."""


class Holes:
    """Masks of one size by seed, step and place: `holes(...)`.

    Raises `BadMask` for annotations that cannot be read or hold no outline.
    """

    def __init__(self, config: MaskConfig, side: int, seed: int) -> None:
        self.config, self.side, self.seed = config, side, seed
        weights = np.array([getattr(config, kind) for kind in KINDS], np.float64)
        self.until = np.cumsum(weights / weights.sum())
        self.pools: dict[str, list[Mask]] = {}
        if config.free_form or config.both:
            self.pools["free_form"] = list(self._strokes())
        if config.object:
            self.pools["object"] = list(self._objects())

    def batch(self, step: int, places: range) -> Mask:
        """(len(places), side, side) bool, True = hole: the masks of these places of a step."""
        return np.stack([self.one(random_numbers(self.seed, 1, step, place)) for place in places])

    def one(self, rng: Rng) -> Mask:
        """(side, side) bool, True = hole; never empty."""
        kind = KINDS[min(int(np.searchsorted(self.until, rng.random(), "right")), len(KINDS) - 1)]
        if kind in self.pools:
            return self._window(self.pools[kind], rng)
        low, high = self.config.area
        share = low + (high - low) * rng.random()
        if kind == "rectangle":
            return random_rectangle((self.side, self.side), share, rng=rng)
        if kind == "both":
            beside = random_rectangle((self.side, self.side), share / 2, rng=rng)
            return self._window(self.pools["free_form"], rng, beside)
        chosen = SIDES[int(rng.random() * len(SIDES))]
        return border((self.side, self.side), share, sides=chosen)

    def _window(self, pool: list[Mask], rng: Rng, beside: Mask | None = None) -> Mask:
        """A window of a mask of the pool, with `beside` if there is one, whose share lies in
        range, or comes near; turned and mirrored at random."""
        low, high = self.config.area
        best, apart = pool[0][: self.side, : self.side], math.inf
        for _ in range(TRIES):
            canvas = pool[int(rng.random() * len(pool))]
            spare = len(canvas) - self.side + 1
            top, left = int(rng.random() * spare), int(rng.random() * spare)
            window = canvas[top : top + self.side, left : left + self.side]
            window = window if beside is None else window | beside
            share = np.count_nonzero(window) / window.size
            off = max(low - share, share - high, 0.0)
            if share and off < apart:
                best, apart = window, off
            if apart == 0:
                break
        turned = np.rot90(best, int(rng.random() * 4))
        return np.ascontiguousarray(turned[:, ::-1] if rng.random() < 0.5 else turned)

    def _strokes(self) -> Iterator[Mask]:
        """Canvases of free-form strokes; on every second one as many as it takes for shares up to
        the largest in range."""
        shape = (round(self.side * ROOM),) * 2
        low, high = self.config.area
        for index in range(self.config.pool):
            rng = random_numbers(self.seed, 3, index)
            mask = free_form(shape, rng=rng, brush=self.config.brush)
            wanted = low + (high - low) * rng.random()
            for _ in range(MOST_STROKES if index % 2 else 0):
                if np.count_nonzero(mask) >= wanted * mask.size:
                    break
                mask |= free_form(shape, rng=rng, brush=self.config.brush)
            yield mask

    def _objects(self) -> Iterator[Mask]:
        """Canvases with an outline of a share in range: of annotated objects, or a blob."""
        canvas = round(self.side * ROOM)
        shapes = outlines(Path(self.config.annotations), self.config.pool, self.seed)
        low, high = self.config.area
        for index in range(self.config.pool):
            rng = random_numbers(self.seed, 4, index)
            share = (low + (high - low) * rng.random()) / ROOM**2
            if not self.config.annotations:
                yield blobs((canvas, canvas), share, rng=rng)
                continue
            yield placed(shapes[index % len(shapes)], canvas, share, rng)


def placed(shape: Mask, canvas: int, share: float, rng: Rng) -> Mask:
    """(canvas, canvas) bool: an outline (h, w) scaled to cover `share` of the canvas, at a random
    place; it is cut off where it is too long."""
    import cv2

    scale = math.sqrt(share * canvas * canvas / max(1, int(np.count_nonzero(shape))))
    height, width = (min(max(1, round(side * scale)), 4 * canvas) for side in shape.shape)
    grown = cv2.resize(
        shape.view(np.uint8),
        (width, height),
        interpolation=cv2.INTER_LINEAR,
    )
    out = np.zeros((canvas, canvas), np.bool_)
    top = round((canvas - len(grown)) * rng.random())
    left = round((canvas - grown.shape[1]) * rng.random())
    rows, columns = (slice(max(0, at), max(0, at) + canvas) for at in (top, left))
    part = grown[max(0, -top) : max(0, -top) + canvas, max(0, -left) : max(0, -left) + canvas]
    seen = out[rows, columns]
    seen[: len(part), : part.shape[1]] = part[: seen.shape[0], : seen.shape[1]].astype(np.bool_)
    return out


def outlines(path: Path, count: int, seed: int) -> list[Mask]:
    """Up to `count` outlines of annotated objects, drawn at random from a COCO instances file,
    each cut to its bounding box; none for an empty path.

    Crowds and objects less than `LEAST_OBJECT` pixels across are left out. Raises `BadMask`.
    """
    if path == Path():
        return []
    content = read_instances(path)
    try:
        sizes = {entry["id"]: (entry["height"], entry["width"]) for entry in content["images"]}
        large = [
            entry
            for entry in content["annotations"]
            if not entry.get("iscrowd") and min(entry["bbox"][2:]) >= LEAST_OBJECT
        ]
    except (KeyError, TypeError) as error:
        raise BadMask(f"{path} is no COCO instances file: it lacks or garbles {error}") from error
    found: list[Mask] = []
    for number in random_numbers(seed, 5).permutation(len(large)).tolist():
        if len(found) == count:
            break
        mask = from_annotation(large[number], sizes[large[number]["image_id"]])
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(rows):
            found.append(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy())
    if not found:
        raise BadMask(f"{path} annotates no object of at least {LEAST_OBJECT} pixels")
    return found
