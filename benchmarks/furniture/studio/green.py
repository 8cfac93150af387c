"""Plants and dry stems: leaves are real meshes, each bent and turned its own way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.furniture.studio import materials, mesh, shapes
from benchmarks.furniture.studio.mesh import Triple

OUTLINES: dict[str, Callable[[Any], Any]] = {
    "oval": lambda u: np.sin(np.pi * u**0.8) ** 0.85,
    "lance": lambda u: np.sin(np.pi * u**0.6) ** 1.2,
    "heart": lambda u: np.sin(np.pi * np.clip(u, 0, 1) ** 0.45) ** 0.8,
    "strap": lambda u: np.clip(1 - u**3, 0, 1) * np.clip(u * 9 + 0.35, 0, 1),
}


class Leaves:
    """Many leaves gathered into one mesh."""

    def __init__(self) -> None:
        self.points: list[Any] = []
        self.faces: list[tuple[int, ...]] = []
        self.uv: list[Any] = []
        self.tone: list[Any] = []

    def add(
        self,
        at: Any,
        heading: float,
        pitch: float,
        length: float,
        width: float,
        bend: float,
        outline: str,
        tone: float,
        fold: float = 0.25,
        roll: float = 0.0,
    ) -> None:
        """One leaf from `at`; `heading` about z and `pitch` up in radians; `bend` down."""
        rows, columns = 12, 7
        u, v = (
            g.ravel()
            for g in np.meshgrid(
                np.linspace(0, 1, rows), np.linspace(-1, 1, columns), indexing="ij"
            )
        )
        half = OUTLINES[outline](u) * width / 2
        angle = pitch - bend * u
        along = np.cumsum(np.cos(pitch - bend * np.linspace(0, 1, rows))) / rows * length
        up = np.cumsum(np.sin(pitch - bend * np.linspace(0, 1, rows))) / rows * length
        pick = (u * (rows - 1)).round().astype(int)
        lift = np.abs(v) * half * fold + np.sin(u * 9 + tone * 20) * half * 0.06
        across = v * half
        side = across * np.cos(roll)
        lift = lift + across * np.sin(roll)
        local = np.stack(
            [along[pick] - np.sin(angle) * lift, side, up[pick] + np.cos(angle) * lift], axis=1
        )
        c, s = np.cos(heading), np.sin(heading)
        world = np.stack(
            [local[:, 0] * c - local[:, 1] * s, local[:, 0] * s + local[:, 1] * c, local[:, 2]],
            axis=1,
        ) + np.asarray(at)
        base = sum(len(p) for p in self.points)
        self.points.append(world)
        self.uv.append(np.stack([u, (v + 1) / 2], axis=1))
        self.tone.append(np.full(len(u), tone))
        self.faces += [tuple(i + base for i in f) for f in mesh.grid_faces(rows, columns)]

    def finish(self, material: Any, name: str = "leaves") -> Any:
        thing = mesh.add(
            name,
            np.concatenate(self.points),
            self.faces,
            material,
            uv=np.concatenate(self.uv),
            attributes={"leaf": np.concatenate(self.tone)},
        )
        return mesh.subdivide(thing)


def pot(radius: float, height: float, at: Triple, material: Any) -> list[Any]:
    """A planter with a rim, filled with soil to near its top."""
    r, h = radius, height
    profile = [
        (1e-4, 0),
        (r * 0.7, 0),
        (r * 0.74, 0),
        (r * 0.78, h * 0.04),
        (r * 0.92, h * 0.6),
        (r, h * 0.985),
        (r * 0.995, h),
        (r * 0.93, h),
        (r * 0.92, h * 0.97),
        (r * 0.9, h * 0.85),
        (r * 0.89, h * 0.84),
    ]
    soil = materials.stone("#2b1d14", 0.95, 2.0)
    return [
        shapes.lathe(profile, at, material, name="pot"),
        shapes.cylinder(r * 0.915, 0.01, (at[0], at[1], at[2] + h * 0.9), soil, bevel=0.002),
    ]


def fig(
    at: Triple,
    height: float,
    foliage: Any,
    bark: Any,
    seed: int = 1,
    spread: float = 0.35,
    leaves: int = 60,
    leaf: float = 0.16,
    outline: str = "heart",
) -> list[Any]:
    """A small tree on a stem (rubber plant, fiddle-leaf fig, olive with small leaves)."""
    chance = np.random.default_rng(seed)
    made: list[Any] = []
    gathered = Leaves()
    stems = 3
    for stem in range(stems):
        lean = chance.uniform(-0.14, 0.14, 2) * height
        tall = height * (1.0 if stem == 0 else chance.uniform(0.6, 0.9))
        wobble = chance.uniform(-0.03, 0.03, (5, 2))
        path = [
            (
                at[0] + lean[0] * k**1.5 + wobble[i][0] * k,
                at[1] + lean[1] * k**1.5 + wobble[i][1] * k,
                at[2] + tall * k,
            )
            for i, k in enumerate(np.linspace(0, 1, 5))
        ]
        made.append(shapes.tube(path, 0.009 if stem == 0 else 0.006, bark, name="stem"))
        xs = np.array(path)
        for number in range(leaves // stems):
            k = 0.32 + 0.68 * (number + 0.5) / (leaves // stems)
            where = np.array([np.interp(k, np.linspace(0, 1, 5), xs[:, a]) for a in range(3)])
            heading = number * 2.4 + chance.uniform(-0.4, 0.4) + stem
            stalk = spread * chance.uniform(0.1, 0.45) * (1.15 - k)
            pitch = chance.uniform(0.1, 0.7) + (k > 0.93) * 0.5
            start = where + stalk * np.array([np.cos(heading), np.sin(heading), 0.55])
            if stalk > 0.015:
                made.append(
                    shapes.tube(
                        [tuple(where), tuple((where + start) / 2 + (0, 0, 0.004)), tuple(start)],
                        0.0025,
                        bark,
                        name="stalk",
                    )
                )
            size = leaf * chance.uniform(0.65, 1.15) * (0.55 if k > 0.95 else 1)
            gathered.add(
                start,
                heading,
                pitch,
                size,
                size * 0.62,
                chance.uniform(0.5, 1.5),
                outline,
                chance.random(),
                roll=chance.uniform(-0.5, 0.5),
            )
    made.append(gathered.finish(foliage))
    return made


def tuft(
    at: Triple,
    foliage: Any,
    count: int = 26,
    length: float = 0.5,
    width: float = 0.04,
    bend: float = 1.6,
    outline: str = "strap",
    seed: int = 1,
    upright: float = 1.25,
    radius: float = 0.03,
) -> list[Any]:
    """Leaves that spring from one place: snake plant, grass, spider plant, dracaena."""
    chance = np.random.default_rng(seed)
    gathered = Leaves()
    for number in range(count):
        heading = number * 2.4 + chance.uniform(-0.3, 0.3)
        start = np.array(at) + radius * chance.uniform(0.2, 1) * np.array(
            [np.cos(heading), np.sin(heading), 0]
        )
        gathered.add(
            start,
            heading,
            upright * chance.uniform(0.72, 1.12),
            length * chance.uniform(0.6, 1.1),
            width * chance.uniform(0.8, 1.2),
            bend * chance.uniform(0.4, 1.2),
            outline,
            chance.random(),
            fold=0.35,
        )
    return [gathered.finish(foliage)]


def trailing(
    at: Triple,
    foliage: Any,
    stalk: Any,
    strands: int = 9,
    drop: float = 0.5,
    seed: int = 1,
    leaf: float = 0.05,
    radius: float = 0.07,
) -> list[Any]:
    """A hanging plant (pothos, ivy) whose strands run over the pot's rim."""
    chance = np.random.default_rng(seed)
    made: list[Any] = []
    gathered = Leaves()
    for strand in range(strands):
        heading = strand * 2 * np.pi / strands + chance.uniform(-0.3, 0.3)
        out = np.array([np.cos(heading), np.sin(heading), 0])
        fall = drop * chance.uniform(0.25, 1.0)
        path = [
            np.array(at),
            np.array(at) + out * radius * 0.6 + (0, 0, 0.05),
            np.array(at) + out * radius * 1.35 + (0, 0, 0.005),
        ]
        for k in np.linspace(0.3, 1, 4):
            path.append(
                np.array(at)
                + out * radius * (1.45 + 0.15 * k)
                + chance.uniform(-0.02, 0.02, 3)
                + (0, 0, -fall * k)
            )
        made.append(shapes.tube([tuple(p) for p in path], 0.0016, stalk, name="strand"))
        total = max(6, int((fall + 0.12) / (leaf * 0.55)))
        line = np.array(path)
        for number in range(total):
            k = (number + 0.5) / total
            where = np.array(
                [np.interp(k, np.linspace(0, 1, len(line)), line[:, a]) for a in range(3)]
            )
            turn = heading + (1.2 if number % 2 else -1.2) + chance.uniform(-0.5, 0.5)
            size = leaf * chance.uniform(0.7, 1.3) * (1.1 - 0.45 * k)
            gathered.add(
                where,
                turn,
                chance.uniform(-0.2, 0.5),
                size * 1.3,
                size,
                chance.uniform(0.6, 1.4),
                "heart",
                chance.random(),
                roll=chance.uniform(-0.4, 0.4),
            )
    made.append(gathered.finish(foliage))
    return made


