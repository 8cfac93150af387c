"""The object in the target picture: given, cut out, clicked on, or the one that stands out most.

Someone who points at nothing gets the best of several guesses. Boxes of several shapes about the
middle of the picture, and its middle point, are asked of the segmenter; of what it answers that
one is taken whose score, contrast along its outline and distance from the picture's border are
together best. The weights were chosen on the labelled objects that `benchmarks.clicks` uses, cut
out with 10 to 50 % of background around them.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadOption, BadPrompt
from infill.picture import Picture
from infill.segmenters.base import SEGMENTERS, Candidate, Prompt, Segmenter
from infill.segmenters.cache import EmbeddingCache

Mask = NDArray[np.bool_]

INSETS = ((0.05, 0.05), (0.12, 0.12), (0.2, 0.2), (0.28, 0.28), (0.3, 0.08), (0.08, 0.3))
"""Boxes that are asked about: how far from the sides and from top and bottom, of width, height."""

CONTRAST_WEIGHT, BORDER_WEIGHT = 2.0, 0.5
LEAST_CONTRAST = 0.03  # of the full range; below it nothing stands out, and noise looks like this
LEAST_CLICKED = 0.005  # where a person says that there is something, much less is believed
SMALLEST = 0.0005  # of the picture's area
SECTORS = 16
SIGHT = 512  # pixels, longest side on which contrast is looked at
OPAQUE = 0.5

NO_OBJECT = (
    "the target picture shows no object that stands out; say where it is with click=x,y, "
    "or give reference_mask"
)

_found = EmbeddingCache(2**28)
"""Masks of the last targets: one target is asked for at each region and candidate again."""


def subject(
    picture: Picture, mask: Mask | None, click: tuple[float, float] | None, segmenter: str
) -> Mask:
    """Where the object is in the target, (H, W) bool, True = object.

    mask:  given by hand; it wins. Then the picture's own transparency, then the click.
    click: (x, y) in the picture's pixels, or None to look for what stands out.

    Raises `BadOption` if there is no object, if the mask is of another size or the click
    outside of the picture, and what the segmenter raises.
    """
    size = (picture.height, picture.width)
    if mask is not None:
        if mask.shape != size:
            raise BadOption(
                f"reference_mask is {mask.shape[1]}×{mask.shape[0]} pixels, but reference is "
                f"{size[1]}×{size[0]}; give one of the same size"
            )
        if not mask.any():
            raise BadOption("reference_mask marks no object; paint the object white")
        return mask
    if picture.alpha is not None and click is None:
        cut = picture.alpha >= OPAQUE * np.iinfo(picture.alpha.dtype).max
        if not cut.all():
            if not cut.any():
                raise BadOption("the target picture is fully transparent; give one with an object")
            return cut
    pixels = _eight_bits(picture)
    digest = hashlib.sha256(pixels.data).hexdigest()
    key = (digest, size, click, segmenter)
    found: Mask = _found.get(key, lambda: _segmented(pixels, click, segmenter))
    return found


def _segmented(
    pixels: NDArray[np.uint8], click: tuple[float, float] | None, segmenter: str
) -> Mask:
    maker = SEGMENTERS.get(segmenter)
    size = (pixels.shape[0], pixels.shape[1])
    if click is not None:
        try:
            prompt = Prompt(points=(click,))
            prompt.check(maker.card, size)
        except BadPrompt as error:
            raise BadOption(f"click on the target: {error}") from error
        answer = maker.segment(maker.embed(pixels), prompt)[0]
        if not _stands_out(pixels, answer.mask, LEAST_CLICKED):
            x, y = click
            raise BadOption(
                f"there is no object at {x:g},{y:g} of the target picture; click on one, "
                "or give reference_mask"
            )
        return np.ascontiguousarray(answer.mask)
    return _most_striking(pixels, maker)


def _most_striking(pixels: NDArray[np.uint8], maker: Segmenter) -> Mask:
    state = maker.embed(pixels)
    best: tuple[float, Mask] | None = None
    for prompt in _guesses(maker, (pixels.shape[0], pixels.shape[1])):
        answer: Candidate = maker.segment(state, prompt)[0]
        if not _stands_out(pixels, answer.mask, LEAST_CONTRAST):
            continue
        sides = [answer.mask[0], answer.mask[-1], answer.mask[:, 0], answer.mask[:, -1]]
        at_border = float(np.concatenate(sides).mean())
        contrast = contrast_along(pixels, answer.mask)
        worth = answer.score + CONTRAST_WEIGHT * contrast - BORDER_WEIGHT * at_border
        if best is None or worth > best[0]:
            best = worth, answer.mask
    if best is None:
        raise BadOption(NO_OBJECT)
    return np.ascontiguousarray(best[1])


def _guesses(maker: Segmenter, size: tuple[int, int]) -> Iterator[Prompt]:
    height, width = size
    if "box" in maker.card.prompts:
        for x, y in INSETS:
            yield Prompt(box=(width * x, height * y, width * (1 - x), height * (1 - y)))
    if "points" in maker.card.prompts:
        yield Prompt(points=((width / 2, height / 2),))


def _stands_out(pixels: NDArray[np.uint8], mask: Mask, least: float) -> bool:
    area = int(np.count_nonzero(mask))
    if area < max(4, SMALLEST * mask.size) or mask.all():
        return False
    return contrast_along(pixels, mask) >= least


def contrast_along(pixels: NDArray[np.uint8], mask: Mask) -> float:
    """How much the colour changes across the outline of `mask`, of the full range.

    pixels (H, W, 3) uint8, mask (H, W) bool. In 16 sectors about the mask's middle the mean
    colours just inside and just outside are compared, less two standard errors of that
    difference, so that grain counts for nothing; the median sector counts. May be below 0.
    """
    import cv2

    pixels, mask = _reduced(pixels, mask)
    area = int(np.count_nonzero(mask))
    if not 0 < area < mask.size:
        return 0.0
    reach = max(2, round(0.04 * area**0.5))
    view = mask.view(np.uint8)
    within = np.asarray(cv2.distanceTransform(view, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    beyond = np.asarray(cv2.distanceTransform(1 - view, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    near = (within <= reach) & (beyond <= reach)  # a pixel has one of the two, the other is 0
    rows, columns = np.nonzero(near)
    middle_row, middle_column = (axis.mean() for axis in np.nonzero(mask))
    angle = np.arctan2(rows - middle_row, columns - middle_column)
    sector = ((angle + np.pi) / (2 * np.pi) * SECTORS).astype(int) % SECTORS
    colours, inside = pixels[near].astype(np.float64) / 255, mask[near]
    steps = []
    for index in range(SECTORS):
        mine = sector == index
        one, other = colours[mine & inside], colours[mine & ~inside]
        if min(len(one), len(other)) > 3:
            error = np.sqrt(one.var(0) / len(one) + other.var(0) / len(other)).mean()
            steps.append(np.abs(one.mean(0) - other.mean(0)).mean() - 2 * error)
    return float(np.median(steps)) if steps else 0.0


def _reduced(pixels: NDArray[np.uint8], mask: Mask) -> tuple[NDArray[np.uint8], Mask]:
    """Both at SIGHT pixels at most; a large photo's outline is no sharper for being larger."""
    import cv2

    height, width = mask.shape
    scale = SIGHT / max(height, width)
    if scale >= 1:
        return pixels, mask
    size = max(1, round(scale * width)), max(1, round(scale * height))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(mask.view(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(small, np.uint8), share.view(np.bool_)


def _eight_bits(picture: Picture) -> NDArray[np.uint8]:
    pixels: NDArray[Any] = picture.pixels
    small = pixels if pixels.dtype == np.uint8 else pixels >> 8
    return np.ascontiguousarray(small, np.uint8)
