"""Panels, walls with openings, window frames, stuffed blocks, books.

Back walls lie in the xz plane and face -y (the camera).
"""

import math
import random

import bpy
import numpy as np
from mathutils import Vector, noise

from benchmarks.furniture.studio.more_forms import bar, mesh


def panel(name, x0, x1, z0, z1, y, material, rail=0.075, depth=0.018, moulding=0.012):
    """A shaker panel facing -y: four rails, a sunk field and a fine moulding; returns its parts."""
    w, h = x1 - x0, z1 - z0
    cx, cz = (x0 + x1) / 2, (z0 + z1) / 2
    parts = [bar(name + " field", (w - rail, 0.01, h - rail), (cx, y + depth, cz), material, 0.001)]
    for side in (-1, 1):
        parts.append(
            bar(
                name + " stile",
                (rail, depth, h),
                (cx + side * (w - rail) / 2, y + depth / 2, cz),
                material,
                0.0022,
            )
        )
        parts.append(
            bar(
                name + " rail",
                (w - 2 * rail, depth, rail),
                (cx, y + depth / 2, cz + side * (h - rail) / 2),
                material,
                0.0022,
            )
        )
        if moulding:
            inner_w, inner_h = w - 2 * rail, h - 2 * rail
            parts.append(
                bar(
                    name + " bead",
                    (moulding, moulding, inner_h),
                    (cx + side * (inner_w - moulding) / 2, y + depth * 0.75, cz),
                    material,
                    0.004,
                )
            )
            parts.append(
                bar(
                    name + " bead",
                    (inner_w, moulding, moulding),
                    (cx, y + depth * 0.75, cz + side * (inner_h - moulding) / 2),
                    material,
                    0.004,
                )
            )
    return parts


def wall_with_hole(name, across, up, hole, material, thick=0.25, axis="x", at=0.0, inward=1):
    """A wall with one rectangular opening; across and up are (low, high), hole (u0, u1, z0, z1).

    axis "x": the wall runs along x and its room side is y = at; "y": along y, room side x = at.
    inward is +1 where the wall's thickness lies on the higher side of `at`, else -1.
    """
    u0, u1, z0, z1 = hole
    pieces = [(across[0], u0, *up), (u1, across[1], *up), (u0, u1, up[0], z0), (u0, u1, z1, up[1])]
    parts = []
    for a, b, low, high in pieces:
        if b - a < 1e-6 or high - low < 1e-6:
            continue
        middle, depth = (a + b) / 2, at + inward * thick / 2
        size = (b - a, thick, high - low) if axis == "x" else (thick, b - a, high - low)
        centre = (middle, depth) if axis == "x" else (depth, middle)
        parts.append(bar(name, size, (*centre, (low + high) / 2), material, 0))
    return parts


def window_frame(
    name, hole, material, axis="x", at=0.0, panes=(2, 3), bar_size=0.028, frame=0.06, depth=0.06
):
    """A frame with glazing bars in an opening; panes is (across, up)."""
    u0, u1, z0, z1 = hole
    parts = []

    def piece(u, z, wide, high, deep):
        size = (wide, deep, high) if axis == "x" else (deep, wide, high)
        centre = (u, at, z) if axis == "x" else (at, u, z)
        parts.append(bar(name, size, centre, material, 0.003))

    cu, cz = (u0 + u1) / 2, (z0 + z1) / 2
    for side in (-1, 1):
        piece(cu + side * (u1 - u0 - frame) / 2, cz, frame, z1 - z0, depth)
        piece(cu, cz + side * (z1 - z0 - frame) / 2, u1 - u0 - 2 * frame, frame, depth)
    for k in range(1, panes[0]):
        wide = frame if panes[0] == 2 else bar_size
        piece(u0 + (u1 - u0) * k / panes[0], cz, wide, z1 - z0 - frame, depth * 0.75)
    for k in range(1, panes[1]):
        piece(cu, z0 + (z1 - z0) * k / panes[1], u1 - u0 - frame, bar_size, depth * 0.6)
    return parts


