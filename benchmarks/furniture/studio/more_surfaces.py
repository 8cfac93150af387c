"""Materials of the kitchen, hallway, armchair, mirror and terrace scenes.

Each function returns a new material. Colours are linear RGB in [0, 1]. Textures are in object
coordinates (metres) unless a docstring says UV, so that they keep their scale on any object.
"""

from benchmarks.furniture.studio.more_cloth import boucle, cloth
from benchmarks.furniture.studio.more_nodes import Nodes

__all__ = [
    "Nodes",
    "boards",
    "boucle",
    "cloth",
    "glass",
    "glaze",
    "leaf",
    "metal",
    "mirror_glass",
    "plain",
    "pottery",
    "rattan",
    "stone",
    "wall",
]


def leaf(name="leaf", dark=(0.02, 0.06, 0.015), light=(0.10, 0.19, 0.05), rough=0.45, through=0.3):
    """Leaves that differ in colour one from another and let some light through."""
    n = Nodes(name)
    each = n.add("NewGeometry").outputs["Random Per Island"]
    colour = n.ramp(
        each,
        [
            (0.0, dark),
            (0.55, tuple((a + b) / 2 for a, b in zip(dark, light, strict=True))),
            (1.0, light),
        ],
    )
    front = n.add("BsdfPrincipled", Base_Color=colour, Roughness=rough)
    glow = n.add("BsdfTranslucent", Color=n.mix(0.5, colour, (0.25, 0.35, 0.05)))
    both = n.add("MixShader", i0=through, i1=front.outputs[0], i2=glow.outputs[0])
    out = n.add("OutputMaterial")
    n.tree.links.new(both.outputs[0], out.inputs[0])
    return n.material


def boards(
    name="boards",
    dark=(0.16, 0.08, 0.035),
    light=(0.36, 0.21, 0.10),
    axis=0,
    rough=0.45,
    vary=0.35,
    grain=1.0,
    grey=0.0,
    coat=0.0,
    uv=False,
):
    """Wood with its grain along `axis` (0, 1, 2) of the object, each object and island its own.

    vary is how much boards differ in lightness; grey in [0, 1] weathers it; coat adds varnish.
    uv takes UV coordinates in metres instead, for slabs that are turned within one mesh.
    """
    n = Nodes(name)
    stretch = [14.0, 14.0, 14.0]
    stretch[axis] = 0.9
    each = n.math(
        "ADD",
        n.add("NewGeometry").outputs["Random Per Island"],
        n.add("ObjectInfo").outputs["Random"],
    )
    shift = n.add(
        "CombineXYZ",
        i0=n.math("MULTIPLY", each, 37.0),
        i1=n.math("MULTIPLY", each, 91.0),
        i2=n.math("MULTIPLY", each, 53.0),
    ).outputs[0]
    source = n.add(
        "VectorMath",
        {"operation": "ADD"},
        i0=n.add("TexCoord").outputs["UV" if uv else "Object"],
        i1=shift,
    ).outputs[0]
    where = n.add("Mapping", Vector=source, Scale=tuple(stretch)).outputs[0]
    broad = n.add("TexNoise", Vector=where, Scale=0.55, Detail=3.0, Distortion=0.6).outputs[0]
    rings = n.math("PINGPONG", n.math("MULTIPLY", broad, 8.0 * grain), 1.0)
    thin = [s * 9 for s in stretch]
    thin[axis] = 5.0
    fibre = n.noise(n.add("Mapping", Vector=source, Scale=tuple(thin)).outputs[0], 1.0, 4, 0.6)
    pores = n.ramp(
        n.noise(
            n.add("Mapping", Vector=source, Scale=tuple(2.5 * t for t in thin)).outputs[0], 1.0, 2
        ),
        [(0.30, 0.0), (0.42, 1.0)],
    )
    share = n.math("ADD", n.math("MULTIPLY", rings, 0.45), n.math("MULTIPLY", fibre, 0.7))
    colour = n.mix(n.math("SUBTRACT", share, 0.15, clamp=True), dark, light)
    colour = n.mix(0.35, colour, n.mix(1.0, colour, pores, "MULTIPLY"))
    lift = n.math(
        "MULTIPLY_ADD", n.math("FRACT", n.math("MULTIPLY", each, 7.31)), vary, 1 - vary / 2
    )
    colour = n.mix(1.0, colour, lift, "MULTIPLY")
    if grey:
        bleach = n.math(
            "MULTIPLY", n.math("MULTIPLY_ADD", n.noise(where, 0.8, 3), 0.8, 0.3), grey, clamp=True
        )
        colour = n.mix(bleach, colour, (0.34, 0.31, 0.27))
    height = n.math("ADD", n.math("MULTIPLY", fibre, 0.6), n.math("MULTIPLY", pores, 0.5))
    dull = n.math("MULTIPLY_ADD", fibre, 0.25, rough - 0.1)
    return n.done(
        Base_Color=colour,
        Roughness=dull,
        Coat_Weight=coat,
        Coat_Roughness=0.2,
        Normal=n.bump(height, 0.22, 0.0012),
    )


