"""What a run tells: lines, a curve in JSON lines, sheets of samples, TensorBoard."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.errors import MissingExtra
from infill.files import write_atomically
from infill.lazy import need
from infill.picture import Picture

LOG = "log.jsonl"
SAMPLES = "samples"
QUALITY = 92
"""Of the sheets, which are JPEG."""


class Report:
    """Where the loop tells how it goes.

    tell:        takes lines for a person.
    folder:      of log.jsonl, samples/ and tensorboard/; None = nothing is written.
    tensorboard: whether TensorBoard's files are written too.

    Raises `MissingExtra` if TensorBoard is asked for and not installed.
    """

    def __init__(
        self,
        tell: Callable[[str], None] = print,
        folder: Path | None = None,
        *,
        tensorboard: bool = False,
    ) -> None:
        self.tell, self.folder = tell, folder
        self.writer: Any = None
        self.wanted = tensorboard and folder is not None
        if self.wanted:
            need("tensorboard", extra="train")

    def begin(self, step: int) -> None:
        """The run goes on from `step`: what an earlier leg told of later steps is forgotten."""
        if not self.wanted or self.folder is None:
            return
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except ImportError as error:
            raise MissingExtra(
                f"TensorBoard cannot be loaded ({error}); type: pip install 'infill[train]'"
            ) from error
        self.writer = SummaryWriter(str(self.folder / "tensorboard"), purge_step=step)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Figures for TensorBoard alone."""
        if self.writer is not None:
            for name, value in values.items():
                self.writer.add_scalar(name, value, step)

    def look(self, log: Sequence[Mapping[str, float]]) -> None:
        """Tell the last entry of the log; write the whole of it, one entry a line."""
        entry = log[-1]
        self.tell("  ".join(f"{name} {figure:.5g}" for name, figure in entry.items()))
        if self.folder is not None:
            text = "".join(json.dumps(dict(one)) + "\n" for one in log)
            write_atomically(self.folder / LOG, text.encode(), overwrite=True)
        self.scalars(int(entry["step"]), {f"held out/{name}": entry[name] for name in entry})

    def sheet(self, step: int, pixels: NDArray[np.uint8]) -> None:
        """Keep a sheet (H, W, 3) of samples as samples/<step>.jpg."""
        if self.folder is None:
            return
        folder = self.folder / SAMPLES
        folder.mkdir(exist_ok=True)
        path = folder / f"{step:07d}.jpg"
        Picture.from_array(pixels).save(path, overwrite=True, quality=QUALITY)
        if self.writer is not None:
            self.writer.add_image("samples", pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Bring what is held back to disk."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None


def time_left(seconds: float) -> str:
    """Seconds as a person says them: 45 s, 12 min, 3 h 05 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
