"""Filling guided by a target picture: RePaint, and what Gebre, Saxena and Tran put into it.

`subject` finds the object in the target, `place` its place in the hole, `harmony` its light;
`guide` puts these together. `sampling` fills with a model of pixels, `latents` with one of
latents; `scores` ranks candidates. The equations lie in `infill.diffusion.guidance`.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from infill.engines.base import EngineCard, Filled, InBatches, Progress, SizeRule
from infill.engines.guided import guide as guides
from infill.engines.guided import scores
from infill.engines.guided.guide import Guide
from infill.engines.guided.options import Options as GuidedOptions
from infill.engines.guided.options import localised
from infill.engines.guided.sampling import Made, Task
from infill.engines.repaint import (
    DEFAULT_MODEL,
    EXTRA,
    check_known,
    model_sources,
    plan_of,
    size_of,
    square,
)
from infill.errors import BadOption, Drifted
from infill.geometry import Frame
from infill.weights import Source

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Guided(InBatches):
    """A target picture says what should be in the hole; the model blends it in."""

    card: ClassVar[EngineCard] = EngineCard(
        name="guided",
        family="diffusion",
        summary="fills with the object of a target picture, blended in by a diffusion model",
        authors="Eyoel Gebre, Krishna Saxena, Timothy Tran (method); Andreas Lugmayr and others "
        "(RePaint); Jonathan Ho, Ajay Jain, Pieter Abbeel (default model)",
        published="2024",
        architecture="RePaint over an unconditional DDPM (or a latent diffusion model) whose "
        "samples are mixed with the diffused target inside the hole",
        paper="Fill in the ____ (a Diffusion-based Image Inpainting Pipeline), arXiv 2403.16016",
        licence="default model: Apache-2.0 by its own card, but trained on CelebA-HQ, whose photos "
        "are for non-commercial research; other models have their own",
        commercial_use=False,
        needs_reference=True,
        extra=EXTRA,
        size=square(256),
        checkpoint=DEFAULT_MODEL,
        parameters=113_673_219,
    )
    Options: ClassVar[type] = GuidedOptions

    def size_rule(self, options: GuidedOptions) -> SizeRule:
        """The size of the model that the options name. Raises `MissingWeights`."""
        from infill.engines.guided import latents

        return latents.size_rule(options) if latents.reads(options.model) else size_of(options)

    def localise(self, options: GuidedOptions, frame: Frame, largest: bool) -> GuidedOptions:
        """The options for one region: a target of the scene's size is brought to it; the object
        of any other goes to the region with the largest hole, and nowhere else."""
        guides.target_picture(options)
        return localised(options, guides.localised(options, frame, largest))

    def calls(self, options: GuidedOptions) -> int:
        """How often the network runs for one region, all candidates in one batch."""
        from infill.engines.guided import latents

        return latents.calls(options) if latents.reads(options.model) else plan_of(options).calls

    def sources(self, options: GuidedOptions) -> list[Source]:
        """The model that the options name, for `infill download`."""
        from infill.engines.guided import latents

        if latents.reads(options.model):
            return latents.sources(options)
        return model_sources(options)

    def goal(self, pixels: Floats, mask: Mask, options: GuidedOptions) -> tuple[Floats, Mask]:
        """The target in the frame, (H, W, 3) float32 in [0, 1], and where it guides, (H, W) bool.

        Arguments as in `fill`. Raises `BadOption` for no target, or one without an object.
        """
        found = guides.make(pixels, mask, options)
        return found.pixels, found.where

    def fill_batch(
        self,
        pixels: Sequence[Floats],
        mask: Mask,
        options: GuidedOptions,
        rngs: Sequence[np.random.Generator],
        progress: Progress,
    ) -> list[Filled | Drifted]:
        """Several fills in one batch, each the best of `options.candidates` of its own."""
        check_known(mask)
        progress(0.0, "target")
        empty = options.region is not None and options.region.empty
        count = 1 if empty else options.candidates
        made_for = [guides.make(scene, mask, options) for scene in pixels]
        tasks = [
            Task(scene, mask, guide, stream)
            for scene, guide, rng in zip(pixels, made_for, rngs, strict=True)
            for stream in streams(rng, count)
        ]
        progress(0.0, "load")
        made = _sample(tasks, options, progress)
        return [
            _best(scene, mask, guide, made, slice(index * count, (index + 1) * count))
            for index, (scene, guide) in enumerate(zip(pixels, made_for, strict=True))
        ]


def streams(rng: np.random.Generator, count: int) -> list[np.random.Generator]:
    """A generator for each candidate: `rng` itself for one, else ones that it seeds."""
    if count == 1:
        return [rng]
    return [np.random.default_rng(int(rng.integers(2**63))) for _ in range(count)]


def _sample(tasks: list[Task], options: GuidedOptions, progress: Progress) -> Made:
    from infill.engines.guided import latents, sampling

    if latents.reads(options.model):
        return latents.sample(tasks, options, progress)
    if options.prompt:
        raise BadOption(f"the model {options.model} reads no prompt; leave prompt out")
    if options.drift != "correct":
        raise BadOption(
            f"drift has no effect with the model of pixels {options.model}; leave drift out"
        )
    return sampling.sample(tasks, options, progress)


def _best(scene: Floats, mask: Mask, guide: Guide, made: Made, mine: slice) -> Filled | Drifted:
    """The candidate of the lowest score, with notes of how they compare.

    Those that are refused are left out; without any other it is the first's reason.
    """
    every = made.candidates[mine]
    kept = [one for one in every if one.refused is None]
    reasons = [one.refused for one in every if one.refused is not None]
    if not kept:
        return reasons[0]
    notes = guide.notes
    if reasons:
        notes += (f"{len(reasons)} of {len(every)} candidates left out: {reasons[0]}",)
    if len(kept) == 1:
        return Filled(kept[0].pixels, notes + kept[0].notes, made.weights)
    found = [
        scores.score(np.where(mask[..., None], one.pixels, scene), mask, guide.pixels, guide.where)
        for one in kept
    ]
    best = kept[scores.ranked(found)[0]]
    return Filled(best.pixels, (*notes, *best.notes, scores.told(found)), made.weights)
