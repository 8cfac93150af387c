"""Tiny networks with random weights whose fills are full of colour."""

from typing import Any

import torch

from infill.nets.deepfill import prepare
from tests.nets.networks import deepfill_of, lama_of, outputs, scene

WIDTH = 4


def network(kind: str) -> Any:
    """ "plain" and "tf": DeepFillv2 in that layout; "lama"."""
    if kind == "lama":
        return lama_of()
    made = deepfill_of(kind, WIDTH)
    photo, mask = scene(96, 120)
    last = made.stage2.conv_to_rgb
    with torch.no_grad():
        seen = outputs(made, lambda: made(prepare(2 * photo - 1, mask), mask))["stage2.conv_to_rgb"]
        far, middle = torch.std_mean(seen, (0, 2, 3))
        last.conv.weight.div_(far.reshape(-1, 1, 1, 1))
        last.conv.bias.sub_(middle).div_(far)
    return made
