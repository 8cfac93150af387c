"""RePaint: an unconditional diffusion model fills the hole, step by step with what is known.

Options and the engine; how it works lies in `infill.diffusion`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from infill.device import pick
from infill.diffusion import plan as plans
from infill.diffusion.plan import Plan
from infill.engines.base import (
    EngineCard,
    Filled,
    InBatches,
    Part,
    Progress,
    SizeRule,
    option,
    preview,
)
from infill.engines.checked import Checked
from infill.engines.scarce import if_room
from infill.errors import BadOption, EngineFailed, FullMask
from infill.lazy import need
from infill.weights import Source

if TYPE_CHECKING:
    from torch import Tensor

    from infill.diffusion.model import UNetDenoiser

EXTRA = "diffusion"
DEFAULT_MODEL = "google/ddpm-celebahq-256"
PLAIN: dict[str, Any] = {"steps": 100}
"""What `schedule="custom"` starts from: one way down, without resampling."""

Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class WalkOptions(Checked):
    """Which model, and how it goes down and up the noise. None = as the schedule has it."""

    model: str = option(
        DEFAULT_MODEL, "Unconditional diffusion model: a name on the hub, a folder or a checkpoint."
    )
    schedule: Literal["fast", "published", "custom"] = option(
        "fast", "Steps and resampling: a tenth of the work, as in the paper, or one plain way down."
    )
    num_inference_steps: int | None = option(
        None, "Steps from noise to picture; more take longer.", low=1, high=1000
    )
    jump_length: int | None = option(
        None, "How many steps of noise are added again at once.", low=1, high=500
    )
    jump_n_sample: int | None = option(
        None, "How often each stretch is gone through; 1 = no resampling.", low=1, high=50
    )
    resample_from: float | None = option(
        None, "Share of the steps, from the noisiest, before resampling begins.", low=0, high=1
    )
    resample_until: float | None = option(
        None, "Share of the steps, from the noisiest, after which it ends.", low=0, high=1
    )
    eta: float | None = option(
        None,
        "Noise of a step as in DDIM: 0 = none, 1 = all; empty = the model's own.",
        low=0,
        high=1,
    )
    class_label: int | None = option(
        None, "The class, for models that were trained with classes.", low=0, high=100_000
    )
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = option(
        "auto", "Number format of the network; auto: float16 on CUDA, float32 elsewhere."
    )

    def _check_together(self) -> None:
        if not self.model:
            raise ValueError("model is a name on the hub, a folder or a checkpoint")
        plan_of(self)


def plan_of(options: WalkOptions) -> Plan:
    """The walk that the options ask for. Raises `ValueError` for what doesn't fit together.

    With other steps than the schedule's own and no jump_length, jumps are a quarter of the steps
    at most.
    """
    bases = {"fast": plans.FAST, "published": plans.PUBLISHED, "custom": PLAIN}
    given = {
        "steps": options.num_inference_steps,
        "jump_length": options.jump_length,
        "jump_n_sample": options.jump_n_sample,
        "resample_from": options.resample_from,
        "resample_until": options.resample_until,
        "eta": options.eta,
    }
    chosen = dict(bases[options.schedule])
    chosen.update({name: value for name, value in given.items() if value is not None})
    steps, length = chosen["steps"], chosen.get("jump_length", 1)
    if options.jump_length is None:
        chosen["jump_length"] = min(length, max(1, steps // 4))
    elif chosen.get("jump_n_sample", 1) > 1 and length >= steps:
        raise ValueError(f"jump_length ({length}) must be smaller than the {steps} steps")
    return plans.make_plan(**chosen)


def size_of(options: WalkOptions) -> SizeRule:
    """The model's own size, square. Raises `MissingWeights`."""
    need("torch", extra=EXTRA)
    from infill.diffusion.model import side_of

    return square(side_of(options.model))


