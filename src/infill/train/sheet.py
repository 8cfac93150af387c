"""A sheet of pictures that a trained diffusion network makes: to look at, for its card."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers.models.unets.unet_2d import UNet2DModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from numpy.typing import NDArray
from torch import Tensor, nn

from infill.errors import MissingWeights
from infill.picture import Picture
from infill.train.tiles import arranged

QUALITY = 88
"""Of a sheet as JPEG: enlarged pixels keep their edges; 64 pictures take some 100 kB."""


def sample(
    folder: Path,
    count: int,
    steps: int,
    seed: int,
    *,
    device: str = "cpu",
    tell: Callable[[str], None] = lambda _: None,
) -> NDArray[np.uint8]:
    """Pictures out of noise, by the folder's own network and schedule.

    steps: of the reverse walk (the schedule's times, evenly respaced); all noise is drawn on the
           processor, so a seed gives the same on every device.
    Returns uint8 RGB, (count, side, side, 3). Raises `MissingWeights` if the folder is no model.
    """
    for part in ("unet", "scheduler"):
        if not (folder / part).is_dir():
            raise MissingWeights(f"{folder} is no model folder: there is no folder {part} in it")
    network = UNet2DModel.from_pretrained(folder / "unet", local_files_only=True).eval()
    nn.Module.to(network, device)
    schedule = DDPMScheduler.from_pretrained(folder / "scheduler", local_files_only=True)
    schedule.set_timesteps(steps)
    draw = torch.Generator("cpu").manual_seed(seed)
    side = network.config["sample_size"]
    pictures: Tensor = torch.randn((count, 3, side, side), generator=draw).to(device)
    for number, time in enumerate(schedule.timesteps):
        with torch.no_grad():
            noise = network(pictures, time, return_dict=False)[0]
        pictures = schedule.step(noise, time, pictures, generator=draw).prev_sample
        if number % 50 == 0:
            tell(f"step {number} of {steps}")
    bytes_ = ((pictures.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return bytes_.permute(0, 2, 3, 1).cpu().numpy()


def write_sheet(path: Path, pictures: NDArray[np.uint8], scale: int) -> None:
    """Save `arranged` pictures; the file's extension names the format."""
    quality = QUALITY if path.suffix.lower() in (".jpg", ".jpeg") else None
    Picture.from_array(arranged(pictures, scale)).save(path, overwrite=True, quality=quality)
