"""A glass dining table in hard morning sun; a vase of branches is to be taken away."""

from __future__ import annotations

from typing import Any

from benchmarks.furniture.studio import camera, green, light, materials, mesh, shapes, soft
from benchmarks.furniture.studio.scene import About, Built

ABOUT = About(
    name="dining-table",
    title="Glass dining table in the morning sun",
    task="remove",
    object="a white ceramic vase with olive branches",
    simple="an empty glass dining table in a sunlit room",
    detailed=(
        "the clear reflecting top of a glass dining table with nothing in its middle, cane chairs "
        "behind it, a plain limewashed wall with the low sun's window pattern, interior catalogue "
        "photograph"
    ),
    negative="vase, flowers, branches, ghost reflection, leftover shadow, text, blur",
    background="a clear glass table top reflecting the wall, cane chairs and a limewashed wall",
    hard=(
        "The vase stands on glass: it is seen once upright and once mirrored, and thin leaves "
        "throw a hard shadow far off on the wall. All of it must go."
    ),
    light="hard",
    camera="42 mm, level, eye height 1.3 m, f/8",
    seed=13,
    samples=16,
)


def _chair(at: tuple[float, float, float], turn: float) -> list[Any]:
    """A bentwood chair with a cane back and an upholstered seat, facing +y before it turns."""
    oak = materials.wood("#a8794c", "#6f4a2b", along="z", coat=0.2)
    cloth = materials.fabric("#d8cfbf", thread=0.005, kind="boucle", heather=0.4)
    parts: list[Any] = []
    for side in (-1, 1):
        parts.append(
            shapes.rod((side * 0.2, 0.19, 0.44), (side * 0.215, 0.21, 0), 0.017, oak, 0.012)
        )
        parts.append(
            shapes.tube(
                [
                    (side * 0.215, -0.25, 0.0),
                    (side * 0.2, -0.2, 0.44),
                    (side * 0.2, -0.235, 0.66),
                    (side * 0.195, -0.27, 0.8),
                ],
                0.015,
                oak,
            )
        )
    parts.append(shapes.box((0.42, 0.42, 0.035), (0, 0, 0.435), oak, bevel=0.012))
    parts += soft.cushion(
        (0.43, 0.43, 0.055),
        (0, 0, 0.475),
        cloth,
        puff=0.014,
        radius=0.024,
        wrinkle=0.002,
        piping=0.003,
        cells=16,
    )
    for z in (0.555, 0.805):
        parts.append(
            shapes.tube(
                [
                    (-0.2, -0.222 - (z - 0.55) * 0.17, z),
                    (0, -0.262 - (z - 0.55) * 0.17, z),
                    (0.2, -0.222 - (z - 0.55) * 0.17, z),
                ],
                0.0145,
                oak,
            )
        )
    import numpy as np

    cane = materials.cane("#d3ad79", 0.0135)
    x, z = (
        g.ravel() for g in np.meshgrid(np.linspace(-0.195, 0.195, 13), np.linspace(0.555, 0.805, 7))
    )
    y = -0.222 - (z - 0.55) * 0.17 - 0.04 * (1 - (x / 0.2) ** 2)
    parts.append(mesh.add("cane", np.stack([x, y, z], axis=1), mesh.grid_faces(7, 13), cane))
    return mesh.group("chair", parts, at, (0, 0, turn))


def _table(x: float, y: float) -> None:
    top = materials.glass("#e9f4ef", ior=1.5)
    walnut = materials.wood("#80573a", "#4c301d", along="z", coat=0.3)
    rail = materials.wood("#80573a", "#4c301d", along="x", coat=0.3)
    shapes.box((1.9, 0.95, 0.014), (x, y, 0.743), top, bevel=0.004)
    for side in (-1, 1):
        for deep in (-1, 1):
            shapes.rod(
                (x + side * 0.62, y + deep * 0.1, 0.7),
                (x + side * 0.72, y + deep * 0.33, 0),
                0.03,
                walnut,
                0.022,
            )
        shapes.box((0.055, 0.62, 0.045), (x + side * 0.62, y, 0.71), rail, bevel=0.01)
    shapes.box((1.3, 0.05, 0.045), (x, y, 0.69), rail, bevel=0.01)
    steel = materials.metal("#c8c8c6", 0.2)
    for side in (-1, 1):
        for deep in (-1, 1):
            shapes.cylinder(0.02, 0.004, (x + side * 0.62, y + deep * 0.26, 0.7325), steel)


def _pendant(x: float, y: float) -> None:
    white = materials.ceramic("#eee8dc", 0.35)
    black = materials.black_metal()
    shapes.lathe(
        [(0.24, 0), (0.242, 0.004), (0.2, 0.1), (0.09, 0.18), (0.03, 0.2), (0.026, 0.26)],
        (x, y, 1.62),
        white,
        wall=0.004,
    )
    shapes.rod((x, y, 1.86), (x, y, 2.8), 0.0035, black)
    shapes.cylinder(0.032, 0.05, (x, y, 1.87), black)
    shapes.lathe(
        [(1e-4, -0.05), (0.035, -0.04), (0.05, 0), (0.035, 0.045), (0.016, 0.07)],
        (x, y, 1.7),
        materials.light("#fff0d8", 1.2),
    )


