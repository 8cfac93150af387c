"""Masks from what people have: an image, a transparent hole, a box, a polygon.

Every function returns a (H, W) bool array with True = hole, to be filled, and raises
`BadMask` where the source describes no mask. An empty or a full mask is no error here.
"""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadMask, MaskSizeMismatch
from infill.masks.raster import draw_polygon, fill_box

if TYPE_CHECKING:
    from infill.picture import Picture

Mask: TypeAlias = NDArray[np.bool_]
Like: TypeAlias = Union["Picture", NDArray[Any], tuple[int, ...]]
"""What says how large a mask is: a picture, an array (H, W, ...) or its shape."""


def as_mask(
    source: Any, picture: Like | None = None, *, threshold: float = 0.5, invert: bool = False
) -> Mask:
    """The (H, W) bool mask that `source` describes, True = hole.

    source:    a path, bytes, an open binary file, a PIL image, a `Picture`, an array, or a COCO
               annotation (a mapping). A bool array is taken as it is and not copied.
    picture:   the photo (or its shape) that the mask belongs to; None takes any size.
    threshold: in [0, 1]; what lies above it is hole, and at 1 only full white (or opaque) is.
    invert:    exchange hole and photo at the end.

    How an image is read:
    - It has an alpha channel that is not the same everywhere: opaque = hole, whatever the
      colours. That is a shape painted on a transparent layer. For the reverse, a photo with a
      transparent hole cut out of it, use `from_alpha`.
    - Otherwise its luminance (0.299 R + 0.587 G + 0.114 B) counts: bright = hole.
    - Arrays are (H, W), or (H, W, n) with n = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA; of
      bool, whole numbers, or real numbers in [0, 1].
    - White is, for whole numbers, the least of 1, 255 and 65535 that holds every value: so a
      label image of 0 and 1, or 0 and 255 stored in 16 bits, reads as it is meant.

    Raises `MaskSizeMismatch`, `BadMask` (NaN, a strange shape), and `PictureError` for a file
    that cannot be read.
    """
    shape = None if picture is None else shape_of(picture)
    if isinstance(source, Mapping):
        from infill.masks.coco import from_annotation

        mask = from_annotation(source, shape)
    else:
        values, alpha = _planes(source)
        plane = values if alpha is None or _constant(alpha) else alpha
        check_size(plane.shape, shape, _name(source))
        mask = _above(plane, threshold)
    return ~mask if invert else mask


def from_alpha(picture: "Picture", *, threshold: float = 0.5, invert: bool = False) -> Mask:
    """The hole that is cut out of the photo itself: True where it is transparent.

    threshold: in [0, 1]; a pixel is kept where its opacity is above it.

    Raises `BadMask` if no pixel of the photo is transparent.
    """
    alpha = picture.alpha
    opaque = None if alpha is None else _above(alpha, threshold, np.iinfo(alpha.dtype).max)
    if opaque is None or opaque.all():
        raise BadMask(
            f"{_name(picture, 'the photo')} has no transparent pixels that could say what to "
            "fill; give a mask"
        )
    return opaque if invert else ~opaque


def from_box(box: Sequence[float] | str, shape: Like) -> Mask:
    """The mask of a box (x0, y0, x1, y1) in pixels, or of its text "x0,y0,x1,y1".

    x runs right and y down from the photo's top left corner; a pixel is in the box when its
    centre is, so with whole numbers x1 and y1 are the first column and row outside. What lies
    outside the photo is clipped.

    Raises `BadMask` if the box covers no pixel.
    """
    values = _numbers(box) if isinstance(box, str) else np.asarray(box, np.float64)
    height, width = shape_of(shape)
    if values.shape != (4,) or not np.isfinite(values).all():
        raise BadMask(f"a box is four numbers x0,y0,x1,y1, not {box!r}")
    x0, y0, x1, y1 = map(float, values)
    if x1 <= x0 or y1 <= y0:
        raise BadMask(f"the box {box!r} is empty: x1 must be above x0, and y1 above y0")
    mask = fill_box((x0, y0, x1, y1), (height, width))
    if not mask.any():
        raise BadMask(f"the box {box!r} covers no pixel of the {width}×{height} photo")
    return mask


