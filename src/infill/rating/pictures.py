"""The pictures of a ballot as the page gets them: decoded, brought to one size and coded anew.

What arrives in the browser has nothing of the file it came from: neither its name, nor its recipe
(which names the engine), nor its size in bytes.
"""

import base64
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.errors import Unreadable
from infill.rating.ballots import Ballot

LONGEST = 1600
"""Pixels of the longer side of what is shown; a larger photo is reduced."""

QUALITY = 95
COLOUR = (255, 0, 200)
TINT, EDGE = 90, 255
"""Opacity of the mask's inside and of its outline, of 255."""


def value(ballot: Ballot) -> dict[str, Any]:
    """What the page draws: "width", "height", "photo", "mask" and "fills", as data URLs.

    Raises what reading a picture raises.
    """
    sample = ballot.question.sample
    photo = _pixels(sample.before)
    height, width = photo.shape[:2]
    fills = [_jpeg(fill.output, (width, height)) for fill in ballot.shown]
    return {
        "width": width,
        "height": height,
        "photo": _jpeg(sample.before, (width, height)),
        "mask": _mask(sample.mask, (width, height)),
        "fills": fills,
    }


def _pixels(path: Path) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 RGB, no longer than `LONGEST`."""
    from infill.picture import Picture
    from infill.sheets import eight_bits, fitted

    return fitted(eight_bits(Picture.load(path).pixels), LONGEST)


@lru_cache(maxsize=64)
def _jpeg(path: Path, size: tuple[int, int]) -> str:
    """A data URL of the picture at (width, height), with all of its colour."""
    import cv2

    pixels = _pixels(path)
    if (pixels.shape[1], pixels.shape[0]) != size:
        raise Unreadable(f"{path} is not of its photo's size; fill that sample again")
    how = [
        cv2.IMWRITE_JPEG_QUALITY,
        QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    _, data = cv2.imencode(".jpg", pixels[:, :, ::-1], how)
    return _data_url(data.tobytes(), "jpeg")


@lru_cache(maxsize=64)
def _mask(path: Path, size: tuple[int, int]) -> str:
    """The mask to lay over the photo: its inside tinted, its outline solid, the rest clear."""
    import cv2

    from infill.masks.parse import as_mask

    hole = as_mask(path).view(np.uint8)
    small = cv2.resize(hole * 255, size, interpolation=cv2.INTER_AREA) >= 128
    inner = cv2.erode(small.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    drawn = np.zeros((*small.shape, 4), np.uint8)
    drawn[small] = (*COLOUR[::-1], TINT)
    drawn[small & ~inner, 3] = EDGE
    _, data = cv2.imencode(".png", drawn)
    return _data_url(data.tobytes(), "png")


def _data_url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
