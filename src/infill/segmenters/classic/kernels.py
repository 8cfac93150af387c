"""Loops over pixels and superpixels, compiled by Numba and cached on disk; all release the GIL.

Pixels here are those of the reduced photo. Labels are int32, a superpixel's number is its row in
every table. None of them depends on the number of threads.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]


@njit(cache=True, nogil=True)
def slic(lab: Floats, step: float, compactness: float, rounds: int) -> Ints:
    """Superpixels of about step × step pixels (Achanta et al. 2012), before they are mended.

    lab (H, W, 3). Returns labels (H, W); a label's pixels need not hang together yet.
    """
    height, width = lab.shape[:2]
    rows = max(1, int(height / step + 0.5))
    columns = max(1, int(width / step + 0.5))
    count = rows * columns
    centres = np.zeros((count, 5), np.float32)
    for r in range(rows):
        for c in range(columns):
            y = int((r + 0.5) * height / rows)
            x = int((c + 0.5) * width / columns)
            k = r * columns + c
            for channel in range(3):
                centres[k, channel] = lab[y, x, channel]
            centres[k, 3] = y
            centres[k, 4] = x
    labels = np.zeros((height, width), np.int32)
    nearest = np.empty((height, width), np.float32)
    reach = int(2 * step) + 1
    weight = np.float32((compactness / step) ** 2)
    for _ in range(rounds):
        nearest[:] = np.float32(1e30)
        for k in range(count):
            l0, a0, b0, cy, cx = centres[k]
            for y in range(max(0, int(cy) - reach), min(height, int(cy) + reach + 1)):
                dy = (y - cy) * (y - cy) * weight
                for x in range(max(0, int(cx) - reach), min(width, int(cx) + reach + 1)):
                    distance = (
                        (lab[y, x, 0] - l0) ** 2
                        + (lab[y, x, 1] - a0) ** 2
                        + (lab[y, x, 2] - b0) ** 2
                        + dy
                        + (x - cx) * (x - cx) * weight
                    )
                    if distance < nearest[y, x]:
                        nearest[y, x] = distance
                        labels[y, x] = k
        sums = np.zeros((count, 6), np.float64)
        for y in range(height):
            for x in range(width):
                row = sums[labels[y, x]]
                for channel in range(3):
                    row[channel] += lab[y, x, channel]
                row[3] += y
                row[4] += x
                row[5] += 1
        for k in range(count):
            if sums[k, 5] > 0:
                for j in range(5):
                    centres[k, j] = sums[k, j] / sums[k, 5]
    return labels


@njit(cache=True, nogil=True)
def mended(labels: Ints, least: int) -> Ints:
    """Labels whose pixels hang together, 0, 1, 2, … in reading order; crumbs of fewer than
    `least` pixels join the neighbour found first.
    """
    height, width = labels.shape
    new = np.full((height, width), -1, np.int32)
    queue = np.empty(height * width, np.int32)
    count = 0
    for start in range(height * width):
        y0 = start // width
        x0 = start - y0 * width
        if new[y0, x0] >= 0:
            continue
        old = labels[y0, x0]
        neighbour = -1
        queue[0] = start
        new[y0, x0] = count
        head, tail = 0, 1
        while head < tail:
            y = queue[head] // width
            x = queue[head] - y * width
            head += 1
            for dy, dx in ((-1, 0), (0, -1), (0, 1), (1, 0)):
                v, u = y + dy, x + dx
                if 0 <= v < height and 0 <= u < width:
                    if new[v, u] < 0 and labels[v, u] == old:
                        new[v, u] = count
                        queue[tail] = v * width + u
                        tail += 1
                    elif new[v, u] >= 0 and new[v, u] != count and neighbour < 0:
                        neighbour = new[v, u]
        if tail < least and neighbour >= 0:
            for i in range(tail):
                new[queue[i] // width, queue[i] % width] = neighbour
        else:
            count += 1
    return new


@njit(cache=True, nogil=True)
def borders(labels: Ints, strength: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Every pair of touching pixels of two superpixels, as keys a * count + b and strengths.

    strength (H, W, K). Returns keys (M,) int64 and means of the two pixels' strengths (M, K).
    """
    height, width = labels.shape
    count = labels.max() + 1
    kinds = strength.shape[2]
    total = 0
    for y in range(height):
        for x in range(width):
            total += x + 1 < width and labels[y, x] != labels[y, x + 1]
            total += y + 1 < height and labels[y, x] != labels[y + 1, x]
    keys = np.empty(total, np.int64)
    values = np.empty((total, kinds), np.float32)
    i = 0
    for y in range(height):
        for x in range(width):
            for dy, dx in ((0, 1), (1, 0)):
                v, u = y + dy, x + dx
                if v < height and u < width and labels[y, x] != labels[v, u]:
                    a, b = labels[y, x], labels[v, u]
                    keys[i] = np.int64(min(a, b)) * count + max(a, b)
                    for k in range(kinds):
                        values[i, k] = max(strength[y, x, k], strength[v, u, k])
                    i += 1
    return keys, values


