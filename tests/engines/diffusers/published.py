"""Tiny models as the one file that publishers hand out: the library's keys turned back into theirs.

The library reads such files by turning keys the other way; here it is written down once more.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

WEIGHTS = "diffusion_pytorch_model.safetensors"
UNET = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
VAE_ATTENTION = {
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
}


def stable_diffusion(folder: Path) -> dict[str, torch.Tensor]:
    """A Stable Diffusion of four levels and two layers a level."""
    unet = load_file(folder / "unet" / WEIGHTS)
    vae = load_file(folder / "vae" / WEIGHTS)
    text = load_file(folder / "text_encoder" / "model.safetensors")
    levels = len(json.loads((folder / "unet" / "config.json").read_text())["block_out_channels"])
    made = {f"model.diffusion_model.{_unet(key, levels)}": one for key, one in unet.items()}
    for key, one in vae.items():
        name = _vae(key)
        linear = ".attn_1." in name and one.ndim == 2
        made[f"first_stage_model.{name}"] = one[..., None, None] if linear else one
    for key, one in text.items():
        name = key if key.startswith("text_model.") else f"text_model.{key}"
        made[f"cond_stage_model.transformer.{name}"] = one
    return {key: one.contiguous() for key, one in made.items()}


def _swapped(key: str, names: dict[str, str]) -> str:
    for ours, theirs in names.items():
        key = key.replace(ours, theirs)
    return key


def _unet(key: str, levels: int) -> str:
    parts = key.split(".")
    if parts[0] not in ("down_blocks", "up_blocks", "mid_block"):
        for ours, theirs in UNET.items():
            if key.startswith(f"{ours}."):
                return theirs + key.removeprefix(ours)
    if parts[0] == "mid_block":
        kind, index, rest = parts[1], int(parts[2]), ".".join(parts[3:])
        if kind == "resnets":
            return f"middle_block.{2 * index}.{_swapped(rest, RESNET)}"
        return f"middle_block.1.{rest}"
    level, kind, index, rest = int(parts[1]), parts[2], int(parts[3]), ".".join(parts[4:])
    if parts[0] == "down_blocks":
        if kind == "downsamplers":
            return f"input_blocks.{3 * (level + 1)}.0.op.{rest.removeprefix('conv.')}"
        place = f"input_blocks.{3 * level + index + 1}"
    else:
        if kind == "upsamplers":
            return f"output_blocks.{3 * level + 2}.{1 if level == 0 else 2}.{rest}"
        place = f"output_blocks.{3 * level + index}"
    if kind == "resnets":
        return f"{place}.0.{_swapped(rest, RESNET)}"
    return f"{place}.1.{rest}"


def _vae(key: str) -> str:
    parts = key.split(".")
    if parts[0] not in ("encoder", "decoder"):
        return key
    rest = ".".join(parts[1:])
    if parts[1] == "conv_norm_out":
        return f"{parts[0]}.norm_out.{parts[-1]}"
    if parts[1] == "mid_block":
        if parts[2] == "resnets":
            tail = ".".join(parts[4:]).replace("conv_shortcut", "nin_shortcut")
            return f"{parts[0]}.mid.block_{int(parts[3]) + 1}.{tail}"
        return f"{parts[0]}.mid.attn_1.{_swapped('.'.join(parts[4:]), VAE_ATTENTION)}"
    if parts[1] not in ("down_blocks", "up_blocks"):
        return f"{parts[0]}.{rest}"
    down = parts[1] == "down_blocks"
    level = int(parts[2]) if down else 3 - int(parts[2])
    way, tail = ("down" if down else "up"), ".".join(parts[5:])
    if parts[3] == "resnets":
        tail = tail.replace("conv_shortcut", "nin_shortcut")
        return f"{parts[0]}.{way}.{level}.block.{parts[4]}.{tail}"
    return f"{parts[0]}.{way}.{level}.{way}sample.{tail}"


KLEIN = {  # the longest first, where one begins another
    "time_guidance_embed.timestep_embedder.linear_1": "time_in.in_layer",
    "time_guidance_embed.timestep_embedder.linear_2": "time_in.out_layer",
    "double_stream_modulation_img.linear": "double_stream_modulation_img.lin",
    "double_stream_modulation_txt.linear": "double_stream_modulation_txt.lin",
    "single_stream_modulation.linear": "single_stream_modulation.lin",
    "x_embedder": "img_in",
    "context_embedder": "txt_in",
    "proj_out": "final_layer.linear",
    "attn.norm_added_q.weight": "txt_attn.norm.query_norm.scale",
    "attn.norm_added_k.weight": "txt_attn.norm.key_norm.scale",
    "attn.to_add_out": "txt_attn.proj",
    "attn.to_out.0": "img_attn.proj",
    "ff_context.linear_in": "txt_mlp.0",
    "ff_context.linear_out": "txt_mlp.2",
    "ff.linear_in": "img_mlp.0",
    "ff.linear_out": "img_mlp.2",
    "attn.to_qkv_mlp_proj": "linear1",
}
KLEIN_DOUBLE = {
    "attn.norm_q.weight": "img_attn.norm.query_norm.scale",
    "attn.norm_k.weight": "img_attn.norm.key_norm.scale",
}
KLEIN_SINGLE = {
    "attn.to_out": "linear2",
    "attn.norm_q.weight": "norm.query_norm.scale",
    "attn.norm_k.weight": "norm.key_norm.scale",
}


def flux2_klein(folder: Path) -> dict[str, torch.Tensor]:
    """The transformer of a FLUX.2 klein."""
    states = load_file(folder / "transformer" / WEIGHTS)
    made = {}
    for key, one in states.items():
        if key == "norm_out.linear.weight":  # shift and scale stand the other way round
            scale, shift = one.chunk(2)
            made["final_layer.adaLN_modulation.1.weight"] = torch.cat([shift, scale])
            continue
        if ".attn.to_k." in key or ".attn.to_v." in key or ".attn.add_k" in key:
            continue
        if ".attn.add_v" in key:
            continue
        name = key
        if key.startswith("single_transformer_blocks."):
            name = _swapped(key.removeprefix("single_transformer_"), KLEIN_SINGLE | KLEIN)
            name = name.replace("blocks.", "single_blocks.", 1)
        elif key.startswith("transformer_blocks."):
            name = "double_" + _swapped(key.removeprefix("transformer_"), KLEIN_DOUBLE | KLEIN)
        else:
            name = _swapped(key, KLEIN)
        for first, others, theirs in (
            ("attn.to_q", ("attn.to_k", "attn.to_v"), "img_attn.qkv"),
            ("attn.add_q_proj", ("attn.add_k_proj", "attn.add_v_proj"), "txt_attn.qkv"),
        ):
            if f".{first}." in key:
                one = torch.cat([one, *(states[key.replace(first, other)] for other in others)])
                name = name.replace(first, theirs)
        made[name] = one
    return {key: one.contiguous() for key, one in made.items()}
