"""Hallway: a tall vase of branches on a console, in slanting sunlight on striped wallpaper."""

import numpy as np

from benchmarks.furniture.studio import more_floors as floors
from benchmarks.furniture.studio import more_forms as forms
from benchmarks.furniture.studio import more_joinery as joinery
from benchmarks.furniture.studio import more_plants as plants
from benchmarks.furniture.studio import more_stage as stage
from benchmarks.furniture.studio import more_surfaces as surfaces
from benchmarks.furniture.studio.more_hall import boots, console, peg_and_coat, runner
from benchmarks.furniture.studio.more_weaves import basket
from benchmarks.furniture.studio.scene import About, Built

ABOUT = About(
    name="hallway",
    title="Olive branches on a console",
    task="add",
    object="a stoneware vase with olive branches",
    simple="a stoneware vase with olive branches",
    detailed="a pale stoneware bottle vase with loose olive branches, standing on the left of "
    "the walnut console, lit by low sunlight from the left, its shadow falling to the"
    " right over striped wallpaper",
    negative="flowers, plastic plant, floating vase, vase without a shadow, broken stripes, text",
    background="striped wallpaper and a white dado rail above a walnut console",
    hard="Thin leaves stand before narrow wallpaper stripes, and the branches' hard shadow"
    " runs over paper, rail and console in one direction.",
    light="hard",
    camera="35 mm, level, eye height 1.22 m, f/6.3",
    seed=7,
    samples=48,
)
RAIL = 0.98  # height of the dado rail
TABLE = (-0.72, 0.62, -0.40, 0.80)  # x from, x to, front y, top z of the console


def wallpaper():
    """Paper with narrow double stripes, printed a little unevenly."""
    n = surfaces.Nodes("wallpaper")
    where = n.place()
    x = n.add("SeparateXYZ", Vector=where).outputs[0]
    share = n.math("FRACT", n.math("DIVIDE", n.math("ADD", x, 50.0), 0.084))
    broad = n.math("LESS_THAN", n.math("ABSOLUTE", n.math("SUBTRACT", share, 0.3)), 0.21)
    fine = n.math("LESS_THAN", n.math("ABSOLUTE", n.math("SUBTRACT", share, 0.75)), 0.03)
    ink = n.math("MAXIMUM", broad, fine)
    ink = n.math("MULTIPLY", ink, n.math("MULTIPLY_ADD", n.noise(where, 90, 4), 0.45, 0.68))
    colour = n.mix(ink, (0.68, 0.64, 0.55), (0.36, 0.42, 0.37))
    blot = n.math("MULTIPLY_ADD", n.noise(where, 2.0, 3), 0.12, 0.94)
    return n.done(
        Base_Color=n.mix(1.0, colour, blot, "MULTIPLY"),
        Roughness=0.8,
        Normal=n.bump(n.noise(where, 320, 3), 0.12, 0.002),
    )


def room():
    """Panelled wall with paper above it, herringbone floor, side wall with a sunny window."""
    paint = surfaces.plain("paint", (0.66, 0.64, 0.58), 0.38, bump=0.05, scale=120)
    plaster = surfaces.wall("plaster", (0.72, 0.69, 0.62))
    white = surfaces.plain("ceiling", (0.8, 0.79, 0.76), 0.9)
    forms.bar("paper", (6.4, 0.2, 3.0), (0, 0.1, 1.5), wallpaper(), 0)
    forms.bar("dado", (6.4, 0.012, RAIL), (0, -0.006, RAIL / 2), paint, 0)
    forms.bar("skirting", (6.4, 0.022, 0.15), (0, -0.018, 0.075), paint, 0.004)
    forms.bar("skirting", (6.4, 0.03, 0.03), (0, -0.02, 0.015), paint, 0.006)
    forms.bar("rail", (6.4, 0.035, 0.03), (0, -0.018, RAIL), paint, 0.008)
    forms.bar("rail", (6.4, 0.024, 0.055), (0, -0.012, RAIL - 0.035), paint, 0.005)
    width = 0.62
    for k in range(-5, 5):
        x = k * width + 0.27
        frame(x + 0.06, x + width - 0.06, 0.23, RAIL - 0.14, paint)
    forms.bar("wall", (0.2, 5.0, 3.0), (2.7, -2.3, 1.5), plaster, 0)
    forms.bar("wall", (6.4, 0.2, 3.0), (0, -4.9, 1.5), plaster, 0)
    forms.bar("ceiling", (6.4, 5.2, 0.1), (0, -2.4, 2.85), white, 0)
    hole = (-3.4, -1.0, 0.5, 2.45)
    joinery.wall_with_hole("wall", (-5.0, 0.1), (0, 3.0), hole, plaster, 0.2, "y", -2.6, -1)
    joinery.window_frame("window", hole, paint, "y", -2.68, (3, 4), 0.035)
    oak = surfaces.boards(
        "herringbone", (0.17, 0.092, 0.042), (0.40, 0.255, 0.14), 0, 0.36, 0.5, uv=True, coat=0.25
    )
    forms.bar(
        "ground", (7, 6, 0.1), (0, -2.4, -0.06), surfaces.plain("gap", (0.03, 0.02, 0.012), 0.9), 0
    )
    floors.slabs(
        "floor",
        floors.herringbone(-2.7, 2.7, -3.6, 0.0, 0.085, 0.425),
        oak,
        0.0012,
        0.009,
        0.0008,
        5,
        (0, 0, -0.009),
    )


def frame(x0, x1, z0, z1, paint):
    """A picture-frame moulding on the dado."""
    for inset, size, out in ((0.0, 0.028, 0.016), (0.028, 0.012, 0.009)):
        a, b, c, d = x0 + inset, x1 - inset, z0 + inset, z1 - inset
        for x in (a, b):
            forms.bar(
                "moulding",
                (size, out, d - c + size),
                (x, -0.012 - out / 2, (c + d) / 2),
                paint,
                0.005,
            )
        for z in (c, d):
            forms.bar(
                "moulding",
                (b - a - size * 0.2, out, size),
                ((a + b) / 2, -0.012 - out / 2, z),
                paint,
                0.005,
            )


def pictures():
    """Two framed abstract prints."""
    black = surfaces.boards("frame", (0.02, 0.012, 0.008), (0.07, 0.04, 0.025), 2, 0.4)
    mount = surfaces.plain("mount", (0.76, 0.74, 0.69), 0.9)
    for x, z, w, h, seed in ((0.26, 1.56, 0.40, 0.54, 3), (0.72, 1.50, 0.30, 0.40, 8)):
        for side in (-1, 1):
            forms.bar(
                "frame", (0.018, 0.026, h), (x + side * (w - 0.018) / 2, -0.014, z), black, 0.002
            )
            forms.bar(
                "frame", (w, 0.026, 0.018), (x, -0.014, z + side * (h - 0.018) / 2), black, 0.002
            )
        forms.bar("mount", (w - 0.02, 0.01, h - 0.02), (x, -0.006, z), mount, 0)
        forms.bar("print", (w * 0.66, 0.002, h * 0.68), (x, -0.0125, z), artwork(seed), 0)


def artwork(seed):
    """An abstract landscape in flat washes."""
    n = surfaces.Nodes("print")
    where = n.place("Object", (1, 1, 1))
    z = n.add("SeparateXYZ", Vector=where).outputs[2]
    hill = n.math(
        "MULTIPLY_ADD", n.noise(n.place("Object", (6, 1, 1.2)), 1.0 + seed * 0.3, 2), 0.22, -0.11
    )
    level = n.math("ADD", n.math("ADD", z, hill), 0.2)
    colour = n.ramp(
        n.math("MULTIPLY", level, 2.5),
        [
            (0.0, (0.10, 0.13, 0.10)),
            (0.3, (0.26, 0.29, 0.20)),
            (0.45, (0.52, 0.33, 0.17)),
            (0.58, (0.66, 0.55, 0.40)),
            (0.75, (0.72, 0.68, 0.60)),
        ],
    )
    n.tree.nodes[-1].color_ramp.interpolation = "CONSTANT"
    wash = n.math("MULTIPLY_ADD", n.noise(where, 35, 5), 0.35, 0.83)
    return n.done(Base_Color=n.mix(1.0, colour, wash, "MULTIPLY"), Roughness=0.8)


def dressing():
    """Books, a bowl for keys, a candle; a rush basket and boots below; a hat on a peg."""
    top = TABLE[3]
    paper = surfaces.plain("paper", (0.62, 0.57, 0.47), 0.9)

    def cover(colour):
        return surfaces.cloth("cover", colour, 900, False, 0.05, 0.75, 0.1)

    joinery.books(
        "books",
        (0.30, -0.21, top),
        [(0.25, 0.18, 0.028), (0.235, 0.17, 0.022), (0.21, 0.155, 0.032)],
        [(0.10, 0.13, 0.15), (0.50, 0.42, 0.31), (0.30, 0.09, 0.05)],
        paper,
        cover,
        seed=6,
    )
    brass = surfaces.metal("brass", (0.70, 0.49, 0.23), 0.2)
    forms.lathe(
        "dish",
        forms.points("0 0; .05 0; .055 .003; .085 .014; .09 .02; .086 .019; .05 .008; 0 .006"),
        brass,
        (0.02, -0.27, top),
        96,
        4,
    )
    forms.lathe(
        "candlestick",
        forms.points(
            "0 0; .042 0; .044 .004; .036 .01; .012 .018; .009 .05; .013 .07; .009 .09; "
            ".009 .14; .02 .152; .021 .156; .0125 .157; .0125 .175; .01 .176; 0 .176"
        ),
        brass,
        (0.50, -0.16, top),
        64,
        4,
    )
    forms.lathe(
        "candle",
        forms.points("0 .17; .0105 .17; .0103 .36; .009 .368; 0 .366"),
        surfaces.plain("wax", (0.70, 0.64, 0.52), 0.45, Subsurface_Weight=0.3),
        (0.50, -0.16, top),
        40,
        3,
    )
    basket((-0.40, -0.215, 0.21), 0.40, 0.27, 0.24)
    boots((0.29, -0.24, 0.21))
    peg_and_coat()


def vase(at):
    """The object: a stoneware bottle vase with olive branches; returns its parts."""
    clay = surfaces.pottery("stoneware", (0.56, 0.52, 0.45), 0.55, 0.55, 0.6)
    line = forms.points(
        "0 0; .055 0; .06 .004; .088 .05; .1 .105; .09 .165; .058 .215; .034 .25; "
        ".029 .285; .034 .312; .033 .315; .028 .305; .024 .28; .02 .2"
    )
    body = forms.lathe("vase", line, clay, at, 96, 6, 0.0015, 4)
    bark = surfaces.plain("bark", (0.085, 0.06, 0.038), 0.85, bump=0.4)
    green = surfaces.leaf("olive leaf", (0.055, 0.075, 0.045), (0.20, 0.24, 0.16), 0.5, 0.2)
    parts = [body]
    mouth = (at[0], at[1], at[2] + 0.26)
    ways = forms.points(
        "-.55 -.1 1 .6; .1 .05 1 .66; .52 -.12 .85 .58; -.18 -.28 1 .5; .3 .1 1 .52; "
        "-.75 .05 .75 .44"
    )
    for k, (x, y, z, long) in enumerate(ways):
        parts += plants.sprig(
            f"branch {k}",
            mouth,
            (x, y, z),
            long,
            bark,
            green,
            20 + k,
            "olive",
            0.062,
            0.26,
            30,
            0.0032,
            0.22,
            0.0,
            0.85,
        )
        rng = np.random.default_rng(60 + k)
        spine = plants.branch_points(
            mouth, (x, y, z), long, np.random.default_rng(20 + k), 0.22, 0.0
        )
        forks, tangents = plants.along(spine, 5, 0.35)
        for j in range(4):
            out = np.array(tangents[j]) + rng.normal(0, 0.6, 3)
            parts += plants.sprig(
                f"twig {k} {j}",
                forks[j],
                out,
                0.2,
                bark,
                green,
                100 + 10 * k + j,
                "olive",
                0.055,
                0.26,
                12,
                0.0016,
                0.2,
            )
    return parts


def build():
    """Build the hallway; the object is the vase."""
    room()
    console(TABLE)
    runner()
    pictures()
    dressing()
    parts = vase((-0.42, -0.215, TABLE[3]))
    stage.world((0.7, 0.82, 1.0), 0.8)
    stage.sun((1.0, 0.62, -0.31), 7.5, 0.8, (1.0, 0.87, 0.70))
    stage.area((-2.95, -2.2, 1.6), (0, -1.0, 1.0), (2.2, 1.9), 60, (0.90, 0.95, 1.0))
    stage.area((0.6, -4.4, 2.2), (0.2, -1, 0.8), (2.4, 1.2), 22, (1.0, 0.94, 0.86))
    stage.camera((-0.14, -3.35, 1.22), (-0.14, 0, 1.2), 35, (0, -0.095), 6.3, (-0.2, -0.2, 1.0))
    return Built(parts, exposure=0.2)
