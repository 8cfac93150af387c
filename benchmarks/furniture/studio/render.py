"""Rendering with Cycles on the CPU: the picture with the object, without it, and its pixels."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from PIL import Image

from benchmarks.furniture.studio import masks
from benchmarks.furniture.studio.nodes import Tree
from benchmarks.furniture.studio.scene import Built

SIZE = (1024, 768)


def fresh() -> None:
    """An empty file with Cycles as its renderer."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.engine = "CYCLES"


def setup(built: Built, size: tuple[int, int], samples: int, threads: int, seed: int) -> None:
    """Settings of a picture: sampling, bounces, denoiser, view transform."""
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.image_settings.compression = 15
    c = scene.cycles
    c.device, c.seed, c.samples = "CPU", seed, samples
    c.use_adaptive_sampling, c.adaptive_threshold, c.adaptive_min_samples = True, 0.04, 12
    c.use_denoising, c.denoiser = True, "OPENIMAGEDENOISE"
    c.denoising_input_passes, c.denoising_prefilter = "RGB_ALBEDO_NORMAL", "ACCURATE"
    c.max_bounces, c.diffuse_bounces, c.glossy_bounces = 8, 3, 4
    c.transmission_bounces, c.transparent_max_bounces = 6, 8
    c.sample_clamp_indirect = 6.0
    c.caustics_reflective = c.caustics_refractive = False
    c.blur_glossy = 0.6
    c.use_light_tree = False  # few lamps: the tree costs more than it saves
    view = scene.view_settings
    view.view_transform, view.look = "AgX", built.look
    view.exposure = built.exposure


def hide(things: Sequence[Any], hidden: bool) -> None:
    """Takes `things` out of the picture for every kind of ray, or puts them back."""
    for thing in things:
        thing.hide_render = hidden


def picture(part: tuple[int, int, int, int] | None = None) -> Any:
    """Renders what stands: (H, W, 3) uint8; `part` (left, top, right, bottom) only that crop."""
    view = bpy.context.scene.render
    view.use_border = view.use_crop_to_border = part is not None
    if part is not None:
        width, height = view.resolution_x, view.resolution_y
        view.border_min_x, view.border_max_x = part[0] / width, part[2] / width
        view.border_min_y, view.border_max_y = 1 - part[3] / height, 1 - part[1] / height
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        view.filepath = str(path)
        bpy.ops.render.render(write_still=True)
        return np.asarray(Image.open(path).convert("RGB")).copy()


def without(
    things: Sequence[Any], photo: Any, built: Built, samples: int, threads: int, seed: int
) -> tuple[Any, tuple[int, int, int, int]]:
    """The picture without `things`, and the part of it that was rendered again.

    A small pair of pictures tells where anything changes; only the rectangle round it is rendered
    at full size, and laid into `photo` with a soft edge. Elsewhere photo and clean are one.
    """
    height, width = photo.shape[:2]
    small = (256, 256 * height // width)
    setup(built, small, 24, threads, seed)
    before = picture()
    hide(things, True)
    after = picture()
    part = masks.changed_part(before, after, (height, width))
    setup(built, (width, height), samples, threads, seed)
    fresh_part = picture(part)
    hide(things, False)
    return masks.laid_in(photo, fresh_part, part), part


def coverage(things: Sequence[Any]) -> Any:
    """How much of each pixel shows `things`, (H, W) float in [0, 1].

    Repaints the file: the object shines white, all else is black but glass, which stays clear;
    what stands before the object hides it. The scene is of no further use afterwards.
    """
    scene = bpy.context.scene
    white, black, clear = _flat("white", 1.0), _flat("black", 0.0), _clear()
    members = set(things)
    for thing in list(scene.objects):
        if thing.type == "LIGHT":
            thing.hide_render = True
        if thing.type not in ("MESH", "CURVE"):
            continue
        if thing.name in scene.objects and thing in members:
            _repaint(thing, lambda material: white)
        else:
            _repaint(thing, lambda m: clear if m is not None and m.get("see_through") else black)
    scene.world = bpy.data.worlds.new("dark")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs[1].default_value = 0.0
    c = scene.cycles
    c.samples, c.use_adaptive_sampling, c.use_denoising = 32, False, False
    c.max_bounces, c.filter_width = 0, 1.0
    scene.view_settings.view_transform, scene.view_settings.look = "Raw", "None"
    scene.view_settings.exposure = 0.0
    return picture()[..., 0].astype(np.float64) / 255


def _repaint(thing: Any, choose: Any) -> None:
    for slot in thing.material_slots:
        material = choose(slot.material)
        slot.link = "OBJECT"
        slot.material = material


def _flat(name: str, strength: float) -> Any:
    t = Tree(name)
    shine = t.node("ShaderNodeEmission", Strength=strength)
    t.feed(t.output.inputs["Surface"], shine.outputs[0])
    return t.material


def _clear() -> Any:
    t = Tree("clear")
    t.feed(t.output.inputs["Surface"], t.node("ShaderNodeBsdfTransparent").outputs[0])
    return t.material
