"""From a target picture to what guides: its pixels at their place in the scene, and where."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from infill import composite
from infill.engines.guided import place as placing
from infill.engines.guided.harmony import harmonised
from infill.engines.guided.subject import Mask, subject
from infill.errors import BadOption
from infill.geometry import Frame, bounds

if TYPE_CHECKING:
    from infill.engines.guided.options import Options
    from infill.picture import Picture

Floats = NDArray[np.float32]

ONE_HOLE = "of several holes, the largest got the object"
SAID = 0.05  # a change of brightness by less is not worth a note


@dataclass(frozen=True, eq=False)
class Guide:
    """What the fill is to come close to.

    pixels: (H, W, 3) float32 in [0, 1], the target in the scene's frame, in the scene's light.
    where:  (H, W) bool, True = the target guides here: in the hole, on the object, and not in
            the scene buffer.
    notes:  sentences for a person.
    """

    pixels: Floats
    where: Mask
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Region:
    """What `Guided.localise` found out for one region of the photo.

    visible: (h, w), the part of the frame that is the photo and not its mirror image.
    empty:   the object goes to another region of the photo; nothing guides here.
    pixels, thing: of a target of the photo's size ("frame"): (H, W, 3) float32 in [0, 1] and
             (H, W) bool in the region's frame; None for the other placements.
    """

    visible: tuple[int, int]
    empty: bool = False
    pixels: Floats | None = None
    thing: Mask | None = None


def localised(options: "Options", frame: Frame, largest: bool) -> Region:
    """What must be known of the frame in which a region of the photo is filled.

    largest: whether no other region of the photo has more hole pixels.
    """
    if options.placement != "frame":
        if not largest:  # what is wrong with the target is said before any region is filled
            _subject_of(options)
        return Region(frame.size, empty=not largest)
    picture = target_picture(options)
    if frame.photo is not None and (picture.height, picture.width) != frame.photo:
        raise _other_size(picture, frame.photo)
    if picture.height < frame.crop.bottom or picture.width < frame.crop.right:
        raise BadOption(
            f"placement frame needs a target of the scene's own size, and this one "
            f"({picture.width}×{picture.height}) is smaller; use placement fit"
        )
    pixels = frame.bring(composite.to_float(picture.pixels))
    thing = frame.bring(_own_mask(options, picture))
    return Region(frame.size, pixels=pixels, thing=thing)


def make(scene: Floats, mask: Mask, options: "Options") -> Guide:
    """The guide of one hole. scene: (H, W, 3) float32 in [0, 1]; mask: (H, W) bool, True = hole.

    Raises `BadOption` for no target, or a target without an object.
    """
    from infill.diffusion.guidance import inside

    if options.region is not None and options.region.empty:
        return Guide(scene.copy(), np.zeros_like(mask), (ONE_HOLE,))
    target, cover, shown, notes = _placed(mask, options)
    if options.harmonise:
        target, gains = harmonised(target, cover, shown, scene, mask)
        light = float(gains.mean())
        if abs(light - 1) > SAID:
            notes.append(f"the target was made {_change(light)} to fit the scene's light")
    where, buffer = mask & cover, options.buffer
    if not where.any():
        raise BadOption(
            "at this place the target's object does not meet the hole; change scale, shift_x "
            "and shift_y, or use placement fit"
        )
    while not (guided := inside(where, buffer)).any():
        buffer -= 1
    if buffer < options.buffer:
        notes.append(
            f"a buffer of {options.buffer} pixels would leave nothing of the object, so "
            f"{buffer} was used"
        )
    return Guide(target, guided, tuple(notes))


def _placed(mask: Mask, options: "Options") -> tuple[Floats, Mask, Mask, list[str]]:
    """Target pixels (H, W, 3), where its object lies, where it lies at all, and notes."""
    shape = (mask.shape[0], mask.shape[1])
    region = options.region or Region(shape)
    if options.placement == "frame":
        if region.pixels is None or region.thing is None:
            picture = target_picture(options)
            if (picture.height, picture.width) != shape:
                raise _other_size(picture, shape)
            pixels = composite.to_float(picture.pixels)
            return pixels, _own_mask(options, picture), np.ones(shape, np.bool_), []
        return region.pixels, region.thing, np.ones(shape, np.bool_), []
    picture = target_picture(options)
    thing = _subject_of(options)
    room, others = _largest(mask[: region.visible[0], : region.visible[1]])
    if options.placement == "given":
        boxes = bounds(thing), bounds(room)
        spot = placing.given(*boxes, options.scale, options.shift_x, options.shift_y)
    else:
        spot = placing.best_fit(thing, room)
    seen = composite.to_float(picture.pixels)
    target = placing.brought(seen, spot, shape, edge=True)
    cover = placing.covered(thing, spot, shape)
    shown = placing.covered(np.ones_like(thing), spot, shape)
    notes = [ONE_HOLE] if others else []
    return target, cover, shown, notes


def _subject_of(options: "Options") -> Mask:
    """Where the target's object is, (h, w) bool. Raises `BadOption`."""
    picture = target_picture(options)
    return subject(picture, options.reference_mask, options.point, options.segmenter)


def target_picture(options: "Options") -> "Picture":
    """The target, or `BadOption` if there is none."""
    picture: Picture | None = options.reference
    if picture is None:
        raise BadOption("engine guided needs a target picture: give it as reference")
    return picture


def _other_size(picture: "Picture", shape: tuple[int, int]) -> BadOption:
    """What is wrong with a target that is not of the scene's (H, W)."""
    return BadOption(
        f"placement frame needs a target of the scene's own size, {shape[1]}×{shape[0]}, not "
        f"{picture.width}×{picture.height}; use placement fit"
    )


def _own_mask(options: "Options", picture: "Picture") -> Mask:
    """The object of a target in the scene's frame: all of it, unless something says where."""
    if options.reference_mask is None and options.point is None and picture.alpha is None:
        return np.ones((picture.height, picture.width), np.bool_)
    return _subject_of(options)


def _largest(hole: Mask) -> tuple[Mask, bool]:
    """The largest connected part of the hole, and whether there are others."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        np.ascontiguousarray(hole).view(np.uint8), connectivity=8
    )
    if count <= 2:
        return hole, False
    return labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()), True


def _change(light: float) -> str:
    return (
        f"{100 * (light - 1):.0f} % brighter" if light > 1 else f"{100 * (1 - light):.0f} % darker"
    )
