"""The people of the mask study, and photos that one of them was put into, so that what lies
behind is known."""

import csv
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from infill.masks.amount import size
from infill.masks.dice import Dice
from infill.masks.parse import Mask

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

TRUTH = "_truth.png"
AREA = (0.01, 0.35)  # of the photo, of people that are taken
BAND = 0.06  # of a person's size: how far the true outline may lie from the annotated one
SOFT = 1.0  # pixels, deviation of the blur of a cut-out's rim
PLACES = 24  # that are tried for one that hides little of the other photo's own person
SEEN = 0.1  # opacity of a person that counts as to be seen
DARKER = 0.05  # share of the light that a shadow keeps off, to be seen
MARGIN = 12  # pixels between a pasted person and the photo's left, right and upper border


@dataclass(frozen=True)
class Person:
    """A person in a photo. photo: groups people of one photo. load: the annotated mask (H, W)."""

    name: str
    photo: str
    path: Path
    load: Callable[[], Mask]

    def pixels(self) -> Bytes:
        """(H, W, 3) uint8 RGB."""
        with Image.open(self.path) as image:
            return np.asarray(image.convert("RGB"))


@dataclass(frozen=True, eq=False)
class CutOut:
    """A person as pasted: colours (h, w, 3) float32 in [0, 255], opacity (h, w) float32 in
    [0, 1], and the mask as it was annotated (h, w) bool."""

    colours: Floats
    opacity: Floats
    annotated: Mask


@dataclass(frozen=True, eq=False)
class Scene:
    """What a mask is needed for.

    pixels, annotated: the photo (H, W, 3) uint8 and the mask at hand. person: (H, W) bool, where
    something of the person is to be seen. shadow: (H, W) bool, where of the shadow alone; None
    where nobody knows. behind: (H, W, 3) uint8, what is behind; None where nobody knows.
    """

    name: str
    group: str
    pixels: Bytes
    annotated: Mask
    person: Mask
    shadow: Mask | None = None
    behind: Bytes | None = None


def annotated_people(annotations: Path, photos: Path) -> Iterator[Person]:
    """The largest person of each photo of a folder, by COCO's annotations."""
    from infill.data import Objects, instances_of
    from infill.data.layouts import photo_names

    instances = instances_of(annotations)
    wanted = Objects(share=AREA)
    for name in photo_names(photos, deep=False):
        if instances.has(name, wanted):

            def load(name: str = name) -> Mask:
                found = instances.objects(name, wanted)
                return max((mask for _, mask in found), key=np.count_nonzero)

            yield Person(Path(name).stem, name, photos / name, load)


def outlined_people(photos: Path, table: Path | None, kind: str) -> Iterator[Person]:
    """Photos of a folder that have a mask beside them, NAME_truth.png.

    table: a CSV file with columns name and coco_class, of which only rows of the class `kind`
    are taken; None takes all. A photo that appears under several names, NUMBER_PHOTO, is one.
    """
    named = None if table is None else set(_of_kind(table, kind))
    for mask in sorted(photos.glob(f"*{TRUTH}")):
        name = mask.name.removesuffix(TRUTH)
        photo = next((p for p in photos.glob(f"{name}.*") if p.suffix in (".jpg", ".png")), None)
        if photo is None or (named is not None and name not in named):
            continue

        def load(mask: Path = mask) -> Mask:
            with Image.open(mask) as image:
                return np.asarray(image.convert("L")) > 127

        yield Person(name, name.partition("_")[2] or name, photo, load)


def _of_kind(table: Path, kind: str) -> Iterator[str]:
    with table.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row.get("coco_class") == kind and row.get("name"):
                yield row["name"]


def chosen(people: Iterator[Person], count: int | None, seed: int) -> list[Person]:
    """People that stand free in their photo and of a fair size, in an order drawn by name."""

    def place(person: Person) -> bytes:
        return hashlib.sha256(f"{seed}\n{person.name}".encode()).digest()

    found = []
    for person in sorted(people, key=place):
        if len(found) == count:
            break
        if fit(person.load()):
            found.append(person)
    return found


def fit(mask: Mask) -> bool:
    """Whether a person is of a fair size and not cut off by the photo's border."""
    low, high = AREA
    border = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
    return bool(low <= mask.mean() <= high and not border and min(mask.shape) >= 200)


# --- cutting out --------------------------------------------------------------------------


