"""An oak shelf against striped wallpaper; a blue vase is to be taken away."""

from __future__ import annotations

from typing import Any

from benchmarks.furniture.studio import camera, green, light, materials, mesh, shapes
from benchmarks.furniture.studio.scene import About, Built

ABOUT = About(
    name="shelf",
    title="Oak shelf with books against striped wallpaper",
    task="remove",
    object="a blue glazed vase",
    simple="books on an oak shelf, striped wallpaper behind",
    detailed=(
        "the empty place between a row of cloth-bound books and a stack of bowls on an oak shelf, "
        "pale striped wallpaper behind, a hard spotlight from the upper left, interior catalogue "
        "photograph"
    ),
    negative="vase, bottle, leftover shadow, blue spot, broken stripes, text, blur",
    background="pale striped wallpaper, the spines of cloth-bound books and the oak shelf",
    hard=(
        "The vase hides fine straight stripes that must go on unbroken, throws a hard shadow "
        "over them on to the shelf's upright, and changes the light of its whole compartment."
    ),
    light="hard",
    camera="58 mm, level, eye height 1.3 m, f/8",
    seed=12,
    samples=16,
)
BOARDS = (0.42, 0.80, 1.16, 1.52, 1.88)
WIDE, DEEP, BACK = 1.7, 0.30, 3.0
CLOTH = ["#7d8c86", "#c9b79c", "#3d4a52", "#a0553c", "#e0d6c3", "#55624f", "#8a6f54", "#2f3a44"]


def _unit() -> None:
    oak = materials.wood("#c59c6b", "#8f663f", along="x", coat=0.25, rough=0.35)
    upright = materials.wood("#c59c6b", "#8f663f", along="z", coat=0.25, rough=0.35)
    for z in BOARDS:
        shapes.box((WIDE, DEEP, 0.026), (0, BACK - 0.02 - DEEP / 2, z), oak, bevel=0.003)
    for x in (-WIDE / 2 - 0.014, 0.0, WIDE / 2 + 0.014):
        for low, high in zip((0.0, *BOARDS), BOARDS, strict=False):
            if x == 0.0 and low not in (0.0, 0.42, 1.16):
                continue
            shapes.box(
                (0.026, DEEP, high - low - 0.026),
                (x, BACK - 0.02 - DEEP / 2, (high + low) / 2),
                upright,
                bevel=0.003,
            )
        if x:
            for z in BOARDS:
                shapes.box(
                    (0.026, DEEP, 0.027), (x, BACK - 0.02 - DEEP / 2, z), upright, bevel=0.003
                )


def _row(left: float, z: float, count: int, seed: int, tall: float = 0.24) -> float:
    """A row of books on the board at `z`; returns where it ends."""
    import numpy as np

    chance = np.random.default_rng(seed)
    sizes = [
        (chance.uniform(0.018, 0.044), chance.uniform(0.15, 0.19), tall * chance.uniform(0.78, 1.0))
        for _ in range(count)
    ]
    colours = [CLOTH[i] for i in chance.permutation(len(CLOTH))]
    shapes.books(sizes, (left, BACK - 0.2, z + 0.0135), colours, seed=seed)
    return left + sum(s[0] + 0.0008 for s in sizes)


