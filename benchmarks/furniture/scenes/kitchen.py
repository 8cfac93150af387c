"""Kitchen: a steel kettle on polished dark stone before hand-glazed tiles."""

from benchmarks.furniture.studio import more_floors as floors
from benchmarks.furniture.studio import more_forms as forms
from benchmarks.furniture.studio import more_joinery as joinery
from benchmarks.furniture.studio import more_stage as stage
from benchmarks.furniture.studio import more_surfaces as surfaces
from benchmarks.furniture.studio.more_kitchen import dressing, kettle, knob, towel, trailing
from benchmarks.furniture.studio.scene import About, Built

ABOUT = About(
    name="kitchen",
    title="Kettle on a stone worktop",
    task="remove",
    object="a polished steel kettle with a walnut grip",
    simple="an empty worktop before white tiles",
    detailed="an empty stretch of polished dark soapstone worktop before hand-glazed white "
    "brick tiles, the grout lines running on straight, soft sunlight from a window at"
    " the left",
    negative="kettle, pot, jug, shadow of a kettle, blurred tiles, crooked grout lines",
    background="white glazed brick tiles above a polished dark stone worktop",
    hard="The kettle is mirrored in the polished stone and throws a shadow over tiles "
    "whose grid must run on to the pixel; its own steel mirrors the room.",
    light="both",
    camera="49 mm, level, eye height 1.36 m, f/7.1",
    seed=6,
    samples=48,
)
TOP = 0.92  # height of the worktop


def room():
    """Walls, ceiling and floor around the camera, so that steel and stone have what to mirror."""
    plaster = surfaces.wall("plaster", (0.74, 0.71, 0.65))
    white = surfaces.plain("ceiling", (0.78, 0.77, 0.74), 0.9)
    oak = surfaces.boards("floor", (0.20, 0.12, 0.06), (0.42, 0.28, 0.16))
    forms.bar("wall", (6.0, 0.2, 2.8), (0, 0.1, 1.4), plaster, 0)
    forms.bar("wall", (0.2, 4.4, 2.8), (2.9, -2.0, 1.4), plaster, 0)
    forms.bar("wall", (6.0, 0.2, 2.8), (0, -4.2, 1.4), plaster, 0)
    forms.bar("ceiling", (6.0, 4.6, 0.1), (0, -2.0, 2.75), white, 0)
    forms.bar("floor", (6.0, 4.6, 0.1), (0, -2.0, -0.05), oak, 0)
    hole = (-2.1, -0.75, 1.05, 2.3)
    joinery.wall_with_hole("wall", (-4.2, 0.1), (0, 2.8), hole, plaster, 0.2, "y", -2.1, -1)
    joinery.window_frame("window", hole, white, "y", -2.18, (2, 2))
    # A dark doorway and a cupboard behind the camera give the steel its dark stripes.
    dark = surfaces.plain("dark", (0.05, 0.045, 0.04), 0.7)
    forms.bar("doorway", (0.9, 0.02, 2.1), (0.9, -4.09, 1.05), dark, 0)
    forms.bar("cupboard", (1.1, 0.5, 2.2), (-1.0, -3.85, 1.1), oak, 0.004)


def tiles():
    """Running bond of 13 x 6.5 cm tiles on grout, from the worktop to below the shelf."""
    glaze = surfaces.glaze("tile", (0.70, 0.69, 0.63), 0.14, 0.20, 0.30)
    grout = surfaces.plain("grout", (0.47, 0.45, 0.41), 0.95, bump=0.3)
    forms.bar("grout", (4.6, 0.006, 0.66), (0, -0.003, TOP + 0.33), grout, 0)
    spots = floors.brick_bond(-2.2, 2.2, TOP, TOP + 0.64, 0.132, 0.0645, 0.003)
    floors.slabs("tiles", spots, glaze, 0.0018, 0.009, 0.006, 3, (0, 0, 0), upright=True)


