"""What sheets of pictures and tables share: sizes, captions, marked holes, Markdown."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont


@cache
def font(size: int) -> "Font":
    """The font that comes with Pillow, so that a sheet looks the same everywhere."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def plain(text: str) -> str:
    """The text on one line, with what that font can draw."""
    return text.replace("×", "x").replace("–", "-").replace("\n", " ")


def cut(text: str, width: float, size: int) -> str:
    """`plain(text)`, its end replaced by "..." if it is wider than `width` pixels."""
    text, drawn = plain(text), font(size)
    if drawn.getlength(text) <= width:
        return text
    while text and drawn.getlength(text + "...") > width:
        text = text[:-1]
    return text.rstrip() + "..."


def fitted(pixels: NDArray[np.uint8], longest: int, *, enlarge: bool = False) -> NDArray[np.uint8]:
    """(h, w, 3) uint8: the picture with its longest side at `longest` pixels.

    A smaller one is left alone unless `enlarge`.
    """
    import cv2

    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    if scale == 1 or (scale > 1 and not enlarge):
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=way), np.uint8)


def overlay(pixels: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[Any]:
    """(H, W, 3) uint8: the 8-bit photo with what is under the mask tinted magenta."""
    tinted = pixels.copy()
    tint = np.array([255, 0, 200], dtype=np.float32)
    tinted[mask] = (0.4 * tinted[mask] + 0.6 * tint).astype(np.uint8)
    return tinted


def eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """uint8 or uint16 pixels at 8 bits."""
    return pixels if pixels.dtype == np.uint8 else np.asarray(pixels >> 8, np.uint8)


def markdown(
    head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()
) -> str:
    """A table in Markdown; `right` are the columns of figures."""
    rule = ["---:" if column in right else "---" for column in range(len(head))]
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [list(head), rule, *cells])
