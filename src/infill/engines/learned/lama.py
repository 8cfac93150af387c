"""LaMa as an engine: fast Fourier convolutions, which see the whole photo in every layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from infill.engines.base import EngineCard, Part, Progress, SizeRule, option
from infill.engines.learned.engine import HELP, OnePass, OnePassOptions
from infill.engines.learned.fitting import Mask, Pixels
from infill.engines.learned.running import EXTRA, FIXED, Loaded, counted, load

MODEL = "smartywu/big-lama"
PER_PIXEL = 300
"""Numbers over pixels at the worst moment: 200 alive, counted on big-LaMa, and room for what the
kernels take beside; the processor's took 280 in all at 512 × 512."""
REFINING = 2700
"""The same of a gradient step of the refinement: 2300 alive."""
LAST = 256
"""Bytes per pixel of the last layer's input where that alone is in float32."""

SIDE = 1024
REFINED_SIDE = 1342
"""Of a square of 1.8 million pixels, at which the authors of the refinement stop, too."""
SMALLEST = 512
"""Shorter side of the smallest photo of the refinement's pyramid, in pixels."""
SIZES = 3


@dataclass(frozen=True)
class LamaOptions(OnePassOptions):
    """See `OnePassOptions`."""

    model: str = option(MODEL, HELP)
    refine: bool = option(
        False, "For large holes in large photos: make the fill agree with that of a smaller photo."
    )
    refine_steps: int = option(
        14, "Gradient steps of the refinement at each size; more take longer.", low=1, high=100
    )

    def _check_together(self) -> None:
        if self.refine and self.compile == "on":
            raise ValueError("compile has no effect with refine; leave one of them out")
        if self.refine and self.dtype not in ("auto", "float32"):
            raise ValueError("refine works in float32; leave dtype out")


class Lama(OnePass):
    """See `infill.nets.lama`."""

    card: ClassVar[EngineCard] = EngineCard(
        name="lama",
        family="GAN",
        summary="LaMa: fills large holes in one pass, at its best with what repeats",
        authors="Roman Suvorov, Elizaveta Logacheva, Anton Mashikhin, Anastasia Remizova, "
        "Arsenii Ashukha, Aleksei Silvestrov, Naejin Kong, Harshith Goka, Kiwoong Park, "
        "Victor Lempitsky",
        published="2021",
        architecture="encoder, residual blocks of fast Fourier convolutions, decoder (big-LaMa); "
        "refinement of features by Kulshreshtha et al. 2022",
        paper="Resolution-robust Large Mask Inpainting with Fourier Convolutions, WACV 2022, "
        "arXiv 2109.07161, https://arxiv.org/abs/2109.07161",
        licence="Apache-2.0, code and weights; trained on Places2, whose photos are for research",
        commercial_use=True,
        parameters=50_975_875,
        extra=EXTRA,
        size=SizeRule(multiple=8, minimum=64, native=SIDE, context_min=128),
        checkpoint=MODEL,
    )
    Options: ClassVar[type] = LamaOptions
    file: ClassVar[str] = "big-lama.zip"
    licence: ClassVar[str | None] = "Apache-2.0"

    def calls(self, options: LamaOptions) -> int:
        """How often a fill runs its network at most."""
        return 1 + options.refine * (SIZES - 1) * (options.refine_steps + 1)

    def own_side(self, options: LamaOptions) -> int:
        """See `OnePass.own_side`."""
        return REFINED_SIDE if options.refine else SIDE

    def own_dtype(self, options: LamaOptions, device: str) -> str:
        """See `OnePass.own_dtype`."""
        return "float32" if options.refine else super().own_dtype(options, device)

    def load(self, path: Path, options: LamaOptions, device: str, dtype: str) -> Loaded:
        """See `OnePass.load`."""
        from infill.nets import loading

        return load(
            path,
            lambda: loading.lama(path),
            lambda network: network.model[-2],
            device,
            dtype,
            "lama",
        )

    def bytes_of(self, loaded: Loaded, options: LamaOptions, height: int, width: int) -> int:
        """See `OnePass.bytes_of`."""
        area = height * width
        if options.refine and _sizes(options, height, width) > 1:
            return FIXED + REFINING * 4 * area
        each = PER_PIXEL * loaded.itemsize + (LAST if loaded.itemsize < 4 else 0)
        return FIXED + each * area

    def more_notes(self, options: LamaOptions, height: int, width: int) -> tuple[str, ...]:
        """Says so where there was nothing to refine."""
        if not options.refine or _sizes(options, height, width) > 1:
            return ()
        return (
            f"at {width} × {height} pixels there is nothing to refine (that begins at a shorter "
            f"side of {round(SMALLEST * 2**0.5)}), so the network ran once",
        )

    def run(
        self,
        loaded: Loaded,
        options: LamaOptions,
        photos: Sequence[Pixels],
        mask: Mask,
        progress: Progress,
    ) -> list[Pixels]:
        """See `OnePass.run`."""
        import torch

        from infill.diffusion.running import to_picture, to_tensor, to_weight
        from infill.nets.lama import prepare

        if options.refine:
            share = 1 / len(photos)
            return [
                _refined(loaded, options, photo, mask, Part(progress, index * share, share))
                for index, photo in enumerate(photos)
            ]
        hole = to_weight(mask, loaded.device).expand(len(photos), -1, -1, -1)
        given = loaded.given(prepare((to_tensor(photos, loaded.device) + 1) / 2, hole))
        with torch.inference_mode(), counted(loaded, list(loaded.network.model), progress):
            return [to_picture(2 * one - 1) for one in loaded.network(given)]


def _plan(options: LamaOptions) -> Any:
    from infill.nets.lama import Plan

    return Plan(steps=options.refine_steps, side=SMALLEST, sizes=SIZES)


def _sizes(options: LamaOptions, height: int, width: int) -> int:
    """How many sizes a photo is filled at; 1 is no refinement."""
    from infill.nets.lama import scales

    return scales(min(height, width), _plan(options))


def _refined(
    loaded: Loaded, options: LamaOptions, photo: Pixels, mask: Mask, progress: Progress
) -> Pixels:
    from infill.diffusion.running import to_picture, to_tensor, to_weight
    from infill.nets.lama import refine

    progress(0.0, "fill")
    made = refine(
        loaded.network,
        (to_tensor([photo], loaded.device) + 1) / 2,
        to_weight(mask, loaded.device),
        _plan(options),
        lambda done, steps: progress(done / steps, "refine"),
    )
    return to_picture(2 * made[0] - 1)
