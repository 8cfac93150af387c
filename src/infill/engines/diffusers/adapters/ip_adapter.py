"""A picture that is read as a prompt is: an IP-Adapter and the network that reads for it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infill import weights
from infill.engines.diffusers import tensors
from infill.engines.diffusers.adapters.fit import misfit, split
from infill.errors import BadOption, MissingWeights
from infill.lazy import need

if TYPE_CHECKING:
    from infill.engines.diffusers.families import Adapter, Family
    from infill.engines.diffusers.loading import Loaded

ENCODER = "image_encoder"
PROJECTION = ("image_proj", "ip_adapter_proj_model")  # how files call the first of two networks
LAYERS = ("ip_adapter", "double_blocks")  # and the second; the latter as XLabs have them
States = dict[str, dict[str, Any]]


def add(loaded: "Loaded", name: str) -> None:
    """Load an IP-Adapter and its reader into `loaded`. Raises `MissingWeights`, `BadOption`."""
    kind = loaded.family.adapter
    if kind is None:
        raise BadOption(f"a model of {loaded.family.name} takes no ip_adapter here")
    path = _file(name, kind)
    states = _states(path)
    encoder = _encoder_of(path, kind)
    pipe = loaded.pipe
    network = getattr(pipe, loaded.family.network)
    if loaded.family.network == "transformer":
        _check_depth(states, network, name, loaded)
    try:
        how = {"dtype": pipe.dtype, "local_files_only": True, "use_safetensors": True}
        reader, pictures = READERS[kind.reads](encoder, how)
        _check_widths(states, reader.config, path, encoder)
        pipe.register_modules(image_encoder=reader, feature_extractor=pictures)
        none = "image_encoder_pretrained_model_name_or_path"
        if loaded.family.network == "unet" or kind.reads == "siglip":
            none = "image_encoder_folder"
        pipe.load_ip_adapter(states, weight_name=path.name, **{none: None}, subfolder="")
        tensors.check({loaded.family.network: network}, name)
    except (ValueError, KeyError, RuntimeError, OSError) as error:
        raise misfit("ip_adapter", name, loaded, error) from error
    loaded.weights[f"{name}/{path.name}"] = weights.sha256_of(path)
    for part in sorted(encoder.glob("*.safetensors")):
        loaded.weights[f"{name}/{ENCODER}/{part.name}"] = weights.sha256_of(part)


def sources(name: str, family: "Family") -> list[weights.Source]:
    """What an IP-Adapter needs to have on this machine."""
    if family.adapter is None:
        return []
    made = []
    if not Path(name).expanduser().exists():
        made.append(_source(*split(name, family.adapter.file)))
    near = encoders(Path(name).expanduser())
    if family.adapter.encoder is not None and not any(map(_is_network, near)):
        made.append(_encoder_source(family.adapter.encoder))
    return made


def encoders(path: Path) -> list[Path]:
    """Where the network that reads for the adapter `path` may lie: beside the file or in the
    folder, above it, and the smaller one of Stable Diffusion's adapters."""
    return [
        path / ENCODER,
        path.parent / ENCODER,
        path.parent.parent / "models" / ENCODER,
        path.parent.parent / ENCODER,
    ]


# --- the files ----------------------------------------------------------------------------------


def _file(name: str, kind: "Adapter") -> Path:
    """The adapter's file: as named, or the usual one of a folder or repository."""
    given = Path(name).expanduser()
    if given.is_file():
        weights.check_safe(given)
        return given
    folder, file = split(name, kind.file)
    if given.is_dir() and not (given / file).is_file():
        here = sorted(given.glob("*.safetensors"))
        if len(here) == 1:
            return here[0]
    return weights.find(_source(folder, file)) / file


def _source(folder: str, file: str) -> weights.Source:
    weights.check_safe(file)
    return weights.Source(
        folder,
        wanted=(file, f"*{ENCODER}/config.json", f"*{ENCODER}/model.safetensors"),
        complete=lambda there: (there / file).is_file(),
        extra="diffusion",
        where="option ip_adapter",
        holds=f"the IP-Adapter {file}",
    )


def _encoder_source(name: str) -> weights.Source:
    return weights.Source(
        name,
        wanted=("config.json", "model.safetensors"),
        complete=_is_network,
        extra="diffusion",
        where=f"a folder {ENCODER} beside the IP-Adapter",
        holds="the network that reads the reference (config.json and model.safetensors)",
    )


def _is_network(folder: Path) -> bool:
    return (folder / "config.json").is_file()


