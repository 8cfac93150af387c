"""What a fill returns: the picture, the proof, and how it was made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from infill.composite import Proof
from infill.engines.base import EngineCard
from infill.errors import BadOption
from infill.recipe import KEY, Recipe, beside_path

if TYPE_CHECKING:
    from infill.picture import Picture

Keep = Literal["embed", "beside", "none"]
STAGES = ("load", "mask", "crop", "engine", "composite", "proof", "recipe")


@dataclass(frozen=True, eq=False)
class Result:
    """A filled photo.

    picture: the photo with the hole filled, at its own depth, with its own metadata.
    mask:    (H, W) bool, True = filled; not to be written.
    proof:   what was measured outside the mask, on the pixels before they are encoded.
    seconds: wall seconds by stage, the names in `STAGES`; "load" is of photo and mask.
    card:    of the engine that was asked for.
    recipe:  what made it, for `infill.replay`.
    notes:   what the caller ought to know, one sentence each.
    """

    picture: "Picture"
    mask: NDArray[np.bool_] = field(repr=False)
    proof: Proof
    seconds: Mapping[str, float]
    card: EngineCard
    recipe: Recipe
    notes: tuple[str, ...] = ()

    def save(
        self,
        path: str | PathLike[str],
        *,
        overwrite: bool = False,
        recipe: Keep = "embed",
        quality: int | None = None,
        lossless: bool | None = None,
    ) -> Path:
        """Write the picture to `path`, in the format of its extension, and return the path.

        recipe:  "embed" it in the file, or put it beside as `<name>.recipe.json` where the
                 format has no room for it; always "beside"; or "none".
        quality, lossless: see `Picture.to_bytes`.

        Raises `WouldOverwrite`, `Unwritable`, `FormatCannotHold`, and `BadOption` for another
        word for `recipe` and for what is no path.
        """
        from infill.files import check_writable, write_atomically

        path = _as_path(path)
        text = self._text(path, recipe)
        beside = self.recipe_path(path, recipe)
        if beside is not None:
            check_writable(beside, overwrite=overwrite)
        saved = self.picture.save(
            path, overwrite=overwrite, quality=quality, lossless=lossless, text=text
        )
        if beside is not None:
            content = f"{self.recipe.to_json()}\n".encode()
            write_atomically(beside, content, overwrite=overwrite)
        return saved

    def recipe_path(self, path: str | PathLike[str], recipe: Keep = "embed") -> Path | None:
        """Where `save` puts the recipe if not into the file itself: beside it, or nowhere."""
        embedded = self._text(path, recipe) is not None
        return None if embedded or recipe == "none" else beside_path(Path(path))

    def to_bytes(
        self,
        format: str,
        *,
        recipe: Keep = "embed",
        quality: int | None = None,
        lossless: bool | None = None,
    ) -> bytes:
        """The bytes of the file that `save` would write; there is no place "beside" them.

        Raises `FormatCannotHold`, and `BadOption` for another word for `recipe`.
        """
        text = self._text(format, recipe)
        return self.picture.to_bytes(format, quality=quality, lossless=lossless, text=text)

    def encoding_note(
        self,
        name: str | PathLike[str],
        *,
        quality: int | None = None,
        lossless: bool | None = None,
    ) -> str | None:
        """A sentence for the user where the format of a path or extension changes pixels, or None.

        The proof speaks of the pixels that go into the file. A lossy format changes them all a
        little when it encodes them, those outside the mask too.
        """
        from infill.picture.formats import find

        kind = find(name).name
        if lossless is None:
            lossless = kind == "WEBP" and quality is None and self.picture.metadata.lossless
        if kind not in ("JPEG", "WEBP", "AVIF") or (lossless and kind == "WEBP"):
            return None
        return (
            f"{kind} is a lossy format: encoding changes pixels a little everywhere, outside the "
            "mask too; save as .png or .tif to keep them bit for bit"
        )

    def _text(self, name: str | PathLike[str], recipe: str) -> dict[str, str] | None:
        """What to embed in a file of that name, if anything."""
        from infill.picture import holds_text

        if recipe not in ("embed", "beside", "none"):
            raise BadOption(f"recipe is 'embed', 'beside' or 'none', not {recipe!r}")
        embed = recipe == "embed" and holds_text(name)
        return {KEY: self.recipe.to_json()} if embed else None


def _as_path(path: object) -> Path:
    if not isinstance(path, str | PathLike):
        raise BadOption(
            f"a result is saved to a path, not to a {type(path).__name__}; "
            "for the bytes of the file use to_bytes"
        )
    return Path(path)
