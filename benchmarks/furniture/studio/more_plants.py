"""Plants of thousands of leaves, each plant one mesh (fast to build and to trace).

A leaf is a small folded and bent sheet; its colour varies by the material's "random per island".
"""

import math
import random

import numpy as np

from benchmarks.furniture.studio.more_forms import mesh, spline, tube


def leaf_shape(kind="oval", across=3, along=6):
    """One leaf of length 1 along +x, width about 1 in y: vertices (k, 3) and faces."""
    widths = {
        "oval": lambda t: math.sin(math.pi * t**0.8) ** 0.75,
        "round": lambda t: math.sqrt(max(0.0, 1 - (2 * t - 1) ** 2)),
        "blade": lambda t: (1 - t**2.5) * min(1, 0.55 + t),
        "olive": lambda t: math.sin(math.pi * t) ** 0.9,
    }
    vertices, faces = [], []
    for i in range(along + 1):
        t = i / along
        w = 0.5 * widths[kind](t)
        for k in range(across):
            s = 2 * k / (across - 1) - 1
            vertices.append((t, s * w, 0.16 * abs(s) * w - 0.22 * t * t))
    for i in range(along):
        for k in range(across - 1):
            a = i * across + k
            faces.append((a, a + across, a + across + 1, a + 1))
    return np.array(vertices), np.array(faces)


def leaves(name, spots, material, kind="oval", length=0.05, width=0.5, seed=1, vary=0.35, fine=5):
    """One mesh of a leaf at every spot; spots are (position, direction) pairs.

    direction is where the leaf points; the leaf is rolled at random about it and scaled within
    +-vary. width is the leaf's breadth over its length.
    """
    rng = np.random.default_rng(seed)
    shape, faces = leaf_shape(kind, along=fine)
    shape = shape * (1, width, 1)
    vertices, quads = [], []
    for index, (position, direction) in enumerate(spots):
        d = np.asarray(direction, float)
        d = d / (np.linalg.norm(d) + 1e-9)
        up = np.array([0, 0, 1.0]) + rng.normal(0, 0.45, 3)
        side = np.cross(up, d)
        side /= np.linalg.norm(side) + 1e-9
        top = np.cross(d, side)
        size = length * (1 + vary * rng.uniform(-1, 1))
        bend = rng.uniform(0.4, 1.8)
        local = shape * (1, 1, bend)
        vertices.append(
            np.asarray(position)
            + size * (local[:, :1] * d + local[:, 1:2] * side + local[:, 2:] * top)
        )
        quads.append(faces + index * len(shape))
    return mesh(name, np.vstack(vertices), np.vstack(quads), material)


def _turn(direction, amount, rng):
    d = np.asarray(direction, float) + rng.normal(0, amount, 3)
    return d / np.linalg.norm(d)


def branch_points(start, direction, length, rng, bend=0.25, rise=0.0, steps=5):
    """Points of one wandering branch; rise bends it upwards (or down, when negative)."""
    points, d = [np.asarray(start, float)], np.asarray(direction, float)
    d = d / np.linalg.norm(d)
    for _ in range(steps):
        d = _turn(d + np.array((0, 0, rise)), bend / 2, rng)
        points.append(points[-1] + d * length / steps)
    return np.array(points)


def along(points, count, start=0.2):
    """Positions and tangents at `count` places of a line, from the share `start` to its end."""
    line = spline(points, 8)
    place = np.linspace(start, 1, count) * (len(line) - 1)
    low = np.minimum(place.astype(int), len(line) - 2)
    part = (place - low)[:, None]
    tangent = line[low + 1] - line[low]
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-9
    return line[low] * (1 - part) + line[low + 1] * part, tangent


def sprig(
    name,
    start,
    direction,
    length,
    bark,
    leaf,
    seed=1,
    kind="olive",
    size=0.05,
    width=0.28,
    count=26,
    thick=0.003,
    bend=0.25,
    rise=0.0,
    open_angle=0.9,
):
    """A branch with leaves in pairs along it; returns [branch, leaves]."""
    rng = np.random.default_rng(seed)
    points = branch_points(start, direction, length, rng, bend, rise)
    radii = np.linspace(thick, thick * 0.35, len(points))
    stem = tube(name + " stem", points, radii, bark)
    stem.data.bevel_resolution = 2
    spots = sprig_spots(points, count, rng, open_angle)
    return [stem, leaves(name + " leaves", spots, leaf, kind, size, width, seed + 1)]


