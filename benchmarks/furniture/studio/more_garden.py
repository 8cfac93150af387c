"""Teak furniture, pots, herbs, a lantern and shutters for outdoors."""

import math

import numpy as np

from benchmarks.furniture.studio import more_forms as forms
from benchmarks.furniture.studio import more_joinery as joinery
from benchmarks.furniture.studio import more_plants as plants
from benchmarks.furniture.studio import more_surfaces as surfaces


def shutter(at, wide, low, high, wood):
    """A louvred shutter flat on the house wall (x = at[0]), y from at[1]."""
    x, y = at
    for edge in (0.03, wide - 0.03):
        forms.bar("stile", (0.035, 0.06, high - low), (x, y + edge, (low + high) / 2), wood, 0.004)
    for z in (low + 0.04, (low + high) / 2, high - 0.04):
        forms.bar("rail", (0.035, wide - 0.12, 0.08), (x, y + wide / 2, z), wood, 0.004)
    count = int((high - low) / 0.046)
    for k in range(count):
        z = low + 0.10 + k * 0.046
        if abs(z - (low + high) / 2) > 0.055 and z < high - 0.09:
            forms.bar(
                "slat", (0.008, wide - 0.12, 0.05), (x, y + wide / 2, z), wood, 0.002, (0, 32, 0)
            )


def sofa(at):
    """A teak sofa with cream cushions and two striped pillows."""
    teak = surfaces.boards(
        "teak", (0.20, 0.105, 0.045), (0.42, 0.255, 0.125), 0, 0.55, 0.2, 1.0, 0.12
    )
    side = surfaces.boards(
        "teak y", (0.20, 0.105, 0.045), (0.42, 0.255, 0.125), 1, 0.55, 0.2, 1.0, 0.12
    )
    upright = surfaces.boards(
        "teak z", (0.20, 0.105, 0.045), (0.42, 0.255, 0.125), 2, 0.55, 0.2, 1.0, 0.12
    )
    canvas = surfaces.cloth("canvas", (0.64, 0.60, 0.52), 330, False, 0.2, 0.95, 0.3)
    x, y, _ = at
    wide, deep = 1.86, 0.80
    for sx in (-1, 1):
        ex = x + sx * (wide / 2 - 0.03)
        for ey in (y - deep / 2 + 0.03, y + deep / 2 - 0.03):
            forms.bar("leg", (0.055, 0.055, 0.60), (ex, ey, 0.30), upright, 0.006)
        forms.bar("arm", (0.10, deep + 0.02, 0.03), (ex, y, 0.612), side, 0.008)
        forms.bar("rail", (0.03, deep - 0.1, 0.07), (ex, y, 0.24), side, 0.004)
        for k in range(4):
            forms.bar("bar", (0.018, 0.045, 0.33), (ex, y - 0.24 + 0.16 * k, 0.435), upright, 0.004)
    forms.bar("front", (wide - 0.10, 0.03, 0.085), (x, y - deep / 2 + 0.03, 0.245), teak, 0.005)
    forms.bar("back", (wide - 0.08, 0.028, 0.07), (x, y + deep / 2 - 0.02, 0.74), teak, 0.006)
    forms.bar("back", (wide - 0.08, 0.028, 0.06), (x, y + deep / 2 - 0.03, 0.33), teak, 0.006)
    for sx in (-1, 0, 1):
        forms.bar(
            "back post",
            (0.05, 0.04, 0.5),
            (x + sx * (wide / 2 - 0.05), y + deep / 2 - 0.02, 0.52),
            upright,
            0.005,
        )
    for k in range(9):
        forms.bar("slat", (wide - 0.10, 0.06, 0.018), (x, y - 0.32 + 0.08 * k, 0.285), teak, 0.004)
    for sx in (-1, 1):
        joinery.upholstered(
            "seat",
            (0.86, 0.74, 0.15),
            0.055,
            canvas,
            (x + sx * 0.433, y - 0.02, 0.368),
            (0, 0.012, 0.026),
            3 + sx,
            30,
            0.006,
        )
        joinery.upholstered(
            "back cushion",
            (0.86, 0.19, 0.44),
            0.075,
            canvas,
            (x + sx * 0.433, y + 0.27, 0.635),
            (0, 0.045, 0.02),
            8 + sx,
            30,
            0.012,
            (-13, 0, 0),
        )
    striped = surfaces.cloth(
        "striped",
        (0.64, 0.60, 0.51),
        360,
        True,
        0.2,
        0.95,
        0.3,
        (0.125, 0.42, 0),
        (0.09, 0.16, 0.19),
    )
    rust = surfaces.cloth("rust", (0.40, 0.145, 0.065), 360, True, 0.25, 0.95, 0.35)
    for cloth, dx, turn, size, seed in (
        (striped, -0.66, 10, 0.46, 4),
        (rust, -0.36, -6, 0.40, 7),
        (striped, 0.66, -12, 0.44, 9),
    ):
        pillow = forms.cushion("pillow", size, size, 0.17, cloth, seed, cloth, 48, 0.8)
        pillow.location = (x + dx, y + (0.06 if cloth is rust else 0.12), 0.44 + size * 0.47)
        pillow.rotation_euler = (math.radians(66), math.radians(turn * 0.4), math.radians(turn))


