"""Data sets to test with: photos by name, one after the other, none of them held in memory."""

import hashlib
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from infill.data.coco import Instances, instances_file, instances_of
from infill.data.layouts import LAYOUTS, bytes_of, photo_names
from infill.data.published import ALSO, PUBLISHED, Part, parts_of
from infill.errors import BadOption, PictureError
from infill.masks.objects import Objects
from infill.picture import Picture

DATASETS = tuple(LAYOUTS)


@dataclass(frozen=True)
class Sample:
    """A photo of a data set.

    name: its path below the folder of the photos, with / between the parts; the same wherever
          the data set lies. id: the number that COCO gives it.
    """

    name: str
    path: Path
    id: int | None = None


@dataclass
class Unread:
    """Counts the photos that could not be read, and tells each."""

    tell: Callable[[str], None] = lambda _: None
    count: int = 0

    def add(self, error: Exception) -> None:
        """One more."""
        self.count += 1
        self.tell(f"left out: {error}")


class Step(Protocol):
    """Something that takes some of the samples."""

    def of(self, samples: Iterator[Sample], data: "Dataset") -> Iterator[Sample]: ...


@dataclass(frozen=True)
class _Subset:
    count: int
    seed: int

    def of(self, samples: Iterator[Sample], data: "Dataset") -> Iterator[Sample]:
        return iter(heapq.nsmallest(self.count, samples, key=self._place))

    def _place(self, sample: Sample) -> tuple[bytes, str]:
        text = f"{self.seed}\n{sample.name}"
        return hashlib.sha256(text.encode()).digest(), sample.name


@dataclass(frozen=True)
class _Shard:
    index: int
    parts: int

    def of(self, samples: Iterator[Sample], data: "Dataset") -> Iterator[Sample]:
        return islice(samples, self.index, None, self.parts)


@dataclass(frozen=True)
class _Holding:
    objects: Objects

    def of(self, samples: Iterator[Sample], data: "Dataset") -> Iterator[Sample]:
        annotated = data.annotated
        assert annotated is not None  # looked at by `Dataset.holding`
        return (sample for sample in samples if annotated.has(sample.name, self.objects))


@dataclass(frozen=True)
class Dataset:
    """Photos of a data set, or some of them; made by `open_dataset`.

    It holds no photo and no list of them: each call of `samples` goes through the folders anew.
    It may be handed to another process.
    """

    name: str
    root: Path
    split: str
    parts: tuple[Part, ...]
    annotations: Path | None = None
    steps: tuple[Step, ...] = field(default=())

    def samples(self) -> Iterator[Sample]:
        """The photos: in order of their names, or as `subset` orders them. Nothing is decoded."""
        found = self._all()
        for step in self.steps:
            found = step.of(found, self)
        return found

    def subset(self, count: int, seed: int = 0) -> "Dataset":
        """At most `count` photos, drawn by a hash of the seed and of each name.

        So a photo's luck does not hang on what lies beside it: photos that are added or taken
        away change no more of the subset than they must. Smaller subsets begin larger ones.
        """
        if count < 1:
            raise BadOption(f"a subset has at least 1 photo, not {count}")
        return replace(self, steps=(*self.steps, _Subset(count, seed)))

    def shard(self, index: int, of: int) -> "Dataset":
        """Every `of`-th photo from number `index` on: together all of them, none twice."""
        if not 0 <= index < of:
            raise BadOption(f"a shard is a number from 0 to below {of}, not {index}")
        return replace(self, steps=(*self.steps, _Shard(index, of)))

    def holding(self, objects: Objects) -> "Dataset":
        """Only photos that have such an annotated object.

        Raises `BadOption` for a data set without annotations, `BadMask` for unknown classes.
        """
        annotated = self.annotated
        if annotated is None:
            raise BadOption(
                f"the photos in {self.root} have no annotations; take coco, with "
                "annotations/instances_val2017.json or the like beside val2017"
            )
        annotated.check(objects)
        return replace(self, steps=(*self.steps, _Holding(objects)))

    @property
    def annotated(self) -> Instances | None:
        """COCO's annotations, read once; None for other data sets. Raises `BadMask`."""
        return None if self.annotations is None else instances_of(self.annotations)

    def photos(self, unread: Unread | None = None) -> Iterator[tuple[Sample, Picture]]:
        """Photos decoded one by one; what cannot be read is told, counted and left out."""
        for sample in self.samples():
            try:
                photo = Picture.load(sample.path)
            except PictureError as error:
                (unread or Unread()).add(error)
            else:
                yield sample, photo

    def mark(self) -> str:
        """SHA-256 of the names and sizes in bytes of the photos, in their order."""
        digest = hashlib.sha256()
        for sample in self.samples():
            digest.update(f"{sample.name} {bytes_of(sample.path)}\n".encode())
        return digest.hexdigest()

    def _all(self) -> Iterator[Sample]:
        deep, published = LAYOUTS[self.name].deep, PUBLISHED[self.name]
        for part in self.parts:
            for name in photo_names(part.folder, deep):
                if published.has(name) and part.has(name):
                    number = int(Path(name).stem[-12:]) if self.name == "coco" else None
                    yield Sample(part.lead + name, part.folder / name, number)


def open_dataset(
    name: str, root: Path, *, split: str = "val", annotations: Path | None = None
) -> Dataset:
    """A data set on disk.

    name:  one of `DATASETS`. root: the folder that holds its files.
    split: val, train or all. Places2 and COCO keep them in folders of their own; FFHQ's authors
           test on the numbers from 60000 on; the others have one part, which is both val and all.
    annotations: COCO's instances file; by default that of val or train, where it is there.

    Raises `BadOption` for an unknown name or split, or annotations of what has none, and
    `Unreadable`, saying which files belong where, for a folder that is not what its name says.
    """
    known = name.lower().replace("_", "-")
    known = ALSO.get(known, known)
    if known not in DATASETS:
        raise BadOption(f"a data set is one of {', '.join(DATASETS)}, not {name!r}")
    if annotations is not None and known != "coco":
        raise BadOption(f"annotations belong to coco, not to {known}")
    parts = parts_of(known, root, split)
    if known == "coco" and annotations is None and len(parts) == 1:
        annotations = instances_file(root, parts[0].folder.name)
    return Dataset(known, root, split, parts, annotations)
