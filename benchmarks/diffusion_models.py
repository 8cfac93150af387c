"""Stable Diffusion 1.5 and SD-XL inpainting pipelines with random weights, full-size and tiny.

How fast a network is does not depend on what its weights are, so the published architectures
with weights drawn at random stand in for the published models, without a download. The sizes
are those of the models' own `config.json` files. The tiny ones are the same architectures with
few channels, for a run on the processor in seconds.
"""

from dataclasses import dataclass
from typing import Any

WORDS = 512  # ids below the two special ones: each byte, inside a word and at its end


@dataclass(frozen=True)
class Architecture:
    """Sizes of one pipeline's networks, as keywords of the libraries' classes."""

    pipeline: str
    native: int
    unet: dict[str, Any]
    vae: dict[str, Any]
    texts: tuple[dict[str, Any], ...]


CLIP_L = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "projection_dim": 768,
    "hidden_act": "quick_gelu",
    "vocab_size": 49408,
}
CLIP_BIG_G = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "projection_dim": 1280,
    "hidden_act": "gelu",
    "vocab_size": 49408,
}
CLIP_TINY = {
    "hidden_size": 32,
    "intermediate_size": 37,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "projection_dim": 32,
    "vocab_size": WORDS + 2,
}
VAE = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "latent_channels": 4,
}
VAE_TINY = {**VAE, "block_out_channels": (8, 8, 8, 16), "layers_per_block": 1, "norm_num_groups": 4}
SCHEDULE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}
XL_BLOCKS = {
    "in_channels": 9,
    "out_channels": 4,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
}
FULL = {
    "sd": Architecture(
        "StableDiffusionInpaintPipeline",
        512,
        {"sample_size": 64, "in_channels": 9, "out_channels": 4, "cross_attention_dim": 768},
        {**VAE, "sample_size": 512, "scaling_factor": 0.18215},
        (CLIP_L,),
    ),
    "sdxl": Architecture(
        "StableDiffusionXLInpaintPipeline",
        1024,
        {
            **XL_BLOCKS,
            "sample_size": 128,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            "block_out_channels": (320, 640, 1280),
            "transformer_layers_per_block": (1, 2, 10),
            "attention_head_dim": (5, 10, 20),
            "cross_attention_dim": 2048,
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 2816,
        },
        {**VAE, "sample_size": 1024, "scaling_factor": 0.13025, "force_upcast": True},
        (CLIP_L, CLIP_BIG_G),
    ),
}
TINY = {
    "sd": Architecture(
        "StableDiffusionInpaintPipeline",
        64,
        {
            "sample_size": 8,
            "in_channels": 9,
            "out_channels": 4,
            "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
            "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
            "block_out_channels": (8, 16),
            "layers_per_block": 1,
            "norm_num_groups": 4,
            "attention_head_dim": 2,
            "cross_attention_dim": 32,
        },
        {**VAE_TINY, "sample_size": 64},
        (CLIP_TINY,),
    ),
    "sdxl": Architecture(
        "StableDiffusionXLInpaintPipeline",
        64,
        {
            **XL_BLOCKS,
            "sample_size": 8,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
            "block_out_channels": (8, 16),
            "layers_per_block": 1,
            "norm_num_groups": 4,
            "transformer_layers_per_block": (1, 2),
            "attention_head_dim": (2, 4),
            "cross_attention_dim": 64,
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 6 * 8 + 32,
        },
        {**VAE_TINY, "sample_size": 64},
        (CLIP_TINY, CLIP_TINY),
    ),
}


def build(
    name: str, *, tiny: bool = False, device: str = "cpu", dtype: str = "float32", seed: int = 0
) -> Any:
    """The pipeline `name` ("sd" or "sdxl") with random weights on `device` in `dtype`."""
    import diffusers
    import torch

    plan = (TINY if tiny else FULL)[name]
    torch.manual_seed(seed)
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))  # else SD-XL is built in float32 first
    try:
        with torch.device(device):
            parts = {
                "unet": diffusers.UNet2DConditionModel(**plan.unet),
                "vae": diffusers.AutoencoderKL(**plan.vae),
                **_texts(plan),
            }
    finally:
        torch.set_default_dtype(before)
    for part in parts.values():
        part.requires_grad_(False).eval()
    parts |= _tokenizers(len(plan.texts))
    if len(plan.texts) == 1:
        parts |= {"safety_checker": None, "feature_extractor": None}
        schedule = diffusers.PNDMScheduler(**SCHEDULE, skip_prk_steps=True)
        made = getattr(diffusers, plan.pipeline)(
            **parts, scheduler=schedule, requires_safety_checker=False
        )
    else:
        schedule = diffusers.EulerDiscreteScheduler(**SCHEDULE)
        made = getattr(diffusers, plan.pipeline)(**parts, scheduler=schedule)
    made.set_progress_bar_config(disable=True)
    return made


def _texts(plan: Architecture) -> dict[str, Any]:
    """The text encoders; SD-XL's second one projects, as the published one does."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    # Old configurations say 2 and mean: pool at the largest id, which is the end of the text.
    configs = [CLIPTextConfig(**sizes, bos_token_id=WORDS, eos_token_id=2) for sizes in plan.texts]
    made = {"text_encoder": CLIPTextModel(configs[0])}
    if len(configs) > 1:
        made["text_encoder_2"] = CLIPTextModelWithProjection(configs[1])
    return made


def _tokenizers(count: int) -> dict[str, Any]:
    """CLIP tokenizers that spell words byte by byte: as many ids as there are bytes, twice."""
    from transformers import CLIPTokenizer

    marks = [chr(number) for number in _printable()]
    vocabulary = {mark: index for index, mark in enumerate(marks)}
    vocabulary |= {f"{mark}</w>": 256 + index for index, mark in enumerate(marks)}
    vocabulary |= {"<|startoftext|>": WORDS, "<|endoftext|>": WORDS + 1}
    names = ["tokenizer", "tokenizer_2"][:count]
    return {name: CLIPTokenizer(vocabulary, [], model_max_length=77) for name in names}


def _printable() -> list[int]:
    """The code points by which byte-level tokenizers write the 256 bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return plain + [256 + index for index in range(256 - len(plain))]
