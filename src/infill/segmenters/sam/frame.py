"""How a photo lies in the square that a network sees, and the way back for its masks.

The two conventions of the Segment Anything family: SAM and SAM-HQ keep the photo's proportions
and pad to the right and below; SAM 2 and SAM 3 stretch it to the square.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MASK_LOGIT = 10.0
"""A mask prompt is given as -10 (outside) to +10 (inside), as SAM 2 does with mask prompts."""


@dataclass(frozen=True)
class Frame:
    """size: (H, W) of the photo. inner: (h, w) that it takes in the square, from the top left
    corner. side: of the square, in pixels.
    """

    size: tuple[int, int]
    inner: tuple[int, int]
    side: int

    @classmethod
    def fit(cls, size: tuple[int, int], side: int, *, stretch: bool) -> "Frame":
        """The frame of a photo of `size` (H, W): stretched to the square, or its longer side
        `side` long and the rest padded.
        """
        if stretch:
            return cls(size, (side, side), side)
        scale = side / max(size)
        height, width = (max(1, int(length * scale + 0.5)) for length in size)
        return cls(size, (height, width), side)

    def place(self, xy: NDArray[np.floating]) -> Floats:
        """Places of the photo in the square. xy: (..., 2), x and y in pixels from the top left
        corner, pixel (0, 0) having its centre at (0.5, 0.5); so in what is returned.
        """
        (height, width), (inner_height, inner_width) = self.size, self.inner
        return (xy * [inner_width / width, inner_height / height]).astype(np.float32)

    def picture(
        self, pixels: NDArray[np.uint8], mean: tuple[float, ...], std: tuple[float, ...]
    ) -> Floats:
        """What the network sees: (3, side, side) float32, (value / 255 - mean) / std, 0 beyond
        the photo. pixels: (H, W, 3) uint8 RGB. Resized by Pillow's bilinear filter, which
        averages where it shrinks: the networks were trained on that.
        """
        from PIL import Image

        height, width = self.inner
        small = np.asarray(
            Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
        )
        out = np.zeros((3, self.side, self.side), np.float32)
        shift, scale = np.array(mean, np.float32), np.array(std, np.float32)
        out[:, :height, :width] = ((small / np.float32(255) - shift) / scale).transpose(2, 0, 1)
        return out

    def enlarge(self, low: Floats) -> Floats:
        """A network's map of the square, (n, n) float32, as a map of the photo, (H, W) float32.

        Bilinear, pixel centres on pixel centres. Where there is padding, the map is enlarged to
        the square first, so that the photo's edge, which seldom falls between two of its cells,
        is cut where it lies.
        """
        import cv2

        low = np.ascontiguousarray(low, np.float32)
        height, width = self.inner
        if self.inner != (self.side, self.side):
            square = cv2.resize(low, (self.side, self.side), interpolation=cv2.INTER_LINEAR)
            low = np.ascontiguousarray(square[:height, :width])
        photo = cv2.resize(low, self.size[::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(photo, np.float32)

    def reduce(self, mask: NDArray[np.bool_], cells: int) -> Floats:
        """A mask of the photo, (H, W) bool, as a mask prompt: (cells, cells) float32 logits.

        A cell that the mask covers in part gets what lies between; padding is outside.
        """
        import cv2

        height, width = self.inner
        square = np.zeros((self.side, self.side), np.float32)
        square[:height, :width] = cv2.resize(
            mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA
        )
        covered = cv2.resize(square, (cells, cells), interpolation=cv2.INTER_AREA)
        return np.asarray(MASK_LOGIT * (2 * covered - 1), np.float32)
