"""Floors, tiles and paving laid piece by piece: the patterns, and one mesh of many slabs."""

import math
import random

import numpy as np

from benchmarks.furniture.studio.more_forms import mesh


def _slab(width, height, thick, chamfer):
    """A chamfered slab facing +z: vertices about its centre and faces (no underside)."""
    x, y, c = width / 2, height / 2, chamfer
    ring = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    low = [(i * x, j * y, 0) for i, j in ring]
    edge = [(i * x, j * y, thick - c) for i, j in ring]
    top = [(i * (x - c), j * (y - c), thick) for i, j in ring]
    faces = []
    for a in (0, 4):
        faces += [(a + k, a + (k + 1) % 4, a + 4 + (k + 1) % 4, a + 4 + k) for k in range(4)]
    return np.array(low + edge + top, float), [*faces, (8, 9, 10, 11)]


def _rotate(points, turn, tilt_x=0.0, tilt_y=0.0):
    c, s = math.cos(turn), math.sin(turn)
    p = points.copy()
    p[:, 2] += points[:, 0] * tilt_x + points[:, 1] * tilt_y
    p[:, 0], p[:, 1] = points[:, 0] * c - points[:, 1] * s, points[:, 0] * s + points[:, 1] * c
    return p


def slabs(
    name,
    spots,
    material,
    chamfer=0.0015,
    thick=0.008,
    uneven=0.0,
    seed=1,
    at=(0, 0, 0),
    upright=False,
):
    """One mesh of many slabs; spots are (x, y, width, height, turn in radians).

    Each slab is its own island and has UVs in metres along its own sides, moved by a random
    amount, so that grain and glaze differ. uneven tilts each (radians). upright stands the plane
    (x, y) up as (x, z), facing -y.
    """
    rng = random.Random(seed)
    vertices, faces, uv = [], [], []
    for x, y, width, height, turn in spots:
        shape, quads = _slab(width, height, thick, chamfer)
        shift = (rng.uniform(0, 40), rng.uniform(0, 40))
        uv += [(p[0] + shift[0], p[1] + shift[1]) for p in shape]
        tilt = (rng.gauss(0, uneven), rng.gauss(0, uneven))
        placed = _rotate(shape, turn, *tilt) + np.array((x, y, rng.uniform(0, uneven) * 0.05))
        if upright:
            placed = placed[:, [0, 2, 1]] * (1, -1, 1)
        first = len(vertices)
        vertices += list(placed)
        faces += [tuple(first + i for i in f) for f in quads]
    thing = mesh(name, vertices, faces, material, at, smooth=False, uv=uv)
    return thing


def brick_bond(x0, x1, y0, y1, width, height, gap=0.002, offset=0.5):
    """Spots of running-bond tiles or boards over a rectangle (offset 0 makes a plain grid)."""
    spots, row, y = [], 0, y0 + height / 2
    while y < y1:
        x = x0 + width / 2 - (row % 2) * offset * width
        while x < x1 + width / 2:
            spots.append((x, y, width - gap, height - gap, 0.0))
            x += width
        y += height
        row += 1
    return spots


def plank_floor(x0, x1, y0, y1, width=0.12, gap=0.0012, seed=1, lengths=(1.2, 2.2)):
    """Spots of floor boards running along x with random lengths."""
    rng = random.Random(seed)
    spots, y = [], y0
    while y < y1:
        x = x0 - rng.uniform(0, lengths[1])
        while x < x1:
            size = rng.uniform(*lengths)
            spots.append((x + size / 2, y + width / 2, size - gap, width - gap, 0.0))
            x += size
        y += width
    return spots


def herringbone(x0, x1, y0, y1, width=0.09, length=0.45, gap=0.001):
    """Spots of herringbone blocks (laid at 45 degrees to x) that cover a rectangle."""
    spots = []
    reach = int((x1 - x0 + y1 - y0) / width) + 8
    quarter = math.pi / 4
    c, s = math.cos(quarter), math.sin(quarter)
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    ratio = round(length / width)
    for i in range(-reach, reach):
        for k in range(-reach // ratio - 2, reach // ratio + 3):
            corner = (i * width + k * length, i * width - k * length)
            for along, (u, v) in (
                (0.0, (corner[0] + length / 2, corner[1] + width / 2)),
                (math.pi / 2, (corner[0] + width / 2, corner[1] + width + length / 2)),
            ):
                x, y = cx + u * c - v * s, cy + u * s + v * c
                if x0 - length < x < x1 + length and y0 - length < y < y1 + length:
                    spots.append((x, y, length - gap, width - gap, quarter + along))
    return spots
