"""The same guidance for latent diffusion models, so that it works at their 512 or 1024 pixels.

The target is encoded once by the model's autoencoder. After each step, at noise level t,

    x_t ← x_t + λ w (y_t - x_t),    y_t = the target's latents, diffused to t

where w is 1 in the cells of the latents that lie wholly in the guided part of the hole. The noise
of y_t is one draw for each candidate, kept over the steps, as the library's own pipelines keep
that of the known part: with samplers that add none, the target then follows one path. What is
known of the scene, and the hole, are the pipeline's business; see `infill.engines.diffusers`.
"""

import copy
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from infill.engines.base import ENGINES, Filled, Progress, SizeRule
from infill.engines.guided.options import Options
from infill.engines.guided.sampling import Candidate, Floats, Made, Mask, Task
from infill.errors import BadOption, Drifted
from infill.lazy import need
from infill.weights import Source

if TYPE_CHECKING:
    import torch

    from infill.engines.diffusers.engine import Latent

PRESETS = ("sd", "sd2", "sdxl", "sd3")
"""Engines whose latents can be guided: those that lie in a plain grid."""

PASSED_ON = ("num_inference_steps", "dtype", "prompt")
NOT_HERE = (
    *("schedule", "jump_length", "jump_n_sample", "resample_from", "resample_until", "eta"),
    *("class_label", "heat_width", "heat_passes"),
)
"""Options that only models of pixels have: those of RePaint's walk, and the heated mask."""


def reads(name: str) -> bool:
    """Whether `model` names a latent model: a preset, or a folder of one of their families."""
    if name in PRESETS:
        return True
    place = Path(name).expanduser()
    if not (place / "model_index.json").is_file():
        return False
    return _family(name) is not None


def _family(name: str) -> Any:
    """The family of a local folder, or None for a model of pixels (or of nothing we know)."""
    from infill.engines.diffusers import loading

    try:
        return loading.family_of(name, loading.Licence())
    except BadOption:  # not made for a pipeline that fills: a model of pixels, then
        return None


def size_rule(options: Options) -> SizeRule:
    """What sizes the latent model takes. Raises `MissingWeights`."""
    engine, chosen = _engine(options)
    return engine.size_rule(chosen)


def calls(options: Options) -> int:
    """How often the network runs: once a step, with and without the prompt in one batch."""
    return int(_engine(options)[1].num_inference_steps)


def sources(options: Options) -> list[Source]:
    """What the latent model needs on this machine."""
    engine, chosen = _engine(options)
    return list(engine.sources(chosen))


def sample(tasks: Sequence[Task], options: Options, progress: Progress) -> Made:
    """A picture (H, W, 3) for each task, of one mask and in one batch; see the module's text.

    Raises what `infill.engines.diffusers` raises: `MissingWeights`, `BadOption`, `EngineFailed`.
    """
    engine, chosen = _engine(options)
    progress(0.0, "target")
    encoded: dict[int, torch.Tensor] = {}
    for task in tasks:  # the candidates of one scene share their guide
        if id(task.guide) not in encoded:
            encoded[id(task.guide)] = engine.encode(task.guide.pixels, chosen)
    blend = _Blend(tasks, [encoded[id(task.guide)] for task in tasks], options)
    rngs = [task.rng for task in tasks]
    scenes, mask = [task.scene for task in tasks], tasks[0].mask
    made = engine.run(scenes, mask, chosen, rngs, progress, on_latents=blend)
    keeps = options.drift == "ignore"
    checked = [
        Candidate(np.asarray(one.pixels, np.float32), one.notes)
        if keeps
        else _guarded(one, scene, mask)
        for one, scene in zip(made, scenes, strict=True)
    ]
    return Made(checked, made[0].weights)


def _guarded(made: Filled, scene: Floats, mask: Mask) -> Candidate:
    """One candidate laid over the scene (H, W, 3) again, or marked as refused if it won't fit."""
    from infill import drift

    picture = np.asarray(made.pixels, np.float32)
    anew = mask if made.redrawn is None else mask | made.redrawn
    try:
        laid, note = drift.guard(scene, picture, anew)
    except Drifted as error:
        return Candidate(picture, made.notes, refused=error)
    notes = made.notes if note is None else (*made.notes, note)
    return Candidate(np.asarray(laid, np.float32), notes)


class _Blend:
    """Called after each step of the pipeline; see `infill.engines.diffusers.engine.OnLatents`."""

    def __init__(
        self, tasks: Sequence[Task], targets: "Sequence[torch.Tensor]", options: Options
    ) -> None:
        self._tasks, self._targets, self._options = tasks, targets, options
        self._weights: NDArray[np.float64] = np.empty(0)
        self._noise: torch.Tensor | None = None

    def __call__(
        self, step: int, steps: int, level: Any, latents: "torch.Tensor", scheduler: Any
    ) -> "torch.Tensor":
        from infill.diffusion.guidance import lambdas
        from infill.engines.diffusers.latents import noised

        torch = need("torch", extra="diffusion")
        if len(self._weights) != steps:
            told = self._options
            self._weights = lambdas(told.lambda_kind, told.lambda_start, told.lambda_until, steps)
        share = float(self._weights[step])
        if not share:
            return latents
        if self._noise is None:  # kept, so that a second try after an error draws no more
            each = [
                task.rng.standard_normal(tuple(latents.shape[1:]), np.float32)
                for task in self._tasks
            ]
            self._noise = torch.from_numpy(np.stack(each))
        target = torch.cat(list(self._targets)).to(latents)
        there = noised(scheduler, target, self._noise.to(latents), level)
        cells = [
            cell_weight(task.guide.where, (latents.shape[2], latents.shape[3]))
            for task in self._tasks
        ]
        weight = share * torch.from_numpy(np.stack(cells))[:, None].to(latents)
        return torch.lerp(latents, there.to(latents), weight)


def cell_weight(where: Mask, size: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w) float32 of `size`: 1 in cells of the latents wholly in `where` (H, W) bool, else 0.

    H and W are multiples of h and w. Where no cell lies wholly in it, each counts by its share.
    """
    height, width = size
    parts = where.reshape(height, where.shape[0] // height, width, where.shape[1] // width)
    share = parts.mean((1, 3), dtype=np.float32)
    whole = share >= 1
    return whole.astype(np.float32) if whole.any() else share


def _engine(options: Options) -> "tuple[Latent, Any]":
    """The engine that runs the model, one that needs no prompt, and its options."""
    usual = {entry.name: entry.default for entry in fields(Options)}
    for name in NOT_HERE:
        if getattr(options, name) != usual[name]:
            raise BadOption(f"{name} has no effect with the latent model {options.model}")
    given = {name: getattr(options, name) for name in PASSED_ON}
    given = {name: value for name, value in given.items() if value is not None}
    if not options.prompt.strip():
        given["guidance_scale"] = 1.0  # nothing to steer to: half the work
    if options.model in PRESETS:
        engine: Any = copy.copy(ENGINES.get(options.model))
        chosen = engine.Options(**given)
    else:
        from infill.engines.diffusers.generic import Diffusers

        wanted = Diffusers.Options(model=options.model, **given)
        engine = Diffusers().of(wanted)
        chosen = engine.chosen(wanted)
    engine.card = replace(engine.card, needs_prompt=False)
    return engine, chosen
