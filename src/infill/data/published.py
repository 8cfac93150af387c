"""What a folder of a public data set must look like, and where its files are to be had."""

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from infill.data.layouts import LAYOUTS, any_of, first_folder, photo_names
from infill.errors import BadOption, PictureError, Unreadable
from infill.picture import SUFFIXES, Picture

SPLITS = ("val", "train", "all")
LOOKED_AT = 32
"""So many photos, the first by name, must be named as the data set's photos are. Later ones that
are not are left out."""


@dataclass(frozen=True)
class Published:
    """A public data set.

    named: what the name of each of its photos looks like, in words and as a pattern.
    put:   which files go where; page: where they are to be had.
    square: whether its photos are square.
    """

    named: str = ""
    pattern: str = ".*"
    put: str = "photos in it"
    page: str = ""
    square: bool = False

    def has(self, name: str) -> bool:
        """Whether a photo of this name is one of the data set's."""
        file = name.rpartition("/")[2]
        return re.fullmatch(self.pattern, file, re.IGNORECASE) is not None

    def mend(self, root: Path) -> str:
        """What to do, for a message."""
        return f"put {self.put} into {root}" + (f", from {self.page}" if self.page else "")


PUBLISHED = {
    "folder": Published(),
    "tree": Published(put="photos, or folders of them,"),
    "ffhq": Published(
        "00000.png",
        r"\d{5}\.(png|jpe?g|webp)",
        "images1024x1024 (or the folders of thumbnails128x128)",
        "https://github.com/NVlabs/ffhq-dataset",
        square=True,
    ),
    "celeba-hq": Published(
        "0.jpg to 29999.jpg",
        r"[012]?\d{1,4}\.(png|jpe?g|webp)",
        "CelebAMask-HQ with its CelebA-HQ-img",
        "https://github.com/switchablenorms/CelebAMask-HQ",
        square=True,
    ),
    "places2": Published(
        "Places365_val_00000001.jpg or 00000001.jpg",
        r"(Places365_(val|test)_)?\d{8}\.(png|jpe?g|webp)",
        "val_256 or val_large (and data_256 or data_large to learn from)",
        "http://places2.csail.mit.edu/download.html",
    ),
    "coco": Published(
        "000000000139.jpg",
        r"(COCO_(train|val)2014_)?\d{12}\.jpg",
        "val2017, or train2017, and annotations",
        "https://cocodataset.org/#download",
    ),
}
ALSO = {"places365": "places2", "celebahq": "celeba-hq", "celeba_hq": "celeba-hq"}

FFHQ_HELD_OUT = 60_000
"""Its authors learn from the photos before this number and test on those from it on."""


@dataclass(frozen=True)
class Part:
    """Photos that lie in one folder. lead: put before their names, where two folders are read.

    numbers: only those whose number lies from the first to before the second, if it is given.
    """

    folder: Path
    lead: str = ""
    numbers: tuple[int, int] | None = None

    def has(self, name: str) -> bool:
        """Whether a photo belongs to it by its number."""
        return self.numbers is None or int(Path(name).stem) in range(*self.numbers)


def parts_of(name: str, root: Path, split: str) -> tuple[Part, ...]:
    """The folders of a data set's photos, having looked at whether it is what its name says.

    Raises `BadOption` for an unknown split or one that the data set does not have, and
    `Unreadable` for a folder that is missing, empty or something else.
    """
    if split not in SPLITS:
        raise BadOption(f"a split is {any_of(SPLITS)}, not {split!r}")
    if not root.is_dir():
        raise Unreadable(f"there is no folder {root}; {PUBLISHED[name].mend(root)}")
    found = _ffhq(root, split) if name == "ffhq" else _parts(name, root, split)
    for part in found:
        _look(name, root, part, split)
    return found


def _parts(name: str, root: Path, split: str) -> tuple[Part, ...]:
    layout, published = LAYOUTS[name], PUBLISHED[name]
    if not layout.own:  # all that there is may be tested on
        if split == "train":
            raise BadOption(f"{layout.title} has no part to learn from; take the split all")
        return (Part(layout.to_learn(root)),)
    wanted = {"val": [layout.own], "train": [layout.learn], "all": [layout.learn, layout.own]}
    folders = [first_folder(root, names) for names in wanted[split]]
    there = [folder for folder in folders if folder is not None]
    if not there:
        missing = any_of([one for names in wanted[split] for one in names])
        raise Unreadable(
            f"{root} is not laid out as {layout.title}: there is no {missing} in it; "
            + published.mend(root)
        )
    return tuple(Part(one, f"{one.name}/" if len(there) > 1 else "") for one in there)


def _ffhq(root: Path, split: str) -> tuple[Part, ...]:
    folder = LAYOUTS["ffhq"].to_learn(root)
    if folder == root and (root / "thumbnails128x128").is_dir():
        raise Unreadable(
            f"{root} has no images1024x1024; to take the thumbnails, name {root}/thumbnails128x128"
        )
    numbers = {"val": (FFHQ_HELD_OUT, 100_000), "train": (0, FFHQ_HELD_OUT), "all": None}
    return (Part(folder, numbers=numbers[split]),)


def _look(name: str, root: Path, part: Part, split: str) -> None:
    """Raise `Unreadable` unless the first photos are what the data set's are."""
    layout, published = LAYOUTS[name], PUBLISHED[name]
    first = list(islice(photo_names(part.folder, layout.deep), LOOKED_AT))
    if not first:
        raise Unreadable(
            f"{part.folder} holds no photo ({', '.join(SUFFIXES)}); {published.mend(root)}"
        )
    for other in first:
        if not published.has(other):
            raise Unreadable(
                f"{part.folder} is not {layout.title}, whose photos are named {published.named}: "
                f"it holds {other}; {published.mend(root)}, or read it as folder or tree"
            )
    if published.square:
        _square(name, part.folder / first[0])
    names = photo_names(part.folder, layout.deep)
    if part.numbers and not any(published.has(one) and part.has(one) for one in names):
        raise Unreadable(
            f"{part.folder} holds no photo of the split {split} of {layout.title} (numbers "
            f"{part.numbers[0]} to {part.numbers[1] - 1}); take the split all"
        )


def _square(name: str, path: Path) -> None:
    try:
        photo = Picture.load(path)
    except PictureError:
        return  # it will be told when it is its turn
    if photo.height != photo.width:
        raise Unreadable(
            f"{path} is not of {LAYOUTS[name].title}, whose photos are square: it has "
            f"{photo.width}×{photo.height} pixels; read the folder as folder or tree"
        )
