"""What a photo is: its pixels, and what its file said about them."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadPixels, FormatCannotHold, NotAPicture

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
StrPath = str | os.PathLike[str]
Source = StrPath | bytes | BinaryIO
LARGE = 1_000_000
"""Pixels of a photo from which it is worth loading OpenCV to decode or encode it sooner."""


@dataclass(frozen=True)
class JpegCoding:
    """How a JPEG was coded, so that one saved from it is coded alike.

    tables:      quantisation table of each component, 64 numbers row by row.
    subsampling: of the chroma: 0 = 4:4:4, 1 = 4:2:2, 2 = 4:2:0.
    rgb:         the components are red, green and blue, not luma and chroma.
    """

    tables: tuple[tuple[int, ...], ...]
    subsampling: int = 0
    progressive: bool = False
    rgb: bool = False


@dataclass(frozen=True)
class Metadata:
    """What the file said beside the pixels, ready to be written again.

    format:   "JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF"; None for an array.
    path:     where it was read from, or None.
    icc:      the colour profile that the pixels are in; None means sRGB or unknown.
    exif:     EXIF as a TIFF block, upright (orientation 1), without thumbnails.
    xmp:      XMP packet (UTF-8), upright too.
    dpi:      pixels per inch, across and down.
    text:     textual notes of the file (PNG text chunks, JPEG comment) but no recipe of ours:
              that belongs to the file it was read from, not to what is made of it.
    jpeg:     coding of a JPEG.
    png:      chunks of a PNG that say what its colours mean (gAMA, cHRM, sRGB, cICP).
    lossless: whether the file kept every bit of its pixels.
    notes:    sentences for a person about what could not be kept or was chosen.
    """

    format: str | None = None
    path: Path | None = None
    icc: bytes | None = field(default=None, repr=False)
    exif: bytes | None = field(default=None, repr=False)
    xmp: bytes | None = field(default=None, repr=False)
    dpi: tuple[float, float] | None = None
    text: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    jpeg: JpegCoding | None = field(default=None, repr=False)
    png: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    lossless: bool = True
    notes: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        values = {**vars(self), "text": dict(self.text)}  # a mapping proxy cannot be pickled
        return _metadata, (values,)


def _metadata(values: dict[str, Any]) -> Metadata:
    return Metadata(**{**values, "text": MappingProxyType(values["text"])})


@dataclass(frozen=True, eq=False)
class Picture:
    """A photo, upright, with all that is needed to save it as the file it came from.

    pixels: (H, W, 3) uint8 or uint16, RGB, C-contiguous, read-only.
    alpha:  (H, W) of the same dtype, 0 = transparent, or None.
    grey:   the file had one colour channel. It is saved as one as long as the three are equal.

    Arrays are taken over, not copied: whoever makes a Picture writes to them no more.
    Raises `BadPixels` for another shape or dtype.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    grey: bool = False
    metadata: Metadata = field(default_factory=Metadata)

    def __post_init__(self) -> None:
        pixels, alpha = _frozen(self.pixels), self.alpha
        if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise BadPixels(
                f"pixels must be (H, W, 3) of uint8 or uint16, not {pixels.shape} of {pixels.dtype}"
            )
        if pixels.size == 0:
            raise BadPixels(f"the picture is empty: its shape is {pixels.shape}")
        object.__setattr__(self, "pixels", pixels)
        if alpha is not None:
            alpha = _frozen(alpha)
            if alpha.dtype != pixels.dtype or alpha.shape != pixels.shape[:2]:
                raise BadPixels(
                    f"alpha must be {pixels.shape[:2]} of {pixels.dtype}, as the pixels are, "
                    f"not {alpha.shape} of {alpha.dtype}"
                )
            object.__setattr__(self, "alpha", alpha)

    def __repr__(self) -> str:
        kind = ("grey" if self.grey else "RGB") + (" with alpha" if self.alpha is not None else "")
        origin = self.metadata.path or self.metadata.format or "array"
        return f"<Picture {self.width} x {self.height} {self.dtype} {kind}, {origin}>"

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.pixels.dtype

    @cached_property
    def sha256(self) -> tuple[str, str]:
        """("file", SHA-256 of the file's bytes) if it was read from a file and is unchanged.

        Otherwise ("pixels", SHA-256 of dtype, shape, pixels and alpha, little-endian).
        """
        digest = hashlib.sha256(f"{self.dtype.name} {self.pixels.shape}\n".encode())
        for plane in (self.pixels, self.alpha):
            if plane is not None:
                digest.update(plane.astype(plane.dtype.newbyteorder("<"), copy=False).data)
        return "pixels", digest.hexdigest()

    @classmethod
    def load(cls, source: Source) -> "Picture":
        """Read a photo from a path, the bytes of a file, or a binary file object.

        JPEG, PNG, WebP, TIFF, BMP and AVIF, of 8 or 16 bits per channel. It comes upright, as
        RGB; CMYK is converted with its profile. Of several frames the first is taken.

        Raises `Unreadable`, `EmptyFile`, `NotAPicture`, `TruncatedPicture`, `TooManyPixels`.
        """
        from infill.picture.read import load

        return load(source)

    @classmethod
    def from_pil(cls, image: "Image") -> "Picture":
        """A Picture of a Pillow image of any mode; its EXIF orientation is applied."""
        from infill.picture.read import from_pil

        return from_pil(image)

    @classmethod
    def from_array(cls, array: NDArray[Any]) -> "Picture":
        """A Picture of an RGB array (a copy, unless the array is read-only).

        array: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4 = RGBA); uint8, uint16, or float in
               [0, 1], which becomes uint8.

        Raises `BadPixels` for another shape, dtype or range, for NaN and infinity.
        """
        values: Any = _integers(np.asarray(array))
        if values.ndim == 2:
            values = values[:, :, None]
        if values.ndim != 3 or values.shape[2] not in (1, 3, 4):
            raise BadPixels(
                f"an array of shape {np.shape(array)} is no picture; "
                "give (H, W), (H, W, 3) or (H, W, 4)"
            )
        alpha = values[:, :, 3].copy() if values.shape[2] == 4 else None
        if values.shape[2] == 1:
            return cls(np.repeat(values, 3, axis=2), grey=True)
        pixels = values[:, :, :3]
        if np.shares_memory(pixels, array) and array.flags.writeable:
            pixels = pixels.copy()
        return cls(pixels, alpha)

    def with_pixels(self, pixels: Pixels, alpha: NDArray[Any] | None = None) -> "Picture":
        """This picture with other pixels, and other alpha if any is given; its metadata stays.

        pixels (H, W, 3) and alpha (H, W) are taken over, not copied, and must be of this
        picture's own size and depth.
        """
        return replace(self, pixels=pixels, alpha=self.alpha if alpha is None else alpha)

    def save(
        self,
        path: StrPath,
        *,
        overwrite: bool = False,
        quality: int | None = None,
        lossless: bool | None = None,
        text: Mapping[str, str] | None = None,
    ) -> Path:
        """Write the photo in the format of the path's extension and return the path.

        The file appears whole or not at all. See `to_bytes` for the rest.
        """
        from infill.files import write_atomically
        from infill.picture.formats import check_output
        from infill.picture.write import encode

        entry = check_output(path, self, overwrite=overwrite)
        return write_atomically(
            path,
            lambda file: encode(self, entry, file, quality, lossless, text),
            overwrite=overwrite,
        )

    def to_bytes(
        self,
        format: str,
        *,
        quality: int | None = None,
        lossless: bool | None = None,
        text: Mapping[str, str] | None = None,
    ) -> bytes:
        """The bytes of the file that `save` would write.

        format:   "png", ".png", "jpeg", ...
        quality:  1 to 100 for JPEG, WebP and AVIF; the other formats are lossless and take no
                  notice. None: a JPEG keeps its own tables and subsampling, anything else gets
                  a high quality.
        lossless: for WebP and AVIF; None = yes for WebP unless the source was lossy or a quality
                  is given. Lossless AVIF means its best quality.
        text:     texts to embed by name, beside those in the metadata; `read_text` reads them.

        Raises `FormatCannotHold`, and `BadSetting` for a quality out of range.
        """
        import io

        from infill.picture.formats import check_holds
        from infill.picture.write import encode

        file = io.BytesIO()
        encode(self, check_holds(format, self), file, quality, lossless, text)
        return file.getvalue()

    def to_pil(self) -> "Image":
        """A Pillow image: L, LA, RGB or RGBA of 8 bits, or I;16 for 16-bit grey.

        Raises `FormatCannotHold` for other 16-bit pictures, which Pillow has no mode for.
        """
        from infill.picture.write import to_pil

        if self.dtype == np.uint16 and (self.alpha is not None or not is_grey(self)):
            raise FormatCannotHold(
                "Pillow has no image of 16 bits with colour or alpha; use .pixels and .alpha"
            )
        return to_pil(self)


