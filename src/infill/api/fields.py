"""The kinds of fields in requests, and how texts of forms become them."""

import base64
import binascii
import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema


def _from_base64(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("this is not base64") from None


def _list_in_text(value: Any) -> Any:
    """A JSON list in a field of a form as a list; anything else as it is."""
    return read_json(value) if isinstance(value, str) and value.lstrip().startswith("[") else value


def _numbers(value: Any) -> Any:
    """ "1,2,3" and [1, 2, 3] alike as a tuple."""
    value = _list_in_text(value)
    if isinstance(value, str):
        return tuple(float(word) for word in value.replace(",", " ").split())
    return tuple(value) if isinstance(value, list) else value


def read_whole_numbers(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(int(word) for word in value.replace(",", " ").split())
    return tuple(value) if isinstance(value, list) else value


def read_points(value: Any) -> Any:
    """ "1,2 3,4", [[1, 2], [3, 4]] and [1, 2, 3, 4] alike as a tuple of pairs."""
    flat: Any = _numbers(value)
    if isinstance(flat, tuple) and flat and not isinstance(flat[0], list | tuple):
        if len(flat) % 2:
            raise ValueError("points are pairs x, y, and here is an odd number of numbers")
        return tuple(zip(flat[::2], flat[1::2], strict=True))
    if isinstance(flat, tuple):
        return tuple(tuple(pair) if isinstance(pair, list) else pair for pair in flat)
    return flat


def _several(single: Any) -> Any:
    """One box or polygon where a list of them is asked for: a list of that one."""

    def read(value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part for part in value.split(";") if part.strip())
        if not isinstance(value, list | tuple):
            return value
        parts = [
            part
            for item in value
            for part in (item.split(";") if isinstance(item, str) else [item])
        ]
        if parts and all(single(part) for part in parts):
            return (tuple(parts),)
        return tuple(parts)

    return read


def read_single(value: Any) -> Any:
    """What a form gives as a list of one text: that text."""
    is_one = isinstance(value, list) and len(value) == 1 and isinstance(value[0], str)
    return value[0] if is_one else value


def _is_number(part: Any) -> bool:
    return isinstance(part, int | float) and not isinstance(part, bool)


def _is_pair(part: Any) -> bool:
    return isinstance(part, list | tuple) and len(part) == 2 and all(map(_is_number, part))


def read_json(value: Any) -> Any:
    """JSON in a field of a form."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("this is not JSON") from None
    return value


def read_labels(value: Any) -> Any:
    """[1, 0, true] and "1,0" as a tuple of bool."""
    value = _list_in_text(value)
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if not isinstance(value, list | tuple):
        return value
    words = {"1": True, "0": False, "true": True, "false": False}
    return tuple(words.get(str(part).lower(), part) for part in value)


File = Annotated[
    bytes,
    BeforeValidator(_from_base64),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]
Box = Annotated[tuple[float, float, float, float], BeforeValidator(_numbers)]
Point = tuple[float, float]
Polygon = Annotated[
    tuple[Point, ...], BeforeValidator(read_points), Field(min_length=3, max_length=10_000)
]
Boxes = Annotated[tuple[Box, ...], BeforeValidator(_several(_is_number)), Field(max_length=1000)]
Polygons = Annotated[
    tuple[Polygon, ...], BeforeValidator(_several(_is_pair)), Field(max_length=100)
]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Chain = Annotated[str, Field(max_length=500)]
Container = Annotated[
    Literal["png", "jpeg", "jpg", "webp", "tiff", "tif", "avif", "bmp"],
    AfterValidator(lambda name: {"jpg": "jpeg", "tif": "tiff"}.get(name, name)),
]
"""Checked, it is one of `schemas.FORMATS`."""
