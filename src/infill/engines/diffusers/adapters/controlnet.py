"""A second network that steers the first by a picture."""

import copy
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infill import weights
from infill.engines.diffusers import parts, tensors
from infill.engines.diffusers.adapters.fit import misfit
from infill.engines.diffusers.latents import autoencoder
from infill.errors import BadOption, MissingWeights
from infill.lazy import need

if TYPE_CHECKING:
    from infill.engines.diffusers.families import Control
    from infill.engines.diffusers.loading import Loaded

CONFIG = "config.json"
USUAL = "diffusion_pytorch_model*.safetensors"
HOLE = {  # where a network's settings say how many channels it has for the hole, and how many
    "SD3ControlNetModel": ("extra_conditioning_channels", 1),  # those are that see it
    "QwenImageControlNetModel": ("extra_condition_channels", 4),  # 2×2 cells in one
}
ENTRY = "pos_embed_input.proj.weight"  # the first layer of Stable Diffusion 3's


def add(loaded: "Loaded", name: str, shown: str) -> None:
    """Load a ControlNet and take a pipeline that steers by it.

    shown: "inpaint" or "reference", as the option `control`. Raises `MissingWeights`, and
    `BadOption` for a network of another model, or of the other kind.
    """
    control = loaded.family.controlnet
    if control is None:
        raise BadOption(f"a model of {loaded.family.name} takes no controlnet here")
    library = need("diffusers", extra="diffusion")
    folder = _folder(name)
    pipe = loaded.pipe
    made_as = parts.config(folder).get("_class_name", control.network)
    if made_as != control.network:
        raise BadOption(
            f"controlnet {name} is a {made_as}, and a model of {loaded.family.name} takes a "
            f"{control.network}; name one made for it"
        )
    _check_readable(folder)
    try:
        network = _read(getattr(library, control.network), folder, pipe.dtype)
        tensors.check({"controlnet": network}, name)
    except (ValueError, TypeError, RuntimeError, KeyError, OSError) as error:
        raise misfit("controlnet", name, loaded, error) from error
    _check(network, name, loaded, control)
    pipeline = _pipeline(network, name, loaded, control, shown)
    try:
        loaded.pipe = _around(getattr(library, pipeline), pipe, controlnet=network)
    except (ValueError, TypeError, RuntimeError) as error:
        raise misfit("controlnet", name, loaded, error) from error
    if control.network == "ZImageControlNetModel":
        _stand_alone(loaded.pipe)
    for path in sorted(folder.glob("*.safetensors")):
        loaded.weights[f"{name}/{path.name}"] = weights.sha256_of(path)


def source(name: str) -> weights.Source:
    """What a ControlNet needs to have on this machine."""
    return weights.Source(
        name,
        wanted=(CONFIG, f"{USUAL}*"),
        complete=lambda place: (place / CONFIG).is_file() and weights.any_weights(place),
        extra="diffusion",
        where="option controlnet",
        holds="a ControlNet (config.json and .safetensors)",
    )


def _folder(name: str) -> Path:
    found = weights.find(source(name))
    if found.is_file():
        raise BadOption(
            f"controlnet is a folder or a name on the hub, not the file {found}; put it into a "
            f"folder with its {CONFIG} and name that"
        )
    return found


def _check_readable(folder: Path) -> None:
    """Raise `MissingWeights` for a file that is cut off or none of its kind."""
    library = need("safetensors", extra="diffusion")
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with library.safe_open(str(path), framework="pt"):
                pass
        except (library.SafetensorError, OSError) as error:
            raise MissingWeights(f"{path} is damaged ({error}); fetch it again") from error


def _read(kind: Any, folder: Path, dtype: Any) -> Any:
    """The network in a folder: as diffusers wrote it, or one file as its authors did."""
    if not list(folder.glob(USUAL)) and hasattr(kind, "from_single_file"):
        files = sorted(folder.glob("*.safetensors"))
        if len(files) != 1:
            raise MissingWeights(f"{folder} should hold one .safetensors file; take the others out")
        return kind.from_single_file(
            str(files[0]), config=str(folder), dtype=dtype, local_files_only=True
        )
    return kind.from_pretrained(
        folder,
        variant=parts.variant(folder, (".",)),
        dtype=dtype,
        local_files_only=True,
        use_safetensors=True,
        **_untold(kind.__name__, folder),
    )


