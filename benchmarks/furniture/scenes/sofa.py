"""A linen sofa by a curtained window; a knitted cushion is to be added."""

from __future__ import annotations

from benchmarks.furniture.studio import camera, green, light, materials, shapes, soft
from benchmarks.furniture.studio.scene import About, Built

ABOUT = About(
    name="sofa",
    title="Linen sofa with a herringbone rug",
    task="add",
    object="a terracotta knitted cushion",
    simple="a terracotta knitted cushion on a sofa",
    detailed=(
        "a plump square throw cushion in terracotta cable-knit wool, leaning against the back of "
        "a beige linen sofa, soft daylight from the left, gentle contact shadow, interior "
        "catalogue photograph"
    ),
    negative="text, logo, floating object, missing shadow, plastic, blurry, extra furniture",
    background="the empty linen seat and back cushions of a beige sofa",
    hard=(
        "The cushion stands across the seam of two back cushions, sinks into a soft seat and "
        "casts a wide, weak shadow on woven linen whose texture must go on."
    ),
    light="soft",
    camera="40 mm, level, eye height 1.2 m, f/5.6",
    seed=11,
    samples=28,
)


def _room() -> None:
    wall = materials.plaster("#d9d1c4")
    white = materials.paint("#f2efe9")
    shapes.wall((-3.2, 3), (3.2, 3), 2.8, wall, [(0.75, 2.0, 0.55, 2.45)])
    shapes.wall((3.2, 3), (3.2, -2), 2.8, wall)
    shapes.box((6.4, 5.4, 0.1), (0, 0.5, 2.85), materials.plaster("#f4f1ec"), bevel=0)
    shapes.skirting((-3.2, 3), (3.2, 3), white, height=0.12)
    shapes.floor(7, 7, materials.board_wood("#c9a57c", "#9a7249"), plank=0.15, length=1.5, seed=4)
    shapes.window(1.25, 1.9, (-1.825, 3.12, 1.5), white, materials.pane(), columns=2, rows=2)
    light.garden((-2.2, 7.5, -0.6), 9, 5, strength=2.2)
    sheer = materials.sheer("#f6f1e8", clear=0.3)
    soft.curtain(0.62, 2.56, (-2.36, 2.86, 0.02), sheer, folds=8, depth=0.05, seed=2)
    soft.curtain(0.46, 2.56, (-1.24, 2.86, 0.02), sheer, folds=6, depth=0.05, seed=5)
    brass = materials.metal("#b8935a", 0.3)
    shapes.rod((-2.75, 2.86, 2.6), (-0.95, 2.86, 2.6), 0.011, brass)
    for x in (-2.77, -0.93):
        shapes.lathe([(1e-4, -0.02), (0.02, 0), (1e-4, 0.02)], (x, 2.86, 2.6), brass)


def _sofa(x: float, y: float) -> None:
    linen = materials.fabric("#c9bca8", thread=0.005, kind="linen", heather=0.75)
    oak = materials.wood("#a97c50", "#74502f", along="z")
    soft.cushion(
        (2.16, 0.86, 0.16),
        (x, y, 0.24),
        linen,
        puff=0.0,
        radius=0.035,
        wrinkle=0.003,
        piping=0,
        seed=1,
    )
    soft.cushion(
        (2.2, 0.22, 0.66),
        (x, y + 0.36, 0.5),
        linen,
        puff=0.015,
        radius=0.07,
        wrinkle=0.004,
        piping=0,
        seed=2,
    )
    for side in (-1, 1):
        soft.cushion(
            (0.21, 0.92, 0.46),
            (x + side * 1.0, y, 0.39),
            linen,
            puff=0.03,
            radius=0.075,
            wrinkle=0.004,
            piping=0.004,
            seed=4 + side,
        )
        for dy in (-0.38, 0.4):
            shapes.rod(
                (x + side * 1.0, y + dy, 0.17), (x + side * 1.03, y + dy, 0.0), 0.024, oak, 0.016
            )
    for number in (-1, 0, 1):
        soft.cushion(
            (0.592, 0.72, 0.17),
            (x + number * 0.594, y - 0.09, 0.405),
            linen,
            puff=0.035,
            radius=0.055,
            wrinkle=0.007,
            sag=0.014,
            seed=11 + number,
        )
        soft.cushion(
            (0.588, 0.46, 0.17),
            (x + number * 0.594, y + 0.205, 0.69),
            linen,
            puff=0.055,
            radius=0.065,
            wrinkle=0.012,
            seed=21 + number,
            turn=(76 + number, 0, number * 1.5),
        )
    blue = materials.fabric("#7c8b90", thread=0.006, kind="linen", heather=0.6)
    white = materials.fabric("#e6dfd2", thread=0.009, kind="boucle", heather=0.3)
    soft.pillow(
        (0.52, 0.52),
        0.19,
        (x - 0.72, y + 0.03, 0.73),
        blue,
        turn=(68, -4, 14),
        seed=3,
        chop=0.05,
        piping=blue,
    )
    soft.pillow(
        (0.44, 0.44), 0.18, (x - 0.44, y - 0.09, 0.685), white, turn=(64, 5, 4), seed=7, chop=0.03
    )


