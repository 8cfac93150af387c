"""Which samples a page shows in pictures, and how large.

A page holds so many bytes of pictures and no more. The worst samples come first, and as many are
chosen from all kinds of hole and from good to bad; these can be enlarged. Others are shown small,
and what is then left has its figures alone.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infill.bench.report import outline
from infill.bench.report.encode import Encoded, Encoder
from infill.bench.summary import Pictured

Row = Mapping[str, Any]

SIDES = (720, 560, 440, 320)
"""Longest sides of the enlarged pictures, in pixels: the largest whose pictures all fit."""

BYTES_A_PIXEL = 0.11
"""Of a photo at `encode.QUALITY`, about: to choose among `SIDES`. What is kept to is counted."""

SHARE = 0.8
"""Of the bytes, how many the samples that can be enlarged may take; small ones take the rest."""


@dataclass(frozen=True)
class Room:
    """What a page has room for.

    megabytes: of pictures, 10^6 bytes as encoded; the page is a third larger, being text.
    full:      samples at most whose pictures can be enlarged.
    small:     samples at most that are shown small, beyond those.
    """

    megabytes: float = 20.0
    full: int = 48
    small: int = 150


@dataclass
class Album:
    """Pictures for a page.

    images:  data URIs. samples: what `gallery.js` reads, one entry a sample, worst first.
    full, small, bare: samples that can be enlarged, that are shown small, that have figures only.
    side:    longest side of an enlarged picture, in pixels. bytes: of all pictures, as encoded.
    """

    images: list[str] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    full: int = 0
    small: int = 0
    bare: int = 0
    side: int = 0
    bytes: int = 0


def make(
    pictures: Sequence[Pictured], rows: Sequence[Row], run: Path, room: Room, threads: int
) -> Album:
    """Read the pictures of a run from its folder and encode those that the page shows.

    A picture that is missing or damaged costs its own place alone; the page says so there.
    """
    numbers = {str(row.get("key")): number for number, row in enumerate(rows)}
    ordered = sorted(pictures, key=lambda one: (-one.badness, one.name))
    album = Album(side=_side(ordered, rows, numbers, room))
    levels = {}
    with ThreadPoolExecutor(threads) as pool:
        encoder = Encoder(run, pool)
        for picture, level, encoded in _chosen(ordered, rows, numbers, room, album.side, encoder):
            levels[picture.before] = (level, encoded)
    failed: dict[str, dict[str, str]] = {}
    for row in rows:
        if row.get("error"):
            failed.setdefault(str(row.get("sample")), {})[str(row.get("engine"))] = row["error"]
    places: dict[bytes, int] = {}
    for picture in ordered:
        level, encoded = levels.get(picture.before, ("none", {}))
        entry = _entry(picture, rows, numbers, level)
        entry["failed"] = {
            engine: why
            for engine, why in failed.get(picture.name, {}).items()
            if engine not in picture.fills
        }
        if level != "none":
            _place(entry, encoded, album, places)
            entry["outline"] = outline.path(run, picture.mask)
        album.samples.append(entry)
    counts = [entry["level"] for entry in album.samples]
    album.full, album.small, album.bare = map(counts.count, ("full", "small", "none"))
    return album


def choose(ordered: Sequence[Pictured], most: int) -> list[Pictured]:
    """`most` of the samples (given worst first): in turn the worst and one of a spread choice."""
    spread = iter(_spread(ordered))
    worst = iter(ordered)
    turns: Iterable[Pictured] = (one for pair in zip(worst, spread, strict=False) for one in pair)
    chosen = {one.before: one for one in itertools.islice(_distinct(turns), most)}
    return list(chosen.values())


def _distinct(pictures: Iterable[Pictured]) -> Iterator[Pictured]:
    seen = set()
    for picture in pictures:
        if picture.before not in seen:  # names may be shared, folders are not
            seen.add(picture.before)
            yield picture


def _spread(ordered: Sequence[Pictured]) -> list[Pictured]:
    """All samples, kinds of hole in turn, within a kind the best, the middle, the quarters..."""
    kinds: dict[str, list[Pictured]] = {}
    for picture in ordered:
        kinds.setdefault(picture.kind, []).append(picture)
    queues = [[of[at] for at in _halving(len(of))] for of in kinds.values()]
    turns = itertools.zip_longest(*queues)
    return [picture for turn in turns for picture in turn if picture is not None]


def _halving(count: int) -> list[int]:
    """0..count-1 in an order in which every beginning is spread: last, middle, quarters, ..."""
    order: dict[int, None] = dict.fromkeys([count - 1] if count else [])
    parts = 2
    while len(order) < count:
        order |= dict.fromkeys(
            min(count - 1, round(part * count / parts)) for part in range(1, parts, 2)
        )
        if parts > 2 * count:
            order |= dict.fromkeys(range(count))
        parts *= 2
    return list(order)


def _side(
    ordered: Sequence[Pictured], rows: Sequence[Row], numbers: Mapping[str, int], room: Room
) -> int:
    """The longest side at which the pictures of all samples to be enlarged should fit."""
    count = sum(
        1 + (one.truth is not None) + len(set(_fills(one, rows, numbers).values()))
        for one in choose(ordered, room.full)
    )
    for side in SIDES:
        if count * side * side * 0.67 * BYTES_A_PIXEL <= SHARE * room.megabytes * 1e6:
            return side
    return SIDES[-1]


def _fills(
    picture: Pictured, rows: Sequence[Row], numbers: Mapping[str, int]
) -> dict[tuple[str, str], str]:
    """(engine, trial) → the file of its fill; trials with the same pixels have the same file."""
    files: dict[tuple[str, str], str] = {}
    seen: dict[Any, str] = {}
    for engine, trials in picture.fills.items():
        for trial, key in trials.items():
            row = rows[numbers[key]] if key in numbers else {}
            if row.get("output"):
                pixels = row.get("output_sha256") or row["output"]
                files[engine, str(trial)] = seen.setdefault(pixels, str(row["output"]))
    return files


def _chosen(
    ordered: Sequence[Pictured],
    rows: Sequence[Row],
    numbers: Mapping[str, int],
    room: Room,
    side: int,
    encoder: Encoder,
) -> Iterator[tuple[Pictured, str, dict[str, Encoded]]]:
    """The samples that are shown, how, and their pictures by file, until the room is used up."""
    left = SHARE * room.megabytes * 1e6
    full: set[str] = set()
    for picture in choose(ordered, room.full):
        encoded = encoder.encode(_files(picture, rows, numbers, all_trials=True), side)
        left -= sum(one.size for one in encoded.values())
        if left < 0:
            break
        full.add(picture.before)
        yield picture, "full", encoded
    left = max(0.0, left) + (1 - SHARE) * room.megabytes * 1e6
    others = [picture for picture in ordered if picture.before not in full]
    for picture in choose(others, room.small):
        encoded = encoder.encode(_files(picture, rows, numbers, all_trials=False), None)
        left -= sum(one.size for one in encoded.values())
        if left < 0:
            break
        yield picture, "small", encoded


def _files(
    picture: Pictured, rows: Sequence[Row], numbers: Mapping[str, int], *, all_trials: bool
) -> list[str]:
    fills = _fills(picture, rows, numbers)
    first = {engine: min(trials, key=int) for engine, trials in picture.fills.items() if trials}
    shown = [
        file for (engine, trial), file in fills.items() if all_trials or first[engine] == trial
    ]
    return list(dict.fromkeys([*filter(None, (picture.before, picture.truth)), *shown]))


def _entry(
    picture: Pictured, rows: Sequence[Row], numbers: Mapping[str, int], level: str
) -> dict[str, Any]:
    """One sample as the page has it; files are replaced by numbers of images in `_place`."""
    files = _fills(picture, rows, numbers)
    fills: dict[str, list[dict[str, Any]]] = {}
    for engine, trials in picture.fills.items():
        first: dict[str, int] = {}
        for trial in sorted(trials, key=int):
            file = files.get((engine, str(trial)))
            entry: dict[str, Any] = {"trial": int(trial), "row": numbers.get(trials[trial], -1)}
            if file in first:
                entry["same"] = first[file]
            elif file is not None:
                first[file] = int(trial)
                entry["file"] = file
            fills.setdefault(engine, []).append(entry)
    sized = next((rows[numbers[key]] for trials in picture.fills.values()
                  for key in trials.values() if key in numbers), {})  # fmt: skip
    size = [sized.get("width"), sized.get("height")]
    return {
        "size": size if all(size) else None,
        "name": picture.name,
        "title": picture.title or picture.name,
        "kind": picture.kind,
        "hard": picture.hard,
        "prompt": picture.prompt,
        "badness": round(picture.badness, 3),
        "level": level,
        "before": {"file": picture.before},
        "truth": {"file": picture.truth} if picture.truth else None,
        "outline": None,
        "fills": fills,
    }


def _place(
    entry: dict[str, Any], encoded: Mapping[str, Encoded], album: Album, places: dict[bytes, int]
) -> None:
    """Put the pictures into the album, each once, and their numbers into the entry."""
    shots = [entry["before"], entry["truth"], *itertools.chain(*entry["fills"].values())]
    for shot in filter(None, shots):
        found = encoded.get(shot.get("file") or "")
        if found is None:
            continue
        if found.problem:
            shot["problem"] = found.problem
        for name, content in (("small", found.small), ("large", found.large)):
            if content:
                number = places.setdefault(content, len(album.images))
                if number == len(album.images):
                    album.images.append(Encoder.uri(content))
                    album.bytes += len(content)
                shot[name] = number
