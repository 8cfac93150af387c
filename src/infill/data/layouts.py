"""How public data sets lie on disk: which files are photos, and which are held out.

Only names are read here; photos are decoded when they are needed.

| layout | photos in the folder | own validation part |
|---|---|---|
| folder | * | none |
| tree | **, folders in folders | none |
| ffhq | images1024x1024/*/*, or */* | none |
| celeba-hq | CelebAMask-HQ/CelebA-HQ-img/*, CelebA-HQ-img/*, or * | none |
| places2 | data_large/**, data_256/** (or with _standard), train/** | val_large, val_256, val |
| coco | train2017/*, or train2014/* | val2017, or val2014 |
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from infill.errors import BadOption, Unreadable
from infill.picture import SUFFIXES

MASK_ENDING = "_mask"
"""What the name of a mask that lies beside its photo ends with, before its suffix."""


@dataclass(frozen=True)
class Layout:
    """Where the photos of a data set lie below its root; of several folders, the first there is.

    learn: folders of the photos to learn from. own: of its own validation part.
    bare:  whether the photos may lie in the root itself. deep: whether in folders of folders too.
    """

    title: str
    learn: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    bare: bool = False
    deep: bool = False

    def to_learn(self, root: Path) -> Path:
        """The folder of the photos to learn from. Raises `Unreadable` where there is none."""
        found = first_folder(root, self.learn) or (root if self.bare else None)
        if found is None:
            raise Unreadable(
                f"{root} is not laid out as {self.title}: there is no {any_of(self.learn)} in it"
            )
        return found

    def validation(self, root: Path) -> Path | None:
        """The folder of the data set's own validation part, if it is there."""
        return first_folder(root, self.own)


LAYOUTS = {
    "folder": Layout("a folder", bare=True),
    "tree": Layout("a tree of folders", bare=True, deep=True),
    "ffhq": Layout("FFHQ", ("images1024x1024",), bare=True, deep=True),
    "celeba-hq": Layout("CelebA-HQ", ("CelebAMask-HQ/CelebA-HQ-img", "CelebA-HQ-img"), bare=True),
    "places2": Layout(
        "Places2",
        ("data_large", "data_large_standard", "data_256", "data_256_standard", "train"),
        ("val_large", "val_256", "val"),
        deep=True,
    ),
    "coco": Layout("COCO", ("train2017", "train2014"), ("val2017", "val2014")),
}


@dataclass(frozen=True)
class Listing:
    """Photos of a data set, by their paths below `root` with / between the parts, in order."""

    root: Path
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def path(self, index: int) -> Path:
        """Where a photo lies."""
        return self.root / self.names[index]

    def mark(self) -> str:
        """A hash of all names and sizes in bytes: it changes when the photos do."""
        lines = [f"{name} {bytes_of(self.root / name)}" for name in self.names]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def some(self, chosen: Sequence[int]) -> "Listing":
        """Those of the numbers `chosen`."""
        return Listing(self.root, tuple(self.names[index] for index in chosen))


def listing(layout: str, root: Path) -> tuple[Listing, Listing]:
    """The photos of a data set to learn from, and those of its own validation part (or none).

    Raises `BadOption` for an unknown layout, `Unreadable` where there is no folder or no photo.
    """
    if layout not in LAYOUTS:
        raise BadOption(f"data.layout is one of {', '.join(LAYOUTS)}, not {layout!r}")
    if not root.is_dir():
        raise Unreadable(f"there is no folder {root}; name one with photos, as data.photos")
    how = LAYOUTS[layout]
    learn = Listing(root, _below(root, how.to_learn(root), how.deep))
    aside = how.validation(root)
    own = Listing(root, _below(root, aside, how.deep) if aside else ())
    if not learn.names:
        raise Unreadable(f"{root} holds no photo ({', '.join(SUFFIXES)}) of layout {layout}")
    return learn, own


def parted(layout: str, root: Path, held_out: float) -> tuple[Listing, Listing]:
    """What is learnt from and what is held out: by `is_held_out`, or, for a fraction of 0, the
    data set's own validation part.

    Raises what `listing` raises, and `Unreadable` if one of the two would be empty.
    """
    learn, own = listing(layout, root)
    if held_out == 0:
        if not own.names:
            raise Unreadable(f"{root} has no validation part of its own; set data.held_out above 0")
        return learn, own
    aside = [is_held_out(Path(name).name, held_out) for name in learn.names]
    if all(aside) or not any(aside):
        raise Unreadable(f"{root} holds too few photos ({len(learn)}) to hold {held_out:.0%} out")
    numbers = range(len(learn))
    return (
        learn.some([number for number in numbers if not aside[number]]),
        learn.some([number for number in numbers if aside[number]]),
    )


def is_held_out(name: str, fraction: float) -> bool:
    """Whether a photo is kept from learning: by a hash of its name alone, so that the same
    photos are held out however many others lie beside them."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return number < fraction * 2**64


def photo_names(folder: Path, deep: bool) -> Iterator[str]:
    """Names of the photos in a folder, by their paths below it with / between the parts, sorted.

    deep: in folders of folders too. Masks that lie beside their photos are no photos. One folder's
    names are in memory at a time, since Places2 has millions. Raises `Unreadable` for a folder that
    may not be read.
    """
    seen: set[tuple[int, int]] = set()  # links may lead round in a circle

    def within(below: str) -> Iterator[str]:
        path = folder / below
        told = path.stat()
        if (told.st_dev, told.st_ino) in seen:
            return
        seen.add((told.st_dev, told.st_ino))
        # A folder sorts as what lies in it does, so that the whole is in order of the names.
        with os.scandir(path) as entries:
            names = sorted(entry.name + "/" * entry.is_dir() for entry in entries)
        masks = masks_among(names)
        for name in names:
            if not name.endswith("/"):
                if name.lower().endswith(SUFFIXES) and name not in masks:
                    yield below + name
            elif deep:
                yield from within(below + name)

    try:
        yield from within("")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Unreadable(f"the folder {error.filename} cannot be read: {reason}") from error


def masks_among(names: Sequence[str]) -> set[str]:
    """Those of the names in a folder that are masks of others in it: NAME_mask.png beside NAME.jpg,
    whatever the endings."""
    marked = {name: stem for name in names if (stem := _stem(name)).endswith(MASK_ENDING)}
    if not marked:
        return set()
    stems = {_stem(name) for name in names if name.lower().endswith(SUFFIXES)}
    return {name for name, stem in marked.items() if stem.removesuffix(MASK_ENDING) in stems}


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def bytes_of(path: Path) -> int:
    """Bytes of a file; -1 for a link that leads nowhere, which is left out when it is read."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def first_folder(root: Path, names: Sequence[str]) -> Path | None:
    """The first of these folders below `root` that is there."""
    return next((root / name for name in names if (root / name).is_dir()), None)


def any_of(names: Sequence[str]) -> str:
    """ "a, b or c"."""
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _below(root: Path, folder: Path, deep: bool) -> tuple[str, ...]:
    """Photos in a folder of `root`, by their paths below `root`, sorted."""
    start = folder.relative_to(root).as_posix()
    lead = "" if start == "." else f"{start}/"
    return tuple(lead + name for name in photo_names(folder, deep))
