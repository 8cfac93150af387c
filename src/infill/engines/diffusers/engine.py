"""What all diffusion engines share: from pixels and options to pixels.

find and load the pipeline → lay it out in memory → read the prompt → denoise → decode
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from infill.device import pick
from infill.engines.base import EngineCard, Filled, InBatches, Progress, SizeRule
from infill.engines.diffusers import calls, latents, loading, memory, scene
from infill.engines.diffusers.families import Family
from infill.engines.diffusers.loading import Licence, Loaded
from infill.engines.diffusers.tuning import tune
from infill.errors import BadOption
from infill.geometry import Frame
from infill.lazy import need
from infill.weights import Source

if TYPE_CHECKING:
    import torch

OnLatents = Callable[[int, int, Any, "torch.Tensor", Any], "torch.Tensor"]
"""Called after each step as (step, steps, level, latents, scheduler); what it returns goes on.

step:    from 0; steps: how many there are.
level:   the timestep at which the latents now stand, which is the one that the network will be
         asked at next; None after the last step, when they are clean.
latents: (N, C, h, w), in the scheduler's scale; `latents.noised(scheduler, clean, noise, level)`
         brings clean ones to the same level.
"""


class Latent(InBatches):
    """An engine over one family of models.

    Beside what every engine has: `run`, with a hook on the latents, and `encode`.
    """

    card: ClassVar[EngineCard]
    Options: ClassVar[type]
    family: ClassVar[Family]
    source: ClassVar[str]
    """The model on the hub that is taken when none is named."""

    def size_rule(self, options: Any) -> SizeRule:
        """The card's; of another model its own native size, where its configuration tells."""
        if options.model == self.source:
            return self.card.size
        side = loading.native(options.model, self.family, self.licence)
        return self.card.size if side is None else _around(side, self.card.size)

    @property
    def licence(self) -> Licence:
        """What the card says, of the engine's own models alone."""
        own = (self.source, getattr(self.Options, "prior", ""))
        return Licence(self.card.licence, self.card.commercial_use, of=own)

    def fill_batch(
        self,
        pixels: Sequence[NDArray[np.float32]],
        mask: NDArray[np.bool_],
        options: Any,
        rngs: Sequence[np.random.Generator],
        progress: Progress,
    ) -> list[Filled]:
        """Several candidates in one batch; each draws its noise from its own generator."""
        return self.run(pixels, mask, options, rngs, progress)

    def run(
        self,
        pixels: Sequence[NDArray[np.float32]],
        mask: NDArray[np.bool_],
        options: Any,
        rngs: Sequence[np.random.Generator],
        progress: Progress,
        *,
        on_latents: OnLatents | None = None,
    ) -> list[Filled]:
        """`fill_batch`, with a hook on the latents of every step.

        Raises `BadOption` for what this model can't do, `MissingWeights`, `EngineFailed` where
        memory does not suffice or the network gives NaN, and what `progress` raises.
        """
        _check_prompt(self.card, options)
        if on_latents is not None and self.family.layout != "plain":
            raise BadOption(
                f"the latents of {self.family.name} can't be guided here; those of "
                "stable-diffusion, stable-diffusion-xl and stable-diffusion-3 can"
            )
        progress(0.0, "loading the model")
        loaded = self.load(options, progress)
        seeds = [int(rng.integers(2**63)) for rng in rngs]
        job = calls.Job(loaded, list(pixels), mask, options, seeds, progress, on_latents)
        calls.check(job)
        height, width = mask.shape
        plan = _plan(loaded, options, height * width, len(seeds))

        def work(chosen: memory.Plan) -> list[NDArray[np.float32]]:
            _apply(loaded, chosen)
            tuned = tune(loaded.pipe, chosen.device, compile=options.compile, size=calls.size(job))
            made = calls.draw(job)
            job.notes += tuple(tuned.notes)
            return made

        with loading.quiet(), _threads():
            made, notes = memory.with_fallback(work, plan, lambda chosen: _apply(loaded, chosen))
        told = (*notes, *job.notes)
        return [Filled(one, told, dict(loaded.weights), job.redrawn) for one in made]

    def localise(self, options: Any, frame: Frame, largest: bool) -> Any:
        """A ControlNet's picture goes with the photo, pixel by pixel: its part for this region.

        Raises `BadOption` if it is of another size than the photo.
        """
        if getattr(options, "control", None) != "reference" or options.reference is None:
            return options
        shown = scene.reference(options)
        size, crop = (shown.shape[0], shown.shape[1]), frame.crop
        small = size[0] < crop.bottom or size[1] < crop.right
        if small or size != (frame.photo or size):
            height, width = frame.photo or (crop.bottom, crop.right)
            raise BadOption(
                f"with control=reference the reference is of the photo's own size, {width}×{height}"
                f", not {size[1]}×{size[0]}; bring it to that size"
            )
        return replace(options, reference=scene.Brought(frame.bring(shown)))

    def sources(self, options: Any) -> list[Source]:
        """What a fill with these options needs to have on this machine: for `infill download`."""
        return loading.sources(options, self.family, self.licence)

    def load(self, options: Any, progress: Progress | None = None) -> Loaded:
        """The pipeline that the options name, for this machine's device.

        progress: told of a download; what it raises stops that.
        """
        device = pick(extra="diffusion")
        dtype = memory.pick_dtype(device) if options.dtype == "auto" else options.dtype
        licence = replace(self.licence, progress=progress)
        return loading.load(options, self.family, dtype, device, licence)

    def encode(self, pixels: NDArray[np.float32], options: Any) -> "torch.Tensor":
        """The latents (1, C, h, w) of a picture (H, W, 3) float32 in [0, 1], in the scheduler's
        scale; the mean of what the autoencoder gives. For families whose latents are plain."""
        loaded = self.load(options)
        height, width = pixels.shape[:2]
        with _threads():
            _apply(loaded, _plan(loaded, options, height * width, 1))
            return latents.encoded(loaded.pipe, pixels, self.family.layout)


