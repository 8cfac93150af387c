"""How public data sets lie on disk: which files are photos, and which are held out.

Only names are read here; photos are decoded when they are needed.

| layout | photos in the folder | own validation part |
|---|---|---|
| folder | * | none |
| tree | **, folders in folders | none |
| ffhq | images1024x1024/*/*, or */* | none |
| celeba-hq | CelebAMask-HQ/CelebA-HQ-img/*, CelebA-HQ-img/*, or * | none |
| places2 | data_large/**, data_256/**, data_256_standard/**, train/** | val_large, val_256, val |
| coco | train2017/*, or train2014/* | val2017, or val2014 |
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infill.errors import BadOption, Unreadable
from infill.picture import SUFFIXES


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
        lines = [f"{name} {_size(self.root / name)}" for name in self.names]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def some(self, chosen: Sequence[int]) -> "Listing":
        """Those of the numbers `chosen`."""
        return Listing(self.root, tuple(self.names[index] for index in chosen))


Parts = tuple[list[Path], list[Path]]
"""Folders of the photos to learn from, and of the data set's own validation part, if any."""


def _folder(root: Path) -> Parts:
    return [root], []


def _ffhq(root: Path) -> Parts:
    return [_first(root, "images1024x1024") or root], []


def _celeba_hq(root: Path) -> Parts:
    return [_first(root, "CelebAMask-HQ/CelebA-HQ-img", "CelebA-HQ-img") or root], []


def _places2(root: Path) -> Parts:
    learn = _first(root, "data_large", "data_256", "data_256_standard", "train")
    if learn is None:
        raise Unreadable(
            f"{root} is not laid out as Places2: there is no data_large, data_256, "
            "data_256_standard or train in it"
        )
    own = _first(root, "val_large", "val_256", "val")
    return [learn], [own] if own else []


def _coco(root: Path) -> Parts:
    learn = _first(root, "train2017", "train2014")
    if learn is None:
        raise Unreadable(
            f"{root} is not laid out as COCO: there is no train2017 or train2014 in it"
        )
    own = _first(root, "val2017", "val2014")
    return [learn], [own] if own else []


LAYOUTS: dict[str, tuple[Callable[[Path], Parts], bool]] = {
    "folder": (_folder, False),
    "tree": (_folder, True),
    "ffhq": (_ffhq, True),
    "celeba-hq": (_celeba_hq, False),
    "places2": (_places2, True),
    "coco": (_coco, False),
}
"""Where to look, and whether in folders of folders too."""


def listing(layout: str, root: Path) -> tuple[Listing, Listing]:
    """The photos of a data set to learn from, and those of its own validation part (or none).

    Raises `BadOption` for an unknown layout, `Unreadable` where there is no folder or no photo.
    """
    if layout not in LAYOUTS:
        raise BadOption(f"data.layout is one of {', '.join(LAYOUTS)}, not {layout!r}")
    if not root.is_dir():
        raise Unreadable(f"there is no folder {root}; name one with photos, as data.photos")
    parts, deep = LAYOUTS[layout]
    learn, own = (Listing(root, _names(root, folders, deep)) for folders in parts(root))
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


def _size(path: Path) -> int:
    """Bytes of a file; -1 for a link that leads nowhere, which is left out when it is read."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _first(root: Path, *names: str) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def _names(root: Path, folders: Sequence[Path], deep: bool) -> tuple[str, ...]:
    """Photos in the folders, sorted; walked with `scandir`, since Places2 has millions."""
    found: list[str] = []
    waiting = [os.fspath(folder) for folder in folders]
    seen: set[tuple[int, int]] = set()  # links may lead round in a circle
    while waiting:
        folder = waiting.pop()
        told = Path(folder).stat()
        if (told.st_dev, told.st_ino) in seen:
            continue
        seen.add((told.st_dev, told.st_ino))
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    if deep:
                        waiting.append(entry.path)
                elif entry.name.lower().endswith(SUFFIXES):
                    found.append(Path(os.path.relpath(entry.path, root)).as_posix())
    return tuple(sorted(found))
