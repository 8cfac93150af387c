"""Mirror: a lamp with a pleated shade on a cane sideboard, seen a second time in a round mirror."""

import math

import numpy as np

from benchmarks.furniture.studio import green, light
from benchmarks.furniture.studio import materials as studio_materials
from benchmarks.furniture.studio import more_floors as floors
from benchmarks.furniture.studio import more_forms as forms
from benchmarks.furniture.studio import more_joinery as joinery
from benchmarks.furniture.studio import more_plants as plants
from benchmarks.furniture.studio import more_stage as stage
from benchmarks.furniture.studio import more_surfaces as surfaces
from benchmarks.furniture.studio.more_pieces import sideboard
from benchmarks.furniture.studio.scene import About, Built

ABOUT = About(
    name="mirror",
    title="Lamp before a round mirror",
    task="remove",
    object="a table lamp with a green ceramic foot and a pleated shade",
    simple="a sideboard before a mirror, without the lamp",
    detailed="the bare oak top of the sideboard, the clay-coloured plaster wall and the "
    "mirror's clean view into the room, window and curtain, with no lamp and no "
    "reflection of one",
    negative="lamp, lampshade, reflection of a lamp, shadow on the wall, distorted mirror, smear",
    background="clay-coloured plaster wall, an oak sideboard and the room in the mirror",
    hard="The lamp is seen twice, and its broad soft shadow lies on the wall behind the vase: "
    "whoever removes it must also remove its image and show the room that the lamp hid.",
    light="soft",
    camera="45 mm, level, eye height 1.3 m, f/7.1, turned 30 degrees",
    seed=9,
    samples=48,
)
TOP = 0.80  # height of the sideboard


def room():
    """Clay plaster behind the mirror; opposite, what the mirror shows: window, curtains, a bed."""
    clay = surfaces.wall("clay", (0.46, 0.33, 0.245), 0.9, 0.2, 0.4)
    pale = surfaces.wall("pale", (0.70, 0.67, 0.60), 0.9, 0.15)
    white = surfaces.plain("paint", (0.74, 0.72, 0.67), 0.4, bump=0.04)
    forms.bar("wall", (8.0, 0.2, 2.8), (-0.5, 0.1, 1.4), clay, 0)
    oak = surfaces.boards(
        "oak", (0.21, 0.125, 0.062), (0.46, 0.31, 0.185), 0, 0.38, 0.35, uv=True, coat=0.15
    )
    forms.bar(
        "ground",
        (9, 7, 0.1),
        (-0.5, -2.8, -0.062),
        surfaces.plain("gap", (0.03, 0.02, 0.012), 0.9),
        0,
    )
    floors.slabs(
        "floor",
        floors.plank_floor(-4.2, 3.2, -5.0, 0.02, 0.145, 0.0014, 4),
        oak,
        0.0012,
        0.01,
        0.0007,
        5,
        (0, 0, -0.01),
    )
    forms.bar("skirting", (8.0, 0.022, 0.14), (-0.5, -0.011, 0.07), white, 0.005)
    forms.bar("ceiling", (8.0, 5.6, 0.1), (-0.5, -2.6, 2.75), white, 0)
    forms.bar("wall", (0.2, 5.4, 2.8), (3.1, -2.6, 1.4), pale, 0)
    hole = (-3.3, -1.7, 0.75, 2.35)
    joinery.wall_with_hole("wall", (-4.3, 3.2), (0, 2.8), hole, pale, 0.25, "x", -4.2, -1)
    joinery.window_frame("window", hole, white, "x", -4.3, (2, 3), 0.03)
    forms.bar("sill", (1.75, 0.2, 0.035), (-2.5, -4.22, 0.74), white, 0.006)
    side = (-2.9, -1.1, 0.5, 2.35)
    joinery.wall_with_hole("wall", (-4.4, 0.1), (0, 2.8), side, pale, 0.25, "y", -4.1, -1)
    joinery.window_frame("window", side, white, "y", -4.2, (2, 3), 0.03)
    linen = surfaces.cloth(
        "curtain", (0.68, 0.63, 0.54), 520, True, 0.15, 0.95, 0.35, see_through=0.5
    )
    for x, wide, seed in ((-3.75, 0.5, 3), (-1.75, 0.5, 5)):
        forms.curtain("curtain", wide, 2.5, linen, (x, -4.05, 0.02), 7, 0.085, seed)
    forms.tube(
        "rod",
        [(-3.9, -4.05, 2.53), (-1.1, -4.05, 2.53)],
        0.012,
        surfaces.plain("iron", (0.03, 0.03, 0.03), 0.4),
        smooth=False,
    )
    light.garden((-2.5, -7.6, -0.8), 12, 7, 1.9, turn=(0, 0, 180))
    bed(linen)