def outline(pixels: Bytes, annotated: Mask) -> Mask:
    """Where the person is to be seen, (H, W) bool: the annotated mask moved to the photo's own
    edges by GrabCut (Rother et al. 2004), at most `BAND` of its size."""
    reach = min(max(BAND * size(annotated), 3.0), 12.0)
    outside = cv2.distanceTransform((~annotated).astype(np.uint8), cv2.DIST_L2, 5)
    inside = cv2.distanceTransform(annotated.astype(np.uint8), cv2.DIST_L2, 5)
    if not (inside > reach).any():
        return annotated
    labels = np.where(annotated, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[inside > reach], labels[outside > reach] = cv2.GC_FGD, cv2.GC_BGD
    box = _window(annotated, 40)
    part = np.ascontiguousarray(labels[box])
    cv2.setRNGSeed(1)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = np.ascontiguousarray(pixels[box][..., ::-1])
    cv2.grabCut(bgr, part, None, *models, 3, cv2.GC_INIT_WITH_MASK)
    found = np.zeros_like(annotated)
    found[box] = (part == cv2.GC_FGD) | (part == cv2.GC_PR_FGD)
    count, label = cv2.connectedComponents(found.astype(np.uint8))
    kept = [n for n in range(1, count) if (inside[label == n] > reach).any()]
    return np.isin(label, kept)


def cut_out(pixels: Bytes, annotated: Mask) -> CutOut:
    """The person with a soft rim, whose colours are those a little farther in."""
    whole = outline(pixels, annotated)
    box = _window(whole | annotated, 8)
    opacity = cv2.GaussianBlur(whole.astype(np.float32), (0, 0), SOFT)
    inside = cv2.distanceTransform(whole.astype(np.uint8), cv2.DIST_L2, 5) > 2
    weight = inside.astype(np.float32)
    near = cv2.GaussianBlur(weight, (0, 0), 3) + 1e-6
    spread = cv2.GaussianBlur(pixels * weight[..., None], (0, 0), 3) / near[..., None]
    colours = np.where(inside[..., None] | (near < 1e-3)[..., None], pixels, spread)
    parts = (colours.astype(np.float32), opacity, annotated)
    return CutOut(*(np.ascontiguousarray(part[box]) for part in parts))


# --- pasting ------------------------------------------------------------------------------


def composites(people: Sequence[Person], seed: int) -> Iterator[Scene]:
    """Each person pasted into the photo of the next person who is in another photo."""
    for number, person in enumerate(people):
        others = [*people[number + 1 :], *people[:number]]
        other = next((one for one in others if one.photo != person.photo), None)
        if other is None:
            raise SystemExit("the study needs people in at least two photos")
        text = hashlib.sha256(f"{seed}\n{person.name}\n{other.name}".encode()).digest()
        dice = Dice(int.from_bytes(text[:8], "big"))
        cut = cut_out(person.pixels(), person.load())
        yield pasted(person, cut, other.pixels(), other.load(), dice)


def pasted(person: Person, cut: CutOut, behind: Bytes, occupied: Mask, dice: Dice) -> Scene:
    """The person in another photo, with a shadow, where they hide little of who is there."""
    height, width = behind.shape[:2]
    high, wide = cut.opacity.shape
    cut = scaled(cut, min(1.0, 0.75 * height / high, 0.6 * width / wide))
    high, wide = cut.opacity.shape
    spots = [
        (
            dice.whole(MARGIN, max(width - wide - MARGIN, MARGIN)),
            dice.whole(min(max(MARGIN, height // 2 - high // 2), height - high), height - high),
        )
        for _ in range(PLACES)
    ]
    x, y = min(
        spots,
        key=lambda spot: np.count_nonzero(
            occupied[spot[1] : spot[1] + high, spot[0] : spot[0] + wide]
        ),
    )
    opacity, annotated = np.zeros((height, width), np.float32), np.zeros((height, width), np.bool_)
    colours = np.zeros((height, width, 3), np.float32)
    at = slice(y, y + high), slice(x, x + wide)
    opacity[at], annotated[at], colours[at] = cut.opacity, cut.annotated, cut.colours
    dark = shadow(opacity, dice)
    lit = behind * (1 - dark[..., None])
    mixed = opacity[..., None] * colours + (1 - opacity[..., None]) * lit
    seen = opacity > SEEN
    return Scene(
        person.name,
        person.photo,
        np.clip(np.rint(mixed), 0, 255).astype(np.uint8),
        annotated,
        seen,
        (dark > DARKER) & ~seen,
        behind,
    )


def scaled(cut: CutOut, scale: float) -> CutOut:
    """A smaller cut-out."""
    if scale >= 1:
        return cut
    high, wide = (max(8, int(side * scale)) for side in cut.opacity.shape)

    def smaller(part: Any) -> Floats:
        found = cv2.resize(np.asarray(part, np.float32), (wide, high), interpolation=cv2.INTER_AREA)
        return np.asarray(found, np.float32)

    return CutOut(smaller(cut.colours), smaller(cut.opacity), smaller(cut.annotated) > 0.5)


def shadow(opacity: Floats, dice: Dice) -> Floats:
    """By how much light is kept off, (H, W) float32 in [0, 1]: the person's outline laid on the
    ground about the line on which they stand, blurred, to one side, to the front or the back."""
    height, width = opacity.shape
    feet = float(np.flatnonzero((opacity > 0.5).any(axis=1))[-1])
    lean = (1 if dice.chance(0.5) else -1) * dice.between(0.3, 1.0)
    lie = (1 if dice.chance(0.5) else -1) * dice.between(0.15, 0.35)
    strength, soft = dice.between(0.35, 0.6), dice.between(1.5, 3.0)
    # A point so much above the feet falls so far to the side and below (or above) the line.
    move = np.array([[1, -lean, lean * feet], [0, -lie, (1 + lie) * feet]], np.float64)
    laid = cv2.warpAffine(opacity, move, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(strength * cv2.GaussianBlur(laid, (0, 0), soft), np.float32)


def real(people: Sequence[Person]) -> Iterator[Scene]:
    """The people where they are; what is behind them nobody knows."""
    for person in people:
        pixels, annotated = person.pixels(), person.load()
        yield Scene(person.name, person.photo, pixels, annotated, outline(pixels, annotated))


def _window(mask: Mask, margin: int) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin + 1),
    )
