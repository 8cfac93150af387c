"""What the tests fill, and how they look at it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infill.engines.base import ENGINES, SizeRule, make_options
from infill.picture import as_picture

SMALL = SizeRule(multiple=16, minimum=32, native=64, context_min=8)
"""Sizes for tiny networks; the published ones take 512 pixels and more."""

MODELS = {"sd2": "sd"}  # presets that share a family share its tiny model
STEPS = 2


def photo(seed: int = 1) -> np.ndarray:
    """(60, 76, 3) uint8: soft colours with a little noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:60, 0:76]
    waves = np.stack([np.sin(rows / 9), np.cos(columns / 11), np.sin((rows + columns) / 13)], -1)
    return np.rint(127 + 90 * waves + rng.normal(0, 8, waves.shape)).clip(0, 255).astype(np.uint8)


def hole() -> np.ndarray:
    """(60, 76) bool; its borders lie on no cell's border."""
    mask = np.zeros((60, 76), np.bool_)
    mask[21:38, 27:47] = True
    return mask


def region() -> tuple[np.ndarray, np.ndarray]:
    """Pixels (64, 64, 3) float32, zero in the hole, and the mask: as an engine gets them."""
    mask = np.zeros((64, 64), np.bool_)
    mask[21:38, 27:43] = True
    pixels = (photo()[:, :64] / np.float32(255)).astype(np.float32)
    pixels = np.concatenate([pixels, pixels[-4:]])
    pixels[mask] = 0
    return pixels, mask


def options_for(name: str, model: Callable[[str], Path], /, **more: Any) -> dict[str, Any]:
    """Quick options of a preset on its tiny model."""
    given: dict[str, Any] = {
        "model": more.get("model") or str(model(MODELS.get(name, name))),
        "prompt": "a red boat",
        "num_inference_steps": STEPS,
        "drift": "ignore",
    }
    if name == "sdxl":
        given["strength"] = 1.0  # else one of so few steps falls away
    if name == "kandinsky":
        given |= {"prior": str(model("kandinsky-prior")), "prior_steps": 2}
    return given | more


def filled(name: str, model: Callable[[str], Path], /, seed: int = 3, **more: Any) -> np.ndarray:
    """(64, 64, 3) float32: the region filled by the engine itself."""
    return made(name, model, seed, **more).pixels


def made(name: str, model: Callable[[str], Path], /, seed: int = 3, **more: Any) -> Any:
    engine = ENGINES.get(name)
    options = make_options(engine, options_for(name, model, **more))
    pixels, mask = region()
    rng = np.random.default_rng(seed)
    return engine.fill(pixels, mask, options, rng, lambda fraction, stage: None)


def reference(seed: int = 5) -> Any:
    return as_picture(photo(seed)[:48, :48])


def shrink(name: str, patch: pytest.MonkeyPatch) -> None:
    """Let a preset take small pictures."""
    kind = type(ENGINES.get(name))
    patch.setattr(kind, "card", replace(kind.card, size=SMALL))
    patch.setattr(kind, "size_rule", lambda self, options: SMALL)
    if name == "qwen-image-edit":
        shrink_qwen_edit(patch)


def shrink_qwen_edit(patch: pytest.MonkeyPatch) -> None:
    """The library brings pictures to a megapixel there; here to 64² pixels."""
    from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_inpaint as pipeline

    plain = pipeline.calculate_dimensions
    patch.setattr(pipeline, "calculate_dimensions", lambda _, ratio: plain(64 * 64, ratio))
