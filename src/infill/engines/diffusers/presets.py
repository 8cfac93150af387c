"""One engine for each well-known model. What the cards say is what the publishers say.

`parameters` counts all networks that a fill uses, text encoders included. Files of weights are
hashed when they are used, and the recipe keeps the hashes.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from infill.engines.base import EngineCard, SizeRule
from infill.engines.diffusers import families, options
from infill.engines.diffusers import option_pieces as pieces
from infill.engines.diffusers.engine import Latent
from infill.engines.diffusers.families import Family

BFL = "Black Forest Labs"
ROMBACH = "https://arxiv.org/abs/2112.10752"
FLUX_LICENCE = "FLUX.1 [dev] Non-Commercial License"

SD = "stable-diffusion-v1-5/stable-diffusion-inpainting"
SD2 = "sd2-community/stable-diffusion-2-inpainting"
SDXL = "diffusers/stable-diffusion-xl-1.0-inpainting-0.1"
SD3 = "stabilityai/stable-diffusion-3-medium-diffusers"
FLUX_FILL = "black-forest-labs/FLUX.1-Fill-dev"
KONTEXT = "black-forest-labs/FLUX.1-Kontext-dev"
KLEIN = "black-forest-labs/FLUX.2-klein-4B"
QWEN = "Qwen/Qwen-Image"
QWEN_EDIT = "Qwen/Qwen-Image-Edit"
Z_IMAGE = "Tongyi-MAI/Z-Image-Turbo"
CHROMA = "lodestones/Chroma1-HD"
KANDINSKY = "kandinsky-community/kandinsky-2-2-decoder-inpaint"
KANDINSKY_PRIOR = "kandinsky-community/kandinsky-2-2-prior"


def _card(source: str, size: SizeRule, **told: Any) -> EngineCard:
    return EngineCard(
        family="diffusion",
        checkpoint=source,
        size=size,
        extra="diffusion",
        redraws=True,
        needs_prompt=True,
        **told,
    )


def _megapixel(multiple: int = 16) -> SizeRule:
    """For models that were trained at about 1024² pixels."""
    return SizeRule(multiple=multiple, minimum=512, native=1024, context_min=128)


@dataclass(frozen=True)
class SdOptions(options.StableDiffusion):
    model: str = pieces.model(SD)


class Sd(Latent):
    source: ClassVar[str] = SD
    family: ClassVar[Family] = families.by_name("stable-diffusion")
    Options: ClassVar[type] = SdOptions
    card: ClassVar[EngineCard] = _card(
        SD,
        SizeRule(multiple=64, minimum=512, native=512, context_min=128),
        name="sd",
        summary="Stable Diffusion 1.5, trained on for inpainting: small and quick, 512 pixels",
        authors="Rombach, Blattmann, Lorenz, Esser and Ommer (CompVis); Runway",
        published="2022-10",
        architecture="latent diffusion: UNet over photo, mask and noise; CLIP ViT-L/14 text",
        paper=ROMBACH,
        licence="CreativeML Open RAIL-M (commercial use allowed, some uses forbidden)",
        commercial_use=True,
        parameters=1_070_000_000,
    )


@dataclass(frozen=True)
class Sd2Options(options.StableDiffusion):
    model: str = pieces.model(SD2)


class Sd2(Latent):
    source: ClassVar[str] = SD2
    family: ClassVar[Family] = families.by_name("stable-diffusion")
    Options: ClassVar[type] = Sd2Options
    card: ClassVar[EngineCard] = _card(
        SD2,
        SizeRule(multiple=64, minimum=512, native=512, context_min=128),
        name="sd2",
        summary="Stable Diffusion 2, trained on for inpainting; a community's copy of the weights",
        authors="Rombach, Blattmann, Lorenz, Esser and Ommer (CompVis); Stability AI",
        published="2022-11",
        architecture="latent diffusion: UNet over photo, mask and noise; OpenCLIP ViT-H/14 text",
        paper=ROMBACH,
        licence="CreativeML Open RAIL++-M (commercial use allowed, some uses forbidden)",
        commercial_use=True,
        parameters=1_290_000_000,
    )


@dataclass(frozen=True)
class SdxlOptions(options.StableDiffusionXL):
    model: str = pieces.model(SDXL)


class Sdxl(Latent):
    source: ClassVar[str] = SDXL
    family: ClassVar[Family] = families.by_name("stable-diffusion-xl")
    Options: ClassVar[type] = SdxlOptions
    card: ClassVar[EngineCard] = _card(
        SDXL,
        SizeRule(multiple=32, minimum=768, native=1024, context_min=128),
        name="sdxl",
        summary="Stable Diffusion XL, trained on for inpainting: 1024 pixels, good at replacing",
        authors="Podell, English, Lacey, Blattmann, Dockhorn, Müller, Penna and Rombach "
        "(Stability AI); inpainting: Hugging Face",
        published="2023-09",
        architecture="latent diffusion: UNet over photo, mask and noise; two CLIP text encoders",
        paper="https://arxiv.org/abs/2307.01952",
        licence="CreativeML Open RAIL++-M (commercial use allowed, some uses forbidden)",
        commercial_use=True,
        parameters=3_470_000_000,
    )


@dataclass(frozen=True)
class Sd3Options(options.StableDiffusion3):
    model: str = pieces.model(SD3)


class Sd3(Latent):
    source: ClassVar[str] = SD3
    family: ClassVar[Family] = families.by_name("stable-diffusion-3")
    Options: ClassVar[type] = Sd3Options
    card: ClassVar[EngineCard] = _card(
        SD3,
        _megapixel(),
        name="sd3",
        summary="Stable Diffusion 3 Medium, a text-to-image model: fills by latent blending",
        authors="Esser, Kulal, Blattmann et al. (Stability AI)",
        published="2024-06",
        architecture="rectified flow, MM-DiT transformer; two CLIP text encoders and T5-XXL",
        paper="https://arxiv.org/abs/2403.03206",
        licence="Stability AI Community License (commercial use only below a yearly revenue of "
        "1 million US dollars)",
        commercial_use=False,
        parameters=7_700_000_000,
    )


@dataclass(frozen=True)
class FluxFillOptions(options.FluxFill):
    model: str = pieces.model(FLUX_FILL)


class FluxFill(Latent):
    source: ClassVar[str] = FLUX_FILL
    family: ClassVar[Family] = families.by_name("flux-fill")
    Options: ClassVar[type] = FluxFillOptions
    card: ClassVar[EngineCard] = _card(
        FLUX_FILL,
        _megapixel(),
        name="flux-fill",
        summary="FLUX.1 Fill [dev], made for inpainting: guidance 30, no negative prompt",
        authors=BFL,
        published="2024-11",
        architecture="rectified flow transformer over photo, mask and noise; CLIP and T5-XXL",
        paper="https://bfl.ai/flux-1-tools",
        licence=FLUX_LICENCE,
        commercial_use=False,
        parameters=16_900_000_000,
    )


@dataclass(frozen=True)
class KontextOptions(options.FluxKontext):
    model: str = pieces.model(KONTEXT)


class FluxKontext(Latent):
    source: ClassVar[str] = KONTEXT
    family: ClassVar[Family] = families.by_name("flux-kontext")
    Options: ClassVar[type] = KontextOptions
    card: ClassVar[EngineCard] = _card(
        KONTEXT,
        _megapixel(),
        name="flux-kontext",
        summary="FLUX.1 Kontext [dev], an edit model: goes by a reference picture, or the photo",
        authors=f"Batifol, Blattmann, Boesel et al. ({BFL})",
        published="2025-06",
        architecture="rectified flow transformer over a context picture and noise; CLIP, T5-XXL",
        paper="https://arxiv.org/abs/2506.15742",
        licence=FLUX_LICENCE,
        commercial_use=False,
        parameters=16_900_000_000,
    )


@dataclass(frozen=True)
class KleinOptions(options.Flux2Klein):
    model: str = pieces.model(KLEIN)


class Flux2Klein(Latent):
    source: ClassVar[str] = KLEIN
    family: ClassVar[Family] = families.by_name("flux2-klein")
    Options: ClassVar[type] = KleinOptions
    card: ClassVar[EngineCard] = _card(
        KLEIN,
        _megapixel(),
        name="flux2-klein",
        summary="FLUX.2 [klein] 4B: four steps; sees the photo and, if given, a reference",
        authors=BFL,
        published="2026-01",
        architecture="distilled rectified flow transformer over pictures and noise; Qwen3 text",
        paper="https://bfl.ai/models/flux-2-klein",
        licence="Apache-2.0",
        commercial_use=True,
        parameters=8_000_000_000,
    )


@dataclass(frozen=True)
class QwenOptions(options.QwenImage):
    model: str = pieces.model(QWEN)


class QwenImage(Latent):
    source: ClassVar[str] = QWEN
    family: ClassVar[Family] = families.by_name("qwen-image")
    Options: ClassVar[type] = QwenOptions
    card: ClassVar[EngineCard] = _card(
        QWEN,
        _megapixel(),
        name="qwen-image",
        summary="Qwen-Image, a text-to-image model strong in writing: fills by latent blending",
        authors="Wu, Li, Zhou et al. (Qwen, Alibaba)",
        published="2025-08",
        architecture="rectified flow, MM-DiT transformer; Qwen2.5-VL reads the words",
        paper="https://arxiv.org/abs/2508.02324",
        licence="Apache-2.0",
        commercial_use=True,
        parameters=28_900_000_000,
    )


@dataclass(frozen=True)
class QwenEditOptions(options.QwenImageEdit):
    model: str = pieces.model(QWEN_EDIT)


class QwenImageEdit(Latent):
    source: ClassVar[str] = QWEN_EDIT
    family: ClassVar[Family] = families.by_name("qwen-image-edit")
    Options: ClassVar[type] = QwenEditOptions
    card: ClassVar[EngineCard] = _card(
        QWEN_EDIT,
        SizeRule(multiple=32, minimum=512, native=1024, context_min=128),
        name="qwen-image-edit",
        summary="Qwen-Image-Edit, an edit model that reads the words with the photo in view",
        authors="Wu, Li, Zhou et al. (Qwen, Alibaba)",
        published="2025-08",
        architecture="rectified flow, MM-DiT transformer over photo and noise; Qwen2.5-VL reads "
        "words and photo",
        paper="https://arxiv.org/abs/2508.02324",
        licence="Apache-2.0",
        commercial_use=True,
        parameters=28_900_000_000,
    )


@dataclass(frozen=True)
class ZImageOptions(options.ZImage):
    model: str = pieces.model(Z_IMAGE)


class ZImage(Latent):
    source: ClassVar[str] = Z_IMAGE
    family: ClassVar[Family] = families.by_name("z-image")
    Options: ClassVar[type] = ZImageOptions
    card: ClassVar[EngineCard] = _card(
        Z_IMAGE,
        _megapixel(),
        name="z-image",
        summary="Z-Image-Turbo, a text-to-image model in nine steps: fills by latent blending",
        authors="Z-Image Team (Tongyi-MAI, Alibaba)",
        published="2025-11",
        architecture="distilled rectified flow, single-stream transformer; Qwen3 reads the words",
        paper="https://arxiv.org/abs/2511.22699",
        licence="Apache-2.0",
        commercial_use=True,
        parameters=10_200_000_000,
    )


@dataclass(frozen=True)
class ChromaOptions(options.Chroma):
    model: str = pieces.model(CHROMA)


class Chroma(Latent):
    source: ClassVar[str] = CHROMA
    family: ClassVar[Family] = families.by_name("chroma")
    Options: ClassVar[type] = ChromaOptions
    card: ClassVar[EngineCard] = _card(
        CHROMA,
        _megapixel(),
        name="chroma",
        summary="Chroma1-HD, a text-to-image model: fills by latent blending",
        authors="Lodestone Rock",
        published="2025-08",
        architecture="rectified flow transformer, from FLUX.1 [schnell]; T5-XXL reads the words",
        paper="https://huggingface.co/lodestones/Chroma1-HD",
        licence="Apache-2.0",
        commercial_use=True,
        parameters=13_700_000_000,
    )


@dataclass(frozen=True)
class KandinskyOptions(options.Kandinsky):
    model: str = pieces.model(KANDINSKY)
    prior: str = pieces.model(KANDINSKY_PRIOR)


class Kandinsky(Latent):
    source: ClassVar[str] = KANDINSKY
    family: ClassVar[Family] = families.by_name("kandinsky")
    Options: ClassVar[type] = KandinskyOptions
    card: ClassVar[EngineCard] = _card(
        KANDINSKY,
        SizeRule(multiple=64, minimum=512, native=768, context_min=128),
        name="kandinsky",
        summary="Kandinsky 2.2, made for inpainting: words to a picture's embedding, then pixels",
        authors="Razzhigaev, Shakhmatov, Maltseva et al. (Sber AI, AIRI)",
        published="2023-07",
        architecture="latent diffusion: UNet over photo, mask and noise, guided by a prior's "
        "CLIP ViT-bigG embedding",
        paper="https://arxiv.org/abs/2310.03502",
        licence="Apache-2.0",
        commercial_use=True,
        parameters=4_800_000_000,
    )