@njit(cache=True, nogil=True)
def component(
    starts: Ints, nodes: Ints, inside: NDArray[np.bool_], seeds: Ints
) -> NDArray[np.bool_]:
    """The part of `inside` (N,) that hangs together with any of the seeds."""
    count = len(inside)
    found = np.zeros(count, np.bool_)
    queue = np.empty(count, np.int32)
    head, tail = 0, 0
    for seed in seeds:
        if inside[seed] and not found[seed]:
            found[seed] = True
            queue[tail] = seed
            tail += 1
    while head < tail:
        node = queue[head]
        head += 1
        for e in range(starts[node], starts[node + 1]):
            other = nodes[e]
            if inside[other] and not found[other]:
                found[other] = True
                queue[tail] = other
                tail += 1
    return found


@njit(cache=True, nogil=True)
def rings(starts: Ints, nodes: Ints, regions: NDArray[np.bool_], rounds: int) -> NDArray[np.bool_]:
    """What lies around each region, up to `rounds` steps away. regions and result (C, N)."""
    many, count = regions.shape
    found = np.zeros((many, count), np.bool_)
    queue = np.empty(count, np.int32)
    depth = np.empty(count, np.int32)
    for c in range(many):
        head, tail = 0, 0
        for i in range(count):
            if regions[c, i]:
                for e in range(starts[i], starts[i + 1]):
                    other = nodes[e]
                    if not regions[c, other] and not found[c, other]:
                        found[c, other] = True
                        depth[tail] = 1
                        queue[tail] = other
                        tail += 1
        while head < tail:
            node, steps = queue[head], depth[head]
            head += 1
            if steps == rounds:
                break
            for e in range(starts[node], starts[node + 1]):
                other = nodes[e]
                if not regions[c, other] and not found[c, other]:
                    found[c, other] = True
                    depth[tail] = steps + 1
                    queue[tail] = other
                    tail += 1
    return found


@njit(cache=True, nogil=True)
def depths(
    starts: Ints, nodes: Ints, x: Floats, y: Floats, edge: Floats, regions: NDArray[np.bool_]
) -> Floats:
    """How far every superpixel of a region lies from its outline, about, (C, N), 0 outside.

    x, y (N,): centres. edge (N,): distance to the photo's border, beyond which all is outside.
    The nearest place outside is handed on from neighbour to neighbour (Danielsson 1980).
    """
    many, count = regions.shape
    depth = np.zeros((many, count), np.float32)
    at_x = np.empty(count, np.float32)
    at_y = np.empty(count, np.float32)
    queue = np.empty(count, np.int32)
    queued = np.empty(count, np.bool_)
    for c in range(many):
        head, tail, waiting = 0, 0, 0
        for i in range(count):
            queued[i] = False
            if not regions[c, i]:
                continue
            depth[c, i] = edge[i]
            at_x[i] = np.nan
            at_y[i] = np.nan
            for e in range(starts[i], starts[i + 1]):
                j = nodes[e]
                if not regions[c, j]:
                    u, v = (x[i] + x[j]) / 2, (y[i] + y[j]) / 2
                    d = np.hypot(x[i] - u, y[i] - v)
                    if d < depth[c, i]:
                        depth[c, i] = d
                        at_x[i] = u
                        at_y[i] = v
            if not np.isnan(at_x[i]):
                queue[tail] = i
                queued[i] = True
                tail = (tail + 1) % count
                waiting += 1
        while waiting > 0:
            i = queue[head]
            head = (head + 1) % count
            waiting -= 1
            queued[i] = False
            for e in range(starts[i], starts[i + 1]):
                j = nodes[e]
                if regions[c, j]:
                    d = np.hypot(x[j] - at_x[i], y[j] - at_y[i])
                    if d < depth[c, j] - np.float32(1e-3):
                        depth[c, j] = d
                        at_x[j] = at_x[i]
                        at_y[j] = at_y[i]
                        if not queued[j]:
                            queued[j] = True
                            queue[tail] = j
                            tail = (tail + 1) % count
                            waiting += 1
    return depth
