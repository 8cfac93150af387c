"""What made a result, written so that it can be made again.

A recipe travels in the output's metadata or beside it as JSON. It holds the mask itself, so a
replay needs nothing but the photo.
"""

import base64
import binascii
import hashlib
import json
import platform
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill import __version__
from infill.errors import BadRecipe, Unreadable
from infill.geometry import bounds, strips
from infill.masks.parse import as_mask
from infill.picture import Picture, as_picture
from infill.settings import current

FORMAT = 1  # goes up when a recipe means something else than before
KEY = "infill"  # the name under which a recipe is embedded in a picture
SUFFIX = ".recipe.json"  # what is put behind the output's name when it lies beside it
_PACKAGES = {
    "opencv": "opencv-python-headless",
    "pillow": "pillow",
    "numba": "numba",
    "onnxruntime": "onnxruntime",
}
_NETWORKS = {"torch": "torch", "diffusers": "diffusers", "transformers": "transformers"}


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the pixels of a result.

    engine, options, seed, blend, match_colour: what `infill.fill` was given, options resolved.
    opaque:        the fill made the hole opaque.
    photo:         what was hashed ("file": its bytes, "pixels": the array) and the SHA-256.
    width, height: of the photo, in pixels.
    mask:          the hole, packed (see `pack_mask`); mask_sha256: of its size and bits.
    output_sha256: of the pixels that the fill may change, as they came out, before encoding.
                   With the photo's hash it pins the whole picture.
    weights:       SHA-256 of every file of weights, by its source.
    versions:      of infill, Python and the libraries that have a say in the bytes.
    """

    engine: str
    options: Mapping[str, Any]
    seed: int
    blend: float
    match_colour: bool
    opaque: bool
    photo: tuple[str, str]
    width: int
    height: int
    mask: str = field(repr=False)
    mask_sha256: str
    output_sha256: str
    weights: Mapping[str, str]
    versions: Mapping[str, str]
    format: int = FORMAT

    def to_json(self) -> str:
        """One line of JSON, ASCII, keys in the order of the fields."""
        return json.dumps(asdict(self), separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Recipe":
        """The recipe that `to_json` wrote.

        Raises `BadRecipe` for text that is no JSON object, a key missing, unknown or of the
        wrong type, another format, or a mask that does not fit its hash.
        """
        try:
            table = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadRecipe(f"this is no recipe: it is not valid JSON ({error})") from None
        if not isinstance(table, dict) or "format" not in table:
            raise BadRecipe("this is no recipe: it is not an object with a 'format'")
        if table["format"] != FORMAT:
            raise BadRecipe(
                f"the recipe is of format {table['format']!r}, and this version of Infill "
                f"({__version__}) reads format {FORMAT}; use the version that wrote it"
            )
        _check_keys(table)
        for name, value in table.items():
            table[name] = _checked(name, value)
        recipe = cls(**table)
        limit = current().max_pixels
        if recipe.width * recipe.height > limit:
            raise BadRecipe(
                f"the recipe is for a photo of {recipe.width}×{recipe.height} pixels, and the "
                f"setting max_pixels allows {limit}"
            )
        recipe.hole()
        return recipe

    @classmethod
    def read(cls, path: str | Path) -> "Recipe":
        """The recipe of an output: embedded in the picture, beside it, or a JSON file itself.

        Raises `BadRecipe` if there is none, `Unreadable` if the file cannot be read.
        """
        from infill.picture import read_text

        path = Path(path)
        if path.suffix.lower() != ".json":
            text = read_text(path).get(KEY)
            if text is not None:
                return cls.from_json(text)
            path, picture = beside_path(path), path
            if not path.exists():
                raise BadRecipe(
                    f"{picture} holds no recipe, and there is no {path.name} beside it; "
                    "only what Infill wrote can be replayed"
                )
        try:
            return cls.from_json(path.read_bytes())
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise Unreadable(f"{path} cannot be read: {reason}") from error

    def hole(self) -> NDArray[np.bool_]:
        """The mask, (H, W) bool, True = hole. Raises `BadRecipe` if it is damaged."""
        mask = unpack_mask(self.mask, (self.height, self.width))
        if hash_mask(mask) != self.mask_sha256:
            raise BadRecipe("the recipe's mask is damaged: it does not fit its SHA-256")
        return mask

    def differences(self, other: "Recipe") -> tuple[str, ...]:
        """What in `other` (a replay) is not as it was, one sentence each; none if all is equal.

        The output is not compared here: see `same_output`.
        """
        found = []
        if self.photo != other.photo:
            mine, theirs = self.photo[0], other.photo[0]
            if mine == theirs:
                found.append("the photo is not the one that the recipe was made from")
            else:
                found.append(f"the photo was given as {mine} then and as {theirs} now")
        if self.mask_sha256 != other.mask_sha256:
            found.append("the mask is another")
        for title, then, now in (
            ("weights", self.weights, other.weights),
            ("version of", self.versions, other.versions),
        ):
            for name in sorted({*then, *now}):
                if then.get(name) != now.get(name):
                    was, is_now = then.get(name, "none"), now.get(name, "none")
                    found.append(f"{title} {name} was {was} and is {is_now}")
        return tuple(found)

    def same_output(self, other: "Recipe") -> bool:
        """Whether both made the same pixels, bit for bit, wherever the fill may change them."""
        return self.output_sha256 == other.output_sha256


def beside_path(path: str | Path) -> Path:
    """Where the recipe of `path` lies when it is not embedded: `<name>.recipe.json`."""
    path = Path(path)
    return path.with_name(path.name + SUFFIX)


def pack_mask(mask: NDArray[np.bool_]) -> str:
    """(H, W) bool as short text: "top,left,height,width:base64" of its bounding box.

    Each row is stored as where it differs from the row above, packed into bits and deflated:
    about two kilobytes for brush strokes, and never more than a sixth of a byte per pixel.
    """
    box = bounds(mask)
    turns = mask[box.slices].copy()
    turns[1:] ^= mask[box.slices][:-1]
    packed = zlib.compress(np.packbits(turns).tobytes(), 8) if turns.size else b""
    return f"{box.top},{box.left},{box.height},{box.width}:{base64.b64encode(packed).decode()}"


def unpack_mask(text: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The (H, W) bool mask that `pack_mask` packed. Raises `BadRecipe` if it is damaged."""
    mask = np.zeros(shape, np.bool_)
    place, _, data = text.partition(":")
    try:
        top, left, height, width = (int(number) for number in place.split(","))
        if height == width == 0:
            return mask
        if min(top, left) < 0 or min(height, width) < 1:
            raise ValueError(place)
        if top + height > shape[0] or left + width > shape[1]:
            raise ValueError(place)
        size = -(-height * width // 8)
        inflater = zlib.decompressobj()
        packed = inflater.decompress(base64.b64decode(data, validate=True), size)
        bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=height * width)
        turns = bits.reshape(height, width)
    except (ValueError, binascii.Error, zlib.error):
        raise BadRecipe("the recipe's mask is damaged: it cannot be unpacked") from None
    np.bitwise_xor.accumulate(turns, axis=0, out=turns)
    mask[top : top + height, left : left + width] = turns.view(np.bool_)
    return mask


