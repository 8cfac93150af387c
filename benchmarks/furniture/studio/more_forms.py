"""Free forms for the scenes: turned vessels, tubes, cushions, hanging and draped cloth.

All lengths are metres, z is up, and every function returns the object that it has linked to the
scene's collection. Shapes that look hand-made take a seed, and the same seed gives the same
vertices.
"""

import math
import random

import bpy
import numpy as np
from mathutils import Vector, noise

from benchmarks.furniture.studio.mesh import grid_faces

Point = tuple[float, float, float]


def points(text):
    """Tuples of numbers written as "0 0; .088 0; .094 .002", which keeps long profiles short."""
    return [tuple(float(number) for number in part.split()) for part in text.split(";")]


def mesh(name, vertices, faces, material=None, at=(0, 0, 0), smooth=True, uv=None):
    """A mesh object from vertex and face lists; uv is one (u, v) a vertex."""
    data = bpy.data.meshes.new(name)
    data.from_pydata(
        [tuple(map(float, v)) for v in vertices], [], [tuple(map(int, f)) for f in faces]
    )
    data.validate()
    if smooth:
        data.polygons.foreach_set("use_smooth", [True] * len(data.polygons))
    if uv is not None:
        layer = data.uv_layers.new(name="UVMap")
        loops = np.empty(len(data.loops), np.int32)
        data.loops.foreach_get("vertex_index", loops)
        layer.data.foreach_set("uv", np.asarray(uv, np.float32)[loops].ravel())
    if material is not None:
        data.materials.append(material)
    data.update()
    thing = bpy.data.objects.new(name, data)
    thing.location = at
    bpy.context.scene.collection.objects.link(thing)
    return thing


