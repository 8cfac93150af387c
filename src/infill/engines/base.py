"""What an engine is: a card that describes it, and one method that fills."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from infill.errors import BadOption, Drifted, EngineFailed, InfillError
from infill.geometry import Frame, SizeRule
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
    """The model card that the table of engines, the benchmark and the app print.

    weights: files whose size and SHA-256 are known beforehand.
    checkpoint: the name on the hub of the model that is used if an option names no other.
    needs_model: there is none: the option `model` must name it, which a server's clients may not.
    redraws: what the engine returns outside the hole is its own rendition of the photo. The
             pipeline measures how far it has drifted there (see `infill.drift`), corrects it or
             refuses it, unless the engine's option `drift` is "ignore".
    """

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
    redraws: bool = False
    checkpoint: str = ""
    needs_model: bool = False


@dataclass(frozen=True, eq=False)
class Filled:
    """What `fill` may return in place of bare pixels.

    pixels:  (H, W, 3) float32 RGB in [0, 1], as `Engine.fill` returns them.
    notes:   what the caller ought to know of this fill, one sentence each.
    weights: SHA-256 (hex) of the files of weights that were used, by their source; for engines
             whose weights an option names. The recipe keeps them.
    redrawn: (H, W) bool, True = made anew, where that is more than the hole (whole cells of
             latents): there nothing can be said about drift. None = the hole alone.
    """

    pixels: NDArray[np.float32]
    notes: tuple[str, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)
    redrawn: NDArray[np.bool_] | None = None


def option(
    default: Any,
    help: str = "",
    *,
    low: float | None = None,
    high: float | None = None,
    server: bool = True,
) -> Any:
    """A field of an engine's `Options` with what a person is told: bounds, both included, and
    one sentence. `infill.engines.checked.Checked` holds values to the bounds.

    server: whether a server's request may set it; not one that counts only with a file of one's
            own, which a request may not name.
    """
    told = {"help": help, "low": low, "high": high, "server": None if server else False}
    return field(
        default=default, metadata={key: value for key, value in told.items() if value is not None}
    )


@dataclass(frozen=True)
class NoOptions:
    """Options of an engine that has none."""


class Engine(Protocol):
    """One way of filling a hole. Registered by name; see `tests/conformance_engine.py`.

    An engine is a class with a `card`, an `Options` frozen dataclass whose defaults are the
    engine's own, and `fill`. It may have more, which is looked up by name:

    size_rule(options) -> SizeRule: where it depends on the options (on the model that one of
        them names, say); the card's otherwise.
    fill_batch(pixels, mask, options, rngs, progress) -> sequence of what `fill` returns:
        several candidates at once, one for each generator of `rngs`. `pixels` is a sequence of
        as many pictures, which differ only where an earlier region was filled. One that is of
        no use may be a `Drifted` that says why, returned and not raised.
    localise(options, frame, largest) -> options: called for each region of the photo before it
        is filled; an engine that goes by a picture of the photo's own size brings it to the
        region by `frame.bring`. largest: whether no other region has more hole pixels.
    goal(pixels, mask, options) -> (pixels, where): what the fill is to come close to,
        (H, W, 3) float32, and where, (H, W) bool; as `fill` sees them.
    calls(options) -> int: how often a fill of one region runs its network.
    sources(options) -> sequence of `infill.weights.Source`: what `infill download` fetches.

    An option called `reference` is a `Picture` or None; `reference_mask` a (H, W) bool array,
    True = the object, or None.
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
    ) -> "NDArray[np.float32] | Filled":
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


