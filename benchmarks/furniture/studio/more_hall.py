"""What stands in a hallway: a console, a patterned runner, boots, a peg rail with hat and bag."""

import math

import bpy
from mathutils import Vector, noise

from benchmarks.furniture.studio import more_forms as forms
from benchmarks.furniture.studio import more_joinery as joinery
from benchmarks.furniture.studio import more_surfaces as surfaces


def leg(x, y, top, wood):
    """A square leg that tapers to the floor."""
    a, b = 0.020, 0.012
    ring = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    points = [(i * b, j * b, 0) for i, j in ring] + [(i * a, j * a, top - 0.15) for i, j in ring]
    points += [(i * a, j * a, top) for i, j in ring]
    faces = [(0, 3, 2, 1), (8, 9, 10, 11)]
    for level in (0, 4):
        faces += [
            (level + k, level + (k + 1) % 4, level + 4 + (k + 1) % 4, level + 4 + k)
            for k in range(4)
        ]
    forms.soften(forms.mesh("leg", points, faces, wood, (x, y, 0), smooth=False), 0.003)


def console(extent):
    """A walnut console with two drawers, tapered legs and a low shelf."""
    x0, x1, front, top = extent
    wood = surfaces.boards(
        "walnut", (0.075, 0.036, 0.016), (0.235, 0.125, 0.06), 0, 0.34, 0.2, coat=0.35
    )
    upright = surfaces.boards(
        "walnut", (0.075, 0.036, 0.016), (0.22, 0.115, 0.055), 2, 0.36, coat=0.3
    )
    brass = surfaces.metal("brass", (0.70, 0.49, 0.23), 0.22)
    cx, cy, deep = (x0 + x1) / 2, front / 2 - 0.015, -front - 0.03
    forms.bar("top", (x1 - x0, deep + 0.03, 0.026), (cx, cy, top - 0.013), wood, 0.006)
    forms.bar("apron", (x1 - x0 - 0.07, deep - 0.03, 0.125), (cx, cy, top - 0.0885), wood, 0.003)
    half = (x1 - x0 - 0.10) / 2
    for side in (-1, 1):
        x = cx + side * (half / 2 + 0.002)
        forms.bar(
            "drawer",
            (half - 0.006, 0.018, 0.105),
            (x, cy - deep / 2 + 0.01, top - 0.0885),
            wood,
            0.003,
        )
        pull = forms.lathe(
            "pull",
            forms.points("0 .024; .01 .023; .0125 .018; .008 .012; .0055 .004; .01 0"),
            brass,
            (x, cy - deep / 2 + 0.001, top - 0.0885),
            32,
            4,
        )
        pull.rotation_euler = (math.pi / 2, 0, 0)
    for sx in (-1, 1):
        for sy in (-1, 1):
            leg(cx + sx * ((x1 - x0) / 2 - 0.05), cy + sy * (deep / 2 - 0.03), top - 0.026, upright)
    forms.bar("low shelf", (x1 - x0 - 0.11, deep - 0.07, 0.02), (cx, cy, 0.20), wood, 0.004)


def runner():
    """A wool runner with a lozenge pattern, borders and a fringe."""
    n = surfaces.Nodes("runner")
    parts = n.add("SeparateXYZ", Vector=n.place("UV"))
    wobble = n.math("MULTIPLY", n.math("SUBTRACT", n.noise(n.place("UV"), 45, 2), 0.5), 0.008)
    x, y = n.math("ADD", parts.outputs[0], wobble), n.math("ADD", parts.outputs[1], wobble)
    a = n.math("PINGPONG", n.math("DIVIDE", x, 0.11), 1.0)
    b = n.math("PINGPONG", n.math("DIVIDE", y, 0.11), 1.0)
    lozenge = n.math("ABSOLUTE", n.math("SUBTRACT", n.math("ADD", a, b), 1.0))
    pattern = n.ramp(
        lozenge,
        [
            (0.0, (0.30, 0.085, 0.045)),
            (0.16, (0.30, 0.085, 0.045)),
            (0.17, (0.58, 0.50, 0.38)),
            (0.52, (0.58, 0.50, 0.38)),
            (0.53, (0.06, 0.085, 0.12)),
            (0.8, (0.06, 0.085, 0.12)),
            (0.81, (0.50, 0.36, 0.19)),
        ],
    )
    pattern_node = n.tree.nodes[-1]
    pattern_node.color_ramp.interpolation = "CONSTANT"
    edge = n.math("ABSOLUTE", y)
    border = n.ramp(
        n.math("DIVIDE", edge, 0.40), [(0.0, 0.0), (0.80, 1.0), (0.84, 0.0), (0.88, 1.0)]
    )
    n.tree.nodes[-1].color_ramp.interpolation = "CONSTANT"
    colour = n.mix(border, pattern, (0.055, 0.075, 0.11))
    pile = n.noise(n.place("UV", (1, 1, 1)), 420, 2)
    rows = n.math("ABSOLUTE", n.math("SINE", n.math("MULTIPLY", parts.outputs[0], 700.0)))
    worn = n.math("MULTIPLY_ADD", n.noise(n.place("UV"), 7, 4), 0.5, 0.72)
    colour = n.mix(
        1.0,
        n.mix(1.0, colour, worn, "MULTIPLY"),
        n.math("MULTIPLY_ADD", pile, 0.5, 0.75),
        "MULTIPLY",
    )
    wool = n.done(
        Base_Color=colour,
        Roughness=1.0,
        Sheen_Weight=0.2,
        Specular_IOR_Level=0.1,
        Normal=n.bump(n.math("ADD", pile, n.math("MULTIPLY", rows, 0.5)), 0.7, 0.004),
    )
    long, wide, columns, rows_n = 3.4, 0.80, 140, 34
    vertices, uv = [], []
    for j in range(rows_n + 1):
        for i in range(columns + 1):
            u, v = (i / columns - 0.5) * long, (j / rows_n - 0.5) * wide
            v += 0.006 * noise.noise(Vector((u * 1.5, v, 2)))
            lift = 0.006 + 0.004 * max(0, noise.noise(Vector((u * 2.1, v * 3.0, 7))))
            vertices.append((u, v, lift))
            uv.append((u, v))
    rug = forms.mesh(
        "runner",
        vertices,
        forms.grid_faces(rows_n + 1, columns + 1),
        wool,
        (0.15, -1.05, 0.001),
        uv=uv,
    )
    solid = rug.modifiers.new("pile", "SOLIDIFY")
    solid.thickness = 0.007
    solid.offset = 1
    rug.rotation_euler = (0, 0, math.radians(-0.8))