def bed(linen):
    """A bench with a cushion and a plant below the window, for the mirror."""
    m = studio_materials
    walnut = surfaces.boards("bench", (0.085, 0.042, 0.02), (0.25, 0.14, 0.07), 0, 0.4)
    forms.bar("bench", (1.4, 0.45, 0.05), (-2.45, -3.85, 0.42), walnut, 0.006)
    for x in (-3.0, -1.9):
        forms.bar("leg", (0.05, 0.38, 0.40), (x, -3.85, 0.2), walnut, 0.006)
    seat = surfaces.cloth("seat", (0.42, 0.45, 0.38), 420)
    joinery.upholstered(
        "seat", (1.36, 0.44, 0.09), 0.04, seat, (-2.45, -3.85, 0.485), (0, 0, 0.015), 4, 24, 0.006
    )
    rust = surfaces.cloth("rust", (0.36, 0.13, 0.06), 420, True)
    cushion = forms.cushion("cushion", 0.44, 0.44, 0.17, rust, 5, rust, 40)
    cushion.location = (-2.85, -3.93, 0.73)
    cushion.rotation_euler = (math.radians(70), 0, math.radians(180))
    x, y = -1.25, -3.7
    pot = surfaces.pottery("pot", (0.30, 0.28, 0.25), 0.7, 0.4)
    forms.lathe(
        "pot",
        forms.points("0 0; .14 0; .15 .01; .18 .18; .185 .34; .17 .34; .16 .3; 0 .3"),
        pot,
        (x, y, 0),
        64,
        4,
    )
    green.fig(
        (x, y, 0.3),
        1.4,
        surfaces.leaf("fig", (0.018, 0.055, 0.012), (0.085, 0.17, 0.04), 0.3, 0.2),
        m.wood("#5b4632", "#3b2c1e", along="z"),
    )


def mirror():
    """A round mirror of 0.9 m in a thin brass rim, hung on the wall."""
    brass = surfaces.metal("rim", (0.70, 0.49, 0.23), 0.2)
    centre, radius = (0.0, -0.018, 1.40), 0.44
    glass = forms.lathe(
        "mirror", [(0, 0.0), (radius, 0.0)], surfaces.mirror_glass(), centre, 128, 1
    )
    glass.rotation_euler = (math.radians(90), 0, 0)
    glass.data.polygons.foreach_set("use_smooth", [False] * len(glass.data.polygons))
    rim = forms.lathe(
        "rim",
        [
            (radius - 0.006, -0.016),
            (radius + 0.010, -0.016),
            (radius + 0.0125, -0.013),
            (radius + 0.0125, 0.009),
            (radius + 0.010, 0.012),
            (radius - 0.004, 0.012),
            (radius - 0.006, 0.010),
            (radius - 0.006, -0.016),
        ],
        brass,
        centre,
        160,
        1,
    )
    rim.rotation_euler = (math.radians(90), 0, 0)
    forms.soften(rim, 0.001, 2)


def dressing():
    """Books and a dish, a vase of dried grasses, a candle in glass."""
    paper = surfaces.plain("paper", (0.62, 0.57, 0.47), 0.9)
    joinery.books(
        "books",
        (-0.50, -0.22, TOP),
        [(0.27, 0.19, 0.03), (0.25, 0.175, 0.024), (0.215, 0.16, 0.02)],
        [(0.44, 0.40, 0.33), (0.16, 0.19, 0.17), (0.40, 0.16, 0.085)],
        paper,
        lambda c: surfaces.cloth("cover", c, 900, False, 0.05, 0.75, 0.1),
        seed=9,
    )
    stone = surfaces.stone(
        "dish", (0.55, 0.52, 0.48), (0.25, 0.22, 0.2), 0.3, 0.5, 9.0, (0.62, 0.59, 0.55)
    )
    forms.lathe(
        "dish",
        forms.points("0 0; .035 0; .04 .005; .066 .03; .069 .035; .064 .034; .035 .011; 0 .009"),
        stone,
        (-0.50, -0.22, TOP + 0.0755),
        72,
        4,
        0.0008,
    )
    amber = surfaces.glass("amber", (0.62, 0.30, 0.10))
    forms.lathe(
        "jar",
        forms.points("0 0; .038 0; .041 .004; .041 .088; .0405 .09; .038 .09; .038 .008; 0 .007"),
        amber,
        (0.60, -0.30, TOP),
        64,
        1,
    )
    forms.lathe(
        "wax",
        [(0, 0.0075), (0.0375, 0.0075), (0.0375, 0.055), (0, 0.054)],
        surfaces.plain("wax", (0.72, 0.66, 0.54), 0.5, Subsurface_Weight=0.2),
        (0.60, -0.30, TOP),
        48,
        1,
    )
    clay = surfaces.pottery("vase", (0.62, 0.58, 0.51), 0.65, 0.4, 0.8)
    x, y = 0.48, -0.16
    forms.lathe(
        "vase",
        forms.points(
            "0 0; .05 0; .056 .005; .085 .06; .088 .11; .065 .165; .038 .2; .034 .225; "
            ".04 .238; .036 .237; .03 .2; .04 .15"
        ),
        clay,
        (x, y, TOP),
        80,
        5,
        0.002,
        6,
    )
    straw = surfaces.plain("straw", (0.46, 0.33, 0.19), 0.8)
    plume = surfaces.leaf("plume", (0.36, 0.26, 0.16), (0.62, 0.50, 0.35), 0.9, 0.35)
    rng = np.random.default_rng(3)
    for k in range(9):
        lean = rng.normal(0, 0.22, 2)
        points = plants.branch_points(
            (x, y, TOP + 0.19),
            (lean[0] + 0.12, lean[1] * 0.4 - 0.02, 1.0),
            rng.uniform(0.36, 0.52),
            rng,
            0.12,
            0.0,
        )
        forms.tube(
            "stalk", points, np.linspace(0.0017, 0.0009, len(points)), straw
        ).data.bevel_resolution = 1
        places, tangents = plants.along(points, 90, 0.52)
        spots = []
        for p, t in zip(places, tangents, strict=True):
            for _ in range(4):
                spots.append((p, t * 1.2 + rng.normal(0, 0.42, 3)))
        plants.leaves("plume", spots, plume, "blade", 0.030, 0.075, 40 + k, 0.4, 3)


