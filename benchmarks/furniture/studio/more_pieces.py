"""Pieces for a living room: an upholstered chair, a throw, a side table, lamps, a sideboard."""

import math
import random

import bpy

from benchmarks.furniture.studio import more_forms as forms
from benchmarks.furniture.studio import more_joinery as joinery
from benchmarks.furniture.studio import more_surfaces as surfaces
from benchmarks.furniture.studio.more_weaves import webbing


def chair(at, turn):
    """The armchair in looped wool on turned oak legs; returns its root."""
    wool = surfaces.boucle("wool", (0.60, 0.555, 0.475), 150)
    wood = surfaces.boards("leg", (0.085, 0.042, 0.02), (0.24, 0.13, 0.065), 2, 0.4, coat=0.2)
    root = bpy.data.objects.new("armchair", None)
    bpy.context.scene.collection.objects.link(root)
    blocks = [
        ((0.70, 0.70, 0.16), 0.055, (0, 0, 0.245), (0, 0.01, 0.0), 1, (0, 0, 0)),
        ((0.535, 0.64, 0.155), 0.062, (0, -0.045, 0.392), (0.0, 0.015, 0.032), 2, (1.5, 0, 0)),
        ((0.155, 0.76, 0.40), 0.074, (-0.342, -0.015, 0.405), (0.012, 0.01, 0.012), 3, (0, 0, 0)),
        ((0.155, 0.76, 0.40), 0.074, (0.342, -0.015, 0.405), (0.012, 0.01, 0.012), 4, (0, 0, 0)),
        ((0.80, 0.19, 0.60), 0.088, (0, 0.325, 0.545), (0.015, 0.02, 0.018), 5, (-11, 0, 0)),
        ((0.535, 0.175, 0.42), 0.08, (0, 0.185, 0.655), (0.0, 0.042, 0.012), 6, (-14, 0, 0)),
    ]
    for size, radius, place, crown, seed, lean in blocks:
        part = joinery.upholstered("block", size, radius, wool, place, crown, seed, 30, 0.006, lean)
        part.parent = root
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y = sx * 0.30, sy * 0.28
            leg = forms.tube(
                "leg",
                [
                    (x, y, 0.19),
                    (x + sx * 0.012, y + sy * 0.015, 0.10),
                    (x + sx * 0.024, y + sy * 0.03, 0.002),
                ],
                [0.024, 0.021, 0.0135],
                wood,
            )
            leg.parent = root
    throw(root)
    root.location = at
    root.rotation_euler = (0, 0, math.radians(turn))
    return root


def throw(root):
    """A woollen throw with stripes and a fringe over the chair's left arm."""
    wool = surfaces.cloth(
        "throw", (0.50, 0.46, 0.39), 260, True, 0.4, 1.0, 0.35, (0.07, 0.28, 1), (0.13, 0.16, 0.15)
    )
    path = forms.points(
        "-.135 .13; -.118 .28; -.104 .42; -.098 .53; -.075 .597; -.012 .632; "
        ".052 .612; .088 .55; .104 .495; .16 .484; .24 .487"
    )
    cloth = forms.draped("throw", path, 0.40, wool, (0.342, -0.08, 0), 5, 0.006, 0.012)
    cloth.rotation_euler = (0, 0, math.radians(-90))
    # The path's y becomes x after the turn; mirrored, so that the long end hangs outside.
    cloth.scale = (1, -1, 1)
    cloth.parent = root
    rng = random.Random(2)
    for k in range(46):
        y = -0.08 + 0.40 * 0.90 * (k / 45 - 0.5)
        x = 0.342 + 0.139 + rng.uniform(-0.002, 0.005)
        drop = rng.uniform(0.05, 0.07)
        strand = forms.tube(
            "fringe",
            [
                (x, y, 0.135),
                (
                    x + rng.uniform(-0.003, 0.006),
                    y + rng.uniform(-0.004, 0.004),
                    0.135 - drop * 0.5,
                ),
                (x + rng.uniform(-0.006, 0.01), y + rng.uniform(-0.007, 0.007), 0.135 - drop),
            ],
            [0.0022, 0.0022, 0.0014],
            wool,
        )
        strand.data.bevel_resolution = 1
        strand.parent = root


