"""Shift and zoom of a rendition against the photo it was made from, over the known pixels.

A start by masked normalised cross-correlation of the smallest copies' detail (Padfield 2012,
"Masked object registration in the Fourier domain"), for several zooms. From there
Gauss-Newton down the pyramid (Lucas and Kanade 1981) with the photo's own gradients as Jacobian,
which carry no noise of the engine's, gain and offset solved for alongside, and each pixel's
weight falling with what it is off by (Geman and McClure), so that what the engine has changed on
purpose, such as a shadow of what it removed, has little say.
"""

import numpy as np
from numpy.typing import NDArray

from infill.drift.levels import Level, Motion, Plane, blur

ZOOMS = (1.0, 0.96, 1.04, 0.92, 1.08, 0.86, 1.16, 0.79, 1.26)  # tried for a start
REACH = 0.25  # how far shifts are looked for, as a share of the side
CLEAR = 0.02  # by how much another start must correlate better than none
GRAIN = 1.0 / 255  # slopes below this, per pixel of a copy, are grain and no texture to go by
NOISE = 6.0 / 255  # what pixels are taken to be off by; that of neighbours is not independent
CLIP = 2.0  # times the photo's mean detail: what is stronger counts as this much
UNSURE = 0.2  # pixels of a copy: what the texture tells less surely than this, it doesn't tell
ROUNDS, ENOUGH = 8, 0.003  # Gauss-Newton steps at most, and the step (pixels) that ends them


def start(level: Level) -> Motion:
    """The zoom and whole-pixel shift at which the pictures correlate best, if far from none."""
    detail = details(level)
    most = max(CLIP * strength(level, detail), 1e-3)
    photo, rendition = (np.clip(plane, -most, most) for plane in detail[:2])
    known = (detail[2] > 0.3).astype(np.float32)
    best = none = _correlation(photo, known, rendition, known, level, Motion())[0, 0]
    found = Motion()
    for zoom in ZOOMS:
        zoomed = Motion(scale=zoom)
        drawn = level.back(rendition, zoomed)
        seen = (level.back(known, zoomed) > 0.999).astype(np.float32)
        table = _correlation(photo, known, drawn, seen, level, zoomed)
        row, column = np.unravel_index(int(np.argmax(table)), table.shape)
        if table[row, column] > max(best, none + CLEAR):
            best = table[row, column]
            rows, columns = table.shape
            down = int(row) - rows if row > rows // 2 else int(row)
            across = int(column) - columns if column > columns // 2 else int(column)
            # a shift within the zoomed-back picture is `zoom` times as long in the rendition
            found = Motion(across * zoom * level.factor[0], down * zoom * level.factor[1], zoom)
    return found


def align(level: Level, motion: Motion, *, bent: bool = False) -> tuple[Motion, bool]:
    """`motion` refined on one copy, and whether the photo has the texture to tell any of it.

    bent: find turn, stretch and shear too.
    Minimises Σ w ρ(rendition(A p) − gain · photo(p) − offset). Directions (of shift and zoom
    together) along which the photo's slopes are too slight stay as they were.
    """
    photo, rendition, weight = level.smooth(1.0)
    weight = weight * level.near
    inner = np.zeros_like(weight)
    inner[2:-2, 2:-2] = weight[2:-2, 2:-2]
    use = np.flatnonzero(inner > 0.01)
    if len(use) < 30:
        return motion, False
    columns, radius = _slopes(photo, use, bent)
    steep = (columns[:, 0] != 0) | (columns[:, 1] != 0)  # flat parts tell nothing of a misfit
    weight = inner.ravel()[use]
    share = (blur(level.known, 1.0) > 0.8).astype(np.float32)
    colour, told = np.array([1.0, 0.0]), False
    for _ in range(ROUNDS):
        held = _rounded(motion, level)
        seen = level.back(share, held).ravel()[use] > 0.999
        drawn = level.back(rendition, held).ravel()[use]
        off = drawn - columns[:, -2:] @ colour.astype(np.float32)
        trust = weight * seen
        if np.count_nonzero(trust) < 30:
            break
        told_by = seen & steep if np.count_nonzero(seen & steep) >= 30 else seen
        spread = float(np.median(np.abs(off[told_by][::3]))) * 1.48 * 3 + 2.0 / 255
        trust = trust / (1 + (off / np.float32(spread)) ** 2) ** 2
        step, tint, told_now = _solve(columns, trust, off, max(float(colour[0]), 0.2))
        told |= told_now
        colour = colour + tint
        limit = 0.04 * max(level.shape)  # no leap that the slopes know nothing of
        last, motion = motion, _stepped(held, np.clip(step, -limit, limit), radius, level)
        if _apart(last, motion, level) < ENOUGH:
            break
    return motion, told