def as_picture(source: "Source | NDArray[Any] | Image | Picture") -> Picture:
    """A Picture of whatever holds one: Picture, array, Pillow image, path, bytes or file object.

    Raises what `Picture.load`, `from_array` and `from_pil` raise, and `NotAPicture` for an
    object of another kind.
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, np.ndarray):
        return Picture.from_array(source)
    if isinstance(source, (str, os.PathLike, bytes)) or hasattr(source, "read"):
        return Picture.load(cast(Source, source))
    if hasattr(source, "getbands"):  # Pillow's; asked this way, Pillow need not be imported
        return Picture.from_pil(source)
    raise NotAPicture(
        f"a {type(source).__name__} is no photo; "
        "give a path, bytes, a file object, an array or a Pillow image"
    )


def is_grey(picture: Picture) -> bool:
    """Whether the file had one channel and the three are still equal."""
    if not picture.grey:
        return False
    pixels = picture.pixels
    rows = max(1, 2**18 // picture.width)  # in stripes: no array of the whole size is made
    return all(
        bool(
            (pixels[top : top + rows, :, 0] == pixels[top : top + rows, :, 1]).all()
            and (pixels[top : top + rows, :, 0] == pixels[top : top + rows, :, 2]).all()
        )
        for top in range(0, picture.height, rows)
    )


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only, C-contiguous, native-endian view (or copy, if it must be) of an array."""
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")).view(np.ndarray)
    view = array.view()
    view.flags.writeable = False
    return view


def _integers(array: NDArray[Any]) -> Pixels:
    """The array as uint8 or uint16; floats in [0, 1] become uint8. Raises `BadPixels`."""
    if array.dtype.newbyteorder("=") in (np.uint8, np.uint16):
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise BadPixels(
            f"an array of {array.dtype} is no picture; give uint8, uint16 or floats in [0, 1]"
        )
    if array.size and not np.isfinite(array).all():
        raise BadPixels("the array holds NaN or infinity; pixels are numbers in [0, 1]")
    if array.size and (array.min() < 0 or array.max() > 1):
        raise BadPixels(
            f"the array's floats go from {array.min():g} to {array.max():g}; "
            "they must lie in [0, 1]"
        )
    return np.round(array * 255).astype(np.uint8)
