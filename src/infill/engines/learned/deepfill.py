"""DeepFillv2 as an engine: gated convolutions and contextual attention, in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from infill.engines.base import EngineCard, Progress, SizeRule, option
from infill.engines.learned.engine import OnePass, OnePassOptions
from infill.engines.learned.fitting import Mask, Pixels
from infill.engines.learned.running import EXTRA, FIXED, Loaded, counted, load

PER_PIXEL = 204
"""Numbers alive at the worst moment, over pixels, counted on the network; attention aside. With
that, the processor took nine tenths of the estimate at 512 × 512."""

Layout = Literal["auto", "plain", "tf"]
FUSES: dict[str, bool | None] = {"auto": None, "on": True, "off": False}


@dataclass(frozen=True)
class DeepFillOptions(OnePassOptions):
    """See `OnePassOptions`."""

    layout: Layout = option(
        "auto", "Whose padding the weights were made with; auto: as the file tells.", server=False
    )
    fuse: Literal["auto", "on", "off"] = option(
        "auto",
        "Whether the attention moves neighbouring patches together; auto: as the layout has it.",
    )


class DeepFill(OnePass):
    """See `infill.nets.deepfill`."""

    card: ClassVar[EngineCard] = EngineCard(
        name="deepfill",
        family="GAN",
        summary="DeepFillv2: fills in one pass, and copies far patches by attention",
        authors="Jiahui Yu, Zhe Lin, Jimei Yang, Xiaohui Shen, Xin Lu, Thomas Huang",
        published="2019",
        architecture="coarse and refinement network of gated convolutions, contextual attention",
        paper="Free-Form Image Inpainting with Gated Convolution, ICCV 2019, arXiv 1806.03589, "
        "https://arxiv.org/abs/1806.03589",
        licence="the published weights and their code: CC BY-NC 4.0; trained on Places2 or "
        "CelebA-HQ, whose photos are for research",
        commercial_use=False,
        parameters=4_052_478,
        extra=EXTRA,
        size=SizeRule(multiple=8, minimum=64, native=512, context_min=128),
        needs_model=True,
    )
    Options: ClassVar[type] = DeepFillOptions

    def load(self, path: Path, options: DeepFillOptions, device: str, dtype: str) -> Loaded:
        """See `OnePass.load`."""
        from infill.nets import loading

        layout = None if options.layout == "auto" else options.layout
        fuse = FUSES[options.fuse]
        return load(
            path,
            lambda: loading.deepfill(path, layout=layout, fuse=fuse),
            lambda network: network.stage2.conv_to_rgb,
            device,
            dtype,
            "deepfill",
            layout,
            fuse,
        )

    def bytes_of(self, loaded: Loaded, options: Any, height: int, width: int) -> int:
        """The layers' share and, beside it, the attention's, which compares all with all."""
        from infill.nets.deepfill import attention_bytes

        layers = PER_PIXEL * loaded.itemsize * height * width
        return FIXED + layers + attention_bytes(height, width)

    def run(
        self,
        loaded: Loaded,
        options: DeepFillOptions,
        photos: Sequence[Pixels],
        mask: Mask,
        progress: Progress,
    ) -> list[Pixels]:
        """See `OnePass.run`."""
        import torch

        from infill.diffusion.running import to_picture, to_tensor, to_weight
        from infill.nets.deepfill import prepare

        network = loaded.network
        hole = to_weight(mask, loaded.device).expand(len(photos), -1, -1, -1)
        given = loaded.given(prepare(to_tensor(photos, loaded.device), hole))
        parts = [*network.stage1.children(), *network.stage2.children()]
        with torch.inference_mode(), counted(loaded, parts, progress):
            _, refined = network(given, loaded.given(hole))
            return [to_picture(one) for one in refined]
