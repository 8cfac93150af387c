"""Three small photos with a mask each, for the demo and for trying things out.

Their origin and terms are in `README.md` beside this file.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Example:
    """A photo that comes with the package, and the mask of something to remove from it."""

    name: str
    photo: Path
    mask: Path
    removes: str


_HERE = Path(__file__).parent


def _example(photo: str, removes: str) -> Example:
    path = _HERE / photo
    return Example(path.stem, path, path.with_name(f"{path.stem}_mask.png"), removes)


EXAMPLES = (
    _example("astronaut.png", "the model of the shuttle"),
    _example("coffee.png", "the spoon"),
    _example("rocket.jpg", "the two towers in the middle"),
)
