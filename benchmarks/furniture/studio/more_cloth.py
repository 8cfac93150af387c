"""Woven and looped cloth. Colours are linear RGB; textures in object or UV metres."""

from benchmarks.furniture.studio.more_nodes import Nodes


def cloth_weave(n, where, threads):
    """Height (0..1) of a plain weave with `threads` threads to a unit."""
    parts = n.add("SeparateXYZ", Vector=where)
    x = n.math("MULTIPLY", parts.outputs[0], threads * 3.14159)
    y = n.math("MULTIPLY", parts.outputs[1], threads * 3.14159)
    a = n.math("ABSOLUTE", n.math("SINE", x))
    b = n.math("ABSOLUTE", n.math("SINE", y))
    flip = n.math("MULTIPLY", n.math("SINE", x), n.math("SINE", y))
    over = n.math("GREATER_THAN", flip, 0.0)
    first = n.math("MULTIPLY", a, over)
    second = n.math("MULTIPLY", b, n.math("SUBTRACT", 1.0, over))
    return n.math("ADD", first, second)


def cloth(
    name="cloth",
    colour=(0.5, 0.45, 0.38),
    threads=420,
    uv=False,
    sheen=0.25,
    rough=0.9,
    slub=0.25,
    stripe=None,
    stripe_colour=(0.05, 0.07, 0.12),
    see_through=0.0,
):
    """Woven cloth: thread bump, slubs (thicker threads), sheen; in object or UV coordinates.

    stripe = (repeat, share, axis) paints stripes of stripe_colour every `repeat` units over
    `share` of the width along axis 0 or 1. see_through in [0, 1] makes it a voile.
    """
    n = Nodes(name)
    where = n.place("UV" if uv else "Object")
    height = cloth_weave(n, where, threads)
    lumps = n.noise(n.place("UV" if uv else "Object", (30, 220, 30)), 1.0, 3)
    cross = n.noise(n.place("UV" if uv else "Object", (220, 30, 220)), 1.0, 3)
    both = n.math("ADD", lumps, cross)
    blot = n.noise(where, 3.0, 3)
    base = colour
    if stripe:
        repeat, share, axis = stripe
        part = n.add("SeparateXYZ", Vector=where).outputs[axis]
        wobble = n.math("MULTIPLY", n.math("SUBTRACT", n.noise(where, 60.0, 2), 0.5), repeat * 0.03)
        place = n.math("FRACT", n.math("DIVIDE", n.math("ADD", part, wobble), repeat))
        base = n.mix(n.math("LESS_THAN", place, share), colour, stripe_colour)
    tone = n.math("MULTIPLY_ADD", both, slub, 1.0 - slub)
    tone = n.math("MULTIPLY", tone, n.math("MULTIPLY_ADD", blot, 0.3, 0.85))
    shade = n.mix(1.0, base, tone, "MULTIPLY")
    total = n.math("ADD", height, n.math("MULTIPLY", both, 1.2))
    surface = n.add(
        "BsdfPrincipled",
        Base_Color=shade,
        Roughness=rough,
        Sheen_Weight=sheen,
        Sheen_Roughness=0.4,
        Specular_IOR_Level=0.2,
        Normal=n.bump(total, 0.35, 0.0012),
    )
    result = surface.outputs[0]
    if see_through:
        glow = n.add("BsdfTranslucent", Color=shade)
        clear = n.add("BsdfTransparent")
        veil = n.add("MixShader", i0=0.3, i1=glow.outputs[0], i2=clear.outputs[0])
        result = n.add("MixShader", i0=see_through, i1=result, i2=veil.outputs[0]).outputs[0]
    out = n.add("OutputMaterial")
    n.tree.links.new(result, out.inputs[0])
    return n.material


def boucle(name="boucle", colour=(0.62, 0.56, 0.47), scale=190):
    """Looped wool: a cellular bump with soft dark gaps."""
    n = Nodes(name)
    where = n.place()
    warp = n.mix(0.012, where, n.noise(where, 40, 3, out=1), "ADD")
    loops = n.add("TexVoronoi", {"feature": "SMOOTH_F1"}, Vector=warp, Scale=scale, Smoothness=0.4)
    gap = loops.outputs["Distance"]
    tone = n.ramp(gap, [(0.2, 1.0), (0.95, 0.72)])
    blot = n.math("MULTIPLY_ADD", n.noise(where, 5, 3), 0.3, 0.85)
    shade = n.mix(1.0, n.mix(1.0, colour, tone, "MULTIPLY"), blot, "MULTIPLY")
    height = n.math("SUBTRACT", 1.0, gap)
    return n.done(
        Base_Color=shade,
        Roughness=0.95,
        Sheen_Weight=0.35,
        Specular_IOR_Level=0.15,
        Normal=n.bump(height, 0.6, 0.003),
    )
