"""A level camera: verticals stay vertical, and the picture is moved by lens shift."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from benchmarks.furniture.studio.mesh import Triple


def level(
    at: Triple,
    yaw: float = 0.0,
    lens: float = 40.0,
    shift: tuple[float, float] = (0, 0),
    focus: float | None = None,
    f_stop: float = 5.6,
) -> Any:
    """A 36 mm camera at `at` looking along +y, turned `yaw` degrees to the left, never tilted.

    `shift`: in picture widths; (0, -0.1) looks lower without converging verticals. `focus`:
    metres to the sharp plane; None is sharp everywhere.
    """
    data = bpy.data.cameras.new("camera")
    data.lens, data.sensor_width = lens, 36.0
    data.shift_x, data.shift_y = shift
    data.clip_start = 0.02
    if focus is not None:
        data.dof.use_dof, data.dof.focus_distance, data.dof.aperture_fstop = True, focus, f_stop
    eye = bpy.data.objects.new("camera", data)
    bpy.context.scene.collection.objects.link(eye)
    eye.location = at
    eye.rotation_euler = (np.radians(90), 0, np.radians(yaw))
    bpy.context.scene.camera = eye
    return eye