def from_polygon(points: Any, shape: Like) -> Mask:
    """The mask of one polygon or the union of several.

    points: [(x, y), ...] or flat [x, y, x, y, ...] in pixels, or a list of such polygons, or
            text "x,y x,y x,y; x,y ..." with a semicolon between polygons. A polygon closes by
            itself. One that crosses itself follows the even-odd rule; several are united.
    A pixel belongs to a polygon when its centre does; see `infill.masks.raster`.

    Raises `BadMask` for fewer than three points, or NaN, or where nothing is covered.
    """
    height, width = shape_of(shape)
    mask = np.zeros((height, width), np.bool_)
    for polygon in _polygons(points):
        draw_polygon(mask, polygon)
    if not mask.any():
        raise BadMask(f"the polygon covers no pixel of the {width}×{height} photo")
    return mask


def union(
    shape: tuple[int, int],
    masks: Sequence[Mask] = (),
    boxes: Sequence[Any] | None = None,
    polygons: Sequence[Any] | None = None,
) -> Mask | None:
    """All of them in one (H, W) bool mask, or None if there are none.

    boxes, polygons: each what `from_box` and `from_polygon` take. Raises what those raise.
    """
    parts = [*masks]
    parts += [from_box(box, shape) for box in boxes or ()]
    parts += [from_polygon(polygon, shape) for polygon in polygons or ()]
    if not parts:
        return None
    united = parts[0]
    for part in parts[1:]:
        united = united | part
    return united


def to_image(mask: Mask) -> NDArray[np.uint8]:
    """(H, W) uint8 image of a (H, W) bool mask: 255 = hole, 0 = photo."""
    return np.where(mask, np.uint8(255), np.uint8(0))


def shape_of(like: Like) -> tuple[int, int]:
    """(H, W) of a picture, an array or a shape. Raises `BadMask` where there is none."""
    given: Any = like
    shape = given if isinstance(given, tuple | list) else getattr(given, "shape", None)
    if shape is None and hasattr(given, "height"):
        shape = (given.height, given.width)
    if shape is None or len(shape) < 2 or min(shape[:2]) < 1:
        raise BadMask(f"a mask needs a picture of at least 1×1 pixels, not {like!r}")
    return int(shape[0]), int(shape[1])


def check_size(shape: tuple[int, ...], wanted: tuple[int, int] | None, name: str) -> None:
    """Raise `MaskSizeMismatch` unless the mask's (H, W) is the photo's; None takes any."""
    if wanted is None or shape == wanted:
        return
    mine, photo = f"{shape[1]}×{shape[0]}", f"{wanted[1]}×{wanted[0]}"
    if shape == wanted[::-1]:
        mend = "it looks turned by 90°, so rotate the mask, or export both the same way up"
    else:
        mend = f"resize the mask to {photo}, or make it from this photo"
    raise MaskSizeMismatch(f"{name} is {mine} pixels, but the photo is {photo}; {mend}")


