"""From Pillow's images to arrays: every mode, upright, in stripes.

Pillow keeps RGB as four bytes a pixel, so a photo of 24 megapixels is 96 MB there and 72 MB
as an array. Going over in stripes keeps it at those two.
"""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from infill.errors import NotAPicture
from infill.picture.model import Metadata, Picture

if TYPE_CHECKING:
    from PIL.Image import Image

_STRIPE = 2**15  # pixels at a time: larger ones cost the system a fresh mapping each, 4 x slower

Stripe = Callable[["Image"], "Image"]


def picture_of(image: "Image", metadata: Metadata, orientation: int, name: str) -> Picture:
    """A Picture of a Pillow image whose stored pixels lie in `orientation` (1 to 8).

    Raises `NotAPicture` for modes that hold no photo of 8 or 16 bits.
    """
    if image.mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.uint16)
        return picture_of_samples(grey[:, :, None], metadata, orientation)
    if image.mode in ("F", "I"):
        raise NotAPicture(f"{name} has 32 bits a pixel; convert it to 8 or 16 bits first")
    if image.mode in ("CMYK", "LAB"):
        convert, metadata = _colour_conversion(image, metadata)
        target = "RGB"
    else:
        target = _target(image)

        def convert(stripe: "Image") -> "Image":
            return stripe if stripe.mode == target else stripe.convert(target)

    pixels, alpha = _planes(image, convert, target, orientation)
    return Picture(pixels, alpha, target in ("L", "LA"), metadata)


def picture_of_samples(samples: NDArray[Any], metadata: Metadata, orientation: int) -> Picture:
    """A Picture of (H, W, 1 grey | 2 grey, alpha | 3 RGB | 4 RGB, alpha) stored samples."""
    samples = _turned(samples, orientation)
    channels = samples.shape[2]
    alpha = np.ascontiguousarray(samples[:, :, -1]) if channels in (2, 4) else None
    grey = channels <= 2
    pixels = np.repeat(samples[:, :, :1], 3, axis=2) if grey else samples[:, :, :3]
    return Picture(pixels, alpha, grey, metadata)


def _target(image: "Image") -> str:
    """The mode of 8 bits that holds all that the image's own mode holds."""
    transparent = image.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    transparent = transparent or "transparency" in image.info
    if image.mode in ("1", "L", "LA", "La"):
        return "LA" if transparent else "L"
    return "RGBA" if transparent else "RGB"


def _colour_conversion(image: "Image", metadata: Metadata) -> tuple[Stripe, Metadata]:
    """How to turn CMYK or LAB into sRGB, and the metadata that says so.

    With the file's own profile where there is one that fits; the profile describes inks, so
    it cannot stay with the RGB pixels.
    """
    from PIL import ImageCms

    inks, profile, how = image.mode, metadata.icc, "without a profile, so colours are rough"
    convert: Stripe = _plain_rgb
    source: Any = None
    if inks == "LAB":
        source, how = ImageCms.createProfile("LAB"), "as CIE L*a*b*"
    elif profile:
        source, how = io.BytesIO(profile), "with its profile"
    if source is not None:
        try:
            transform = ImageCms.buildTransform(
                source if inks == "LAB" else ImageCms.ImageCmsProfile(source),
                ImageCms.createProfile("sRGB"),
                inks,
                "RGB",
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            how = "without its profile, which is damaged or of another kind"
        else:

            def convert(stripe: "Image") -> "Image":
                turned = ImageCms.applyTransform(stripe, transform)
                assert turned is not None
                return turned

    note = f"converted from {inks} to sRGB {how}; it is saved as RGB"
    return convert, replace(metadata, icc=None, notes=(*metadata.notes, note))


def _plain_rgb(stripe: "Image") -> "Image":
    return stripe.convert("RGB")


def _planes(
    image: "Image", convert: Stripe, target: str, orientation: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """The pixels (H, W, 3) and alpha (H, W) or None of an image, turned upright."""
    from PIL.Image import Transpose

    method = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    width, height = image.size
    shape = (width, height) if orientation >= 5 else (height, width)
    pixels = np.empty((*shape, 3), np.uint8)
    alpha = np.empty(shape, np.uint8) if target in ("LA", "RGBA") else None
    rows = max(1, _STRIPE // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        stripe = convert(image.crop((0, top, width, bottom)))
        if method is not None:
            stripe = stripe.transpose(method)
        block = np.asarray(stripe).reshape(stripe.height, stripe.width, -1)
        place = _place(top, bottom, height, orientation)
        colours = 1 if target in ("L", "LA") else 3
        pixels[place] = block[:, :, :colours]
        if alpha is not None:
            alpha[place] = block[:, :, colours]
    return pixels, alpha


def _place(top: int, bottom: int, height: int, orientation: int) -> tuple[slice, slice]:
    """Where rows `top` to `bottom` of the stored picture lie in the upright one."""
    if orientation in (3, 4, 6, 7):
        top, bottom = height - bottom, height - top
    along = slice(top, bottom)
    return (slice(None), along) if orientation >= 5 else (along, slice(None))


def _turned(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """An (H, W, channels) array turned upright."""
    if orientation >= 5 and array.dtype == np.uint8:
        import cv2

        array = cv2.transpose(array)  # block by block: four times as fast as a strided copy
    elif orientation >= 5:
        array = array.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array