def _encoder_of(path: Path, kind: "Adapter") -> Path:
    """The folder of the network that reads the reference: beside the adapter, above it, or in
    a repository of its own.

    The adapters for SD-XL whose names end on vit-h read by the smaller encoder, which lies with
    those for Stable Diffusion.
    """
    _, beside, smaller, above = encoders(path)
    several = [beside, smaller, above]
    if "vit-h" in path.stem:
        several.insert(0, smaller)
    for place in several:
        if _is_network(place):
            return place
    if kind.encoder is not None:
        return weights.find(_encoder_source(kind.encoder))
    raise MissingWeights(
        f"beside {path} there is no folder {ENCODER} with the network that reads the reference; "
        "fetch it from where the adapter came from"
    )


def _states(path: Path) -> States:
    """The two networks of an adapter, by the beginnings of their keys."""
    library = need("safetensors.torch", extra="diffusion")
    states: States = {"image_proj": {}, "ip_adapter": {}}
    try:
        found = library.load_file(path)
    except Exception as error:  # the library's own kinds of error
        raise MissingWeights(f"{path} can't be read ({error}); fetch it again") from error
    for name, tensor in found.items():
        start, _, rest = name.partition(".")
        if start in PROJECTION:
            states["image_proj"][rest] = tensor
        elif start in LAYERS:
            rest = rest.replace("processor.", "").replace("ip_adapter_double_stream_", "")
            rest = rest.replace("k_proj.", "to_k_ip.").replace("v_proj.", "to_v_ip.")
            states["ip_adapter"][rest] = tensor
    if not all(states.values()):
        raise BadOption(f"{path} is no IP-Adapter: it lacks image_proj or ip_adapter")
    return states


# --- the networks -------------------------------------------------------------------------------


def _clip(folder: Path, how: Mapping[str, Any]) -> tuple[Any, Any]:
    """CLIP's reader and what brings a picture to its size, the middle of it."""
    library = need("transformers", extra="diffusion")
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    reader = tensors.read(library.CLIPVisionModelWithProjection, folder, how)
    side = reader.config.image_size
    return reader, CLIPImageProcessorPil(
        size={"shortest_edge": side}, crop_size={"height": side, "width": side}
    )


def _siglip(folder: Path, how: Mapping[str, Any]) -> tuple[Any, Any]:
    """SigLIP's, which sees the whole picture. Without its last layer, which nothing reads here
    and whose weights can't be moved one by one."""
    library = need("transformers", extra="diffusion")
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    given = {**how, "vision_use_head": False}
    reader = tensors.read(library.SiglipVisionModel, folder, given)
    side = reader.config.image_size
    return reader, SiglipImageProcessorPil(size={"height": side, "width": side})


READERS = {"clip": _clip, "siglip": _siglip}


def _check_widths(states: States, config: Any, path: Path, encoder: Path) -> None:
    """Raise `BadOption` where the adapter reads something else than the encoder says."""
    state = states["image_proj"]
    if "proj.weight" in state:
        wide, has = state["proj.weight"].shape[-1], config.projection_dim
    elif "proj_in.weight" in state:
        wide, has = state["proj_in.weight"].shape[-1], config.hidden_size
    else:
        return
    if wide != has:
        raise BadOption(
            f"the IP-Adapter {path} reads pictures of width {wide}, but {encoder} gives {has}; "
            "put the network that it was made for beside it"
        )


def _check_depth(states: States, network: Any, name: str, loaded: "Loaded") -> None:
    """Raise `BadOption` where the library would leave layers of the file out, or where they can't
    read what the projection makes: the adapter was made for another model."""
    layers = states["ip_adapter"]
    numbers = [key.partition(".")[0] for key in layers]
    if not all(number.isdecimal() for number in numbers):
        raise BadOption(f"{name} is no IP-Adapter: its layers have no numbers; take another file")
    there = 1 + max(map(int, numbers))
    takes = network.config.num_layers
    reads = next((one for key, one in layers.items() if key.endswith("to_k_ip.weight")), None)
    norm = [states["image_proj"].get(f"{one}.weight") for one in ("norm", "norm_out")]
    made = next((one for one in norm if one is not None), None)
    if there != takes:
        why = f"it has {there} layers, this model {takes}"
    elif reads is None or made is None or reads.shape[1] != made.shape[0]:
        why = "its layers do not read what its projection makes"
    else:
        return
    raise BadOption(
        f"ip_adapter {name} does not fit a model of {loaded.family.name} ({why}); "
        "name one made for it"
    )