def wall(name="wall", colour=(0.72, 0.68, 0.61), rough=0.85, lumps=0.15, trowel=0.0):
    """Painted plaster: fine roller bump, faint blots; trowel > 0 makes it limewashed and uneven."""
    n = Nodes(name)
    where = n.place()
    fine = n.noise(where, 160, 3)
    broad = n.noise(where, 2.3, 5, 0.6)
    cloud = n.noise(n.place(scale=(1, 1, 0.7)), 5.5, 6, 0.65)
    tone = n.math("MULTIPLY_ADD", n.math("SUBTRACT", broad, 0.5), 0.10 + 0.45 * trowel, 1.0)
    tone = n.math("MULTIPLY_ADD", n.math("SUBTRACT", cloud, 0.5), 0.04 + 0.35 * trowel, tone)
    shade = n.mix(1.0, colour, tone, "MULTIPLY")
    height = n.math(
        "ADD", n.math("MULTIPLY", fine, 0.25), n.math("MULTIPLY", cloud, 0.3 + 3 * trowel)
    )
    return n.done(
        Base_Color=shade,
        Roughness=rough,
        Specular_IOR_Level=0.3,
        Normal=n.bump(height, lumps + 0.3 * trowel, 0.004),
    )


def glaze(name="glaze", colour=(0.72, 0.70, 0.64), rough=0.12, vary=0.16, wave=0.35):
    """Hand-glazed tile or pottery: each island a little different in tone, with a wavy gloss."""
    n = Nodes(name)
    where = n.place()
    geometry = n.add("NewGeometry")
    each = geometry.outputs["Random Per Island"]
    tone = n.math("MULTIPLY_ADD", each, vary, 1 - vary / 2)
    tone = n.math("MULTIPLY_ADD", n.math("SUBTRACT", n.noise(where, 26, 4), 0.5), vary * 0.7, tone)
    shade = n.mix(1.0, colour, tone, "MULTIPLY")
    shift = n.add(
        "VectorMath",
        {"operation": "ADD"},
        i0=where,
        i1=n.add("CombineXYZ", i0=n.math("MULTIPLY", each, 40.0)).outputs[0],
    ).outputs[0]
    height = n.noise(shift, 16, 2)
    return n.done(
        Base_Color=shade,
        Roughness=rough,
        Coat_Weight=0.3,
        Coat_Roughness=0.05,
        Normal=n.bump(height, wave, 0.006),
    )


def pottery(name="pottery", colour=(0.55, 0.47, 0.38), rough=0.6, speck=0.4, throw=0.4):
    """Stoneware or terracotta: turning rings, specks and a chalky blot."""
    n = Nodes(name)
    where = n.place()
    rings = n.noise(n.place(scale=(4, 4, 130)), 1.0, 3)
    spots = n.ramp(n.noise(where, 190, 1), [(0.27, 0.45), (0.33, 1.0)])
    cloud = n.noise(where, 9, 5, 0.6)
    shade = n.mix(1.0, colour, n.math("MULTIPLY_ADD", cloud, 0.45, 0.78), "MULTIPLY")
    shade = n.mix(speck, shade, n.mix(1.0, shade, spots, "MULTIPLY"))
    height = n.math(
        "ADD", n.math("MULTIPLY", rings, throw), n.math("MULTIPLY", n.noise(where, 260, 2), 0.3)
    )
    return n.done(
        Base_Color=shade,
        Roughness=n.math("MULTIPLY_ADD", cloud, 0.3, rough - 0.15),
        Normal=n.bump(height, 0.3, 0.003),
    )


