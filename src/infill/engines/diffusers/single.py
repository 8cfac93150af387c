"""A model that is one .safetensors file: which family it is of, and how it is read.

The file holds numbers alone. Tokenizers and the networks' measures come from a folder of the
same layout (option `config`); where the file holds only the network that denoises, as files of
the larger families do, the other networks come from there as well.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from infill import weights
from infill.engines.diffusers import families, parts, tensors
from infill.engines.diffusers.families import Family
from infill.errors import BadOption, MissingWeights
from infill.lazy import need

if TYPE_CHECKING:
    from infill.engines.diffusers.loading import Loaded

KINDS = {  # what diffusers calls what it finds in a file's keys
    "v1": "stable-diffusion",
    "v2": "stable-diffusion",
    "inpainting": "stable-diffusion",
    "inpainting_v2": "stable-diffusion",
    "xl_base": "stable-diffusion-xl",
    "xl_inpaint": "stable-diffusion-xl",
    "playground-v2-5": "stable-diffusion-xl",
    "sd3": "stable-diffusion-3",
    "sd35_medium": "stable-diffusion-3",
    "sd35_large": "stable-diffusion-3",
    "flux-dev": "flux",
    "flux-schnell": "flux",
    "flux-fill": "flux-fill",
    "chroma": "chroma",
    "z-image-turbo": "z-image",
    "flux-2-klein": "flux2-klein",
    "qwen-image": "qwen-image",
}
LIKE = {("flux", "flux-kontext"), ("qwen-image", "qwen-image-edit")}  # networks of one shape
GUIDED = "guidance_in.in_layer.weight"  # FLUX.2's larger model has it, none of the klein ones
QWEN = {"txt_norm.weight", "img_in.weight", "transformer_blocks.0.txt_mod.1.weight"}
WHOLE = ("first_stage_model.", "vae.")
TEXT = ("cond_stage_model.", "conditioner.", "text_encoders.")


def family(path: Path) -> Family:
    """The family of a single file, by its keys. Raises `BadOption` for none that is known."""
    weights.check_safe(path)
    kind = _kind(path)
    if kind not in KINDS:
        raise BadOption(
            f"{path} holds no model that fills holes here (its keys say {kind}); "
            f"families: {', '.join(sorted(set(KINDS.values())))}"
        )
    return families.by_name(KINDS[kind])


def fits(found: Family, family: Family) -> bool:
    """Whether a file of the family `found` can be read as one of `family`: models that edit have
    the same network as those they came from, so a file does not tell."""
    return found.name == family.name or (found.name, family.name) in LIKE


def _kind(path: Path) -> str:
    utils = need("diffusers.loaders.single_file_utils", extra="diffusion")
    shapes = {
        key: SimpleNamespace(shape=tuple(part.get_shape())) for key, part in _slices(path).items()
    }
    if shapes.keys() >= QWEN:  # these files have the library's own keys, and it has no word for it
        return "qwen-image"
    found: str = utils.infer_diffusers_model_type(shapes)
    if found == "flux-2-dev" and not any(key.endswith(GUIDED) for key in shapes):
        return "flux-2-klein"
    guess = "model.diffusion_model.input_blocks.0.0.weight" not in shapes
    return "nothing known" if found == "v1" and guess else found  # it says v1 of all it can't tell


def _slices(path: Path) -> dict[str, Any]:
    library = need("safetensors", extra="diffusion")
    try:
        with library.safe_open(str(path), framework="pt") as file:
            return {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, library.SafetensorError) as error:
        raise MissingWeights(
            f"{path} is damaged or no .safetensors file; fetch it again"
        ) from error


def is_whole(path: Path) -> bool:
    """Whether the file holds the autoencoder and the text encoder too."""
    keys = list(_slices(path))
    return all(any(key.startswith(start) for key in keys) for start in (WHOLE, TEXT))


def load(
    path: Path, base: Path, family: Family, pipeline: Any, how: dict[str, Any], whole: bool
) -> "Loaded":
    """The pipeline of a file; `base` is the folder of its layout. Raises `MissingWeights`."""
    utils = need("diffusers.loaders.single_file_utils", extra="diffusion")
    try:
        return _load(path, base, family, pipeline, how, whole)
    except KeyError as error:  # where the library gives the tensors their other names
        raise tensors.lacking(path, str(error.args[0] if error.args else error)) from error
    except NotImplementedError as error:  # where it moves a network whose tensors are not all here
        tensor = tensors.empty_one_behind(error)
        if tensor is None:
            raise
        raise tensors.lacking(path, tensor) from error
    except utils.SingleFileComponentError as error:  # where it knows a network by that tensor
        said = str(error).strip().partition("\n")[0]
        raise MissingWeights(f"{path} is not whole ({said}); fetch it again") from error
    except ValueError as error:  # where a tensor has another shape than the layout says
        said = str(error).strip().partition("\n")[0].rstrip(".")
        raise BadOption(
            f"{path} is of another layout than {base.name} ({said}); set config to the model that "
            "it was made from"
        ) from error


def _load(
    path: Path, base: Path, family: Family, pipeline: Any, how: dict[str, Any], whole: bool
) -> "Loaded":
    from infill.engines.diffusers.loading import NEVER, Loaded

    sums = {path.name: weights.sha256_of(path)}
    if whole:
        named = parts.index(base)
        given: dict[str, Any] = {part: None for part in NEVER if part in named}
        dtype, local = how["dtype"], how["local_files_only"]
        pipe = pipeline.from_single_file(
            str(path), config=str(base), dtype=dtype, local_files_only=local, **given
        )
        return Loaded(pipe, family, sums)
    parts.check_whole(base, family.parts, "config")
    library = need("diffusers", extra="diffusion")
    name = str(parts.index(base)[family.network][1])
    network = getattr(library, name).from_single_file(
        str(path),
        config=str(base),
        subfolder=family.network,
        dtype=how["dtype"],
        local_files_only=True,
    )
    tensors.check({family.network: network}, path)
    given = {family.network: network}
    if "processor" in family.parts:
        from infill.engines.diffusers.vision import reader

        given["processor"] = reader(base)
    given |= tensors.encoders(base, given, how)
    pipe = pipeline.from_pretrained(base, trust_remote_code=False, **given, **how)
    tensors.check(pipe.components, base)
    others = tuple(part for part in family.parts if part != family.network)
    return Loaded(pipe, family, sums | parts.hashes(base, others, base.name))
