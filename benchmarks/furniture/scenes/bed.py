"""A bed with linen and a striped throw, which is to be replaced by another."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.furniture.studio import camera, green, light, materials, mesh, shapes, soft
from benchmarks.furniture.studio.scene import About, Built

ABOUT = About(
    name="bed",
    title="Linen bed with a throw across its foot",
    task="replace",
    object="a rust-red checked wool throw",
    simple="a pale grey waffle blanket across the foot of a bed",
    detailed=(
        "a pale grey waffle-weave cotton blanket laid loosely across the foot of a bed with white "
        "linen, following its folds and hanging over the side, soft window light from the left, "
        "interior catalogue photograph"
    ),
    negative="red, checks, pillows, people, text, logo, flat cut-out look, missing shadow, blur",
    background="the smooth white linen of the duvet, with soft creases",
    hard=(
        "The throw follows the creases of the duvet and hangs over its edge, so a fill must "
        "invent large soft folds whose shading fits the window on the left."
    ),
    light="soft",
    camera="38 mm, level, eye height 1.35 m, f/5.6",
    seed=14,
    samples=16,
)
X, FOOT, HEAD, WIDE, TOP = 0.0, 0.72, 2.72, 1.62, 0.56  # the mattress, metres


def _rests(x: Any, y: Any, over: float = 0.0) -> tuple[Any, Any, Any]:
    """Where a cloth lies that was laid flat on the bed at (x, y) measured along the cloth.

    Beyond the mattress it runs round a soft edge and hangs; folds open where it hangs.
    """
    radius = 0.07 + over
    half = WIDE / 2 + over - radius

    def bent(s: Any, limit: float) -> tuple[Any, Any]:
        """Distance out and drop for arc length `s` beyond the flat part."""
        beyond = np.maximum(s - limit, 0)
        angle = np.minimum(beyond / radius, np.pi / 2)
        down = np.maximum(beyond - radius * np.pi / 2, 0)
        return np.minimum(s, limit) + radius * np.sin(angle), radius * (1 - np.cos(angle)) + down

    out_x, drop_x = bent(np.abs(x - X), half)
    out_y, drop_y = bent(-(y - (FOOT + radius - over)), 0.0)
    front = y < FOOT + radius - over
    new_y = np.where(front, FOOT + radius - over - out_y, y)
    drop_y = np.where(front, drop_y, 0.0)
    # At the corner the hem stays level, and the cloth that is too much stands out as a fold.
    drop, flare = np.maximum(drop_x, drop_y), 0.15 * np.minimum(drop_x, drop_y)
    out_x, new_y = out_x + flare, new_y - flare
    return X + np.sign(x - X) * out_x, new_y, TOP + over - drop


def _cloth(
    left: float,
    right: float,
    near: float,
    far: float,
    over: float,
    material: Any,
    crease: float,
    folds: float,
    seed: float,
    thickness: float,
    puff: float = 0.0,
    skew: float = 0.0,
) -> Any:
    """A cloth over the bed between arc lengths; `skew` shifts its ends along y, in metres."""
    columns, rows = 190, 150
    u, v = (g.ravel() for g in np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows)))
    s = left + (right - left) * u
    edge = mesh.rough(np.stack([s, v * 0, u * 0 + seed], axis=1), 1.6, 2, seed) * 0.02
    y = near + (far - near) * v + skew * (u - 0.5) + edge * (1 if skew else 0.2)
    px, py, pz = _rests(s, y, over)
    flat = np.stack([s, y, s * 0], axis=1)
    # Creases: broad swells, and long ones that run along pulls of the cloth.
    swell = mesh.rough(flat, 2.4, 2, seed)
    turned = np.stack([s * 0.8 + y * 0.6, (y * 0.8 - s * 0.6) * 0.35, s * 0], axis=1)
    ridge = 1 - np.abs(mesh.rough(turned, 5.0, 2, seed + 3)) * 2.2
    small = mesh.rough(flat, 11.0, 2, seed + 6)
    high = swell * 1.1 + np.clip(ridge, -0.3, 1) ** 3 * 1.0 + small * 0.28
    side, front = np.abs(s - X) - WIDE / 2, FOOT - y
    hang_x, hang_y = np.clip(side / 0.25, 0, 1), np.clip(front / 0.25, 0, 1)
    wave_x = np.sin(y * 2 * np.pi / 0.26 + 2.5 * mesh.rough(flat * (0, 1, 0), 1.7, 2, seed + 1))
    wave_y = np.sin(s * 2 * np.pi / 0.28 + 2.5 * mesh.rough(flat * (1, 0, 0), 1.7, 2, seed + 2))
    pz = pz + (high * crease + puff * 0.5) * (1 - np.maximum(hang_x, hang_y) * 0.75)
    out = np.sign(s - X)
    px = (
        px
        + out * ((wave_x * 0.5 + 0.5) * folds + puff * 0.3) * hang_x
        + out * small * 0.004 * hang_x
    )
    py = py - ((wave_y * 0.5 + 0.5) * folds + puff * 0.3) * hang_y - small * 0.004 * hang_y
    thing = mesh.add(
        "cloth", np.stack([px, py, pz], axis=1), mesh.grid_faces(rows, columns), material
    )
    mesh.thicken(thing, thickness, 1.0)
    return mesh.subdivide(thing)


def _bed() -> None:
    oak = materials.wood("#b88a5b", "#80582f", along="x")
    cloth = materials.fabric("#a9a08f", thread=0.006, kind="linen", heather=0.7)
    shapes.box((WIDE + 0.06, 2.06, 0.16), (X, (FOOT + HEAD) / 2, 0.25), oak, bevel=0.02)
    for dx in (-0.72, 0.72):
        for y in (FOOT + 0.12, HEAD - 0.12):
            shapes.rod((X + dx, y, 0.18), (X + dx * 1.03, y, 0), 0.028, oak, 0.02)
    mattress = materials.fabric("#eeebe4", thread=0.004)
    soft.cushion(
        (WIDE - 0.02, HEAD - FOOT - 0.02, 0.24),
        (X, (FOOT + HEAD) / 2, TOP - 0.135),
        mattress,
        puff=0.0,
        radius=0.06,
        wrinkle=0.003,
        piping=0.004,
    )
    # A headboard of upholstered channels.
    for number in range(9):
        soft.cushion(
            (0.205, 0.09, 0.86),
            (X + (number - 4) * 0.203, HEAD + 0.1, 0.72),
            cloth,
            puff=0.012,
            radius=0.042,
            wrinkle=0.002,
            piping=0,
            seed=number + 1,
            cells=18,
        )


def _pillows() -> None:
    white = materials.fabric("#f1eee8", thread=0.003, kind="linen", heather=0.25)
    sand = materials.fabric("#cdbfa9", thread=0.005, kind="linen", heather=0.6)
    sage = materials.fabric("#8f9a86", thread=0.006, kind="linen", heather=0.6)
    for side in (-1, 1):
        soft.pillow(
            (0.72, 0.52),
            0.2,
            (X + side * 0.39, HEAD - 0.09, TOP + 0.3),
            white,
            turn=(66, side * 2, -side * 3),
            seed=3 + side,
            wrinkle=0.018,
        )
        soft.pillow(
            (0.68, 0.48),
            0.19,
            (X + side * 0.38, HEAD - 0.29, TOP + 0.25),
            sand,
            turn=(57, -side * 2, side * 3),
            seed=8 + side,
            wrinkle=0.018,
            piping=sand,
        )
    soft.pillow(
        (0.58, 0.32),
        0.16,
        (X + 0.04, HEAD - 0.5, TOP + 0.19),
        sage,
        turn=(52, 2, 3),
        seed=5,
        wrinkle=0.014,
        piping=sage,
    )


def _table(x: float, y: float) -> None:
    walnut = materials.wood("#8a5f3f", "#53351f", along="x", coat=0.2)
    shapes.box((0.46, 0.4, 0.02), (x, y, 0.5), walnut, bevel=0.004)
    shapes.box((0.44, 0.38, 0.15), (x, y, 0.4), walnut, bevel=0.005)
    shapes.box((0.42, 0.016, 0.13), (x, y - 0.193, 0.4), walnut, bevel=0.004)
    brass = materials.metal("#b98f52", 0.25)
    shapes.cylinder(0.011, 0.02, (x, y - 0.2, 0.4), brass, turn=(90, 0, 0))
    for dx in (-0.18, 0.18):
        for dy in (-0.15, 0.15):
            shapes.rod(
                (x + dx, y + dy, 0.33), (x + dx * 1.12, y + dy * 1.12, 0), 0.016, walnut, 0.01
            )


def _lamp(x: float, y: float, z: float) -> None:
    shapes.lathe(
        [
            (1e-4, 0),
            (0.06, 0),
            (0.065, 0.004),
            (0.1, 0.08),
            (0.09, 0.15),
            (0.03, 0.21),
            (0.018, 0.235),
            (0.012, 0.24),
            (0.012, 0.3),
        ],
        (x, y, z),
        materials.ceramic("#7d8c86", speckle=0.6, matt=True),
    )
    shapes.lathe(
        [(0.16, 0), (0.16, 0.002), (0.125, 0.2), (0.125, 0.202)],
        (x, y, z + 0.24),
        materials.shade("#f1e4cb", 0.3),
        wall=0.003,
        levels=0,
    )
    light.bulb((x, y, z + 0.33), 3.5, radius=0.04)


def build() -> Built:
    """The room, and in it what the clean picture lacks."""
    wall = materials.plaster("#c9ccc0", 0.9)
    white = materials.paint("#f2efe9")
    shapes.wall((-3.2, 3), (3.2, 3), 2.8, wall, [(0.35, 1.65, 0.25, 2.5)])
    shapes.wall((3.0, 3), (3.0, -3), 2.8, wall)
    shapes.skirting((-3.2, 3), (3.2, 3), white, height=0.12)
    shapes.box((6.6, 6.4, 0.1), (0, 0.1, 2.85), materials.plaster("#f4f1ec"), bevel=0)
    shapes.floor(7, 7, materials.board_wood("#cbb08c", "#a07d55"), plank=0.18, length=1.8, seed=3)
    shapes.window(1.3, 2.25, (-2.2, 3.12, 1.375), white, materials.pane(), columns=2, rows=2)
    light.garden((-2.6, 7.5, -0.6), 9, 5, strength=2.0)
    shapes.box((7, 4.2, 0.02), (-2.4, 5.35, 0.0), materials.stone("#c9c2b4"), bevel=0)
    sheer = materials.sheer("#f4f0e8", clear=0.32)
    soft.curtain(0.5, 2.6, (-2.72, 2.86, 0.02), sheer, folds=7, seed=2)
    soft.curtain(0.5, 2.6, (-1.6, 2.86, 0.02), sheer, folds=7, seed=6)
    shapes.rod((-3.1, 2.86, 2.64), (-1.25, 2.86, 2.64), 0.011, materials.black_metal())
    _bed()
    _pillows()
    linen = materials.fabric("#ece8e0", thread=0.004, kind="linen", heather=0.3)
    _cloth(
        X - 1.22,
        X + 1.22,
        FOOT - 0.34,
        HEAD - 0.62,
        0.022,
        linen,
        0.018,
        0.03,
        4.0,
        0.012,
        puff=0.03,
    )
    for side in (-1, 1):
        _table(X + side * 1.2, HEAD + 0.02)
    _lamp(X - 1.2, HEAD + 0.02, 0.51)
    _lamp(X + 1.2, HEAD + 0.02, 0.51)
    shapes.books(
        [(0.026, 0.15, 0.21), (0.02, 0.14, 0.2)],
        (X + 1.08, HEAD - 0.13, 0.51),
        ["#33424a", "#a0553c"],
        lying=True,
        seed=3,
    )
    oak = materials.wood("#c09468", "#8c6340", along="z")
    shapes.frame(
        1.1,
        0.62,
        (X, 2.985, 1.6),
        oak,
        materials.picture("brush", 2, ("#ebe3d4", "#8f9a86", "#b88a6a", "#5d6a68")),
        materials.paper(),
        passe=0.08,
    )
    soft.rug(
        2.7,
        1.7,
        (X + 0.05, 0.85, 0.001),
        materials.rug("#ddd3c2", "#8d8577", "diamond", 0.16),
        fringe=materials.fabric("#ddd3c2"),
    )
    green.pot(0.16, 0.3, (1.85, 2.55, 0), materials.ceramic("#c9bda9", matt=True))
    green.fig(
        (1.85, 2.55, 0.26),
        1.2,
        materials.leaf("#31592f", "#648a4c"),
        materials.wood("#6b5138", "#45321f", along="z"),
        seed=3,
        leaves=42,
        leaf=0.2,
    )
    thing = [_throw()]
    light.world("#e9eff6", 0.40)
    light.portal(1.25, 2.1, (-2.2, 2.97, 1.4), (-1.0, 0, 0.7), 40)
    light.area((-2.9, 0.2, 1.9), (0.4, 1.7, 0.4), (2.0, 1.9), 95, "#f3f6ff")
    light.area((1.8, -2.4, 2.5), (0.3, 2, 0.6), (2.5, 1.6), 42, "#fff3e2")
    camera.level((0.62, -1.95, 1.35), yaw=8, lens=38, shift=(0.0, -0.12), focus=3.6, f_stop=5.6)
    return Built(thing, exposure=0.35)


def _throw() -> Any:
    """The checked wool throw across the foot of the bed, laid over the duvet."""
    from benchmarks.furniture.studio.nodes import Tree

    t = Tree("checked wool")
    p = t.xyz()
    wobble = (t.noise(t.coords(), 60, 2) - 0.5) * 0.006
    across = ((p.x + wobble) / 0.17).fract().below(0.42)
    along = ((p.y + wobble - p.z * 0.7) / 0.17).fract().below(0.42)
    line = ((p.x / 0.17).fract() - 0.71).abs().below(0.03)
    base = t.mix(across * 0.5 + along * 0.5, "#94503c", "#dcc3a6")
    base = t.mix(line * 0.7, base, "#3f2d2a")
    fuzz = t.noise(t.coords(), 260, 2)
    base = t.brightened(base, fuzz * 0.5 + 0.75)
    wool = t.finish(base, 0.95, t.bump(fuzz, 0.002, 0.8), Sheen_Weight=0.4, Specular_IOR_Level=0.15)
    return _cloth(
        X - 1.17,
        X + 1.12,
        FOOT + 0.06,
        FOOT + 0.78,
        0.05,
        wool,
        0.021,
        0.034,
        4.0,
        0.008,
        puff=0.034,
        skew=0.16,
    )
