"""Woven things made strand by strand: a basket, a drum stool, cane webbing."""

import math

import numpy as np
from mathutils import Vector, noise

from benchmarks.furniture.studio import more_forms as forms
from benchmarks.furniture.studio import more_joinery as joinery
from benchmarks.furniture.studio import more_surfaces as surfaces


def basket(at, wide, deep, high):
    """A woven basket: flattened strands that pass before and behind upright stakes."""
    strand = surfaces.rattan("rush", (0.47, 0.33, 0.17), (0.19, 0.115, 0.05))
    rows, stakes, steps = 19, 34, 204
    vertices, faces = [], []
    section = [
        (math.cos(t) * 0.0038, math.sin(t) * 0.0072) for t in np.linspace(0, 2 * math.pi, 7)[:-1]
    ]
    for row in range(rows):
        z = high * (row + 0.5) / rows
        grow = 0.90 + 0.10 * (z / high)
        first = len(vertices)
        for k in range(steps):
            a = 2 * math.pi * k / steps
            weave = 0.0042 * math.sin(stakes / 2 * a + math.pi * (row % 2)) + 0.002 * noise.noise(
                Vector((math.cos(a) * 3, math.sin(a) * 3, row))
            )
            cx = abs(math.cos(a)) ** 0.62 * math.copysign(1, math.cos(a))
            cy = abs(math.sin(a)) ** 0.62 * math.copysign(1, math.sin(a))
            for out, up in section:
                r = out + weave
                vertices.append((cx * (wide / 2 * grow + r), cy * (deep / 2 * grow + r), z + up))
        m = len(section)
        faces += [
            (
                first + k * m + i,
                first + ((k + 1) % steps) * m + i,
                first + ((k + 1) % steps) * m + (i + 1) % m,
                first + k * m + (i + 1) % m,
            )
            for k in range(steps)
            for i in range(m)
        ]
    forms.mesh("basket", vertices, faces, strand, at)
    for k in range(stakes):
        a = 2 * math.pi * (k + 0.5) / stakes
        cx = abs(math.cos(a)) ** 0.62 * math.copysign(1, math.cos(a))
        cy = abs(math.sin(a)) ** 0.62 * math.copysign(1, math.sin(a))
        forms.tube(
            "stake",
            [(cx * wide / 2 * g, cy * deep / 2 * g, z) for z, g in ((0, 0.9), (high, 1.0))],
            0.003,
            strand,
            at,
            smooth=False,
        )
    rim = [
        (
            abs(math.cos(a)) ** 0.62 * math.copysign(1, math.cos(a)) * wide / 2,
            abs(math.sin(a)) ** 0.62 * math.copysign(1, math.sin(a)) * deep / 2,
            high + 0.003,
        )
        for a in np.linspace(0, 2 * math.pi, 80)[:-1]
    ]
    forms.tube("rim", rim, 0.009, strand, at, smooth=False, closed=True)
    wool = surfaces.boucle("scarf", (0.42, 0.38, 0.31), 130)
    joinery.upholstered(
        "scarf",
        (wide * 0.86, deep * 0.84, 0.14),
        0.06,
        wool,
        (at[0], at[1], at[2] + high - 0.035),
        (0, 0, 0.03),
        4,
        24,
        0.03,
    )


def webbing(x0, x1, z0, z1, y):
    """Cane webbing: upright and level pairs of strands, and one diagonal each way through them."""
    strand = surfaces.rattan("cane", (0.62, 0.46, 0.27), (0.36, 0.23, 0.11))
    pitch, vertices, faces = 0.0165, [], []

    def strip(a, b, width, out):
        d = np.subtract(b, a)
        d = d / np.linalg.norm(d)
        across = np.array([-d[1], d[0]]) * width / 2
        first = len(vertices)
        for point in (a, b):
            for side, rise in ((-1, 0.0), (0, 0.0006), (1, 0.0)):
                p = np.asarray(point) + side * across
                vertices.append((p[0], y - out - rise, p[1]))
        faces.extend(
            [(first, first + 3, first + 4, first + 1), (first + 1, first + 4, first + 5, first + 2)]
        )

    for k in range(1, int((x1 - x0) / pitch) + 1):
        for off in (-0.0022, 0.0022):
            x = x0 + (k - 0.5) * pitch + off
            if x < x1:
                strip((x, z0), (x, z1), 0.0027, 0.0010)
    for k in range(1, int((z1 - z0) / pitch) + 1):
        for off in (-0.0022, 0.0022):
            z = z0 + (k - 0.5) * pitch + off
            if z < z1:
                strip((x0, z), (x1, z), 0.0027, 0.0018)
    wide, high = x1 - x0, z1 - z0
    for way in (1, -1):
        count = int((wide + high) / pitch) + 1
        for k in range(count):
            # A line x' - way z' = c, clipped to the field.
            c = -high + k * pitch if way > 0 else k * pitch
            points = [(c + way * t, t) for t in (0.0, high)]
            ends = []
            for x, t in points:
                x_in = min(max(x, 0.0), wide)
                ends.append((x_in, t + way * (x_in - x)))
            (xa, ta), (xb, tb) = ends
            if abs(xb - xa) > 0.004 and min(ta, tb) + 1e-6 >= 0 and max(ta, tb) <= high + 1e-6:
                strip((x0 + xa, z0 + ta), (x0 + xb, z0 + tb), 0.0036, 0.0028 + 0.0006 * (way > 0))
    forms.mesh("cane", vertices, faces, strand)


