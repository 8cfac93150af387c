"""The tables of a configuration; `docs/training.md` describes them for a person."""

from dataclasses import dataclass, field
from typing import Any

from infill.train.config import check, check_above, check_least, check_not_negative

PRECISIONS = ("bf16", "fp32")
OPTIMISERS = ("adam", "adamw")
TASKS = ("inpaint", "ddpm")


@dataclass(frozen=True)
class RunConfig:
    """What the loop needs to know, whatever the network."""

    task: str = "inpaint"
    name: str = "network"
    """Of the file that the averaged weights are written to."""
    seed: int = 0
    """Of everything random: weights, order of the photos, crops, masks, noise."""
    minutes: float = 60.0
    """Wall-clock time for the whole run, resumed parts together. The learning rate follows it,
    so the run ends when it has fallen to its lowest."""
    steps: int = 0
    """If not 0, the run ends after so many steps instead, and the learning rate follows these."""
    stop_at: int = 0
    """If not 0, the run ends at this step, before rate and losses have come to their end."""
    batch: int = 16
    """Pictures per step, over all processes together."""
    accumulate: int = 1
    """Parts of the batch that are computed one after the other: memory for one is enough."""
    workers: int = 1
    """Threads that share a part of the batch, each with one thread for its operations."""
    threads: int = 0
    """Threads for each operation; 0 = the setting `threads`, or 1 where there are workers."""
    precision: str = "bf16"
    """bf16: networks are computed in bfloat16 (autocast); weights and averages stay float32."""
    channels_last: bool = True
    compile: bool = False
    """torch.compile, on CUDA only."""
    accelerate: bool = False
    """Several processes, as `accelerate launch` starts them."""
    ema: float = 0.999
    """Decay of the moving average of the weights; see `ema.decay_at` for its warm-up."""
    start_from: str = ""
    """Weights (.safetensors) that the network begins with, for a second stage."""
    export: str = "float16"
    """Kind of numbers in the exported file: float16 or float32."""
    log_steps: int = 50
    validate_minutes: float = 5.0
    save_minutes: float = 5.0
    tensorboard: bool = False

    def __post_init__(self) -> None:
        check(self.task in TASKS, f"run.task is one of {', '.join(TASKS)}, not {self.task!r}")
        check(
            bool(self.name.strip(".")) and not set(self.name) & set("/\\"),
            f"run.name is the name of a file, not {self.name!r}",
        )
        check(0 <= self.seed < 2**63, f"run.seed is a number from 0 to 2^63, not {self.seed}")
        check_not_negative(self, "run.", "steps", "stop_at", "threads")
        check_above(self, "run.", "minutes", "validate_minutes", "save_minutes")
        check_least(self, "run.", 1, "batch", "workers", "accumulate", "log_steps")
        parts = self.workers * self.accumulate
        check(
            parts <= self.batch,
            f"run.workers x run.accumulate ({parts}) must be at most run.batch ({self.batch})",
        )
        check(0 <= self.ema < 1, f"run.ema must be at least 0 and below 1, not {self.ema}")
        check(
            self.precision in PRECISIONS,
            f"run.precision is one of {', '.join(PRECISIONS)}, not {self.precision!r}",
        )
        check(
            self.export in ("float16", "float32"),
            f"run.export is float16 or float32, not {self.export!r}",
        )
        check(
            not (self.compile and self.workers > 1),
            "run.compile and run.workers above 1 do not go together; leave one out",
        )


@dataclass(frozen=True)
class OptimiserConfig:
    """How weights are changed."""

    kind: str = "adamw"
    learning_rate: float = 4e-4
    lowest_rate: float = 0.02
    """Last learning rate, as a fraction of the highest."""
    warmup: int = 500
    """Steps over which the learning rate rises from 0."""
    betas: tuple[float, ...] = (0.9, 0.999)
    weight_decay: float = 0.01
    clip: float = 1.0
    """Largest norm of a network's gradient; 0 = no limit."""

    def __post_init__(self) -> None:
        check(
            self.kind in OPTIMISERS,
            f"optimiser.kind is one of {', '.join(OPTIMISERS)}, not {self.kind!r}",
        )
        check_above(self, "optimiser.", "learning_rate")
        check(
            0 <= self.lowest_rate <= 1,
            f"optimiser.lowest_rate is a fraction from 0 to 1, not {self.lowest_rate}",
        )
        check_not_negative(self, "optimiser.", "weight_decay", "warmup", "clip")
        check(
            len(self.betas) == 2 and all(0 <= beta < 1 for beta in self.betas),
            "optimiser.betas are two numbers, each at least 0 and below 1",
        )


