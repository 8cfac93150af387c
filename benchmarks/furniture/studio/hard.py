"""Hard surfaces: wood, walls, metal, stone, tiles, glass. Import them from `materials`."""

from __future__ import annotations

from typing import Any

from benchmarks.furniture.studio.nodes import Tree, Value, linear

AXES = {"x": 0, "y": 1, "z": 2}


def _grain(t: Tree, vector: Any, along: str, scale: float) -> tuple[Value, Value]:
    """Growth rings and fibres of a board that runs `along` an axis."""
    axis = AXES[along]
    slow = [1.0, 1.0, 1.0]
    slow[axis] = 0.09
    fast = [1.0, 1.0, 1.0]
    fast[axis] = 0.03
    field = t.noise(t.stretched(vector, tuple(slow)), 3.4 * scale, 2, 0.45, 0.25)
    rings = (field * 62).sin() * 0.5 + 0.5
    fibres = t.noise(t.stretched(vector, tuple(fast)), 170 * scale, 2.5, 0.6)
    return rings, fibres


def wood(
    light: str = "#c59a6a",
    dark: str = "#8d6239",
    along: str = "x",
    rough: float = 0.42,
    scale: float = 1.0,
    spread: float = 0.16,
    coat: float = 0.0,
) -> Any:
    """Solid wood; every object gets its own piece of the grain and its own tone."""
    t = Tree("wood")
    own = t.random()
    vector = t.moved(t.coords(), t.join(own * 31, own * 17, own * 53))
    return _wooden(t, vector, along, light, dark, rough, scale, spread, coat, own)


def board_wood(
    light: str = "#c8a074",
    dark: str = "#946a40",
    rough: float = 0.38,
    scale: float = 1.0,
    spread: float = 0.26,
    coat: float = 0.0,
) -> Any:
    """Wood for `shapes.floor` and `shapes.boards`: grain along u, tone by board."""
    t = Tree("boards")
    own = t.attribute("board")
    uv = t.xyz(t.coords("UV"))
    vector = t.join(uv.x + own * 41, uv.y + own * 13, own * 29)
    return _wooden(t, vector, "x", light, dark, rough, scale, spread, coat, own)


def _wooden(
    t: Tree,
    vector: Any,
    along: str,
    light: str,
    dark: str,
    rough: float,
    scale: float,
    spread: float,
    coat: float,
    own: Value,
) -> Any:
    rings, fibres = _grain(t, vector, along, scale)
    cloudy = t.noise(vector, 1.3 * scale, 2)
    share = rings * 0.26 + fibres * 0.62 + cloudy * 0.35 - 0.12
    colour = t.ramp(share, (0.22, dark), (0.5, between(dark, light, 0.62)), (0.78, light))
    pores = fibres.smooth(0.40, 0.28)
    colour = t.mix(pores * 0.35, colour, between(dark, "#1a0f08", 0.35))
    colour = t.brightened(colour, own * spread * 2 + (1 - spread))
    height = fibres * 0.7
    return t.finish(
        colour,
        fibres * 0.22 + (rough - 0.1),
        t.bump(height, 0.0006, 0.55),
        Coat_Weight=coat,
        Coat_Roughness=0.18,
    )


def between(first: str, second: str, share: float) -> tuple[float, ...]:
    """The linear RGBA colour that lies `share` of the way from `first` to `second`."""
    a, b = linear(first), linear(second)
    return tuple(x + (y - x) * share for x, y in zip(a, b, strict=True))


def plaster(colour: str = "#e7e1d6", bumpy: float = 1.0) -> Any:
    """A painted or limewashed wall."""
    t = Tree("plaster")
    vector = t.coords()
    clouds = t.noise(vector, 1.1, 3, 0.6)
    trowel = t.noise(t.stretched(vector, (1, 1, 1.6)), 12, 4, 0.7)
    fine = trowel
    colour_out = t.brightened(colour, clouds * 0.10 + fine * 0.03 + 0.94)
    return t.finish(colour_out, 0.9, t.bump(trowel, 0.003 * bumpy, 0.45), Specular_IOR_Level=0.25)


def wallpaper(
    colour: str = "#dfe3dc", second: str = "#c2ccc1", period: float = 0.09, axis: str = "x"
) -> Any:
    """Vertical stripes of two tones with a thin line between, on paper."""
    t = Tree("wallpaper")
    vector = t.coords()
    u = (getattr(t.xyz(vector), axis) / period).fract()
    base = t.mix(u.below(0.5), colour, second)
    line = (u - 0.5).abs().below(0.02).max((u - 0.06).abs().below(0.012))
    base = t.mix(line * 0.6, base, "#8f9a8c")
    fibre = t.noise(vector, 400, 3)
    return t.finish(t.brightened(base, fibre * 0.06 + 0.97), 0.75, t.bump(fibre, 0.0004, 0.4))


