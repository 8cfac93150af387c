"""One call of a pipeline: what it is given, what happens after each step, what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from infill.engines import base
from infill.engines.diffusers import adapters, control, latents, prompts
from infill.engines.diffusers import scene as scenes
from infill.engines.diffusers.latents import Watch
from infill.engines.diffusers.scene import Scene
from infill.errors import BadOption
from infill.lazy import need

if TYPE_CHECKING:
    import torch

    from infill.engines.diffusers.engine import OnLatents
    from infill.engines.diffusers.loading import Loaded

READING, DRAWING, DECODING = 0.05, 0.08, 0.97  # of the whole, where these stages begin
SAMPLERS = {
    "ddim": ("DDIMScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler-ancestral": ("EulerAncestralDiscreteScheduler", {}),
    "dpm++": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "lcm": ("LCMScheduler", {}),
}


@dataclass
class Job:
    """One fill of one region: `seeds` as many as `pixels`, one candidate each.

    redrawn: (H, W) bool, set by `draw`: all that was made anew, the hole in whole cells.
    """

    loaded: "Loaded"
    pixels: Sequence[NDArray[np.float32]]
    mask: NDArray[np.bool_]
    options: Any
    seeds: Sequence[int]
    progress: base.Progress
    on_latents: "OnLatents | None" = None
    notes: tuple[str, ...] = ()
    redrawn: NDArray[np.bool_] | None = None


def check(job: Job) -> None:
    """Raise `BadOption` for options that this very model can't honour."""
    pipe, options, family = job.loaded.pipe, job.options, job.loaded.family
    distilled = family.name == "flux2-klein" and pipe.config.is_distilled
    if distilled and options.guidance_scale is not None:
        raise BadOption(
            "this model is distilled and takes no guidance_scale; leave it out or name a base one"
        )
    network = getattr(pipe, family.network)
    if family.name in ("flux", "flux-fill", "flux-kontext") and not network.config.guidance_embeds:
        own = type(options)().guidance_scale
        if options.guidance_scale != own:
            raise BadOption("this model takes no guidance_scale; leave it out")
    control.check(job)
    steps = getattr(options, "strength", 1.0) * options.num_inference_steps
    if steps < 1:
        raise BadOption(
            f"strength {options.strength:g} of {options.num_inference_steps} steps leaves none; "
            "raise either"
        )


def size(job: Job) -> tuple[Any, ...]:
    """What makes the networks' shapes differ between two fills."""
    scales = [getattr(job.options, name, None) for name in ("guidance_scale", "true_cfg_scale")]
    guided = [scale is not None and scale > 1 for scale in scales]
    return (*job.mask.shape, len(job.seeds), *guided)


def draw(job: Job) -> list[NDArray[np.float32]]:
    """The filled pictures, (H, W, 3) float32 in [0, 1], one for each seed.

    The generators are made anew from the seeds, so a second try starts from the same noise.
    """
    torch = need("torch", extra="diffusion")
    loaded = job.loaded
    pipe, family = loaded.pipe, loaded.family
    scene = scenes.of(loaded, job.pixels, job.mask)
    job.redrawn = job.mask | scenes.back_mask(scene.hole, job.mask.shape)
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in job.seeds]
    adapters.weigh(pipe, job.options)
    _set_sampler(loaded, job.options)
    job.progress(READING, "reading the prompt")
    given, job.notes = _read(job, scene, generators)
    job.progress(DRAWING, "drawing")
    watch = Watch(other=control.encoded_first(job))
    try:
        with latents.watched(pipe, watch), torch.no_grad():
            made = _call(job, scene, given, generators, watch)
            job.progress(DECODING, "decoding")
            open_ = _opened_at_end(made, family.layout, scene.size)
            filled = latents.decoded(pipe, open_, family.layout, watch)
    finally:
        pipe.maybe_free_model_hooks()
    job.notes += watch.notes
    return [scenes.back(one, job.mask.shape) for one in filled]


