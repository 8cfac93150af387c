"""Soft shapes: cushions, pillows, draped and hanging cloth, rugs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import bpy
import numpy as np

from benchmarks.furniture.studio import mesh, shapes
from benchmarks.furniture.studio.mesh import Triple


def cushion(
    size: Triple,
    at: Triple,
    material: Any,
    puff: float = 0.03,
    radius: float = 0.05,
    wrinkle: float = 0.006,
    piping: float = 0.0045,
    sag: float = 0.0,
    seed: float = 1.0,
    turn: Triple = (0, 0, 0),
    cells: int = 26,
    name: str = "cushion",
) -> list[Any]:
    """A box cushion (centre `at`): rounded, puffed out, creased, with piping at its seams.

    `puff`: how far the faces swell; `sag`: how far the top is sat in; all in metres.
    """
    unit, faces = mesh.box_shell(cells)
    half = np.array(size) / 2
    # Denser rows near the edges, so that the rounding is smooth.
    unit = np.sign(unit) * np.sin(np.abs(unit) * np.pi / 2) ** 0.9
    inner = np.clip(unit * half, -(half - radius), half - radius)
    out = unit * half - inner
    length = np.linalg.norm(out, axis=1, keepdims=True)
    normal = out / np.maximum(length, 1e-9)
    points = inner + normal * radius
    a = 1 - unit**2
    swell = np.stack([a[:, 1] * a[:, 2], a[:, 0] * a[:, 2], a[:, 0] * a[:, 1]], axis=1) ** 0.6
    points += np.sign(unit) * (np.abs(unit) > 0.999) * swell * puff * (0.25, 0.25, 1.0)
    top = (unit[:, 2] > 0.99) * (a[:, 0] * a[:, 1]) ** 0.8
    points[:, 2] -= top * sag
    creases = mesh.rough(points, 4.5, 3, seed) + 0.5 * mesh.rough(points, 13, 2, seed + 3)
    tension = mesh.rough(points * (1, 1, 3.5), 3.0, 2, seed + 5)
    points += normal * ((creases * 0.6 + tension * 0.6) * wrinkle)[:, None]
    made = [mesh.subdivide(mesh.add(name, points, faces, material))]
    if piping:
        for side in (-1, 1):
            path = _rim(half - (0.002, 0.002, 0), radius, side * (half[2] - radius * 0.42))
            jitter = mesh.rough(path, 5, 2, seed + side) * wrinkle * 0.6
            path[:, 2] += jitter
            made.append(
                shapes.tube(
                    [tuple(p) for p in path], piping, material, closed=True, name=name + " piping"
                )
            )
    return mesh.group(name, made, at, turn)


def _rim(half: Any, radius: float, z: float) -> Any:
    """A rounded rectangle around the cushion at height `z`, (N, 3)."""
    path = []
    corner = radius * 1.05
    for quarter, (sx, sy) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        for step in np.linspace(0, 1, 5):
            angle = (quarter + step) * np.pi / 2
            path.append(
                (
                    sx * (half[0] - corner) + corner * np.cos(angle),
                    sy * (half[1] - corner) + corner * np.sin(angle),
                    z,
                )
            )
    return np.array(path)


def pillow(
    size: tuple[float, float],
    thickness: float,
    at: Triple,
    material: Any,
    turn: Triple = (0, 0, 0),
    seed: float = 1.0,
    wrinkle: float = 0.012,
    chop: float = 0.0,
    piping: Any = None,
    cells: int = 44,
    name: str = "pillow",
) -> list[Any]:
    """A scatter cushion or bed pillow lying in the xy plane, centre `at`; `turn` to stand it up.

    `chop`: depth of the dent a hand leaves in the +y edge; `piping`: a material for its edge.
    """
    span = np.linspace(-1, 1, cells)
    span = np.sign(span) * (1 - (1 - np.abs(span)) ** 1.25)
    u, v = (g.ravel() for g in np.meshgrid(span, span))
    pull = 0.07
    x = u * size[0] / 2 * (1 - pull * (1 - np.abs(u) ** 1.5) * 0 - pull * (1 - v**2))
    y = v * size[1] / 2 * (1 - pull * (1 - u**2))
    y -= chop * np.exp(-((u / 0.35) ** 2)) * np.clip((v + 0.2) / 1.2, 0, 1) ** 1.5
    full = np.clip((1 - u**2) * (1 - v**2), 0, 1) ** 0.42
    dent = 1 - (0.35 if chop else 0) * np.exp(-((u / 0.3) ** 2)) * np.clip(v, 0, 1)
    points, faces, n = [], [], cells * cells
    for side in (1, -1):
        base = np.stack([x, y, side * full * dent * thickness / 2], axis=1)
        edge = np.clip(1.15 - full, 0, 1)
        # Folds run away from the corners and along the seams.
        radial = mesh.rough(
            np.stack(
                [np.arctan2(v, u) * 0.9, np.hypot(u, v) * 0.25, np.full(n, seed + side)], axis=1
            ),
            3.0,
            3,
            seed,
        )
        broad = mesh.rough(base, 6.0, 3, seed + side)
        inside = full**0.5
        base[:, 2] += (radial * edge * 1.2 + broad * 0.7) * wrinkle * inside
        points.append(base)
    seam = np.abs(points[0][:, 2] - points[1][:, 2]) < 1e-5
    both = np.concatenate(points)
    upper = mesh.grid_faces(cells, cells)
    faces = upper + [tuple(reversed([i + n for i in f])) for f in upper]
    weld = np.arange(2 * n)
    weld[n:][seam] = np.arange(n)[seam]
    faces = [tuple(int(weld[i]) for i in f) for f in faces]
    made = [mesh.subdivide(mesh.add(name, both, faces, material))]
    if piping is not None:
        border = list(range(cells)) + [i * cells + cells - 1 for i in range(1, cells)]
        border += [n - 1 - i for i in range(1, cells)]
        border += [(cells - 1 - i) * cells for i in range(1, cells - 1)]
        path = [tuple(points[0][i]) for i in border]
        made.append(shapes.tube(path, 0.0035, piping, closed=True, name=name + " piping"))
    return mesh.group(name, made, at, turn)


def curtain(
    width: float,
    height: float,
    at: Triple,
    material: Any,
    folds: int = 9,
    depth: float = 0.05,
    turn: Triple = (0, 0, 0),
    seed: float = 1.0,
    spread: float = 0.0,
    name: str = "curtain",
) -> Any:
    """A curtain hanging in the xz plane; `at` is the middle of its hem's line on the floor side.

    `spread`: how much wider the hem is than the top, as a share of the width.
    """
    columns, rows = folds * 14, 40
    s, t = (g.ravel() for g in np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows)))
    warp = mesh.rough(np.stack([s * 3, t * 0.4, s * 0], axis=1), 1.0, 2, seed) * 0.05
    phase = (s + warp) * folds * 2 * np.pi
    swing = mesh.rough(np.stack([s * folds * 0.6, t * 0.8, s * 0 + 2], axis=1), 1.0, 2, seed)
    amount = depth * (0.55 + 0.45 * (1 - t)) * (0.8 + 0.5 * swing)
    x = (s - 0.5) * width * (1 + spread * (1 - t)) + np.cos(phase) * depth * 0.28
    y = np.sin(phase) * amount + swing * depth * 0.5 * (1 - t)
    z = t * height + (1 - t) ** 8 * np.sin(phase) * 0.004
    thing = mesh.add(
        name,
        np.stack([x, y, z], axis=1),
        mesh.grid_faces(rows, columns),
        material,
        at=at,
        turn=turn,
    )
    return thing


def drape(
    profile: Sequence[tuple[float, float]],
    length: float,
    at: Triple,
    material: Any,
    wrinkle: float = 0.008,
    folds: float = 0.0,
    fold_width: float = 0.16,
    thickness: float = 0.006,
    seed: float = 1.0,
    turn: Triple = (0, 0, 0),
    taper: Callable[[Any], Any] | None = None,
    rows: int = 140,
    columns: int = 120,
    name: str = "drape",
) -> Any:
    """A cloth laid over something: `profile` (y, z) is its line, `length` its width along x.

    The line is rounded; where it hangs, folds of depth `folds` open towards the hem. `taper`
    maps x in [-1, 1] to a shift of the hem in metres (an uneven edge).
    """
    line = _rounded(np.array(profile, float), 400)
    steps = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    pick = np.linspace(0, steps[-1], rows)
    y0, z0 = np.interp(pick, steps, line[:, 0]), np.interp(pick, steps, line[:, 1])
    ty, tz = np.gradient(y0), np.gradient(z0)
    size = np.hypot(ty, tz)
    ny, nz = -tz / size, ty / size
    if nz.mean() < 0:
        ny, nz = -ny, -nz
    steep = np.clip(np.abs(tz / size), 0, 1) ** 2
    hang = np.maximum(
        np.cumsum(steep * (pick > pick[-1] / 2)) / rows * 4,
        np.cumsum((steep * (pick < pick[-1] / 2))[::-1])[::-1] / rows * 4,
    )
    hang = np.clip(hang * steep, 0, 1)
    u = np.linspace(-1, 1, columns)
    uu, ii = np.meshgrid(u, np.arange(rows))
    uu, ii = uu.ravel(), ii.ravel()
    x = uu * length / 2
    base = np.stack([x, y0[ii], z0[ii]], axis=1)
    soft = mesh.rough(base, 4.0, 3, seed) + 0.6 * mesh.rough(
        base * (1.0, 2.2, 2.2), 9.0, 2, seed + 9
    )
    shift = mesh.rough(np.stack([x, pick[ii] * 0.5, x * 0], axis=1), 2.2, 2, seed + 4)
    wave = np.sin((x / fold_width + shift * 0.7) * 2 * np.pi) * (0.7 + 0.5 * shift)
    push = soft * wrinkle * (1 - 0.4 * hang[ii]) + (wave + 0.35) * folds * hang[ii]
    base[:, 1] += ny[ii] * push
    base[:, 2] += nz[ii] * push * (1 - 0.5 * hang[ii])
    if taper is not None:
        end = np.clip((pick[ii] / pick[-1] - 0.8) / 0.2, 0, 1)
        base[:, 2] += taper(uu) * end
    thing = mesh.add(name, base, mesh.grid_faces(rows, columns), material, at=at, turn=turn)
    mesh.thicken(thing, thickness, 1.0)
    return mesh.subdivide(thing)


def _rounded(corners: Any, count: int) -> Any:
    """The polyline with its corners cut twice (Chaikin), resampled to about `count` points."""
    line = corners
    for _ in range(4):
        cut = np.empty((2 * len(line) - 2, 2))
        cut[0::2] = 0.75 * line[:-1] + 0.25 * line[1:]
        cut[1::2] = 0.25 * line[:-1] + 0.75 * line[1:]
        line = np.concatenate([line[:1], cut, line[-1:]])
    return line


def settle(
    cloth: Any,
    colliders: Sequence[Any],
    frames: int = 40,
    stiffness: float = 8.0,
    friction: float = 12.0,
    gap: float = 0.004,
    mass: float = 0.25,
) -> Any:
    """Lets `cloth` (a plain grid object) fall onto `colliders` by Blender's cloth solver.

    Deterministic. The result is baked into the mesh; colliders must be plain meshes (modifiers
    are respected). Takes seconds for a grid of 80 by 80.
    """
    for thing in colliders:
        hit = thing.modifiers.new("hit", "COLLISION")
        del hit
        thing.collision.thickness_outer = gap
        thing.collision.cloth_friction = friction
    step = cloth.modifiers.new("cloth", "CLOTH")
    rules = step.settings
    rules.quality, rules.mass = 6, mass
    rules.tension_stiffness = rules.compression_stiffness = stiffness * 2
    rules.shear_stiffness, rules.bending_stiffness = stiffness, stiffness * 0.06
    rules.air_damping = 2.0
    step.collision_settings.distance_min = gap
    step.collision_settings.use_self_collision = True
    step.collision_settings.self_distance_min = gap
    step.point_cache.frame_end = frames
    scene = bpy.context.scene
    for frame in range(1, frames + 1):
        scene.frame_set(frame)
    view = bpy.context.evaluated_depsgraph_get()
    baked = bpy.data.meshes.new_from_object(cloth.evaluated_get(view))
    cloth.modifiers.clear()
    cloth.data = baked
    cloth.matrix_world.identity()
    for thing in colliders:
        thing.modifiers.remove(thing.modifiers["hit"])
    scene.frame_set(1)
    return cloth


def sheet(
    width: float,
    depth: float,
    at: Triple,
    material: Any,
    rows: int = 80,
    columns: int = 80,
    turn: Triple = (0, 0, 0),
    name: str = "cloth",
) -> Any:
    """A flat grid to be handed to `settle`, centre `at`."""
    x, y = (
        g.ravel()
        for g in np.meshgrid(
            np.linspace(-width / 2, width / 2, columns), np.linspace(-depth / 2, depth / 2, rows)
        )
    )
    points = np.stack([x, y, x * 0], axis=1)
    return mesh.add(name, points, mesh.grid_faces(rows, columns), material, at=at, turn=turn)


def rug(
    width: float,
    depth: float,
    at: Triple,
    material: Any,
    thickness: float = 0.012,
    turn: Triple = (0, 0, 0),
    seed: float = 1.0,
    fringe: Any = None,
) -> list[Any]:
    """A rug lying on `at`, with a soft edge; `fringe`: tassels for its short sides."""
    cells = 90
    x, y = (g.ravel() for g in np.meshgrid(np.linspace(-1, 1, cells), np.linspace(-1, 1, cells)))
    edge = np.clip((1 - np.maximum(np.abs(x), np.abs(y))) / 0.012, 0, 1) ** 0.5
    points = np.stack([x * width / 2, y * depth / 2, edge * thickness], axis=1)
    wobble = mesh.rough(points, 2.2, 2, seed)
    points[:, 0] += wobble * 0.006
    points[:, 1] += mesh.rough(points, 2.2, 2, seed + 8) * 0.006
    points[:, 2] += np.abs(wobble) * 0.003 * edge
    made = [mesh.add("rug", points, mesh.grid_faces(cells, cells), material)]
    if fringe is not None:
        chance = np.random.default_rng(int(seed * 100))
        for side in (-1, 1):
            for y0 in np.arange(-depth / 2 + 0.01, depth / 2, 0.016):
                x0 = side * (width / 2 - 0.004)
                bend = chance.uniform(-0.012, 0.012)
                path = [
                    (x0, y0, thickness * 0.6),
                    (x0 + side * 0.03, y0 + bend * 0.4, 0.004),
                    (x0 + side * 0.065, y0 + bend, 0.003),
                ]
                made.append(shapes.tube(path, 0.0022, fringe, name="fringe"))
    return mesh.group("rug", made, at, turn)
