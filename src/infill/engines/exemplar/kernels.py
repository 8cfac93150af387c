"""The loops over patches and pixels, compiled by Numba and cached on disk.

Each kernel works on a range [start, end) of targets or hole pixels and writes only there, from
what an earlier pass left: so the ranges may run in any number of threads and give the same
bytes. All release the GIL. Pixels are named by their flat index y * W + x, images are flat
uint8 arrays of H * W * 4 bytes (red, green, blue, texture) with `simd.PADDING` bytes behind.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from infill.engines.exemplar.simd import CHANNELS, RADIUS, patch_distance

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int32]
Floats = NDArray[np.float32]


@njit(inline="always")
def _mix(state: int) -> int:
    """The next of a stream of 32-bit numbers (a counter-based hash: no state to share)."""
    h = np.uint32(state + np.uint32(0x9E3779B9))
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D))
    h = np.uint32((h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(h ^ (h >> np.uint32(16)))


@njit(inline="always")
def _grey(pixels: Floats, y: int, x: int) -> float:
    """Luma of ITU-R BT.601, 0 to 255."""
    return (
        np.float32(76.245) * pixels[y, x, 0]
        + np.float32(149.685) * pixels[y, x, 1]
        + np.float32(29.07) * pixels[y, x, 2]
    )


@njit(nogil=True, cache=True, boundscheck=False)
def roughness(
    pixels: Floats, hole: Bytes, image: Bytes, total: Floats, count: Floats, start: int, end: int
) -> None:
    """Rows [start, end): colours to 8 bits, and absolute gradients between known pixels.

    pixels (H, W, 3) float32 in [0, 1], hole (H, W). Writes red, green and blue of image
    (H, W, 4); total (H, W), the sum of each pixel's steps to the right and down; and count
    (H, W), how many of those steps there are, 0 to 2.
    """
    height, width = hole.shape
    for y in range(start, end):
        for x in range(width):
            steps = np.float32(0)
            number = np.float32(0)
            if hole[y, x]:
                image[y, x] = 0
            else:
                for channel in range(3):
                    value = min(max(pixels[y, x, channel], np.float32(0)), np.float32(1))
                    image[y, x, channel] = np.uint8(value * np.float32(255) + np.float32(0.5))
                grey = _grey(pixels, y, x)
                if x + 1 < width and not hole[y, x + 1]:
                    steps += abs(_grey(pixels, y, x + 1) - grey)
                    number += np.float32(1)
                if y + 1 < height and not hole[y + 1, x]:
                    steps += abs(_grey(pixels, y + 1, x) - grey)
                    number += np.float32(1)
            total[y, x] = steps
            count[y, x] = number


@njit(inline="always")
def _astray(low: Bytes, pull: int, slack: int, here: int, there: int) -> int:
    """`pull` times the squared difference of two pixels of `low`, summed over three channels,
    each less `slack`; 0 for a pull of 0."""
    if pull == 0:
        return 0
    total = 0
    for channel in range(3):
        apart = abs(np.int64(low[here * 3 + channel]) - np.int64(low[there * 3 + channel]))
        if apart > slack:
            total += (apart - slack) * (apart - slack)
    return pull * total


@njit(inline="always")
def _distance(
    image: Bytes, low: Bytes, row: int, corner: int, pull: int, slack: int, here: int, there: int
) -> int:
    """How far the patches around two centres are apart, from near and (with a pull) from afar."""
    near = patch_distance(image, here * CHANNELS - corner, there * CHANNELS - corner, row)
    return near + _astray(low, pull, slack, here, there)


@njit(nogil=True, cache=True, boundscheck=False)
def search(
    image: Bytes,
    low: Bytes,
    width: int,
    height: int,
    targets: Ints,
    target_at: Ints,
    usable: Bytes,
    source: Ints,
    distance: Ints,
    new_source: Ints,
    new_distance: Ints,
    start: int,
    end: int,
    jump: int,
    reach: int,
    tries: int,
    shifts: Ints,
    shift_tries: int,
    apart: int,
    stale: bool,
    pull: int,
    slack: int,
    seed: int,
) -> None:
    """One PatchMatch pass (Barnes et al. 2009): propagation, then random search.

    All targets move at once from `source` to `new_source` (Jacobi, not Gauss-Seidel), so the
    result does not depend on the order. Candidates of each target: the shifts of its four
    neighbours `jump` pixels away; `shift_tries` of the dominant `shifts` (dy, dx); and `tries`
    places in a window around the best so far, whose radius starts at `reach` and halves.
    `apart` > 0 forbids sources nearer than that many pixels (for statistics of known patches).
    `stale` says that the image changed since `distance` was measured. A `pull` above 0 adds
    that many times the squared difference, less `slack`, of `low`, uint8 H * W * 3, at the two
    centres: what is matched is to look alike from afar, too.
    """
    row = width * CHANNELS
    corner = RADIUS * row + RADIUS * CHANNELS
    last_y = height - RADIUS - 1
    last_x = width - RADIUS - 1
    for i in range(start, end):
        t = np.int64(targets[i])
        y = t // width
        x = t - y * width
        best = np.int64(source[i])
        least = distance[i]
        if stale:
            least = _distance(image, low, row, corner, pull, slack, t, best)
        for k in range(4):
            ny = y + (jump if k == 2 else (-jump if k == 3 else 0))
            nx = x + (jump if k == 0 else (-jump if k == 1 else 0))
            if ny < 0 or ny >= height or nx < 0 or nx >= width:
                continue
            n = ny * width + nx
            j = target_at[n]
            if j < 0:
                continue
            c = np.int64(source[j]) + t - n
            if c < 0 or c >= usable.size or c == best or usable[c] == 0:
                continue
            if apart > 0:
                cy = c // width
                if abs(cy - y) < apart and abs(c - cy * width - x) < apart:
                    continue
            d = _distance(image, low, row, corner, pull, slack, t, c)
            if d < least:
                least = d
                best = c
        h = np.uint32(np.uint32(seed) ^ np.uint32(np.uint32(t) * np.uint32(2654435761)))
        for _ in range(shift_tries):
            h = _mix(h)
            k = h % np.uint32(shifts.shape[0])
            cy = y + shifts[k, 0]
            cx = x + shifts[k, 1]
            if cy < RADIUS or cy > last_y or cx < RADIUS or cx > last_x:
                continue
            c = cy * width + cx
            if usable[c] == 0:
                continue
            d = _distance(image, low, row, corner, pull, slack, t, c)
            if d < least:
                least = d
                best = c
        radius = reach
        for _ in range(tries):
            h = _mix(h)
            by = best // width
            bx = best - by * width
            y0 = max(by - radius, RADIUS)
            x0 = max(bx - radius, RADIUS)
            rows = np.int64(min(by + radius, last_y) - y0 + 1)
            columns = np.int64(min(bx + radius, last_x) - x0 + 1)
            cy = y0 + ((np.int64(h & np.uint32(0xFFFF)) * rows) >> 16)
            cx = x0 + ((np.int64(h >> np.uint32(16)) * columns) >> 16)
            radius = max(1, radius >> 1)
            c = cy * width + cx
            if usable[c] == 0:
                continue
            if apart > 0 and abs(cy - y) < apart and abs(cx - x) < apart:
                continue
            d = _distance(image, low, row, corner, pull, slack, t, c)
            if d < least:
                least = d
                best = c
        new_source[i] = best
        new_distance[i] = least


@njit(nogil=True, cache=True, boundscheck=False)
def weigh(
    distance: Ints, confidence: Floats, scale: float, weight: Floats, start: int, end: int
) -> None:
    """Weight of each target's vote: its confidence times exp(-distance * scale)."""
    for i in range(start, end):
        likeness = math.exp(-min(distance[i] * scale, np.float32(60.0)))
        weight[i] = confidence[i] * np.float32(likeness) + np.float32(1e-18)