def paint(colour: str = "#f1efea", rough: float = 0.35, coat: float = 0.0) -> Any:
    """Painted wood or lacquer, with the faint unevenness of a brush or a spray."""
    t = Tree("paint")
    fine = t.noise(t.coords(), 90, 3)
    return t.finish(
        t.brightened(colour, t.noise(t.coords(), 3, 2) * 0.05 + 0.975),
        fine * 0.12 + (rough - 0.06),
        t.bump(fine, 0.0003, 0.25),
        Coat_Weight=coat,
        Coat_Roughness=0.08,
    )


def metal(colour: str = "#c9c6c0", rough: float = 0.25, brushed: str | None = None) -> Any:
    """Metal; `brushed` names the axis that the brush went along."""
    t = Tree("metal")
    stretch = [1.0, 1.0, 1.0]
    if brushed:
        stretch[AXES[brushed]] = 0.01
    lines = t.noise(t.stretched(t.coords(), tuple(stretch)), 700 if brushed else 22, 3, 0.6)
    smudge = t.noise(t.coords(), 9, 3)
    normal = t.bump(lines, 0.00012, 0.35) if brushed else None
    return t.finish(
        t.brightened(colour, lines * 0.14 + 0.93),
        lines * 0.12 + smudge * 0.08 + (rough - 0.1),
        normal,
        Metallic=1.0,
        Anisotropic=0.6 if brushed else 0.0,
    )


def black_metal(rough: float = 0.45) -> Any:
    """Powder-coated steel."""
    t = Tree("black metal")
    fine = t.noise(t.coords(), 1200, 2)
    return t.finish("#1c1c1d", rough, t.bump(fine, 0.0001, 0.3), Specular_IOR_Level=0.5)


def ceramic(
    colour: str = "#ece7dd", rough: float = 0.22, speckle: float = 0.0, matt: bool = False
) -> Any:
    """Glazed (or `matt`) stoneware; `speckle` 0 to 1 strews iron spots."""
    t = Tree("ceramic")
    vector = t.coords()
    spots = t.cells(vector, 260).below(0.16) * t.noise(vector, 60, 2).above(0.52) * speckle
    base = t.mix(spots, t.brightened(colour, t.noise(vector, 14, 4) * 0.12 + 0.94), "#5b4330")
    throwing = t.noise(t.stretched(vector, (0.4, 0.4, 7)), 16, 2)
    return t.finish(
        base,
        0.7 if matt else rough,
        t.bump(throwing, 0.0012, 0.35),
        Coat_Weight=0.0 if matt else 0.5,
        Coat_Roughness=0.06,
    )


def marble(
    colour: str = "#ece9e4", vein: str = "#85817c", scale: float = 1.0, rough: float = 0.12
) -> Any:
    """Polished marble with veins of two widths."""
    t = Tree("marble")
    own = t.random()
    vector = t.moved(t.coords(), t.join(own * 9, own * 5, own * 7))
    first = (t.noise(vector, 1.7 * scale, 5, 0.58, 1.6) - 0.5).abs()
    fine = (t.noise(vector, 4.6 * scale, 4, 0.6, 1.1) - 0.5).abs()
    lines = (1 - first.smooth(0.0, 0.045)) * 0.75 + (1 - fine.smooth(0.0, 0.02)) * 0.28
    cloud = t.noise(vector, 2.1 * scale, 4) * 0.16
    base = t.mix(lines + cloud * 0.6, colour, vein)
    return t.finish(
        base, t.noise(vector, 30, 2) * 0.06 + (rough - 0.03), Coat_Weight=0.3, Coat_Roughness=0.03
    )


def stone(colour: str = "#a8a39b", rough: float = 0.55, scale: float = 1.0) -> Any:
    """Concrete, terracotta or sandstone, by its colour."""
    t = Tree("stone")
    vector = t.coords()
    clouds, grit = t.noise(vector, 3 * scale, 6, 0.65), t.noise(vector, 140 * scale, 4, 0.7)
    holes = t.cells(vector, 70 * scale).below(0.10) * t.noise(vector, 11, 2).above(0.55)
    base = t.brightened(colour, clouds * 0.34 + grit * 0.18 + 0.74 - holes * 0.3)
    return t.finish(base, clouds * 0.2 + (rough - 0.1), t.bump(grit * 0.4 - holes, 0.0016, 0.5))