def cabinets():
    """Painted shaker fronts with brass knobs under a stone top with a shadow gap."""
    paint = surfaces.plain("paint", (0.145, 0.175, 0.13), 0.42, bump=0.05, scale=90)
    brass = surfaces.metal("brass", (0.71, 0.50, 0.24), 0.24)
    dark = surfaces.plain("dark", (0.03, 0.03, 0.028), 0.8)
    top = surfaces.stone(
        "soapstone", (0.042, 0.045, 0.046), (0.42, 0.42, 0.40), 0.10, 0.30, 1.3, (0.075, 0.08, 0.08)
    )
    forms.bar("carcass", (4.6, 0.54, 0.78), (0, -0.28, 0.49), paint, 0)
    forms.bar("plinth", (4.6, 0.5, 0.1), (0, -0.25, 0.05), dark, 0)
    forms.bar("worktop", (4.6, 0.635, 0.036), (0, -0.3175, TOP - 0.018), top, 0.004)
    width = 0.56
    for k in range(-4, 4):
        x = k * width + 0.17
        drawer = k % 2 == 0
        spans = [(0.70, 0.868), (0.43, 0.694), (0.13, 0.424)] if drawer else [(0.13, 0.868)]
        for low, high in spans:
            joinery.panel(
                "front",
                x + 0.002,
                x + width - 0.002,
                low,
                high,
                -0.57,
                paint,
                0.062 if high - low > 0.2 else 0.038,
                0.02,
                0.008,
            )
            if drawer:
                knob((x + width / 2, -0.572, (low + high) / 2), brass)
            else:
                knob((x + width - 0.045, -0.572, high - 0.09), brass)


def shelf():
    """An oak shelf on brass brackets with bowls, plates and glasses, and a rail below it."""
    oak = surfaces.boards("oak", (0.24, 0.135, 0.062), (0.50, 0.33, 0.185), 0, 0.45)
    brass = surfaces.metal("brass", (0.71, 0.50, 0.24), 0.26)
    z = 1.66
    forms.bar("shelf", (2.35, 0.235, 0.034), (0.18, -0.125, z), oak, 0.004)
    for x in (-0.72, 0.18, 1.08):
        forms.bar("bracket", (0.014, 0.20, 0.010), (x, -0.115, z - 0.022), brass, 0.002)
        forms.bar("bracket", (0.014, 0.010, 0.12), (x, -0.014, z - 0.075), brass, 0.002)
    cream = surfaces.pottery("cream", (0.66, 0.62, 0.54), 0.35, 0.25)
    blue = surfaces.pottery("slate", (0.16, 0.20, 0.22), 0.4, 0.2)
    sand = surfaces.pottery("sand", (0.47, 0.37, 0.27), 0.55, 0.5)
    top = z + 0.0172
    bowl = forms.points(
        "0 0; .035 0; .038 .004; .06 .022; .076 .058; .078 .062; .074 .059; "
        ".057 .026; .03 .01; 0 .009"
    )
    for k in range(4):
        forms.lathe(
            "bowl", bowl, (cream, sand)[k == 3], (-0.48, -0.125, top + 0.018 * k), 64, 4, 0.0008, k
        )
    plate = forms.points(
        "0 0; .06 0; .065 .004; .115 .016; .118 .019; .112 .018; .064 .008; 0 .007"
    )
    for k in range(7):
        forms.lathe(
            "plate", plate, (cream, blue)[k in (2, 3)], (-0.16, -0.125, top + 0.0095 * k), 64, 4
        )
    clear = surfaces.glass("glass", (0.97, 0.99, 0.98))
    tumbler = forms.points("0 0; .028 0; .031 .003; .036 .1; .0355 .101; .034 .1; .029 .012; 0 .01")
    for x, y in ((0.12, -0.09), (0.205, -0.15), (0.285, -0.09)):
        forms.lathe("tumbler", tumbler, clear, (x, y, top), 48, 3)
    jug = forms.points(
        "0 0; .05 0; .055 .006; .068 .06; .062 .12; .042 .165; .046 .2; .043 .199; "
        ".039 .165; .058 .12; .06 .06; .04 .012; 0 .01"
    )
    forms.lathe("jug", jug, sand, (0.50, -0.125, top), 64, 5, 0.001, 5)
    forms.tube(
        "jug handle",
        [
            (0.55, -0.125, top + 0.175),
            (0.60, -0.125, top + 0.16),
            (0.612, -0.125, top + 0.11),
            (0.565, -0.125, top + 0.055),
        ],
        [0.007, 0.0085, 0.008, 0.007],
        sand,
    )
    for k, (size, mat) in enumerate(((0.075, cream), (0.06, blue))):
        forms.lathe(
            "cup",
            [
                (0, 0),
                (0.028, 0),
                (0.038, 0.012),
                (0.041, size),
                (0.039, size),
                (0.035, 0.014),
                (0, 0.008),
            ],
            mat,
            (0.72 + 0.11 * k, -0.11 - 0.03 * k, top),
            48,
            4,
            0.0006,
            k,
        )
    pot = forms.points("0 0; .045 0; .048 .004; .062 .1; .063 .104; .058 .103; .05 .08; 0 .08")
    forms.lathe(
        "plant pot",
        pot,
        surfaces.pottery("terra", (0.45, 0.20, 0.11), 0.8, 0.1),
        (1.05, -0.12, top),
        64,
        3,
    )
    trailing((1.05, -0.12, top + 0.085))