@njit(nogil=True, cache=True, boundscheck=False)
def vote(
    image: Bytes,
    width: int,
    height: int,
    hole: Ints,
    target_at: Ints,
    source: Ints,
    weight: Floats,
    start: int,
    end: int,
) -> None:
    """Set each hole pixel to the weighted mean of what the patches over it say.

    Wexler et al. 2007, equation 5: each target patch that covers the pixel proposes the pixel
    at the same place of its source patch.
    """
    half = np.float32(0.5)
    for i in range(start, end):
        p = np.int64(hole[i])
        y = p // width
        x = p - y * width
        red = green = blue = texture = np.float32(0)
        total = np.float32(1e-20)
        for dy in range(max(-RADIUS, y - (height - RADIUS - 1)), min(RADIUS, y - RADIUS) + 1):
            for dx in range(max(-RADIUS, x - (width - RADIUS - 1)), min(RADIUS, x - RADIUS) + 1):
                offset = dy * width + dx
                j = target_at[p - offset]
                w = weight[j]
                q = np.uint64((source[j] + offset) * CHANNELS)
                total += w
                red += w * np.float32(image[q])
                green += w * np.float32(image[q + np.uint64(1)])
                blue += w * np.float32(image[q + np.uint64(2)])
                texture += w * np.float32(image[q + np.uint64(3)])
        q = np.uint64(p * CHANNELS)
        image[q] = np.uint8(red / total + half)
        image[q + np.uint64(1)] = np.uint8(green / total + half)
        image[q + np.uint64(2)] = np.uint8(blue / total + half)
        image[q + np.uint64(3)] = np.uint8(texture / total + half)


