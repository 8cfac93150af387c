"""Which photos there are, and which mask, output name and seed each of them gets.

Everything here follows from the options and the names of the files alone, so it is the same
on every start, in whatever order and by however many processes the photos are filled.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from infill.data.layouts import MASK_ENDING
from infill.errors import BatchError
from infill.picture.formats import find

PHOTO_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".avif"))
"""Extensions, in small letters, that mark a file as a photo or a mask."""


@dataclass(frozen=True)
class BatchOptions:
    """What a run does. All of it decides the result, so all of it is the run's identity.

    photos, out:  folders; `out` may not be `photos`.
    masks:        folder of mask images, matched by relative name; or None.
    random:       name of a random mask recipe instead, with `mask_ratio` of the photo masked
                  (None = what the recipe does by itself); or None. With neither, each
                  photo's own transparent pixels are the hole.
    refine:       a chain of refinements for every mask ("grow=4,fill-holes"), or "".
    engine_options: the engine's own options, by name.
    seed:         the run's seed; each photo's own is derived from it and the photo's name.
    format:       extension of all outputs ("png"); None keeps each photo's own.
    save_masks:   folder to write the masks used to, or None.
    """

    photos: Path
    out: Path
    masks: Path | None = None
    random: str | None = None
    mask_ratio: float | None = None
    invert_mask: bool = False
    threshold: float = 0.5
    refine: str = ""
    engine: str = "exemplar"
    engine_options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    blend: float = 0.0
    match_colour: bool = False
    recipe: Literal["embed", "beside", "none"] = "embed"
    format: str | None = None
    quality: int | None = None
    save_masks: Path | None = None


@dataclass(frozen=True)
class Item:
    """One photo of the run. `input` and `output` are relative, with forward slashes."""

    input: str
    output: str
    mask: str | None
    seed: int
    problem: str | None = None
    """Why it cannot be filled, known from the names alone (no mask for it)."""


def plan(options: BatchOptions) -> list[Item]:
    """Every photo below `options.photos`, sorted by name, each with its mask, name and seed.

    Raises `BatchError` if a folder is missing, one is used for two things, no photo is found, or
    none can have a mask.
    """
    _check_folders(options)
    names = [name for name in pictures(options.photos) if _is_photo(name, options)]
    if not names:
        raise BatchError(
            f"{options.photos} holds no photo (looked for {', '.join(sorted(PHOTO_SUFFIXES))})"
        )
    outputs = output_names(names, options.format)
    masks = None
    if options.masks is not None:
        beside = options.masks.resolve() == options.photos.resolve()
        masks = MaskFinder(options.masks, only_marked=beside)
    items = []
    for name in names:
        mask, problem = masks.find(name) if masks else (None, None)
        seed = derived_seed(options.seed, name)
        items.append(Item(name, outputs[name], mask, seed, problem))
    _check_masks(items, options)
    return items


def derived_seed(seed: int, name: str, purpose: str = "fill") -> int:
    """A seed in [0, 2**48) for one photo: SHA-256 of the run's seed, `purpose` and the name.

    48 bits survive every JSON reader.
    """
    digest = hashlib.sha256(f"{seed}:{purpose}:{name}".encode()).digest()
    return int.from_bytes(digest[:6], "big")


def output_names(names: Iterable[str], suffix: str | None = None) -> dict[str, str]:
    """A name for each output, no two alike even where letter case is not told apart.

    Without `suffix` the names stay as they are. With it, "a/x.jpg" becomes "a/x.png", or
    "a/x.jpg.png" where "a/x.webp" or the like would take the same name.
    """
    if suffix is None:
        return _without_clashes({name: name for name in names})
    ending = "." + suffix.lower().lstrip(".")
    groups = defaultdict(list)
    for name in sorted(names):
        groups[str(PurePosixPath(name).with_suffix(ending)).casefold()].append(name)
    wanted = {}
    for group in groups.values():
        for name in group:
            path = PurePosixPath(name)
            long = len(group) > 1 and path.suffix != ending
            wanted[name] = name + ending if long else str(path.with_suffix(ending))
    return _without_clashes(wanted)


def _without_clashes(wanted: Mapping[str, str]) -> dict[str, str]:
    """The wanted names, a number added to those that an earlier one (in sorted order) took."""
    taken: set[str] = set()
    given = {}
    # Those that keep their own name come first: they are the ones a person expects.
    for name in sorted(wanted, key=lambda name: (wanted[name] != name, name)):
        path = PurePosixPath(wanted[name])
        choice, number = str(path), 1
        while choice.casefold() in taken:
            number += 1
            choice = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
        taken.add(choice.casefold())
        given[name] = choice
    return given


def _check_folders(options: BatchOptions) -> None:
    for role, folder in (("photos", options.photos), ("masks", options.masks)):
        if folder is not None and not folder.is_dir():
            raise BatchError(f"the {role} folder {folder} is missing or is no folder")
    if options.masks is not None and options.random is not None:
        raise BatchError("give a folder of masks or a kind of random mask, not both")
    for role, folder in (("output", options.out), ("saved masks'", options.save_masks)):
        for other, taken in (
            ("photos", options.photos),
            ("masks", options.masks),
            ("output", options.out),
        ):
            if folder is None or taken is None or role == other:
                continue
            if folder.resolve() == taken.resolve():
                raise BatchError(
                    f"the {role} folder {folder} is the {other} folder; choose another"
                )


def _check_masks(items: list[Item], options: BatchOptions) -> None:
    """Raise one `BatchError` where every photo would fail for want of a mask."""
    if options.masks is not None and all(item.mask is None for item in items):
        raise BatchError(
            f"none of the {len(items)} photos can have a mask: {items[0].input}: {items[0].problem}"
        )
    own = options.masks is None and options.random is None
    if own and not any(find(item.input).alpha for item in items):
        raise BatchError(
            f"the photos in {options.photos} have no transparent pixels that could say what to "
            "fill, since their formats hold none; give a folder of masks, or random masks"
        )


def pictures(root: Path) -> Iterator[str]:
    """Relative names of all pictures below `root`, sorted; hidden files and folders are not."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(folder, name)
            if path.suffix.lower() in PHOTO_SUFFIXES and not name.startswith("."):
                found.append(path.relative_to(root).as_posix())
    return iter(sorted(found))


