"""What an engine is: a card that describes it, and one method that fills."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadOption, EngineFailed, InfillError
from infill.geometry import SizeRule
from infill.registry import Registry

Progress = Callable[[float, str], None]
"""Called with the fraction done in [0, 1] and a short word for the stage. It may raise
`infill.errors.Cancelled`, which the engine lets through: that is how a fill is stopped."""

Family = Literal["classical", "GAN", "diffusion", "fake"]


@dataclass(frozen=True)
class Weights:
    """One file of weights: where it is found, its size in bytes and its SHA-256 (hex)."""

    source: str
    size: int
    sha256: str


@dataclass(frozen=True)
class EngineCard:
    """The model card that the table of engines, the benchmark and the app print."""

    name: str
    family: Family
    summary: str
    authors: str
    published: str
    architecture: str
    paper: str
    licence: str
    commercial_use: bool
    weights: tuple[Weights, ...] = ()
    parameters: int = 0
    needs_prompt: bool = False
    needs_reference: bool = False
    extra: str | None = None
    size: SizeRule = field(default_factory=SizeRule)


def option(
    default: Any, help: str = "", *, low: float | None = None, high: float | None = None
) -> Any:
    """A field of an engine's `Options` with what a person is told: bounds, both included, and
    one sentence. `check_bounds` in `__post_init__` holds values to the bounds.
    """
    told = {"help": help, "low": low, "high": high}
    return field(
        default=default, metadata={key: value for key, value in told.items() if value is not None}
    )


def check_bounds(options: Any) -> None:
    """Raise `ValueError` for a value of `options` beyond the bounds that its field states."""
    for entry in fields(options):
        low, high = entry.metadata.get("low"), entry.metadata.get("high")
        value = getattr(options, entry.name)
        if low is not None and not low <= value <= high:
            raise ValueError(f"{entry.name} must be between {low} and {high}, not {value}")


@dataclass(frozen=True)
class NoOptions:
    """Options of an engine that has none."""


class Engine(Protocol):
    """One way of filling a hole. Registered by name; see `tests/conformance_engine.py`.

    An engine is a class with a `card`, an `Options` frozen dataclass whose defaults are the
    engine's own, and `fill`.
    """

    card: ClassVar[EngineCard]
    Options: ClassVar[type]

    def fill(
        self,
        pixels: NDArray[np.float32],
        mask: NDArray[np.bool_],
        options: Any,
        rng: np.random.Generator,
        progress: Progress,
    ) -> NDArray[np.float32]:
        """Return `pixels` with the hole filled.

        pixels:  (H, W, 3) float32 RGB in [0, 1], C-contiguous, not to be written. What lies
                 under the mask is no content: it is zero.
        mask:    (H, W) bool, True = hole; at least one pixel True and one False.
        options: an instance of `self.Options`.
        rng:     the only source of randomness; same state, same bytes.
        returns: (H, W, 3) float32 RGB in [0, 1], a new array. What it holds outside the hole
                 does not matter: the pipeline keeps the photo there.
        """
        ...


def make_options(engine: Engine, given: Mapping[str, Any]) -> Any:
    """An instance of the engine's `Options` with `given` in place of the defaults.

    Raises `BadOption` for a key that the engine does not have (never ignored), naming those
    that it has, and for a value that its `__post_init__` refuses (ValueError or TypeError).
    """
    defaults = {entry.name: entry.default for entry in fields(engine.Options)}
    for key, value in given.items():
        if key not in defaults:
            raise BadOption(
                f"engine {engine.card.name} has no option {key!r}; it has: "
                f"{', '.join(defaults) or 'none'}"
            )
        if isinstance(defaults[key], float) and not isinstance(value, int | float | np.number):
            raise BadOption(f"engine {engine.card.name}: {key} is a number, not {value!r}")
    try:
        return engine.Options(**given)
    except (TypeError, ValueError) as error:
        raise BadOption(f"engine {engine.card.name}: {error}") from error


def run(
    engine: Engine,
    pixels: NDArray[np.float32],
    mask: NDArray[np.bool_],
    options: Any,
    rng: np.random.Generator,
    progress: Progress,
) -> NDArray[np.float32]:
    """`engine.fill`, with what it was given kept from being written and what it returns checked.

    Raises `EngineFailed` if the engine raises anything that is not one of our own errors
    (`Cancelled` goes through), or returns something that is no picture of that size, or that
    is not finite somewhere in the hole. Values out of [0, 1] are let through: rounding to the
    photo's depth clips them.
    """
    name = engine.card.name
    pixels.flags.writeable = mask.flags.writeable = False
    try:
        filled = engine.fill(pixels, mask, options, rng, progress)
    except InfillError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise EngineFailed(f"engine {name} failed on this photo ({what})") from error
    if not isinstance(filled, np.ndarray) or filled.shape != pixels.shape:
        found = getattr(filled, "shape", type(filled).__name__)
        raise EngineFailed(f"engine {name} returned {found} in place of shape {pixels.shape}")
    if filled.dtype.kind != "f":
        raise EngineFailed(f"engine {name} returned {filled.dtype} pixels in place of float32")
    if not np.isfinite(filled[mask]).all():
        raise EngineFailed(f"engine {name} left pixels that are no number (NaN or infinite)")
    return filled


def no_progress(fraction: float, stage: str) -> None:
    """A `Progress` that does nothing."""


__all__ = [  # SizeRule lives in geometry, which cannot import upwards, and belongs to the card
    "ENGINES",
    "Engine",
    "EngineCard",
    "Family",
    "NoOptions",
    "Progress",
    "SizeRule",
    "Weights",
    "make_options",
    "no_progress",
    "run",
]

ENGINES: Registry[Engine] = Registry(
    "engine",
    "infill.engines",
    {
        "exemplar": "infill.engines.exemplar:Exemplar",
        "telea": "infill.engines.opencv:Telea",
        "navier-stokes": "infill.engines.opencv:NavierStokes",
        "flat": "infill.engines.flat:Flat",
    },
)