def terrazzo(colour: str = "#e4dfd6", rough: float = 0.15) -> Any:
    """Polished terrazzo: chips of several colours and sizes in a pale ground."""
    t = Tree("terrazzo")
    vector = t.coords()
    base: Any = t.brightened(colour, t.noise(vector, 20, 3) * 0.08 + 0.96)
    for scale, tone, limit in (
        (70, "#8d8378", 0.30),
        (46, "#b98d6c", 0.24),
        (110, "#4f4d4a", 0.22),
    ):
        shifted = t.moved(vector, (scale * 0.013, scale * 0.007, 0.0))
        wobbly = t.moved(shifted, t.join((t.noise(vector, 90, 2) - 0.5) * 0.012, 0.0, 0.0))
        base = t.mix(t.cells(wobbly, scale).below(limit), base, tone)
    return t.finish(base, rough, Coat_Weight=0.3, Coat_Roughness=0.05)


def tiles(
    colour: str = "#eef0ec",
    grout: str = "#b9b5ad",
    width: float = 0.2,
    height: float = 0.1,
    gap: float = 0.004,
    axes: str = "xz",
    offset: float = 0.5,
    rough: float = 0.12,
    spread: float = 0.06,
    second: str | None = None,
) -> Any:
    """Tiles in the plane of `axes`; `second` makes every other tile a second colour (checker)."""
    t = Tree("tiles")
    p = t.xyz()
    u, v = getattr(p, axes[0]) / width, getattr(p, axes[1]) / height
    row = v.floor()
    u = u + row * offset
    column = u.floor()
    fu, fv = u.fract(), v.fract()
    edge = (fu.min(1 - fu) * width).min(fv.min(1 - fv) * height)
    tile = edge.smooth(gap * 0.35, gap * 0.65)
    rounding = edge.smooth(gap * 0.3, gap * 1.6)
    own = t.scatter(t.join(column, row))
    wave = t.noise(t.join(u + own * 9, v + own * 4), 1.6, 2)
    face: Any = colour
    if second:
        face = t.mix(((column + row) * 0.5).fract().above(0.25), colour, second)
    face = t.brightened(face, own * spread * 2 + (1 - spread) + (wave - 0.5) * 0.06)
    base = t.mix(tile, grout, face)
    normal = t.bump(wave * 0.25 + rounding, 0.0018, 0.6)
    return t.finish(base, (1 - tile) * 0.6 + rough, normal)


def glass(colour: str = "#ffffff", rough: float = 0.0, ior: float = 1.45) -> Any:
    """Solid glass. Shadow rays pass tinted, since caustics are not traced."""
    t = Tree("glass")
    t.finish(colour, rough, Transmission_Weight=1.0, IOR=ior)
    _shadows_pass(t, linear(colour), 0.82)
    t.material["see_through"] = True
    return t.material


def pane() -> Any:
    """Window glass: clear, reflecting at grazing angles, casting no shadow."""
    t = Tree("pane")
    clear, mirror = (
        t.node("ShaderNodeBsdfTransparent"),
        t.node("ShaderNodeBsdfGlossy", Roughness=0.0),
    )
    fresnel = t.node("ShaderNodeFresnel", IOR=1.45)
    blend = t.node("ShaderNodeMixShader")
    t.feed(blend.inputs[0], fresnel.outputs[0])
    t.feed(blend.inputs[1], clear.outputs[0])
    t.feed(blend.inputs[2], mirror.outputs[0])
    t.feed(t.output.inputs["Surface"], blend.outputs[0])
    t.material["see_through"] = True
    return t.material


def _shadows_pass(t: Tree, tint: tuple[float, float, float, float], share: float) -> None:
    path = t.node("ShaderNodeLightPath")
    clear = t.node("ShaderNodeBsdfTransparent")
    clear.inputs[0].default_value = (*(c * share for c in tint[:3]), 1.0)
    blend = t.node("ShaderNodeMixShader")
    t.feed(blend.inputs[0], path.outputs["Is Shadow Ray"])
    t.feed(blend.inputs[1], t.shader.outputs[0])
    t.feed(blend.inputs[2], clear.outputs[0])
    t.feed(t.output.inputs["Surface"], blend.outputs[0])


def mirror(rough: float = 0.0) -> Any:
    return Tree("mirror").finish((0.92, 0.93, 0.92, 1.0), rough, Metallic=1.0)


def light(colour: str = "#fff1dc", strength: float = 5.0) -> Any:
    """A surface that shines."""
    return Tree("light").finish("#000000", 0.5, Emission_Color=colour, Emission_Strength=strength)
