"""The families of models: which of the library's classes runs each, and what each takes."""

from dataclasses import dataclass, field
from typing import Any, Literal

from infill.engines.diffusers import options

Layout = Literal["plain", "packed", "klein", "qwen", "movq"]
"""How a pipeline hands out latents: (N, C, h, w); packed in 2×2 patches (N, h·w/4, 4·C); and
what single families do. See `latents`."""


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
    controlnet: the pipeline that takes a ControlNet, and the class of that network.
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
    controlnet: tuple[str, str] | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether the family honours an option of that name."""
        return name in self.options.__dataclass_fields__  # type: ignore[attr-defined]


_UNET = ("scheduler", "text_encoder", "tokenizer", "unet", "vae")
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
        controlnet=("StableDiffusionControlNetInpaintPipeline", "ControlNetModel"),
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
        controlnet=("StableDiffusionXLControlNetInpaintPipeline", "ControlNetModel"),
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
    ),
    Family(
        "qwen-image-edit",
        "QwenImageEditInpaintPipeline",
        ("QwenImageEdit",),
        options.QwenImage,
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
