"""What lies and hangs in a kitchen: knobs, a towel, a trailing plant, boards, fruit, a kettle."""

import math
import random

import bpy
import numpy as np
from mathutils import Vector, noise

from benchmarks.furniture.studio import more_forms as forms
from benchmarks.furniture.studio import more_plants as plants
from benchmarks.furniture.studio import more_surfaces as surfaces


def knob(at, brass):
    """A turned knob that points to -y."""
    profile = forms.points("0 .03; .012 .03; .0165 .025; .015 .019; .007 .014; .007 .003; .011 0")
    thing = forms.lathe("knob", profile, brass, at, 32, 4)
    thing.rotation_euler = (math.pi / 2, 0, 0)


def trailing(at):
    """A pothos-like plant that hangs over the shelf."""
    green = surfaces.leaf("ivy", (0.025, 0.075, 0.018), (0.11, 0.21, 0.06), 0.35, 0.2)
    stem = surfaces.plain("stem", (0.10, 0.16, 0.05), 0.6)
    rng = random.Random(4)

    spots = []
    for k in range(13):
        turn = k * 2.4
        out = 0.05 + 0.05 * rng.random()
        x, y = math.cos(turn) * out, min(0.06, math.sin(turn) * out)
        hang = rng.uniform(0.03, 0.36) if y < 0.01 or abs(x) > 0.04 else 0.0
        points = [
            at,
            (at[0] + x * 0.7, at[1] + y * 0.7, at[2] + 0.06 + 0.03 * rng.random()),
            (at[0] + x * 1.5, at[1] + min(y * 1.5, 0.08), at[2] + 0.03),
        ]
        if hang:
            y = -0.10 - 0.05 * rng.random()
            points[2] = (at[0] + x * 1.5, at[1] + y, at[2] + 0.02)
            points.append((at[0] + x * 1.7, at[1] + y * 1.25, at[2] - 0.06 - hang * 0.4))
            points.append(
                (at[0] + x * 1.7 + 0.03 * rng.uniform(-1, 1), at[1] + y * 1.2, at[2] - 0.08 - hang)
            )
        forms.tube("vine", points, 0.0016, stem)
        count = int(5 + 26 * hang)
        places, tangents = plants.along(np.array(points), count, 0.25)
        for p, t in zip(places, tangents, strict=True):
            spots.append(
                (
                    p,
                    np.array(t) * 0.5
                    + np.array([rng.uniform(-1, 1), rng.uniform(-1, 0.3), rng.uniform(-0.4, 0.6)]),
                )
            )
    plants.leaves("ivy leaves", spots, green, "oval", 0.048, 0.72, 5)


def towel(linen, x, y, z):
    """A towel folded over the rail: a narrow ripple that grows towards the hem."""

    path = [
        (y + 0.009, z - 0.22),
        (y + 0.008, z - 0.08),
        (y + 0.006, z),
        (y, z + 0.0075),
        (y - 0.008, z),
        (y - 0.011, z - 0.10),
        (y - 0.013, z - 0.24),
        (y - 0.014, z - 0.33),
    ]
    line = forms.spline(path, 8)
    wide, columns, vertices, uv = 0.26, 60, [], []
    run = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    for j, (py, pz) in enumerate(line):
        free = min(1.0, max(0.0, z - pz) / 0.33)
        front = -1 if py < y else 1
        for i in range(columns + 1):
            u = i / columns
            wave = 0.5 + 0.5 * math.sin(
                u * 17 + 1.5 * noise.noise(Vector((u * 3, 1, 1))) + 0.6 * free
            )
            lift = 0.016 * free**0.7 * wave + 0.003 * free * noise.noise(
                Vector((u * 11, run[j] * 9, 3))
            )
            shift = 0.006 * free * noise.noise(Vector((u * 2, run[j] * 5, 6)))
            vertices.append(
                (
                    x + (u - 0.5) * wide * (1 - 0.05 * free) + shift,
                    py + front * max(lift, 0) * (1.0 if front < 0 else 0.25),
                    pz,
                )
            )
            uv.append((u * wide + 0.02, run[j]))
    thing = forms.mesh("towel", vertices, forms.grid_faces(len(line), columns + 1), linen, uv=uv)
    solid = thing.modifiers.new("cloth", "SOLIDIFY")
    solid.thickness = 0.0025
    forms.subdivide(thing, 1)


