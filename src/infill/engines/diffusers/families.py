"""The families of models: which of the library's classes runs each, and what each takes."""

from dataclasses import dataclass, field
from typing import Any, Literal

from infill.engines.diffusers import options

Layout = Literal["plain", "packed", "klein", "qwen", "movq"]
"""How a pipeline hands out latents: (N, C, h, w); packed in 2×2 patches (N, h·w/4, 4·C); and
what single families do. See `latents`."""


@dataclass(frozen=True)
class Control:
    """How a family takes a ControlNet.

    network:   the class of the ControlNet.
    inpaint:   the pipeline for a network that is shown the photo with its hole; None = the
               family has no such networks.
    reference: the pipeline for a network that is shown a picture as it is.
    like:      settings in which it must be like the network that it steers.
    noise:     the pipelines make the whole picture anew, from noise. That the known part comes
               back after each step is then up to us.
    """

    network: str
    inpaint: str | None
    reference: str
    like: tuple[str, ...] = ()
    noise: bool = False


@dataclass(frozen=True)
class Adapter:
    """How a family takes an IP-Adapter.

    file:    the usual name of its file.
    encoder: a model on the hub that reads the reference, where the adapter's own repository
             has none; None = it always has.
    reads:   the kind of that network, a name out of `adapters.ip_adapter.READERS`.
    """

    file: str
    encoder: str | None = None
    reads: Literal["clip", "siglip"] = "clip"


