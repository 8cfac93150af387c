"""Masks from COCO annotations: run-length codes, polygons, and whole instances files.

The format is that of https://cocodataset.org/#format-data. Run lengths go down the columns,
one column after the other, and begin with the pixels that are not in the mask. Polygons follow
COCO's own pixel convention, which is ours too (see `infill.masks.raster`).

Compressed codes are read here and not by pycocotools: that returns whatever was in memory where
a code is too short for its size, and the check would have to read the code anyway.
"""

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadMask
from infill.masks.parse import Like, Mask, check_size, from_polygon, shape_of

Annotation = Mapping[str, Any]

KEYS = ("annotations", "segmentation", "counts")
"""One of these is in whatever describes a mask: an instances file, an annotation, a code."""


def from_rle(rle: Annotation, shape: Like | None = None) -> Mask:
    """The mask of {"size": [H, W], "counts": ...}.

    counts: whole numbers, or COCO's compressed text (str or bytes).
    shape:  the photo that the mask belongs to; None takes any size.

    returns: (H, W) bool, True = hole. Raises `BadMask` for a code that does not fit its size,
    and `MaskSizeMismatch`.
    """
    try:
        height, width = (int(side) for side in rle["size"])
        counts = rle["counts"]
    except (KeyError, TypeError, ValueError):
        raise BadMask('a run-length code is {"size": [height, width], "counts": ...}') from None
    if min(height, width) < 1:
        raise BadMask(f"a run-length code needs at least 1×1 pixels, not {width}×{height}")
    check_size((height, width), None if shape is None else shape_of(shape), "the annotation")
    runs = _runs(counts)
    if runs.sum() != height * width:
        raise BadMask(
            f"the run lengths add up to {runs.sum()}, but {width}×{height} pixels are "
            f"{height * width}; the annotation is damaged or of another size"
        )
    values = np.zeros(len(runs), np.bool_)
    values[1::2] = True
    return np.ascontiguousarray(np.repeat(values, runs).reshape(width, height).T)


def to_rle(mask: Mask) -> dict[str, list[int]]:
    """The uncompressed run-length code of a (H, W) bool mask; `from_rle` undoes it."""
    column = mask.ravel(order="F")
    changes = np.flatnonzero(column[1:] != column[:-1]) + 1
    ends = np.concatenate([[0], changes, [column.size]])
    runs = np.diff(ends).tolist()
    return {"size": [*mask.shape], "counts": [0, *runs] if column[0] else runs}


