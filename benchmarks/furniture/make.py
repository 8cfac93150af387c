"""Renders the furniture samples: `python -m benchmarks.furniture.make --scene sofa --preview`.

Needs Blender as a Python module (Python 3.11: pip install bpy opencv-python-headless pillow).
Each scene costs a few minutes on one core. Same scene, same Blender, same seed: same picture.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.furniture.studio import masks
from benchmarks.furniture.studio.scene import NAMES

HERE = Path(__file__).parent
SAMPLES = HERE / "samples"


def main(arguments: list[str] | None = None) -> None:
    """The command line; see --help."""
    parser = argparse.ArgumentParser(prog="benchmarks.furniture.make", description=__doc__)
    parser.add_argument("--scene", action="append", choices=NAMES, help="again for more; all")
    parser.add_argument("--preview", action="store_true", help="320 × 240, few samples")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--samples", type=int, help="a pixel; default: the scene's own number")
    parser.add_argument("--width", type=int, help="of the picture; its height is 3/4 of it")
    parser.add_argument(
        "--photo-only", action="store_true", help="only the picture with the object"
    )
    parser.add_argument("--out", type=Path, default=SAMPLES, help="a folder a scene is made here")
    asked = parser.parse_args(arguments)
    _need_blender()
    for name in asked.scene or NAMES:
        started = time.time()
        folder = asked.out / name
        _one(name, folder, asked)
        print(f"{name}: {time.time() - started:.0f} s -> {folder}", flush=True)


def _need_blender() -> None:
    try:
        importlib.import_module("bpy")
    except ImportError as error:
        raise SystemExit(
            "Rendering needs Blender as a Python module: use Python 3.11 and pip install bpy."
        ) from error


def _one(name: str, folder: Path, asked: argparse.Namespace) -> None:
    """Renders one scene and writes its folder."""
    import bpy

    from benchmarks.furniture.studio import render

    scene = importlib.import_module("benchmarks.furniture.scenes." + name.replace("-", "_"))
    width = asked.width or (320 if asked.preview else 1024)
    samples = asked.samples or (24 if asked.preview else scene.ABOUT.samples)
    render.fresh()
    built = scene.build()
    render.setup(built, (width, width * 3 // 4), samples, asked.threads, scene.ABOUT.seed)
    folder.mkdir(parents=True, exist_ok=True)
    photo = render.picture()
    _jpeg(photo, folder / "photo.jpg")
    if asked.photo_only:
        return
    clean, _ = render.without(built.object, photo, built, samples, asked.threads, scene.ABOUT.seed)
    _jpeg(clean, folder / "clean.jpg")
    coverage = render.coverage(built.object)
    for kind, mask in masks.four(photo, clean, coverage, scene.ABOUT.seed).items():
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"{kind}.png", optimize=True)
    facts = scene.ABOUT.facts(bpy.app.version_string, samples)
    (folder / "sample.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")


def _jpeg(pixels: Any, path: Path) -> None:
    Image.fromarray(pixels).save(path, quality=95, subsampling=0, optimize=True)


if __name__ == "__main__":
    main()
