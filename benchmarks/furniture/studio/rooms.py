"""The shell of a room and what hangs or stands in it. Import from `shapes`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.furniture.studio import materials, mesh
from benchmarks.furniture.studio.mesh import Triple
from benchmarks.furniture.studio.solids import box


def _plank_quads(
    width: float, depth: float, plank: float, length: float, pattern: str, seed: int
) -> list[tuple[Any, float]]:
    """Corner points (4, 2) of each plank, in order along its length, and its tone."""
    chance = np.random.default_rng(seed)
    quads: list[tuple[Any, float]] = []
    if pattern == "herringbone":
        # Steps of one plank's width up and right; strips repeat by (length, -length). Then 45°.
        turn = np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
        reach = (width + depth) * 0.75
        steps, strips = int(reach / plank) + 2, int(reach / length) + 2
        lying = np.array([[0, 0], [length, 0], [length, plank], [0, plank]])
        upright = np.array([[plank, 0], [plank, length], [0, length], [0, 0]]) + np.array(
            [0, plank]
        )
        for k in range(-steps, steps):
            for m in range(-strips, strips):
                at = np.array([k * plank + m * length, k * plank - m * length])
                quads += [((kind + at) @ turn, chance.random()) for kind in (lying, upright)]
        return quads
    rows = int(np.ceil(depth / plank)) + 1
    for row in range(rows):
        y = -depth / 2 + row * plank
        x = -width / 2 - chance.random() * length
        while x < width / 2:
            step = length * chance.uniform(0.75, 1.15)
            quad = np.array([[x, y], [x + step, y], [x + step, y + plank], [x, y + plank]])
            quads.append((quad, chance.random()))
            x += step
    return quads


def floor(
    width: float,
    depth: float,
    material: Any,
    at: Triple = (0, 0, 0),
    plank: float = 0.16,
    length: float = 1.6,
    pattern: str = "straight",
    along: str = "x",
    gap: float = 0.0016,
    seed: int = 1,
) -> list[Any]:
    """A plank floor, top at `at`; use `materials.board_wood`. Patterns: straight, herringbone.

    Each plank is its own bevel-edged slab with its own tone and piece of grain.
    """
    points, faces, uv, tones = [], [], [], []
    for quad, tone in _plank_quads(width, depth, plank, length, pattern, seed):
        centre = np.abs(quad.mean(axis=0))
        if centre[0] > width / 2 + length or centre[1] > depth / 2 + length:
            continue
        ahead = quad[1] - quad[0]
        beside = quad[3] - quad[0]
        ahead, beside = ahead / np.linalg.norm(ahead), beside / np.linalg.norm(beside)
        long, wide = np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])
        for inset, drop in ((gap / 2, -0.003), (gap / 2 + 0.0012, 0.0)):
            for u, v in (
                (inset, inset),
                (long - inset, inset),
                (long - inset, wide - inset),
                (inset, wide - inset),
            ):
                points.append((*(quad[0] + ahead * u + beside * v), drop))
                uv.append((u, v))
                tones.append(tone)
        n = len(points) - 8
        faces.append((n + 4, n + 5, n + 6, n + 7))
        faces.extend((n + i, n + (i + 1) % 4, n + 4 + (i + 1) % 4, n + 4 + i) for i in range(4))
    turn = (0, 0, 90) if along == "y" else (0, 0, 0)
    top = mesh.add(
        "floor",
        points,
        faces,
        material,
        smooth=False,
        uv=uv,
        attributes={"board": tones},
        at=at,
        turn=turn,
    )
    under = box(
        (max(width, depth) * 1.5, max(width, depth) * 1.5, 0.02),
        (at[0], at[1], at[2] - 0.0135),
        materials.paint("#1d140d", 0.9),
        bevel=0,
    )
    return [top, under]


def wall(
    start: tuple[float, float],
    end: tuple[float, float],
    height: float,
    material: Any,
    openings: Sequence[tuple[float, float, float, float]] = (),
    thickness: float = 0.2,
) -> list[Any]:
    """A wall from `start` to `end` (x, y), its near face on that line, thickness to its left.

    `openings`: (from, to, sill, head) in metres along the wall; reveals come of the thickness.
    """
    a, b = np.array(start, float), np.array(end, float)
    long = float(np.linalg.norm(b - a))
    turn = float(np.degrees(np.arctan2(*(b - a)[::-1])))
    xs = sorted({0.0, long, *(o[0] for o in openings), *(o[1] for o in openings)})
    parts = []
    for low, high in itertools.pairwise(xs):
        middle = (low + high) / 2
        spans = [(0.0, height)]
        for left, right, sill, head in openings:
            if left < middle < right:
                spans = [(0.0, sill), (head, height)]
        for bottom, top in spans:
            if top - bottom > 1e-6:
                parts.append(
                    box(
                        (high - low, thickness, top - bottom),
                        (middle, thickness / 2, (bottom + top) / 2),
                        material,
                        bevel=0,
                    )
                )
    return mesh.group("wall", parts, (a[0], a[1], 0), (0, 0, turn))


def skirting(
    start: tuple[float, float],
    end: tuple[float, float],
    material: Any,
    height: float = 0.1,
    depth: float = 0.016,
) -> Any:
    """A skirting board along `start` to `end`, standing to the right of that line (room side)."""
    a, b = np.array(start, float), np.array(end, float)
    long = float(np.linalg.norm(b - a))
    turn = float(np.degrees(np.arctan2(*(b - a)[::-1])))
    profile = [
        (0, 0),
        (-depth, 0),
        (-depth, height * 0.72),
        (-depth * 0.82, height * 0.78),
        (-depth * 0.55, height * 0.84),
        (-depth * 0.5, height * 0.96),
        (-depth * 0.3, height),
        (0, height),
    ]
    points = [(x, y, z) for x in (0, long) for y, z in profile]
    n = len(profile)
    faces = [(i, i + 1, n + i + 1, n + i) for i in range(n - 1)]
    return mesh.add(
        "skirting", points, faces, material, smooth=False, at=(a[0], a[1], 0), turn=(0, 0, turn)
    )


def frame(
    width: float,
    height: float,
    at: Triple,
    material: Any,
    filling: Any,
    mount: Any = None,
    border: float = 0.022,
    depth: float = 0.025,
    passe: float = 0.07,
    turn: Triple = (0, 0, 0),
) -> list[Any]:
    """A picture (or mirror) frame centred on `at`, facing -y; `mount` leaves a border of paper."""
    parts = []
    for side in (-1, 1):
        parts.append(
            box((border, depth, height), (side * (width - border) / 2, 0, 0), material, bevel=0.002)
        )
        parts.append(
            box(
                (width - 2 * border, depth, border),
                (0, 0, side * (height - border) / 2),
                material,
                bevel=0.002,
            )
        )
    inner = (width - 2 * border, height - 2 * border)
    if mount is not None:
        parts.append(_sheet(inner, (0, 0.004, 0), mount))
        inner = (inner[0] - 2 * passe, inner[1] - 2 * passe)
    parts.append(_sheet(inner, (0, 0.003, 0), filling))
    return mesh.group("frame", parts, at, turn)


def _sheet(size: tuple[float, float], at: Triple, material: Any) -> Any:
    x, z = size[0] / 2, size[1] / 2
    return mesh.add(
        "sheet",
        [(-x, 0, -z), (x, 0, -z), (x, 0, z), (-x, 0, z)],
        [(0, 1, 2, 3)],
        material,
        smooth=False,
        uv=[(0, 0), (1, 0), (1, 1), (0, 1)],
        at=at,
    )


def window(
    width: float,
    height: float,
    at: Triple,
    material: Any,
    pane: Any = None,
    columns: int = 2,
    rows: int = 1,
    border: float = 0.06,
    depth: float = 0.07,
    turn: Triple = (0, 0, 0),
) -> list[Any]:
    """A window filling an opening: frame, glazing bars and glass; `at` is the centre, facing -y."""
    parts = []
    for side in (-1, 1):
        parts.append(box((border, depth, height), (side * (width - border) / 2, 0, 0), material))
        parts.append(
            box((width - 2 * border, depth, border), (0, 0, side * (height - border) / 2), material)
        )
    inner_w, inner_h = width - 2 * border, height - 2 * border
    for c in range(1, columns):
        parts.append(
            box((0.045, depth * 0.7, inner_h), (inner_w * (c / columns - 0.5), 0, 0), material)
        )
    for r in range(1, rows):
        parts.append(
            box((inner_w, depth * 0.6, 0.035), (0, 0, inner_h * (r / rows - 0.5)), material)
        )
    if pane is not None:
        parts.append(_sheet((inner_w, inner_h), (0, 0, 0), pane))
    return mesh.group("window", parts, at, turn)


def books(
    sizes: Sequence[Triple],
    at: Triple,
    colours: Sequence[str],
    seed: int = 3,
    lying: bool = False,
    gap: float = 0.0008,
) -> list[Any]:
    """Books standing in a row from `at` along +x, spines to -y (or `lying` in a pile from `at`).

    `sizes`: (thickness, depth, height) of each.
    """
    chance = np.random.default_rng(seed)
    block = materials.pages()
    parts: list[Any] = []
    x = 0.0
    for number, (thick, deep, high) in enumerate(sizes):
        cover = materials.fabric(colours[number % len(colours)], thread=0.0012, heather=0.3)
        band = materials.paint(colours[(number + 2) % len(colours)], 0.5)
        made = [
            box((0.0026, deep, high), (-thick / 2 + 0.0013, 0, 0), cover, bevel=0.0008),
            box((0.0026, deep, high), (thick / 2 - 0.0013, 0, 0), cover, bevel=0.0008),
            box((thick, 0.003, high), (0, -deep / 2, 0), cover, bevel=0.0012),
            box((thick - 0.005, deep - 0.006, high - 0.008), (0, 0.001, 0), block, bevel=0),
        ]
        if thick > 0.014:
            for z in chance.choice([-0.36, -0.22, 0.25, 0.38], 2, replace=False):
                made.append(
                    box(
                        (thick * 0.72, 0.0034, high * chance.uniform(0.02, 0.1)),
                        (0, -deep / 2, high * z),
                        band,
                        bevel=0.0003,
                    )
                )
        if lying:
            where = (
                at[0] + chance.uniform(-0.01, 0.01),
                at[1] + chance.uniform(-0.01, 0.01),
                at[2] + x + thick / 2,
            )
            for part in made:
                part.rotation_euler = (0, 0, 0)
            parts += mesh.group("book", made, where, (0, 90, chance.uniform(-9, 9) + 90))
        else:
            pushed = chance.uniform(0, 0.012)
            parts += mesh.group(
                "book", made, (at[0] + x + thick / 2, at[1] + pushed, at[2] + high / 2)
            )
        x += thick + gap
    return parts
