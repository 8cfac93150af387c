"""The two ends of the pipeline: a photo and its mask in, a picture out."""

import contextvars
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill import settings
from infill.masks.parse import as_mask, check_size, from_alpha
from infill.picture import Picture, as_picture
from infill.result import Result


def load(source: Any) -> Picture:
    """The photo in a path, bytes, binary file, PIL image or array. See `Picture.load`."""
    return as_picture(source)


def save(picture: Any, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a `Result`, a `Picture`, or anything `load` takes; returns the path.

    A result takes its recipe along. See `Result.save` and `Picture.save` for more choices.
    """
    if isinstance(picture, Result):
        return picture.save(path, overwrite=overwrite)
    return as_picture(picture).save(path, overwrite=overwrite)


def load_both(
    photo: Any, mask: Any, *, threshold: float = 0.5, invert: bool = False
) -> tuple[Picture, NDArray[np.bool_]]:
    """The photo, and its mask as a (H, W) bool array, True = hole, that is nobody else's.

    photo: what `load` takes. mask: what `infill.masks.as_mask` takes, or None = the transparent
    pixels of the photo.

    Where both are files they are decoded side by side, unless the setting `threads` is 1: the
    mask of a large photo takes nearly as long as the photo. If both are bad, it is the photo
    that is complained of.

    Raises what `as_picture`, `as_mask` and `from_alpha` raise.
    """
    if mask is None:
        picture = as_picture(photo)
        return picture, from_alpha(picture, threshold=threshold, invert=invert)
    if not (_is_file(photo) and _is_file(mask)) or settings.current().worker_threads == 1:
        picture = as_picture(photo)
        hole = as_mask(mask, picture, threshold=threshold, invert=invert)
        return picture, _own(hole, mask)
    with ThreadPoolExecutor(1) as beside:
        context = contextvars.copy_context()  # the other thread is to see the same settings
        later = beside.submit(context.run, as_mask, mask, threshold=threshold, invert=invert)
        picture = as_picture(photo)
        hole = later.result()
    name = "the mask" if isinstance(mask, bytes) else os.fspath(mask)
    check_size(hole.shape, (picture.height, picture.width), name)
    return picture, hole


def _is_file(source: Any) -> bool:
    return isinstance(source, str | os.PathLike | bytes)


def _own(hole: NDArray[np.bool_], given: Any) -> NDArray[np.bool_]:
    """`hole`, copied if it is an array that the caller may write to: results never change."""
    shared = isinstance(given, np.ndarray) and np.may_share_memory(hole, given)
    return hole.copy() if shared and given.flags.writeable else hole