def from_annotation(
    annotation: Annotation | str | os.PathLike[str],
    shape: Like | None = None,
    *,
    image: int | str | None = None,
    category: int | str | Iterable[int | str] | None = None,
    min_area: float = 0.0,
    max_area: float = math.inf,
    crowd: bool = True,
) -> Mask:
    """The union of the masks in an annotation, or of those chosen from an instances file.

    annotation: one annotation (with "segmentation"), a run-length code, a whole instances file
                as `read_instances` returns it, or the path of one. For many photos read the
                file once and pass the result.
    shape:      the photo that the mask belongs to; None = the size that the file states.

    The rest is for instances files:
    image:      id or file name of the photo; needed unless the file has one photo only. A file
                name matches with or without its folder.
    category:   id or name, or several of either; None or none = all.
    min_area, max_area: bounds of the annotation's own "area", in pixels, both included.
    crowd:      whether annotations of crowds count.

    returns: (H, W) bool, True = hole. Raises `BadMask` if nothing is left or the file is no
    instances file, and `MaskSizeMismatch`.
    """
    if isinstance(annotation, str | os.PathLike):
        annotation = read_instances(annotation)
    if "annotations" not in annotation:
        return _one(annotation, shape)
    try:
        photo = _photo(annotation, image)
        wanted = _categories(annotation, category)
        chosen = [
            entry
            for entry in annotation["annotations"]
            if entry["image_id"] == photo["id"]
            and (wanted is None or entry["category_id"] in wanted)
            and min_area <= entry.get("area", min_area) <= max_area
            and (crowd or not entry.get("iscrowd"))
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise BadMask(f"this is no COCO instances file: it lacks or garbles {error}") from error
    if not chosen:
        raise BadMask(f"{_called(photo)} has no such annotation; it has {_what(annotation, photo)}")
    stated = (photo["height"], photo["width"]) if "height" in photo else None
    if shape is not None and stated is not None:
        check_size(stated, shape_of(shape), "the annotated photo")
    masks = [_one(entry, shape if shape is not None else stated) for entry in chosen]
    return np.logical_or.reduce(masks)


def read_instances(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The content of a COCO instances file (JSON), for `from_annotation`.

    Raises `BadMask`, naming the file, if it cannot be read or is no such file.
    """
    try:
        content = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise BadMask(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    except ValueError as error:
        raise BadMask(f"{path} is no JSON ({error}); give a COCO instances file") from error
    if not isinstance(content, dict) or not {"annotations", "segmentation", "counts"} & set(
        content
    ):
        raise BadMask(f"{path} holds no COCO annotations; give a COCO instances file")
    return content


def _decompressed(coded: bytes) -> list[int]:
    """The run lengths in COCO's compressed text; one of -1 if it is no such text.

    Each number is written in groups of five bits, the least first, as a letter from "0" on that
    also says whether more follow; from the fourth on as the difference to the last but one.
    """
    runs: list[int] = []
    value = shift = 0
    for letter in coded:
        bits = letter - 48
        if not 0 <= bits < 64 or shift > 60:
            return [-1]
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    return [-1] if shift else runs


def _runs(counts: Any) -> NDArray[np.int64]:
    """Run lengths from numbers or compressed text. Raises `BadMask` for what is neither."""
    if isinstance(counts, str | bytes):
        counts = _decompressed(counts.encode() if isinstance(counts, str) else counts)
    try:
        runs = np.array(counts, np.float64)
    except (TypeError, ValueError):
        runs = np.array([math.nan])
    if runs.ndim != 1 or not (runs >= 0).all() or (runs % 1 != 0).any():
        raise BadMask("the run lengths are damaged: they are not whole numbers of 0 or more")
    return runs.astype(np.int64)


def _one(annotation: Annotation, shape: Like | None) -> Mask:
    """The mask of one annotation or run-length code."""
    segmentation = annotation if "counts" in annotation else annotation.get("segmentation")
    if isinstance(segmentation, Mapping):
        return from_rle(segmentation, shape)
    if not isinstance(segmentation, Sequence) or isinstance(segmentation, str):
        raise BadMask('an annotation needs a "segmentation": polygons or a run-length code')
    if shape is None:
        raise BadMask("polygons do not say how large the photo is; give the photo or its shape")
    return from_polygon(segmentation, shape)


def _photo(instances: Annotation, image: int | str | None) -> Annotation:
    """The entry of the photo with that id or file name."""
    photos: list[Annotation] = instances.get("images", [])
    if image is None:
        if len(photos) != 1:
            raise BadMask(f"the file annotates {len(photos)} photos; say which by id or file name")
        return photos[0]
    for photo in photos:
        if photo["id"] == image or photo.get("file_name") == image:
            return photo
    name = PurePosixPath(str(image)).name
    named = [
        photo
        for photo in photos
        if PurePosixPath(photo.get("file_name", "")).name == name or str(photo["id"]) == image
    ]
    if len(named) != 1:
        problem = "no photo" if not named else f"{len(named)} photos"
        raise BadMask(f"the file annotates {problem} of the id or name {image!r}")
    return named[0]


def _categories(instances: Annotation, wanted: Any) -> set[Any] | None:
    """The ids of categories given by id or name, or None for all.

    Raises `BadMask` for one that there is not.
    """
    names = [wanted] if isinstance(wanted, int | str) else list(wanted or [])
    if not names:
        return None
    known: dict[Any, Any] = {}
    for entry in instances.get("categories", []):
        known |= {entry["id"]: entry["id"], str(entry["id"]): entry["id"]}
    for entry in instances.get("categories", []):
        known[entry["name"]] = entry["id"]  # a name comes before a number written as text
    for name in names:
        if name not in known:
            there = ", ".join(entry["name"] for entry in instances.get("categories", []))
            raise BadMask(f"the file has no category {name!r}; it has: {there or 'none'}")
    return {known[name] for name in names}


def _what(instances: Annotation, photo: Annotation) -> str:
    """What the file says of a photo, for a message: "2 cat, 1 dog"."""
    names = {entry["id"]: entry["name"] for entry in instances.get("categories", [])}
    counts: dict[str, int] = {}
    for number in _category_ids(instances, photo):
        name = str(names.get(number, number))
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none at all"


def _category_ids(instances: Annotation, photo: Annotation) -> Iterator[Any]:
    for entry in instances["annotations"]:
        if entry["image_id"] == photo["id"]:
            yield entry.get("category_id")


def _called(photo: Annotation) -> str:
    return str(photo.get("file_name") or f"photo {photo['id']}")
