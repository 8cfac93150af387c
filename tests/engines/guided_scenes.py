"""Scenes and targets made on the spot: textured ground, and an object on another ground."""

import cv2
import numpy as np

from infill.picture import Picture


def texture(shape: tuple[int, int], colour: tuple[int, int, int], seed: int) -> np.ndarray:
    """(H, W, 3) uint8: grass or gravel of a colour, with grain of several sizes."""
    rng = np.random.default_rng(seed)
    grain = np.zeros(shape, np.float32)
    for size in (1, 2, 5):
        noise = rng.standard_normal(shape).astype(np.float32)
        grain += cv2.GaussianBlur(noise, (0, 0), size) * size * 6
    return np.clip(np.array(colour) + grain[..., None], 0, 255).astype(np.uint8)


def disc(shape: tuple[int, int], row: float, column: float, radius: float) -> np.ndarray:
    """(H, W) bool, True within `radius` of a point."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    return np.hypot(y - row, x - column) <= radius


def bottle(shape: tuple[int, int], left: int, top: int, size: int) -> np.ndarray:
    """(H, W) bool: an upright thing with a neck, `size` high and half as wide."""
    mask = np.zeros(shape, np.bool_)
    mask[top + size // 3 : top + size, left : left + size // 2] = True
    mask[top : top + size // 3, left + size // 6 : left + size // 2 - size // 6] = True
    return mask


def target(thing: np.ndarray, colour: tuple[int, int, int] = (200, 40, 30)) -> Picture:
    """A photo of a red object, lit from the left, on grey ground."""
    pixels = texture(thing.shape, (120, 125, 130), 5)
    shade = np.linspace(1.15, 0.75, thing.shape[1])[None, :, None]
    pixels[thing] = (
        np.clip(np.array(colour) * shade, 0, 255)
        .astype(np.uint8)
        .repeat(thing.shape[0], axis=0)[thing]
    )
    return Picture(pixels)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union."""
    return float((one & other).sum() / (one | other).sum())