def hash_mask(mask: NDArray[np.bool_]) -> str:
    """SHA-256 (hex) of a mask: its size and bounding box as text, then the bits in that box."""
    box = bounds(mask)
    head = f"{mask.shape[0]}x{mask.shape[1]}:{box.top},{box.left},{box.height},{box.width}:"
    digest = hashlib.sha256(head.encode())
    digest.update(np.packbits(mask[box.slices]).tobytes())
    return digest.hexdigest()


def hash_output(
    pixels: NDArray[Any], alpha: NDArray[Any] | None, changed: NDArray[np.bool_]
) -> str:
    """SHA-256 (hex) of a result's size, depth, and pixels and alpha where `changed` is True.

    pixels: (H, W, 3); alpha: (H, W) or None; changed: (H, W) bool. Row by row, little endian.
    """
    digest = hashlib.sha256(f"{pixels.shape}:{pixels.dtype.name}".encode())
    little = pixels.dtype.newbyteorder("<")
    box = bounds(changed)
    there = changed[box.slices]
    for array in (pixels,) if alpha is None else (pixels, alpha):
        part = array[box.slices]
        for rows in strips(box.height):
            digest.update(part[rows][there[rows]].astype(little, copy=False).tobytes())
    return digest.hexdigest()


def recorded(options: Any) -> dict[str, Any]:
    """An engine's `Options` as a recipe holds them: of a picture or a mask its SHA-256 alone."""
    return {entry.name: _recorded(getattr(options, entry.name)) for entry in fields(options)}


