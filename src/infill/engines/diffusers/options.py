"""The options of each family of models: exactly those that it honours.

An option that a family does not have is an error (`engines.base.make_options`), so what is not
honoured can't be asked for.
"""

from dataclasses import dataclass
from typing import Any, Literal

from infill.engines.base import option
from infill.engines.diffusers.option_pieces import (
    Common,
    Controlled,
    ControlledFromNoise,
    Distilled,
    Guided,
    IpAdapter,
    Lora,
    Reference,
    Sampled,
    Strengthened,
    TrueGuided,
    guidance,
    steps,
    strength,
    true_guidance,
)


@dataclass(frozen=True)
class StableDiffusion(Guided, Strengthened, Sampled, Lora, Controlled, IpAdapter, Common):
    guidance_scale: float = guidance(7.5)


@dataclass(frozen=True)
class StableDiffusionXL(StableDiffusion):
    strength: float = strength(0.99)


@dataclass(frozen=True)
class StableDiffusion3(Guided, ControlledFromNoise, Lora, IpAdapter, Common):
    guidance_scale: float = guidance(7.0)


@dataclass(frozen=True)
class Flux(TrueGuided, Distilled, Strengthened, Lora, Controlled, IpAdapter, Common):
    """Its ControlNets read a picture as it is, none the photo with its hole.

    control_mode: which kind of picture the reference is, for networks that read several; their
                  authors number them.
    """

    true_cfg_scale: float = true_guidance(1.0)
    control: Literal["reference"] = option(
        "reference", "What the ControlNet is shown.", server=False
    )
    control_mode: int | None = option(
        None,
        "For a ControlNet that reads several kinds of picture: which.",
        low=0,
        high=1000,
        server=False,
    )

    def _check_together(self) -> None:
        super()._check_together()
        if self.controlnet is not None and self.true_cfg_scale > 1:
            raise ValueError(
                "with a controlnet this model heeds no negative prompt; set true_cfg_scale to 1"
            )


@dataclass(frozen=True)
class FluxFill(Distilled, Strengthened, Lora, Common):
    guidance_scale: float = guidance(30.0)
    num_inference_steps: int = steps(50)


@dataclass(frozen=True)
class FluxKontext(TrueGuided, Distilled, Strengthened, Lora, IpAdapter, Common):
    """Looks at the reference itself; with an ip_adapter that reads it instead."""

    true_cfg_scale: float = true_guidance(1.0)
    reference: Any = option(None, "A picture of what should be there.")

    def _readers(self) -> dict[str, bool]:
        return {}


@dataclass(frozen=True)
class Flux2Klein(Strengthened, Lora, Reference, Common):
    guidance_scale: float | None = option(
        None,
        "How closely the fill follows the prompt; only for models that are not distilled (4).",
        low=0,
        high=100,
    )
    num_inference_steps: int = steps(4)


@dataclass(frozen=True)
class QwenImage(TrueGuided, ControlledFromNoise, Lora, Common):
    num_inference_steps: int = steps(50)


@dataclass(frozen=True)
class QwenImageEdit(TrueGuided, Strengthened, Lora, Common):
    num_inference_steps: int = steps(50)


@dataclass(frozen=True)
class ZImage(Guided, ControlledFromNoise, Lora, Common):
    """Turbo models are distilled: eight or nine steps, no guidance."""

    no_guidance = 0.0
    guidance_scale: float = guidance(0.0)
    num_inference_steps: int = steps(9)


@dataclass(frozen=True)
class Chroma(TrueGuided, Strengthened, Lora, IpAdapter, Common):
    """What the library takes as `guidance_scale` here is classifier-free guidance proper."""

    num_inference_steps: int = steps(40)


@dataclass(frozen=True)
class Kandinsky(Guided, Common):
    """prior: the first of the two models, which turns the words into a picture's embedding."""

    guidance_scale: float = guidance(4.0)
    num_inference_steps: int = steps(50)
    prior: str = option("", "The model that reads the prompt: a hub name or folder.")
    prior_steps: int = option(25, "Steps of that model.", low=1, high=1000)
