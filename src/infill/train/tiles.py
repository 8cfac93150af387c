"""Pictures side by side."""

import numpy as np
from numpy.typing import NDArray


def arranged(
    pictures: NDArray[np.uint8], scale: int = 1, gap: int = 2, columns: int = 0
) -> NDArray[np.uint8]:
    """Pictures (N, H, W, 3) side by side on white, each pixel drawn `scale` × `scale` large; in
    so many columns, or (0) in about as many as rows; uint8 RGB."""
    count, height, width = pictures.shape[:3]
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    tall, wide = height * scale + gap, width * scale + gap
    sheet = np.full((rows * tall + gap, columns * wide + gap, 3), 255, np.uint8)
    for index, picture in enumerate(pictures):
        top, left = gap + index // columns * tall, gap + index % columns * wide
        large = picture.repeat(scale, axis=0).repeat(scale, axis=1)
        sheet[top : top + tall - gap, left : left + wide - gap] = large
    return sheet