def branches(
    at: Triple,
    foliage: Any,
    bark: Any,
    stems: int = 6,
    height: float = 0.6,
    seed: int = 1,
    leaf: float = 0.05,
    spread: float = 0.35,
    outline: str = "lance",
    per_stem: int = 16,
) -> list[Any]:
    """Cut stems for a vase: eucalyptus, olive, or (in a dry colour) pampas and beech."""
    chance = np.random.default_rng(seed)
    made: list[Any] = []
    gathered = Leaves()
    for stem in range(stems):
        heading = stem * 2.4 + chance.uniform(-0.5, 0.5)
        out = np.array([np.cos(heading), np.sin(heading), 0])
        tall = height * chance.uniform(0.65, 1.05)
        reach = spread * chance.uniform(0.35, 1.0)
        line = np.array(
            [
                np.array(at) + out * reach * k**1.8 + (0, 0, tall * k * (1 - 0.12 * k))
                for k in np.linspace(0, 1, 6)
            ]
        )
        line[1:] += chance.uniform(-0.012, 0.012, (5, 3))
        made.append(shapes.tube([tuple(p) for p in line], 0.0028, bark, name="stem"))
        for number in range(per_stem):
            k = 0.35 + 0.65 * (number + chance.random()) / per_stem
            where = np.array([np.interp(k, np.linspace(0, 1, 6), line[:, a]) for a in range(3)])
            turn = heading + number * 2.4 + chance.uniform(-0.4, 0.4)
            size = leaf * chance.uniform(0.7, 1.2) * (1.2 - 0.5 * k)
            gathered.add(
                where,
                turn,
                chance.uniform(-0.1, 0.9),
                size,
                size * 0.45,
                chance.uniform(0.1, 0.9),
                outline,
                chance.random(),
                roll=chance.uniform(-0.6, 0.6),
            )
    made.append(gathered.finish(foliage))
    return made
