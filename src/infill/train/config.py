"""What a training run is told: frozen dataclasses, kept beside the weights as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from infill.errors import BadOption

T = TypeVar("T")


@dataclass(frozen=True)
class LoopConfig:
    """What the loop needs to know, whatever the network."""

    seed: int = 0
    """Of everything random: weights, order of the photos, crops, noise."""
    batch: int = 64
    workers: int = 1
    """Threads that share a batch; a batch must have a picture for each."""
    minutes: float = 78.0
    """Wall-clock time for the whole run, resumed parts together. The learning rate follows it,
    so the run ends when it has fallen to its lowest."""
    steps: int = 0
    """If not 0, the run ends after so many steps instead, and the learning rate follows these."""
    learning_rate: float = 4e-4
    lowest_rate: float = 0.02
    """Last learning rate, as a fraction of the highest."""
    warmup: int = 500
    """Steps over which the learning rate rises from 0."""
    weight_decay: float = 0.01
    clip: float = 1.0
    """Largest norm of the gradient."""
    ema: float = 0.9995
    """Decay of the moving average of the weights; see `ema.decay_at` for its warm-up."""
    bfloat16: bool = True
    """Compute the network in bfloat16 (autocast); weights and their average stay float32."""
    log_steps: int = 50
    validate_minutes: float = 5.0
    save_minutes: float = 5.0

    def __post_init__(self) -> None:
        check(self.batch >= 1, f"batch must be at least 1, not {self.batch}")
        check(
            1 <= self.workers <= self.batch,
            f"workers must be at least 1 and at most batch ({self.batch}), not {self.workers}",
        )
        check(self.steps >= 0, f"steps must not be negative, but is {self.steps}")
        check(self.minutes > 0, f"minutes must be above 0, not {self.minutes}")
        check(self.learning_rate > 0, f"learning_rate must be above 0, not {self.learning_rate}")
        check(0 <= self.ema < 1, f"ema must be at least 0 and below 1, not {self.ema}")
        check(self.log_steps >= 1, f"log_steps must be at least 1, not {self.log_steps}")


@dataclass(frozen=True)
class DdpmConfig:
    """An unconditional diffusion network for small photos, and what it learns from."""

    side: int = 32
    """Of the square pictures it makes, in pixels."""
    thumbnail: int = 40
    """Short side that a photo is brought to before a square of `side` is cut from it."""
    channels: tuple[int, ...] = (32, 64, 128)
    """Of each level of the U-Net; each has half the size of the one before."""
    attention: tuple[bool, ...] = (False, False, True)
    """Whether a level has self-attention."""
    layers: int = 1
    """Residual blocks per level on the way down (one more on the way up)."""
    groups: int = 16
    head: int = 64
    """Channels of one attention head."""
    noise_steps: int = 1000
    beta_start: float = 1e-4
    beta_end: float = 0.02
    snr_cap: float = 5.0
    """γ of the min-SNR weighting; 0 = plain noise-prediction loss."""
    held_out: float = 0.04
    """Fraction of the photos that is never learnt from."""

    def __post_init__(self) -> None:
        check(self.side >= 8, f"side must be at least 8, not {self.side}")
        check(
            self.thumbnail >= self.side,
            f"thumbnail must be at least side ({self.side}), not {self.thumbnail}",
        )
        check(
            len(self.channels) == len(self.attention),
            "channels and attention must name the same number of levels",
        )
        check(
            self.side % 2 ** (len(self.channels) - 1) == 0,
            f"side {self.side} cannot be halved {len(self.channels) - 1} times",
        )
        check(
            all(count % self.groups == 0 for count in self.channels),
            f"every number of channels must be a multiple of groups ({self.groups})",
        )
        check(0 < self.held_out < 1, f"held_out must lie between 0 and 1, not {self.held_out}")
        check(self.snr_cap >= 0, f"snr_cap must not be negative, but is {self.snr_cap}")


def check(holds: bool, otherwise: str) -> None:
    """Raise `BadOption` with the sentence `otherwise` unless `holds`."""
    if not holds:
        raise BadOption(otherwise)


def from_dict(kind: type[T], values: Mapping[str, Any]) -> T:
    """A configuration of class `kind` with `values`; what they leave out stays the default.

    Raises `BadOption` for an unknown key, a value of another type, or one out of range.
    """
    known = {entry.name: entry for entry in fields(kind)}  # type: ignore[arg-type]
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise BadOption(f"{kind.__name__} has no {name!r}; it has: {', '.join(known)}")
        default = known[name].default
        if isinstance(default, tuple) and isinstance(value, list):
            value = tuple(value)
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(default):
            wanted = type(default).__name__
            raise BadOption(
                f"{kind.__name__}: {name} takes a value of type {wanted}, not {value!r}"
            )
        given[name] = value
    return kind(**given)


def to_json(config: Any) -> str:
    """One line of JSON that `from_dict` reads again."""
    return json.dumps(asdict(config), sort_keys=True)


def assigned(configs: tuple[DdpmConfig, LoopConfig], texts: Sequence[str]) -> Any:
    """The configurations with NAME=VALUE texts applied, each to the one that has the name.

    A value is JSON (`[32, 64]`, `0.5`, `true`). Raises `BadOption` for a text of another form, a
    name that none of them has, and what `from_dict` raises.
    """
    given: list[dict[str, Any]] = [asdict(config) for config in configs]
    for text in texts:
        name, equals, value = text.partition("=")
        owners = [values for values in given if name in values]
        if not equals or not owners:
            known = ", ".join(name for values in given for name in values)
            raise BadOption(f"{text!r} sets nothing; write NAME=VALUE, with one of: {known}")
        try:
            owners[0][name] = json.loads(value)
        except json.JSONDecodeError as error:
            raise BadOption(f"{text!r}: the value is not JSON ({error})") from error
    return tuple(
        from_dict(type(config), values) for config, values in zip(configs, given, strict=True)
    )
