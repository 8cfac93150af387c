"""Armchair by a window: an ochre cushion in sunlight that the glazing bars cut into panes."""

import math

import numpy as np

from benchmarks.furniture.studio import green, light, soft
from benchmarks.furniture.studio import materials as studio_materials
from benchmarks.furniture.studio import more_floors as floors
from benchmarks.furniture.studio import more_forms as forms
from benchmarks.furniture.studio import more_joinery as joinery
from benchmarks.furniture.studio import more_stage as stage
from benchmarks.furniture.studio import more_surfaces as surfaces
from benchmarks.furniture.studio.more_pieces import chair, table
from benchmarks.furniture.studio.scene import About, Built

ABOUT = About(
    name="armchair",
    title="Cushion on an armchair by a window",
    task="recolour",
    object="an ochre linen cushion with a piped seam",
    simple="a deep blue cushion",
    detailed="the same square scatter cushion in deep indigo blue linen with a piped seam, "
    "leaning in the cream armchair, sunlight and the shadows of the window bars "
    "falling across it",
    negative="yellow, ochre, flat colour without folds, missing shadows, a second cushion, pattern",
    background="the cream looped-wool seat and back of the armchair",
    hard="The shadows of the window bars cross cushion and chair in one line, and a new "
    "colour must keep them, the weave and the folds.",
    light="both",
    camera="42 mm, level, eye height 1.2 m, f/4",
    seed=8,
    samples=48,
)
HOLE = (-1.62, -0.22, 0.42, 2.36)  # the window: x from, to, z from, to


def room():
    """Limewashed wall with a tall window, oak boards, skirting, curtains on a rod."""
    lime = surfaces.wall("limewash", (0.50, 0.46, 0.385), 0.9, 0.2, 0.35)
    white = surfaces.plain("paint", (0.72, 0.70, 0.65), 0.4, bump=0.04)
    joinery.wall_with_hole("wall", (-3.2, 3.4), (0, 2.8), HOLE, lime, 0.28)
    forms.bar("wall", (0.2, 5.4, 2.8), (2.5, -2.6, 1.4), lime, 0)
    side = (-2.86, -1.11, 0.5, 2.36)
    joinery.wall_with_hole("wall", (-5.2, 0.1), (0, 2.8), side, lime, 0.22, "y", -2.65, -1)
    joinery.window_frame("window", side, white, "y", -2.74, (3, 4), 0.055)
    forms.bar("ceiling", (6.6, 5.6, 0.1), (0, -2.6, 2.75), white, 0)
    joinery.window_frame("window", HOLE, white, at=0.15, panes=(2, 4), bar_size=0.03)
    cx, wide = (HOLE[0] + HOLE[1]) / 2, HOLE[1] - HOLE[0]
    forms.bar("sill", (wide + 0.14, 0.22, 0.035), (cx, 0.045, HOLE[2] - 0.012), white, 0.006)
    for side in (-1, 1):
        forms.bar(
            "casing",
            (0.085, 0.024, HOLE[3] - HOLE[2]),
            (cx + side * (wide / 2 + 0.042), -0.012, (HOLE[2] + HOLE[3]) / 2),
            white,
            0.004,
        )
    forms.bar("casing", (wide + 0.17, 0.026, 0.095), (cx, -0.013, HOLE[3] + 0.047), white, 0.004)
    for x0, x1 in ((-2.66, 2.42),):
        forms.bar("skirting", (x1 - x0, 0.022, 0.14), ((x0 + x1) / 2, -0.011, 0.07), white, 0.005)
    oak = surfaces.boards(
        "oak", (0.21, 0.125, 0.062), (0.46, 0.31, 0.185), 0, 0.38, 0.35, uv=True, coat=0.15
    )
    forms.bar(
        "ground", (7, 6, 0.1), (0, -2.6, -0.062), surfaces.plain("gap", (0.03, 0.02, 0.012), 0.9), 0
    )
    floors.slabs(
        "floor",
        floors.plank_floor(-2.8, 2.6, -4.2, 0.02, 0.145, 0.0014, 4),
        oak,
        0.0012,
        0.01,
        0.0007,
        5,
        (0, 0, -0.01),
    )


def curtains():
    """Linen curtains at both sides of the window on an iron rod with rings."""
    linen = surfaces.cloth(
        "curtain", (0.66, 0.61, 0.52), 520, True, 0.15, 0.95, 0.35, see_through=0.6
    )
    iron = surfaces.plain("iron", (0.035, 0.032, 0.03), 0.45, Metallic=0.6)
    z = 2.56
    forms.tube("rod", [(-2.2, -0.10, z), (0.38, -0.10, z)], 0.011, iron, smooth=False)
    forms.lathe(
        "finial",
        forms.points("0 -.03; .018 -.02; .022 0; .014 .02; .011 .024"),
        iron,
        (0.40, -0.10, z),
        32,
        4,
    ).rotation_euler = (0, -math.pi / 2, 0)
    for x, wide, folds, seed in ((-2.14, 0.52, 7, 3), (-0.20, 0.50, 7, 5)):
        forms.curtain("curtain", wide, z - 0.045, linen, (x, -0.10, 0.015), folds, 0.085, seed)
        for k in range(folds):
            ring = [
                (
                    x + wide * (k + 0.25) / folds,
                    -0.10 + 0.02 * math.cos(a),
                    z - 0.009 + 0.022 * math.sin(a),
                )
                for a in np.linspace(0, 2 * math.pi, 20)[:-1]
            ]
            forms.tube("ring", ring, 0.0026, iron, smooth=False, closed=True)


