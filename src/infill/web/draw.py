"""What the page shows of a photo and a mask: reduced, while every edit is at full size.

Coordinates that cross to the page and back are the photo's own pixels, as fractions of them
where the picture on the screen is smaller, so nothing here has to map them. Masks are (H, W)
bool, True = to be filled.
"""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadMask
from infill.picture import Picture
from infill.segmentation import eight_bits

LONGEST = 1400
"""Pixels of the longer side of what is shown."""
THUMB = 220
MOST_POINTS = 100_000
MASK_COLOUR = (255, 0, 160)
PROPOSAL_COLOUR = (255, 176, 0)
TINT, EDGE = 115, 255
"""Opacity of the mask's inside and of its outline, of 255."""


def shown_size(width: int, height: int, longest: int = LONGEST) -> tuple[int, int]:
    """(width, height) of what is shown of a photo: never enlarged, no side below one pixel."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def reduced(picture: Picture, longest: int = LONGEST) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 RGB: the photo as it is shown, transparency on white."""
    import cv2

    pixels = eight_bits(picture)
    size = shown_size(picture.width, picture.height, longest)
    if size != (picture.width, picture.height):
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    if picture.alpha is None:
        return pixels
    share: Any = picture.alpha.astype(np.float32) / np.iinfo(picture.alpha.dtype).max
    share = np.asarray(cv2.resize(share, size, interpolation=cv2.INTER_AREA))[:, :, None]
    return np.asarray(np.round(pixels * share + 255 * (1 - share))).astype(np.uint8)


def jpeg(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    """The bytes of a JPEG of (h, w, 3) uint8 RGB, for the screen alone."""
    import cv2

    _, data = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def reduced_mask(mask: NDArray[np.bool_], longest: int = LONGEST) -> NDArray[np.bool_]:
    """(h, w) bool: the mask as it is shown; a pixel is on where at least half of it is."""
    import cv2

    height, width = mask.shape
    size = shown_size(width, height, longest)
    if size == (width, height):
        return mask
    share = cv2.resize(mask.view(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    return np.asarray(share >= 128)


def tinted(
    mask: NDArray[np.bool_], colour: tuple[int, int, int] = MASK_COLOUR, tint: int = TINT
) -> str:
    """The mask as a transparent PNG to lay over the photo: its inside tinted, its outline solid.

    returns: a data URL. The PNG has a palette of three (nothing, inside, outline), which is
    coded several times faster than four channels: a click waits for it.
    """
    import cv2
    from PIL import Image

    places = reduced_mask(mask).astype(np.uint8)
    inner = cv2.erode(places, np.ones((3, 3), np.uint8), iterations=2)
    image = Image.fromarray(np.where(inner, 1, 2 * places).astype(np.uint8))
    image.putpalette([*colour, *colour, *colour])
    file = io.BytesIO()
    image.save(file, "PNG", transparency=bytes([0, tint, EDGE]), bits=2, compress_level=1)
    return data_url(file.getvalue(), "png")


def data_url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def cut_out(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 of at most `THUMB` pixels: the reduced photo, pale but for the mask."""
    import cv2

    size = shown_size(picture.shape[1], picture.shape[0], THUMB)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    on = cv2.resize(mask.view(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    share = (on.astype(np.float32) / 255)[:, :, None]
    pale = 255 - (255 - small.astype(np.float32)) * 0.2
    return np.asarray(np.round(small * share + pale * (1 - share))).astype(np.uint8)


def stroke(
    shape: tuple[int, int], points: Sequence[Sequence[float]], radius: float
) -> NDArray[np.bool_]:
    """(H, W) bool: what a round brush of `radius` touches on its way through the points (x, y).

    Raises `BadMask` for what no hand paints: no point, one that is no number or far away, a
    radius that is none.
    """
    import cv2

    far = 4.0 * max(shape)
    try:
        places = np.array(points, np.float64)
    except ValueError:
        places = np.empty(0)
    good = places.ndim == 2 and places.shape[1:] == (2,) and 0 < len(places) <= MOST_POINTS
    if not (good and (np.abs(places) <= far).all() and 0 < radius <= far):
        raise BadMask("that is no brush stroke; paint again")
    drawn = np.zeros(shape, np.uint8)
    fraction = 4  # bits of a pixel that OpenCV takes
    thickness = max(1, round(2 * radius))
    fixed = np.round((places - 0.5) * 2**fraction).astype(np.int32)
    cv2.polylines(drawn, [fixed.reshape(-1, 1, 2)], False, 1, thickness, cv2.LINE_8, fraction)
    for x, y in (fixed[0], fixed[-1]):
        cv2.circle(
            drawn, (int(x), int(y)), round(radius * 2**fraction), 1, -1, cv2.LINE_8, fraction
        )
    return drawn.view(np.bool_)


def resized_mask(mask: NDArray[np.bool_], width: int, height: int) -> NDArray[np.bool_]:
    """A mask of another photo, stretched to this one's size."""
    import cv2

    if mask.shape == (height, width):
        return mask
    scaled = cv2.resize(mask.view(np.uint8) * 255, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(scaled >= 128)