def upholstered(
    name,
    size,
    radius,
    material,
    at=(0, 0, 0),
    crown=(0, 0, 0.02),
    seed=1,
    n=26,
    creases=0.004,
    turn=(0, 0, 0),
):
    """A stuffed block: a rounded box whose faces swell by crown (x, y, z) and crease a little."""
    half = np.asarray(size, float) / 2
    axis = np.linspace(-1, 1, n)
    index, vertices, faces = {}, [], []

    def vertex(i, j, k):
        key = (i, j, k)
        if key not in index:
            index[key] = len(vertices)
            vertices.append(
                _stuffed(np.array([axis[i], axis[j], axis[k]]), half, radius, crown, seed, creases)
            )
        return index[key]

    last = n - 1
    for a in range(last):
        for b in range(last):
            for end in (0, last):
                loops = [
                    [(end, a, b), (end, a + 1, b), (end, a + 1, b + 1), (end, a, b + 1)],
                    [(a, end, b), (a, end, b + 1), (a + 1, end, b + 1), (a + 1, end, b)],
                    [(a, b, end), (a + 1, b, end), (a + 1, b + 1, end), (a, b + 1, end)],
                ]
                for loop in loops:
                    face = [vertex(*p) for p in loop]
                    faces.append(face if end else face[::-1])
    thing = mesh(name, vertices, faces, material, at)
    thing.rotation_euler = [math.radians(t) for t in turn]
    step = thing.modifiers.new("smooth", "SUBSURF")
    step.levels = step.render_levels = 1
    return thing


def _stuffed(unit, half, radius, crown, seed, creases):
    # Spend more of the lattice on the rounding, so that edges stay smooth.
    unit = np.sign(unit) * np.sin(np.abs(unit) * math.pi / 2) ** 0.9
    p = unit * half
    inner = np.clip(p, -(half - radius), half - radius)
    out = p - inner
    size = np.linalg.norm(out)
    place = inner + (out / size * radius if size > 1e-9 else 0)
    for k in range(3):
        others = [unit[i] for i in range(3) if i != k]
        share = (1 - others[0] ** 2) * (1 - others[1] ** 2)
        place[k] += np.sign(unit[k]) * abs(unit[k]) ** 3 * crown[k] * share
    wave = noise.fractal(Vector(place * 5 + seed), 1.0, 2.0, 3)
    if size > 1e-9:
        place = place + out / size * wave * creases
    return place


def plane(name, size, at, material, turn=(0, 0, 0)):
    """A flat rectangle facing +z before it is turned (degrees)."""
    x, y = size[0] / 2, size[1] / 2
    thing = mesh(
        name,
        [(-x, -y, 0), (x, -y, 0), (x, y, 0), (-x, y, 0)],
        [(0, 1, 2, 3)],
        material,
        at,
        smooth=False,
        uv=[(0, 0), (1, 0), (1, 1), (0, 1)],
    )
    thing.rotation_euler = [math.radians(t) for t in turn]
    return thing


def books(name, at, sizes, colours, paper, cover, lying=True, seed=1):
    """A pile or a row of books; sizes are (length, depth, thickness), cover(colour) a material."""
    rng = random.Random(seed)
    parts, offset = [], 0.0
    for k, ((length, depth, thick), colour) in enumerate(zip(sizes, colours, strict=True)):
        root = bpy.data.objects.new(f"{name} {k}", None)
        bpy.context.scene.collection.objects.link(root)
        skin, board = cover(colour), 0.0025
        made = [
            bar(
                "pages",
                (length - 0.008, depth - 0.008, thick - 2 * board),
                (0, 0.001, 0),
                paper,
                0.001,
            ),
            bar("cover", (length, depth, board), (0, 0, thick / 2 - board / 2), skin, 0.001),
            bar("cover", (length, depth, board), (0, 0, -thick / 2 + board / 2), skin, 0.001),
            bar("spine", (length, 0.004, thick), (0, -depth / 2 + 0.001, 0), skin, 0.0018),
        ]
        for part in made:
            part.parent = root
        if lying:
            root.location = (
                at[0] + rng.uniform(-0.008, 0.008),
                at[1] + rng.uniform(-0.006, 0.006),
                at[2] + offset + thick / 2,
            )
            root.rotation_euler = (0, 0, rng.uniform(-0.12, 0.12))
        else:
            root.location = (at[0] + offset + thick / 2, at[1], at[2] + length / 2)
            root.rotation_euler = (0, math.pi / 2, 0)
        offset += thick + 0.0004
        parts += made
    return parts
