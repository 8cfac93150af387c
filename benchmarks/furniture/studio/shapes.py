"""Hard shapes; every function returns the Blender objects that it put into the scene."""

from benchmarks.furniture.studio.rooms import books, floor, frame, skirting, wall, window
from benchmarks.furniture.studio.solids import boards, box, cylinder, lathe, rod, standing, tube

__all__ = [
    "boards",
    "books",
    "box",
    "cylinder",
    "floor",
    "frame",
    "lathe",
    "rod",
    "skirting",
    "standing",
    "tube",
    "wall",
    "window",
]
