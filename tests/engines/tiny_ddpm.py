"""A tiny random unconditional diffusion model, saved as diffusers saves one."""

from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DModel


def save(folder: Path, side: int = 32) -> str:
    """Write the model for photos of side × side pixels to `folder`; always the same weights."""
    torch.manual_seed(0)
    unet = UNet2DModel(
        sample_size=side,
        block_out_channels=(8, 8),
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=4,
    )
    unet.save_pretrained(folder / "unet", safe_serialization=True)
    DDPMScheduler(num_train_timesteps=100).save_pretrained(folder / "scheduler")
    return str(folder)