def _throw(x: float, y: float) -> None:
    wool = materials.fabric(
        "#e3d8c4", "#9aa08f", thread=0.007, kind="weave", stripes=("y", 0.16, 0.3)
    )
    soft.drape(
        [(0.42, 0.505), (0.13, 0.52), (0.108, 0.63), (-0.1, 0.645), (-0.125, 0.58), (-0.135, 0.2)],
        0.5,
        (x + 1.0, y - 0.12, 0.012),
        wool,
        wrinkle=0.007,
        folds=0.016,
        fold_width=0.17,
        turn=(0, 0, 90),
        taper=lambda u: 0.03 * u,
        seed=4,
    )


def _table(x: float, y: float) -> None:
    marble = materials.marble("#e9e5de", "#8b8379", 1.4)
    black = materials.black_metal()
    shapes.cylinder(0.43, 0.03, (x, y, 0.35), marble, bevel=0.006, sides=96)
    shapes.cylinder(0.25, 0.012, (x, y, 0.012), black)
    shapes.cylinder(0.035, 0.33, (x, y, 0.02), black)
    shapes.books(
        [(0.035, 0.22, 0.29), (0.028, 0.2, 0.26)],
        (x - 0.14, y + 0.03, 0.38),
        ["#33424a", "#c7a27c"],
        lying=True,
        seed=5,
    )
    shapes.lathe(
        [(1e-4, 0), (0.05, 0), (0.06, 0.006), (0.092, 0.05), (0.1, 0.072), (0.1, 0.075)],
        (x - 0.14, y + 0.03, 0.446),
        materials.ceramic("#5f6f68", 0.3),
        wall=0.005,
    )
    shapes.lathe(
        [
            (1e-4, 0),
            (0.05, 0),
            (0.05, 0.002),
            (0.075, 0.06),
            (0.07, 0.12),
            (0.032, 0.17),
            (0.03, 0.2),
            (0.038, 0.215),
        ],
        (x + 0.17, y + 0.08, 0.38),
        materials.ceramic("#efe9dd", speckle=0.9, matt=True),
        wall=0.004,
    )
    stems = materials.wood("#6d5a40", "#4a3b29", along="z")
    green.branches(
        (x + 0.17, y + 0.08, 0.5),
        materials.leaf("#6f8768", "#a3b394", 0.5),
        stems,
        stems=6,
        height=0.4,
        spread=0.22,
        leaf=0.05,
        per_stem=18,
        seed=3,
    )


def _lamp(x: float, y: float) -> None:
    brass = materials.metal("#b8935a", 0.28, brushed="z")
    shapes.cylinder(0.15, 0.022, (x, y, 0.0), brass, bevel=0.006)
    shapes.rod((x, y, 0.02), (x, y, 1.46), 0.011, brass)
    shapes.lathe(
        [(0.235, 0), (0.235, 0.002), (0.185, 0.298), (0.185, 0.3)],
        (x, y, 1.38),
        materials.shade("#f1e4cb", 0.35),
        wall=0.003,
        levels=0,
    )
    light.bulb((x, y, 1.5), 9, radius=0.05)


def build() -> Built:
    """The room, and in it what the clean picture lacks."""
    x, y = 0.42, 2.2
    _room()
    _sofa(x, y)
    _throw(x, y)
    _table(x - 0.1, 1.12)
    _lamp(x + 1.48, 2.5)
    shade, cream = materials.rug("#e2d8c6", "#77726a", "herringbone", 0.075), "#e2d8c6"
    soft.rug(2.5, 1.7, (x - 0.1, 1.2, 0.001), shade, fringe=materials.fabric(cream))
    oak = materials.wood("#c09468", "#8c6340", along="z")
    paper = materials.paper()
    shapes.frame(0.62, 0.82, (x - 0.36, 2.985, 1.62), oak, materials.picture("hills", 2), paper)
    shapes.frame(
        0.62,
        0.82,
        (x + 0.4, 2.985, 1.62),
        oak,
        materials.picture("shapes", 1, ("#efe6d8", "#b9694a", "#51616a", "#c9b48f")),
        paper,
    )
    green.pot(0.17, 0.32, (-1.32, 2.42, 0), materials.ceramic("#d8d0c2", matt=True))
    green.fig(
        (-1.32, 2.42, 0.28),
        1.15,
        materials.leaf("#2f5a31", "#5d8244"),
        materials.wood("#6b5138", "#45321f", along="z"),
        seed=6,
        leaves=42,
        leaf=0.21,
    )
    knit = materials.fabric("#a8684d", thread=0.016, kind="knit", heather=0.7)
    thing = soft.pillow(
        (0.5, 0.5),
        0.2,
        (x + 0.3, y - 0.02, 0.725),
        knit,
        turn=(69, 3, -7),
        seed=9,
        chop=0.035,
        wrinkle=0.014,
    )
    light.world("#e9eff6", 0.42)
    light.portal(1.2, 1.85, (-1.82, 2.98, 1.5), (-1.5, 0, 0.9), 45)
    light.area((-2.9, -0.6, 2.1), (0.6, 2.2, 0.5), (1.8, 1.9), 105, "#f3f6ff")
    light.area((1.8, -2.2, 2.5), (0.3, 2, 0.6), (2.5, 1.6), 30, "#fff3e2")
    camera.level((0.12, -2.15, 1.2), lens=41, shift=(0, -0.085), focus=4.2, f_stop=5.6)
    return Built(thing, exposure=0.35)