def dressing(top):
    """Boards that lean on the tiles, a crock of spoons, lemons in a bowl, oil and basil."""
    walnut = surfaces.boards("walnut", (0.075, 0.036, 0.017), (0.22, 0.115, 0.055), 2, 0.5)
    maple = surfaces.boards("maple", (0.36, 0.22, 0.11), (0.56, 0.39, 0.23), 2, 0.5)
    forms.bar("board", (0.30, 0.022, 0.42), (0.72, -0.068, top + 0.208), walnut, 0.006, (-11, 0, 0))
    round_board = forms.lathe(
        "round board",
        forms.points("0 0; .138 0; .145 .004; .145 .014; .138 .018; 0 .018"),
        maple,
        (0.90, -0.118, top + 0.146),
        96,
        1,
    )
    round_board.rotation_euler = (math.radians(90 - 13), 0, math.radians(0))
    cream = surfaces.pottery("cream", (0.64, 0.60, 0.52), 0.4, 0.35)
    crock = forms.points(
        "0 0; .058 0; .062 .004; .066 .07; .064 .14; .067 .15; .062 .15; .059 .14; "
        ".06 .07; .054 .01; 0 .01"
    )
    forms.lathe("crock", crock, cream, (0.42, -0.19, top), 64, 4, 0.001, 8)
    rng = random.Random(3)
    for k in range(5):
        turn, lean = k * 1.3 + 0.3, rng.uniform(0.10, 0.2)
        x, y = 0.42 + 0.03 * math.cos(turn), -0.19 + 0.03 * math.sin(turn)
        dx, dy = math.cos(turn) * lean, math.sin(turn) * lean
        long = rng.uniform(0.25, 0.31)
        tip = (x + dx * long, y + dy * long, top + 0.02 + long)
        wood = (maple, walnut)[k % 2]
        forms.tube("spoon", [(x, y, top + 0.02), tip], [0.006, 0.0045], wood, smooth=False)
        head = forms.lathe(
            "spoon head",
            forms.points("0 -.042; .014 -.036; .024 0; .017 .032; 0 .04"),
            wood,
            (tip[0] + dx * 0.03, tip[1] + dy * 0.03, tip[2] + 0.03),
            32,
            6,
        )
        head.scale = (1, 0.3, 1)
        head.rotation_euler = (-dy, dx, turn)
    bowl = forms.points(
        "0 0; .05 0; .054 .006; .1 .03; .145 .078; .147 .083; .141 .08; .095 .036; .04 .014; 0 .012"
    )
    forms.lathe(
        "fruit bowl",
        bowl,
        surfaces.pottery("charcoal", (0.10, 0.10, 0.10), 0.5, 0.2),
        (-0.77, -0.30, top),
        96,
        5,
        0.0015,
        2,
    )
    lemon = surfaces.plain(
        "lemon", (0.80, 0.52, 0.035), 0.38, bump=0.35, scale=330, Subsurface_Weight=0.08
    )
    shape = forms.points(
        "0 -.046; .006 -.042; .018 -.034; .029 -.015; .031 .004; .026 .022; "
        ".012 .036; .007 .043; 0 .046"
    )
    spots = forms.points(
        "-.825 -.3 .048; -.745 -.345 .05; -.72 -.265 .05; -.785 -.245 .052; "
        "-.775 -.305 .096; -.8 -.365 .062"
    )
    for k, (x, y, z) in enumerate(spots):
        fruit = forms.lathe("lemon", shape, lemon, (x, y, top + z), 40, 4, 0.0025, k)
        fruit.rotation_euler = (rng.uniform(1.0, 2.0), rng.uniform(-0.6, 0.6), rng.uniform(0, 6.2))
    oil = forms.points(
        "0 0; .032 0; .035 .004; .036 .15; .03 .185; .013 .21; .0125 .26; .015 .262; "
        ".015 .274; 0 .274"
    )
    forms.lathe("oil", oil, surfaces.glass("oil", (0.50, 0.55, 0.12)), (-0.50, -0.12, top), 64, 4)
    forms.lathe(
        "cork",
        [(0, 0.268), (0.010, 0.268), (0.011, 0.292), (0, 0.293)],
        maple,
        (-0.50, -0.12, top),
        32,
        2,
    )
    pot = forms.points(
        "0 0; .05 0; .053 .004; .068 .11; .072 .112; .072 .128; .066 .128; .058 .1; 0 .1"
    )
    forms.lathe(
        "basil pot",
        pot,
        surfaces.pottery("terra", (0.47, 0.21, 0.115), 0.85, 0.1),
        (-1.02, -0.16, top),
        64,
        2,
    )
    basil = surfaces.leaf("basil", (0.035, 0.10, 0.02), (0.15, 0.27, 0.06), 0.4, 0.3)
    plants.bush(
        "basil", (-1.02, -0.16, top + 0.205), 0.105, basil, 6, 420, 0.046, 0.62, "oval", 0.95
    )


