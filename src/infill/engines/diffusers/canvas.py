"""What a network is shown: the hole as whole latent cells, and a smooth floor below it.

An autoencoder turns 8×8 pixels (or 16×16, where a network takes patches) into one cell. A cell
that the hole so much as touches is made anew whole, so nothing that stood in the hole, and no
edge of its floor, is kept in a cell that half belongs to it.
"""

import numpy as np
from numpy.typing import NDArray

LEAST = 8  # pixels: a picture this small is not halved further
RELAX = 12  # passes at each size


def whole_cells(hole: NDArray[np.bool_], cell: int) -> NDArray[np.bool_]:
    """(H, W) bool: True in every cell of `cell` × `cell` pixels that the hole touches.

    hole: (H, W) bool, True = hole, both sides multiples of `cell` (ValueError otherwise).
    """
    height, width = hole.shape
    if height % cell or width % cell:
        raise ValueError(f"{width}×{height} pixels are no whole number of cells of {cell}")
    cells = hole.reshape(height // cell, cell, width // cell, cell).any((1, 3))
    return np.repeat(np.repeat(cells, cell, 0), cell, 1)


def smooth_floor(pixels: NDArray[np.float32], hole: NDArray[np.bool_]) -> NDArray[np.float32]:
    """`pixels` with the hole filled as smoothly as can be from what is known around it.

    A membrane over the hole (Laplace's equation, the rim held fast), solved coarse to fine: an
    autoencoder sees across the rim, and black there would darken what it makes of the known
    side. What `pixels` hold in the hole is not looked at.

    pixels: (H, W, 3) float32 in [0, 1]; hole: (H, W) bool with at least one False.
    """
    known = ~hole
    floor = _floor(np.where(known[..., None], pixels, 0).astype(np.float32), known)
    return np.where(known[..., None], pixels, floor).astype(np.float32)


def _floor(pixels: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The membrane; `pixels` are zero where not `known`."""
    import cv2

    height, width = known.shape
    if known.all():
        return pixels
    if min(height, width) <= LEAST:
        mean = pixels[known].mean(0) if known.any() else np.float32(0.5)
        start = np.where(known[..., None], pixels, mean).astype(np.float32)
    else:
        size = ((width + 1) // 2, (height + 1) // 2)
        share = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        half = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        some = share > 0
        half = np.where(some[..., None], half / np.where(some, share, 1)[..., None], 0)
        coarse = _floor(half.astype(np.float32), some)
        up = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
        start = np.where(known[..., None], pixels, up)
    cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
    for _ in range(RELAX):
        around = cv2.filter2D(start, -1, cross, borderType=cv2.BORDER_REPLICATE)
        start = np.where(known[..., None], pixels, around)
    return np.asarray(start, np.float32)
