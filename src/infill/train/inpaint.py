"""The training of a network that fills holes, alone or against a discriminator."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from infill.errors import BadOption, InfillError
from infill.train import networks
from infill.train.config import folder
from infill.train.data.crops import squares, whole_middles
from infill.train.data.photos import Photos
from infill.train.figures import HeldOut, as_mask, as_tensor
from infill.train.holes import Holes
from infill.train.losses import adversarial, perceptual, pixels, similarity
from infill.train.processes import Alone
from infill.train.report import Report
from infill.train.tables import InpaintConfig
from infill.train.turns import NETWORK, Batch, Networks, Told, Turn

OPPONENT = "discriminator"
FIXED = 20190610
"""Seed of the masks that figures are taken with: the same for every run."""


class Inpaint:
    """Everything about the task that the loop does not know.

    Raises `BadOption` for a network that is not there or cannot take the pictures.
    """

    def __init__(self, config: InpaintConfig, device: str) -> None:
        self.config, self.device = config, device
        self.fighting = config.losses.adversarial > 0
        torch.manual_seed(config.run.seed)
        self.entry = networks.find(networks.NETWORKS, config.network.name, "network.name")
        network = networks.build(self.entry, config.network.arguments, "network")
        self.networks: dict[str, nn.Module] = {NETWORK: network}
        if self.fighting:
            name, arguments = config.discriminator.name, config.discriminator.arguments
            self.judge = networks.find(networks.DISCRIMINATORS, name, "discriminator.name")
            self.networks[OPPONENT] = networks.build(self.judge, arguments, "discriminator")
        self.looks: perceptual.Perceptual | None = None
        self._try()
        for each in self.networks.values():
            each.to(device)
            if config.run.channels_last:
                nn.Module.to(each, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if config.run.compile:  # the opponent not: a penalty on gradients needs a second backward
            network.compile()
        if config.losses.perceptual:
            self.looks = perceptual.load(folder(config.losses.vgg, "losses.vgg"))
            self.looks.to(device)

    def _try(self) -> None:
        """One empty picture through the networks, so that what does not fit is told at once."""
        side = self.config.data.side
        picture, mask = torch.zeros(1, 3, side, side), torch.ones(1, 1, side, side)
        for each in self.networks.values():
            each.eval()
        try:
            with torch.no_grad():
                outputs = self.entry.call(self.networks[NETWORK], picture, mask)
                if self.fighting:
                    self.judge.call(self.networks[OPPONENT], picture, mask)
        except (RuntimeError, ValueError, TypeError, LookupError, InfillError) as error:
            first = (str(error).splitlines() or [""])[0]
            raise BadOption(
                f"the networks cannot take squares of {side} pixels: {first}"
            ) from error
        for made in outputs:
            if made.shape != picture.shape:
                raise BadOption(
                    f"network {self.config.network.name} gives {tuple(made.shape)} for a picture "
                    f"{tuple(picture.shape)}; it must keep the shape"
                )
        self._try_losses(outputs, picture, mask)

    def _try_losses(self, outputs: Sequence[Tensor], picture: Tensor, mask: Tensor) -> None:
        """Whether there is anything to learn from before a discriminator begins."""
        try:
            learns = self._plain(outputs, outputs[-1], picture, mask)
        except (RuntimeError, ValueError) as error:
            first = (str(error).splitlines() or [""])[0]
            raise BadOption(f"the losses cannot take squares of this size: {first}") from error
        if not learns and not self.config.losses.perceptual:
            raise BadOption(
                f"network {self.config.network.name} has one output, of which losses.coarse takes "
                "nothing; set losses.refined above 0"
            )

    def turns(self, step: int, done: float) -> Sequence[Turn]:
        """The network's turn; from `losses.adversarial_from` on the discriminator's too, which
        learns from the fills that the network has just made."""
        losses = self.config.losses
        if not self.fighting or done < losses.adversarial_from:
            return [Turn(NETWORK, self._fill_loss(None))]
        weight = adversarial.weight_at(done, losses.adversarial_from, losses.adversarial_ramp)
        penalise = losses.r1 > 0 and step % losses.r1_every == 0
        return [
            Turn(NETWORK, self._fill_loss(weight)),
            Turn(OPPONENT, self._judge_loss(penalise)),
        ]

    def _fill_loss(
        self, against: float | None
    ) -> Callable[[Networks, Batch, torch.Generator], Told]:
        """The network's loss. `against`: the share of the adversarial part's weights; None = it
        has not begun."""

        def loss(nets: Networks, batch: Batch, draw: torch.Generator) -> Told:
            photo, mask, weights = batch["photo"], batch["mask"], self.config.losses
            outputs = self.entry.call(nets[NETWORK], photo * (1 - mask), mask)
            made = pixels.pasted(outputs[-1], photo, mask)
            parts = self._plain(outputs, made, photo, mask)
            total = sum(
                (getattr(weights, name) * part for name, part in parts.items()), mask.sum() * 0
            )
            if against:
                fought = self._against(nets[OPPONENT], made, photo, mask)
                for name, part in fought.items():
                    total = total + against * getattr(weights, name) * part
                parts |= fought
            kept = {} if against is None else {"made": made.detach()}
            return Told(total, {name: part.detach() for name, part in parts.items()}, kept)

        return loss

    def _plain(
        self, outputs: Sequence[Tensor], made: Tensor, photo: Tensor, mask: Tensor
    ) -> dict[str, Tensor]:
        """Losses that need no discriminator, by the names of their weights."""
        weights = self.config.losses
        how = {"hole": weights.hole, "known": weights.known}
        parts: dict[str, Tensor] = {}
        if weights.coarse and len(outputs) > 1:
            parts["coarse"] = pixels.coarse(outputs, photo, mask, **how)
        if weights.refined:
            parts["refined"] = pixels.l1(outputs[-1], photo, mask, **how)
        if weights.similarity:
            parts["similarity"] = 1 - similarity.ms_ssim((made + 1) / 2, (photo + 1) / 2)
        if self.looks is not None:
            parts["perceptual"] = self.looks(made, photo)
        return parts

    def _against(
        self, opponent: nn.Module, made: Tensor, photo: Tensor, mask: Tensor
    ) -> dict[str, Tensor]:
        """Losses that come from the discriminator."""
        verdicts, features = self.judge.call(opponent, made, mask)
        parts = {"adversarial": adversarial.hinge_generator(verdicts)}
        if self.config.losses.features:
            with torch.no_grad():
                _, wanted = self.judge.call(opponent, photo, mask)
            parts["features"] = adversarial.feature_matching(wanted, features)
        return parts

    def _judge_loss(self, penalise: bool) -> Callable[[Networks, Batch, torch.Generator], Told]:
        """The discriminator's loss, on the fills that the network's turn has kept."""

        def loss(nets: Networks, batch: Batch, draw: torch.Generator) -> Told:
            photo, mask, opponent = batch["photo"], batch["mask"], nets[OPPONENT]
            real, _ = self.judge.call(opponent, photo, mask)
            fake, _ = self.judge.call(opponent, batch["made"], mask)
            total = adversarial.hinge_discriminator(real, fake)
            figures = {"real": real.detach().float().mean(), "fake": fake.detach().float().mean()}
            if penalise:
                penalty = adversarial.r1(
                    lambda pictures: self.judge.call(opponent, pictures, mask)[0], photo
                )
                total = total + self.config.losses.r1 * self.config.losses.r1_every * penalty
                figures["r1"] = penalty.detach()
            return Told(total, figures)

        return loss

    def fill(self, network: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
        """The network as a function of a picture and its mask, computed as the run computes."""
        bf16, kind = self.config.run.precision == "bf16", torch.device(self.device).type

        def run(picture: Tensor, mask: Tensor) -> Tensor:
            with torch.autocast(kind, torch.bfloat16, enabled=bf16):
                made: Tensor = self.entry.call(network, picture, mask)[-1]
            return made

        return run


class Batches:
    """The photos and masks of the steps, for one of the processes."""

    def __init__(self, photos: Photos, config: InpaintConfig, crew: Alone) -> None:
        self.photos, self.config = photos, config
        self.places = crew.share(config.run.batch)
        self.holes = Holes(annotated(config), config.data.side, config.run.seed)

    def __call__(self, step: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Squares (n, side, side, 3) uint8 and masks (n, side, side) bool, True = hole."""
        run = self.config.run
        cut = squares(self.photos, step, run.batch, self.config.data, run.seed, self.places)
        return cut, self.holes.batch(step, self.places)


