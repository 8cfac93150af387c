"""A colour picture of an offset field: the hue tells the direction, the saturation how far.

The wheel is that of the Middlebury optical-flow benchmark (Baker et al. 2011): the steps between
neighbouring hues are as many as a person can tell apart.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from infill.nets.deepfill.attention import RATE

STEPS = (15, 6, 4, 11, 13, 6)
"""Colours from red to yellow, to green, cyan, blue, magenta and back to red."""

CORNERS = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0))


def wheel() -> Tensor:
    """(55, 3) float64 in [0, 1], in steps of 1/255."""
    parts = []
    for count, start, end in zip(STEPS, CORNERS, CORNERS[1:], strict=False):
        ramp = torch.floor(255 * torch.arange(count, dtype=torch.float64) / count).unsqueeze(1)
        first, last = torch.tensor(start), torch.tensor(end)
        rising, falling = (last > first).double(), (last < first).double()
        parts.append(255 * first * (1 - falling) + ramp * rising + (255 - ramp) * falling)
    return torch.cat(parts) / 255


def flow_picture(offsets: Tensor) -> Tensor:
    """(N, 2, h, w) offsets of rows and columns -> (N, 3, 2 h, 2 w) float32 RGB in [0, 1], on the
    CPU: of the size of the features that attend.

    White: no offset. Full colour: the largest offset in that picture.
    """
    rows, columns = offsets.detach().cpu().double().unbind(1)
    far = torch.hypot(rows, columns).amax((1, 2), keepdim=True)
    rows, columns = (x / (far + torch.finfo(torch.float64).eps) for x in (rows, columns))
    colours = wheel()
    place = (torch.atan2(-columns, -rows) / math.pi + 1) / 2 * (len(colours) - 1)
    below = place.floor().long()
    part = (place - below).unsqueeze(-1)
    hue = (1 - part) * colours[below] + part * colours[(below + 1) % len(colours)]
    mixed = 1 - torch.hypot(rows, columns).unsqueeze(-1) * (1 - hue)
    picture = (torch.floor(255 * mixed) / 255).permute(0, 3, 1, 2).float()
    return functional.interpolate(
        picture, scale_factor=float(RATE), mode="bilinear", align_corners=True
    )
