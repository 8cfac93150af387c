"""Meshes from arrays, and the few mesh modifiers the shapes use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np
from mathutils import Vector, noise

Triple = tuple[float, float, float]


def add(
    name: str,
    points: Any,
    faces: Sequence[Sequence[int]],
    material: Any = None,
    smooth: bool = True,
    uv: Any = None,
    attributes: dict[str, Any] | None = None,
    at: Triple = (0.0, 0.0, 0.0),
    turn: Triple = (0.0, 0.0, 0.0),
) -> Any:
    """An object from points (N, 3) and faces; `uv` (N, 2) by point; `attributes` by point.

    `turn`: Euler angles in degrees.
    """
    data = bpy.data.meshes.new(name)
    data.from_pydata([tuple(map(float, p)) for p in points], [], [list(f) for f in faces])
    if uv is not None:
        corners = np.zeros(len(data.loops), np.int32)
        data.loops.foreach_get("vertex_index", corners)
        layer = data.uv_layers.new(name="uv")
        layer.data.foreach_set("uv", np.asarray(uv, np.float32)[corners].ravel())
    for key, values in (attributes or {}).items():
        store = data.attributes.new(key, "FLOAT", "POINT")
        store.data.foreach_set("value", np.asarray(values, np.float32))
    if smooth:
        data.shade_smooth()
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    if material is not None:
        data.materials.append(material)
    return place(thing, at, turn)


def place(thing: Any, at: Triple, turn: Triple = (0.0, 0.0, 0.0)) -> Any:
    thing.location = at
    thing.rotation_euler = [np.radians(a) for a in turn]
    return thing


def subdivide(thing: Any, levels: int = 1) -> Any:
    step = thing.modifiers.new("subdivide", "SUBSURF")
    step.levels = step.render_levels = levels
    return thing


def bevel(thing: Any, width: float, segments: int = 3, angle: float = 35.0) -> Any:
    step = thing.modifiers.new("bevel", "BEVEL")
    step.width, step.segments, step.limit_method = width, segments, "ANGLE"
    step.angle_limit = np.radians(angle)
    step.harden_normals = True
    return thing


def thicken(thing: Any, thickness: float, offset: float = 0.0) -> Any:
    step = thing.modifiers.new("thicken", "SOLIDIFY")
    step.thickness, step.offset = thickness, offset
    return thing


def group(
    name: str, parts: Sequence[Any], at: Triple = (0.0, 0.0, 0.0), turn: Triple = (0.0, 0.0, 0.0)
) -> list[Any]:
    """Moves and turns `parts` together about the origin; returns them as a list."""
    pivot = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(pivot)
    for part in parts:
        root = part
        while root.parent is not None and root.parent is not pivot:
            root = root.parent
        root.parent = pivot
    place(pivot, at, turn)
    return list(parts)


def grid_faces(rows: int, columns: int, wrap: bool = False) -> list[tuple[int, int, int, int]]:
    """Quads over points laid out row by row; `wrap` joins the last column to the first."""
    faces = []
    for r in range(rows - 1):
        for c in range(columns if wrap else columns - 1):
            d = (c + 1) % columns
            faces.append(
                (r * columns + c, r * columns + d, (r + 1) * columns + d, (r + 1) * columns + c)
            )
    return faces


def rough(points: Any, scale: float, octaves: int = 3, seed: float = 0.0) -> Any:
    """Smooth noise in about [-1, 1] at each of (N, 3) points; `scale` in features per metre."""
    shift = Vector((seed * 13.7, seed * 7.3, seed * 3.1))
    return np.array(
        [noise.fractal(Vector(map(float, p)) * scale + shift, 0.8, 2.0, octaves) for p in points],
        np.float64,
    )


def box_shell(cells: int) -> tuple[Any, list[tuple[int, int, int, int]]]:
    """The surface of the cube [-1, 1]³ as a shared-point grid of `cells`² quads a side."""
    index: dict[tuple[int, int, int], int] = {}
    points: list[tuple[int, int, int]] = []
    faces: list[tuple[int, int, int, int]] = []

    def number(key: tuple[int, int, int]) -> int:
        if key not in index:
            index[key] = len(points)
            points.append(key)
        return index[key]

    for axis in range(3):
        for side in (0, cells):
            for i in range(cells):
                for j in range(cells):
                    quad = []
                    for a, b in ((i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)):
                        key = [0, 0, 0]
                        key[axis], key[(axis + 1) % 3], key[(axis + 2) % 3] = side, a, b
                        quad.append(number((key[0], key[1], key[2])))
                    faces.append(tuple(quad if side else reversed(quad)))  # type: ignore
    return np.array(points, np.float64) / cells * 2 - 1, faces