def rail():
    """A brass rail with hooks: a linen towel, a ladle and a whisk of steel."""
    brass = surfaces.metal("brass", (0.71, 0.50, 0.24), 0.22)
    z, y = 1.475, -0.05
    forms.tube("rail", [(-1.0, y, z), (1.0, y, z)], 0.006, brass, smooth=False)
    for x in (-0.97, 0.0, 0.97):
        forms.tube("post", [(x, 0, z), (x, y, z)], 0.005, brass, smooth=False)
    linen = surfaces.cloth(
        "linen", (0.62, 0.58, 0.50), 500, True, 0.2, 0.95, 0.3, (0.30, 0.05, 0), (0.22, 0.07, 0.05)
    )
    towel(linen, -0.62, y, z)
    steel = surfaces.metal("steel", (0.60, 0.59, 0.57), 0.25)
    for x, kind in ((-0.33, "ladle"), (-0.22, "turner")):
        forms.tube(
            "hook",
            [
                (x, y, z - 0.004),
                (x, y - 0.008, z + 0.008),
                (x, y - 0.012, z - 0.004),
                (x, y - 0.010, z - 0.03),
                (x, y - 0.003, z - 0.035),
            ],
            0.0018,
            brass,
        )
        forms.tube(
            kind,
            [(x, y - 0.006, z - 0.032), (x, y - 0.004, z - 0.20), (x, y - 0.008, z - 0.24)],
            [0.0045, 0.0035, 0.003],
            steel,
        )
        if kind == "ladle":
            cup = forms.points(
                "0 0; .02 .003; .036 .018; .04 .036; .0385 .036; .034 .019; .019 .005; 0 .002"
            )
            forms.lathe("ladle cup", cup, steel, (x, y - 0.012, z - 0.268), 48, 4)
        else:
            forms.bar(
                "turner blade", (0.06, 0.002, 0.085), (x, y - 0.008, z - 0.275), steel, 0.0008
            )


def build():
    """Build the kitchen; the object is the kettle."""
    room()
    tiles()
    cabinets()
    shelf()
    rail()
    dressing(TOP)
    parts = kettle((-0.02, -0.33, TOP))
    stage.world((0.75, 0.85, 1.0), 0.9)
    stage.area((-2.35, -1.42, 1.68), (0, -1.0, 1.1), (1.25, 1.35), 85, (0.92, 0.96, 1.0))
    stage.area((0.4, -3.0, 2.68), (0.4, -2.4, 0), (2.2, 1.4), 18, (1.0, 0.93, 0.84))
    stage.sun((1.0, 0.45, -0.33), 10.0, 0.9, (1.0, 0.86, 0.68))
    stage.camera((0.10, -2.95, 1.36), (0.10, 0, 1.3), 49, (0, -0.055), 7.1, (0, -0.33, 1.0))
    return Built(parts, exposure=0.15)