# --- what the pipeline is given -----------------------------------------------------------------


def _read(
    job: Job, scene: Scene, generators: Sequence["torch.Generator"]
) -> tuple[prompts.Arguments, tuple[str, ...]]:
    """The prompt's embeddings for all candidates, kept from the last time where they can be."""
    loaded, options = job.loaded, job.options
    family = loaded.family
    names = ("prompt", "negative_prompt", "guidance_scale", "true_cfg_scale", "lora_scale")
    key = (loaded.plan.dtype, *(getattr(options, name, None) for name in names))
    if family.text == "qwen-edit":  # the words are read with the picture
        read = []
        for floor in scene.floors:
            loaded.pipe._infill_seen = [scenes.pil(floor)]
            read.append(prompts.read(loaded.pipe, family.text, options))
        return _stacked([given for given, _ in read]), read[0][1]
    given, notes = loaded.texts.get(key, lambda: prompts.read(loaded.pipe, family.text, options))
    given = prompts.spread(given, len(job.seeds))
    if family.text == "prior":
        given = _imagined(job, generators)
    return given, notes


def _stacked(several: Sequence[prompts.Arguments]) -> prompts.Arguments:
    torch = need("torch", extra="diffusion")
    return {
        key: None if value is None else torch.cat([one[key] for one in several])
        for key, value in several[0].items()
    }


