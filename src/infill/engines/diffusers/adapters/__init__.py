"""What is added to a pipeline: a LoRA, an IP-Adapter, a ControlNet.

lora, ip_adapter, controlnet   finding, checking and loading each
fit                            what they share: names, and the error for one that does not fit
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from infill import weights
from infill.engines.diffusers.adapters import controlnet, ip_adapter, lora

if TYPE_CHECKING:
    from infill.engines.diffusers.families import Family
    from infill.engines.diffusers.loading import Loaded

NAMES = ("lora", "ip_adapter", "controlnet")


def key(options: Any) -> tuple[Any, ...]:
    """What tells two sets of adapters apart. How strongly they count is set at each fill."""
    named = tuple(getattr(options, name, None) for name in NAMES)
    # which pipeline takes a ControlNet goes by what that is shown
    return (*named, options.control if named[-1] is not None else None)


def places(options: Any) -> list[Path]:
    """Where on this machine what the options name would lie, whether it is there or not."""
    named = [getattr(options, name, None) for name in NAMES]
    found = [Path(name).expanduser() for name in named if name]
    if getattr(options, "ip_adapter", None):
        found += ip_adapter.encoders(Path(options.ip_adapter).expanduser())
    return found


def sources(options: Any, family: "Family") -> list[weights.Source]:
    """What the adapters that the options name need to have on this machine."""
    made = []
    if getattr(options, "lora", None) is not None:
        made.append(lora.source(options.lora))
    if getattr(options, "ip_adapter", None) is not None:
        made += ip_adapter.sources(options.ip_adapter, family)
    if getattr(options, "controlnet", None) is not None:
        made.append(controlnet.source(options.controlnet))
    return made


def add(loaded: "Loaded", options: Any) -> None:
    """Load what the options name into `loaded`. Raises `MissingWeights` and `BadOption`."""
    if getattr(options, "ip_adapter", None) is not None:
        ip_adapter.add(loaded, options.ip_adapter)
    if getattr(options, "controlnet", None) is not None:
        controlnet.add(loaded, options.controlnet, options.control)
    if getattr(options, "lora", None) is not None:
        lora.add(loaded, options.lora)


def weigh(pipe: Any, options: Any) -> None:
    """Set how strongly the adapters count, before each fill."""
    if getattr(options, "lora", None) is not None:
        pipe.set_adapters([lora.CALLED], [float(options.lora_scale)])
    if getattr(options, "ip_adapter", None) is not None:
        pipe.set_ip_adapter_scale(float(options.ip_adapter_scale))
