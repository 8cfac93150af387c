"""Low-rank additions to a network's weights."""

from typing import TYPE_CHECKING

from infill import weights
from infill.engines.diffusers.adapters.fit import misfit, split
from infill.errors import BadOption, InfillError
from infill.lazy import need

if TYPE_CHECKING:
    from infill.engines.diffusers.loading import Loaded

CALLED = "infill"  # what the library is told to call it


def add(loaded: "Loaded", name: str) -> None:
    """Load a LoRA into `loaded`. Raises `MissingWeights` and `BadOption`."""
    need("peft", extra="diffusion")
    path = weights.find(source(name))
    try:
        loaded.pipe.load_lora_weights(
            str(path.parent), weight_name=path.name, adapter_name=CALLED, local_files_only=True
        )
        found = {one for names in loaded.pipe.get_list_adapters().values() for one in names}
    except InfillError:
        raise
    except Exception as error:
        raise misfit("lora", name, loaded, error) from error
    if CALLED not in found:
        raise BadOption(f"the LoRA {name} holds nothing for a model of {loaded.family.name}")
    loaded.weights[f"{name}"] = weights.sha256_of(path)


def source(name: str) -> weights.Source:
    """What a LoRA needs to have on this machine."""
    folder, file = split(name, "")
    return weights.Source(folder, file=file, extra="diffusion", where="option lora")