def boots(at):
    """A pair of low rubber boots, turned a little apart."""
    rubber = surfaces.plain("rubber", (0.045, 0.06, 0.035), 0.33, coat=0.2)
    for k, turn in enumerate((8, -6)):
        root = bpy.data.objects.new("boot", None)
        bpy.context.scene.collection.objects.link(root)
        shaft = forms.lathe(
            "shaft",
            forms.points(
                ".052 0; .053 .05; .05 .1; .056 .17; .062 .245; .064 .25; .061 .253; "
                ".057 .245; .045 .12"
            ),
            rubber,
            (0, 0.03, 0.01),
            48,
            4,
            0.004,
            k,
        )
        foot = joinery.upholstered(
            "foot",
            (0.105, 0.26, 0.095),
            0.046,
            rubber,
            (0, -0.05, 0.055),
            (0, 0, 0.01),
            k,
            20,
            0.002,
        )
        sole = joinery.upholstered(
            "sole",
            (0.112, 0.27, 0.026),
            0.0125,
            surfaces.plain("sole", (0.30, 0.22, 0.13), 0.6),
            (0, -0.05, 0.014),
            (0, 0, 0),
            k,
            20,
            0,
        )
        for part in (shaft, foot, sole):
            part.parent = root
        root.location = (at[0] + 0.14 * k, at[1] + 0.05, at[2])
        root.rotation_euler = (0, 0, math.radians(turn))


def peg_and_coat():
    """A peg rail at the right with a hat and a bag."""
    oak = surfaces.boards("oak", (0.24, 0.135, 0.062), (0.48, 0.31, 0.17), 0, 0.45)
    forms.bar("peg rail", (0.9, 0.02, 0.075), (-1.42, -0.012, 1.72), oak, 0.004)
    for k in range(4):
        x = -1.78 + 0.24 * k
        peg = forms.lathe(
            "peg",
            forms.points("0 .075; .013 .073; .015 .066; .009 .05; .0085 0"),
            oak,
            (x, -0.02, 1.715),
            32,
            4,
        )
        peg.rotation_euler = (math.radians(80), 0, 0)
    straw = surfaces.cloth("straw", (0.50, 0.37, 0.19), 190, False, 0.1, 0.7, 0.5)
    hat = forms.lathe(
        "hat",
        forms.points(
            "0 .115; .05 .118; .082 .105; .09 .06; .094 .012; .11 .004; .16 -.002; "
            ".185 .006; .186 .008; .16 .002; .11 .008; .09 .016"
        ),
        straw,
        (-1.06, -0.055, 1.66),
        96,
        5,
        0.006,
        2,
    )
    hat.rotation_euler = (math.radians(83), 0, 0)
    ribbon = forms.lathe(
        "ribbon",
        [(0.0955, 0.012), (0.0925, 0.038), (0.0915, 0.038)],
        surfaces.cloth("ribbon", (0.05, 0.06, 0.08), 900),
        (-1.06, -0.055, 1.66),
        96,
        1,
        0.006,
        2,
    )
    ribbon.rotation_euler = (math.radians(83), 0, 0)
    canvas = surfaces.cloth("canvas", (0.46, 0.42, 0.33), 420, False, 0.2, 0.9, 0.3)
    joinery.upholstered(
        "bag",
        (0.38, 0.10, 0.40),
        0.045,
        canvas,
        (-1.42, -0.075, 1.13),
        (0, 0.03, -0.01),
        9,
        30,
        0.02,
    )
    for dx in (-0.015, 0.015):
        forms.tube(
            "strap",
            [
                (-1.42 - 0.10, -0.075 + dx, 1.30),
                (-1.43 - 0.05, -0.08 + dx, 1.56),
                (-1.54, -0.082 + dx * 0.3, 1.735),
                (-1.60, -0.075 + dx, 1.56),
                (-1.42 + 0.08 - 0.2, -0.075 + dx, 1.30),
            ],
            0.007,
            canvas,
        )