def build() -> Built:
    """The room, and in it what the clean picture lacks."""
    x, y = 0.1, 1.7
    wall = materials.plaster("#d7cdbd", 1.4)
    white = materials.paint("#f2efe9")
    shapes.wall((-3.4, 3.3), (3.4, 3.3), 2.9, wall)
    shapes.skirting((-3.4, 3.3), (3.4, 3.3), white, height=0.12)
    # The sun comes through two tall windows in the left wall.
    shapes.wall(
        (-2.9, -3.5),
        (-2.9, 3.3),
        2.9,
        materials.plaster("#e5ded2"),
        [(1.5, 2.6, 0.45, 2.8), (3.0, 4.1, 0.45, 2.8)],
    )
    for at in (-1.45, 0.05):
        shapes.window(1.1, 2.35, (-3.0, at, 1.625), white, columns=2, rows=3, turn=(0, 0, 90))
    shapes.box((7, 7, 0.1), (0, 0.2, 2.95), materials.plaster("#f4f1ec"), bevel=0)
    shapes.floor(
        7.4,
        7.4,
        materials.board_wood("#b98d61", "#845b38"),
        plank=0.09,
        length=0.54,
        pattern="herringbone",
        seed=5,
    )
    shapes.skirting((-2.9, -3.5), (-2.9, 3.3), white, height=0.12)
    _table(x, y)
    for dx, dy, turn in (
        (-0.48, 0.66, 176),
        (0.42, 0.68, 185),
        (-0.52, -0.62, 6),
        (0.45, -0.6, -5),
    ):
        _chair((x + dx, y + dy, 0), turn)
    _pendant(x - 0.02, y)
    oak = materials.wood("#3a2b20", "#241811", along="z")
    shapes.frame(
        0.9,
        0.68,
        (x + 0.95, 3.285, 1.62),
        oak,
        materials.picture("brush", 5, ("#ece3d3", "#b8764f", "#8a9a86", "#33424a")),
        materials.paper(),
        passe=0.09,
    )
    linen = materials.fabric("#c8b394", thread=0.004, kind="linen")
    bowl = materials.ceramic("#59665a", 0.3)
    shapes.lathe(
        [(1e-4, 0), (0.06, 0), (0.065, 0.006), (0.13, 0.05), (0.145, 0.078)],
        (x + 0.5, y + 0.05, 0.75),
        bowl,
        wall=0.005,
    )
    for number, (dx, dy, dz) in enumerate(
        ((-0.045, 0, 0.05), (0.04, 0.03, 0.05), (0.02, -0.05, 0.05), (0.0, 0.0, 0.1))
    ):
        pear = materials.paint(("#c9a64a", "#b9a04e", "#a9a253", "#c4984a")[number], 0.45)
        shapes.lathe(
            [
                (1e-4, -0.036),
                (0.022, -0.033),
                (0.036, -0.005),
                (0.03, 0.022),
                (0.017, 0.042),
                (0.012, 0.052),
                (1e-4, 0.056),
            ],
            (x + 0.5 + dx, y + 0.05 + dy, 0.77 + dz),
            pear,
            sides=32,
            turn=(25 * number, 30 - 20 * number, 0),
        )
    for dx in (-0.48, 0.42):
        soft.rug(0.44, 0.31, (x + dx - 0.02, y - 0.28, 0.7505), linen, thickness=0.003, seed=3)
        shapes.lathe(
            [(1e-4, 0), (0.08, 0), (0.085, 0.003), (0.13, 0.012), (0.135, 0.018)],
            (x + dx - 0.02, y - 0.28, 0.754),
            materials.ceramic("#efe9dd", speckle=0.6),
            wall=0.003,
        )
    base = (x - 0.12, y + 0.08, 0.7505)
    vase = [
        shapes.lathe(
            [
                (1e-4, 0),
                (0.055, 0),
                (0.06, 0.004),
                (0.1, 0.09),
                (0.1, 0.15),
                (0.06, 0.22),
                (0.04, 0.25),
                (0.048, 0.275),
                (0.05, 0.278),
            ],
            base,
            materials.ceramic("#f0ebe1", speckle=0.4, matt=True),
            wall=0.005,
        )
    ]
    vase += green.branches(
        (base[0], base[1], base[2] + 0.2),
        materials.leaf("#56714a", "#93a878", 0.45),
        materials.wood("#6d5a40", "#4a3b29", along="z"),
        stems=8,
        height=0.52,
        spread=0.34,
        leaf=0.075,
        per_stem=26,
        seed=8,
    )
    light.sun_and_sky(15, -140, sun=9.0, sky=0.11, angle=0.45)
    light.area((1.6, -2.4, 2.4), (0, 2, 0.8), (2.4, 1.6), 60, "#eef3ff")
    light.portal(1.0, 1.9, (-2.8, 0.05, 1.5), (0, 1.8, 0.9), 40)
    camera.level((0.16, -1.75, 1.3), lens=42, shift=(0, -0.09), focus=3.4, f_stop=8)
    return Built(vase, exposure=0.15)
