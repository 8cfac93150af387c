"""The UNet of guided-diffusion, stated once more from the paper, with the names it has on disk.

Dhariwal and Nichol 2021, arXiv 2105.05233, section 3 and appendix B: residual blocks with scale and
shift from the time ("adaptive group normalization"), residual up- and down-sampling, attention
with heads of a fixed width at some levels. A joint projection gives query, key and value, head by
head.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    def __init__(
        self, inputs: int, outputs: int, time: int, scaled: bool, resize: float = 1
    ) -> None:
        super().__init__()
        self.scaled, self.resize = scaled, resize
        self.in_layers = nn.Sequential(
            nn.GroupNorm(32, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(time, outputs * (1 + scaled)))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(32, outputs), nn.SiLU(), nn.Dropout(0),
            nn.Conv2d(outputs, outputs, 3, padding=1),
        )  # fmt: skip
        same = inputs == outputs
        self.skip_connection = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1)

    def sized(self, x: Tensor) -> Tensor:
        if self.resize < 1:
            return functional.avg_pool2d(x, 2)
        return x if self.resize == 1 else functional.interpolate(x, scale_factor=2, mode="nearest")

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        inner = self.in_layers[2](self.sized(self.in_layers[1](self.in_layers[0](x))))
        told = self.emb_layers(time)[..., None, None]
        if self.scaled:
            scale, shift = told.chunk(2, 1)
            inner = self.out_layers[0](inner) * (1 + scale) + shift
            inner = self.out_layers[3](self.out_layers[1](inner))
        else:
            inner = self.out_layers(inner + told)
        return self.skip_connection(self.sized(x)) + inner


class Attention(nn.Module):
    def __init__(self, channels: int, head: int) -> None:
        super().__init__()
        self.head = head
        self.norm = nn.GroupNorm(32, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        count, channels, height, width = x.shape
        flat = self.norm(x).reshape(count, channels, -1)
        joint = self.qkv(flat).reshape(count, channels // self.head, 3, self.head, -1)
        query, key, value = joint.unbind(2)
        scores = torch.einsum("nhcq,nhck->nhqk", query, key) / self.head**0.5
        mixed = torch.einsum("nhqk,nhck->nhcq", scores.softmax(-1), value)
        out: Tensor = self.proj_out(mixed.reshape(count, channels, -1))
        return x + out.reshape(count, channels, height, width)


class Stack(nn.Sequential):
    def forward(self, x: Tensor, time: Tensor) -> Tensor:  # type: ignore[override]
        for layer in self:
            x = layer(x) if isinstance(layer, nn.Conv2d) else layer(x, time)
        return x


class GuidedUNet(nn.Module):
    """base × multiples channels a level, `depth` blocks each, attention at the levels named."""

    def __init__(
        self,
        base: int,
        multiples: Sequence[int],
        depth: int,
        attention: Sequence[int],
        head: int,
        *,
        outputs: int = 6,
        classes: int | None = None,
        scaled: bool = True,
    ) -> None:
        super().__init__()
        self.base, time = base, 4 * base
        self.time_embed = nn.Sequential(nn.Linear(base, time), nn.SiLU(), nn.Linear(time, time))
        if classes:
            self.label_emb = nn.Embedding(classes, time)
        width = base * multiples[0]
        down, kept = [Stack(nn.Conv2d(3, width, 3, padding=1))], [width]
        for level, multiple in enumerate(multiples):
            for _ in range(depth):
                parts: list[nn.Module] = [Residual(width, base * multiple, time, scaled)]
                width = base * multiple
                parts += [Attention(width, head)] * (level in attention)
                down.append(Stack(*parts))
                kept.append(width)
            if level + 1 < len(multiples):
                down.append(Stack(Residual(width, width, time, scaled, 0.5)))
                kept.append(width)
        self.input_blocks = nn.ModuleList(down)
        self.middle_block = Stack(
            Residual(width, width, time, scaled), Attention(width, head),
            Residual(width, width, time, scaled),
        )  # fmt: skip
        up = []
        for level, multiple in reversed(list(enumerate(multiples))):
            for index in range(depth + 1):
                parts = [Residual(width + kept.pop(), base * multiple, time, scaled)]
                width = base * multiple
                parts += [Attention(width, head)] * (level in attention)
                parts += [Residual(width, width, time, scaled, 2)] * (level > 0 and index == depth)
                up.append(Stack(*parts))
        self.output_blocks = nn.ModuleList(up)
        self.out = nn.Sequential(
            nn.GroupNorm(32, width), nn.SiLU(), nn.Conv2d(width, outputs, 3, padding=1)
        )

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        half = self.base // 2
        rates = torch.exp(-torch.arange(half) / half * torch.log(torch.tensor(10000.0)))
        angles = t[:, None].float() * rates
        time = self.time_embed(torch.cat([angles.cos(), angles.sin()], 1))
        if label is not None:
            time = time + self.label_emb(label)
        kept = []
        for block in self.input_blocks:
            x = block(x, time)
            kept.append(x)
        x = self.middle_block(x, time)
        for block in self.output_blocks:
            x = block(torch.cat([x, kept.pop()], 1), time)
        made: Tensor = self.out(x)
        return made


def random_unet(seed: int = 0, **shape: object) -> GuidedUNet:
    """One with random weights large enough that every part of it counts; global seed kept."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = GuidedUNet(**shape).eval()  # type: ignore[arg-type]
        for name, value in network.named_parameters():
            nn.init.normal_(value, std=0.3 if value.ndim < 2 else 1.2 / value[0].numel() ** 0.5)
            if value.ndim == 1 and name.endswith("weight"):
                value.data += 1
    return network.requires_grad_(False)
