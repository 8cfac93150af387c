"""Tiny ControlNets and IP-Adapters with random weights, in files as the published ones are."""

from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers.models.attention_processor import SD3IPAdapterJointAttnProcessor2_0
from diffusers.models.embeddings import IPAdapterTimeImageProjection
from safetensors.torch import save_file

from infill.engines.diffusers import loading
from tests.engines.diffusers import tiny

FEATURES = 16  # the width of what the tiny readers of pictures say


def save_net(name: str, folder: Path, **more: Any) -> Path:
    """The tiny ControlNet of that family, written to `folder`; always the same."""
    torch.manual_seed(3)
    with loading.quiet():
        net = NETS[name](**more)
    with torch.no_grad():  # much of them begins at zero, so an untrained one changes nothing
        for part in net.parameters():
            if not part.any():
                part.normal_(0, 0.3)
    net.save_pretrained(folder)
    return folder


def sd3(**more: Any) -> Any:
    given: dict[str, Any] = {
        "sample_size": 64,
        "patch_size": 2,
        "in_channels": 16,
        "num_layers": 1,
        "attention_head_dim": 8,
        "num_attention_heads": 2,
        "joint_attention_dim": 32,
        "caption_projection_dim": 16,
        "pooled_projection_dim": 32,
        "out_channels": 16,
        "pos_embed_max_size": 64,
        "extra_conditioning_channels": 1,
    }
    return diffusers.SD3ControlNetModel(**(given | more))


def flux(**more: Any) -> Any:
    given: dict[str, Any] = {
        "in_channels": 64,
        "num_layers": 1,
        "num_single_layers": 1,
        "attention_head_dim": 16,
        "num_attention_heads": 1,
        "joint_attention_dim": 32,
        "pooled_projection_dim": 16,
        "guidance_embeds": True,
        "axes_dims_rope": (4, 4, 8),
    }
    return diffusers.FluxControlNetModel(**(given | more))


def qwen_image(**more: Any) -> Any:
    given: dict[str, Any] = {
        "in_channels": 16,
        "out_channels": 4,
        "num_layers": 1,
        "attention_head_dim": 16,
        "num_attention_heads": 1,
        "joint_attention_dim": 16,
        "axes_dims_rope": (8, 4, 4),
        "extra_condition_channels": 4,
    }
    return diffusers.QwenImageControlNetModel(**(given | more))


def z_image(**more: Any) -> Any:
    given: dict[str, Any] = {
        "control_layers_places": [0],
        "control_refiner_layers_places": [0],
        "control_in_dim": 33,
        "add_control_noise_refiner": "control_noise_refiner",
        "dim": 32,
        "n_refiner_layers": 1,
        "n_heads": 2,
        "n_kv_heads": 2,
    }
    return diffusers.ZImageControlNetModel(**(given | more))


NETS: dict[str, Any] = {"sd3": sd3, "flux": flux, "qwen-image": qwen_image, "z-image": z_image}


# --- IP-Adapters --------------------------------------------------------------------------------


def save_xlabs(model: Path, file: Path, layers: int | None = None) -> Path:
    """An adapter for FLUX's kind of transformer with the keys that XLabs's has, for the model at
    `model` or for one with so many layers; its reader beside it."""
    torch.manual_seed(2)
    config = diffusers.FluxTransformer2DModel.load_config(model, subfolder="transformer")
    inner = config["attention_head_dim"] * config["num_attention_heads"]
    wide = config["joint_attention_dim"]
    states = {
        "ip_adapter_proj_model.proj.weight": torch.randn(4 * wide, FEATURES),
        "ip_adapter_proj_model.proj.bias": torch.randn(4 * wide),
        "ip_adapter_proj_model.norm.weight": torch.ones(wide),
        "ip_adapter_proj_model.norm.bias": torch.zeros(wide),
    }
    for layer in range(layers or config["num_layers"]):
        for part in ("k", "v"):
            name = f"double_blocks.{layer}.processor.ip_adapter_double_stream_{part}_proj"
            states[f"{name}.weight"] = torch.randn(inner, wide)
            states[f"{name}.bias"] = torch.randn(inner)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(states, file)
    tiny.vision().save_pretrained(file.parent / "image_encoder")
    return file


def save_instantx(file: Path, layers: int = 2) -> Path:
    """An adapter for Stable Diffusion 3 with the keys that InstantX's has; its reader beside it."""
    torch.manual_seed(2)
    projection = IPAdapterTimeImageProjection(
        embed_dim=FEATURES,
        output_dim=16,
        hidden_dim=64,
        depth=4,  # as the library takes it to be
        heads=1,
        num_queries=2,
        timestep_in_dim=8,
    )
    states = {f"image_proj.{_theirs(key)}": one for key, one in projection.state_dict().items()}
    for layer in range(layers):
        attention = SD3IPAdapterJointAttnProcessor2_0(16, 16, 8, 64)
        for key, one in attention.state_dict().items():
            states[f"ip_adapter.{layer}.{key}"] = one
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: one.contiguous() for key, one in states.items()}, file)
    siglip().save_pretrained(file.parent / "image_encoder")
    return file


def _theirs(key: str) -> str:
    for ours, theirs in (
        ("ln0", "0.norm1"),
        ("ln1", "0.norm2"),
        ("attn.to_q", "0.to_q"),
        ("attn.to_kv", "0.to_kv"),
        ("attn.to_out.0", "0.to_out"),
        ("adaln_norm", "1.0"),
        ("ff.net.0.proj", "1.1"),
        ("ff.net.2", "1.3"),
        ("adaln_proj", "2.1"),
    ):
        key = key.replace(f".{ours}.", f".{theirs}.")
    return key


def siglip() -> Any:
    """Words and pictures in one, as it is published: the reader takes the half that it needs."""
    vision = {
        "hidden_size": FEATURES,
        "intermediate_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    text = {"hidden_size": FEATURES, "intermediate_size": 16, "num_hidden_layers": 1}
    text |= {"num_attention_heads": 2, "vocab_size": 64}
    config = transformers.SiglipConfig(text_config=text, vision_config=vision)
    return transformers.SiglipModel(config).eval()
