"""What loading any adapter needs: names on the hub, and the error for one that does not fit."""

from pathlib import Path
from typing import TYPE_CHECKING

from infill import weights
from infill.errors import BadOption

if TYPE_CHECKING:
    from infill.engines.diffusers.loading import Loaded


def split(name: str, usual: str) -> tuple[str, str]:
    """Repository and file of "org/name/path/file.safetensors"; `usual` where it names no file.

    A file on the hub that is a pickle comes back as one, for `weights` to refuse.
    """
    parts = name.split("/")
    is_file = name.endswith((weights.SAFE, *weights.PICKLES))
    if Path(name).expanduser().exists() or not is_file or len(parts) < 3:
        return name, usual
    return "/".join(parts[:2]), "/".join(parts[2:])


def misfit(what: str, name: str, loaded: "Loaded", error: Exception) -> BadOption:
    """One sentence of what the library says of an adapter that it can't load."""
    said = str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".")
    if isinstance(error, KeyError):
        said = f"it lacks {said}"
    if "mismatch" in said:  # the library tells which option of its own would overlook that
        said = "its tensors have other shapes"
    return BadOption(
        f"{what} {name} does not fit a model of {loaded.family.name} ({said}); name one made for it"
    )
