"""An oak desk in hard afternoon sun; a thin black task lamp is to be taken away."""

from __future__ import annotations

from typing import Any

from benchmarks.furniture.studio import camera, green, light, materials, mesh, shapes, soft
from benchmarks.furniture.studio.scene import About, Built

ABOUT = About(
    name="desk",
    title="Oak desk with a task lamp in the afternoon sun",
    task="remove",
    object="a black articulated task lamp",
    simple="an oak desk against a sunlit plaster wall",
    detailed=(
        "the tidy top of an oak desk with a laptop and a pin board, a warm limewashed wall with "
        "the sun's slanting window pattern unbroken, interior catalogue photograph"
    ),
    negative="lamp, cable, thin black lines, leftover shadow, smears, text, blur",
    background="a limewashed wall with slanting sunlight, a cork board and the oak desk top",
    hard=(
        "Thin arms, springs and a cable cross a cork board and lit plaster; a sharp shadow of the "
        "whole lamp lies on the wall far from the lamp itself."
    ),
    light="hard",
    camera="45 mm, level, eye height 1.25 m, f/8",
    seed=15,
    samples=16,
)


def _desk(x: float, y: float) -> None:
    oak = materials.wood("#c79d6c", "#93683f", along="x", coat=0.2)
    front = materials.wood("#c79d6c", "#93683f", along="x", coat=0.2)
    leg = materials.wood("#c19565", "#8a603a", along="z", coat=0.2)
    shapes.boards((1.6, 0.72, 0.028), (x, y, 0.736), oak, count=5, bevel=0.004)
    for side in (-1, 1):
        for deep in (-0.29, 0.29):
            shapes.rod(
                (x + side * 0.7, y + deep, 0.722),
                (x + side * 0.745, y + deep * 1.1, 0),
                0.024,
                leg,
                0.014,
            )
    shapes.box((1.5, 0.02, 0.1), (x, y + 0.27, 0.672), oak, bevel=0.003)
    for side, wide in ((-1, 0.56), (1, 0.56)):
        shapes.box((wide, 0.5, 0.1), (x + side * 0.42, y - 0.02, 0.668), oak, bevel=0.003)
        shapes.box(
            (wide - 0.008, 0.018, 0.09), (x + side * 0.42, y - 0.281, 0.668), front, bevel=0.003
        )
        brass = materials.metal("#b98f52", 0.25)
        shapes.lathe(
            [(1e-4, 0), (0.006, 0), (0.006, 0.012), (0.012, 0.018), (0.011, 0.024), (1e-4, 0.026)],
            (x + side * 0.42, y - 0.29, 0.668),
            brass,
            turn=(90, 0, 0),
        )


def _laptop(x: float, y: float, z: float) -> None:
    steel = materials.metal("#c6c7c9", 0.32, brushed="x")
    keys = materials.paint("#232325", 0.5)
    glow = materials.picture("hills", 4, ("#d8e2ea", "#8aa5b8", "#4e6a7d", "#24343f"))
    body = [shapes.box((0.325, 0.225, 0.012), (0, 0, 0.008), steel, bevel=0.0045)]
    body.append(shapes.box((0.285, 0.1, 0.0015), (0, 0.03, 0.0142), keys, bevel=0.001))
    for row in range(5):
        for column in range(13):
            body.append(
                shapes.box(
                    (0.018, 0.0155, 0.002),
                    (-0.132 + column * 0.022, -0.008 + row * 0.0193, 0.0155),
                    keys,
                    bevel=0.0008,
                    segments=1,
                )
            )
    body.append(shapes.box((0.1, 0.065, 0.0008), (0, -0.065, 0.0142), steel, bevel=0.0004))
    lid = shapes.frame(
        0.322,
        0.215,
        (0, 0.12, 0.122),
        materials.paint("#141416", 0.25),
        glow,
        border=0.007,
        depth=0.004,
        turn=(-14, 0, 0),
    )
    lid.append(
        shapes.box(
            (0.325, 0.006, 0.218), (0, 0.1297, 0.1205), steel, bevel=0.0028, turn=(-14, 0, 0)
        )
    )
    mesh.group("laptop", [*body, *lid], (x, y, z), (0, 0, 7))


