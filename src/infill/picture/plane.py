"""Luminance and alpha alone, for a mask: as `Picture.load` has them, but in less time and memory.

A mask needs no three channels, and nothing of a file's metadata but which way is up. So the
common files, PNG and JPEG of 8 bits that lie upright, go from Pillow to one channel in stripes.
All others are loaded as a Picture and then reduced.
"""

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from infill.picture import png
from infill.picture.convert import _STRIPE, _target
from infill.picture.formats import sniff
from infill.picture.model import Picture, Source
from infill.picture.read import _damage, _slurp, check_size, decode

if TYPE_CHECKING:
    from PIL.Image import Image

Planes = tuple[NDArray[Any], NDArray[Any] | None]


def load_planes(source: Source) -> Planes:
    """Luminance (H, W) and alpha (H, W) or None of an image file, uint8 or uint16, upright.

    source: a path, the bytes of a file, or a binary file object.

    Raises what `Picture.load` raises.
    """
    data, name, path = _slurp(source)
    with _damage(name):
        image = _simple(data, name)
        if image is not None:
            return _in_stripes(image)
    return planes_of(decode(data, name, path))


def planes_of(picture: Picture) -> Planes:
    """Luminance (H, W) and alpha (H, W) or None of a picture, of the picture's dtype."""
    if picture.grey:
        return picture.pixels[:, :, 0], picture.alpha
    return luminance(picture.pixels), picture.alpha


def luminance(pixels: NDArray[Any]) -> NDArray[Any]:
    """(H, W) luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), of (H, W, 3 or 4) RGB or RGBA.

    uint8, uint16 or float32; the result has the same dtype.
    """
    import cv2

    code = cv2.COLOR_RGB2GRAY if pixels.shape[2] == 3 else cv2.COLOR_RGBA2GRAY
    return cv2.cvtColor(np.ascontiguousarray(pixels), code)


def _simple(data: bytes, name: str) -> "Image | None":
    """The opened image if it is a PNG or JPEG of 8 bits that lies upright, else None."""
    image: Image
    format = sniff(data[:32])
    if format == "PNG":
        from PIL.PngImagePlugin import PngImageFile

        found = png.parse(data)
        if found.depth > 8 or found.exif is not None or found.xmp is not None:
            return None
        check_size(found.width, found.height, name)
        image = PngImageFile(io.BytesIO(data))
    elif format == "JPEG":
        from PIL.JpegImagePlugin import JpegImageFile

        image = JpegImageFile(io.BytesIO(data))
        check_size(*image.size, name)
        if "exif" in image.info or "xmp" in image.info:
            return None
    else:
        return None
    return image if image.mode in ("1", "L", "LA", "P", "RGB", "RGBA") else None


def _in_stripes(image: "Image") -> Planes:
    target = _target(image)
    width, height = image.size
    plane = np.empty((height, width), np.uint8)
    alpha = np.empty((height, width), np.uint8) if target in ("LA", "RGBA") else None
    rows = max(1, _STRIPE // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        stripe = image.crop((0, top, width, bottom))
        stripe = stripe if stripe.mode == target else stripe.convert(target)
        block = np.asarray(stripe).reshape(bottom - top, width, -1)
        colour = target in ("RGB", "RGBA")
        plane[top:bottom] = luminance(block) if colour else block[:, :, 0]
        if alpha is not None:
            alpha[top:bottom] = block[:, :, -1]
    return plane, alpha