def stone(
    name="stone",
    colour=(0.06, 0.06, 0.062),
    vein=(0.45, 0.43, 0.40),
    rough=0.1,
    amount=0.5,
    scale=1.6,
    cloud=(0.11, 0.105, 0.10),
):
    """Polished stone with veins: warped noise crossing one half, thin where the amount is low."""
    n = Nodes(name)
    where = n.place()
    warp = n.mix(0.5, where, n.noise(where, scale * 1.3, 5, out=1), "ADD")
    line = n.math("ABSOLUTE", n.math("SUBTRACT", n.noise(warp, scale, 8, 0.6), 0.5))
    veins = n.ramp(line, [(0.0, 1.0), (0.012 + 0.02 * amount, 0.25), (0.07, 0.0)])
    thin = n.math("ABSOLUTE", n.math("SUBTRACT", n.noise(warp, scale * 3.7, 6), 0.5))
    hair = n.ramp(thin, [(0.0, 0.5), (0.012, 0.0)])
    base = n.mix(n.noise(warp, scale * 2, 6), colour, cloud)
    fade = n.math(
        "MULTIPLY", n.math("ADD", veins, n.math("MULTIPLY", hair, 0.5)), amount * 1.6, clamp=True
    )
    shade = n.mix(n.math("MULTIPLY", fade, n.noise(where, scale * 1.1, 2), clamp=True), base, vein)
    speck = n.math("MULTIPLY_ADD", n.noise(where, 420, 2), 0.25, 0.88)
    shade = n.mix(1.0, shade, speck, "MULTIPLY")
    return n.done(
        Base_Color=shade,
        Roughness=n.math("MULTIPLY_ADD", n.noise(where, 30, 3), 0.06, rough - 0.03),
        Specular_IOR_Level=0.5,
    )


def metal(name="metal", colour=(0.62, 0.61, 0.59), rough=0.22, brush=None, smudge=0.12):
    """Metal with smudges; brush is the axis (0, 1, 2) along which it is brushed."""
    n = Nodes(name)
    where = n.place()
    stain = n.noise(where, 14, 5, 0.65)
    dull = n.math("MULTIPLY_ADD", stain, smudge, rough - smudge / 2)
    inputs = {}
    if brush is not None:
        stretch = [700.0, 700.0, 700.0]
        stretch[brush] = 6.0
        line = n.noise(n.place(scale=tuple(stretch)), 1.0, 2)
        inputs["Normal"] = n.bump(line, 0.06, 0.0008)
        dull = n.math("ADD", dull, n.math("MULTIPLY", line, 0.12))
    return n.done(Base_Color=colour, Metallic=1.0, Roughness=dull, **inputs)


def glass(name="glass", colour=(1, 1, 1), rough=0.0, ior=1.45):
    """Solid glass; shadow rays pass through it tinted, so no caustics are needed."""
    n = Nodes(name)
    body = n.add(
        "BsdfPrincipled", Base_Color=colour, Roughness=rough, IOR=ior, Transmission_Weight=1.0
    )
    clear = n.add("BsdfTransparent", Color=tuple(0.92 * c for c in colour))
    n.material["see_through"] = True  # the object's mask looks through it
    ray = n.add("LightPath").outputs["Is Shadow Ray"]
    both = n.add("MixShader", i0=ray, i1=body.outputs[0], i2=clear.outputs[0])
    out = n.add("OutputMaterial")
    n.tree.links.new(both.outputs[0], out.inputs[0])
    return n.material


def plain(name, colour, rough=0.5, sheen=0.0, coat=0.0, bump=0.0, scale=200, **more):
    """One colour with a touch of unevenness: paint, wax, soil, paper."""
    n = Nodes(name)
    where = n.place()
    tone = n.math("MULTIPLY_ADD", n.noise(where, 7, 4), 0.16, 0.92)
    inputs = dict(
        Base_Color=n.mix(1.0, colour, tone, "MULTIPLY"),
        Roughness=rough,
        Sheen_Weight=sheen,
        Coat_Weight=coat,
        **more,
    )
    if bump:
        inputs["Normal"] = n.bump(n.noise(where, scale, 3), bump, 0.002)
    return n.done(**inputs)


def mirror_glass(name="mirror"):
    """A silvered mirror: clean, very slightly green."""
    n = Nodes(name)
    return n.done(Base_Color=(0.88, 0.90, 0.885), Metallic=1.0, Roughness=0.004)


def rattan(name="rattan", colour=(0.42, 0.26, 0.12), dark=(0.16, 0.085, 0.035)):
    """Cane or rope fibre: streaks along the strand (UV v or object noise), darker in the gaps."""
    n = Nodes(name)
    where = n.place()
    each = n.add("NewGeometry").outputs["Random Per Island"]
    streak = n.noise(where, 130, 4)
    tone = n.math("ADD", n.math("MULTIPLY", streak, 0.8), n.math("MULTIPLY", each, 0.35))
    shade = n.mix(n.math("SUBTRACT", tone, 0.1, clamp=True), dark, colour)
    return n.done(Base_Color=shade, Roughness=0.55, Normal=n.bump(streak, 0.25, 0.001))