@dataclass(frozen=True)
class Family:
    """One family of models.

    pipeline:   the class of diffusers that fills with it.
    known_as:   how the classes are called in `model_index.json` of its models, by their
                beginning; `but_not` are beginnings that belong to other families.
    options:    what it honours.
    text:       how it reads prompts, a name out of `prompts.READERS`.
    layout:     of its latents.
    patch:      latent cells a side that its network takes as one; masks go by them.
    parts:      the folders that a model of it must have, apart from `model_index.json`.
    network:    the part that denoises.
    controlnet: how it takes a ControlNet, if the library has a way.
    adapter:    how it takes an IP-Adapter, if the library has a way.
    extra:      arguments that every call gets.
    base:       a model on the hub whose layout single files of this family follow.
    """

    name: str
    pipeline: str
    known_as: tuple[str, ...]
    options: type
    text: str
    base: str
    layout: Layout = "plain"
    patch: int = 1
    parts: tuple[str, ...] = ("scheduler", "text_encoder", "tokenizer", "transformer", "vae")
    network: str = "transformer"
    but_not: tuple[str, ...] = ()
    controlnet: Control | None = None
    adapter: Adapter | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether the family honours an option of that name."""
        return name in self.options.__dataclass_fields__  # type: ignore[attr-defined]


_UNET = ("scheduler", "text_encoder", "tokenizer", "unet", "vae")
_WIDTHS = ("attention_head_dim", "num_attention_heads")
_XLABS = Adapter("ip_adapter.safetensors", "openai/clip-vit-large-patch14")
_TWO = ("scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "vae")

FAMILIES = (
    Family(
        "stable-diffusion",
        "StableDiffusionInpaintPipeline",
        (
            "StableDiffusionPipeline",
            "StableDiffusionInpaint",
            "StableDiffusionImg2Img",
            "StableDiffusionControlNet",
        ),
        options.StableDiffusion,
        "clip",
        "stable-diffusion-v1-5/stable-diffusion-inpainting",
        parts=_UNET,
        network="unet",
        controlnet=Control(
            "ControlNetModel",
            inpaint="StableDiffusionControlNetInpaintPipeline",
            reference="StableDiffusionControlNetInpaintPipeline",
            like=("cross_attention_dim",),
        ),
        adapter=Adapter("models/ip-adapter_sd15.safetensors"),
    ),
    Family(
        "stable-diffusion-xl",
        "StableDiffusionXLInpaintPipeline",
        (
            "StableDiffusionXLPipeline",
            "StableDiffusionXLInpaint",
            "StableDiffusionXLImg2Img",
            "StableDiffusionXLControlNet",
        ),
        options.StableDiffusionXL,
        "clip-two",
        "diffusers/stable-diffusion-xl-1.0-inpainting-0.1",
        parts=(*_TWO, "unet"),
        network="unet",
        controlnet=Control(
            "ControlNetModel",
            inpaint="StableDiffusionXLControlNetInpaintPipeline",
            reference="StableDiffusionXLControlNetInpaintPipeline",
            like=("cross_attention_dim",),
        ),
        adapter=Adapter("sdxl_models/ip-adapter_sdxl.safetensors"),
    ),
    Family(
        "stable-diffusion-3",
        "StableDiffusion3InpaintPipeline",
        ("StableDiffusion3",),
        options.StableDiffusion3,
        "clip-t5",
        "stabilityai/stable-diffusion-3-medium-diffusers",
        patch=2,
        parts=(*_TWO, "transformer"),
        controlnet=Control(
            "SD3ControlNetModel",
            inpaint="StableDiffusion3ControlNetInpaintingPipeline",
            reference="StableDiffusion3ControlNetPipeline",
            like=(*_WIDTHS, "joint_attention_dim", "pooled_projection_dim", "patch_size"),
            noise=True,
        ),
        adapter=Adapter(
            "ip-adapter.safetensors", "google/siglip-so400m-patch14-384", reads="siglip"
        ),
    ),
    Family(
        "flux",
        "FluxInpaintPipeline",
        ("FluxPipeline", "FluxInpaint", "FluxImg2Img"),
        options.Flux,
        "flux",
        "black-forest-labs/FLUX.1-dev",
        layout="packed",
        patch=2,
        parts=(*_TWO, "transformer"),
        controlnet=Control(
            "FluxControlNetModel",
            inpaint=None,
            reference="FluxControlNetInpaintPipeline",
            like=(*_WIDTHS, "joint_attention_dim", "pooled_projection_dim", "in_channels"),
        ),
        adapter=_XLABS,
    ),
    Family(
        "flux-fill",
        "FluxFillPipeline",
        ("FluxFill",),
        options.FluxFill,
        "flux",
        "black-forest-labs/FLUX.1-Fill-dev",
        layout="packed",
        patch=2,
        parts=(*_TWO, "transformer"),
    ),
    Family(
        "flux-kontext",
        "FluxKontextInpaintPipeline",
        ("FluxKontext",),
        options.FluxKontext,
        "flux",
        "black-forest-labs/FLUX.1-Kontext-dev",
        layout="packed",
        patch=2,
        parts=(*_TWO, "transformer"),
        extra={"_auto_resize": False},
        adapter=_XLABS,
    ),
    Family(
        "flux2-klein",
        "Flux2KleinInpaintPipeline",
        ("Flux2Klein",),
        options.Flux2Klein,
        "klein",
        "black-forest-labs/FLUX.2-klein-4B",
        layout="klein",
        patch=2,
        but_not=("Flux2KleinKV",),
    ),
    Family(
        "qwen-image",
        "QwenImageInpaintPipeline",
        ("QwenImagePipeline", "QwenImageInpaint", "QwenImageImg2Img"),
        options.QwenImage,
        "qwen",
        "Qwen/Qwen-Image",
        layout="qwen",
        patch=2,
        controlnet=Control(
            "QwenImageControlNetModel",
            inpaint="QwenImageControlNetInpaintPipeline",
            reference="QwenImageControlNetPipeline",
            like=(*_WIDTHS, "joint_attention_dim", "in_channels"),
            noise=True,
        ),
    ),
    Family(
        "qwen-image-edit",
        "QwenImageEditInpaintPipeline",
        ("QwenImageEdit",),
        options.QwenImageEdit,
        "qwen-edit",
        "Qwen/Qwen-Image-Edit",
        layout="qwen",
        patch=2,
        parts=("processor", "scheduler", "text_encoder", "tokenizer", "transformer", "vae"),
        but_not=("QwenImageEditPlus",),
    ),
    Family(
        "z-image",
        "ZImageInpaintPipeline",
        ("ZImagePipeline", "ZImageInpaint", "ZImageImg2Img"),
        options.ZImage,
        "z-image",
        "Tongyi-MAI/Z-Image-Turbo",
        patch=2,
        controlnet=Control(
            "ZImageControlNetModel",
            inpaint="ZImageControlNetInpaintPipeline",
            reference="ZImageControlNetPipeline",
            like=("dim", "n_heads", "n_kv_heads", "all_patch_size"),
            noise=True,
        ),
    ),
    Family(
        "chroma",
        "ChromaInpaintPipeline",
        ("Chroma",),
        options.Chroma,
        "chroma",
        "lodestones/Chroma1-HD",
        layout="packed",
        patch=2,
        adapter=_XLABS,
    ),
    Family(
        "kandinsky",
        "KandinskyV22InpaintPipeline",
        ("KandinskyV22Inpaint",),
        options.Kandinsky,
        "prior",
        "kandinsky-community/kandinsky-2-2-decoder-inpaint",
        layout="movq",
        parts=("movq", "scheduler", "unet"),
        network="unet",
    ),
)


def by_name(name: str) -> Family:
    """The family of that name. Raises `KeyError`."""
    return {family.name: family for family in FAMILIES}[name]


def by_class(name: str) -> Family | None:
    """The family whose models name this class in `model_index.json`, or None."""
    for family in FAMILIES:
        if name.startswith(family.known_as) and not (
            family.but_not and name.startswith(family.but_not)
        ):
            return family
    return None