def _is_photo(name: str, options: BatchOptions) -> bool:
    """Whether a picture is one to fill, and not an output or a mask that lies in between."""
    path = (options.photos / name).resolve()
    photos = options.photos.resolve()
    for other in (options.out, options.save_masks, options.masks):
        if other is not None and other.resolve() != photos and _inside(path, other.resolve()):
            return False
    masks_beside = options.masks is not None and options.masks.resolve() == photos
    return not (masks_beside and path.stem.endswith(MASK_ENDING))


def _inside(path: Path, folder: Path) -> bool:
    return folder in path.parents


class MaskFinder:
    """Masks by relative name: a/x.jpg finds a/x.png, a/x.jpg.png, a/x_mask.png and the like."""

    def __init__(self, root: Path, *, only_marked: bool = False) -> None:
        """`only_marked`: take only names that end in _mask, as masks lie among the photos."""
        self._root = root
        self._only_marked = only_marked
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for name in pictures(self._root):
            self._by_stem[str(PurePosixPath(name).with_suffix(""))].append(name)

    def find(self, name: str) -> tuple[str | None, str | None]:
        """The path of the mask and None, or None and why there is none."""
        stem = str(PurePosixPath(name).with_suffix(""))
        # The more exact name first, so that x.jpg and x.png may have masks of their own.
        stems = [name, f"{name}{MASK_ENDING}", stem, f"{stem}{MASK_ENDING}"]
        if self._only_marked:
            stems = [candidate for candidate in stems if candidate.endswith(MASK_ENDING)]
        for candidate in stems:
            found = self._by_stem.get(candidate, [])
            if name in found:
                found = [name]
            if len(found) > 1:
                return None, f"{self._root} holds several masks for it: {', '.join(found)}"
            if found:
                return str(self._root / found[0]), None
        return None, f"{self._root} holds no mask for it (looked for {stems[-1]}.png and the like)"
