"""A small unconditional DDPM of photos, in the folder layout of diffusers' `DDPMPipeline`."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.models.unets.unet_2d import UNet2DModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from safetensors.torch import save
from torch import Tensor, nn

from infill.errors import Unwritable
from infill.files import write_atomically
from infill.train import data, losses
from infill.train.config import DdpmConfig, LoopConfig
from infill.train.loop import Progress, train

LARGEST_CHECK = 512
"""Held-out photos that the loss is checked on, at most."""
CHECKPOINT = "checkpoint.safetensors"


def build(config: DdpmConfig) -> UNet2DModel:
    """The network: a U-Net that predicts the noise, with random weights."""
    down = ["AttnDownBlock2D" if attends else "DownBlock2D" for attends in config.attention]
    up = ["AttnUpBlock2D" if attends else "UpBlock2D" for attends in reversed(config.attention)]
    return UNet2DModel(
        sample_size=config.side,
        in_channels=3,
        out_channels=3,
        block_out_channels=config.channels,
        layers_per_block=config.layers,
        norm_num_groups=config.groups,
        attention_head_dim=config.head,
        down_block_types=tuple(down),
        up_block_types=tuple(up),
    )


def scheduler(config: DdpmConfig) -> DDPMScheduler:
    """The noise schedule: β rises on a straight line, as in Ho et al. 2020."""
    return DDPMScheduler(
        num_train_timesteps=config.noise_steps,
        beta_start=config.beta_start,
        beta_end=config.beta_end,
        beta_schedule="linear",
        variance_type="fixed_small",
        prediction_type="epsilon",
        clip_sample=True,
    )


def as_tensor(pixels: data.Bytes, device: str = "cpu") -> Tensor:
    """uint8 RGB (N, H, W, 3) → float32 (N, 3, H, W) in [-1, 1], channels last in memory."""
    floats = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    return floats.contiguous(memory_format=torch.channels_last)


def predictor(network: UNet2DModel) -> losses.Predict:
    """The network as a plain function of pictures and times."""
    return lambda pictures, times: network(pictures, times, return_dict=False)[0]


def checker(
    held_out: data.Thumbnails, config: DdpmConfig, bfloat16: bool, device: str = "cpu"
) -> Callable[[UNet2DModel], dict[str, float]]:
    """A function that measures a network on held-out photos: the plain noise-prediction loss
    ("held_out"), over all times and over four quarters of them, with always the same noise."""
    photos = as_tensor(data.middles(held_out, config.side)[:LARGEST_CHECK], device)
    draw = torch.Generator("cpu").manual_seed(0)
    noise = torch.randn(photos.shape, generator=draw).to(device)
    times = losses.spread_times(len(photos), config.noise_steps, draw).to(device)
    alphas = scheduler(config).alphas_cumprod.to(device)
    noisy = losses.noised(photos, noise, alphas, times)

    def check(network: UNet2DModel) -> dict[str, float]:
        errors = []
        for place in range(0, len(photos), 64):
            part = slice(place, place + 64)
            with torch.autocast(photos.device.type, torch.bfloat16, enabled=bfloat16):
                predicted = predictor(network)(noisy[part], times[part])
            errors.append((predicted.float() - noise[part]).square().mean(dim=(1, 2, 3)))
        every = torch.cat(errors)
        figures = {"held_out": float(every.mean())}
        for quarter in range(4):
            chosen = every[times * 4 // config.noise_steps == quarter]
            figures[f"held_out_q{quarter + 1}"] = float(chosen.mean())
        return figures

    return check


def export(folder: Path, network: UNet2DModel, config: DdpmConfig) -> None:
    """Write the network (as float16) and its schedule so that `DDPMPipeline.from_pretrained`
    and the engine `repaint` load them from the folder; each file whole or not at all."""
    unet, schedule = folder / "unet", folder / "scheduler"
    for part in (unet, schedule):
        part.mkdir(parents=True, exist_ok=True)
    half = {name: value.half().cpu().contiguous() for name, value in network.state_dict().items()}
    content = save(half, {"format": "pt"})
    write_atomically(unet / "diffusion_pytorch_model.safetensors", content, overwrite=True)
    index = {
        "_class_name": "DDPMPipeline",
        "_diffusers_version": diffusers.__version__,
        "scheduler": ["diffusers", "DDPMScheduler"],
        "unet": ["diffusers", "UNet2DModel"],
    }
    settings = json.loads(scheduler(config).to_json_string())
    write_json(unet / "config.json", json.loads(network.to_json_string()))
    write_json(schedule / "scheduler_config.json", settings)
    write_json(folder / "model_index.json", index)


def write_json(path: Path, value: Any) -> None:
    """Write readable JSON, whole or not at all."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    write_atomically(path, text.encode(), overwrite=True)


def run(
    photos: Path,
    out: Path,
    work: Path,
    config: DdpmConfig,
    loop: LoopConfig,
    *,
    device: str = "cpu",
    tell: Callable[[str], None] = print,
) -> Progress:
    """Train on a folder of photos.

    out:  the model's folder; it holds the averaged network of the last checkpoint, and what the
          run did so far as training.json.
    work: folder of the checkpoint and of the decoded photos; a run that finds its checkpoint
          there goes on from it.
    """
    data.photo_files(photos)  # a mistake there leaves no folders behind
    for folder in (out, work):  # now, not when the work is done
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unwritable(f"{folder} cannot be made: {error.strerror}") from error
    split = data.read_photos(
        photos, config.thumbnail, config.held_out, work / "thumbnails.npz", tell
    )
    torch.manual_seed(loop.seed)
    network = build(config)
    nn.Module.to(network, device)
    for weights in network.parameters():
        if weights.ndim == 4:  # convolutions run faster so on most machines
            weights.data = weights.data.contiguous(memory_format=torch.channels_last)
    count = sum(weight.numel() for weight in network.parameters())
    tell(
        f"{len(split.learn)} photos to learn from, {len(split.held_out)} held out; "
        f"{count:,} weights"
    )
    alphas = scheduler(config).alphas_cumprod.to(device)
    weight = losses.snr_weight(alphas, config.snr_cap)
    facts = {"network": asdict(config), "loop": asdict(loop)}

    def saved(averaged: UNet2DModel, progress: Progress) -> None:
        export(out, averaged, config)
        counts = {"learnt_from": len(split.learn), "held_out": len(split.held_out)}
        result = {"weights": count, "photos": counts, "step": progress.step}
        write_json(out / "training.json", {**facts, **result, "log": progress.log})
        tell(f"saved step {progress.step} in {out}")

    def batch(step: int) -> Tensor:
        pixels = data.batch(split.learn, step, loop.batch, config.side, loop.seed)
        return as_tensor(pixels, device)

    def loss(net: UNet2DModel, clean: Tensor, draw: torch.Generator) -> Tensor:
        return losses.noise_loss(predictor(net), clean, alphas, weight, draw)

    _, progress = train(
        network,
        batch,
        loss,
        loop,
        run=json.dumps(facts, sort_keys=True),
        path=work / CHECKPOINT,
        validate=checker(split.held_out, config, loop.bfloat16, device),
        saved=saved,
        tell=tell,
    )
    return progress
