"""Pictures with all the metadata there is, for the tests of what survives."""

import io
import json

from PIL import Image
from tests.files import XMP, exif, icc, photo

from infill.picture import Metadata, Picture

EVERYWHERE = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"]

RECIPE = json.dumps({"engine": "flat", "mask": "ä" + "x" * 150_000, "quote": '"'})


def full(array=None, **changes):
    """A picture with one of everything."""
    picture = Picture.from_array(photo() if array is None else array)
    values = {"icc": icc(), "exif": exif(), "xmp": XMP, "dpi": (300.0, 150.0), **changes}
    return Picture(picture.pixels, picture.alpha, picture.grey, Metadata(**values))


def tags_of(data):
    """EXIF as Pillow reads it: first directory, camera's directory, GPS."""
    found = Image.open(io.BytesIO(data)).getexif()
    return dict(found), found.get_ifd(0x8769), found.get_ifd(0x8825)
