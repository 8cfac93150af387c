"""COCO's annotated objects as masks (https://cocodataset.org/#format-data).

The file of annotations is gone through once. What stays in memory is a row of numbers for each
object; outlines are read when a mask is asked for, and drawn by pycocotools, as in everyone
else's tests. Run-length codes, which pycocotools trusts, are read by `infill.masks.coco`.
"""

import functools
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.data.records import Record, read_record, records
from infill.errors import BadMask
from infill.lazy import need
from infill.masks import from_rle
from infill.masks.dice import Dice, Rng
from infill.masks.objects import Objects
from infill.masks.parse import Mask, check_size

FARTHEST = 4.0
"""Outlines that reach farther than so many sides out of the photo are damaged."""


@dataclass(frozen=True)
class Photo:
    """A photo as the annotations know it."""

    id: int
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class Table:
    """One row for each object, in order of photos and then of the objects' own numbers.

    photo, id, kind: int64, the photo's, the object's and its class's number. area: float64,
    pixels. crowd: bool. start, length: int64, the bytes of the file that hold it.
    """

    photo: NDArray[np.int64]
    id: NDArray[np.int64]
    kind: NDArray[np.int64]
    area: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    start: NDArray[np.int64]
    length: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Instances:
    """Annotated objects by photo; made by `instances_of`.

    photos: by file name without folder. classes: number by name.
    """

    path: Path
    photos: Mapping[str, Photo]
    classes: Mapping[str, int]
    table: Table

    def has(self, photo: str, chosen: Objects) -> bool:
        """Whether a photo, by its file name, has an object that is `chosen`."""
        known = self.photos.get(PurePosixPath(photo).name)
        return known is not None and len(self._rows(known, chosen)) > 0

    def check(self, chosen: Objects) -> None:
        """Raise `BadMask` for a class that the annotations do not have."""
        self._kinds(chosen)

    def mask(self, photo: str, shape: tuple[int, int], chosen: Objects, rng: Rng = 0) -> Mask:
        """The objects of a photo together, or one of them.

        photo: the file's name, with or without folders. shape: its (H, W). rng: draws the one.

        returns: (H, W) bool, True = object. Raises `BadMask` if none is `chosen`,
        `MaskSizeMismatch` for a photo of another size, `MissingExtra` without pycocotools.
        """
        known = self.photos.get(PurePosixPath(photo).name)
        if known is None:
            raise BadMask(f"{self.path} annotates no photo {photo}")
        check_size((known.height, known.width), shape, "the annotated photo")
        rows = self._rows(known, chosen)
        if not len(rows):
            raise BadMask(f"{self.path} has no such object for {photo}: {said(chosen)}")
        if chosen.one:
            rows = rows[[Dice(rng).whole(0, len(rows) - 1)]]
        masks = [self.drawn(row, known) for row in rows.tolist()]
        return np.logical_or.reduce(masks)

    def objects(self, photo: str, chosen: Objects) -> list[tuple[int, Mask]]:
        """Number and mask (H, W) of each object of a photo that is `chosen`; none is no error."""
        known = self.photos.get(PurePosixPath(photo).name)
        if known is None:
            return []
        rows = self._rows(known, chosen).tolist()
        return [(int(self.table.id[row]), self.drawn(row, known)) for row in rows]

    def drawn(self, row: int, photo: Photo) -> Mask:
        """(H, W) bool: the object in one row of the table."""
        start, length = int(self.table.start[row]), int(self.table.length[row])
        entry = read_record(self.path, start, length)
        try:
            return outline(entry["segmentation"], (photo.height, photo.width))
        except (BadMask, KeyError, TypeError, ValueError) as error:
            number = int(self.table.id[row])
            raise BadMask(f"the object {number} in {self.path} is damaged: {error}") from error

    def _rows(self, photo: Photo, chosen: Objects) -> NDArray[np.intp]:
        """Rows of the table: the photo's objects that are `chosen`."""
        first, end = np.searchsorted(self.table.photo, [photo.id, photo.id + 1])
        part = slice(int(first), int(end))
        area = self.table.area[part]
        fits = _within(area, chosen.pixels) & _within(
            area / (photo.height * photo.width), chosen.share
        )
        if chosen.classes:
            fits &= np.isin(self.table.kind[part], self._kinds(chosen))
        if not chosen.crowd:
            fits &= ~self.table.crowd[part]
        return first + np.flatnonzero(fits)

    def _kinds(self, chosen: Objects) -> list[int]:
        """The numbers of the classes. Raises `BadMask` for one that there is not."""
        numbers = set(self.classes.values())
        kinds = []
        for name in chosen.classes:
            number = self.classes.get(str(name), name)
            if number not in numbers:
                there = ", ".join(self.classes) or "none"
                raise BadMask(f"{self.path} has no class {name!r}; it has: {there}")
            kinds.append(int(number))
        return kinds


