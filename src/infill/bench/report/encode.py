"""Pictures of a run as small WebP files, several at a time."""

import base64
import io
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill import sheets
from infill.errors import InfillError, Unreadable

THUMB = 240
"""Longest side of a small picture, in pixels."""

QUALITY, THUMB_QUALITY = 82, 72
EFFORT = 2
"""WebP's, 0 to 6: more takes much longer for files that are a few percent smaller."""


@dataclass(frozen=True)
class Encoded:
    """A picture as WebP. large is None where only the small one was asked for.

    problem: one sentence if it could not be read; both are then None.
    """

    small: bytes | None
    large: bytes | None = None
    problem: str = ""

    @property
    def size(self) -> int:
        """Bytes of both."""
        return len(self.small or b"") + len(self.large or b"")


class Encoder:
    """Reads pictures below a run's folder and encodes them with the threads of a pool."""

    def __init__(self, run: Path, pool: Executor) -> None:
        self._run, self._pool = run, pool

    def encode(self, files: Sequence[str], side: int | None) -> dict[str, Encoded]:
        """Every file small, and with its longest side at `side` pixels unless that is None."""
        made = self._pool.map(lambda file: self._one(file, side), files)
        return dict(zip(files, made, strict=True))

    def _one(self, file: str, side: int | None) -> Encoded:
        try:
            pixels = read(self._run, file)
        except InfillError as error:
            return Encoded(None, problem=str(error))
        small = webp(sheets.fitted(pixels, THUMB), THUMB_QUALITY)
        return Encoded(small, None if side is None else webp(sheets.fitted(pixels, side), QUALITY))

    @staticmethod
    def uri(content: bytes) -> str:
        """A WebP file as the text that a page shows it by."""
        return "data:image/webp;base64," + base64.b64encode(content).decode("ascii")


def below(run: Path, file: str) -> Path:
    """The path of a file that a row names, relative to the run's folder.

    Raises `Unreadable` if it is not below that folder: rows may come from elsewhere.
    """
    parts = PurePosixPath(file.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in file.split("/", 1)[0]:
        raise Unreadable(f"{file} lies outside the run's folder and is not shown")
    return run / parts


def read(run: Path, file: str) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: a picture of the run. Raises `PictureError` if it can't be read."""
    from infill.picture import Picture

    return sheets.eight_bits(Picture.load(below(run, file)).pixels)


def webp(pixels: NDArray[Any], quality: int) -> bytes:
    """(H, W, 3) uint8 as a lossy WebP file; the same bytes each time."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", quality=quality, method=EFFORT)
    return stream.getvalue()
