"""A larger canvas: the photo with empty margins, and the mask of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadPixels, TooManyPixels
from infill.picture.model import Picture


def extended(
    picture: Picture, left: int = 0, top: int = 0, right: int = 0, bottom: int = 0
) -> tuple[Picture, NDArray[np.bool_]]:
    """The photo with margins of so many pixels, and the (H, W) bool mask of them, True = margin.

    The margins are zero, opaque where the photo has alpha, and to be filled. Depth, profile and
    metadata stay. Raises `BadPixels` for a margin below 0 and `TooManyPixels` where the result is
    larger than the setting `max_pixels`.
    """
    from infill.settings import current

    margins = {"left": left, "top": top, "right": right, "bottom": bottom}
    for side, margin in margins.items():
        if margin < 0:
            raise BadPixels(f"the canvas grows by 0 pixels or more, so {side} cannot be {margin}")
    height, width = picture.height + top + bottom, picture.width + left + right
    if height * width > current().max_pixels:
        raise TooManyPixels(
            f"{width}×{height} pixels are more than the limit of {current().max_pixels}; "
            "extend the canvas by less, or raise INFILL_MAX_PIXELS"
        )
    inner = (slice(top, top + picture.height), slice(left, left + picture.width))
    pixels: Any = np.zeros((height, width, 3), picture.dtype)
    pixels[inner] = picture.pixels
    alpha: Any = None
    if picture.alpha is not None:
        alpha = np.full((height, width), np.iinfo(picture.alpha.dtype).max, picture.alpha.dtype)
        alpha[inner] = picture.alpha
    mask = np.ones((height, width), np.bool_)
    mask[inner] = False
    return picture.with_pixels(pixels, alpha), mask