def _untold(kind: str, folder: Path) -> dict[str, int]:
    """What published settings leave out: those of the inpainting network for Stable Diffusion 3
    say nothing of its channel for the hole, which the weights' shape tells."""
    config = parts.config(folder)
    if kind != "SD3ControlNetModel" or HOLE[kind][0] in config:
        return {}
    library = need("safetensors", extra="diffusion")
    for path in sorted(folder.glob("*.safetensors")):
        with library.safe_open(str(path), framework="pt") as file:
            if ENTRY in file.keys():  # noqa: SIM118
                wide = file.get_slice(ENTRY).get_shape()[1]
                return {HOLE[kind][0]: wide - config.get("in_channels", 16)}
    return {}


def _check(network: Any, name: str, loaded: "Loaded", control: "Control") -> None:
    """Raise `BadOption` for a network that was made for another model."""
    steered = getattr(loaded.pipe, loaded.family.network)
    for told in control.like:
        has, needs = (_plain(one.config.get(told)) for one in (network, steered))
        if has is not None and needs is not None and has != needs:
            raise BadOption(
                f"controlnet {name} was made for another model: its {told} is {has}, this "
                f"one's {needs}"
            )
    if control.network == "ZImageControlNetModel":
        highest, layers = max(network.config.control_layers_places), steered.config.n_layers
        if highest >= layers:
            raise BadOption(
                f"controlnet {name} was made for another model: it steers layer {highest + 1}, "
                f"this one has {layers}"
            )
    elif control.network != "FluxControlNetModel":  # whose channels are packed, and compared above
        has = network.config.in_channels
        needs = autoencoder(loaded.pipe).config.get("latent_channels")
        if needs is not None and has != needs:
            raise BadOption(
                f"controlnet {name} was made for another model: it takes latents of {has} "
                f"channels, this one's have {needs}"
            )


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _sees_the_hole(network: Any, name: str, loaded: "Loaded", control: "Control") -> bool | None:
    """Whether a network has channels for the photo with its hole; None = it does not tell."""
    if control.network == "ZImageControlNetModel":
        channels: int = loaded.pipe.transformer.config.in_channels
        has, fewest, most = network.config.control_in_dim, channels, 2 * channels + 1
    elif control.network in HOLE:
        setting, most = HOLE[control.network]
        has, fewest = network.config[setting], 0
    else:
        return None
    if has not in (fewest, most):
        raise BadOption(
            f"controlnet {name} was made for another model: it reads {has} channels where this "
            f"one's have {fewest}, or {most} with the hole"
        )
    return bool(has == most)


def _pipeline(network: Any, name: str, loaded: "Loaded", control: "Control", shown: str) -> str:
    """The class of the pipeline that shows the network what it reads."""
    sees = _sees_the_hole(network, name, loaded, control)
    if shown == "inpaint":
        if sees is False or control.inpaint is None:
            raise BadOption(
                f"controlnet {name} reads a picture such as edges or depth, not the photo with "
                "its hole; set control=reference and give that picture as reference"
            )
        return control.inpaint
    if sees and control.network in HOLE:
        raise BadOption(
            f"controlnet {name} was made to be shown the photo with its hole, not a reference; "
            "leave control at inpaint"
        )
    # Z-Image's later networks read a picture and the photo with its hole at once
    return control.inpaint if sees and control.inpaint else control.reference


def _around(pipeline: Any, pipe: Any, **more: Any) -> Any:
    """Another pipeline of the same parts, and `more`."""
    takes = inspect.signature(pipeline.__init__).parameters
    given = {**pipe.config, **pipe.components, **more}
    made = pipeline(**{name: value for name, value in given.items() if name in takes})
    made.set_progress_bar_config(disable=True)
    return made


def _stand_alone(pipe: Any) -> None:
    """Z-Image's network takes over embedders and refiners of the transformer, the same objects.
    Here it gets copies: what moves layers one by one between memories can't serve two at once,
    and a LoRA is for the transformer alone."""
    network, steered = pipe.controlnet, pipe.transformer
    shared = {id(part) for part in (*steered.children(), *steered._parameters.values())}
    for held in (network._modules, network._parameters):
        for name, part in list(held.items()):
            if part is not None and id(part) in shared:
                held[name] = copy.deepcopy(part)