def table(at):
    """A round side table with a book, a cup and reading glasses."""
    wood = surfaces.boards("table", (0.085, 0.042, 0.02), (0.25, 0.14, 0.07), 0, 0.32, coat=0.35)
    upright = surfaces.boards(
        "table leg", (0.085, 0.042, 0.02), (0.23, 0.125, 0.06), 2, 0.4, coat=0.2
    )
    x, y, _ = at
    high = 0.50
    forms.lathe(
        "top",
        [
            (0, high - 0.022),
            (0.20, high - 0.022),
            (0.208, high - 0.018),
            (0.215, high - 0.007),
            (0.213, high),
            (0.205, high + 0.001),
            (0, high + 0.001),
        ],
        wood,
        at,
        96,
        1,
    )
    for k in range(3):
        a = k * 2 * math.pi / 3 + 0.4
        forms.tube(
            "leg",
            [
                (x + 0.10 * math.cos(a), y + 0.10 * math.sin(a), high - 0.02),
                (x + 0.185 * math.cos(a), y + 0.185 * math.sin(a), 0.004),
            ],
            [0.016, 0.010],
            upright,
            smooth=False,
        )
    paper = surfaces.plain("paper", (0.62, 0.57, 0.47), 0.9)
    joinery.books(
        "book",
        (x + 0.03, y + 0.03, high + 0.002),
        [(0.225, 0.155, 0.026), (0.20, 0.14, 0.018)],
        [(0.085, 0.13, 0.15), (0.45, 0.17, 0.09)],
        paper,
        lambda c: surfaces.cloth("cover", c, 900, False, 0.05, 0.75, 0.1),
        seed=4,
    )
    cup = forms.points(
        "0 0; .024 0; .028 .004; .038 .035; .04 .072; .0385 .073; .036 .036; .022 .008; 0 .007"
    )
    white = surfaces.pottery("cup", (0.66, 0.63, 0.57), 0.3, 0.35)
    cx, cy = x - 0.115, y - 0.085
    forms.lathe("cup", cup, white, (cx, cy, high + 0.001), 64, 5, 0.0006)
    forms.lathe(
        "tea",
        [(0, 0.055), (0.0375, 0.055)],
        surfaces.plain("tea", (0.12, 0.035, 0.008), 0.05),
        (cx, cy, high + 0.001),
        48,
        1,
    )
    forms.tube(
        "handle",
        [
            (cx - 0.037, cy - 0.004, high + 0.058),
            (cx - 0.060, cy - 0.012, high + 0.053),
            (cx - 0.062, cy - 0.012, high + 0.032),
            (cx - 0.036, cy - 0.004, high + 0.022),
        ],
        0.0042,
        white,
    )


def frame_door(x0, x1, z0, z1, y, wood, upright):
    """A door: an oak frame and woven cane."""
    rail, thick = 0.045, 0.022
    cx, cz = (x0 + x1) / 2, (z0 + z1) / 2
    for side in (-1, 1):
        forms.bar(
            "stile",
            (rail, thick, z1 - z0),
            (cx + side * (x1 - x0 - rail) / 2, y, cz),
            upright,
            0.003,
        )
        forms.bar(
            "rail",
            (x1 - x0 - 2 * rail, thick, rail),
            (cx, y, cz + side * (z1 - z0 - rail) / 2),
            wood,
            0.003,
        )
    webbing(x0 + rail - 0.003, x1 - rail + 0.003, z0 + rail - 0.003, z1 - rail + 0.003, y)


def sideboard(top):
    """An oak sideboard with two cane doors in frames, on slim legs."""
    wood = surfaces.boards("oak side", (0.26, 0.155, 0.078), (0.50, 0.345, 0.205), 0, 0.4, 0.2)
    upright = surfaces.boards("oak up", (0.26, 0.155, 0.078), (0.48, 0.33, 0.195), 2, 0.42)
    cane = surfaces.plain("cane back", (0.05, 0.035, 0.02), 0.9)
    brass = surfaces.metal("brass", (0.70, 0.49, 0.23), 0.22)
    wide, deep = 1.60, 0.44
    y = -0.02 - deep / 2
    forms.bar("top", (wide, deep, 0.028), (0, y, top - 0.014), wood, 0.005)
    forms.bar("bottom", (wide, deep, 0.024), (0, y, 0.24), wood, 0.004)
    for x in (-wide / 2 + 0.0125, wide / 2 - 0.0125):
        forms.bar(
            "side", (0.025, deep, top - 0.256), (x, y, (top - 0.028 + 0.228) / 2), upright, 0.004
        )
    forms.bar("back", (wide - 0.05, 0.01, top - 0.28), (0, y + deep / 2 - 0.01, 0.51), cane, 0)
    front = y - deep / 2 + 0.012
    low, high = 0.255, top - 0.031
    door = (wide - 0.056) / 3
    for k in range(3):
        x0 = -wide / 2 + 0.028 + k * door
        frame_door(x0 + 0.0015, x0 + door - 0.0015, low, high, front, wood, upright)
        pull_x = x0 + (door - 0.028 if k != 2 else 0.028)
        pull = forms.lathe(
            "pull",
            forms.points("0 .022; .009 .021; .0115 .016; .007 .01; .005 .003; .009 0"),
            brass,
            (pull_x, front - 0.011, 0.53),
            32,
            4,
        )
        pull.rotation_euler = (math.pi / 2, 0, 0)
    for x in (-wide / 2 + 0.06, wide / 2 - 0.06):
        for dy in (-deep / 2 + 0.05, deep / 2 - 0.05):
            forms.tube(
                "leg",
                [(x, y + dy, 0.23), (x + math.copysign(0.02, x), y + dy * 1.05, 0.0)],
                [0.021, 0.013],
                upright,
                smooth=False,
            )