def spline(points, steps=6):
    """Catmull-Rom points through `points` (any dimension), `steps` to a span, ends included."""
    p = np.asarray(points, float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    out = []
    for i in range(1, len(p) - 2):
        for t in np.arange(steps) / steps:
            a, b, c, d = p[i - 1], p[i], p[i + 1], p[i + 2]
            out.append(
                0.5
                * (
                    2 * b
                    + (c - a) * t
                    + (2 * a - 5 * b + 4 * c - d) * t**2
                    + (3 * b - a - 3 * c + d) * t**3
                )
            )
    out.append(p[-2])
    return np.array(out)


def lathe(name, profile, material=None, at=(0, 0, 0), around=72, steps=5, wobble=0.0, seed=1):
    """A turned body: profile is (radius, height) pairs, smoothed unless steps is 1.

    A pair given twice makes a crisp edge. wobble (metres) makes it look hand-thrown.
    """
    line = spline(profile, steps) if steps > 1 else np.asarray(profile, float)
    line[:, 0] = np.maximum(line[:, 0], 0.0002)
    angle = np.arange(around) / around * 2 * np.pi
    vertices, uv = [], []
    for row, (radius, height) in enumerate(line):
        for k, a in enumerate(angle):
            r = radius
            if wobble:
                r += wobble * noise.noise(
                    Vector((2 * math.cos(a) + seed, 2 * math.sin(a), 14 * height))
                )
            vertices.append((r * math.cos(a), r * math.sin(a), height))
            uv.append((k / around, row / (len(line) - 1)))
    return mesh(name, vertices, grid_faces(len(line), around, wrap=True), material, at, uv=uv)


def tube(name, points, radius, material=None, at=(0, 0, 0), smooth=True, steps=6, closed=False):
    """A round bar along points; radius is one number or one for each given point."""
    radii = list(radius) if hasattr(radius, "__len__") else [radius] * len(points)
    path = np.column_stack([np.asarray(points, float), radii])
    if smooth and len(path) > 2:
        path = spline(path, steps)
    curve = bpy.data.curves.new(name, "CURVE")
    curve.dimensions = "3D"
    curve.bevel_depth = 1.0
    curve.bevel_resolution = 5
    curve.use_fill_caps = True
    line = curve.splines.new("POLY")
    line.points.add(len(path) - 1)
    for target, (x, y, z, r) in zip(line.points, path, strict=True):
        target.co = (x, y, z, 1)
        target.radius = r
    line.use_cyclic_u = closed
    line.use_smooth = True
    if material is not None:
        curve.materials.append(material)
    thing = bpy.data.objects.new(name, curve)
    thing.location = at
    bpy.context.scene.collection.objects.link(thing)
    return thing


def soften(thing, width=0.004, segments=3, angle=40):
    """Bevel an object's sharp edges by a modifier and shade it smooth."""
    bevel = thing.modifiers.new("edges", "BEVEL")
    bevel.width = width
    bevel.segments = segments
    bevel.limit_method = "ANGLE"
    bevel.angle_limit = math.radians(angle)
    bevel.harden_normals = True
    thing.data.polygons.foreach_set("use_smooth", [True] * len(thing.data.polygons))
    return thing


def bar(name, size, at, material=None, bevel=0.003, turn=(0, 0, 0)):
    """A box of the given size whose centre is at `at`, with bevelled edges; turn is in degrees."""
    x, y, z = (s / 2 for s in size)
    vertices = [(i * x, j * y, k * z) for k in (-1, 1) for j in (-1, 1) for i in (-1, 1)]
    faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    thing = mesh(name, vertices, faces, material, at, smooth=False)
    thing.rotation_euler = [math.radians(t) for t in turn]
    if bevel:
        soften(thing, min(bevel, 0.49 * min(size)))
    return thing


def subdivide(thing, levels=1):
    """Catmull-Clark subdivision at render time."""
    step = thing.modifiers.new("smooth", "SUBSURF")
    step.levels = step.render_levels = levels
    return thing


def _wrinkle(x, y, seed, scale):
    return noise.fractal(Vector((x * scale + seed * 7.3, y * scale, seed * 1.7)), 1.0, 2.0, 3)


def cushion(name, width, height, thick, material=None, seed=1, piping=None, n=56, creases=0.5):
    """A scatter cushion lying in the xy plane, its centre at the origin, u and v along its sides.

    Two sheets sewn at the rim: sides bow inwards, corners stay as ears, and the filling slumps
    towards -y (the side it will stand on). piping is a material for a cord along the seam.
    """
    parts, uv = [], []
    axis = np.linspace(-1, 1, n)
    for side in (1, -1):
        for v in axis:
            for u in axis:
                pull = 0.055
                x = u * (1 - pull * (1 - v * v) * abs(u) ** 1.5) * width / 2
                y = v * (1 - pull * (1 - u * u) * abs(v) ** 1.5) * height / 2
                dome = ((1 - abs(u) ** 2.2) * (1 - abs(v) ** 2.2)) ** 0.42
                slump = 1 + 0.22 * (-v) * (1 - v * v)
                rim = min(1 - abs(u), 1 - abs(v))
                fold = _wrinkle(u, v, seed + side, 1.6) * 0.10
                # Short creases run from the seam into the cloth and fade away from it.
                along = u if (1 - abs(v)) < (1 - abs(u)) else v
                pinch = noise.noise(Vector((along * 9, seed * 3.1 + side, 0))) * math.exp(-rim * 6)
                corner = math.exp(-((1 - abs(u)) ** 2 + (1 - abs(v)) ** 2) * 9)
                ray = noise.noise(
                    Vector((math.atan2(1 - abs(v), 1 - abs(u) + 1e-6) * 6, u + seed, v))
                )
                z = thick / 2 * dome * (slump + creases * fold)
                z += creases * thick * dome * (0.16 * pinch + 0.14 * ray * corner)
                parts.append((x, y, side * max(z, 0.0)))
                uv.append(((u + 1) / 2, (v + 1) / 2))
    faces = grid_faces(n, n)
    back = [tuple(reversed([i + n * n for i in f])) for f in faces]
    thing = mesh(name, parts, faces + back, material, uv=uv)
    weld = thing.modifiers.new("seam", "WELD")
    weld.merge_threshold = 0.0006
    subdivide(thing, 1)
    if piping is not None:
        rim = [(c, 0) for c in range(n - 1)] + [(n - 1, r) for r in range(n - 1)]
        rim += [(c, n - 1) for c in range(n - 1, 0, -1)] + [(0, r) for r in range(n - 1, 0, -1)]
        points = [parts[r * n + c] for c, r in rim]
        cord = tube(name + " piping", points, 0.0045, piping, smooth=False, closed=True)
        cord.parent = thing
    return thing


def curtain(name, width, height, material=None, at=(0, 0, 0), folds=9, depth=0.05, seed=1):
    """A hanging curtain along x from z = 0 to height, its left lower corner at `at`.

    Folds are tight at the heading and wander and open towards the hem.
    """
    across, down = folds * 14, 40
    rng = random.Random(seed)
    phase = [rng.uniform(-0.35, 0.35) for _ in range(folds + 2)]
    strength = [rng.uniform(0.65, 1.15) for _ in range(folds + 2)]
    vertices, uv = [], []
    for j in range(down + 1):
        v = j / down
        for i in range(across + 1):
            u = i / across
            k = u * folds
            f = min(int(k), folds)
            blend = k - f
            shift = phase[f] * (1 - blend) + phase[f + 1] * blend
            size = strength[f] * (1 - blend) + strength[f + 1] * blend
            drop = (1 - v) ** 0.8
            wave = math.sin(2 * math.pi * k + shift * 3.2 * drop)
            side = math.sin(4 * math.pi * k + shift * 3.2 * drop) * 0.22
            y = depth / 2 * (0.55 + 0.45 * size * (0.3 + drop)) * (wave + 0.12 * side)
            y += 0.012 * drop * noise.noise(Vector((u * 6 + seed, v * 2.5, seed)))
            x = width * u + side * depth * 0.25 * drop
            x += 0.01 * drop * noise.noise(Vector((u * 5, v * 2, seed + 9)))
            vertices.append((x, y, v * height))
            uv.append((u * width * 2.2, v * height))
    thing = mesh(name, vertices, grid_faces(down + 1, across + 1), material, at, uv=uv)
    return thing


def draped(name, path, width, material=None, at=(0, 0, 0), seed=1, thick=0.008, ripple=0.02):
    """A throw laid over something: a cloth strip that follows `path` (y, z points), wide along x.

    Ripples grow where it hangs (towards the ends of the path), and the cloth has a thickness.
    """
    line = spline(path, 10)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    columns = 70
    vertices, uv = [], []
    for j, (y, z) in enumerate(line):
        free = abs(length[j] / length[-1] - 0.5) * 2
        for i in range(columns + 1):
            u = i / columns
            wave = noise.noise(Vector((u * 7 + seed, length[j] * 1.1, seed)))
            fine = noise.noise(Vector((u * 19 + seed, length[j] * 3, seed + 4)))
            lift = ripple * (0.25 + free) * (0.5 + wave) + ripple * 0.2 * fine * (0.3 + free)
            squeeze = 1 - 0.10 * free
            x = (u - 0.5) * width * squeeze
            x += 0.03 * noise.noise(Vector((length[j] * 3, seed, u)))
            vertices.append((x, y + normal[j, 0] * lift, z + normal[j, 1] * lift))
            uv.append((u * width, length[j]))
    thing = mesh(name, vertices, grid_faces(len(line), columns + 1), material, at, uv=uv)
    solid = thing.modifiers.new("cloth", "SOLIDIFY")
    solid.thickness = thick
    solid.offset = 1
    subdivide(thing, 1)
    return thing