def coffee_table(at):
    """A low teak slat table with a tray, a carafe and two glasses."""
    teak = surfaces.boards(
        "table", (0.20, 0.105, 0.045), (0.42, 0.255, 0.125), 0, 0.5, 0.25, 1.0, 0.1
    )
    upright = surfaces.boards(
        "table leg", (0.20, 0.105, 0.045), (0.42, 0.255, 0.125), 2, 0.5, 0.2, 1.0, 0.1
    )
    x, y, _ = at
    for k in range(7):
        forms.bar("slat", (1.0, 0.074, 0.022), (x, y - 0.24 + 0.08 * k, 0.33), teak, 0.004)
    for sy in (-1, 1):
        forms.bar("rail", (0.90, 0.025, 0.06), (x, y + sy * 0.24, 0.288), teak, 0.004)
    for sx in (-1, 1):
        for sy in (-1, 1):
            forms.bar(
                "leg", (0.045, 0.045, 0.32), (x + sx * 0.44, y + sy * 0.235, 0.16), upright, 0.005
            )
    top = 0.341
    tray = surfaces.metal("tray", (0.70, 0.66, 0.58), 0.3)
    tx, ty = x - 0.18, y - 0.02
    forms.lathe(
        "tray",
        forms.points("0 0; .165 0; .172 .006; .176 .022; .174 .022; .169 .008; .163 .004; 0 .004"),
        tray,
        (tx, ty, top),
        96,
        2,
    )
    clear = surfaces.glass("glass", (0.95, 0.98, 0.965))
    carafe = forms.points(
        "0 0; .045 0; .052 .006; .056 .06; .046 .12; .028 .165; .026 .19; .036 .225; "
        ".0345 .225; .024 .19; .026 .165; .0435 .12; .053 .06; .049 .01; 0 .009"
    )
    forms.lathe("carafe", carafe, clear, (tx - 0.06, ty + 0.05, top + 0.0045), 80, 5)
    lemon = surfaces.glass("lemonade", (0.92, 0.80, 0.42), ior=1.33)
    forms.lathe(
        "lemonade",
        forms.points("0 .0095; .0485 .0105; .0525 .06; .044 .112; 0 .112"),
        lemon,
        (tx - 0.06, ty + 0.05, top + 0.0045),
        64,
        4,
    )
    tumbler = forms.points(
        "0 0; .029 0; .032 .003; .036 .09; .0355 .091; .034 .09; .03 .01; 0 .008"
    )
    for dx, dy in ((0.065, -0.045), (0.075, 0.06)):
        forms.lathe("tumbler", tumbler, clear, (tx + dx, ty + dy, top + 0.0045), 56, 3)
        forms.lathe(
            "drink",
            [(0, 0.0085), (0.0298, 0.0105), (0.0325, 0.055), (0, 0.055)],
            lemon,
            (tx + dx, ty + dy, top + 0.0045),
            48,
            1,
        )
    book = surfaces.cloth("cover", (0.50, 0.44, 0.34), 900, False, 0.05, 0.75, 0.1)
    joinery.books(
        "book",
        (x + 0.27, y - 0.03, top),
        [(0.24, 0.17, 0.024)],
        [(0.1, 0.1, 0.1)],
        surfaces.plain("paper", (0.62, 0.57, 0.47), 0.9),
        lambda c: book,
        seed=5,
    )


