"""Light: sky, sun, soft boxes and what is seen through a window. Power in watts, as Blender's."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from benchmarks.furniture.studio import mesh
from benchmarks.furniture.studio.mesh import Triple
from benchmarks.furniture.studio.nodes import Tree, linear


def world(
    colour: str = "#dfe8f2",
    strength: float = 0.6,
    seen: str | None = None,
    seen_strength: float = 1.0,
) -> None:
    """An even sky. `seen`: another colour for what the camera itself sees of it."""
    tree = _world_tree()
    lit = tree.nodes["Background"]
    lit.inputs[0].default_value, lit.inputs[1].default_value = linear(colour), strength
    if seen:
        _seen_apart(tree, lit, linear(seen), seen_strength)


def sun_and_sky(
    elevation: float = 32.0,
    azimuth: float = 40.0,
    sun: float = 3.5,
    sky: float = 0.12,
    angle: float = 0.6,
    warmth: str = "#fff0dc",
    seen: str | None = None,
    seen_strength: float = 1.0,
) -> Any:
    """A physical sky and a sun lamp. `azimuth`: degrees from +y towards +x of where the sun is.

    `angle`: the sun's width in degrees (0.5 in nature; more is softer). `sky`: strength.
    """
    tree = _world_tree()
    node = tree.nodes.new("ShaderNodeTexSky")
    node.sky_type, node.sun_disc = "MULTIPLE_SCATTERING", False
    node.sun_elevation = np.radians(elevation)
    node.sun_rotation = np.radians(azimuth)
    lit = tree.nodes["Background"]
    tree.links.new(node.outputs[0], lit.inputs[0])
    lit.inputs[1].default_value = sky
    if seen:
        _seen_apart(tree, lit, linear(seen), seen_strength)
    e, a = np.radians(elevation), np.radians(azimuth)
    toward = Vector((np.cos(e) * np.sin(a), np.cos(e) * np.cos(a), np.sin(e)))
    data = bpy.data.lights.new("sun", "SUN")
    data.energy, data.angle, data.color = sun, np.radians(angle), linear(warmth)[:3]
    lamp = bpy.data.objects.new("sun", data)
    bpy.context.scene.collection.objects.link(lamp)
    lamp.rotation_euler = toward.to_track_quat("Z", "Y").to_euler()
    return lamp


def _world_tree() -> Any:
    made = bpy.data.worlds.new("world")
    made.use_nodes = True
    bpy.context.scene.world = made
    return made.node_tree


def _seen_apart(tree: Any, lit: Any, colour: Any, strength: float) -> None:
    """Shows the camera a plain colour while the room is lit by another."""
    plain = tree.nodes.new("ShaderNodeBackground")
    plain.inputs[0].default_value, plain.inputs[1].default_value = colour, strength
    path, blend = tree.nodes.new("ShaderNodeLightPath"), tree.nodes.new("ShaderNodeMixShader")
    tree.links.new(path.outputs["Is Camera Ray"], blend.inputs[0])
    tree.links.new(lit.outputs[0], blend.inputs[1])
    tree.links.new(plain.outputs[0], blend.inputs[2])
    tree.links.new(blend.outputs[0], tree.nodes["World Output"].inputs[0])


def area(
    at: Triple,
    toward: Triple,
    size: tuple[float, float],
    power: float,
    colour: str = "#ffffff",
    spread: float = 180.0,
    reflected: bool = True,
) -> Any:
    """A soft box at `at` shining at `toward`; the camera doesn't see it, mirrors may."""
    data = bpy.data.lights.new("area", "AREA")
    data.shape, data.size, data.size_y = "RECTANGLE", *size
    data.energy, data.color, data.spread = power, linear(colour)[:3], np.radians(spread)
    lamp = bpy.data.objects.new("area", data)
    bpy.context.scene.collection.objects.link(lamp)
    lamp.location = at
    lamp.rotation_euler = (Vector(at) - Vector(toward)).to_track_quat("Z", "Y").to_euler()
    lamp.visible_camera, lamp.visible_glossy = False, reflected
    return lamp


def portal(
    width: float, height: float, at: Triple, toward: Triple, power: float, colour: str = "#e6f0ff"
) -> Any:
    """The sky's light entering by a window: a soft box in the opening. Place it just inside."""
    return area(at, toward, (width, height), power, colour, spread=150.0, reflected=False)


def bulb(at: Triple, power: float, colour: str = "#ffd6a0", radius: float = 0.03) -> Any:
    data = bpy.data.lights.new("bulb", "POINT")
    data.energy, data.color, data.shadow_soft_size = power, linear(colour)[:3], radius
    lamp = bpy.data.objects.new("bulb", data)
    bpy.context.scene.collection.objects.link(lamp)
    lamp.location = at
    lamp.visible_camera = False
    return lamp


def spot(
    at: Triple,
    toward: Triple,
    power: float,
    angle: float = 50.0,
    blend: float = 0.4,
    colour: str = "#ffe2bd",
    radius: float = 0.03,
) -> Any:
    data = bpy.data.lights.new("spot", "SPOT")
    data.energy, data.color, data.shadow_soft_size = power, linear(colour)[:3], radius
    data.spot_size, data.spot_blend = np.radians(angle), blend
    lamp = bpy.data.objects.new("spot", data)
    bpy.context.scene.collection.objects.link(lamp)
    lamp.location = at
    lamp.rotation_euler = (Vector(at) - Vector(toward)).to_track_quat("Z", "Y").to_euler()
    return lamp


def garden(
    at: Triple,
    width: float = 8.0,
    height: float = 5.0,
    strength: float = 1.6,
    turn: Triple = (0, 0, 0),
    horizon: float = 0.42,
) -> Any:
    """A blurred garden under a pale sky, shining by itself, for what lies beyond a window.

    `at`: middle of its foot; it faces -y. `horizon`: share of its height that is green.
    """
    t = Tree("garden")
    uv = t.xyz(t.coords("UV"))
    where = t.join(uv.x * (width / height), uv.y, 0.0)
    clumps = t.noise(where, 7, 5, 0.62)
    crowns = t.noise(where, 2.6, 3)
    line = uv.y - (crowns - 0.5) * 0.35
    green = t.ramp(clumps, (0.28, "#35492c"), (0.5, "#6d8a52"), (0.72, "#b9c98e"))
    sky = t.ramp(uv.y, (horizon, "#f4f6f4"), (1.0, "#cfe0f0"))
    base = t.mix(line.smooth(horizon - 0.05, horizon + 0.07), green, sky)
    base = t.mix(0.22, base, "#ffffff")
    shine = t.node("ShaderNodeEmission", Color=base, Strength=strength)
    t.feed(t.output.inputs["Surface"], shine.outputs[0])
    x, z = width / 2, height
    thing = mesh.add(
        "garden",
        [(-x, 0, 0), (x, 0, 0), (x, 0, z), (-x, 0, z)],
        [(0, 1, 2, 3)],
        t.material,
        smooth=False,
        uv=[(0, 0), (1, 0), (1, 1), (0, 1)],
        at=at,
        turn=turn,
    )
    thing.visible_shadow = False
    return thing
