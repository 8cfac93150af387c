"""Camera, lamps and sky of a scene: a level camera with lens shift, window portals, a sun."""

import math

import bpy
from mathutils import Vector


def empty_stage():
    """Forget whatever the file holds."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy.context.scene


def camera(at, toward, lens=40.0, shift=(0.0, 0.0), fstop=5.6, focus=None):
    """A level camera at `at` that looks at the x, y of `toward`; shift moves the picture only.

    focus is the point in focus (default: toward). Verticals stay vertical.
    """
    data = bpy.data.cameras.new("camera")
    thing = bpy.data.objects.new("camera", data)
    bpy.context.scene.collection.objects.link(thing)
    thing.location = at
    turn = math.atan2(toward[0] - at[0], toward[1] - at[1])
    thing.rotation_euler = (math.pi / 2, 0, -turn)
    data.lens = lens
    data.sensor_width = 36
    data.shift_x, data.shift_y = shift
    data.clip_start = 0.02
    data.dof.use_dof = True
    data.dof.aperture_fstop = fstop
    data.dof.aperture_blades = 8
    point = Vector(focus or (toward[0], toward[1], at[2]))
    forward = Vector((math.sin(turn), math.cos(turn), 0))
    data.dof.focus_distance = (point - Vector(at)).dot(forward)
    bpy.context.scene.camera = thing
    return thing


def area(at, toward, size, watts, colour=(1, 1, 1), spread=180, seen=False):
    """A rectangular lamp (size x, y in metres) that shines from `at` to `toward`.

    seen False hides it from the camera's own rays, not from reflections.
    """
    data = bpy.data.lights.new("area", "AREA")
    data.shape = "RECTANGLE"
    data.size, data.size_y = size
    data.energy = watts
    data.color = colour
    data.spread = math.radians(spread)
    thing = bpy.data.objects.new("area", data)
    thing.location = at
    thing.rotation_euler = (Vector(toward) - Vector(at)).to_track_quat("-Z", "Y").to_euler()
    thing.visible_camera = seen
    bpy.context.scene.collection.objects.link(thing)
    return thing


def sun(toward, strength=4.0, size=0.6, colour=(1.0, 0.93, 0.82)):
    """Sunlight that travels along `toward`; size is the sun's angle in degrees."""
    data = bpy.data.lights.new("sun", "SUN")
    data.energy = strength
    data.angle = math.radians(size)
    data.color = colour
    thing = bpy.data.objects.new("sun", data)
    thing.rotation_euler = Vector(toward).to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.collection.objects.link(thing)
    return thing


def world(colour=(0.6, 0.7, 0.85), strength=1.0):
    """An even sky of one colour."""
    data = bpy.data.worlds.new("world")
    bpy.context.scene.world = data
    if data.node_tree is None:
        data.use_nodes = True
    node = data.node_tree.nodes.get("Background")
    node.inputs[0].default_value = (*colour, 1)
    node.inputs[1].default_value = strength
    return data


def sky(elevation=45.0, turn=0.0, strength=0.15, haze=1.0):
    """A physical sky without its sun disc (give the sun by `sun`, which makes less noise)."""
    data = world((0, 0, 0), strength)
    tree = data.node_tree
    node = tree.nodes.new("ShaderNodeTexSky")
    node.sky_type = "SINGLE_SCATTERING"
    node.sun_disc = False
    node.sun_elevation = math.radians(elevation)
    node.sun_rotation = math.radians(turn)
    node.aerosol_density = haze
    tree.links.new(node.outputs[0], tree.nodes["Background"].inputs[0])
    return data