def _rounded(motion: Motion, level: Level) -> Motion:
    """The nearest motion that OpenCV resamples exactly: it rounds positions to 1/32 of a pixel."""
    half = max(level.shape) / 2
    bends = (motion.scale - 1, motion.turn, motion.stretch, motion.shear)
    if max(map(abs, bends)) * half > 1 / 32:  # then the rounding differs from pixel to pixel
        return motion
    across, down = (32 / factor for factor in level.factor)
    return Motion(round(motion.x * across) / across, round(motion.y * down) / down, 1.0)


def _stepped(motion: Motion, step: NDArray[np.float64], radius: float, level: Level) -> Motion:
    linear = [float(value) / radius for value in step[2:]]
    return Motion(
        motion.x + float(step[0]) * level.factor[0],
        motion.y + float(step[1]) * level.factor[1],
        min(max(motion.scale + linear[0], 0.5), 2.0),
        *(
            before + change
            for before, change in zip(
                (motion.turn, motion.stretch, motion.shear), [*linear[1:], 0, 0, 0], strict=False
            )
        ),
    )


def _apart(one: Motion, other: Motion, level: Level) -> float:
    """How far two motions are apart at most, in pixels of the copy."""
    there, back = (motion.matrix(level.shape, level.factor) for motion in (one, other))
    rows, columns = level.shape
    ends = np.array([(0, 0, 1), (columns, 0, 1), (0, rows, 1), (columns, rows, 1)]).T
    return float(np.abs((there - back) @ ends).max())


def _slopes(photo: Plane, use: NDArray[np.intp], bent: bool) -> tuple[Plane, float]:
    """(n, 5 or 8): how the photo changes with shift right, down and zoom (turn, stretch, shear),
    the photo itself, and 1; and a radius.

    Zoom and what follows are measured in pixels too: those they move a pixel at that radius, the
    root of the mean squared distance from the middle. Slopes below GRAIN count as none.
    """
    down, across = (slope.ravel()[use] for slope in np.gradient(photo))
    slight = np.hypot(across, down) < GRAIN
    across[slight] = down[slight] = 0
    rows, cols = np.divmod(use, photo.shape[1])
    right = (cols - (photo.shape[1] - 1) / 2).astype(np.float32)
    below = (rows - (photo.shape[0] - 1) / 2).astype(np.float32)
    radius = max(1.0, float(np.sqrt(np.mean(right**2 + below**2))))
    linear = [across * right + down * below]
    if bent:
        linear += [
            down * right - across * below,
            across * right - down * below,
            across * below + down * right,
        ]
    motions = [across, down, *(column / np.float32(radius) for column in linear)]
    return np.stack([*motions, photo.ravel()[use], np.ones_like(across)], axis=1), radius


