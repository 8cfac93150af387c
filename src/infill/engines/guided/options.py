"""What can be set on the engine `guided`."""

import math
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from infill.engines.base import option
from infill.engines.guided.guide import Region
from infill.engines.repaint import WalkOptions

Placement = Literal["fit", "frame", "given"]
Kind = Literal["linear", "constant"]
Drift = Literal["correct", "ignore"]

PLACED = ("scale", "shift_x", "shift_y")
"""Options that only count with `placement="given"`."""


@dataclass(frozen=True)
class Options(WalkOptions):
    """RePaint's options, and what guides; the equations lie in `infill.diffusion.guidance`.

    click:     "x,y" or a pair of numbers, from the top left corner of the target's pixels.
    placement: "fit": at the scale and place where the object's shape overlaps most with the
               hole's (`place.best_fit`). "given": its box as large as it fits into the hole's,
               times `scale`, moved by `shift_x` and `shift_y` widths and heights of the hole's
               box. "frame", the paper's own form: the target has the scene's size, and each of
               its pixels belongs where it is; all of it guides unless a mask, click or
               transparency says what the object is.
    lambda_start, lambda_until, lambda_kind: see `guidance.lambdas`.
    model:     one of RePaint's, or a latent diffusion model: sd, sd2, sdxl, sd3, or the folder of
               one of their families, for which RePaint's own options and the heated mask do not
               count and are refused.
    drift:     what is done where a latent model moved or recoloured what it should keep; refused
               with a model of pixels, which keeps it as it is.
    heat_width, heat_passes: see `guidance.heated`. buffer: see `guidance.inside`; all in pixels
               of what the model sees, which is the region at the model's own size.
    """

    reference: Any = option(None, "The target: a picture of what should be there.")
    reference_mask: Any = option(None, "Where the object is in the target: white on black.")
    click: str = option("", "A point on the object in the target, as x,y; empty = found by itself.")
    segmenter: str = option("classic", "What finds the object in the target.")
    placement: Placement = option(
        "fit", "Where it goes: where it fits best, as in a target of the scene's size, or as given."
    )
    scale: float = option(
        1.0, "Placement given: size of the object; 1 = its box just fits.", low=0.05, high=20
    )
    shift_x: float = option(
        0.0, "Placement given: to the right, in widths of the hole.", low=-2, high=2
    )
    shift_y: float = option(0.0, "Placement given: down, in heights of the hole.", low=-2, high=2)
    lambda_start: float = option(
        1.0, "How much the target counts at first: 0 = not at all, 1 = alone.", low=0, high=1
    )
    lambda_until: float = option(
        1.0, "Share of the steps after which the target counts no more.", low=0, high=1
    )
    lambda_kind: Kind = option("linear", "Whether it counts less and less, or always as much.")
    heat_width: int = option(
        0, "How far the model may reach into the scene, in pixels it sees.", low=0, high=64
    )
    heat_passes: int = option(
        2, "How often that heat spreads; more = a softer border.", low=0, high=200
    )
    buffer: int = option(
        1, "Margin inside the hole and object that is left to the model.", low=0, high=128
    )
    harmonise: bool = option(True, "Bring the target's brightness nearer to the scene's.")
    candidates: int = option(3, "How many are made; the best is returned.", low=1, high=16)
    prompt: str = option("", "For latent models: what should be there, in words.")
    drift: Drift = option(
        "correct", "For latent models: if they move or recolour what they should keep."
    )

    def __post_init__(self) -> None:
        if not isinstance(self.click, str):
            object.__setattr__(self, "click", ",".join(f"{float(v):g}" for v in self.click))
        super().__post_init__()

    def _check_together(self) -> None:
        super()._check_together()
        usual = {entry.name: entry.default for entry in fields(self)}
        if self.placement != "given":
            moved = [name for name in PLACED if getattr(self, name) != usual[name]]
            if moved:
                raise ValueError(f"{moved[0]} has no effect unless placement is given")
        if self.lambda_kind == "constant" and self.lambda_until != usual["lambda_until"]:
            raise ValueError("lambda_until has no effect while lambda_kind is constant")
        if self.point is not None and self.reference_mask is not None:
            raise ValueError("click has no effect beside reference_mask; give one of the two")

    @property
    def point(self) -> tuple[float, float] | None:
        """The click as (x, y), or None. Raises `ValueError` for what is no pair of numbers."""
        if not self.click.strip():
            return None
        try:
            x, y = (float(part) for part in self.click.split(","))
        except ValueError:
            x = y = math.nan
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError(f"click is two numbers x,y, not {self.click!r}")
        return x, y

    @property
    def region(self) -> Region | None:
        """What is known of the region that is being filled; see `Localised`."""
        return None


@dataclass(frozen=True)
class Localised(Options):
    """Options for one region of the photo."""

    found: Region | None = field(default=None, repr=False)

    @property
    def region(self) -> Region | None:
        return self.found


def localised(options: Options, region: Region) -> Localised:
    """The same options, and what is known of the region."""
    given = {entry.name: getattr(options, entry.name) for entry in fields(Options)}
    return Localised(**given, found=region)