def _recorded(value: Any) -> Any:
    if isinstance(value, Picture):
        return {"sha256": value.sha256[1]}
    return {"sha256": hash_mask(value)} if isinstance(value, np.ndarray) else value


def given_again(options: Mapping[str, Any], pictures: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's options with its pictures in place of their hashes.

    Raises `BadRecipe` for one that is not given, that the recipe has none of, or that is not
    the one it was made with.
    """
    wanted = {name for name, value in options.items() if isinstance(value, Mapping)}
    for name in wanted - set(pictures):
        raise BadRecipe(
            f"the recipe was made with a picture as {name}, of which it holds only the SHA-256; "
            "give that picture again"
        )
    for name in set(pictures) - wanted:
        raise BadRecipe(f"the recipe was made without a {name}; leave it out")
    again = dict(options)
    for name in wanted:
        value = pictures[name]
        again[name] = as_mask(value) if name.endswith("_mask") else as_picture(value)
        if _recorded(again[name]) != options[name]:
            raise BadRecipe(f"this {name} is not the picture that the recipe was made with")
    return again


@cache
def versions(extra: str | None = None) -> Mapping[str, str]:
    """Versions of what has a say in the bytes, by name; extra: what the engine needs beside."""
    packages = _PACKAGES if extra is None else {**_PACKAGES, **_NETWORKS}
    found = {"infill": __version__, "python": platform.python_version(), "numpy": np.__version__}
    for name, package in packages.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            continue  # installed by another name, or not at all
    found["platform"] = f"{platform.system()} {platform.machine()}"
    return found


_KINDS: dict[str, type | tuple[type, ...]] = {
    "engine": str,
    "options": dict,
    "seed": int,
    "blend": (int, float),
    "match_colour": bool,
    "opaque": bool,
    "photo": list,
    "width": int,
    "height": int,
    "mask": str,
    "mask_sha256": str,
    "output_sha256": str,
    "weights": dict,
    "versions": dict,
    "format": int,
}


def _check_keys(table: Mapping[str, Any]) -> None:
    known = [entry.name for entry in fields(Recipe)]
    unknown = [name for name in table if name not in known]
    missing = [name for name in known if name not in table]
    if unknown:
        raise BadRecipe(f"the recipe has keys that mean nothing here: {', '.join(unknown)}")
    if missing:
        raise BadRecipe(f"the recipe lacks: {', '.join(missing)}")


def _checked(name: str, value: Any) -> Any:
    """`value` of the key `name` as the field holds it; lists become tuples."""
    kind = _KINDS[name]
    good = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if name in ("width", "height"):
        good = good and 1 <= value <= 2**24
    elif name == "seed":
        good = good and value >= 0
    elif name == "photo":
        good = good and len(value) == 2 and all(isinstance(part, str) for part in value)
    elif name in ("weights", "versions"):
        good = good and all(isinstance(part, str) for part in value.values())
    if not good:
        raise BadRecipe(f"the recipe's {name} is {value!r}, which cannot be")
    return {key: _frozen(part) for key, part in value.items()} if kind is dict else _frozen(value)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value