def drum_stool(at):
    """The object: a woven drum with bulging sides and a woven top; returns its parts."""
    strand = surfaces.rattan("rattan", (0.50, 0.315, 0.145), (0.20, 0.11, 0.045))
    high, rows, stakes, steps = 0.43, 38, 56, 336
    section = [
        (math.cos(t) * 0.0042, math.sin(t) * 0.0062) for t in np.linspace(0, 2 * math.pi, 8)[:-1]
    ]
    vertices, faces = [], []

    def hoop(radius_of, height_of, shape):
        first, m = len(vertices), len(shape)
        for k in range(steps):
            a = 2 * math.pi * k / steps
            for out, up in shape:
                r = radius_of(a) + out
                vertices.append((r * math.cos(a), r * math.sin(a), height_of(a) + up))
        faces.extend(
            (
                first + k * m + i,
                first + (k + 1) % steps * m + i,
                first + (k + 1) % steps * m + (i + 1) % m,
                first + k * m + (i + 1) % m,
            )
            for k in range(steps)
            for i in range(m)
        )

    def body(z):
        return 0.205 + 0.052 * math.sin(math.pi * min(1, max(0, (z / high) * 0.9 + 0.06))) ** 1.2

    for row in range(rows):
        z = 0.022 + (high - 0.04) * row / (rows - 1)
        hoop(
            lambda a, z=z, row=row: (
                body(z)
                + 0.0048 * math.sin(stakes / 2 * a + math.pi * (row % 2))
                + 0.0016 * noise.noise(Vector((3 * math.cos(a), 3 * math.sin(a), row * 1.7)))
            ),
            lambda a, z=z, row=row: (
                z + 0.0012 * noise.noise(Vector((4 * math.cos(a), 4 * math.sin(a), row + 50)))
            ),
            section,
        )
    flat = [
        (u * 0.0056, v * 0.0040)
        for u, v in [(math.cos(t), math.sin(t)) for t in np.linspace(0, 2 * math.pi, 8)[:-1]]
    ]
    for ring in range(19):
        radius = 0.012 + 0.0112 * ring
        hoop(
            lambda a, r=radius: r,
            lambda a, ring=ring: (
                high - 0.003 + 0.0038 * math.sin(stakes / 4 * a + math.pi * (ring % 2))
            ),
            flat,
        )
    parts = [forms.mesh("stool weave", vertices, faces, strand, at)]
    thick = [
        (math.cos(t) * 0.011, math.sin(t) * 0.011) for t in np.linspace(0, 2 * math.pi, 10)[:-1]
    ]
    vertices, faces = [], []
    twist = 46
    hoop(
        lambda a: body(high) + 0.006 + 0.0022 * math.sin(twist * a),
        lambda a: high - 0.004 + 0.0022 * math.cos(twist * a),
        thick,
    )
    hoop(
        lambda a: body(0) + 0.006 + 0.0022 * math.sin(twist * a),
        lambda a: 0.013 + 0.0022 * math.cos(twist * a),
        thick,
    )
    parts.append(forms.mesh("stool rims", vertices, faces, strand, at))
    for k in range(stakes):
        a = 2 * math.pi * (k + 0.5) / stakes
        line = [
            (body(z) * math.cos(a), body(z) * math.sin(a), z)
            for z in np.linspace(0.012, high - 0.006, 7)
        ]
        stake = forms.tube("stool stake", line, 0.0036, strand, at)
        stake.data.bevel_resolution = 2
        parts.append(stake)
    inner = forms.lathe(
        "stool lining",
        [(0, 0.02), (0.195, 0.02), (0.245, 0.2), (0.195, high - 0.016), (0, high - 0.012)],
        surfaces.plain("lining", (0.06, 0.035, 0.015), 1.0),
        at,
        64,
        4,
    )
    return [*parts, inner]
