"""A run from its configuration: photos, task, loop, and what it leaves behind."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from infill import device, settings
from infill.data.layouts import Listing, parted
from infill.errors import BadOption
from infill.threads import opencv_threads
from infill.train import export
from infill.train.config import folder, from_dict
from infill.train.data.photos import Photos, open_photos
from infill.train.data.prefetch import Prefetch
from infill.train.ddpm_tables import DdpmRun
from infill.train.inpaint import Batches, Inpaint, held_out, to_batch, validator
from infill.train.loop import is_done, train
from infill.train.processes import Alone, processes
from infill.train.report import Report
from infill.train.tables import InpaintConfig
from infill.train.turns import NETWORK, Job, Progress

CHECKPOINT = "checkpoint.safetensors"
Config = InpaintConfig | DdpmRun


@dataclass(frozen=True)
class Where:
    """out: the weights and training.json. work: checkpoint, log, samples, decoded photos."""

    out: Path
    work: Path


@dataclass(frozen=True)
class How:
    """How a leg of a run is done, which decides nothing about what comes out.

    restart: forget the checkpoint, which stays on the disk until there is a new one.
    changed: go on from it though the configuration is another.
    stop:    asked after every step; True ends the leg with a checkpoint.
    """

    restart: bool = False
    changed: bool = False
    tell: Callable[[str], None] = print
    stop: Callable[[], bool] = lambda: False


def configured(tables: Mapping[str, Any]) -> Config:
    """The configuration of the task that [run] names. Raises `BadOption`."""
    run = tables.get("run", {})
    task = run.get("task", "inpaint") if isinstance(run, Mapping) else "inpaint"
    kinds: dict[Any, type[Config]] = {"inpaint": InpaintConfig, "ddpm": DdpmRun}
    if not isinstance(task, str) or task not in kinds:
        raise BadOption(f"run.task is one of {', '.join(kinds)}, not {task!r}")
    return from_dict(kinds[task], tables)


def start(config: Config, where: Where, how: How = How()) -> tuple[Progress, bool]:
    """Train, or go on training; how far it is, and whether that is the end.

    Raises `BadOption`, `Unreadable` and `Unwritable` before any work is done, and what
    `loop.train` does.
    """
    run = config.run
    crew = processes(run.accelerate)
    place = crew.device or device.pick(extra="train")
    if run.compile and not place.startswith("cuda"):
        raise BadOption(f"run.compile is for CUDA, and this run is on {place}; set it to false")
    mine, parts = len(crew.share(run.batch)), run.workers * run.accumulate
    if parts > mine:
        raise BadOption(
            f"each process has {mine} pictures of a batch, too few for run.workers x "
            f"run.accumulate ({parts}); raise run.batch"
        )
    held = config.network.held_out if isinstance(config, DdpmRun) else config.data.held_out
    photos = parted(config.data.layout, folder(config.data.photos, "data.photos"), held)
    threads = run.threads or (1 if run.workers > 1 else settings.current().worker_threads)
    torch.set_num_threads(threads)
    task = Inpaint(config, place) if isinstance(config, InpaintConfig) else None
    export.make_folders(where.out, where.work)
    with opencv_threads(1):  # beside those of torch and those that make batches
        progress = _run(config, task, photos, where, how, crew, place)
    return progress, is_done(progress, run)


def _run(
    config: Config,
    task: Inpaint | None,
    photos: tuple[Listing, Listing],
    where: Where,
    how: How,
    crew: Alone,
    place: str,
) -> Progress:
    run, path = config.run, where.work / CHECKPOINT
    goes_on = path.exists() and not how.restart
    tell = how.tell if crew.main else lambda line: None
    report = Report(tell, where.work, tensorboard=run.tensorboard and crew.main)
    if task is not None:
        job, batches = _inpaint(task, photos, where, crew, report, goes_on)
    elif isinstance(config, DdpmRun):
        from infill.train import ddpm  # it alone needs diffusers

        job, batches = ddpm.job(config, photos, where.out, where.work, place, crew, report)
    try:
        with batches:
            _, progress = train(
                job,
                run,
                config.optimiser,
                path=path,
                config=export.identity(config),
                restart=how.restart,
                changed=how.changed,
                report=report,
                processes=crew,
                stop=how.stop,
            )
    finally:
        report.close()
    return progress


def _inpaint(
    task: Inpaint,
    listings: tuple[Listing, Listing],
    where: Where,
    crew: Alone,
    report: Report,
    resumed: bool,
) -> tuple[Job, Prefetch[Any]]:
    """What the loop trains, and the thread that makes its batches."""
    config, place = task.config, task.device
    run, data = config.run, config.data
    network = task.networks[NETWORK]
    if run.start_from and not resumed:
        export.read_weights(folder(run.start_from, "run.start_from"), network)
    learn, aside = (
        _opened(listing, data.short, where.work / f"{part}-{data.short}.bytes", report, crew)
        for listing, part in zip(listings, ("learn", "held-out"), strict=True)
    )
    count = sum(weight.numel() for weight in network.parameters())
    report.tell(
        f"{len(learn)} photos to learn from, {len(aside)} held out; {count:,} weights; on {place}"
    )
    looked = held_out(aside, config) if crew.main else None
    facts = {
        "weights": count,
        "photos": {"learnt_from": len(learn), "held_out": len(aside)},
        "device": device_name(place),
        "torch": torch.__version__,
    }

    def saved(averaged: nn.Module, progress: Progress) -> None:
        about = {"network": config.network.name, "step": str(progress.step)}
        # What a reader of the file can't tell from its tensors, such as DeepFillv2's layout.
        about |= {name: str(value) for name, value in config.network.arguments.items()}
        path = where.out / f"{run.name}.safetensors"
        export.write_weights(path, averaged, run.export, about)
        done = export.summary(config, progress, **facts)
        export.write_json(where.out / "training.json", done)
        report.tell(f"saved step {progress.step} in {where.out}")

    batches = Prefetch(Batches(learn, config, crew), data.ahead, data.readers)
    job = Job(
        networks=task.networks,
        photos=listings[0].mark(),
        batch=lambda step: to_batch(batches(step), place),
        turns=task.turns,
        rates={"discriminator": config.discriminator.rate},
        validate=validator(task, looked, report) if looked else None,
        saved=saved,
    )
    return job, batches


def _opened(listing: Listing, short: int, path: Path, report: Report, crew: Alone) -> Photos:
    """The photos; where several processes run, the main one decodes and the others wait."""
    threads = settings.current().worker_threads
    if crew.main:
        found = open_photos(listing, short, path, threads=threads, tell=report.tell)
    crew.agree([0.0])
    if not crew.main:
        found = open_photos(listing, short, path, threads=threads, tell=report.tell)
    return found


def device_name(place: str) -> str:
    """A device as a person says it."""
    if place.startswith("cuda"):
        return torch.cuda.get_device_name(place)
    return f"{place}, {torch.get_num_threads()} threads"


def leg(minutes: float | None, interrupted: Callable[[], bool]) -> Callable[[], bool]:
    """A function that says when a leg is over: after so many minutes from now, or when someone
    has asked for it."""
    until = time.monotonic() + 60 * minutes if minutes else float("inf")
    return lambda: interrupted() or time.monotonic() >= until