@njit(nogil=True, cache=True, boundscheck=False)
def copy(
    image: Bytes,
    width: int,
    height: int,
    hole: Ints,
    target_at: Ints,
    source: Ints,
    origin: Ints,
    start: int,
    end: int,
) -> None:
    """Set each hole pixel to the pixel that it is a copy of, and `origin` to where that lies.

    A pixel moves as its own target does; near the photo's border, where its patch would hang
    over, as the nearest target whose patch does not.
    """
    for i in range(start, end):
        p = np.int64(hole[i])
        y = p // width
        x = p - y * width
        centre = min(max(y, RADIUS), height - RADIUS - 1) * width
        centre += min(max(x, RADIUS), width - RADIUS - 1)
        q = p - centre + source[target_at[centre]]
        origin[i] = q
        for channel in range(CHANNELS):
            image[p * CHANNELS + channel] = image[q * CHANNELS + channel]


@njit(nogil=True, cache=True, boundscheck=False)
def halve(
    image: Bytes, hole: Bytes, half_image: Bytes, half_hole: Bytes, start: int, end: int
) -> None:
    """Halve the size: each pixel of rows [start, end) is the mean of the known ones of four.

    image (H, W, 4), hole (H, W); half_image (ceil(H/2), ceil(W/2), 4), half_hole alike. A pixel
    is hole only where none of the four is known: thin holes close, and what is known is kept.
    """
    height, width = hole.shape
    for y in range(start, end):
        for x in range(half_hole.shape[1]):
            known = 0
            red = green = blue = texture = 0
            for yy in range(2 * y, min(2 * y + 2, height)):
                for xx in range(2 * x, min(2 * x + 2, width)):
                    if hole[yy, xx] == 0:
                        known += 1
                        red += image[yy, xx, 0]
                        green += image[yy, xx, 1]
                        blue += image[yy, xx, 2]
                        texture += image[yy, xx, 3]
            half_hole[y, x] = known == 0
            divisor = max(known, 1)
            half_image[y, x, 0] = (red + known // 2) // divisor
            half_image[y, x, 1] = (green + known // 2) // divisor
            half_image[y, x, 2] = (blue + known // 2) // divisor
            half_image[y, x, 3] = (texture + known // 2) // divisor
