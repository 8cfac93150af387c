"""The two inpainting methods of OpenCV: quick, smooth, and blind to texture."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from infill.engines.base import EngineCard, Progress, SizeRule, option
from infill.engines.checked import Checked

# Smooth fills need little context. In a photo of one row or column OpenCV 4 and 5 read beyond
# the border (their index of the row above is 1 where there is only row 0), hence the minimum.
SIZE = SizeRule(minimum=4, context=0.0, context_min=128)


@dataclass(frozen=True)
class OpenCVOptions(Checked):
    """Options of both methods."""

    radius: int = option(
        3, "How far around a pixel known ones are looked for, in pixels.", low=1, high=100
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "radius", int(self.radius))


class OpenCVEngine:
    """`cv2.inpaint` by the method that OpenCV calls `flag`."""

    flag: ClassVar[str]
    Options: ClassVar[type] = OpenCVOptions

    def fill(
        self,
        pixels: NDArray[np.float32],
        mask: NDArray[np.bool_],
        options: OpenCVOptions,
        rng: np.random.Generator,
        progress: Progress,
    ) -> NDArray[np.float32]:
        """See `infill.engines.base.Engine.fill`; the algorithm draws no random numbers."""
        import cv2

        return _inpaint(pixels, mask, options.radius, getattr(cv2, self.flag), progress)


class Telea(OpenCVEngine):
    """Fast marching from the border inwards (Telea 2004)."""

    card: ClassVar[EngineCard] = EngineCard(
        name="telea",
        family="classical",
        summary="fast marching; quick and smooth, for scratches and dust",
        authors="Alexandru Telea",
        published="2004",
        architecture="fast marching, weighted averages along the front (OpenCV)",
        paper="An Image Inpainting Technique Based on the Fast Marching Method, "
        "J. Graphics Tools 9(1), 2004",
        licence="Apache-2.0",
        commercial_use=True,
        size=SIZE,
    )
    flag = "INPAINT_TELEA"


class NavierStokes(OpenCVEngine):
    """Isophotes carried into the hole as a fluid's flow would (Bertalmío et al. 2001)."""

    card: ClassVar[EngineCard] = EngineCard(
        name="navier-stokes",
        family="classical",
        summary="carries edges into the hole; quick and smooth, for scratches and dust",
        authors="Marcelo Bertalmío, Andrea L. Bertozzi, Guillermo Sapiro",
        published="2001",
        architecture="Navier–Stokes image transport along the front (OpenCV)",
        paper="Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting, CVPR 2001",
        licence="Apache-2.0",
        commercial_use=True,
        size=SIZE,
    )
    flag = "INPAINT_NS"


def _inpaint(
    pixels: NDArray[np.float32], mask: NDArray[np.bool_], radius: int, flag: int, progress: Progress
) -> NDArray[np.float32]:
    """`cv2.inpaint` at the depth that the photo had.

    OpenCV takes 8-bit colour, or one channel of 32-bit floats. Where every value is a step of
    8 bits the photo was an 8-bit one, and the result is OpenCV's own to the byte. Otherwise the
    channels go one by one as floats in 0 to 255 (both methods have terms and a rounding bias
    of one grey level in 255, so at any other scale they go wrong), which keeps a 16-bit photo
    free of 8-bit steps.
    """
    import cv2

    progress(0.0, "fill")
    hole = mask.view(np.uint8)
    steps = pixels * np.float32(255)
    whole = np.rint(steps)
    if np.abs(steps - whole).max() < 1e-3:
        filled = np.asarray(cv2.inpaint(whole.astype(np.uint8), hole, radius, flag))
        progress(1.0, "fill")
        return np.multiply(filled, np.float32(1 / 255), dtype=np.float32)
    channels = []
    for index, plane in enumerate(cv2.split(steps)):
        channels.append(cv2.inpaint(plane, hole, radius, flag))
        progress((index + 1) / 3, "fill")
    merged = np.asarray(cv2.merge(channels), np.float32)
    return np.clip(merged * np.float32(1 / 255), 0, 1)
