"""The tables of a configuration of task ddpm."""

from dataclasses import dataclass, field

from infill.train.config import check, check_least, check_not_negative
from infill.train.tables import OptimiserConfig, RunConfig


@dataclass(frozen=True)
class DdpmData:
    """Where the photos of a diffusion network are."""

    photos: str = ""
    layout: str = "folder"
    ahead: int = 4


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
        check_least(self, "", 8, "side")
        check_least(self, "", 1, "layers", "groups", "head", "noise_steps")
        check_not_negative(self, "", "snr_cap")
        check(
            self.thumbnail >= self.side,
            f"thumbnail must be at least side ({self.side}), not {self.thumbnail}",
        )
        check(
            bool(self.channels) and min(self.channels) >= 1,
            f"channels are numbers above 0, one for each level, not {self.channels}",
        )
        check(
            0 < self.beta_start <= self.beta_end < 1,
            f"beta_start and beta_end lie between 0 and 1, in this order, not at {self.beta_start} "
            f"and {self.beta_end}",
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


@dataclass(frozen=True)
class DdpmRun:
    """Everything about a run that trains a diffusion network."""

    run: RunConfig = field(default_factory=RunConfig)
    data: DdpmData = field(default_factory=DdpmData)
    network: DdpmConfig = field(default_factory=DdpmConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)

    def __post_init__(self) -> None:
        usual = RunConfig()
        for name in ("start_from", "export", "compile"):
            check(
                getattr(self.run, name) == getattr(usual, name),
                f"run.{name} has no effect on task ddpm; leave it out",
            )