def _board(x: float, z: float) -> None:
    cork = materials.stone("#b58a5b", 0.9, 1.6)
    frame = materials.wood("#c19565", "#8a603a", along="x")
    shapes.frame(0.86, 0.58, (x, 2.985, z), frame, cork, border=0.02)
    for dx, dz, wide, high, style, seed, tilt in (
        (-0.29, 0.09, 0.15, 0.2, "hills", 1, 2),
        (-0.1, 0.13, 0.11, 0.15, "brush", 2, -3),
        (-0.27, -0.15, 0.2, 0.14, "shapes", 3, -2),
        (0.07, -0.06, 0.21, 0.29, "plain", 0, 1),
        (0.29, 0.1, 0.16, 0.21, "brush", 6, 3),
        (0.28, -0.16, 0.14, 0.14, "shapes", 5, -4),
    ):
        print_ = materials.paper("#f4eee0") if style == "plain" else materials.picture(style, seed)
        sheet = shapes.frame(
            wide,
            high,
            (x + dx, 2.978, z + dz),
            materials.paper("#f7f3ea"),
            print_,
            border=0.008,
            depth=0.0012,
            turn=(0, tilt, 0),
        )
        del sheet
        shapes.lathe(
            [(1e-4, 0), (0.003, 0), (0.003, 0.006), (0.0055, 0.01), (1e-4, 0.013)],
            (x + dx, 2.977, z + dz + high * 0.44),
            materials.paint("#b5503a", 0.25),
            turn=(90, 0, 0),
            sides=24,
        )


def _chair(x: float, y: float) -> None:
    hide = materials.leather("#8b5431")
    black = materials.black_metal()
    parts: list[Any] = []
    parts += soft.cushion(
        (0.46, 0.44, 0.06),
        (0, 0, 0.47),
        hide,
        puff=0.012,
        radius=0.026,
        wrinkle=0.002,
        piping=0.003,
    )
    parts += soft.cushion(
        (0.44, 0.3, 0.05),
        (0, -0.245, 0.78),
        hide,
        puff=0.012,
        radius=0.022,
        wrinkle=0.002,
        piping=0.003,
        turn=(98, 0, 0),
    )
    for side in (-1, 1):
        parts.append(
            shapes.tube(
                [
                    (side * 0.19, -0.235, 0.9),
                    (side * 0.19, -0.2, 0.6),
                    (side * 0.19, -0.16, 0.45),
                    (side * 0.19, 0.14, 0.435),
                    (side * 0.2, 0.2, 0.41),
                    (side * 0.215, 0.225, 0.0),
                ],
                0.0095,
                black,
            )
        )
        parts.append(
            shapes.tube([(side * 0.19, -0.14, 0.44), (side * 0.22, -0.24, 0.0)], 0.0095, black)
        )
    mesh.group("chair", parts, (x, y, 0), (0, 0, -24))


def _lamp(x: float, y: float, z: float) -> list[Any]:
    """The task lamp: base, two sprung arms, a conical head and its cable."""
    black = materials.paint("#1b1b1c", 0.32, coat=0.4)
    steel = materials.metal("#c9c9c6", 0.25)
    knee, wrist = (0.2, 0.02, 0.36), (-0.16, -0.05, 0.62)
    foot = (0.0, 0.0, 0.045)
    parts = [
        shapes.cylinder(0.088, 0.022, (0, 0, 0), black, bevel=0.006),
        shapes.cylinder(0.016, 0.035, (0, 0, 0.02), black),
    ]
    for dy in (-0.012, 0.012):
        parts.append(
            shapes.rod(
                (foot[0], foot[1] + dy, foot[2]), (knee[0], knee[1] + dy, knee[2]), 0.0045, black
            )
        )
        parts.append(
            shapes.rod(
                (knee[0], knee[1] + dy, knee[2]), (wrist[0], wrist[1] + dy, wrist[2]), 0.0045, black
            )
        )
    for joint in (foot, knee, wrist):
        parts.append(
            shapes.cylinder(
                0.015,
                0.036,
                (joint[0], joint[1] + 0.018, joint[2]),
                black,
                turn=(90, 0, 0),
                sides=32,
            )
        )
        parts.append(
            shapes.cylinder(
                0.008,
                0.042,
                (joint[0], joint[1] + 0.021, joint[2]),
                steel,
                turn=(90, 0, 0),
                sides=32,
            )
        )
    import numpy as np

    for start, end in ((foot, knee), (knee, wrist)):
        a, b = np.array(start), np.array(end)
        turns = np.linspace(0, 22 * 2 * np.pi, 340)
        line = a + (b - a) * np.linspace(0.12, 0.5, 340)[:, None]
        side = np.cross(b - a, (0, 1, 0))
        side = side / np.linalg.norm(side)
        spring = line + 0.006 * (np.cos(turns)[:, None] * side + np.sin(turns)[:, None] * (0, 1, 0))
        parts.append(shapes.tube([tuple(p) for p in spring], 0.0011, steel, smooth=False))
    head = (wrist[0] - 0.035, wrist[1], wrist[2] - 0.012)
    parts.append(
        shapes.lathe(
            [
                (0.088, -0.12),
                (0.089, -0.118),
                (0.056, -0.03),
                (0.03, 0.01),
                (0.03, 0.055),
                (0.022, 0.062),
                (1e-4, 0.063),
            ],
            head,
            black,
            wall=0.002,
            turn=(0, 24, 0),
        )
    )
    bulb = materials.ceramic("#f3efe6", 0.3)
    parts.append(
        shapes.lathe(
            [(1e-4, -0.1), (0.026, -0.09), (0.03, -0.065), (0.014, -0.02)],
            head,
            bulb,
            turn=(0, 24, 0),
        )
    )
    parts.append(
        shapes.tube(
            [
                (0.0, 0.06, 0.012),
                (0.03, 0.12, 0.004),
                (0.13, 0.14, 0.004),
                (0.2, 0.2, 0.004),
                (0.24, 0.3, 0.003),
                (0.26, 0.315, -0.1),
                (0.25, 0.33, -0.5),
            ],
            0.0028,
            black,
        )
    )
    return mesh.group("lamp", parts, (x, y, z), (0, 0, -14))


