"""Tiny networks with random weights, in the forms in which models lie on disk."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler, UNet2DModel

SIDE = 16

TINY: dict[str, Any] = {
    "sample_size": SIDE,
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 8,
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
}


def tiny_unet(seed: int = 0, **more: Any) -> UNet2DModel:
    """A network of some ten thousand numbers for photos of 16 × 16; the global seed is kept."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return UNet2DModel(**{**TINY, **more}).eval()


def save_pipeline(folder: Path, seed: int = 0, noise: Any = None, **more: Any) -> Path:
    """A folder as a `DDPMPipeline` writes it. noise: settings of the scheduler."""
    tiny_unet(seed, **more).save_pretrained(folder / "unet")
    DDPMScheduler(**(noise or {})).save_pretrained(folder / "scheduler")
    parts = {"unet": ["diffusers", "UNet2DModel"], "scheduler": ["diffusers", "DDPMScheduler"]}
    index = {"_class_name": "DDPMPipeline", **parts}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder
