"""What is added to a pipeline: a LoRA, an IP-Adapter, a ControlNet."""

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infill import weights
from infill.engines.diffusers import tensors
from infill.engines.diffusers.latents import autoencoder
from infill.errors import BadOption, InfillError, MissingWeights
from infill.lazy import need

if TYPE_CHECKING:
    from infill.engines.diffusers.families import Family
    from infill.engines.diffusers.loading import Loaded

LORA = "infill"  # what the library is told to call it
ENCODER = "image_encoder"
IP_FILES = {  # in the authors' repository, h94/IP-Adapter
    "stable-diffusion": "models/ip-adapter_sd15.safetensors",
    "stable-diffusion-xl": "sdxl_models/ip-adapter_sdxl.safetensors",
}


def key(options: Any) -> tuple[Any, ...]:
    """What tells two sets of adapters apart. How strongly they count is set at each fill."""
    return tuple(getattr(options, name, None) for name in ("lora", "ip_adapter", "controlnet"))


def places(options: Any) -> list[Path]:
    """Where on this machine what the options name would lie, whether it is there or not."""
    found = [Path(name).expanduser() for name in key(options) if name]
    if getattr(options, "ip_adapter", None):
        path = Path(options.ip_adapter).expanduser()
        found += [path.parent / ENCODER, *_encoders_above(path)]
    return found


def sources(options: Any, family: "Family") -> list[weights.Source]:
    """What the adapters that the options name need to have on this machine."""
    lora, ip_adapter, controlnet = key(options)
    made = []
    if lora is not None:
        made.append(_lora_source(lora))
    if ip_adapter is not None and family.name in IP_FILES and not Path(ip_adapter).is_file():
        made.append(_ip_source(*_split(ip_adapter, IP_FILES[family.name])))
    if controlnet is not None:
        made.append(_controlnet_source(controlnet))
    return made


def add(loaded: "Loaded", options: Any) -> None:
    """Load what the options name into `loaded`. Raises `MissingWeights` and `BadOption`."""
    lora, ip_adapter, controlnet = key(options)
    if ip_adapter is not None:
        _add_ip_adapter(loaded, ip_adapter)
    if controlnet is not None:
        _add_controlnet(loaded, controlnet)
    if lora is not None:
        _add_lora(loaded, lora)


def weigh(pipe: Any, options: Any) -> None:
    """Set how strongly the adapters count, before each fill."""
    if getattr(options, "lora", None) is not None:
        pipe.set_adapters([LORA], [float(options.lora_scale)])
    if getattr(options, "ip_adapter", None) is not None:
        pipe.set_ip_adapter_scale(float(options.ip_adapter_scale))


def _add_lora(loaded: "Loaded", name: str) -> None:
    need("peft", extra="diffusion")
    path = weights.find(_lora_source(name))
    try:
        loaded.pipe.load_lora_weights(
            str(path.parent), weight_name=path.name, adapter_name=LORA, local_files_only=True
        )
        found = {one for names in loaded.pipe.get_list_adapters().values() for one in names}
    except InfillError:
        raise
    except Exception as error:
        raise _misfit("lora", name, loaded, error) from error
    if LORA not in found:
        raise BadOption(f"the LoRA {name} holds nothing for a model of {loaded.family.name}")
    loaded.weights[f"{name}"] = weights.sha256_of(path)


def _lora_source(name: str) -> weights.Source:
    folder, file = _split(name, "")
    return weights.Source(folder, file=file, extra="diffusion", where="option lora")


def _split(name: str, usual: str) -> tuple[str, str]:
    """Repository and file of "org/name/path/file.safetensors"; `usual` where it names no file."""
    parts = name.split("/")
    if Path(name).expanduser().exists() or not name.endswith(weights.SAFE) or len(parts) < 3:
        return name, usual
    return "/".join(parts[:2]), "/".join(parts[2:])


def _misfit(what: str, name: str, loaded: "Loaded", error: Exception) -> BadOption:
    said = str(error).strip().partition("\n")[0]
    return BadOption(f"{what} {name} does not fit a model of {loaded.family.name} ({said})")


# --- ControlNet ---------------------------------------------------------------------------------


def _add_controlnet(loaded: "Loaded", name: str) -> None:
    if loaded.family.controlnet is None:
        raise BadOption(f"a model of {loaded.family.name} takes no controlnet here")
    library = need("diffusers", extra="diffusion")
    pipeline, network = loaded.family.controlnet
    folder = weights.find(_controlnet_source(name))
    if folder.is_file():
        raise BadOption(f"controlnet is a folder or a name on the hub, not the file {folder}")
    pipe = loaded.pipe
    try:
        control = getattr(library, network).from_pretrained(
            folder, dtype=pipe.dtype, local_files_only=True, use_safetensors=True
        )
        tensors.check({"controlnet": control}, name)
        loaded.pipe = _around(getattr(library, pipeline), pipe, controlnet=control)
    except (ValueError, TypeError, RuntimeError) as error:
        raise _misfit("controlnet", name, loaded, error) from error
    if control.config.in_channels != autoencoder(loaded.pipe).config.latent_channels:
        raise BadOption(f"controlnet {name} takes other latents than this model's")
    wide, narrow = (part.config.get("cross_attention_dim") for part in (control, loaded.pipe.unet))
    if wide != narrow:
        raise BadOption(
            f"controlnet {name} was made for another model: it reads text of width {wide}, "
            f"this one of {narrow}"
        )
    for path in sorted(folder.glob("*.safetensors")):
        loaded.weights[f"{name}/{path.name}"] = weights.sha256_of(path)