def _things() -> None:
    cream = materials.ceramic("#ece4d4", speckle=0.8, matt=True)
    moss, sand = materials.ceramic("#6d7a64"), materials.ceramic("#cdb697", matt=True)
    y = BACK - 0.17
    end = _row(-0.80, BOARDS[3], 9, 3)
    shapes.books(
        [(0.03, 0.17, 0.24), (0.024, 0.16, 0.22), (0.036, 0.15, 0.2)],
        (end + 0.16, y, BOARDS[3] + 0.013),
        CLOTH[2:],
        lying=True,
        seed=6,
    )
    shapes.lathe(
        [(1e-4, 0), (0.03, 0), (0.034, 0.004), (0.06, 0.045), (0.064, 0.07)],
        (end + 0.16, y, BOARDS[3] + 0.104),
        cream,
        wall=0.004,
    )
    shapes.frame(
        0.25,
        0.3,
        (0.31, BACK - 0.06, BOARDS[3] + 0.163),
        materials.wood("#4a3524", "#2b1d12", along="z"),
        materials.picture("brush", 3, ("#efe8da", "#7c8b90", "#33424a", "#b88a5c")),
        materials.paper(),
        passe=0.035,
        border=0.016,
        turn=(-6, 0, 0),
    )
    pot = (0.66, y, BOARDS[3] + 0.013)
    green.pot(0.07, 0.12, pot, materials.ceramic("#d9cdbb", matt=True))
    green.trailing(
        (pot[0], pot[1], pot[2] + 0.115),
        materials.leaf("#3f7040", "#86a860"),
        materials.wood("#6a7a45", "#4f5c33"),
        strands=11,
        drop=0.46,
        leaf=0.05,
        seed=3,
    )
    # The shelf of the vase: books on its left, bowls on its right.
    _row(-0.80, BOARDS[2], 14, 14, 0.25)
    for number, (radius, tone) in enumerate(((0.085, sand), (0.08, cream), (0.076, moss))):
        shapes.lathe(
            [(1e-4, 0), (0.035, 0), (0.04, 0.008), (radius * 0.86, 0.03), (radius, 0.058)],
            (0.34, y, BOARDS[2] + 0.0135 + number * 0.022),
            tone,
            wall=0.004,
        )
    brass = materials.metal("#b98f52", 0.22)
    shapes.lathe(
        [
            (1e-4, 0),
            (0.042, 0),
            (0.045, 0.004),
            (0.012, 0.018),
            (0.008, 0.05),
            (0.011, 0.07),
            (0.008, 0.1),
            (0.015, 0.135),
            (0.017, 0.14),
        ],
        (0.56, y, BOARDS[2] + 0.013),
        brass,
        wall=0.003,
    )
    wax = materials.paint("#efe9dc", 0.4)
    shapes.cylinder(0.0105, 0.12, (0.56, y, BOARDS[2] + 0.15), wax)
    shapes.lathe(
        [
            (1e-4, 0),
            (0.042, 0),
            (0.045, 0.004),
            (0.012, 0.018),
            (0.008, 0.04),
            (0.011, 0.05),
            (0.015, 0.08),
            (0.017, 0.085),
        ],
        (0.68, y - 0.04, BOARDS[2] + 0.013),
        brass,
        wall=0.003,
    )
    shapes.cylinder(0.0105, 0.1, (0.68, y - 0.04, BOARDS[2] + 0.093), wax)
    # Lower shelves.
    _row(0.28, BOARDS[1], 12, 24, 0.26)
    for x in (-0.62, -0.24):
        _basket((x, y, BOARDS[1] + 0.013))
    _row(-0.8, BOARDS[0], 13, 31, 0.28)
    shapes.books(
        [(0.04, 0.2, 0.27), (0.03, 0.19, 0.26), (0.045, 0.2, 0.25)],
        (0.3, y, BOARDS[0] + 0.013),
        CLOTH[4:],
        lying=True,
        seed=9,
    )
    shapes.lathe(
        [
            (1e-4, 0),
            (0.06, 0),
            (0.065, 0.004),
            (0.1, 0.08),
            (0.085, 0.18),
            (0.05, 0.22),
            (0.055, 0.24),
        ],
        (0.62, y, BOARDS[0] + 0.013),
        sand,
        wall=0.005,
    )


def _basket(at: tuple[float, float, float]) -> list[Any]:
    """A basket of woven rush: wavy rings round upright stakes."""
    import numpy as np

    rush = materials.fabric("#b08d5c", thread=0.004, heather=0.9, kind="linen", sheen=0.0)
    parts = []
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    for ring in range(13):
        z = 0.012 + ring * 0.0165
        r = 0.135 + 0.0015 * ring + 0.004 * np.sin(16 * angles + ring * np.pi)
        squash = 0.78
        path = [
            (a, b * squash, z) for a, b in zip(r * np.cos(angles), r * np.sin(angles), strict=True)
        ]
        parts.append(shapes.tube(path, 0.0095, rush, closed=True, smooth=False))
    return mesh.group("basket", parts, at)


def build() -> Built:
    """The room, and in it what the clean picture lacks."""
    paper = materials.wallpaper("#dcdcd0", "#c6cbbd", 0.085)
    shapes.wall((-3, 3), (3, 3), 2.8, paper)
    shapes.skirting((-3, 3), (3, 3), materials.paint(), height=0.12)
    shapes.floor(6, 6, materials.board_wood(), seed=2)
    _unit()
    _things()
    glaze = materials.ceramic("#35658c", 0.12)
    vase = shapes.lathe(
        [
            (1e-4, 0),
            (0.045, 0),
            (0.05, 0.003),
            (0.086, 0.07),
            (0.092, 0.11),
            (0.07, 0.17),
            (0.034, 0.205),
            (0.03, 0.235),
            (0.042, 0.26),
            (0.044, 0.263),
        ],
        (-0.13, BACK - 0.2, BOARDS[2] + 0.0135),
        glaze,
        wall=0.004,
    )
    light.world("#e6ecf4", 0.42)
    light.spot((-1.9, 0.4, 2.75), (0.0, 2.9, 1.15), 620, angle=48, radius=0.022, colour="#ffe9cc")
    light.area((2.3, -0.6, 2.2), (0, 3, 1.2), (1.6, 1.6), 60, "#eaf1ff")
    camera.level((0.16, -0.72, 1.3), lens=58, shift=(-0.01, -0.06), focus=3.5, f_stop=8)
    return Built([vase], exposure=0.3)
