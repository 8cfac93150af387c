"""Photos and masks for the command line's tests, and two ways to run it."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from typer.testing import CliRunner

import infill
from infill.cli import app
from infill.picture import Picture

SOURCE = str(Path(infill.__file__).parents[1])


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str


def call(*args: object) -> Answer:
    """Run the command line inside this process: quick, for the many small cases."""
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(result.exit_code, result.stdout, result.stderr)


def environment(**changes: str) -> dict[str, str]:
    """This process's environment, in which a new one finds the package under test."""
    path = os.pathsep.join([SOURCE, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return dict(os.environ) | {"PYTHONPATH": path} | changes


def command(*args: object) -> list[str]:
    return [sys.executable, "-m", "infill", *(str(arg) for arg in args)]


def run(
    *args: object, stdin: bytes = b"", cwd: Path | None = None, **changes: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the command line as a process of its own, as a person does."""
    return subprocess.run(
        command(*args),
        input=stdin,
        capture_output=True,
        env=environment(**changes),
        cwd=cwd,
        timeout=120,
        check=False,
    )


def interruptible() -> None:
    """For `preexec_fn`: Ctrl-C counts, though a shell's background job is told to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def scene(height: int = 48, width: int = 64, seed: int = 0) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: a colour gradient with some grain."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    ramp = np.stack([rows * 3, columns * 2, rows + columns], axis=2) % 256
    return (ramp * 0.9 + rng.integers(0, 20, ramp.shape)).astype(np.uint8)


def hole(height: int = 48, width: int = 64) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), dtype=bool)
    mask[height // 3 : height // 2, width // 4 : width // 2] = True
    return mask


def write_photo(path: Path, **changes: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return Picture.from_array(scene(**changes)).save(path)


def write_mask(path: Path, mask: NDArray[np.bool_] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    found = hole() if mask is None else mask
    return Picture.from_array(found.astype(np.uint8) * 255).save(path)


def files_below(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
