"""Between a pipeline's latents and pixels: every family packs and scales them in its own way.

"Open" latents are (N, C, h, w) in the pipeline's own scale, as its scheduler sees them; "raw"
ones are what the autoencoder gives and takes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from infill.engines.diffusers.families import Family, Layout
from infill.errors import EngineFailed
from infill.lazy import need

if TYPE_CHECKING:
    import torch


def autoencoder(pipe: Any) -> Any:
    """The part that turns pixels into latents."""
    return pipe.movq if hasattr(pipe, "movq") else pipe.vae


def cell(pipe: Any, family: Family) -> int:
    """Pixels a side of one cell of the mask."""
    factor = pipe.movq_scale_factor if family.layout == "movq" else pipe.vae_scale_factor
    return int(factor) * family.patch


def opened(latents: "torch.Tensor", layout: Layout, size: tuple[int, int]) -> "torch.Tensor":
    """Latents as the pipeline's steps have them, as (N, C, h, w).

    size: (h, w) of the latents. FLUX's 2×2 patches are taken apart; FLUX.2's are left as
    channels, which is how its scheduler and its normalisation see them.
    """
    if layout in ("plain", "movq"):
        return latents
    count, _, channels = latents.shape
    height, width = size[0] // 2, size[1] // 2
    if layout == "klein":
        return latents.permute(0, 2, 1).reshape(count, channels, height, width)
    patches = latents.view(count, height, width, channels // 4, 2, 2)
    return patches.permute(0, 3, 1, 4, 2, 5).reshape(count, channels // 4, *size)


def packed(latents: "torch.Tensor", layout: Layout) -> "torch.Tensor":
    """What `opened` undoes: (N, C, h, w) as the pipeline's steps have them."""
    if layout in ("plain", "movq"):
        return latents
    count, channels, height, width = latents.shape
    if layout == "klein":
        return latents.reshape(count, channels, -1).permute(0, 2, 1)
    patches = latents.view(count, channels, height // 2, 2, width // 2, 2)
    return patches.permute(0, 2, 4, 1, 3, 5).reshape(count, -1, channels * 4)


def raw(pipe: Any, latents: "torch.Tensor", layout: Layout) -> "torch.Tensor":
    """Open latents in the autoencoder's own scale: (N, C, h, w), for Qwen (N, C, 1, h, w)."""
    torch = need("torch", extra="diffusion")
    vae = autoencoder(pipe)
    if layout == "movq":
        return latents
    if layout == "klein":
        scale = torch.sqrt(vae.bn.running_var + vae.config.batch_norm_eps)
        moved = _per_channel(vae.bn.running_mean, latents)
        return pipe._unpatchify_latents(latents * _per_channel(scale, latents) + moved)
    config = vae.config
    mean, std = config.get("latents_mean"), config.get("latents_std")
    if layout == "qwen":
        scaled = latents * _per_channel(std, latents) + _per_channel(mean, latents)
        return scaled.unsqueeze(2)
    if mean is not None and std is not None:  # some SD-XL autoencoders
        scaled = latents * _per_channel(std, latents) / config.scaling_factor
        return scaled + _per_channel(mean, latents)
    return latents / config.scaling_factor + (config.get("shift_factor") or 0.0)


def closed(pipe: Any, latents: "torch.Tensor", layout: Layout) -> "torch.Tensor":
    """What `raw` undoes, for families whose latents are plain, and for Qwen's: raw latents in
    the open scale."""
    if layout not in ("plain", "qwen"):
        raise ValueError(f"latents of layout {layout} are not encoded here")
    config = autoencoder(pipe).config
    mean, std = config.get("latents_mean"), config.get("latents_std")
    if layout == "qwen":
        flat = latents.squeeze(2)
        return (flat - _per_channel(mean, flat)) / _per_channel(std, flat)
    if mean is not None and std is not None:
        moved = latents - _per_channel(mean, latents)
        return moved * config.scaling_factor / _per_channel(std, latents)
    return (latents - (config.get("shift_factor") or 0.0)) * config.scaling_factor


def noised(
    scheduler: Any, latents: "torch.Tensor", noise: "torch.Tensor", level: Any
) -> "torch.Tensor":
    """Clean open latents (N, C, h, w) diffused to the timestep `level`; None = left clean."""
    if level is None:
        return latents
    torch = need("torch", extra="diffusion")
    times = torch.as_tensor(level).reshape(1).to(latents.device)
    if hasattr(scheduler, "scale_noise"):  # flow matching: a straight line to the noise
        return scheduler.scale_noise(latents, times, noise)
    return scheduler.add_noise(latents, noise, times)


# --- through the autoencoder ------------------------------------------------------------------


@dataclass
class Watch:
    """What went through the autoencoder during one fill.

    seen:  the first picture that was encoded, averaged to the latents' size, and its raw
           latents: (3, h, w) and (C, h, w); what previews go by.
    other: how many pictures are encoded before the photo is; previews pass them over.
    notes: one sentence for each stage that had to be done again.
    """

    seen: "tuple[torch.Tensor, torch.Tensor] | None" = None
    other: int = 0
    notes: tuple[str, ...] = ()


@contextmanager
def watched(pipe: Any, watch: Watch) -> Iterator[None]:
    """Inside, `encode` of the autoencoder is done again in float32 where it gives NaN, and what
    is drawn of it without a generator, so from nobody knows which seed, is its mean."""
    vae = autoencoder(pipe)
    plain, own = vae.encode, "encode" in vars(vae)

    def encode(pixels: "torch.Tensor", *args: Any, **kwargs: Any) -> Any:
        made = plain(pixels, *args, **kwargs)
        if not _finite(_tensor(made)):

            def again() -> Any:
                return plain(pixels.float(), *args, **kwargs)

            made = _in_float32(vae, again)
            _require(_tensor(made), "encoding")
            watch.notes += (_again("reading the photo into the network", vae),)
        if watch.other > 0:
            watch.other -= 1
        elif watch.seen is None:
            watch.seen = _pair(pixels, _tensor(made))
        return _seeded(made)

    vae.encode = encode
    try:
        yield
    finally:
        if own:
            vae.encode = plain
        else:
            del vae.encode


def decoded(pipe: Any, latents: "torch.Tensor", layout: Layout, watch: Watch) -> list[Any]:
    """Pixels of the final latents (N, C, h, w), one (H, W, 3) float32 array in [0, 1] each.

    One candidate at a time: the autoencoder takes the most memory of all parts. Where half
    precision gives NaN, in float32.
    """
    torch = need("torch", extra="diffusion")
    vae = autoencoder(pipe)
    if not _finite(latents):
        raise EngineFailed(
            f"the network gave no numbers (NaN) in {_name(latents.dtype)}; "
            "set dtype to bfloat16 or float32"
        )
    made = []
    with torch.no_grad():
        # FLUX.2's pipeline undoes its own scale, and no other's does
        ready = latents.float() if layout == "klein" else raw(pipe, latents.float(), layout)
        for one in ready.split(1):
            made.append(_decode(pipe, vae, one, watch))
    return made


def _decode(pipe: Any, vae: Any, one: "torch.Tensor", watch: Watch) -> NDArray[np.float32]:
    torch = need("torch", extra="diffusion")
    extra = {"force_not_quantize": True} if hasattr(pipe, "movq") else {}

    def run() -> Any:
        return vae.decode(one.to(vae.dtype), return_dict=False, **extra)[0]

    overflows = vae.dtype == torch.float16 and getattr(vae.config, "force_upcast", False)
    pixels = _in_float32(vae, run) if overflows else run()
    if not _finite(pixels):
        pixels = _in_float32(vae, run)
        _require(pixels, "decoding")
        watch.notes += (_again("turning the network's work into pixels", vae),)
    if pixels.ndim == 5:
        pixels = pixels[:, :, 0]
    shown = (pixels[0].float() / 2 + 0.5).clamp(0, 1).permute(1, 2, 0)
    return np.ascontiguousarray(shown.cpu().numpy(), np.float32)


def _in_float32(vae: Any, run: Callable[[], Any]) -> Any:
    torch = need("torch", extra="diffusion")
    before = vae.dtype
    if any(weight.device.type == "meta" for weight in vae.parameters()):
        raise EngineFailed(
            "the autoencoder gave no numbers (NaN) in half precision and can't be widened while "
            'layers are swapped in one by one; set dtype to "float32"'
        )
    try:
        vae.to(torch.float32)  # may run out of memory half-way
        return run()
    finally:
        vae.to(before)


def encoded(pipe: Any, pixels: NDArray[np.float32], layout: Layout) -> "torch.Tensor":
    """Open latents (1, C, h, w) of a picture (H, W, 3) float32 in [0, 1]: the mean, no draw."""
    torch = need("torch", extra="diffusion")
    shown = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None]
    with torch.no_grad(), watched(pipe, Watch()):
        return encoded_inside(pipe, shown, layout)