def _threads() -> AbstractContextManager[None]:
    """As many threads of PyTorch's as the settings say."""
    need("torch", extra="diffusion")
    from infill.diffusion import running

    return running.threads()


def _around(side: int, rule: SizeRule) -> SizeRule:
    """`rule` for a model that was made for pictures of that side."""
    if rule.native is None or side == rule.native:
        return rule
    return replace(rule, native=side, minimum=min(rule.minimum, side))


def _check_prompt(card: EngineCard, options: Any) -> None:
    has_picture = getattr(options, "reference", None) is not None
    if card.needs_prompt and not options.prompt.strip() and not has_picture:
        raise BadOption(
            f"engine {card.name} needs a prompt: say in words what should be in the hole "
            '(on the command line: --prompt "a wooden bench")'
        )
    if card.needs_reference and not has_picture:
        raise BadOption(f"engine {card.name} needs a reference picture; give one as reference")


def _plan(loaded: Loaded, options: Any, pixels: int, batch: int) -> memory.Plan:
    pipes = [loaded.pipe] + ([loaded.prior] if loaded.prior is not None else [])
    parts = {
        f"{index}.{name}": size
        for index, pipe in enumerate(pipes)
        for name, size in memory.weights_by_part(pipe).items()
    }
    device = pick(extra="diffusion")
    there = device == "cpu" or (loaded.plan is not None and loaded.plan.placement == "device")
    return memory.choose(
        device,
        parts,
        pixels,
        batch,
        options.memory,
        resident=sum(parts.values()) if there else 0,
        dtype=str(loaded.pipe.dtype).removeprefix("torch."),
    )


def _apply(loaded: Loaded, plan: memory.Plan) -> None:
    """Lay the pipeline out by the plan, unless it lies so already."""
    if loaded.plan == plan:
        return
    loaded.plan = None  # should this fail half-way, it lies by no plan
    memory.apply(loaded.pipe, plan)
    if loaded.prior is not None:
        memory.apply(loaded.prior, plan)
    loaded.plan = plan