def instances_file(root: Path, folder: str) -> Path | None:
    """The annotations that belong to a folder of COCO's photos, if they are there."""
    name = f"instances_{folder}.json"
    return next(
        (path for path in (root / "annotations" / name, root / name) if path.is_file()), None
    )


def instances_of(path: Path) -> Instances:
    """The annotations in a file, read once in a process unless it changes. Raises `BadMask`."""
    try:
        told = path.stat()
    except OSError as error:
        raise BadMask(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    return _read(path, told.st_mtime_ns, told.st_size)


@functools.lru_cache(maxsize=4)
def _read(path: Path, changed: int, size: int) -> Instances:
    photos: dict[str, Photo] = {}
    classes: dict[str, int] = {}
    numbers = {name: array("q") for name in ("photo", "id", "kind", "crowd", "start", "length")}
    areas = array("d")
    for record in records(path):
        entry = record.content
        try:
            if record.key == "images":
                name = PurePosixPath(entry["file_name"]).name
                photos[name] = Photo(int(entry["id"]), int(entry["height"]), int(entry["width"]))
            elif record.key == "categories":
                classes[str(entry["name"])] = int(entry["id"])
            else:
                areas.append(float(entry["area"]))
                _add(numbers, record)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            place = f"{record.key} at byte {record.start}"
            raise BadMask(
                f"{path} is damaged: one of its {place} lacks or garbles {error}"
            ) from None
    return Instances(path, photos, classes, _table(numbers, areas))


def _add(numbers: Mapping[str, "array[int]"], record: Record) -> None:
    entry = record.content
    row = (entry["image_id"], entry["id"], entry["category_id"], entry.get("iscrowd") or 0)
    for column, value in zip(numbers.values(), (*row, record.start, record.length), strict=True):
        column.append(int(value))


def _table(numbers: Mapping[str, "array[int]"], areas: "array[float]") -> Table:
    columns = {name: np.array(column, np.int64) for name, column in numbers.items()}
    order = np.lexsort((columns["id"], columns["photo"]))
    columns = {name: column[order] for name, column in columns.items()}
    area = np.array(areas, np.float64)[order]
    return Table(area=area, crowd=columns.pop("crowd").astype(np.bool_), **columns)


def outline(segmentation: Any, shape: tuple[int, int]) -> Mask:
    """(H, W) bool: polygons as pycocotools draws them, or a run-length code.

    Raises `BadMask` for what is neither, and `MissingExtra` without pycocotools.
    """
    if isinstance(segmentation, Mapping):
        return from_rle(segmentation, shape)
    if not isinstance(segmentation, Sequence) or isinstance(segmentation, str) or not segmentation:
        raise BadMask("a segmentation is a list of polygons or a run-length code")
    drawing = need("pycocotools.mask", extra="data")
    height, width = shape
    polygons = [_polygon(polygon, max(shape)) for polygon in segmentation]
    code = drawing.merge(drawing.frPyObjects(polygons, height, width))
    return from_rle(code, shape)  # its own `decode` is not ready for NumPy 2


def _polygon(given: Any, side: int) -> list[float]:
    """x and y in turn, looked at, since pycocotools does not. Raises `BadMask`."""
    points = np.array(given, np.float64)
    if points.ndim != 1 or len(points) < 6 or len(points) % 2:
        raise BadMask("a polygon is at least three pairs of numbers")
    if not (np.abs(points) <= FARTHEST * side).all():  # NaN is not either
        raise BadMask("a polygon reaches far out of the photo")
    return list(points.tolist())


def said(chosen: Objects) -> str:
    """What is looked for, in words."""
    kinds = ", ".join(map(str, chosen.classes)) or "any class"
    low, high = chosen.share
    words = f"{kinds}, {low:.0%} to {1 if high is None else high:.0%} of the photo"
    least, most = chosen.pixels
    if least or most is not None:
        words += f", {least:g} to {'any' if most is None else f'{most:g}'} pixels"
    return words + ("" if chosen.crowd else ", no crowds")


def _within(values: NDArray[np.float64], limits: tuple[float, float | None]) -> NDArray[np.bool_]:
    low, high = limits
    return (values >= low) & (values <= (np.inf if high is None else high))
