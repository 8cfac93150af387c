"""The options of the diffusion engines, in pieces; `options` puts them together.

Where an option only counts together with another, `_check_together` says so.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal

from infill.engines.base import option
from infill.engines.checked import Checked
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
    lora_scale: float = option(1.0, "How strongly the LoRA counts.", low=-10, high=10, server=False)

    def _check_together(self) -> None:
        super()._check_together()
        if self.lora is None and self.lora_scale != 1.0:
            raise ValueError("lora_scale has no effect without lora; name one")


@dataclass(frozen=True)
class Reference(Checked):
    """A picture to go by."""

    reference: Any = option(None, "A picture of what should be there.")

    def _check_together(self) -> None:
        super()._check_together()
        readers = self._readers()
        if self.reference is not None and readers and not any(readers.values()):
            mends = " or ".join(readers)
            raise ValueError(f"reference has no effect by itself; name {mends}")
        if sum(readers.values()) > 1:
            raise ValueError(
                f"one reference can't serve {' and '.join(readers)}; leave one of them out"
            )

    def _readers(self) -> dict[str, bool]:
        """What would read the reference, in words, and whether it is asked for; {} = the model
        itself does."""
        return {}


@dataclass(frozen=True)
class IpAdapter(Reference):
    """A picture in place of words, or beside them (Ye et al. 2023)."""

    reference: Any = option(None, "A picture of what should be there.", server=False)
    ip_adapter: str | None = option(
        None, "An IP-Adapter, which lets `reference` say what should be there: a name or a file."
    )
    ip_adapter_scale: float = option(
        0.6, "How strongly the reference counts.", low=0, high=2, server=False
    )

    def _check_together(self) -> None:
        super()._check_together()
        if self.ip_adapter is not None and self.reference is None:
            raise ValueError("ip_adapter needs a reference to go by; give one")
        if self.ip_adapter is None and self.ip_adapter_scale != 0.6:
            raise ValueError("ip_adapter_scale has no effect without ip_adapter; name one")

    def _readers(self) -> dict[str, bool]:
        return super()._readers() | {"the ip_adapter that reads it": self.ip_adapter is not None}


@dataclass(frozen=True)
class Controlled(Reference):
    """A second network that steers the first by a picture (Zhang et al. 2023).

    control: "inpaint" hands it the photo with the hole marked, for networks made for that;
             "reference" the reference as it is (edges, depth, a pose: whatever the network
             reads), scaled to the region.
    """

    reference: Any = option(None, "A picture of what should be there.", server=False)
    controlnet: str | None = option(None, "A ControlNet: a hub name or folder.")
    controlnet_scale: float = option(
        0.8, "How strongly the ControlNet counts.", low=0, high=2, server=False
    )
    control: ControlPicture = option("inpaint", "What the ControlNet is shown.", server=False)

    def _check_together(self) -> None:
        super()._check_together()
        usual = {entry.name: entry.default for entry in fields(self)}
        counts = [name for name in usual if name.startswith("control") and name != "controlnet"]
        changed = [name for name in counts if getattr(self, name) != usual[name]]
        if self.controlnet is None and changed:
            raise ValueError(f"{' and '.join(changed)} have no effect without controlnet")
        by_reference = self.controlnet is not None and self.control == "reference"
        if by_reference and self.reference is None:
            raise ValueError("control=reference needs a reference; give one")

    def _readers(self) -> dict[str, bool]:
        asked = self.controlnet is not None and self.control == "reference"
        return super()._readers() | {"a controlnet with control=reference": asked}


@dataclass(frozen=True)
class ControlledFromNoise(Controlled):
    """The library's pipelines with a ControlNet of these families start from noise alone."""

    strength: float = strength(1.0)

    def _check_together(self) -> None:
        super()._check_together()
        if self.controlnet is not None and self.strength != 1:
            raise ValueError(
                "with a controlnet this model starts from noise alone; leave strength at 1"
            )


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