def encoded_inside(pipe: Any, shown: "torch.Tensor", layout: Layout) -> "torch.Tensor":
    """Open latents (N, C, h, w) float32 of pictures (N, 3, H, W) in [0, 1], inside `watched`."""
    torch = need("torch", extra="diffusion")
    vae = autoencoder(pipe)
    device = pipe._execution_device
    overflows = vae.dtype == torch.float16 and getattr(vae.config, "force_upcast", False)
    made = []
    for one in (shown * 2 - 1).split(1):
        ready = one.unsqueeze(2) if layout == "qwen" else one

        def run(ready: Any = ready) -> Any:
            return _tensor(vae.encode(ready.to(device, vae.dtype)))

        made.append(_in_float32(vae, run) if overflows else run())
    return closed(pipe, torch.cat(made).float(), layout)


# --- previews -----------------------------------------------------------------------------------


def preview(
    pipe: Any, latents: "torch.Tensor", layout: Layout, watch: Watch, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Open latents (1, C, h, w) as a picture (H, W, 3) float32 in [0, 1], without decoding them.

    A linear map from latents to colours, fitted by least squares to the photo itself: its own
    pixels (averaged to one for each cell) against its own latents. Rough, and next to free.
    """
    import cv2

    torch = need("torch", extra="diffusion")
    with torch.no_grad():
        shown = raw(pipe, latents[:1].float(), layout)
        flat = shown.reshape(shown.shape[1], -1, shown.shape[-1]).cpu().numpy()
    channels, height, width = flat.shape
    if watch.seen is None:
        return np.full((*size, 3), 0.5, np.float32)
    colours, known = (tensor.cpu().numpy().astype(np.float64) for tensor in watch.seen)
    ones = np.ones(known[0].size)
    columns = np.stack([*known.reshape(channels, -1), ones], 1)
    ridge = 1e-3 * len(columns) * np.eye(channels + 1)
    solved = np.linalg.solve(columns.T @ columns + ridge, columns.T @ colours.reshape(3, -1).T)
    here = np.stack([*flat.reshape(channels, -1).astype(np.float64), np.ones(height * width)], 1)
    small = np.clip((here @ solved).reshape(height, width, 3), 0, 1).astype(np.float32)
    return np.asarray(cv2.resize(small, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _pair(pixels: "torch.Tensor", made: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
    torch = need("torch", extra="diffusion")
    flat = made[0].reshape(made.shape[1], -1, made.shape[-1]).float()
    picture = pixels[:1].float()
    if picture.ndim == 5:
        picture = picture[:, :, 0]
    small = torch.nn.functional.adaptive_avg_pool2d(picture, flat.shape[1:])
    return (small[0] / 2 + 0.5).detach().cpu(), flat.detach().cpu()


def _tensor(made: Any) -> "torch.Tensor":
    """The latents (or the distribution's mean) out of what `encode` returned."""
    spread = getattr(made, "latent_dist", None)
    if spread is not None:
        found: Any = spread.mean
        return found
    return made.latents if hasattr(made, "latents") else made[0]


def _seeded(made: Any) -> Any:
    """What `encode` returned; drawing from it without a generator gives the mean."""
    spread = getattr(made, "latent_dist", None)
    if spread is not None:
        plain = spread.sample
        spread.sample = lambda generator=None: (
            spread.mean if generator is None else plain(generator)
        )
    return made


def _per_channel(values: Any, like: "torch.Tensor") -> "torch.Tensor":
    torch = need("torch", extra="diffusion")
    found: Any = torch.as_tensor(values).to(like.device, like.dtype).view(1, -1, 1, 1)
    return found


def _finite(tensor: "torch.Tensor") -> bool:
    torch = need("torch", extra="diffusion")
    return bool(torch.isfinite(tensor).all())


def _require(tensor: "torch.Tensor", stage: str) -> None:
    if not _finite(tensor):
        raise EngineFailed(
            f"the autoencoder gave no numbers (NaN) in {stage}, in float32 too; its weights may "
            "be damaged: fetch the model again"
        )


def _again(stage: str, vae: Any) -> str:
    return f"{stage} gave NaN in {_name(vae.dtype)} and was done again in float32"


def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")