@dataclass(frozen=True)
class DataConfig:
    """Photos, and what is cut from them."""

    photos: str = ""
    """Folder of the data set; $NAME and ~ are filled in."""
    layout: str = "folder"
    """How it is laid out, see `infill.data.layouts`."""
    side: int = 256
    """Of the squares that are learnt from, in pixels."""
    short: int = 0
    """Short side at which decoded photos are kept on disk; 0 = decoded anew every time."""
    scale: tuple[float, ...] = (0.5, 1.0)
    """A square takes such a fraction of a photo's short side, drawn anew every time."""
    flip: float = 0.5
    """Share of the squares that are mirrored."""
    colour: float = 0.0
    """Largest change of brightness, contrast and saturation, as a fraction; 0 = none."""
    held_out: float = 0.1
    """Share of the photos that is never learnt from; 0 = the data set's own validation part."""
    ahead: int = 4
    """Batches made ahead of time, in a thread of their own; 0 = none."""
    readers: int = 1
    """Threads that make them."""

    def __post_init__(self) -> None:
        check_least(self, "data.", 8, "side")
        check_not_negative(self, "data.", "short", "ahead")
        check_least(self, "data.", 1, "readers")
        check(
            len(self.scale) == 2 and 0 < self.scale[0] <= self.scale[1] <= 1,
            "data.scale is two numbers, the smallest and the largest fraction, above 0 to 1",
        )
        check(0 <= self.flip <= 1, f"data.flip lies between 0 and 1, not at {self.flip}")
        check(0 <= self.colour < 1, f"data.colour lies between 0 and 1, not at {self.colour}")
        check(0 <= self.held_out < 1, f"data.held_out lies between 0 and 1, not at {self.held_out}")


@dataclass(frozen=True)
class MaskConfig:
    """Holes: how often each kind comes, and how large."""

    free_form: float = 1.0
    rectangle: float = 0.0
    object: float = 0.0
    """Outlines of annotated objects, or wavy blobs where there are no annotations."""
    both: float = 0.0
    """Free-form strokes and a rectangle of up to half the area together."""
    border: float = 0.0
    """All but a part of the picture, to paint outwards."""
    area: tuple[float, ...] = (0.05, 0.5)
    """Smallest and largest share of the picture."""
    brush: float = 1.0
    """Factor on the width of free-form strokes."""
    annotations: str = ""
    """A COCO instances file (JSON) with the outlines."""
    pool: int = 512
    """Masks of each slow kind, drawn once; they are turned, mirrored and moved."""

    def __post_init__(self) -> None:
        weights = (self.free_form, self.rectangle, self.object, self.both, self.border)
        check(
            min(weights) >= 0 and sum(weights) > 0,
            "the weights of the kinds of masks must not be negative, and one must be above 0",
        )
        check(
            len(self.area) == 2 and 0 < self.area[0] <= self.area[1] < 1,
            "masks.area is two numbers, the smallest and the largest share, between 0 and 1",
        )
        check(0 < self.brush <= 16, f"masks.brush is above 0 and at most 16, not {self.brush}")
        check_least(self, "masks.", 1, "pool")


@dataclass(frozen=True)
class NetworkConfig:
    """Which network, and with what arguments it is made."""

    name: str = "pocket"
    """One of `networks.NETWORKS`, or "module:attribute"."""
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DiscriminatorConfig:
    """The opponent of an adversarial loss."""

    name: str = "sn-patch"
    arguments: dict[str, Any] = field(default_factory=dict)
    rate: float = 1.0
    """Its learning rate, as a multiple of the network's."""

    def __post_init__(self) -> None:
        check_above(self, "discriminator.", "rate")


@dataclass(frozen=True)
class LossConfig:
    """Weight of each loss; one of weight 0 is not computed."""

    coarse: float = 1.0
    """L1 of every output but the last."""
    refined: float = 1.0
    """L1 of the last output."""
    hole: float = 1.0
    """Factor on L1 in the hole."""
    known: float = 1.0
    """Factor on L1 outside."""
    adversarial: float = 0.0
    adversarial_from: float = 0.33
    """Fraction of the run at which the adversarial part begins."""
    adversarial_ramp: float = 0.05
    """Fraction of the run over which its weight rises to the whole."""
    r1: float = 0.0
    """γ of the R1 penalty on the discriminator."""
    r1_every: int = 16
    """Steps from one penalty to the next; each counts so many times."""
    features: float = 0.0
    """Feature matching on the discriminator's layers."""
    similarity: float = 0.0
    """1 - multi-scale SSIM."""
    perceptual: float = 0.0
    """Distance of VGG-16 features; needs `vgg`."""
    vgg: str = ""
    """Weights of torchvision's VGG-16: its file, or a .safetensors of it."""

    def __post_init__(self) -> None:
        check_not_negative(
            *(self, "losses.", "coarse", "refined", "hole", "known", "adversarial"),
            *("adversarial_from", "adversarial_ramp", "r1", "features", "similarity", "perceptual"),
        )
        check_least(self, "losses.", 1, "r1_every")
        check(
            self.adversarial > 0 or self.features == 0,
            "losses.features needs a discriminator: set losses.adversarial above 0 too",
        )
        check(
            self.adversarial_from < 1,
            f"losses.adversarial_from is a fraction below 1, not {self.adversarial_from}",
        )
        plain = self.coarse + self.refined + self.similarity + self.perceptual
        check(
            plain > 0,
            "every loss but the adversarial ones has weight 0, so there is nothing to learn before "
            "those begin; set losses.refined above 0",
        )


@dataclass(frozen=True)
class ValidationConfig:
    """What is looked at, time after time, on photos never learnt from."""

    pictures: int = 64
    """Squares with fixed masks that figures are taken of."""
    shown: int = 12
    """How many of them are on the sheet."""

    def __post_init__(self) -> None:
        check_least(self, "validation.", 1, "pictures")
        check_not_negative(self, "validation.", "shown")


@dataclass(frozen=True)
class InpaintConfig:
    """Everything about a run that trains a network to fill holes."""

    run: RunConfig = field(default_factory=RunConfig)
    data: DataConfig = field(default_factory=DataConfig)
    masks: MaskConfig = field(default_factory=MaskConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