def sprig_spots(points, count, rng, open_angle=0.9, start=0.15):
    """Leaf places along a branch: alternating sides, turning round the stem."""
    places, tangents = along(points, count, start)
    spots, spin = [], rng.uniform(0, 6.28)
    for k, (place, t) in enumerate(zip(places, tangents, strict=True)):
        a = np.cross(t, (0.3, 0.2, 1.0))
        a /= np.linalg.norm(a) + 1e-9
        b = np.cross(t, a)
        spin += math.pi + rng.normal(0, 0.5) if k % 2 else 1.9
        out = math.cos(spin) * a + math.sin(spin) * b
        spots.append((place, t + out * open_angle * rng.uniform(0.7, 1.4)))
    return spots


def tree(
    name,
    base,
    height,
    crown,
    bark,
    leaf,
    seed=1,
    branches=26,
    twigs=7,
    count=14,
    size=0.045,
    width=0.3,
    kind="olive",
    trunk=0.022,
    lean=0.08,
):
    """A small standard tree: a wandering trunk and a loose round crown of radius `crown`."""
    rng = np.random.default_rng(seed)
    top = np.asarray(base, float) + np.array((lean * height * 0.4, 0, height))
    stem = branch_points(base, top - base, height * 0.9, rng, 0.18, 0.15)
    parts = [tube(name + " trunk", stem, np.linspace(trunk, trunk * 0.55, len(stem)), bark)]
    spots = []
    for k in range(branches):
        share = 0.72 + 0.28 * rng.random()
        place, _ = along(stem, 40, 0.0)
        start = place[int(share * 39)]
        turn = k * 2.4 + rng.normal(0, 0.3)
        lift = rng.uniform(-0.1, 1.2)
        direction = np.array([math.cos(turn), math.sin(turn), lift])
        line = branch_points(start, direction, crown * rng.uniform(0.7, 1.15), rng, 0.35, 0.05)
        bough = tube(f"{name} bough {k}", line, np.linspace(trunk * 0.32, 0.002, len(line)), bark)
        bough.data.bevel_resolution = 1
        parts.append(bough)
        forks, tangents = along(line, twigs, 0.3)
        for fork, t in zip(forks, tangents, strict=True):
            twig = branch_points(fork, _turn(t, 0.7, rng), crown * 0.42, rng, 0.3, -0.03, 4)
            spots += sprig_spots(twig, count, rng, 0.8, 0.05)
    parts.append(leaves(name + " leaves", spots, leaf, kind, size, width, seed + 1, fine=3))
    return parts


def bush(
    name,
    centre,
    radius,
    leaf,
    seed=1,
    count=2600,
    size=0.035,
    width=0.5,
    kind="oval",
    flat=0.8,
    lump=0.25,
):
    """A clipped or loose bush: leaves over and under the skin of a lumpy ball."""
    rng = np.random.default_rng(seed)
    knots = rng.normal(size=(9, 3))
    knots /= np.linalg.norm(knots, axis=1, keepdims=True)
    spots = []
    for _ in range(count):
        d = rng.normal(size=3)
        d /= np.linalg.norm(d)
        swell = 1 + lump * (np.max(knots @ d) - 0.75)
        depth = 1 - 0.35 * rng.random() ** 2
        place = np.asarray(centre) + d * radius * swell * depth * (1, 1, flat)
        spots.append((place, d + rng.normal(0, 0.5, 3) + (0, 0, 0.25)))
    return leaves(name, spots, leaf, kind, size, width, seed + 1, fine=3)


def blades(name, base, count, length, material, seed=1, width=0.06, spread=0.5, kind="blade"):
    """A tuft of long arching leaves from one point (grass, agave, snake plant by its numbers)."""
    rng = random.Random(seed)
    vertices, faces = [], []
    steps = 9
    for k in range(count):
        turn = k * 2.39996 + rng.uniform(-0.3, 0.3)
        lean = spread * (0.15 + 0.85 * math.sqrt((k + 0.5) / count)) * rng.uniform(0.75, 1.2)
        size = length * rng.uniform(0.65, 1.05)
        out = np.array([math.cos(turn), math.sin(turn), 0])
        across = np.array([-math.sin(turn), math.cos(turn), 0])
        place = np.asarray(base, float) + out * 0.012 * rng.random()
        twist = rng.uniform(-0.5, 0.5)
        first = len(vertices)
        for i in range(steps + 1):
            t = i / steps
            tilt = lean * (0.35 + 1.5 * t * t)
            d = out * math.sin(tilt) + np.array([0, 0, math.cos(tilt)])
            w = width / 2 * (1 - t**2.2) * min(1, 0.6 + 1.2 * t)
            turned = across * math.cos(twist * t) + np.cross(d, across) * math.sin(twist * t)
            cup = np.cross(across, d) * w * 0.25
            vertices += [place - turned * w + cup, place, place + turned * w + cup]
            place = place + d * size / steps
        for i in range(steps):
            a = first + 3 * i
            faces += [(a, a + 1, a + 4, a + 3), (a + 1, a + 2, a + 5, a + 4)]
    thing = mesh(name, vertices, faces, material)
    return thing