def annotated(config: InpaintConfig) -> Any:
    """The masks' configuration with the path of the annotations filled in."""
    if not config.masks.annotations:
        return config.masks
    path = folder(config.masks.annotations, "masks.annotations")
    return replace(config.masks, annotations=str(path))


def held_out(photos: Photos, config: InpaintConfig) -> HeldOut:
    """The squares that figures are taken of: middles of held-out photos, and fixed masks."""
    cut = whole_middles(photos, config.data.side, config.validation.pictures)
    masks = replace(annotated(config), pool=min(64, config.masks.pool))
    return HeldOut(cut, Holes(masks, config.data.side, FIXED).batch(0, range(len(cut))))


def validator(
    task: Inpaint, looked: HeldOut, report: Report
) -> Callable[[nn.Module, int], dict[str, float]]:
    """A function that measures a network and leaves a sheet of samples."""

    def validate(network: nn.Module, step: int) -> dict[str, float]:
        filled = looked.filled(task.fill(network), task.device)
        if task.config.validation.shown:
            report.sheet(step, looked.sheet(filled, task.config.validation.shown))
        return looked.figures(filled)

    return validate


def to_batch(made: tuple[NDArray[np.uint8], NDArray[np.bool_]], device: str) -> dict[str, Tensor]:
    """What `Batches` makes, as tensors on the device."""
    return {"photo": as_tensor(made[0], device), "mask": as_mask(made[1], device)}