def build() -> Built:
    """The room, and in it what the clean picture lacks."""
    x, y = 0.05, 2.6
    wall = materials.plaster("#d8c8b2", 1.3)
    white = materials.paint("#f2efe9")
    shapes.wall((-3, 3), (3, 3), 2.8, wall)
    shapes.skirting((-3, 3), (3, 3), white, height=0.1)
    shapes.wall((-1.75, -4), (-1.75, 3), 2.8, materials.plaster("#e5ded2"), [(3.5, 5.35, 1.0, 2.7)])
    shapes.window(1.85, 1.7, (-1.85, 0.425, 1.85), white, columns=4, rows=3, turn=(0, 0, 90))
    shapes.box((6, 7.4, 0.1), (0, -0.4, 2.85), materials.plaster("#f4f1ec"), bevel=0)
    shapes.floor(6, 7, materials.board_wood("#b58d66", "#7f5a3a"), plank=0.14, seed=7)
    _desk(x, y)
    _laptop(x - 0.08, y - 0.06, 0.75)
    _board(x - 0.28, 1.42)
    _chair(x + 0.12, y - 0.52)
    shapes.books(
        [(0.03, 0.2, 0.26), (0.024, 0.18, 0.23), (0.034, 0.16, 0.21)],
        (x - 0.6, y + 0.1, 0.75),
        ["#55624f", "#c9a27c", "#33424a"],
        lying=True,
        seed=2,
    )
    cup = (x - 0.6, y + 0.1, 0.838)
    shapes.lathe(
        [(1e-4, 0), (0.034, 0), (0.038, 0.004), (0.041, 0.05), (0.041, 0.098)],
        cup,
        materials.ceramic("#d9cdbb", speckle=0.8, matt=True),
        wall=0.003,
    )
    for number, (dx, dy, tone) in enumerate(
        (
            (0.012, 0.0, "#c28a3d"),
            (-0.014, 0.008, "#33424a"),
            (0.0, -0.014, "#a5472f"),
            (0.008, 0.016, "#e0d8c4"),
        )
    ):
        shapes.rod(
            (cup[0], cup[1], cup[2] + 0.006),
            (cup[0] + dx * 2.4, cup[1] + dy * 2.4, cup[2] + 0.16 + 0.008 * number),
            0.0036,
            materials.paint(tone, 0.4),
        )
    note = materials.paint("#2f3c3a", 0.6)
    shapes.box(
        (0.15, 0.21, 0.012), (x + 0.27, y - 0.17, 0.756), note, bevel=0.003, turn=(0, 0, -12)
    )
    shapes.rod(
        (x + 0.25, y - 0.25, 0.766),
        (x + 0.31, y - 0.12, 0.766),
        0.004,
        materials.metal("#b98f52", 0.25),
    )
    green.pot(0.075, 0.13, (x + 0.66, y + 0.16, 0.75), materials.ceramic("#b9694a", matt=True))
    green.tuft(
        (x + 0.66, y + 0.16, 0.86),
        materials.leaf("#47713f", "#9db36a"),
        count=22,
        length=0.3,
        width=0.03,
        seed=4,
    )
    lamp = _lamp(x + 0.36, y + 0.12, 0.75)
    light.sun_and_sky(17, -137, sun=7.5, sky=0.12, angle=0.4)
    light.portal(1.7, 1.6, (-1.68, 0.425, 1.85), (0.3, 2.8, 0.9), 26)
    light.area((1.9, -1.6, 2.3), (0, 2.8, 0.9), (2.2, 1.6), 52, "#edf2ff")
    camera.level((0.12, -0.35, 1.25), lens=45, shift=(0, -0.06), focus=3.0, f_stop=8)
    return Built(lamp, exposure=0.3)
