"""Mask protocols: named, seeded, versioned recipes that a test says it was made with.

A mask follows from the protocol, a seed, the photo's name and its shape alone, through SHA-256:
it does not depend on what else is tested, in what order, or on which machine.

| protocol | hole |
|---|---|
| rectangle | one or several rectangles that cover `mask_ratio` |
| free-form | zigzag brush strokes that cover `mask_ratio`, or what chance gives |
| lama-narrow, -medium, -wide | thick polylines or boxes, at most half of the photo |
| repaint-wide, -narrow | LaMa's wide and narrow masks, as for 256 pixels |
| repaint-sr2 | all but every second pixel of every second row |
| repaint-lines | every second row |
| repaint-half | the right half; the left is known |
| repaint-expand | all but the middle quarter of either side (64 of 256 pixels) |
| object | annotated objects of the photo itself |
"""

import functools
import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from typing import Protocol as Interface

import numpy as np

from infill.errors import BadMask, FullMask
from infill.masks.dice import Rng
from infill.masks.lama_masks import FIGURES, Width, chosen_figures, lama_mask
from infill.masks.objects import Objects
from infill.masks.parse import Like, Mask, shape_of
from infill.masks.patterns import border, grid, half, lines
from infill.masks.rectangles import random_rectangle
from infill.masks.strokes import free_form

YU = "Yu et al., Free-Form Image Inpainting with Gated Convolution, ICCV 2019"
SUVOROV = (
    "Suvorov et al., Resolution-robust Large Mask Inpainting with Fourier Convolutions, WACV 2022"
)
LUGMAYR = (
    "Lugmayr et al., RePaint: Inpainting using Denoising Diffusion Probabilistic Models, "
    "CVPR 2022, section 5"
)
LIN = "Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014"


class Annotated(Interface):
    """Photos with annotated objects, such as `infill.data.coco.Instances`."""

    def mask(self, photo: str, shape: tuple[int, int], chosen: Objects, rng: Rng) -> Mask:
        """(H, W) bool, the objects of a photo that are `chosen`. Raises `BadMask` if none is."""


@dataclass(frozen=True)
class Kind:
    """What a protocol is made of.

    make:    called as `make(shape, rng=number, **fixed, **options)`.
    version: goes up when the same parameters mean other masks.
    fixed:   what belongs to the protocol and cannot be changed; options: what can, with defaults.
    tables:  figures that the masks are drawn with besides, told of the parameters.
    seeded:  whether the masks differ from photo to photo.
    """

    summary: str
    source: str
    make: Callable[..., Mask]
    version: int = 1
    fixed: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    tables: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda _: {}
    seeded: bool = True

    @property
    def of_objects(self) -> bool:
        """Whether the photos must be annotated."""
        return self.make is _objects


@dataclass(frozen=True)
class Protocol:
    """A recipe with all its parameters settled; made by `protocol(name, **parameters)`.

    parameters: all of them, as plain values of JSON.
    """

    name: str
    version: int
    parameters: Mapping[str, Any]

    @property
    def kind(self) -> Kind:
        """What there is to know of all protocols of this name."""
        return PROTOCOLS[self.name]

    def mask(
        self, shape: Like, photo: str, seed: int = 0, *, annotated: Annotated | None = None
    ) -> Mask:
        """The mask of a photo by its name.

        shape: the photo, or its (H, W). annotated: the annotations, for masks of objects.

        returns: (H, W) bool, True = hole; never empty. Raises `BadMask` for a photo that is too
        small, or has no such object, and `FullMask` where nothing of it would be left.
        """
        size = shape_of(shape)
        given = {**self.kind.fixed, **{name: self.parameters[name] for name in self.kind.options}}
        if self.kind.of_objects:
            given["annotated"], given["photo"] = annotated, photo
        mask = self.kind.make(size, rng=self.number(photo, seed), **given)
        if mask.all():
            raise FullMask(
                f"the mask {self.name} leaves nothing of {photo} ({size[1]}×{size[0]} pixels); "
                "take a larger photo or a smaller share"
            )
        if not mask.any():
            raise BadMask(f"the mask {self.name} of {photo} is empty: the photo is too small")
        return mask

    def number(self, photo: str, seed: int) -> int:
        """The seed of one photo's mask: 128 bits of SHA-256 of seed, protocol and photo."""
        text = f"{int(seed)}\n{self.name} {self.version}\n{photo}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")

    def hash(self) -> str:
        """SHA-256 of name, version, parameters and figures, and of a few masks made with them,
        so that it differs where the masks do. 64 hex digits."""
        return _hash(self)

    def settled(self) -> str:
        """Name, version, parameters, and figures that the masks are drawn with besides, as JSON
        in one form."""
        parts = {"name": self.name, "version": self.version, "parameters": self.parameters}
        figures = self.kind.tables(self.parameters)
        return json.dumps(parts | {"figures": figures}, sort_keys=True, separators=(",", ":"))

    def describe(self) -> dict[str, Any]:
        """What a report says of it, as plain values."""
        said: dict[str, Any] = json.loads(self.settled())
        return said | {
            "hash": self.hash(),
            "summary": self.kind.summary,
            "source": self.kind.source,
        }

    def __hash__(self) -> int:
        return hash(self.settled())