def pot(x, y, radius, high, clay, soil):
    """A rimmed terracotta pot with soil."""
    line = [
        (0, 0),
        (radius * 0.66, 0),
        (radius * 0.69, 0.008),
        (radius * 0.93, high * 0.80),
        (radius * 0.95, high * 0.83),
        (radius * 1.03, high * 0.84),
        (radius * 1.05, high * 0.86),
        (radius * 1.06, high * 0.98),
        (radius * 1.03, high),
        (radius * 0.93, high * 0.99),
        (radius * 0.88, high * 0.86),
        (0, high * 0.86),
    ]
    forms.lathe("pot", line, clay, (x, y, 0), 96, 3, 0.004, x)
    forms.lathe("soil", [(0, high * 0.92), (radius * 0.92, high * 0.90)], soil, (x, y, 0), 48, 1)


def lavender(at, radius, herb, flower, seed):
    """A tuft of grey-green leaves and flower spikes on thin stalks."""
    rng = np.random.default_rng(seed)
    plants.bush(
        "lavender leaves",
        (at[0], at[1], at[2] + radius * 0.55),
        radius * 1.05,
        herb,
        seed,
        1100,
        0.055,
        0.13,
        "olive",
        0.75,
    )
    spots, stalks = [], []
    for _ in range(75):
        turn, lean = rng.uniform(0, 6.28), rng.uniform(0.05, 0.75)
        d = np.array([math.cos(turn) * lean, math.sin(turn) * lean, 1.0])
        d /= np.linalg.norm(d)
        start = np.array(at) + np.array(
            (
                math.cos(turn) * radius * 0.5 * lean,
                math.sin(turn) * radius * 0.5 * lean,
                radius * 0.5,
            )
        )
        tip = start + d * radius * rng.uniform(1.5, 2.1)
        stalks += [(start + (tip - start) * t, d) for t in (0.0, 0.3, 0.6)]
        for t in np.linspace(0, 0.062, 9):
            for _ in range(4):
                spots.append((tip + d * t, d * 0.6 + rng.normal(0, 0.5, 3)))
    plants.leaves("lavender flowers", spots, flower, "oval", 0.014, 0.55, seed, 0.3, 3)
    plants.leaves("lavender stalks", stalks, herb, "blade", radius * 0.72, 0.016, seed, 0.1, 2)


def cypress(x, y, high, dark):
    """A far cypress: leaves on a slim spindle."""
    rng = np.random.default_rng(int(100 * x) + 7)
    spots = []
    for _ in range(2600):
        t = rng.random() ** 0.8
        r = 0.34 * math.sin(math.pi * min(1, t * 0.92 + 0.08)) ** 0.7 * (1 - 0.3 * t)
        a = rng.uniform(0, 6.28)
        spots.append(
            (
                (x + r * math.cos(a), y + r * math.sin(a), t * high),
                (0.4 * math.cos(a), 0.4 * math.sin(a), 1),
            )
        )
    plants.leaves("cypress", spots, dark, "olive", 0.16, 0.3, 3, 0.3, 3)


def lantern(at):
    """A black iron lantern with a candle behind glass."""
    iron = surfaces.plain("iron", (0.022, 0.022, 0.021), 0.5, Metallic=0.4)
    x, y, _ = at
    w, h = 0.085, 0.30
    forms.bar("base", (0.20, 0.20, 0.018), (x, y, 0.012), iron, 0.003, (0, 0, 20))
    forms.bar("top", (0.20, 0.20, 0.014), (x, y, h + 0.02), iron, 0.003, (0, 0, 20))
    c, s = math.cos(math.radians(20)), math.sin(math.radians(20))
    for i in (-1, 1):
        for j in (-1, 1):
            px, py = x + c * i * w - s * j * w, y + s * i * w + c * j * w
            forms.bar("edge", (0.011, 0.011, h), (px, py, 0.02 + h / 2), iron, 0.002, (0, 0, 20))
    forms.lathe(
        "roof",
        forms.points(".105 0; .06 .045; .035 .06; .033 .075; 0 .08"),
        iron,
        (x, y, h + 0.026),
        4,
        1,
    ).rotation_euler = (0, 0, math.radians(65))
    ring = [
        (x + 0.03 * math.cos(a) * c, y + 0.03 * math.cos(a) * s, h + 0.133 + 0.03 * math.sin(a))
        for a in np.linspace(0, 6.283, 30)[:-1]
    ]
    forms.tube("ring", ring, 0.0035, iron, smooth=False, closed=True)
    forms.lathe(
        "candle",
        forms.points("0 0; .034 0; .035 .004; .035 .13; .031 .136; 0 .128"),
        surfaces.plain("wax", (0.74, 0.68, 0.56), 0.5, Subsurface_Weight=0.2),
        (x, y, 0.022),
        56,
        2,
    )
