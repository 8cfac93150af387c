"""Soft and thin things: cloth, rugs, leather, paper, leaves, prints. Import from `materials`."""

from __future__ import annotations

from typing import Any

from benchmarks.furniture.studio.hard import between
from benchmarks.furniture.studio.nodes import Tree, Value, linear


def fabric(
    colour: str = "#a9a397",
    second: str | None = None,
    thread: float = 0.0032,
    rough: float = 0.92,
    sheen: float = 0.35,
    heather: float = 0.5,
    kind: str = "weave",
    stripes: tuple[str, float, float] | None = None,
) -> Any:
    """Upholstery cloth. `kind`: weave, linen, boucle, knit or velvet; `thread` in metres.

    `stripes`: (axis, period, share) paints bands of `second` across the cloth.
    """
    t = Tree("fabric")
    own = t.random()
    vector = t.moved(t.coords(), t.join(own * 7, own * 11, own * 3))
    p = t.xyz(vector)
    slubs = (
        sum(
            (
                t.noise(t.stretched(vector, stretch), 0.55 / thread, 1)
                for stretch in ((0.07, 1, 1), (1, 0.07, 1), (1, 1, 0.07))
            ),
            start=Value(t, t.node("ShaderNodeValue").outputs[0]) * 0.0,
        )
        / 3
    )
    turn = 3.14159 / thread
    threads = ((p.x * turn).sin() * (p.z * turn + p.y * turn).sin()) * 0.5 + 0.5
    if kind == "boucle":
        height = t.cells(vector, 0.42 / thread) * -1.0 + 1.0
        depth = thread * 0.9
    elif kind == "knit":
        slant = (p.x * turn * 0.5).sin().abs() * thread * 0.7
        height = ((p.z + p.y + slant) * turn * 0.9).sin() * 0.35 + (p.x * turn * 0.5).sin().abs()
        depth = thread * 0.55
    elif kind == "velvet":
        height, depth = t.noise(vector, 900, 2), 0.0003
    elif kind == "linen":
        height, depth = slubs * 1.4 + threads * 0.25, thread * 0.34
    else:
        height, depth = slubs * 0.8 + threads * 0.6, thread * 0.42
    dark = between(colour, second or "#000000", 0.3 * heather if second is None else heather)
    pale = between(colour, "#ffffff", 0.16 * heather)
    base = t.ramp(slubs, (0.40, dark), (0.5, linear(colour)), (0.60, pale))
    if stripes and second:
        axis, period, share = stripes
        band = ((getattr(t.xyz(), axis) / period).fract()).below(share)
        base = t.mix(band, base, second)
    base = t.brightened(base, t.noise(vector, 4.0, 3) * 0.16 + 0.92)
    if kind == "boucle":
        base = t.brightened(base, height * 0.5 + 0.62)
    return t.finish(
        base,
        rough,
        t.bump(height, depth, 0.8),
        Sheen_Weight=sheen,
        Sheen_Roughness=0.45,
        Specular_IOR_Level=0.2,
    )


def rug(
    colour: str = "#d9cfbd",
    second: str = "#4b4a48",
    pattern: str = "plain",
    size: float = 0.12,
    pile: float = 0.004,
) -> Any:
    """A rug seen from above. Patterns: plain, stripes, checker, diamond, herringbone, border."""
    t = Tree("rug")
    vector = t.coords()
    wobble = (t.noise(vector, 45, 2) - 0.5) * size * 0.10
    p = t.xyz(vector)
    x, y = (p.x + wobble) / size, (p.y + wobble) / size
    mask = {
        "plain": lambda: x * 0.0,
        "stripes": lambda: (x * 0.5).fract().below(0.5),
        "checker": lambda: ((x.floor() + y.floor()) * 0.5).fract().above(0.25),
        "diamond": lambda: (
            (((x * 0.5).fract() - 0.5).abs() + ((y * 0.35).fract() - 0.5).abs() - 0.5)
            .abs()
            .below(0.055)
        ),
        "herringbone": lambda: ((x.fract() - 0.5).abs() * 2 + y * 1.6).fract().below(0.5),
    }[pattern]()
    tufts = t.noise(t.stretched(vector, (1, 1, 0.3)), 0.9 / pile, 2, 0.65)
    shade = t.noise(vector, 7, 2)
    base = t.brightened(t.mix(mask, colour, second), tufts * 0.7 + shade * 0.3 + 0.5)
    return t.finish(
        base, 0.95, t.bump(tufts, pile * 0.8, 0.9), Sheen_Weight=0.4, Specular_IOR_Level=0.1
    )


