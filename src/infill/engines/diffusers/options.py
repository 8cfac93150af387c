"""The options of the diffusion engines, in pieces: a family puts together those that it honours.

An option that a family does not have is an error (`engines.base.make_options`), so what is not
honoured can't be asked for. Where one only counts together with another, `__post_init__` says so.
"""

from dataclasses import dataclass, fields
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from infill.engines.base import option
from infill.engines.diffusers.memory import Asked
from infill.engines.diffusers.tuning import Compile

Drift = Literal["correct", "ignore"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Sampler = Literal["model", "ddim", "euler", "euler-ancestral", "dpm++", "unipc", "lcm"]
ControlPicture = Literal["inpaint", "reference"]


def steps(default: int | None) -> Any:
    return option(default, "Steps from noise to picture; more take longer.", low=1, high=1000)


def guidance(default: float | None) -> Any:
    return option(default, "How closely the fill follows the prompt.", low=0, high=100)


def true_guidance(default: float | None) -> Any:
    return option(
        default,
        "How far the fill keeps from the negative prompt; above 1 each step takes twice as long.",
        low=0,
        high=100,
    )


def strength(default: float | None) -> Any:
    return option(
        default,
        "1 starts from noise alone; below, from a smooth fill of the hole with noise over it.",
        low=0.02,
        high=1,
    )


def model(default: str) -> Any:
    return option(default, "A name on the hub, a local folder, or one .safetensors file.")


@dataclass(frozen=True)
class Checked:
    """Holds values to the types and bounds that their fields state.

    None is taken only where a field's type has it; it stands for the model's own, or for none.
    """

    def __post_init__(self) -> None:
        hints = _hints(type(self))  # type: ignore[arg-type]  # classes do hash
        for entry in fields(self):
            value = getattr(self, entry.name)
            _check_type(entry.name, hints[entry.name], value)
            low, high = entry.metadata.get("low"), entry.metadata.get("high")
            if low is None or high is None or value is None:
                continue
            if not low <= value <= high:
                raise ValueError(f"{entry.name} must be between {low} and {high}, not {value}")
        self._check_together()

    def _check_together(self) -> None:
        """Raise `ValueError` for options that contradict each other or have no effect."""


@dataclass(frozen=True)
class Common(Checked):
    """What every family takes.

    config: of a model that is one file: the folder or hub name whose layout it follows, which
            brings the small parts that the file lacks (None = the preset's own model).
    """

    prompt: str = option("", "What should be there, in words.")
    model: str = model("")
    config: str | None = option(None, "For one .safetensors file: a model of the same layout.")
    num_inference_steps: int = steps(30)
    dtype: Dtype = option("auto", "Number format of the network; auto: what the device does best.")
    memory: Asked = option("auto", "How thriftily to use the device's memory.")
    compile: Compile = option("off", "Compile the network: a minute once, then quicker fills.")
    drift: Drift = option("correct", "If the model moves or recolours what it should keep.")


@dataclass(frozen=True)
class Negative(Checked):
    """A negative prompt, which only counts where guidance has something to steer away from."""

    negative_prompt: str = option("", "What should not be there, in words.")

    def _check_together(self) -> None:
        super()._check_together()
        name, least = _steering(self)
        scale = getattr(self, name)
        if self.negative_prompt and scale is not None and scale <= least:
            raise ValueError(
                f"negative_prompt has no effect while {name} is {scale:g}; "
                f"set {name} above {least:g}"
            )


@dataclass(frozen=True)
class Strengthened(Checked):
    strength: float = strength(1.0)


@dataclass(frozen=True)
class Lora(Checked):
    """Low-rank additions to the network's weights (Hu et al. 2021)."""

    lora: str | None = option(None, "A LoRA: a hub name, folder or .safetensors file.")
    lora_scale: float = option(1.0, "How strongly the LoRA counts.", low=-10, high=10)

    def _check_together(self) -> None:
        super()._check_together()
        if self.lora is None and self.lora_scale != 1.0:
            raise ValueError("lora_scale has no effect without lora; name one")


@dataclass(frozen=True)
class Reference(Checked):
    """A picture to go by."""

    reference: Any = option(None, "A picture of what should be there.")


@dataclass(frozen=True)
class IpAdapter(Reference):
    """A picture in place of words, or beside them (Ye et al. 2023)."""

    ip_adapter: str | None = option(
        None, "An IP-Adapter, which lets `reference` say what should be there: a name or a file."
    )
    ip_adapter_scale: float = option(0.6, "How strongly the reference counts.", low=0, high=2)

    def _check_together(self) -> None:
        super()._check_together()
        if self.ip_adapter is not None and self.reference is None:
            raise ValueError("ip_adapter needs a reference to go by; give one")
        if self.ip_adapter is None and self.ip_adapter_scale != 0.6:
            raise ValueError("ip_adapter_scale has no effect without ip_adapter; name one")
        if self.reference is not None and not self._reference_is_used():
            raise ValueError(
                "reference has no effect by itself; name the ip_adapter that reads it"
                + (" or a controlnet with control=reference" if hasattr(self, "controlnet") else "")
            )

    def _reference_is_used(self) -> bool:
        return self.ip_adapter is not None


@dataclass(frozen=True)
class Controlled(IpAdapter):
    """A second network that steers the first by a picture (Zhang et al. 2023).

    control: "inpaint" hands it the photo with the hole marked, for networks made for that;
             "reference" the reference as it is (edges, depth, a pose: whatever the network
             reads), scaled to the region.
    """

    controlnet: str | None = option(None, "A ControlNet: a hub name or folder.")
    controlnet_scale: float = option(0.8, "How strongly the ControlNet counts.", low=0, high=2)
    control: ControlPicture = option("inpaint", "What the ControlNet is shown.")

    def _check_together(self) -> None:
        super()._check_together()
        if self.controlnet is None and (self.control != "inpaint" or self.controlnet_scale != 0.8):
            raise ValueError("control and controlnet_scale have no effect without controlnet")
        if self.control == "reference" and self.reference is None:
            raise ValueError("control=reference needs a reference; give one")

    def _reference_is_used(self) -> bool:
        return super()._reference_is_used() or self.control == "reference"


@dataclass(frozen=True)
class Sampled(Checked):
    scheduler: Sampler = option("model", "How the steps are taken; model: as the model says.")


@dataclass(frozen=True)
class Distilled(Checked):
    """Guidance learned into the network: one network call a step, whatever the scale."""

    guidance_scale: float = guidance(3.5)


@dataclass(frozen=True)
class Guided(Negative, Distilled):
    """Classifier-free guidance (Ho and Salimans 2022)."""


@dataclass(frozen=True)
class TrueGuided(Negative):
    """Classifier-free guidance where the library calls it so, beside a distilled scale."""

    true_cfg_scale: float = true_guidance(4.0)


def _steering(options: Any) -> tuple[str, float]:
    """The option that makes a negative prompt count, and the value up to which it doesn't."""
    name = "true_cfg_scale" if hasattr(options, "true_cfg_scale") else "guidance_scale"
    return name, getattr(options, "no_guidance", 1.0)


@cache
def _hints(options: type) -> dict[str, Any]:
    return get_type_hints(options)


def _check_type(name: str, hint: Any, value: Any) -> None:
    """Raise `TypeError` or, for a word that is none of the choices, `ValueError`."""
    if hint is Any:
        return
    is_union = get_origin(hint) in (Union, UnionType)
    allowed = get_args(hint) if is_union else (hint,)
    if value is None and type(None) in allowed:
        return
    (kind,) = (one for one in allowed if one is not type(None))
    number = not isinstance(value, bool | np.bool_)
    if get_origin(kind) is Literal:
        if not isinstance(value, str) or value not in get_args(kind):
            raise ValueError(f"{name} must be one of {', '.join(get_args(kind))}, not {value!r}")
    elif kind is str and not isinstance(value, str):
        raise TypeError(f"{name} is text, not {value!r}")
    elif kind is int and not (number and isinstance(value, int | np.integer)):
        raise TypeError(f"{name} is a whole number, not {value!r}")
    elif kind is float and not (number and isinstance(value, int | float | np.number)):
        raise TypeError(f"{name} is a number, not {value!r}")


# --- the families -------------------------------------------------------------------------------


@dataclass(frozen=True)
class StableDiffusion(Guided, Strengthened, Sampled, Lora, Controlled, Common):
    guidance_scale: float = guidance(7.5)


@dataclass(frozen=True)
class StableDiffusionXL(StableDiffusion):
    strength: float = strength(0.99)


@dataclass(frozen=True)
class StableDiffusion3(Guided, Strengthened, Lora, Common):
    guidance_scale: float = guidance(7.0)


@dataclass(frozen=True)
class Flux(TrueGuided, Distilled, Strengthened, Lora, Common):
    true_cfg_scale: float = true_guidance(1.0)


@dataclass(frozen=True)
class FluxFill(Distilled, Strengthened, Lora, Common):
    guidance_scale: float = guidance(30.0)
    num_inference_steps: int = steps(50)


@dataclass(frozen=True)
class FluxKontext(TrueGuided, Distilled, Strengthened, Lora, Reference, Common):
    true_cfg_scale: float = true_guidance(1.0)


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
class QwenImage(TrueGuided, Strengthened, Lora, Common):
    num_inference_steps: int = steps(50)


@dataclass(frozen=True)
class ZImage(Guided, Strengthened, Lora, Common):
    """Turbo models are distilled: eight or nine steps, no guidance."""

    no_guidance = 0.0
    guidance_scale: float = guidance(0.0)
    num_inference_steps: int = steps(9)


@dataclass(frozen=True)
class Chroma(TrueGuided, Strengthened, Lora, Common):
    """What the library takes as `guidance_scale` here is classifier-free guidance proper."""

    num_inference_steps: int = steps(40)


@dataclass(frozen=True)
class Kandinsky(Guided, Common):
    """prior: the first of the two models, which turns the words into a picture's embedding."""

    guidance_scale: float = guidance(4.0)
    num_inference_steps: int = steps(50)
    prior: str = option("", "The model that reads the prompt: a hub name or folder.")
    prior_steps: int = option(25, "Steps of that model.", low=1, high=1000)