def square(side: int) -> SizeRule:
    """The rule of a model for photos of side × side pixels."""
    return SizeRule(minimum=side, native=side, square=True, context_min=max(1, side // 4))


def model_sources(options: WalkOptions) -> list[Source]:
    """The weights that a fill with these options needs on this machine."""
    from infill.diffusion.folders import source

    return [source(options.model)]


def denoiser_of(options: WalkOptions) -> "tuple[UNetDenoiser, str]":
    """The model for one fill, and its device. Raises `MissingWeights`, `BadOption`."""
    need("torch", extra=EXTRA)
    need("diffusers", extra=EXTRA)
    from infill.diffusion.model import load

    device = pick(extra=EXTRA)
    precision = None if options.dtype == "auto" else options.dtype
    denoiser = load(options.model, device, label=options.class_label, precision=precision)
    steps = plan_of(options).steps
    if steps > len(denoiser.schedule):
        raise BadOption(f"{options.model} has {len(denoiser.schedule)} steps, not {steps}")
    return denoiser.afresh(), device


def watcher(progress: Progress) -> "Callable[[int, int, Tensor], None]":
    """Tells how far the sampling is after each call of the network, and shows the first photo."""
    from infill.diffusion.running import to_picture

    def on_step(done: int, calls: int, clean: "Tensor") -> None:
        progress(done / calls, "denoise")
        preview(progress, lambda: to_picture(clean[0]))

    return on_step


def notes_of(denoiser: "UNetDenoiser") -> tuple[str, ...]:
    """What the caller ought to know of how the model ran."""
    if not denoiser.fell_back:
        return ()
    return ("the network gave no numbers in the shorter format, so it ran in float32",)


def check_known(mask: Mask) -> None:
    """Raise `FullMask` if nothing is known."""
    if mask.all():
        raise FullMask("every pixel is masked, so there is nothing to fill from; mask less of it")


class Repaint(InBatches):
    """See `infill.diffusion.sampler`."""

    card: ClassVar[EngineCard] = EngineCard(
        name="repaint",
        family="diffusion",
        summary="a model of photos without prompts (faces, by default) fills in step with the rest",
        authors="Andreas Lugmayr, Martin Danelljan, Andrés Romero, Fisher Yu, Radu Timofte, "
        "Luc Van Gool (method); Jonathan Ho, Ajay Jain, Pieter Abbeel (default model)",
        published="2022",
        architecture="unconditional DDPM with resampling; the default model is a UNet of 114 "
        "million parameters for faces of 256 × 256 pixels",
        paper="RePaint: Inpainting using Denoising Diffusion Probabilistic Models, CVPR 2022, "
        "arXiv 2201.09865",
        licence="default model: Apache-2.0 by its own card, but trained on CelebA-HQ, whose photos "
        "are for non-commercial research; other models have their own",
        commercial_use=False,
        extra=EXTRA,
        size=square(256),
        checkpoint=DEFAULT_MODEL,
        parameters=113_673_219,
    )
    Options: ClassVar[type] = WalkOptions

    def size_rule(self, options: WalkOptions) -> SizeRule:
        """See `size_of`."""
        return size_of(options)

    def calls(self, options: WalkOptions) -> int:
        """How often the network runs for one region."""
        return plan_of(options).calls

    def sources(self, options: WalkOptions) -> list[Source]:
        """The model that the options name, for `infill download`."""
        return model_sources(options)

    def fill_batch(
        self,
        pixels: Sequence[Pixels],
        mask: Mask,
        options: WalkOptions,
        rngs: Sequence[np.random.Generator],
        progress: Progress,
    ) -> list[Filled]:
        """Several candidates in one batch, each from its own generator.

        Where the device's memory is too small for all at once, they are made one by one, with
        the same noise, and a note says so.
        """
        check_known(mask)
        progress(0.0, "load")
        denoiser, device = denoiser_of(options)

        def run(some: slice, told: Progress) -> list[Pixels]:
            return _sample(denoiser, device, pixels[some], mask, options, rngs[some], told)

        made, notes = all_or_one_by_one(rngs, run, progress, device)
        notes += notes_of(denoiser)
        return [Filled(picture, notes, denoiser.sha256) for picture in made]


def _sample(
    denoiser: "UNetDenoiser",
    device: str,
    pixels: Sequence[Pixels],
    mask: Mask,
    options: WalkOptions,
    rngs: Sequence[np.random.Generator],
    progress: Progress,
) -> list[Pixels]:
    from infill.diffusion import running
    from infill.diffusion.sampler import repaint

    with running.threads():
        found = repaint(
            denoiser,
            running.to_tensor(pixels, device),
            running.to_weight(~mask, device),
            plan_of(options),
            running.drawer(rngs, device),
            on_step=watcher(progress),
        )
        return [running.to_picture(one) for one in found]


def all_or_one_by_one(
    rngs: Sequence[np.random.Generator],
    run: Callable[[slice, Progress], list[Pixels]],
    progress: Progress,
    device: str,
) -> tuple[list[Pixels], tuple[str, ...]]:
    """What `run` makes of all candidates at once, or of one after the other if memory is short.

    rngs: one for each, put back before it is used again. run: gets which candidates to make.
    Returns the pictures and notes. Raises `EngineFailed` if there is no memory even for one.
    """
    before = [rng.bit_generator.state for rng in rngs]
    made = if_room(partial(run, slice(0, len(rngs)), progress))
    if made is not None:
        return made, ()
    pictures: list[Pixels] = []
    for index in range(len(rngs) if len(rngs) > 1 else 0):
        rngs[index].bit_generator.state = before[index]
        part = Part(progress, index / len(rngs), 1 / len(rngs))
        made = if_room(partial(run, slice(index, index + 1), part))
        if made is None:
            break
        pictures += made
    if len(pictures) < len(rngs):
        mend = "choose a smaller one" if device == "cpu" else "set device to cpu"
        raise EngineFailed(f"the memory of {device} is too small for this model; {mend}")
    return pictures, ("the device ran out of memory, so the candidates were made one by one",)
