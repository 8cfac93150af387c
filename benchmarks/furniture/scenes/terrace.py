"""Terrace: a woven rattan table under a pergola whose slats stripe everything with hard shadow."""

import math

import numpy as np
from mathutils import Vector, noise

from benchmarks.furniture.studio import more_floors as floors
from benchmarks.furniture.studio import more_forms as forms
from benchmarks.furniture.studio import more_plants as plants
from benchmarks.furniture.studio import more_stage as stage
from benchmarks.furniture.studio import more_surfaces as surfaces
from benchmarks.furniture.studio.more_garden import (
    coffee_table,
    cypress,
    lantern,
    lavender,
    pot,
    shutter,
    sofa,
)
from benchmarks.furniture.studio.more_weaves import drum_stool
from benchmarks.furniture.studio.scene import About, Built

ABOUT = About(
    name="terrace",
    title="Rattan stool under a pergola",
    task="replace",
    object="a round woven rattan stool",
    simple="a terracotta pot with lavender",
    detailed="a wide terracotta pot full of flowering lavender on the stone paving, lit by "
    "hard sun through the pergola, the stripes of shadow bending over it and its own "
    "shadow falling to the left",
    negative="rattan, stool, basket, missing shadow, second pot, broken paving joints, blur",
    background="sunlit limestone paving with straight joints and the pergola's striped shadow",
    hard="The pergola's hard stripes of shadow and the joints of the paving cross behind "
    "the stool at different angles, and the new object needs both on itself and a "
    "shadow of its own.",
    light="hard",
    camera="40 mm, level, eye height 1.3 m, f/8",
    seed=10,
    samples=48,
)


def paving():
    """Limestone flags in running bond with sanded joints."""
    n = surfaces.Nodes("limestone")
    where = n.place("UV")
    each = n.add("NewGeometry").outputs["Random Per Island"]
    cloud = n.noise(where, 3.5, 6, 0.65)
    fossil = n.ramp(n.noise(where, 36, 4, 0.7), [(0.33, 0.72), (0.45, 1.0)])
    tone = n.math("MULTIPLY_ADD", each, 0.22, 0.86)
    tone = n.math("MULTIPLY_ADD", n.math("SUBTRACT", cloud, 0.5), 0.55, tone)
    colour = n.mix(
        n.math("FRACT", n.math("MULTIPLY", each, 5.7)), (0.47, 0.41, 0.325), (0.42, 0.385, 0.325)
    )
    colour = n.mix(
        1.0, n.mix(1.0, colour, tone, "MULTIPLY"), n.mix(0.5, (1, 1, 1), fossil), "MULTIPLY"
    )
    height = n.math(
        "ADD", n.math("MULTIPLY", cloud, 0.7), n.math("MULTIPLY", n.noise(where, 120, 3), 0.2)
    )
    stone = n.done(Base_Color=colour, Roughness=0.72, Normal=n.bump(height, 0.4, 0.006))
    sand = surfaces.plain("sand", (0.27, 0.22, 0.155), 1.0, bump=0.8, scale=300)
    forms.bar("bed", (16, 14, 0.1), (0, 1.0, -0.056), sand, 0)
    spots = floors.brick_bond(-5.0, 5.0, -3.6, 3.05, 0.60, 0.40, 0.008, 0.5)
    floors.slabs("paving", spots, stone, 0.004, 0.02, 0.0012, 6, (0, 0, -0.02))


def walls():
    """A limewashed low wall with a stone coping; at the left the house with its shutters."""
    lime = surfaces.wall("lime", (0.70, 0.66, 0.58), 0.92, 0.3, 0.30)
    coping = surfaces.pottery("coping", (0.46, 0.40, 0.32), 0.8, 0.4, 0.0)
    forms.bar("low wall", (8.4, 0.24, 0.86), (1.6, 2.05, 0.43), lime, 0.012)
    for k in range(11):
        forms.bar("coping", (0.772, 0.34, 0.05), (-2.2 + 0.776 * k, 2.05, 0.885), coping, 0.01)
    forms.bar("house", (0.4, 9.0, 4.2), (-2.75, -1.2, 2.1), lime, 0.01)
    blue = surfaces.boards("shutter", (0.10, 0.15, 0.15), (0.19, 0.26, 0.25), 2, 0.6, 0.15, 0.4)
    for y0 in (-0.25, 0.37):
        shutter((-2.535, y0), 0.60, 0.55, 2.15, blue)
    forms.bar("sill", (0.12, 1.4, 0.05), (-2.51, 0.36, 0.52), coping, 0.008)


def pergola():
    """Weathered beams on posts, slats across them."""
    wood = surfaces.boards("beam", (0.16, 0.095, 0.05), (0.33, 0.22, 0.13), 0, 0.7, 0.3, 1.0, 0.45)
    across = surfaces.boards(
        "slat", (0.16, 0.095, 0.05), (0.33, 0.22, 0.13), 1, 0.7, 0.3, 1.0, 0.45
    )
    upright = surfaces.boards(
        "post", (0.16, 0.095, 0.05), (0.33, 0.22, 0.13), 2, 0.7, 0.3, 1.0, 0.45
    )
    forms.bar("post", (0.12, 0.12, 2.45), (2.30, 1.62, 1.225), upright, 0.006)
    for y in (1.62, -2.4):
        forms.bar("beam", (10.0, 0.09, 0.17), (2.3, y, 2.53), wood, 0.006)
    for k in range(27):
        x = -2.45 + 0.375 * k
        forms.bar("slat", (0.055, 5.2, 0.085), (x, -0.45, 2.67), across, 0.005)


