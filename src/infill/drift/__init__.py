"""How far an engine's own rendition of a photo drifted from it, and the way back.

Engines that redraw the whole picture (instruction-guided ones above all) shift, zoom and recolour
what they should keep, and the hole with it. What is known around the hole tells by how much:

    rendition(A p) = gain · photo(p) + offset,    A p = c + scale · (p − c) + shift

with p in pixels and c the middle of the picture. Shift and scale: masked normalised
cross-correlation (Padfield 2012, "Masked object registration in the Fourier domain") of a small
copy gives the start, Gauss-Newton with robust weights down a pyramid the rest, as in Lucas and
Kanade 1981, with the photo's own gradients as Jacobian and gain and offset solved for alongside.
Colour: trimmed least squares for each channel, on a copy so small that blur has no say.

The noise and blur of a latent model's decoder is no drift: it lowers the correlation a little and
moves nothing. No pixel under the mask is read, in either picture, for any measurement.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from infill.drift.align import agreement, align, details, start, strength
from infill.drift.colour import colour
from infill.drift.levels import Motion, pyramid
from infill.errors import Drifted
from infill.geometry import Box, bounds

SIGHT = 256  # longest side of the copy on which pictures are compared
FAINT = 3.0 / 255  # detail of the photo that is fainter on it may be grain alone

# Below these, leaving the rendition alone is better than resampling it.
STILL = 0.1  # pixels, how far any pixel of the hole is off
SAME = (
    2.0 / 255
)  # how far any of the photo's usual colours is off; a decoder's blur looks like less

# Beyond these it is not the same picture any more.
FAR_SHIFT = 0.08  # share of the longer side
FAR_ZOOM = 1.1  # and its inverse
FAR_GAIN = 1.6  # and its inverse
FAR_OFFSET = 0.25
AGREES = 0.6  # least correlation of the detail of known pixels after correction
FAR_RESIDUAL = 10.0 / 255  # largest median difference of known pixels after correction
FAR_BENT = 2.0  # pixels, or 1/400 of the longer side where that is more


@dataclass(frozen=True)
class Drift:
    """What was measured on the known pixels; those near the hole count most.

    shift_x, shift_y: pixels that the rendition's middle lies to the right and down.
    scale:     the rendition's size over the photo's, about the picture's middle.
    gain, offset: for R, G, B: rendition = gain · photo + offset, photo in [0, 1].
    agreement: correlation of the detail of both pictures (what lies between about 1 and 8 pixels
               of a 256-pixel copy) after correction, −1 to 1.
    before:    the same before it.
    residual:  median difference of the colours after correction, in [0, 1]; where `textured` is
               False at least the detail that the rendition has more of.
    bent:      pixels by which turning, stretching and shearing, which are not corrected, displace
               the corner of the hole's box where they do most.
    textured:  False where too little of the photo's texture is known to tell a shift by: then
               shift and scale are none, and colour alone was judged.
    """

    shift_x: float
    shift_y: float
    scale: float
    gain: tuple[float, float, float]
    offset: tuple[float, float, float]
    agreement: float
    before: float
    residual: float
    bent: float
    textured: bool

    @property
    def motion(self) -> Motion:
        return Motion(self.shift_x, self.shift_y, self.scale)

    @property
    def colours(self) -> str:
        gain = ", ".join(f"{value:.3f}" for value in self.gain)
        offset = ", ".join(f"{value * 255:+.1f}" for value in self.offset)
        return (
            f"colour (R, G, B) times ({gain}) plus ({offset}) of 255, "
            f"{self.residual * 255:.1f} of 255 left over"
        )

    def __str__(self) -> str:
        if not self.textured:
            return f"{self.colours}; too little texture is known to tell a shift or zoom by"
        return (
            f"shifted by {self.shift_x:+.2f} pixels across and {self.shift_y:+.2f} down, "
            f"zoomed by {(self.scale - 1) * 100:+.2f} %, {self.colours}, "
            f"agreement {self.before:.2f} before and {self.agreement:.2f} after correction"
        )


def guard(
    photo: NDArray[np.float32], rendition: NDArray[np.floating], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.floating], str | None]:
    """The rendition laid over the photo again, and a note that says by how much, or None.

    Takes what `measure` takes. A rendition that is off by less than `STILL` pixels everywhere in
    the hole and less than `SAME` in colour comes back as the very array, with None. One of which
    every pixel is masked comes back as it is, too: there is nothing to tell drift by.
    Raises `Drifted` with the numbers where no shift, zoom and colour makes it fit.
    """
    if mask.all():
        return rendition, "too little of the photo was kept to tell whether the model moved it"
    drift = measure(photo, rendition, mask)
    _refuse(drift, max(mask.shape))
    hole = bounds(mask)
    moved = drift.motion.off(hole, mask.shape) >= STILL
    recoloured = _recoloured(drift, photo, mask) >= SAME
    if not moved and not recoloured:
        return rendition, None
    mend = drift
    if not moved:
        mend = replace(mend, shift_x=0.0, shift_y=0.0, scale=1.0)
    if not recoloured:
        mend = replace(mend, gain=(1.0, 1.0, 1.0), offset=(0.0, 0.0, 0.0))
    note = f"the engine's picture had drifted and was put back: {drift}"
    lost = _beyond(mend.motion, hole, mask.shape)
    if lost >= 1:
        note += f"; {lost:.0f} pixels at the edge had left its picture and were mirrored"
    return correct(rendition, mend), note


def correct(rendition: NDArray[np.floating], drift: Drift) -> NDArray[np.float32]:
    """(H, W, 3) float32 in [0, 1]: the rendition with `drift` undone, a new array.

    Resampled once (Lanczos over 8 × 8 pixels, mirrored at the edges) if there is any shift or
    zoom; then colour = (colour − offset) / gain.
    Raises `Drifted` for a gain that nothing undoes.
    """
    import cv2

    if min(drift.gain) <= 0:
        raise Drifted(f"the engine's picture has lost its colours ({drift.colours})")
    moved = np.array(rendition, np.float32)
    if drift.motion != Motion():
        flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
        matrix, size = drift.motion.matrix(moved.shape), moved.shape[1::-1]
        edge = cv2.BORDER_REFLECT_101
        moved[...] = cv2.warpAffine(moved, matrix, size, flags=flags, borderMode=edge)
    moved -= np.array(drift.offset, np.float32)
    moved /= np.array(drift.gain, np.float32)
    return np.clip(moved, 0, 1, out=moved)


def measure(
    photo: NDArray[np.float32], rendition: NDArray[np.floating], mask: NDArray[np.bool_]
) -> Drift:
    """How the rendition differs from the photo, by the known pixels alone.

    photo:     (H, W, 3) float RGB in [0, 1], not written.
    rendition: (H, W, 3) float, the engine's picture of the same crop, not written.
    mask:      (H, W) bool, True = hole. Nothing under it is read.
    Raises `EngineFailed` if nothing is known, or the rendition is of another size or holds NaN
    or infinity in known pixels.
    """
    levels = pyramid(photo, rendition, mask)
    motion, textured = start(levels[-1]), False
    for level in reversed(levels):
        motion, told = align(level, motion)
        textured = textured or told
    seen = [level for level in levels if max(level.shape) <= SIGHT]
    sight = seen[0]
    detail = details(sight)
    before = agreement(sight, detail, Motion())
    after = agreement(sight, detail, motion) if textured else before
    if max(before, after) < AGREES and strength(sight, detail) < FAINT:
        textured = False  # what seemed texture was grain, which no decoder gives back
    if not textured or after < before - 0.01:  # nothing to go by, or led astray
        motion, after = Motion(), before
    bent = motion
    if textured and after >= AGREES:
        for level in reversed(seen):
            bent, _ = align(level, bent, bent=True)
    warped = replace(bent, x=0.0, y=0.0, scale=1.0).off(bounds(mask), mask.shape)
    gain, offset, residual = colour(levels[0], motion)
    if not textured:  # what a flat part of the photo has got in detail was not there
        fine = details(levels[0])
        residual = max(residual, strength(levels[0], fine, 1) - strength(levels[0], fine))
    return Drift(
        *(motion.x, motion.y, motion.scale, gain, offset),
        *(after, before, residual, warped, textured),
    )


def _refuse(drift: Drift, side: int) -> None:
    """Raise `Drifted` if `drift` can't be put right. side: the crop's longer one, pixels."""
    why = _not_the_same(drift) or _too_far(drift, side)
    if why:
        raise Drifted(
            f"the engine's picture does not fit the photo around the hole: {why}; "
            "try another seed, a lower strength or another engine"
        )


def _not_the_same(drift: Drift) -> str:
    """What says that the rendition is another picture, in which numbers of a shift mean nothing."""
    if drift.textured and not drift.agreement >= AGREES:
        return (
            f"no shift, zoom and colour lays one over the other (agreement {drift.before:.2f} as "
            f"it came, {drift.agreement:.2f} at best, of at least {AGREES:.2f})"
        )
    return ""


def _too_far(drift: Drift, side: int) -> str:
    """The measured drift and what of it is out of range, or nothing."""
    why = []
    if max(abs(drift.shift_x), abs(drift.shift_y)) > FAR_SHIFT * side:
        why.append(f"a shift of at most {FAR_SHIFT * side:.0f} pixels can be put right")
    if not 1 / FAR_ZOOM <= drift.scale <= FAR_ZOOM:
        why.append(f"a zoom of at most {(FAR_ZOOM - 1) * 100:.0f} % can be put right")
    if drift.bent > max(FAR_BENT, side / 400):
        why.append(f"it is turned or stretched by {drift.bent:.1f} pixels at the hole as well")
    gains = all(1 / FAR_GAIN <= value <= FAR_GAIN for value in drift.gain)
    if not gains or max(map(abs, drift.offset)) > FAR_OFFSET:
        most = f"times {FAR_GAIN} and plus {FAR_OFFSET * 255:.0f} of 255"
        why.append(f"colour can be put right by at most {most}")
    elif not drift.residual <= FAR_RESIDUAL:
        why.append(f"colour may be off by {FAR_RESIDUAL * 255:.0f} of 255 after correction")
    return f"{drift}; {' and '.join(why)}" if why else ""


def _recoloured(drift: Drift, photo: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Largest change of colour, over the range that known pixels of the photo have."""
    some = photo[::4, ::4][~mask[::4, ::4]]
    some = some if len(some) else photo[~mask]
    usual = np.percentile(some, (2, 98), axis=0)
    return float(np.abs(usual * drift.gain + drift.offset - usual).max())


def _beyond(motion: Motion, hole: Box, shape: tuple[int, ...]) -> float:
    """By how many pixels the hole's box, where the rendition has it, lies outside of it."""
    (_, _, shift_x), (_, _, shift_y) = motion.matrix(shape)
    left, right = (motion.scale * x + shift_x for x in (hole.left, hole.right - 1))
    top, bottom = (motion.scale * y + shift_y for y in (hole.top, hole.bottom - 1))
    return float(max(-left, -top, right - (shape[1] - 1), bottom - (shape[0] - 1), 0))