def leather(colour: str = "#8a4f2d", rough: float = 0.42) -> Any:
    """Aniline leather: pebbled grain, worn tone."""
    t = Tree("leather")
    vector = t.coords()
    pebbles = t.cells(t.moved(vector, t.join((t.noise(vector, 120, 2) - 0.5) * 0.006, 0.0)), 260)
    wear = t.noise(vector, 5, 5, 0.6)
    base = t.brightened(colour, wear * 0.7 + 0.65)
    return t.finish(
        base,
        wear * 0.25 + (rough - 0.12),
        t.bump(pebbles * 0.7 + t.noise(vector, 22, 4) * 0.8, 0.0016, 0.5),
    )


def paper(colour: str = "#f3efe6", rough: float = 0.85) -> Any:
    t = Tree("paper")
    fine = t.noise(t.coords(), 500, 3)
    return t.finish(t.brightened(colour, fine * 0.06 + 0.97), rough, t.bump(fine, 0.0002, 0.4))


def pages(colour: str = "#ece3d0") -> Any:
    """The edge of a book block: fine lines of paper along every axis but z... seen stacked."""
    t = Tree("pages")
    p = t.xyz()
    lines = t.scatter(t.join((p.x * 1400).floor(), 0.0))
    return t.finish(t.brightened(colour, lines * 0.22 + 0.84), 0.9)


def leaf(colour: str = "#3f6b35", second: str = "#7c9a4e", gloss: float = 0.35) -> Any:
    """A leaf: two-sided, lets light through, with ribs. Uses UV: u along the leaf, v across."""
    t = Tree("leaf")
    own = t.attribute("leaf")
    uv = t.xyz(t.coords("UV"))
    side = (uv.y - 0.5).abs()
    ribs = ((uv.x - side * 0.7) * 62).sin() * 0.5 + 0.5
    middle = 1 - side.smooth(0.0, 0.035)
    base = t.mix(own * 0.75 + t.noise(t.coords(), 12, 3) * 0.35 - 0.1, colour, second)
    base = t.mix(middle * 0.45 + ribs * 0.06, base, "#a9bd7c")
    t.finish(base, gloss, t.bump(ribs * 0.4 + middle, 0.0008, 0.5))
    translucent = t.node("ShaderNodeBsdfTranslucent")
    t.feed(translucent.inputs["Color"], t.brightened(base, 1.5))
    blend = t.node("ShaderNodeMixShader", Fac=0.3)
    t.feed(blend.inputs[1], t.shader.outputs[0])
    t.feed(blend.inputs[2], translucent.outputs[0])
    t.feed(t.output.inputs["Surface"], blend.outputs[0])
    return t.material


def sheer(colour: str = "#f7f4ee", clear: float = 0.35, thread: float = 0.0035) -> Any:
    """Curtain voile: part clear, part letting light through, part reflecting it."""
    t = Tree("sheer")
    vector = t.coords()
    slubs = t.noise(t.stretched(vector, (1, 1, 0.05)), 0.5 / thread, 2)
    t.finish(t.brightened(colour, slubs * 0.16 + 0.9), 0.95, Specular_IOR_Level=0.0)
    through = t.node("ShaderNodeBsdfTranslucent", Color=linear(colour))
    cloth = t.node("ShaderNodeMixShader", Fac=0.5)
    t.feed(cloth.inputs[1], t.shader.outputs[0])
    t.feed(cloth.inputs[2], through.outputs[0])
    hole = t.node("ShaderNodeBsdfTransparent")
    blend = t.node("ShaderNodeMixShader")
    t.feed(blend.inputs[0], slubs * 0.3 + (clear - 0.15))
    t.feed(blend.inputs[1], cloth.outputs[0])
    t.feed(blend.inputs[2], hole.outputs[0])
    t.feed(t.output.inputs["Surface"], blend.outputs[0])
    t.material["see_through"] = clear > 0.5
    return t.material