def planting():
    """An olive tree and lavender in terracotta, a hedge and cypresses beyond the wall."""
    clay = surfaces.pottery("terracotta", (0.46, 0.205, 0.115), 0.85, 0.25, 0.5)
    soil = surfaces.plain("soil", (0.035, 0.022, 0.013), 1.0, bump=0.9, scale=60)
    bark = surfaces.plain("bark", (0.13, 0.105, 0.08), 0.95, bump=0.9, scale=70)
    olive = surfaces.leaf("olive", (0.065, 0.085, 0.05), (0.24, 0.27, 0.19), 0.45, 0.2)
    pot(1.62, 1.42, 0.27, 0.46, clay, soil)
    plants.tree("olive", (1.62, 1.42, 0.42), 1.20, 0.46, bark, olive, 5, 38, 9, 15, 0.056, 0.27)
    herb = surfaces.leaf("lavender leaf", (0.10, 0.13, 0.085), (0.25, 0.29, 0.20), 0.8, 0.2)
    flower = surfaces.leaf("lavender", (0.10, 0.06, 0.24), (0.26, 0.17, 0.44), 0.8, 0.3)
    for x, y, r, h, seed in ((-2.10, 1.30, 0.21, 0.34, 3), (-2.14, 0.66, 0.16, 0.25, 9)):
        pot(x, y, r, h, clay, soil)
        lavender((x, y, h - 0.03), r, herb, flower, seed)
    green = surfaces.leaf("hedge", (0.022, 0.055, 0.012), (0.10, 0.17, 0.04), 0.6, 0.25)
    for k in range(9):
        plants.bush(
            "hedge",
            (-2.2 + 0.85 * k, 3.05 + 0.1 * (k % 2), 0.80 + 0.06 * (k % 3)),
            0.66,
            green,
            20 + k,
            2300,
            0.062,
            0.55,
            "oval",
            0.95,
            0.3,
        )
    dark = surfaces.leaf("cypress", (0.012, 0.032, 0.012), (0.05, 0.085, 0.03), 0.6, 0.1)
    for x, y, high in ((0.35, 9.5, 2.5), (1.5, 11.0, 2.9), (3.9, 10.0, 2.6)):
        cypress(x, y, high, dark)
    hills()


def hills():
    """Far hills, hazier the farther they are."""
    for y, high, colour, seed in (
        (26, 3.4, (0.16, 0.19, 0.10), 2),
        (48, 7.0, (0.27, 0.33, 0.31), 5),
        (80, 12.5, (0.40, 0.49, 0.56), 9),
    ):
        line = [
            (
                x,
                y,
                high
                * (0.55 + 0.55 * noise.fractal(Vector((x * 1.6 / y + seed, seed, 0)), 1.0, 2.0, 4)),
            )
            for x in np.linspace(-y, y, 160)
        ]
        vertices = line + [(x, y, -4) for x, _, _ in line]
        count = len(line)
        faces = [(k, k + 1, count + k + 1, count + k) for k in range(count - 1)]
        n = surfaces.Nodes("hill")
        tone = n.math("MULTIPLY_ADD", n.noise(n.place(), 14.0 / math.sqrt(y), 6, 0.7), 0.9, 0.55)
        forms.mesh(
            "hill",
            vertices,
            faces,
            n.done(Base_Color=n.mix(1.0, colour, tone, "MULTIPLY"), Roughness=1.0),
        )


def rug():
    """A flat-woven outdoor rug in stripes below the table."""
    weave = surfaces.cloth(
        "rug", (0.55, 0.50, 0.41), 150, True, 0.1, 1.0, 0.5, (0.16, 0.30, 0), (0.13, 0.19, 0.20)
    )
    wide, deep, columns, rows = 2.5, 1.6, 100, 60
    vertices, uv = [], []
    for j in range(rows + 1):
        for i in range(columns + 1):
            u, v = (i / columns - 0.5) * wide, (j / rows - 0.5) * deep
            vertices.append((u, v, 0.003 + 0.004 * max(0, noise.noise(Vector((u * 2, v * 2, 4))))))
            uv.append((u + 5.04, v + 5))
    thing = forms.mesh(
        "rug", vertices, forms.grid_faces(rows + 1, columns + 1), weave, (-0.45, 0.42, 0.002), uv=uv
    )
    solid = thing.modifiers.new("pile", "SOLIDIFY")
    solid.thickness, solid.offset = 0.007, 1


def build():
    """Build the terrace; the object is the stool."""
    paving()
    walls()
    pergola()
    rug()
    sofa((-0.55, 1.30, 0))
    coffee_table((-0.45, 0.22, 0.012))
    planting()
    lantern((1.02, 1.05, 0))
    parts = drum_stool((1.05, -0.28, 0.001))
    stage.sky(42, 160, 0.17)
    stage.sun((-0.76, 0.17, -0.68), 5.4, 0.55, (1.0, 0.92, 0.80))
    stage.camera((0.02, -3.95, 1.3), (0.02, 0, 1.3), 40, (0, -0.105), 8.0, (0.6, -0.2, 0.5))
    return Built(parts, exposure=0.15)
