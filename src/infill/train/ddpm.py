"""The training of a small unconditional DDPM of photos, written in the folder layout of diffusers'
`DDPMPipeline`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.models.unets.unet_2d import UNet2DModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from safetensors.torch import save
from torch import nn

from infill import settings
from infill.data.layouts import Listing
from infill.files import write_atomically
from infill.train.data import crops
from infill.train.data.photos import Thumbnails, decoded
from infill.train.data.prefetch import Prefetch
from infill.train.ddpm_tables import DdpmConfig, DdpmRun
from infill.train.export import summary, write_json
from infill.train.figures import as_tensor
from infill.train.losses import noise as losses
from infill.train.processes import Alone
from infill.train.report import Report
from infill.train.turns import NETWORK, Batch, Job, Networks, Progress, Told, Turn

LARGEST_CHECK = 512
"""Held-out photos that the loss is checked on, at most."""


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


def predictor(network: UNet2DModel) -> losses.Predict:
    """The network as a plain function of pictures and times."""
    return lambda pictures, times: network(pictures, times, return_dict=False)[0]


def checker(
    held_out: Thumbnails, config: DdpmConfig, bfloat16: bool, device: str = "cpu"
) -> Callable[[UNet2DModel], dict[str, float]]:
    """A function that measures a network on held-out photos: the plain noise-prediction loss
    ("held_out"), over all times and over four quarters of them, with always the same noise."""
    photos = as_tensor(crops.middles(held_out, config.side)[:LARGEST_CHECK], device)
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


def job(
    config: DdpmRun,
    listings: tuple[Listing, Listing],
    out: Path,
    work: Path,
    device: str,
    crew: Alone,
    report: Report,
) -> tuple[Job, Prefetch[Any]]:
    """What the loop trains, and the thread that makes its batches.

    out: the model's folder; it holds the averaged network of the last checkpoint, and what the
         run did so far as training.json.
    """
    run, shape = config.run, config.network
    learn, aside = (
        decoded(
            listing,
            shape.thumbnail,
            work / f"{part}-{shape.thumbnail}.bytes",
            threads=settings.current().worker_threads,
            tell=report.tell,
        )
        for listing, part in zip(listings, ("learn", "held-out"), strict=True)
    )
    torch.manual_seed(run.seed)
    network = build(shape)
    nn.Module.to(network, device)
    if run.channels_last:
        nn.Module.to(network, memory_format=torch.channels_last)  # type: ignore[call-overload]
    count = sum(weight.numel() for weight in network.parameters())
    report.tell(f"{len(learn)} photos to learn from, {len(aside)} held out; {count:,} weights")
    alphas = scheduler(shape).alphas_cumprod.to(device)
    weight = losses.snr_weight(alphas, shape.snr_cap)
    places = crew.share(run.batch)
    check = checker(aside, shape, run.precision == "bf16", device)

    def saved(averaged: UNet2DModel, progress: Progress) -> None:
        export(out, averaged, shape)
        photos = {"learnt_from": len(learn), "held_out": len(aside)}
        write_json(out / "training.json", summary(config, progress, weights=count, photos=photos))
        report.tell(f"saved step {progress.step} in {out}")

    def loss(networks: Networks, batch: Batch, draw: torch.Generator) -> Told:
        predict = predictor(networks[NETWORK])  # type: ignore[arg-type]
        return Told(losses.noise_loss(predict, batch["photo"], alphas, weight, draw))

    def make(step: int) -> Any:
        whole = crops.batch(learn, step, run.batch, shape.side, run.seed)
        return whole[places.start : places.stop]

    batches = Prefetch(make, config.data.ahead)
    turns = [Turn(NETWORK, loss)]
    return Job(
        networks={NETWORK: network},
        photos=listings[0].mark(),
        batch=lambda step: {"photo": as_tensor(batches(step), device)},
        turns=lambda step, done: turns,
        validate=lambda averaged, step: check(averaged),  # type: ignore[arg-type]
        saved=saved,  # type: ignore[arg-type]
    ), batches