def pillow(root):
    """The object: a scatter cushion that leans in the corner of the chair; returns its parts."""
    ochre = surfaces.cloth("ochre linen", (0.50, 0.27, 0.06), 430, True, 0.25, 0.9, 0.35)
    body = forms.cushion("cushion", 0.45, 0.45, 0.185, ochre, 11, ochre, 64, 0.8)
    body.parent = root
    body.location = (-0.05, -0.012, 0.684)
    body.rotation_euler = (math.radians(66), math.radians(6), math.radians(9))
    return [body, *body.children]


def lamp(at):
    """A reading lamp: a slim black stand and a pleated shade."""
    black = surfaces.plain("black", (0.025, 0.024, 0.023), 0.4, Metallic=0.5)
    shade = surfaces.cloth("shade", (0.70, 0.65, 0.55), 600, False, 0.1, 0.9, 0.2, see_through=0.25)
    x, y, _ = at
    forms.lathe(
        "foot",
        forms.points("0 0; .14 0; .145 .004; .142 .014; .02 .02; .01 .03; 0 .03"),
        black,
        at,
        96,
        2,
    )
    forms.tube("stand", [(x, y, 0.02), (x, y, 1.50)], 0.009, black, smooth=False)
    rings, around, vertices = 20, 240, []
    for j in range(rings + 1):
        t = j / rings
        for k in range(around):
            a = 2 * math.pi * k / around
            r = 0.205 - 0.075 * t + 0.0035 * math.cos(a * 60)
            vertices.append((r * math.cos(a), r * math.sin(a), 1.36 + 0.26 * t))
    forms.mesh("lampshade", vertices, forms.grid_faces(rings + 1, around, True), shade, at)
    for r, z in ((0.205, 1.36), (0.130, 1.62)):
        forms.tube(
            "hem",
            [
                (x + r * math.cos(a), y + r * math.sin(a), z)
                for a in np.linspace(0, 2 * math.pi, 90)[:-1]
            ],
            0.004,
            shade,
            smooth=False,
            closed=True,
        )


def dressing():
    """Rug, plant in a basket-like pot, framed print."""
    m = studio_materials
    soft.rug(
        2.5, 1.75, (0.12, -1.35, 0.0), m.rug("#cfc3ae", "#5d6a63", pattern="diamond", size=0.11)
    )
    pot = surfaces.pottery("pot", (0.46, 0.42, 0.36), 0.7, 0.4, 0.6)
    x, y = 1.50, -0.42
    forms.lathe(
        "pot",
        forms.points(
            "0 0; .12 0; .13 .008; .165 .16; .17 .3; .174 .315; .163 .318; .155 .29; .15 .26; 0 .26"
        ),
        pot,
        (x, y, 0),
        96,
        4,
        0.003,
        3,
    )
    forms.lathe(
        "soil",
        [(0, 0.275), (0.155, 0.268)],
        surfaces.plain("soil", (0.03, 0.02, 0.012), 1.0, bump=0.9, scale=60),
        (x, y, 0),
        48,
        1,
    )
    green.fig(
        (x, y, 0.26),
        1.35,
        surfaces.leaf("fig", (0.018, 0.055, 0.012), (0.085, 0.17, 0.04), 0.3, 0.2),
        surfaces.plain("bark", (0.10, 0.07, 0.045), 0.9, bump=0.4),
        2,
        0.45,
        95,
    )
    black = surfaces.boards("frame", (0.20, 0.11, 0.05), (0.42, 0.27, 0.15), 2, 0.4)
    w, h, px, pz = 0.46, 0.62, 0.68, 1.66
    for side in (-1, 1):
        forms.bar("frame", (0.02, 0.03, h), (px + side * (w - 0.02) / 2, -0.016, pz), black, 0.002)
        forms.bar("frame", (w, 0.03, 0.02), (px, -0.016, pz + side * (h - 0.02) / 2), black, 0.002)
    forms.bar(
        "mount",
        (w - 0.02, 0.01, h - 0.02),
        (px, -0.006, pz),
        surfaces.plain("mount", (0.74, 0.71, 0.64), 0.9),
        0,
    )
    joinery.plane(
        "print", (w * 0.62, h * 0.66), (px, -0.0125, pz), m.picture("shapes", 5), (90, 0, 0)
    )


def build():
    """Build the room; the object is the cushion."""
    room()
    curtains()
    root = chair((0.42, -1.12, 0.012), -30)
    parts = pillow(root)
    table((-0.52, -1.02, 0.012))
    lamp((1.13, -0.36, 0))
    dressing()
    light.garden((-0.9, 4.2, -0.6), 13, 7, 1.8)
    stage.world((0.75, 0.85, 1.0), 0.7)
    stage.sun((1.0, 0.35, -0.42), 9.0, 0.3, (1.0, 0.87, 0.70))
    stage.area((-0.92, 0.45, 1.5), (-0.5, -2.0, 0.9), (1.3, 1.8), 55, (0.90, 0.95, 1.0))
    stage.area((0.5, -4.6, 2.3), (0.2, -1, 0.6), (2.6, 1.4), 48, (1.0, 0.95, 0.88))
    stage.camera((0.08, -4.35, 1.2), (0.08, 0, 1.2), 42, (0, -0.115), 4.0, (0.3, -1.2, 0.6))
    return Built(parts, exposure=0.5)