def _planes(source: Any) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The (H, W) luminance of any source, and its alpha if it has one."""
    if isinstance(source, np.ndarray):
        return _split(_standard(source))
    from infill.picture import Picture, as_picture
    from infill.picture.plane import load_planes, planes_of

    if isinstance(source, str | os.PathLike | bytes) or hasattr(source, "read"):
        return load_planes(source)
    return planes_of(source if isinstance(source, Picture) else as_picture(source))


def _standard(array: NDArray[Any]) -> NDArray[Any]:
    """The array as bool, uint8, uint16 or float32 in [0, 1]; not copied where it is one."""
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 2, 3, 4)):
        raise BadMask(f"a mask array is (H, W) or (H, W, 1 to 4), not {array.shape}")
    if array.size == 0:
        raise BadMask(f"a mask array needs at least 1×1 pixels, not {array.shape}")
    if array.dtype in (np.bool_, np.uint8, np.uint16):
        return array
    if array.dtype.kind not in "iuf":
        raise BadMask(f"a mask array is of bool, whole or real numbers, not {array.dtype}")
    low, high = array.min(), array.max()
    if array.dtype.kind == "f":
        if not (low >= 0 and high <= 1):  # false for NaN as well
            raise BadMask(
                f"a mask of real numbers is in [0, 1] without NaN, not {low:g} to {high:g}"
            )
        return array.astype(np.float32, copy=False)
    if low < 0 or high > 65535:
        raise BadMask(f"a mask of whole numbers is in 0 to 65535, not {low} to {high}")
    return array.astype(np.uint16)


def _split(array: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Luminance and alpha of an array as `_standard` returns it."""
    if array.ndim == 2:
        return array, None
    alpha = array[:, :, -1] if array.shape[2] in (2, 4) else None
    if array.shape[2] <= 2:
        return array[:, :, 0], alpha
    if array.dtype == np.bool_:
        return np.asarray(array[:, :, :3].any(axis=2)), alpha
    from infill.picture.plane import luminance

    return luminance(array), alpha


def _full_scale(plane: NDArray[Any]) -> int:
    """What white is in a plane of whole numbers: 1, 255 or 65535, the least that holds all."""
    high = plane.max()
    return 1 if high <= 1 else 255 if high <= 255 else 65535


def _above(plane: NDArray[Any], threshold: float, scale: int | None = None) -> Mask:
    """True where `plane` is above `threshold` of the scale (None = by its values), or is full."""
    if not 0 <= threshold <= 1:
        raise BadMask(f"the threshold is from 0 to 1, not {threshold}")
    if plane.dtype == np.bool_:
        return plane
    if plane.dtype.kind == "f":
        return np.asarray(plane > threshold if threshold < 1 else plane >= 1)
    scale = scale or _full_scale(plane)
    return np.asarray(plane > min(int(threshold * scale), scale - 1))


def _constant(plane: NDArray[Any]) -> bool:
    return bool(plane.min() == plane.max())


def _name(source: Any, otherwise: str = "the mask") -> str:
    """How to call the source in a message: its file name if it has one."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    path = getattr(getattr(source, "metadata", source), "path", None)
    return str(path or getattr(source, "filename", "") or getattr(source, "name", "") or otherwise)


def _numbers(text: str) -> NDArray[np.float64]:
    """The numbers of "1,2 3,4", with commas or spaces between them."""
    try:
        return np.array([float(word) for word in text.replace(",", " ").split()])
    except ValueError:
        raise BadMask(f"{text!r} is no list of numbers, such as 10,20 30,40") from None


def _polygons(points: Any) -> list[NDArray[np.float64]]:
    """Every polygon of `from_polygon`'s argument as (N, 2) float64."""
    if isinstance(points, str):
        return [_polygon(_numbers(part)) for part in points.split(";") if part.strip()]
    if len(points) == 0:
        raise BadMask("a polygon needs at least three points; there is none")
    if np.ndim(points[0]) == 0:  # flat: x, y, x, y
        return [_polygon(points)]
    if np.ndim(points[0]) == 1 and len(points[0]) == 2:  # pairs
        return [_polygon(points)]
    return [_polygon(part) for part in points]


def _polygon(points: Any) -> NDArray[np.float64]:
    try:
        flat = np.asarray(points, np.float64)
    except (TypeError, ValueError):
        raise BadMask("a polygon is a list of (x, y) pairs of numbers") from None
    if flat.size % 2 or (flat.ndim == 2 and flat.shape[1] != 2) or flat.ndim > 2:
        raise BadMask("a polygon is a list of (x, y) pairs: x0,y0 x1,y1 x2,y2 …")
    pairs = flat.reshape(-1, 2)
    if len(pairs) < 3:
        raise BadMask(f"a polygon needs at least three points, not {len(pairs)}")
    if not np.isfinite(pairs).all():
        raise BadMask("a polygon's points must be finite numbers, not NaN or infinity")
    return pairs
