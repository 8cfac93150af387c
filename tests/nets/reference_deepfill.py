"""DeepFillv2 in float64, from a table of its tensors, layer by layer."""

from collections.abc import Mapping

import numpy as np

from tests.nets.reference_attention import attention
from tests.nets.reference_convolution import (
    Array,
    doubled,
    gated,
    leaky,
    padded_convolution,
    spectral,
)


class Reference:
    """What every layer makes of one photo, by the layer's name, in `made`."""

    def __init__(self, state: Mapping[str, Array], layout: str, fuse: bool) -> None:
        self.state, self.layout, self.fuse = state, layout, fuse
        self.made: dict[str, Array] = {}

    def generator(self, x: Array, mask: Array) -> dict[str, Array]:
        """x: (5, H, W); mask: (H, W)."""
        coarse = self._coarse(x)
        filled = coarse * mask + x[:3] * (1 - mask)
        seen = self._encoded("stage2.conv_", filled)
        for number, dilation in enumerate((1, 2, 4, 8, 16), 1):
            seen = self._gated(f"stage2.conv_conv_bn{number}", seen, dilation=dilation)
        attended = self._encoded("stage2.ca_", filled)
        attended = self._gated("stage2.ca_conv_bn1", attended, activation="relu")
        attended, self.made["offsets"] = attention(
            attended, attended, mask, fuse=self.fuse, layout=self.layout
        )
        self.made["stage2.contextual_attention"] = attended
        for number in (4, 5):
            attended = self._gated(f"stage2.ca_conv_bn{number}", attended)
        self._decoded("stage2", np.concatenate((seen, attended)))
        return self.made

    def _coarse(self, x: Array) -> Array:
        x = self._encoded("stage1.", x)
        for number, dilation in enumerate((1, 2, 4, 8, 16), 1):
            x = self._gated(f"stage1.conv_bn{number}", x, dilation=dilation)
        return self._decoded("stage1", x)

    def _encoded(self, prefix: str, x: Array) -> Array:
        x = self._gated(f"{prefix}conv1", x)
        for number in (1, 2):
            x = self._gated(f"{prefix}down_block{number}.conv1_downsample", x, stride=2)
            x = self._gated(f"{prefix}down_block{number}.conv2", x)
        return x

    def _decoded(self, stage: str, x: Array) -> Array:
        for number in (6, 7):
            x = self._gated(f"{stage}.conv_bn{number}", x)
        for number in (1, 2):
            x = self._gated(f"{stage}.up_block{number}.conv1_upsample.conv", doubled(x))
            x = self._gated(f"{stage}.up_block{number}.conv2", x)
        self.made[stage] = np.tanh(self._convolved(f"{stage}.conv_to_rgb", x))
        return self.made[stage]

    def _gated(
        self, name: str, x: Array, *, stride: int = 1, dilation: int = 1, activation: str = "elu"
    ) -> Array:
        self.made[name] = gated(self._convolved(name, x, stride, dilation), activation)
        return self.made[name]

    def _convolved(self, name: str, x: Array, stride: int = 1, dilation: int = 1) -> Array:
        weight, bias = self.state[f"{name}.conv.weight"], self.state[f"{name}.conv.bias"]
        return padded_convolution(
            x, weight, bias, stride=stride, dilation=dilation, layout=self.layout
        )


def discriminator(state: Mapping[str, Array], x: Array, layout: str) -> list[Array]:
    """What each of the six layers makes of (C, H, W)."""
    made = []
    for number in range(1, 7):
        name = f"conv{number}.conv_sn"
        weight, _ = spectral(state[f"{name}.weight"], state[f"{name}.weight_u"])
        x = leaky(padded_convolution(x, weight, state[f"{name}.bias"], stride=2, layout=layout))
        made.append(x)
    return made
