"""What the network is shown of a region: pictures with a smooth floor, the hole in whole cells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from infill.engines.diffusers import canvas, latents
from infill.errors import FullMask
from infill.lazy import need

if TYPE_CHECKING:
    import torch

    from infill.engines.diffusers.loading import Loaded

LARGEST_REFERENCE = 1024 * 1024  # pixels that a network sees of a reference


@dataclass(frozen=True)
class Brought:
    """A reference that was brought to the region: pixels (H, W, 3) float32 in [0, 1]."""

    pixels: NDArray[np.float32]


@dataclass
class Scene:
    """What the network is shown, at the size at which it works.

    floors: (H, W, 3) float32 in [0, 1], the hole filled smoothly; hole: (H, W) bool, in whole
    cells; size: of the latents, (h, w).
    """

    floors: list[NDArray[np.float32]]
    hole: NDArray[np.bool_]
    size: tuple[int, int]
    shape: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.shape = (self.hole.shape[0], self.hole.shape[1])


def of(loaded: "Loaded", pixels: Sequence[NDArray[np.float32]], mask: NDArray[np.bool_]) -> Scene:
    """The scene of pictures (H, W, 3) that share a mask (H, W), True = hole.

    Raises `FullMask` where no whole cell is free of the hole, so the network would see nothing.
    """
    pipe, family = loaded.pipe, loaded.family
    cell = latents.cell(pipe, family)
    hole, shown = mask, list(pixels)
    shape = _working_size(loaded, hole.shape)
    if shape != hole.shape:
        shown = [resized(canvas.smooth_floor(one, hole), shape) for one in shown]
        hole = resized(hole.astype(np.float32), shape) > 1e-3
    whole = canvas.whole_cells(hole, cell)
    if whole.all():
        raise FullMask(
            f"the network sees the photo in cells of {cell}×{cell} pixels, and the mask touches "
            "every one of them, so nothing is left to fill from; use a smaller mask or more context"
        )
    floors = [canvas.smooth_floor(one, hole) for one in shown]
    factor = cell // family.patch
    return Scene(floors, whole, (shape[0] // factor, shape[1] // factor))


def _working_size(loaded: "Loaded", shape: tuple[int, ...]) -> tuple[int, int]:
    """(H, W) at which the pipeline works. Qwen's edit pipeline takes a megapixel and no other
    size; we bring the picture to it ourselves, so that mask and cells agree."""
    if loaded.family.name != "qwen-image-edit":
        return shape[0], shape[1]
    module = need(type(loaded.pipe).__module__, extra="diffusion")
    width, height, _ = module.calculate_dimensions(1024 * 1024, shape[1] / shape[0])
    return int(height), int(width)


def resized(array: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """(H, W) or (H, W, 3) at another size, in [0, 1]."""
    import cv2

    smaller = shape[0] * shape[1] < array.shape[0] * array.shape[1]
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.clip(cv2.resize(array, shape[::-1], interpolation=way), 0, 1).astype(np.float32)


def back(filled: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """What was made at the working size, at the size (H, W) that was asked for."""
    return filled if filled.shape[:2] == shape else resized(filled, (shape[0], shape[1]))


def back_mask(hole: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A mask (h, w) of the working size at the size (H, W) that was asked for: True wherever
    `back` mixes in a pixel that is True."""
    if hole.shape == shape:
        return hole
    import cv2

    wide = cv2.dilate(hole.astype(np.uint8), np.ones((5, 5), np.uint8))  # cubic: two each way
    small = (shape[0], shape[1])
    return np.asarray(resized(wide.astype(np.float32), small) > 1e-3, np.bool_)


def tensor(pictures: Sequence[NDArray[np.float32]]) -> "torch.Tensor":
    """(N, 3, H, W) float32 of pictures (H, W, 3)."""
    torch = need("torch", extra="diffusion")
    stacked = np.stack([np.clip(one, 0, 1) for one in pictures]).transpose(0, 3, 1, 2)
    found: Any = torch.from_numpy(np.ascontiguousarray(stacked, np.float32))
    return found


def pil(pixels: NDArray[np.float32]) -> Any:
    """A PIL image of (H, W, 3) float32 in [0, 1], 8 bits a channel."""
    from PIL import Image

    return Image.fromarray(np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def reference(options: Any) -> NDArray[np.float32]:
    """The reference as (H, W, 3) float32 in [0, 1]."""
    pixels: NDArray[Any] = options.reference.pixels
    if pixels.dtype.kind == "f":
        return pixels.astype(np.float32)
    return (pixels / np.float32(np.iinfo(pixels.dtype).max)).astype(np.float32)


def fitted(pixels: NDArray[np.float32], cell: int) -> NDArray[np.float32]:
    """A reference at a size that a network takes: sides whole cells, a megapixel at most."""
    height, width = pixels.shape[:2]
    scale = min(1.0, (LARGEST_REFERENCE / (height * width)) ** 0.5)
    size = [max(1, round(side * scale / cell)) * cell for side in (height, width)]
    return resized(pixels, (size[0], size[1]))