def lamp(at):
    """The object: a glazed foot, a brass neck and a pleated shade; returns its parts."""
    glaze = surfaces.glaze("lamp glaze", (0.045, 0.095, 0.075), 0.12, 0.1, 0.25)
    brass = surfaces.metal("lamp brass", (0.70, 0.49, 0.23), 0.2)
    shade = surfaces.cloth(
        "lampshade", (0.72, 0.66, 0.55), 700, False, 0.1, 0.9, 0.15, see_through=0.2
    )
    x, y, z = at
    foot = forms.points(
        "0 0; .058 0; .063 .004; .064 .012; .052 .022; .06 .04; .094 .085; .108 .13; "
        ".1 .18; .066 .225; .032 .25; .024 .265; .026 .272; 0 .274"
    )
    parts = [
        forms.lathe("lamp foot", foot, glaze, at, 96, 6, 0.0008, 3),
        forms.lathe(
            "lamp neck",
            forms.points("0 .27; .026 .27; .026 .276; .013 .28; .011 .3; .011 .33; 0 .335"),
            brass,
            at,
            48,
            2,
        ),
        forms.lathe(
            "finial",
            forms.points("0 .515; .005 .515; .006 .525; .011 .532; .009 .542; 0 .546"),
            brass,
            at,
            32,
            4,
        ),
        forms.tube("harp", [(x, y, z + 0.33), (x, y, z + 0.52)], 0.003, brass, smooth=False),
    ]
    rings, around, vertices = 16, 288, []
    for j in range(rings + 1):
        t = j / rings
        for k in range(around):
            a = 2 * math.pi * k / around
            r = 0.172 - 0.072 * t + 0.0034 * math.cos(a * 72)
            vertices.append((r * math.cos(a), r * math.sin(a), 0.305 + 0.205 * t))
    parts.append(
        forms.mesh("shade", vertices, forms.grid_faces(rings + 1, around, True), shade, at)
    )
    for r, high in ((0.172, 0.305), (0.100, 0.510)):
        ring = [
            (x + r * math.cos(a), y + r * math.sin(a), z + high)
            for a in np.linspace(0, 2 * math.pi, 90)[:-1]
        ]
        parts.append(forms.tube("hem", ring, 0.0045, shade, smooth=False, closed=True))
    for k in range(3):
        a = 2 * math.pi * k / 3
        parts.append(
            forms.tube(
                "spoke",
                [(x, y, z + 0.508), (x + 0.1 * math.cos(a), y + 0.1 * math.sin(a), z + 0.51)],
                0.0018,
                brass,
                smooth=False,
            )
        )
    return parts


def build():
    """Build the room; the object is the lamp."""
    room()
    sideboard(TOP)
    mirror()
    dressing()
    parts = lamp((-0.02, -0.245, TOP))
    stage.world((0.75, 0.85, 1.0), 0.7)
    stage.area((-4.5, -2.0, 1.5), (0, -0.6, 1.1), (1.7, 1.7), 170, (0.93, 0.96, 1.0))
    stage.area((-2.5, -4.5, 1.6), (-1.5, 0, 1.0), (1.5, 1.5), 70, (0.93, 0.96, 1.0))
    stage.area((1.8, -2.6, 2.68), (0.6, -1.0, 0), (1.6, 1.6), 30, (1.0, 0.93, 0.84))
    stage.camera(
        (1.42, -2.55, 1.3), (0.05, -0.15, 1.3), 45, (-0.01, -0.065), 7.1, (0.0, -0.25, 1.1)
    )
    return Built(parts, exposure=0.5)
