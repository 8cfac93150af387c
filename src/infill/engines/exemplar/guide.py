"""Guiding the synthesis by a picture of what should be there, such as a network's fill.

A network knows what belongs in a hole and blurs it; patches are sharp and know nothing. So the
guide's colours, from afar, say which patches may go where: they are where the search starts, and
a term of the distance between patches (as in Image Analogies, Hertzmann et al. 2001, equation 1,
where the filtered pictures have this part).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.composite import to_depth
from infill.engines.exemplar.level import Level
from infill.engines.exemplar.simd import SIZE

Floats = NDArray[np.float32]

SHARPEST = 0.7  # pixels: the least blur of what is compared


@dataclass(frozen=True, eq=False)
class Guide:
    """What the fill should look like from afar.

    pixels: (h, w, 3) float32 in [0, 1]: the whole picture, at any size; read in the hole alone.
    blur:   how blurred it is, the standard deviation in pixels of the photo; what is compared is
            blurred so.
    pull:   what it counts, in parts of a patch's own colours. At full size it counts nothing,
            unless that is the only size: there the details decide, near what smaller sizes found.
    slack:  how far apart two colours may be for nothing, in grey levels of 255. A guide that is
            smoother than photos are would else choose the smooth ones among the patches.
    """

    pixels: Floats
    blur: float
    pull: float
    slack: int = 0

    def lay(self, levels: Sequence[Level]) -> None:
        """Give each level what it should look like, and start the coarsest with it."""
        coarsest = len(levels) - 1
        for number, level in enumerate(levels):
            if number == 0 < coarsest:
                continue
            size = (level.width, level.height)
            resized = cv2.resize(self.pixels, size, interpolation=cv2.INTER_LINEAR)
            shown = to_depth(np.asarray(resized, np.float32), level.image)
            inside = level.hole_map > 0
            if number == coarsest:
                level.image[inside, :3] = shown[inside]
            seen = np.where(inside[..., None], shown, level.image[..., :3])
            width = max(self.blur / 2**number, SHARPEST)
            low = cv2.GaussianBlur(seen, (0, 0), width, borderType=cv2.BORDER_REFLECT_101)
            level.low = np.ascontiguousarray(low, np.uint8).reshape(-1)
            level.pull, level.slack = round(self.pull * SIZE * SIZE), self.slack