def protocol(name: str, **parameters: Any) -> Protocol:
    """A protocol by name; what is not given is the protocol's own. None also means its own.

    Raises `BadMask` for an unknown name or parameter, naming those that there are, and for a
    value out of range.
    """
    name = name.lower().replace("_", "-")
    if name not in PROTOCOLS:
        raise BadMask(f"there is no mask protocol {name!r}; there are: {', '.join(PROTOCOLS)}")
    kind = PROTOCOLS[name]
    for key in parameters:
        if key not in kind.options:
            there = ", ".join(kind.options) or "nothing"
            raise BadMask(f"the mask protocol {name} takes no {key!r}; it takes: {there}")
    given = {
        key: _checked(name, key, value, kind.options[key])
        for key, value in parameters.items()
        if value is not None
    }
    plain = _plain({**kind.fixed, **kind.options, **given})
    if kind.of_objects:
        plain = _plain(asdict(Objects(**plain)))
    settled = Protocol(name, kind.version, dict(sorted(plain.items())))
    if not kind.of_objects:
        settled.mask((64, 64), "a photo")  # what is out of range is told now, not photos later
    return settled


def _checked(name: str, key: str, value: Any, default: Any) -> Any:
    """A number of the kind that is wanted; lists and the like as they are. Raises `BadMask`."""
    if isinstance(default, list | bool):
        return value  # `Objects` looks at them
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadMask(f"{key} of the mask protocol {name} is a number, not {value!r}")
    if not isinstance(default, int):
        return float(value)
    if value != int(value):
        raise BadMask(f"{key} of the mask protocol {name} is a whole number, not {value!r}")
    return int(value)


PROBES = ((64, 64), (96, 128), (400, 384))
"""Photos, by their (H, W), whose masks are part of a protocol's hash."""


@functools.cache
def _hash(settled: Protocol) -> str:
    """See `Protocol.hash`."""
    digest = hashlib.sha256(settled.settled().encode())
    if not settled.kind.of_objects:
        for number, shape in enumerate(PROBES):
            digest.update(np.packbits(settled.mask(shape, f"probe {number}", number)).tobytes())
    return digest.hexdigest()


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as JSON has them: tuples are lists. Raises `BadMask`."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(parameters, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise BadMask(f"a parameter of a mask protocol is no plain value: {error}") from error
    return plain


def _expand(shape: Like, *, kept: float, rng: Rng) -> Mask:
    """All but the middle; `kept` is the share of either side."""
    return border(shape, 1 - kept * kept, rng=rng)


def _objects(
    shape: tuple[int, int], *, rng: Rng, annotated: Annotated | None, photo: str, **chosen: Any
) -> Mask:
    """Objects that the data set itself annotates."""
    if annotated is None:
        raise BadMask(
            "masks of objects need a data set with annotations: take coco, with its instances file"
        )
    return annotated.mask(photo, shape, Objects(**chosen), rng)


def _lama_figures(width: Width) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    def tables(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        wanted = parameters["figures"]
        taken = [chosen_figures(width, wanted, wanted)] if wanted else FIGURES[width]
        return {str(figures.side): _plain(asdict(figures)) for figures in taken}

    return tables


def _lama(width: Width, summary: str) -> Kind:
    return Kind(
        summary,
        SUVOROV,
        lama_mask,
        fixed={"width": width},
        options={"figures": 0},
        tables=_lama_figures(width),
    )


def _repaint(
    summary: str, make: Callable[..., Mask], *, seeded: bool = False, **fixed: Any
) -> Kind:
    tables = _lama_figures(fixed["width"]) if make is lama_mask else Kind.tables
    return Kind(summary, LUGMAYR, make, fixed=fixed, tables=tables, seeded=seeded)


def _defaults(make: Callable[..., Mask]) -> dict[str, Any]:
    known = inspect.signature(make).parameters.items()
    return {name: how.default for name, how in known if name not in ("shape", "rng")}


PROTOCOLS: dict[str, Kind] = {
    "rectangle": Kind(
        "rectangles of random place and shape",
        "",
        random_rectangle,
        options=_defaults(random_rectangle),
    ),
    "free-form": Kind("zigzag brush strokes", YU, free_form, options=_defaults(free_form)),
    "lama-narrow": _lama("narrow", "many thin polylines"),
    "lama-medium": _lama("medium", "polylines of middling width, or boxes"),
    "lama-wide": _lama("wide", "few very thick polylines, or large boxes"),
    "repaint-wide": _repaint(
        "LaMa's wide masks for 256 pixels", lama_mask, seeded=True, width="wide", figures=256
    ),
    "repaint-narrow": _repaint(
        "LaMa's narrow masks for 256 pixels", lama_mask, seeded=True, width="narrow", figures=256
    ),
    "repaint-sr2": _repaint("one pixel of every 2 × 2 is known", grid, period=2),
    "repaint-lines": _repaint(
        "every second row is known", lines, direction="horizontal", thickness=1
    ),
    "repaint-half": _repaint("the left half is known", half, side="right"),
    "repaint-expand": _repaint("the middle quarter of each side is known", _expand, kept=0.25),
    "object": Kind(
        "annotated objects of the photo",
        LIN,
        _objects,
        options=_plain(asdict(Objects())),
    ),
}
