"""Plain solids: boxes, turned and bent things, boards. Import them from `shapes`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from benchmarks.furniture.studio import mesh
from benchmarks.furniture.studio.mesh import Triple

CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
SIDES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))


def box(
    size: Triple,
    at: Triple,
    material: Any,
    bevel: float = 0.004,
    segments: int = 3,
    turn: Triple = (0, 0, 0),
    name: str = "box",
) -> Any:
    """A bevelled box of `size` whose centre is `at`."""
    points = CORNERS * (np.array(size) / 2)
    thing = mesh.add(name, points, SIDES, material, at=at, turn=turn)
    if bevel:
        mesh.bevel(thing, min(bevel, min(size) * 0.45), segments)
    return thing


def standing(size: Triple, at: Triple, material: Any, **more: Any) -> Any:
    """A box that stands on the point `at` (centre of its underside)."""
    return box(size, (at[0], at[1], at[2] + size[2] / 2), material, **more)


def lathe(
    profile: Sequence[tuple[float, float]],
    at: Triple,
    material: Any,
    sides: int = 64,
    turn: Triple = (0, 0, 0),
    wall: float = 0.0,
    levels: int = 1,
    name: str = "turned",
) -> Any:
    """Revolves (radius, height) points about z. Repeat a point to keep an edge crisp.

    `wall`: thickness added inwards, for open vessels.
    """
    angles = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    rows = [
        np.stack([r * np.cos(angles), r * np.sin(angles), np.full(sides, z)], axis=1)
        for r, z in profile
    ]
    thing = mesh.add(
        name,
        np.concatenate(rows),
        mesh.grid_faces(len(rows), sides, wrap=True),
        material,
        at=at,
        turn=turn,
    )
    if wall:
        mesh.thicken(thing, wall, -1.0)
    if levels:
        mesh.subdivide(thing, levels)
    return thing


def cylinder(
    radius: float,
    height: float,
    at: Triple,
    material: Any,
    bevel: float = 0.003,
    top: float | None = None,
    turn: Triple = (0, 0, 0),
    sides: int = 64,
    name: str = "cylinder",
) -> Any:
    """A closed cylinder (or cone, with `top` radius) standing on `at`, edges rounded."""
    t = radius if top is None else top
    b = min(bevel, height * 0.3, radius * 0.5, max(t * 0.5, 1e-4))
    bend = b * 0.3
    profile = [
        (1e-5, 0),
        (radius - b, 0),
        (radius - bend, bend),
        (radius, b),
        (t, height - b),
        (t - bend, height - bend),
        (t - b, height),
        (1e-5, height),
    ]
    return lathe(profile, at, material, sides, turn, levels=0, name=name)


def tube(
    path: Sequence[Triple],
    radius: float,
    material: Any,
    at: Triple = (0, 0, 0),
    turn: Triple = (0, 0, 0),
    smooth: bool = True,
    closed: bool = False,
    name: str = "tube",
) -> Any:
    """A round tube, cable or piping through `path`; `smooth` makes a spline of it."""
    data = bpy.data.curves.new(name, "CURVE")
    data.dimensions = "3D"
    data.bevel_depth, data.bevel_resolution, data.resolution_u = radius, 5, 12
    data.use_fill_caps = not closed
    if smooth:
        line = data.splines.new("BEZIER")
        line.bezier_points.add(len(path) - 1)
        for point, where in zip(line.bezier_points, path, strict=True):
            point.co = where
            point.handle_left_type = point.handle_right_type = "AUTO"
    else:
        line = data.splines.new("POLY")
        line.points.add(len(path) - 1)
        for point, where in zip(line.points, path, strict=True):
            point.co = (*where, 1.0)
    line.use_cyclic_u = closed
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    data.materials.append(material)
    return mesh.place(thing, at, turn)


def rod(
    start: Triple,
    end: Triple,
    radius: float,
    material: Any,
    end_radius: float | None = None,
    name: str = "rod",
) -> Any:
    """A straight round bar from `start` to `end`, tapering to `end_radius`."""
    from mathutils import Vector

    line = Vector(end) - Vector(start)
    thing = cylinder(
        radius,
        line.length,
        start,
        material,
        bevel=radius * 0.25,
        top=end_radius,
        sides=32,
        name=name,
    )
    thing.rotation_mode = "QUATERNION"
    thing.rotation_quaternion = Vector((0, 0, 1)).rotation_difference(line)
    return thing


def boards(
    size: Triple,
    at: Triple,
    material: Any,
    count: int = 6,
    along: str = "x",
    bevel: float = 0.003,
    seed: int = 2,
) -> list[Any]:
    """A slab (centre `at`) glued up from `count` boards, each with its own grain.

    Use `materials.wood(along=...)` with the same `along`.
    """
    chance = np.random.default_rng(seed)
    axis = 1 if along == "x" else 0
    cuts = np.concatenate(
        [
            [0],
            np.sort(
                np.linspace(0, 1, count + 1)[1:-1] + chance.uniform(-0.2, 0.2, count - 1) / count
            ),
            [1],
        ]
    )
    parts = []
    for low, high in itertools.pairwise(cuts):
        part, centre = list(size), list(at)
        part[axis] = size[axis] * (high - low) - 0.0004
        centre[axis] = at[axis] + size[axis] * ((low + high) / 2 - 0.5)
        parts.append(box(tuple(part), tuple(centre), material, bevel=0.0008, segments=2))
    parts[0].modifiers["bevel"].width = parts[-1].modifiers["bevel"].width = bevel
    return parts
