"""Photos: read from files, held as arrays with all their metadata, and written again.

This package alone knows files, EXIF, colour profiles, alpha and bit depth.
"""

from infill.picture.formats import (
    FORMATS,
    SUFFIXES,
    can_hold,
    check_holds,
    check_output,
    has_transparency,
    holds_text,
    losses,
    sniff,
)
from infill.picture.model import JpegCoding, Metadata, Picture, Pixels, Source, as_picture
from infill.picture.text import read_text

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "JpegCoding",
    "Metadata",
    "Picture",
    "Pixels",
    "Source",
    "as_picture",
    "can_hold",
    "check_holds",
    "check_output",
    "has_transparency",
    "holds_text",
    "losses",
    "read_text",
    "sniff",
]