def _imagined(job: Job, generators: Sequence["torch.Generator"]) -> prompts.Arguments:
    """Kandinsky's first half: a picture's embedding for each candidate, from its own noise."""
    torch = need("torch", extra="diffusion")
    options, prior = job.options, job.loaded.prior

    def after(_: Any, step: int, __: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        job.progress(READING, f"reading the prompt, step {step + 1} of {options.prior_steps}")
        return tensors

    made = [
        prior(
            options.prompt,
            negative_prompt=options.negative_prompt or None,
            num_inference_steps=options.prior_steps,
            guidance_scale=options.guidance_scale,
            # the pipeline draws for the negative prompt as well, in one batch
            generator=generator,
            callback_on_step_end=after,
        )
        for generator in generators
    ]
    return {
        "image_embeds": torch.cat([one.image_embeds for one in made]),
        "negative_image_embeds": torch.cat([one.negative_image_embeds for one in made]),
    }


def _call(
    job: Job,
    scene: Scene,
    given: prompts.Arguments,
    generators: Sequence["torch.Generator"],
    watch: Watch,
) -> "torch.Tensor":
    """The pipeline's final latents, as it hands them out."""
    given = given | _pictures(job, scene) | _numbers(job) | _adapted(job)
    given |= dict(job.loaded.family.extra)
    known = None
    if control.asked(job):
        given = control.given(job, scene, given)
        known = control.known(job, scene, generators)
        if known is not None:
            given["latents"] = known.start
    given["callback_on_step_end"] = _after_step(job, scene, watch, known)
    with control.seeing_the_hole_alone(job):
        return _run(job, given, generators)


def _run(
    job: Job, given: prompts.Arguments, generators: Sequence["torch.Generator"]
) -> "torch.Tensor":
    if not _alone(job):
        made = job.loaded.pipe(**given, generator=list(generators), output_type="latent")
        return made.images
    torch = need("torch", extra="diffusion")
    parts = []
    for index, generator in enumerate(generators):
        one = {key: _part(value, index, len(generators)) for key, value in given.items()}
        made = job.loaded.pipe(**one, generator=generator, output_type="latent")
        parts.append(made.images)
    return torch.cat(parts)


def _alone(job: Job) -> bool:
    """Whether candidates go one by one: Kandinsky's pipeline brings the first picture's known
    part to all, so it can't take several that differ."""
    first = job.pixels[0]
    return job.loaded.family.layout == "movq" and any(
        not np.array_equal(first, other) for other in job.pixels[1:]
    )


def _part(value: Any, index: int, count: int) -> Any:
    cut = hasattr(value, "shape") and len(value.shape) > 1 and value.shape[0] == count
    return value[index : index + 1] if cut else value


def _pictures(job: Job, scene: Scene) -> prompts.Arguments:
    torch = need("torch", extra="diffusion")
    name = job.loaded.family.name
    image: Any = scenes.tensor(scene.floors)
    hole = torch.from_numpy(scene.hole.astype(np.float32))[None, None]
    given: prompts.Arguments = {"mask_image": hole.repeat(len(image), 1, 1, 1)}
    if name == "kandinsky":
        image = image * 2 - 1
    elif name == "qwen-image-edit":
        image = [scenes.pil(floor) for floor in scene.floors]
    given["image"] = image
    if name not in ("flux-kontext", "qwen-image-edit"):  # those go by the picture's own size
        given["height"], given["width"] = scene.shape
    looks = name == "flux2-klein" or (name == "flux-kontext" and job.options.ip_adapter is None)
    if looks and job.options.reference is not None:
        cell = latents.cell(job.loaded.pipe, job.loaded.family)
        shown = scenes.tensor([scenes.fitted(scenes.reference(job.options), cell)])
        given["image_reference"] = shown.repeat(len(image), 1, 1, 1)
    return given


def _numbers(job: Job) -> prompts.Arguments:
    options, name = job.options, job.loaded.family.name
    given = {
        key: getattr(options, key)
        for key in ("num_inference_steps", "strength", "guidance_scale", "true_cfg_scale")
        if hasattr(options, key)
    }
    if name == "chroma":  # the library's true_cfg_scale does nothing there
        given["guidance_scale"] = given.pop("true_cfg_scale")
    if name == "flux2-klein":
        usual = 1.0 if job.loaded.pipe.config.is_distilled else 4.0
        if given["guidance_scale"] is None:
            given["guidance_scale"] = usual
    return given


def _adapted(job: Job) -> prompts.Arguments:
    if getattr(job.options, "ip_adapter", None) is None:
        return {}
    return {"ip_adapter_image": [scenes.pil(scenes.reference(job.options))]}


def _set_sampler(loaded: "Loaded", options: Any) -> None:
    """The scheduler that the options ask for, made anew so that nothing of the last fill is
    left in it."""
    pipe = loaded.pipe
    own = loaded.scheduler
    wanted = getattr(options, "scheduler", "model")
    if wanted == "model":
        pipe.scheduler = type(own).from_config(own.config)
        return
    name, more = SAMPLERS[wanted]
    library = need("diffusers", extra="diffusion")
    pipe.scheduler = getattr(library, name).from_config(own.config, **more)


# --- after each step ------------------------------------------------------------------------------


def _after_step(job: Job, scene: Scene, watch: Watch, known: control.Known | None) -> Any:
    layout = job.loaded.family.layout

    def after(pipe: Any, step: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        now = tensors["latents"]
        steps = pipe.num_timesteps
        left = pipe.scheduler.timesteps[-steps:]
        level = left[step + 1] if step + 1 < steps else None
        if known is not None:
            tensors["latents"] = now = known.put_back(now, pipe.scheduler, level)
        if job.on_latents is not None:
            guided = job.on_latents(step, steps, level, now, pipe.scheduler)
            tensors["latents"] = now = guided.to(now.device, now.dtype)
        done = DRAWING + (DECODING - DRAWING) * (step + 1) / steps
        job.progress(done, f"step {step + 1} of {steps}")

        def show() -> NDArray[np.float32]:
            open_ = latents.opened(now[:1], layout, scene.size)
            shown = latents.preview(pipe, open_, layout, watch, scene.shape)
            return scenes.back(shown, job.mask.shape)

        base.preview(job.progress, show)
        return tensors

    return after


def _opened_at_end(
    made: "torch.Tensor", layout: latents.Layout, size: tuple[int, int]
) -> "torch.Tensor":
    """FLUX.2's pipeline hands out latents that are ready to decode; the others packed ones."""
    return made if layout == "klein" else latents.opened(made, layout, size)