def _controlnet_source(name: str) -> weights.Source:
    return weights.Source(
        name,
        wanted=("config.json", "diffusion_pytorch_model*.safetensors*"),
        complete=lambda place: (place / "config.json").is_file() and weights.any_weights(place),
        extra="diffusion",
        where="option controlnet",
        holds="a ControlNet (config.json and .safetensors)",
    )


def _around(pipeline: Any, pipe: Any, **more: Any) -> Any:
    """Another pipeline of the same parts, and `more`."""
    takes = inspect.signature(pipeline.__init__).parameters
    given = {**pipe.config, **pipe.components, **more}
    made = pipeline(**{name: value for name, value in given.items() if name in takes})
    made.set_progress_bar_config(disable=True)
    return made


# --- IP-Adapter ---------------------------------------------------------------------------------


def _add_ip_adapter(loaded: "Loaded", name: str) -> None:
    if loaded.family.name not in IP_FILES:
        raise BadOption(f"a model of {loaded.family.name} takes no ip_adapter here")
    transformers = need("transformers", extra="diffusion")
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    path = _ip_file(name, IP_FILES[loaded.family.name])
    encoder = _encoder_of(path)
    pipe = loaded.pipe
    try:
        how = {"dtype": pipe.dtype, "local_files_only": True, "use_safetensors": True}
        reader = tensors.read(transformers.CLIPVisionModelWithProjection, encoder, how)
        side = reader.config.image_size
        pipe.register_modules(
            image_encoder=reader,
            feature_extractor=CLIPImageProcessorPil(
                size={"shortest_edge": side}, crop_size={"height": side, "width": side}
            ),
        )
        pipe.load_ip_adapter(
            _states(path), subfolder="", weight_name=path.name, image_encoder_folder=None
        )
        tensors.check({"unet": pipe.unet}, name)
    except (ValueError, KeyError, RuntimeError, OSError) as error:
        raise _misfit("ip_adapter", name, loaded, error) from error
    loaded.weights[f"{name}/{path.name}"] = weights.sha256_of(path)
    for part in sorted(encoder.glob("*.safetensors")):
        loaded.weights[f"{name}/{ENCODER}/{part.name}"] = weights.sha256_of(part)


def _ip_file(name: str, usual: str) -> Path:
    """The adapter's file: as named, or the usual one of a folder or repository."""
    given = Path(name).expanduser()
    if given.is_file():
        weights.check_safe(given)
        return given
    folder, file = _split(name, usual)
    if given.is_dir() and not (given / file).is_file():
        here = sorted(given.glob("*.safetensors"))
        if len(here) == 1:
            return here[0]
    return weights.find(_ip_source(folder, file)) / file


def _ip_source(folder: str, file: str) -> weights.Source:
    return weights.Source(
        folder,
        wanted=(file, f"*{ENCODER}/config.json", f"*{ENCODER}/model.safetensors"),
        complete=lambda there: (there / file).is_file(),
        extra="diffusion",
        where="option ip_adapter",
        holds=f"the IP-Adapter {file}",
    )


def _encoder_of(path: Path) -> Path:
    """The folder of the network that reads the reference: beside the adapter or above it.

    The adapters for SD-XL whose names end on vit-h read by the smaller encoder, which lies with
    those for Stable Diffusion.
    """
    smaller, above = _encoders_above(path)
    several = [path.parent / ENCODER, smaller, above]
    if "vit-h" in path.stem:
        several.insert(0, smaller)
    for place in several:
        if (place / "config.json").is_file():
            return place
    raise MissingWeights(
        f"beside {path} there is no folder {ENCODER} with the network that reads the reference; "
        "fetch it from where the adapter came from"
    )


def _encoders_above(path: Path) -> tuple[Path, Path]:
    """The folder of the smaller encoder, and the one beside the adapter's own folder."""
    return path.parent.parent / "models" / ENCODER, path.parent.parent / ENCODER


def _states(path: Path) -> dict[str, dict[str, Any]]:
    """The two networks of an adapter, by the beginnings of their keys."""
    safetensors = need("safetensors.torch", extra="diffusion")
    states: dict[str, dict[str, Any]] = {"image_proj": {}, "ip_adapter": {}}
    for name, tensor in safetensors.load_file(path).items():
        network, _, rest = name.partition(".")
        if network in states:
            states[network][rest] = tensor
    if not all(states.values()):
        raise BadOption(f"{path} is no IP-Adapter: it lacks image_proj or ip_adapter")
    return states