def _solve(
    columns: Plane, trust: Plane, off: Plane, gain: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """One weighted step: motion (k,), gain and offset (2,), and whether texture tells any of it.

    columns: (n, k + 2) as `_slopes` gives them; trust and off: (n,).

    The motion's part of the normal equations is taken apart into directions; those whose
    standard error would exceed UNSURE are left out.
    """
    weighted = columns * trust[:, None]
    normal = (weighted.T @ columns).astype(np.float64)
    right = (weighted.T @ off).astype(np.float64)
    normal[:-2] *= gain
    normal[:, :-2] *= gain
    right[:-2] *= gain
    tints = normal[-2:, -2:] + 1e-3 * np.eye(2)
    cross = normal[:-2, -2:] @ np.linalg.inv(tints)
    strength, directions = np.linalg.eigh(normal[:-2, :-2] - cross @ normal[-2:, :-2])
    sure = strength > (NOISE / UNSURE) ** 2
    along = directions[:, sure]
    wanted = right[:-2] - cross @ right[-2:]
    step = -along @ ((along.T @ wanted) / strength[sure])
    tint = np.linalg.solve(tints, right[-2:] + normal[-2:, :-2] @ step)
    return step, tint, bool(sure.any())


def agreement(level: Level, detail: tuple[Plane, Plane, Plane], motion: Motion) -> float:
    """Weighted correlation of the detail of known pixels once `motion` is undone, −1 to 1.

    detail: as `details` gives it; clipped, so that a few strong edges that one picture alone has
            don't decide. 0 where either picture has none.
    """
    photo, rendition, weight = detail
    drawn = level.back(rendition, motion)
    trust = weight * (level.back((weight > 0.05).astype(np.float32), motion) > 0.999) * level.near
    total = float(trust.sum())
    if not total:
        return 0.0
    most = CLIP * strength(level, detail)
    one, other = np.clip(photo, -most, most), np.clip(drawn, -most, most)
    one = one - np.sum(trust * one) / total
    other = other - np.sum(trust * other) / total
    power = float(np.sum(trust * one**2)) * float(np.sum(trust * other**2))
    return float(np.sum(trust * one * other)) / power**0.5 if power > 0 else 0.0


def details(level: Level) -> tuple[Plane, Plane, Plane]:
    """What lies between 1 and 8 pixels of a copy, of both pictures, and a weight (h, w).

    Finer detail is the decoder's to lose; coarser (light above, dark below) any two photos share.
    """
    photo, rendition, weight = level.smooth(1.0)
    wide_photo, wide_rendition, _ = level.smooth(8.0)
    return photo - wide_photo, rendition - wide_rendition, weight


def strength(level: Level, detail: tuple[Plane, Plane, Plane], which: int = 0) -> float:
    """Root of the mean squared detail of known pixels, of the photo (0) or the rendition (1)."""
    trust = detail[2] * level.near
    return float(np.sqrt(np.sum(trust * detail[which] ** 2) / max(float(trust.sum()), 1e-6)))


def _correlation(
    photo: Plane, known: Plane, drawn: Plane, seen: Plane, level: Level, motion: Motion
) -> Plane:
    """(rows, columns) of correlations, one for each shift, negative ones from the end.

    Those beyond REACH, or that leave less than a quarter of the known pixels, are −1. A shift
    as far as REACH must beat none by 0.05: of a pattern's many matches the nearest is meant.
    """
    rows, columns = level.shape
    reach = int(REACH * max(rows, columns))
    size = (rows + reach, columns + reach)

    def spectrum(plane: Plane) -> NDArray[np.complexfloating]:
        return np.fft.rfft2(plane, size)

    def both(one: NDArray[np.complexfloating], other: NDArray[np.complexfloating]) -> Plane:
        return np.fft.irfft2(np.conj(one) * other, size)

    photo = (photo - photo[known > 0].mean()) * known if known.any() else photo
    drawn = (drawn - drawn[seen > 0].mean()) * seen if seen.any() else drawn
    one, first, power = spectrum(known), spectrum(photo), spectrum(photo**2)
    two, second, strength = spectrum(seen), spectrum(drawn), spectrum(drawn**2)
    count = np.maximum(both(one, two), 1)
    sums, others = both(first, two), both(one, second)
    spread = np.maximum(both(power, two) - sums**2 / count, 0)
    width = np.maximum(both(one, strength) - others**2 / count, 0)
    least = 1e-5 * count
    table = (both(first, second) - sums * others / count) / np.sqrt(
        (spread + least) * (width + least)
    )
    down = np.abs(np.fft.fftfreq(size[0], 1 / size[0]))[:, None]
    across = np.abs(np.fft.fftfreq(size[1], 1 / size[1]))[None]
    table -= 0.05 * np.hypot(down, across) / max(reach, 1) + 0.05 * abs(motion.scale - 1)
    table[(count < 0.25 * known.sum()) | (down > reach) | (across > reach)] = -1
    return table