class InBatches(ABC):
    """Base of an engine that makes candidates in batches: one candidate is a batch of one."""

    @abstractmethod
    def fill_batch(
        self,
        pixels: Sequence[NDArray[np.float32]],
        mask: NDArray[np.bool_],
        options: Any,
        rngs: Sequence[np.random.Generator],
        progress: Progress,
    ) -> Sequence[Filled | Drifted]:
        """See `Engine`."""

    def fill(
        self,
        pixels: NDArray[np.float32],
        mask: NDArray[np.bool_],
        options: Any,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Filled:
        """See `Engine.fill`."""
        made = self.fill_batch([pixels], mask, options, [rng], progress)[0]
        if isinstance(made, Drifted):
            raise made
        return made


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
        return engine.Options(**read_pictures(given))
    except (TypeError, ValueError) as error:
        raise BadOption(f"engine {engine.card.name}: {error}") from error


def read_pictures(given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with its pictures read: paths, bytes and arrays become what the engine expects."""
    from infill.masks.parse import as_mask
    from infill.picture import as_picture

    readers: dict[str, Callable[[Any], Any]] = {"reference": as_picture, "reference_mask": as_mask}
    return {
        key: readers[key](value) if key in readers and value is not None else value
        for key, value in given.items()
    }


def size_rule(engine: Engine, options: Any) -> SizeRule:
    """What sizes the engine takes with these options."""
    own = getattr(engine, "size_rule", None)
    with _named(engine):
        rule: SizeRule = engine.card.size if own is None else own(options)
    return rule


def localised(engine: Engine, options: Any, frame: Frame, largest: bool) -> Any:
    """The options for one region of the photo; see `Engine`."""
    own = getattr(engine, "localise", None)
    with _named(engine):
        return options if own is None else own(options, frame, largest)


def in_batches(engine: Engine) -> bool:
    """Whether the engine makes several candidates at once."""
    return hasattr(engine, "fill_batch")


class Part:
    """The progress of a part of the work as progress of the whole; previews go through.

    name: which part it is; follows the word for the stage.
    """

    def __init__(self, progress: Progress, start: float, share: float, name: str = "") -> None:
        self._progress, self._start, self._share = progress, start, share
        self._name = name and f", {name}"
        show = getattr(progress, "preview", None)
        if show is not None:
            self.preview = show

    def __call__(self, fraction: float, stage: str) -> None:
        done = self._start + self._share * min(max(fraction, 0.0), 1.0)
        self._progress(done, stage + self._name)


def preview(progress: Progress, make: Callable[[], NDArray[Any]]) -> None:
    """Show what the fill looks like so far, if anyone watches.

    make: called only then; returns (H, W, 3) float in [0, 1], as `fill` would. (The pipeline,
          which watches all regions, shows the whole photo at its own depth.)
    """
    show = getattr(progress, "preview", None)
    if show is not None:
        show(make)


def run(
    engine: Engine,
    pixels: Sequence[NDArray[np.float32]],
    mask: NDArray[np.bool_],
    options: Any,
    rngs: Sequence[np.random.Generator],
    progress: Progress,
) -> list[Filled | Drifted]:
    """A fill for each of `pixels`, drawn from the generator of the same place in `rngs`.

    What the engine is given is kept from being written, and what it returns is checked.

    Raises `EngineFailed` if the engine raises anything that is not one of our own errors
    (`Cancelled` goes through), or returns something that is no picture of that size, or that
    is not finite somewhere in the hole. Values out of [0, 1] are let through: rounding to the
    photo's depth clips them.
    """
    name = engine.card.name
    for array in (*pixels, mask):
        array.flags.writeable = False
    with _named(engine):
        if len(pixels) > 1:
            made = list(engine.fill_batch(pixels, mask, options, rngs, progress))  # type: ignore[attr-defined]
        else:
            made = [engine.fill(pixels[0], mask, options, rngs[0], progress)]
    if len(made) != len(pixels):
        raise EngineFailed(f"engine {name} returned {len(made)} fills in place of {len(pixels)}")
    return [_checked(name, one, before, mask) for one, before in zip(made, pixels, strict=True)]


@contextmanager
def _named(engine: Engine) -> Iterator[None]:
    """What the engine raises that is not ours becomes `EngineFailed`, with the engine's name."""
    try:
        yield
    except InfillError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise EngineFailed(f"engine {engine.card.name} failed on this photo ({what})") from error


def _checked(
    name: str, made: Any, before: NDArray[np.float32], mask: NDArray[np.bool_]
) -> Filled | Drifted:
    if isinstance(made, Drifted):
        return made
    filled = made if isinstance(made, Filled) else Filled(made)
    pixels = filled.pixels
    if not isinstance(pixels, np.ndarray) or pixels.shape != before.shape:
        found = getattr(pixels, "shape", type(pixels).__name__)
        raise EngineFailed(f"engine {name} returned {found} in place of shape {before.shape}")
    if pixels.dtype.kind != "f":
        raise EngineFailed(f"engine {name} returned {pixels.dtype} pixels in place of float32")
    if not np.isfinite(pixels[mask]).all():
        raise EngineFailed(f"engine {name} left pixels that are no number (NaN or infinite)")
    return filled


def no_progress(fraction: float, stage: str) -> None:
    """A `Progress` that does nothing."""


__all__ = [  # SizeRule lives in geometry, which cannot import upwards, and belongs to the card
    "ENGINES",
    "Engine",
    "EngineCard",
    "Family",
    "Filled",
    "InBatches",
    "NoOptions",
    "Part",
    "Progress",
    "SizeRule",
    "Weights",
    "in_batches",
    "localised",
    "make_options",
    "no_progress",
    "preview",
    "read_pictures",
    "run",
    "size_rule",
]

ENGINES: Registry[Engine] = Registry(
    "engine",
    "infill.engines",
    {
        "exemplar": "infill.engines.exemplar:Exemplar",
        "hybrid": "infill.engines.hybrid:Hybrid",
        "pocket": "infill.engines.pocket:Pocket",
        "telea": "infill.engines.opencv:Telea",
        "navier-stokes": "infill.engines.opencv:NavierStokes",
        "lama": "infill.engines.learned.lama:Lama",
        "deepfill": "infill.engines.learned.deepfill:DeepFill",
        "repaint": "infill.engines.repaint:Repaint",
        "guided": "infill.engines.guided:Guided",
        "diffusers": "infill.engines.diffusers.generic:Diffusers",
        "sd": "infill.engines.diffusers.presets:Sd",
        "sd2": "infill.engines.diffusers.presets:Sd2",
        "sdxl": "infill.engines.diffusers.presets:Sdxl",
        "sd3": "infill.engines.diffusers.presets:Sd3",
        "flux-fill": "infill.engines.diffusers.presets:FluxFill",
        "flux-kontext": "infill.engines.diffusers.presets:FluxKontext",
        "flux2-klein": "infill.engines.diffusers.presets:Flux2Klein",
        "qwen-image": "infill.engines.diffusers.presets:QwenImage",
        "qwen-image-edit": "infill.engines.diffusers.presets:QwenImageEdit",
        "z-image": "infill.engines.diffusers.presets:ZImage",
        "chroma": "infill.engines.diffusers.presets:Chroma",
        "kandinsky": "infill.engines.diffusers.presets:Kandinsky",
        "flat": "infill.engines.flat:Flat",
    },
)
