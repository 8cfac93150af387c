"""What is filled: a photo, a hole in it, and (mostly) the truth about what belongs there.

| source | the truth | its masks |
|---|---|---|
| folders with a `sample.json` | the same scene without the object | its own, by name |
| photos with `NAME_mask.png` beside them | the photo; its hole is blanked | its own |
| a data set, or a folder of bare photos | the photo; its hole is blanked | drawn by a protocol |
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from infill.data.layouts import MASK_ENDING
from infill.errors import BatchError, Unreadable
from infill.picture.formats import SUFFIXES

RESERVED = {"con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(1, 10))}
"""Names that no file may have on Windows."""

Task = Literal["remove", "edit"]
"""`remove`: fill what is under the mask by what is around it; there is a true answer. `edit`: put
what the prompt says there; only engines that read a prompt can."""

SAMPLE = "sample.json"
MASKS = ("object", "loose", "no-shadow", "whole")
"""The masks of a described sample."""


@dataclass(frozen=True)
class Sample:
    """One photo and one hole in it. It pickles, and holds no pixels.

    name:    for people. slug: unique in the run, and safe as the name of a file.
    kind:    what sort of hole, for the breakdown.
    group:   samples of one group show the same photo, and count as one when it is asked how sure
             a figure is.
    before:  the photo as it comes in. truth: what ought to be there; None if nobody knows.
    mask:    its file; None where a protocol draws it.
    prompt, negative: what to put there, and what not to. before_prompt: what is there now.
    """

    name: str
    slug: str
    kind: str
    group: str
    before: Path
    truth: Path | None
    mask: Path | None = None
    title: str = ""
    hard: str = ""
    prompt: str = ""
    negative: str = ""
    before_prompt: str = ""


def find_samples(
    folder: Path, *, masks: Sequence[str] = ("loose",), task: Task = "remove"
) -> list[Sample]:
    """The samples of a folder, whichever of the first two forms above it has, sorted by name.

    masks: of samples with several, which ones; each is a sample of its own.
    task:  see `Task`; photos that merely have a mask beside them can only be restored.

    Raises `Unreadable` for a folder that is missing or holds none, or a damaged `sample.json`,
    and `BatchError` for a mask that a sample does not have, or nothing to edit by.
    """
    if not folder.is_dir():
        raise Unreadable(f"there is no folder {folder}; name one with samples or photos")
    if is_described(folder):
        described = sorted(folder.glob(f"*/{SAMPLE}"))
        found = [one for path in described for one in _described(path, masks, task)]
    elif task == "edit":
        raise BatchError(
            f"{folder} holds no described samples (NAME/{SAMPLE} with prompts), so nobody knows "
            "what to put there; edit those that come with Infill"
        )
    else:
        found = list(_beside(folder))
    if not found:
        raise Unreadable(
            f"{folder} holds no sample: neither folders with a {SAMPLE}, nor photos with a "
            f"NAME{MASK_ENDING}.png beside them; to draw masks, name a protocol"
        )
    return found


def is_described(folder: Path) -> bool:
    """Whether a folder holds described samples."""
    return next(folder.glob(f"*/{SAMPLE}"), None) is not None


def with_drawn_masks(photos: Sequence[tuple[str, Path]], protocol: str) -> list[Sample]:
    """Samples of photos, each a name and a file, whose masks the protocol of that name draws."""
    slugs = _slugs([name for name, _ in photos])
    return [
        Sample(
            name=name,
            slug=slug,
            kind=protocol,
            group=name,
            before=path,
            truth=path,
        )
        for (name, path), slug in zip(photos, slugs, strict=True)
    ]


def bundled() -> Path:
    """The folder of the rooms that come with Infill. Raises `Unreadable` if they are not here."""
    import infill

    package = Path(infill.__file__).parent
    places = (package / "bench" / "rooms", package.parents[1] / "benchmarks/furniture/samples")
    for place in places:  # in an installed package; in a checkout of the repository
        if place.is_dir():
            return place
    raise Unreadable(
        "the rooms that come with Infill are not in this installation; name a folder of samples"
    )


def join(parts: Mapping[str, Sequence[Sample]]) -> list[Sample]:
    """Samples of several sources as one list, with slugs that no two share.

    parts: by the name of each source, which goes before the names of its samples where there are
    several sources: photos that are merely called alike are not the same photo.
    """
    everything = [
        sample if len(parts) == 1 else _of(source, sample)
        for source, part in parts.items()
        for sample in part
    ]
    slugs = _slugs([sample.slug for sample in everything])
    return [
        sample if sample.slug == slug else replace(sample, slug=slug)
        for sample, slug in zip(everything, slugs, strict=True)
    ]


def _of(source: str, sample: Sample) -> Sample:
    name, group = f"{source}/{sample.name}", f"{source}/{sample.group}"
    return replace(sample, name=name, group=group, slug=_slug(f"{source}-{sample.slug}"))


class HasKind(Protocol):
    """Whatever is of some kind of hole."""

    @property
    def kind(self) -> str: ...


T = TypeVar("T", bound=HasKind)


def choose(found: Sequence[T], count: int | None) -> list[T]:
    """`count` of what was found, spread evenly over each kind, in their order; all if None."""
    if count is None or count >= len(found):
        return list(found)
    kinds = list(dict.fromkeys(one.kind for one in found))
    chosen: set[int] = set()
    for index, kind in enumerate(kinds):
        of_kind = [number for number, one in enumerate(found) if one.kind == kind]
        share = min(len(of_kind), count // len(kinds) + (index < count % len(kinds)))
        chosen |= {of_kind[number * len(of_kind) // share] for number in range(share)}
    return [one for number, one in enumerate(found) if number in chosen]


def kind_of(stem: str) -> str:
    """`strokes` of `000_strokes_bsds_306005`; "photo" of a name of another form."""
    parts = stem.split("_")
    return parts[1] if len(parts) >= 4 and parts[0].isdigit() else "photo"


def masked_photos(folder: Path) -> list[tuple[Path, Path]]:
    """Every photo of `folder` that has `NAME_mask.png` beside it, and that mask, by name."""
    return [
        (photo, mask)
        for photo in sorted(folder.iterdir())
        if photo.suffix.lower() in SUFFIXES
        and not photo.stem.endswith(MASK_ENDING)
        and (mask := photo.with_name(f"{photo.stem}{MASK_ENDING}.png")).exists()
    ]


def _beside(folder: Path) -> Iterator[Sample]:
    found = masked_photos(folder)
    slugs = _slugs([photo.stem for photo, _ in found])
    for (photo, mask), slug in zip(found, slugs, strict=True):
        yield Sample(
            name=photo.stem,
            slug=slug,
            kind=kind_of(photo.stem),
            group=photo.stem,
            before=photo,
            truth=photo,
            mask=mask,
        )


def _described(path: Path, masks: Sequence[str], task: Task) -> Iterator[Sample]:
    """The samples of one `sample.json`, one for each mask."""
    about = _read(path)
    folder = path.parent
    name = folder.name
    for kind in masks:
        mask = folder / f"{kind}.png"
        if not mask.exists():
            there = ", ".join(sorted(about.get("masks", {}))) or "none"
            raise BatchError(f"sample {name} has no mask {kind!r}; it has: {there}")
        label = name if len(masks) == 1 else f"{name}, {kind}"
        common = {
            "name": label,
            "slug": _slug(name if len(masks) == 1 else f"{name}-{kind}"),
            "kind": kind if len(masks) > 1 else "furniture",
            "group": name,
            "mask": mask,
            "title": about.get("title", ""),
            "hard": about.get("hard", ""),
        }
        photo, clean = _one(folder, "photo"), _one(folder, "clean")
        if task == "remove":
            yield Sample(
                before=photo,
                truth=clean,
                prompt=about.get("background", ""),
                before_prompt=about.get("object", ""),
                **common,
            )
            continue
        adding = about.get("task") == "add"  # what is added was not there before
        prompts = about.get("prompts", {})
        yield Sample(
            before=clean if adding else photo,
            truth=None,
            prompt=prompts.get("detailed", ""),
            negative=prompts.get("negative", ""),
            before_prompt=about.get("background" if adding else "object", ""),
            **common,
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path} cannot be read ({error})") from error
    if not isinstance(about, dict):
        raise Unreadable(f"{path} is not an object of facts about a sample")
    return about


def _one(folder: Path, stem: str) -> Path:
    """The picture of that name, whatever its format."""
    found = [folder / f"{stem}{suffix}" for suffix in SUFFIXES]
    for path in found:
        if path.exists():
            return path
    raise Unreadable(f"sample {folder} lacks its {stem} ({stem}.jpg or the like)")


def _slug(name: str) -> str:
    """The name with what a file's name can hold everywhere; never empty."""
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80].rstrip("-.")
    if kept.partition(".")[0].lower() in RESERVED:
        return f"_{kept}"
    return kept or "sample"


def _slugs(names: Sequence[str]) -> list[str]:
    """A slug for each name, no two alike even where letter case is not told apart."""
    taken: set[str] = set()
    given = []
    for name in names:
        slug = choice = _slug(name)
        number = 1
        while choice.casefold() in taken:
            number += 1
            choice = f"{slug}-{number}"
        taken.add(choice.casefold())
        given.append(choice)
    return given
