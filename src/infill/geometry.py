"""Boxes, crops, padding and tiles. Each step has an exact inverse.

A box is pasted back by its own slices, `unpad` undoes `pad`, `join` undoes `split`. Bringing a
crop to a network's own size is the one step that loses something; only the fill ever takes it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

TRACE = 1e-4  # the share of a pixel below which rounding may have made it


@dataclass(frozen=True, order=True)
class Box:
    """A rectangle of pixels: rows `top` to `bottom`, columns `left` to `right`, ends excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def area(self) -> int:
        return self.height * self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """What indexes the box out of an array of shape (H, W, ...)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def within(self, outer: "Box") -> tuple[slice, slice]:
        """What indexes this box out of an array that holds `outer`."""
        return (
            slice(self.top - outer.top, self.bottom - outer.top),
            slice(self.left - outer.left, self.right - outer.left),
        )

    def grown(self, margin: int, shape: tuple[int, int]) -> "Box":
        """The box with `margin` more pixels on each side, clipped to a photo of `shape`."""
        return Box(
            max(0, self.top - margin),
            max(0, self.left - margin),
            min(shape[0], self.bottom + margin),
            min(shape[1], self.right + margin),
        )

    def meet(self, other: "Box") -> "Box | None":
        """The box that both share, or None."""
        shared = Box(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )
        return shared if shared.height > 0 and shared.width > 0 else None


@dataclass(frozen=True)
class SizeRule:
    """What sizes an engine takes; the pipeline crops and pads so that it gets them.

    multiple:  both sides handed to `fill` are multiples of this, in pixels.
    minimum:   neither side is smaller than this, in pixels.
    native:    the side in pixels that the model was made for, or None if any size will do: a crop
               of more than native² pixels is made smaller, and one that is below the minimum
               (and could not grow into the photo) larger. Only the fill is resampled back.
    square:    the model takes nothing but native × native; `minimum` is then the same number.
    context:   pixels of the photo around the hole, as a fraction of the hole's size: its
               longer side, but no more than twice the side of the square that holds as many
               pixels. (A scratch across the photo and a sprinkle of dust are long, and are
               filled from what lies close to them.)
    context_min, context_max: bounds of that context, in pixels; None = no upper bound.
    """

    multiple: int = 1
    minimum: int = 1
    native: int | None = None
    context: float = 1.0
    context_min: int = 64
    context_max: int | None = None
    square: bool = False

    def __post_init__(self) -> None:
        if self.square and self.minimum != self.native:
            raise ValueError("a square size rule has one size: minimum and native are the same")

    def margin(self, longer_side: int, pixels: int) -> int:
        """Pixels of photo to show around a hole of that longer side and that many pixels."""
        size = min(float(longer_side), 2.0 * sqrt(pixels))
        margin = max(self.context_min, ceil(self.context * size))
        return margin if self.context_max is None else min(margin, self.context_max)


def bounds(array: NDArray[Any]) -> Box:
    """The smallest box that holds all of (H, W) that is not zero; without any, an empty one."""
    rows = np.flatnonzero(array.any(1))
    if not len(rows):
        return Box(0, 0, 0, 0)
    columns = np.flatnonzero(array[rows[0] : rows[-1] + 1].any(0))
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def window(hole: Box, margin: int, rule: SizeRule, shape: tuple[int, int]) -> Box:
    """`hole` with `margin` pixels around it, of the size that `rule` asks for where it can be.

    Clipped to a photo of `shape`; what is lost at one border is not added at the other, but a
    side that is below the minimum or no multiple grows on whichever side has room. Where the
    photo itself is too small, `pad` does the rest.
    """
    down, across = (
        (hole.top - margin, hole.bottom + margin),
        (hole.left - margin, hole.right + margin),
    )
    longer = max(_clipped(*down, shape[0]), _clipped(*across, shape[1])) if rule.square else 0
    top, bottom = _side(*down, rule, shape[0], longer)
    left, right = _side(*across, rule, shape[1], longer)
    return Box(top, left, bottom, right)


def pad(array: NDArray[Any], rule: SizeRule) -> NDArray[Any]:
    """`array` (H, W, ...) mirrored beyond its lower and right border to the size `rule` asks.

    The mirror repeats the border pixel (numpy's "symmetric"), so it works from one pixel up.
    Pixels and mask are padded alike: the mirror image of a hole is a hole, that of a known
    pixel is known, and no engine sees content that the photo does not have. Undone by
    `unpad`; the same array comes back if nothing is to be added.
    """
    height, width = array.shape[:2]
    below = _rounded(height, rule) - height
    beside = _rounded(width, rule) - width
    if not (below or beside):
        return array
    return np.pad(array, [(0, below), (0, beside)] + [(0, 0)] * (array.ndim - 2), mode="symmetric")


def unpad(array: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """The first rows and columns of `array`: what `pad` was given, if that had `shape`."""
    return array[: shape[0], : shape[1]]


@dataclass(frozen=True)
class Frame:
    """How a region of the photo is brought to an engine, and what the engine made, back.

    crop: what of the photo the engine sees.
    size: (h, w) of the crop once it is resampled to what the rule's native size asks; that of
          the crop itself where nothing is resampled.
    rule: the engine's; padding to its multiple comes last.
    photo: (H, W) of the whole photo, if it is known.
    """

    crop: Box
    size: tuple[int, int]
    rule: SizeRule
    photo: tuple[int, int] | None = None

    @classmethod
    def of(cls, crop: Box, rule: SizeRule, photo: tuple[int, int] | None = None) -> "Frame":
        """The frame of a crop of a photo of that shape for an engine with that rule."""
        return cls(crop, _brought_size(crop.height, crop.width, rule), rule, photo)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of what the engine gets."""
        return _rounded(self.size[0], self.rule), _rounded(self.size[1], self.rule)

    @property
    def resampled(self) -> bool:
        return self.size != (self.crop.height, self.crop.width)

    def bring(self, array: NDArray[Any]) -> NDArray[Any]:
        """`array` of the photo's size, (H, W) or (H, W, 3), as the engine sees it.

        bool stays bool: True wherever a True pixel has any part. Floats stay as they are, and
        integers become floats of their own range if they are resampled.
        """
        return self.bring_crop(array[self.crop.slices])

    def bring_crop(self, array: NDArray[Any]) -> NDArray[Any]:
        """The same of an array that is cropped already."""
        if self.resampled:
            if array.dtype == np.bool_:
                array = _resized(array.astype(np.float32), self.size) > TRACE
            else:
                array = _resized(array, self.size)
        return pad(array, self.rule)

    def bring_hidden(
        self, pixels: NDArray[np.float32], hidden: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Crop and mask together, so that nothing of what is hidden mixes with what is known.

        pixels: (h, w, 3) float32, zero where `hidden` (h, w) is True; at least one is False.
        Returns both as the engine sees them: known pixels are means of known ones alone
        (weighted by how much each has of the new pixel), and a pixel is known if no hidden one
        has part in it; where that would leave none, those are known that have the least.
        """
        if not self.resampled:
            return pad(pixels, self.rule), pad(hidden, self.rule)
        share = _resized((~hidden).astype(np.float32), self.size)
        covered = np.abs(share - 1) > TRACE
        if covered.all():
            covered = share < share.max() - TRACE
            if not covered.any():  # every pixel has the same share, as with lines in turn
                covered = np.indices(covered.shape).sum(axis=0) % 2 == 0  # so every other one
        shown = _resized(pixels, self.size) / np.where(covered, 1, share)[..., None]
        shown[covered] = 0
        return pad(np.clip(shown, 0, 1, out=shown), self.rule), pad(covered, self.rule)

    def back_mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask (H, W) of what the engine saw, as one of the crop: True wherever it has part."""
        inner = unpad(mask, self.size)
        if not self.resampled:
            return inner
        shape = (self.crop.height, self.crop.width)
        return _resized(inner.astype(np.float32), shape) > TRACE

    def back(self, filled: NDArray[np.floating]) -> NDArray[np.floating]:
        """What the engine made, (H, W, 3) float, as pixels of the crop: (h, w, 3)."""
        inner = unpad(filled, self.size)
        return _resized(inner, (self.crop.height, self.crop.width)) if self.resampled else inner


def split(shape: tuple[int, int], side: int, overlap: int) -> list[Box]:
    """Boxes of at most `side` pixels a side that cover (H, W), neighbours sharing `overlap`.

    Boxes at the lower and right border are moved inwards rather than cut short, so all are of
    one size unless the picture is smaller. 0 <= overlap < side (ValueError otherwise).
    """
    if not 0 <= overlap < side:
        raise ValueError(f"overlap must be at least 0 and below {side}, not {overlap}")
    return [
        Box(top, left, min(top + side, shape[0]), min(left + side, shape[1]))
        for top in _starts(shape[0], side, overlap)
        for left in _starts(shape[1], side, overlap)
    ]


def join(parts: Sequence[NDArray[Any]], boxes: Sequence[Box]) -> NDArray[Any]:
    """The picture that `boxes` (as `split` gave them) were cut from.

    Where boxes overlap each takes the half nearer to its own middle, so parts that agree give
    back the very array, and parts that do not meet half way.
    """
    shape = (max(box.bottom for box in boxes), max(box.right for box in boxes))
    whole = np.empty(shape + parts[0].shape[2:], parts[0].dtype)
    tops = sorted({(box.top, box.bottom) for box in boxes})
    lefts = sorted({(box.left, box.right) for box in boxes})
    rows = dict(zip(tops, _cores(tops), strict=True))
    columns = dict(zip(lefts, _cores(lefts), strict=True))
    for part, box in zip(parts, boxes, strict=True):
        top, bottom = rows[box.top, box.bottom]
        left, right = columns[box.left, box.right]
        core = Box(top, left, bottom, right)
        whole[core.slices] = part[core.within(box)]
    return whole


def strips(height: int, rows: int = 64) -> Iterator[slice]:
    """Slices of `rows` rows that cover `height`: for work without full-size temporaries."""
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def _clipped(start: int, end: int, length: int) -> int:
    return min(length, end) - max(0, start)


def _side(start: int, end: int, rule: SizeRule, length: int, least: int) -> tuple[int, int]:
    """[start, end) clipped to a side of `length`; to `least` and what `rule` asks if it fits."""
    start, end = max(0, start), min(length, end)
    wanted = min(_rounded(max(end - start, least), rule), length)
    missing = wanted - (end - start)
    start = max(0, start - missing // 2)
    end = min(length, start + wanted)
    return end - wanted, end


def _brought_size(height: int, width: int, rule: SizeRule) -> tuple[int, int]:
    """(h, w) to which a crop is resampled: see `SizeRule.native`."""
    if rule.native is None:
        return height, width
    if rule.square:
        scale = rule.native / max(height, width)
    else:
        most = rule.native / sqrt(height * width)
        padded = rule.native**2 / (rule.minimum * max(height, width))
        if most > 2 * padded:  # a thin one, most of which would be what its minimum adds
            most = padded
        scale = min(max(1.0, rule.minimum / min(height, width)), most)
    if scale == 1:
        return height, width
    if rule.square:
        return max(1, round(height * scale)), max(1, round(width * scale))
    # To the multiple right away, so that nothing need be mirrored: it bends the picture by less
    # than half a multiple a side.
    size = [max(1, round(side * scale / rule.multiple)) * rule.multiple for side in (height, width)]
    return (size[0], size[1])


def _resized(array: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """(h, w) or (h, w, 3) at another size, float32: means of areas where it gets smaller,
    Catmull-Rom-like cubic interpolation (OpenCV's, a = -0.75) where it gets larger.
    """
    import cv2

    height, width = array.shape[:2]
    smaller = size[0] * size[1] < height * width
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    source = np.ascontiguousarray(array, np.float32)
    return np.asarray(cv2.resize(source, (size[1], size[0]), interpolation=way), np.float32)


def _rounded(side: int, rule: SizeRule) -> int:
    return -(-max(side, rule.minimum) // rule.multiple) * rule.multiple


def _starts(length: int, side: int, overlap: int) -> list[int]:
    last = max(0, length - side)
    return [*range(0, last, side - overlap), last]


def _cores(sides: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The part of each of `sides` (sorted) that is its own: overlaps are cut in the middle."""
    cuts = [(before[1] + after[0]) // 2 for before, after in pairwise(sides)]
    return list(zip([sides[0][0], *cuts], [*cuts, sides[-1][1]], strict=True))
