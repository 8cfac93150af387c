"""G'MIC's `inpaint_matchpatch`, timed by G'MIC itself.

G'MIC runs as a process: its own clock (`-tic`, `-toc`) goes round the fill alone, so that
neither the start of the process nor the reading and writing of files counts against it.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

ELAPSED = re.compile(r"Elapsed time: (?:(\d+) (?:min|mn) )?([0-9.eE+-]+) s")


class GmicFailed(RuntimeError):
    """G'MIC ended with an error, or said nothing that can be read as a time."""


def why_missing() -> str | None:
    """None if G'MIC is there, else a line for a person."""
    if shutil.which("gmic"):
        return None
    return "gmic is not installed (on Debian and Ubuntu: apt install gmic)"


def elapsed(said: str) -> float:
    """Seconds between -tic and -toc, out of what G'MIC printed.

    Raises `GmicFailed` if it printed no time, or more than one.
    """
    found = ELAPSED.findall(said)
    if len(found) != 1:
        raise GmicFailed(f"expected one elapsed time, but G'MIC said: {said.strip()[-500:]!r}")
    minutes, seconds = found[0]
    return 60 * float(minutes or 0) + float(seconds)


def version() -> str:
    """`2.9.4`, or "unknown"."""
    said = subprocess.run(["gmic", "version"], capture_output=True, text=True, check=False)
    found = re.search(r"Version\s+([0-9.]+)", said.stdout + said.stderr)
    return found[1] if found else "unknown"


def matchpatch(
    pixels: NDArray[np.uint8], hole: NDArray[np.bool_], timeout: float = 600
) -> tuple[NDArray[np.uint8], float]:
    """Fill with the command's default parameters, as a user would type it.

    pixels: (H, W, 3) uint8 RGB, hole: (H, W) bool. Returns the fill, uint8, and seconds.
    Raises `GmicFailed`.
    """
    with tempfile.TemporaryDirectory(prefix="infill-gmic-") as folder:
        photo, mask, out = (str(Path(folder) / name) for name in ("p.png", "m.png", "o.png"))
        _write(photo, np.ascontiguousarray(pixels[..., ::-1]))
        _write(mask, hole.astype(np.uint8) * 255)
        order = ["gmic", photo, mask, "-tic", "-inpaint_matchpatch[0]", "[1]", "-toc"]
        done = subprocess.run(
            [*order, "-output[0]", out],
            env=os.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        said = done.stdout + done.stderr
        filled = cv2.imread(out, cv2.IMREAD_COLOR) if done.returncode == 0 else None
        if filled is None:
            raise GmicFailed(f"exit code {done.returncode}: {said.strip()[-500:]!r}")
    return np.asarray(cv2.cvtColor(filled, cv2.COLOR_BGR2RGB), np.uint8), elapsed(said)


def _write(path: str, pixels: NDArray[np.uint8]) -> None:
    if not cv2.imwrite(path, pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1]):
        raise GmicFailed(f"cannot write {path}")