def shade(colour: str = "#f3e9d6", glow: float = 0.0) -> Any:
    """A lampshade: cloth that light shines through; `glow` adds the lit bulb's own light."""
    t = Tree("shade")
    weave = t.noise(t.stretched(t.coords(), (1, 1, 0.1)), 260, 2)
    t.finish(
        t.brightened(colour, weave * 0.2 + 0.88),
        0.9,
        t.bump(weave, 0.0006, 0.5),
        Emission_Color=colour,
        Emission_Strength=glow,
    )
    through = t.node("ShaderNodeBsdfTranslucent", Color=linear(colour))
    blend = t.node("ShaderNodeMixShader", Fac=0.45)
    t.feed(blend.inputs[1], t.shader.outputs[0])
    t.feed(blend.inputs[2], through.outputs[0])
    t.feed(t.output.inputs["Surface"], blend.outputs[0])
    return t.material


def cane(colour: str = "#cfa873", cell: float = 0.012, axes: str = "xz") -> Any:
    """Woven cane: strands both ways and holes between them, cut by alpha."""
    t = Tree("cane")
    p = t.xyz()
    u, v = getattr(p, axes[0]) / cell, getattr(p, axes[1]) / cell
    strand_u, strand_v = (u.fract() - 0.5).abs(), (v.fract() - 0.5).abs()
    slant = ((u + v).fract() - 0.5).abs()
    solid = strand_u.below(0.26).max(strand_v.below(0.26)).max(slant.below(0.10))
    over = ((u.floor() + v.floor()) * 0.5).fract().above(0.25)
    height = (0.5 - strand_u) * over + (0.5 - strand_v) * (1 - over)
    base = t.brightened(colour, t.noise(t.coords(), 60, 3) * 0.5 + 0.72)
    return t.finish(base, 0.5, t.bump(height, cell * 0.2, 0.7), Alpha=solid)


def picture(
    style: str = "shapes",
    seed: float = 0.0,
    colours: tuple[str, ...] = ("#efe6d8", "#c98f5f", "#33424a", "#8a9a86"),
) -> Any:
    """An abstract print for a frame (UV): shapes, hills or brush."""
    t = Tree("picture")
    uv = t.xyz(t.coords("UV"))
    u, v = uv.x, uv.y
    flat = t.join(u + seed * 3.7, v + seed * 1.9, seed)
    base: Any = linear(colours[0])
    if style == "hills":
        for step, colour in enumerate(colours[1:]):
            ridge = t.noise(t.join(u * (1.3 + step) + seed * 5, step * 3.1, seed), 1.4, 4)
            base = t.mix(v.below((ridge - 0.5) * 0.5 + (0.62 - 0.19 * step)), base, colour)
        disc = ((u - 0.68).pow(2.0) + (v - 0.78).pow(2.0)).below(0.008)
        base = t.mix(disc, base, colours[1])
    elif style == "brush":
        for step, colour in enumerate(colours[1:]):
            streak = t.noise(t.stretched(flat, (0.5, 5.0, 1)), 2.2 + step, 5, 0.6, 0.6)
            base = t.mix(streak.smooth(0.56, 0.6) * 0.9, base, colour)
            flat = t.moved(flat, (1.3, 2.1, 0.4))
    else:
        for step, colour in enumerate(colours[1:]):
            cx, cy = 0.32 + 0.2 * ((step * 2 + seed) % 3) / 1.3, 0.7 - 0.19 * step
            wobble = (t.noise(flat, 2.4, 2) - 0.5) * 0.16
            radius = ((u - cx).pow(2.0) + ((v - cy) * 0.9).pow(2.0)).pow(0.5) + wobble
            base = t.mix(radius.below(0.24 - 0.03 * step), base, colour)
    grain = t.noise(t.stretched(flat, (40, 55, 1)), 6, 3)
    return t.finish(t.brightened(base, grain * 0.12 + 0.93), 0.85)