def kettle(at):
    """The object: body, lid, knob, spout and arched handle; returns its parts."""
    steel = surfaces.metal("kettle steel", (0.66, 0.655, 0.64), 0.085, None, 0.06)
    wood = surfaces.boards("grip", (0.09, 0.042, 0.02), (0.24, 0.125, 0.06), 0, 0.4, coat=0.3)
    body = forms.points(
        "0 0; .088 0; .094 .002; .1 .01; .109 .03; .112 .05; .106 .085; .088 .12; "
        ".064 .143; .056 .147; .055 .1485; .055 .15"
    )
    lid = forms.points(".0605 .1485; .061 .151; .059 .153; .045 .161; .02 .167; .008 .169; 0 .169")
    knob_line = forms.points(".007 .168; .0065 .175; .013 .182; .0165 .19; .013 .198; 0 .201")
    root = bpy.data.objects.new("kettle", None)
    bpy.context.scene.collection.objects.link(root)
    parts = [
        forms.lathe("kettle body", body, steel, (0, 0, 0), 128, 8),
        forms.lathe("kettle lid", lid, steel, (0, 0, 0), 96, 6),
        forms.lathe("kettle knob", knob_line, wood, (0, 0, 0), 48, 6),
        forms.tube(
            "kettle spout",
            forms.points("-.088 0 .06; -.122 0 .078; -.146 0 .112; -.158 0 .143; -.172 0 .156"),
            [0.030, 0.0225, 0.016, 0.0128, 0.0122],
            steel,
            steps=10,
        ),
        forms.tube(
            "kettle strap",
            [(-0.083, 0, 0.122), (-0.098, 0, 0.160), (-0.098, 0, 0.205), (-0.072, 0, 0.240)],
            [0.0065, 0.006, 0.006, 0.006],
            steel,
        ),
        forms.tube(
            "kettle strap",
            [(0.083, 0, 0.122), (0.098, 0, 0.160), (0.098, 0, 0.205), (0.072, 0, 0.240)],
            [0.0065, 0.006, 0.006, 0.006],
            steel,
        ),
        forms.tube(
            "kettle grip",
            forms.points(
                "-.08 0 .234; -.06 0 .247; -.02 0 .2545; .02 0 .2545; .06 0 .247; .08 0 .234"
            ),
            [0.0095, 0.0115, 0.0135, 0.0135, 0.0115, 0.0095],
            wood,
        ),
    ]
    for part in parts:
        part.parent = root
    root.location = at
    root.scale = (1.12,) * 3
    root.rotation_euler = (0, 0, math.radians(24))
    return parts
