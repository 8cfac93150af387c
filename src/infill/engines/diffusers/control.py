"""A pipeline with a ControlNet: what it is shown, and the known part that it does not keep.

Every family marks the hole in another way. Stable Diffusion's networks see it as -1 in a picture
of [0, 1]; Stable Diffusion 3's and Qwen's get a mask, which their pipelines put beside the latents
of the photo with the hole blackened; Z-Image's get the picture that they go by, a mask, and the
photo without its hole. FLUX's see a picture such as edges, and no hole.

The pipelines of Stable Diffusion 3, Qwen and Z-Image make the whole picture from noise. So after
each step the known part is put back at that step's noise, as the pipelines without a ControlNet
do it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from infill.engines.diffusers import latents
from infill.engines.diffusers import scene as scenes
from infill.engines.diffusers.prompts import Arguments
from infill.engines.diffusers.scene import Scene
from infill.errors import BadOption
from infill.lazy import need

if TYPE_CHECKING:
    import torch

    from infill.engines.diffusers.calls import Job


@dataclass(frozen=True)
class Known:
    """The known part of the pictures, and the noise that they start from: float32, packed as
    the pipeline's latents are. keep: 1 where known, 0 in the hole."""

    clean: "torch.Tensor"
    start: "torch.Tensor"
    keep: "torch.Tensor"

    def put_back(self, now: "torch.Tensor", scheduler: Any, level: Any) -> "torch.Tensor":
        """`now` with the known part as it is at the timestep `level`; None = clean."""
        known = latents.noised(scheduler, self.clean, self.start, level)
        return (self.keep * known + (1 - self.keep) * now.float()).to(now.dtype)


def asked(job: "Job") -> bool:
    """Whether the fill goes by a ControlNet."""
    return getattr(job.options, "controlnet", None) is not None


def check(job: "Job") -> None:
    """Raise `BadOption` for a `control_mode` that this very network can't honour."""
    if not asked(job) or not hasattr(job.options, "control_mode"):
        return
    modes, mode = job.loaded.pipe.controlnet.config.num_mode, job.options.control_mode
    if modes is None and mode is not None:
        raise BadOption("this controlnet reads one kind of picture; leave control_mode out")
    if modes is not None and (mode is None or mode >= modes):
        raise BadOption(
            f"this controlnet reads {modes} kinds of picture; set control_mode to the number of "
            f"the reference's, 0 to {modes - 1}, as its page on the hub has them"
        )


def encoded_first(job: "Job") -> int:
    """How many pictures the pipeline encodes before the photo: FLUX's encode the control picture,
    unless the network takes its pixels."""
    if not asked(job) or job.loaded.family.name != "flux":
        return 0
    return int(job.loaded.pipe.controlnet.input_hint_block is None)


def given(job: "Job", scene: Scene, others: Arguments) -> Arguments:
    """All arguments of the pipeline. others: those of a call without a ControlNet."""
    takes = signature(type(job.loaded.pipe).__call__).parameters
    made = {name: value for name, value in others.items() if name in takes}
    made["controlnet_conditioning_scale"] = float(job.options.controlnet_scale)
    if job.loaded.family.network == "unet":
        made["control_image"] = _for_unet(job, scene)
        return made
    floors = scenes.tensor(scene.floors) * 2 - 1  # they take tensors as they are
    shown = _reference(job, scene) * 2 - 1 if job.options.control == "reference" else floors
    made["control_image"] = shown
    if "control_mask" in takes:
        made["control_mask"] = others["mask_image"]
    if job.loaded.family.name == "z-image" and "image" in takes:
        made["image"] = floors
    if getattr(job.options, "control_mode", None) is not None:
        made["control_mode"] = [job.options.control_mode] * len(job.seeds)
    return made


def _for_unet(job: "Job", scene: Scene) -> "torch.Tensor":
    if job.options.control == "reference":
        return _reference(job, scene)
    torch = need("torch", extra="diffusion")
    shown = scenes.tensor(scene.floors)
    shown[:, :, torch.from_numpy(scene.hole)] = -1.0  # as the networks were trained
    return shown


def _reference(job: "Job", scene: Scene) -> "torch.Tensor":
    shown = scenes.resized(scenes.reference(job.options), scene.shape)
    return scenes.tensor([shown] * len(job.seeds))


def known(job: "Job", scene: Scene, generators: Sequence["torch.Generator"]) -> Known | None:
    """What is put back after each step, inside `latents.watched`; None where the pipeline does
    so itself. Draws the noise that each candidate starts from."""
    family, pipe = job.loaded.family, job.loaded.pipe
    if family.controlnet is None or not family.controlnet.noise:
        return None
    torch = need("torch", extra="diffusion")
    clean = latents.encoded_inside(pipe, scenes.tensor(scene.floors), family.layout)
    drawn = [torch.randn((1, *clean.shape[1:]), generator=one) for one in generators]
    hole = torch.from_numpy(scene.hole.astype(np.float32))[None, None]
    keep = 1 - torch.nn.functional.interpolate(hole, clean.shape[2:])  # whole cells: no mixing
    parts = (clean, torch.cat(drawn).to(clean.device), keep.expand_as(clean).to(clean.device))
    return Known(*(latents.packed(one.contiguous(), family.layout) for one in parts))


@contextmanager
def seeing_the_hole_alone(job: "Job") -> Iterator[None]:
    """Z-Image's network has channels for a picture to go by and others for the photo with its
    hole. With control=inpaint there is no such picture: inside, those channels are zero, as the
    network's authors have it (the pipeline itself would encode one)."""
    alone = asked(job) and job.loaded.family.name == "z-image" and job.options.control == "inpaint"
    if not alone:
        yield
        return
    channels = job.loaded.pipe.transformer.config.in_channels

    def blank(_: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
        noisy, time, words, shown = given
        shown = shown.clone()
        shown[:, :channels] = 0
        return noisy, time, words, shown

    hook = job.loaded.pipe.controlnet.register_forward_pre_hook(blank)
    try:
        yield
    finally:
        hook.remove()
