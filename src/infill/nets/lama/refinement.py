"""Large photos with LaMa: features refined so that the fill agrees with that of a smaller photo.

"Feature Refinement to Improve High Resolution Image Inpainting" (Kulshreshtha et al. 2022). The
network was trained at 256 pixels: small photos get coherent fills, large ones fade to blur. So the
photo is filled at rising sizes, and at each the features between the front and the rear of the
network are moved by gradient steps until the fill, made smaller, is like the fill before.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import torch
from torch import Tensor
from torch.nn import functional

from infill.nets.lama.generator import Generator, prepare

Step = Callable[[int, int], None]
"""Called with how many gradient steps are done, and how many there will be."""

BLUR = 5
"""Side of the Gaussian before a photo is halved, of sigma 1."""
ERODED = 15
"""Diameter of the ellipse by which the hole shrinks where fills are compared: its rim is free."""


@dataclass(frozen=True)
class Plan:
    """How much is done; the defaults are the paper's program's.

    steps:  gradient steps at each size but the smallest; 14 of them are 15 passes.
    rate:   Adam's learning rate.
    side:   the smallest size has a shorter side of about this many pixels.
    sizes:  at most so many sizes, each half of the next.
    """

    steps: int = 14
    rate: float = 0.002
    side: int = 512
    sizes: int = 3


def refine(
    network: Generator,
    photo: Tensor,
    mask: Tensor,
    plan: Plan = Plan(),
    step: Step | None = None,
) -> Tensor:
    """The photo with its hole filled: (1, 3, H, W) in [0, 1], known pixels as they were.

    network: float32, in evaluation; its weights are neither changed nor given gradients.
    photo:   (1, 3, H, W) float32 in [0, 1], any size; mask: (1, 1, H, W), 1 = hole.
    step:    see `Step`; what it raises stops the work.

    A photo below about 1.4 × plan.side is filled once, as without refinement. Memory: that of a
    training step at the photo's full size.
    """
    with torch.inference_mode(False), torch.enable_grad():
        sizes = pyramid(photo.clone(), mask.clone(), plan)
        total, done = plan.steps * (len(sizes) - 1), 0
        fill: Tensor | None = None
        for picture, hole in sizes:
            if fill is None:
                with torch.no_grad():
                    fill = _blend(network(prepare(*_padded(network, picture, hole))), picture, hole)
                continue
            descent = _Descent(network, picture, hole, fill, plan)
            for _ in range(plan.steps):
                descent.step()
                done += 1
                if step is not None:
                    step(done, total)
            fill = descent.fill()
        assert fill is not None
        return fill


def scales(shorter: int, plan: Plan) -> int:
    """How many sizes a photo of this shorter side is filled at: 1 is no refinement."""
    halvings = round(math.log2(max(1, shorter / plan.side)))
    return min(1 + halvings, plan.sizes)


def pyramid(photo: Tensor, mask: Tensor, plan: Plan) -> list[tuple[Tensor, Tensor]]:
    """The photo and its mask at each size, smallest first."""
    sizes = [(photo, (mask > 0).to(photo.dtype))]
    for _ in range(scales(min(photo.shape[-2:]), plan) - 1):
        picture, hole = sizes[-1]
        # A pixel of the smaller mask is hole as soon as the blur reaches it from a hole.
        sizes.append((_halved(picture), (_halved(hole) > 1e-8).to(photo.dtype)))
    return sizes[::-1]


class _Descent:
    """Gradient steps on the features of one size, against the fill of the size before."""

    def __init__(
        self, network: Generator, photo: Tensor, hole: Tensor, smaller: Tensor, plan: Plan
    ) -> None:
        self.network, self.photo, self.hole, self.smaller = network, photo, hole, smaller
        with torch.no_grad():
            near, wide = network.front(prepare(*_padded(network, photo, hole)))
        self.near = near.detach().clone().requires_grad_()
        self.wide = None if wide is None else wide.detach().clone().requires_grad_()
        parts = [part for part in (self.near, self.wide) if part is not None]
        self.optimiser = torch.optim.Adam(parts, lr=plan.rate)
        self.known = (hole == 0).expand_as(photo)
        self.inner = (_eroded(_resized(hole, smaller.shape[-2:])) > 0).expand_as(smaller)

    def step(self) -> None:
        parts = self.optimiser.param_groups[0]["params"]
        made = self._made()
        loss = _gap(made, self.photo, self.known)
        loss = loss + _gap(_halved(made), self.smaller, self.inner)
        for part, gradient in zip(parts, torch.autograd.grad(loss, parts), strict=True):
            part.grad = gradient  # the weights get none, whether or not they could
        self.optimiser.step()

    def fill(self) -> Tensor:
        with torch.no_grad():
            return _blend(self._made(), self.photo, self.hole)

    def _made(self) -> Tensor:
        height, width = self.photo.shape[-2:]
        return self.network.rear((self.near, self.wide))[..., :height, :width]


def _blend(made: Tensor, photo: Tensor, hole: Tensor) -> Tensor:
    height, width = photo.shape[-2:]
    return hole * made[..., :height, :width] + (1 - hole) * photo


def _gap(one: Tensor, other: Tensor, where: Tensor) -> Tensor:
    """The mean absolute difference there; 0 if that is nowhere."""
    if not bool(where.any()):
        return one.new_zeros(())
    return (one[where] - other[where]).abs().mean()


def _padded(network: Generator, photo: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """Both grown to the right and downward to a size that the network takes, by mirroring."""
    height, width = photo.shape[-2:]
    multiple = network.multiple
    bottom = max(-(-height // multiple) * multiple, network.least) - height
    right = max(-(-width // multiple) * multiple, network.least) - width
    mode = "reflect" if bottom < height and right < width else "replicate"
    grown = [functional.pad(x, (0, right, 0, bottom), mode=mode) for x in (photo, hole)]
    return grown[0], grown[1]


def _halved(x: Tensor) -> Tensor:
    """Blurred by a Gaussian, the edge mirrored, and brought to half the size, rounded down."""
    reach = BLUR // 2
    offsets = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-offsets.square() / 2)
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, -1)
    x = functional.pad(x, (reach,) * 4, mode="reflect")
    x = functional.conv2d(
        functional.conv2d(x, kernel, groups=x.shape[1]), kernel.mT, groups=x.shape[1]
    )
    return _resized(x, (x.shape[-2] // 2, x.shape[-1] // 2))


def _resized(x: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    return functional.interpolate(x, size=(size[0], size[1]), mode="bilinear", align_corners=False)


def _eroded(hole: Tensor) -> Tensor:
    """(1, 1, h, w) -> the same, 1 where an ellipse around the pixel lies in the hole wholly; what
    is outside the photo counts as hole."""
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (ERODED, ERODED))
    kernel = torch.from_numpy(ellipse).to(hole)[None, None]
    known = (hole < 1 - 1e-8).to(hole.dtype)
    return (functional.conv2d(known, kernel, padding=ERODED // 2) < 0.5).to(hole.dtype)
