"""Published figures, printed beside a run whose protocol matches theirs. They are no results.

They were measured by others, with other code, on other crops, and in part on data that this run
has not seen; so they say in which region a figure lies, and decide nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infill.bench.summary import Reference

LDM = "Rombach et al. 2022, High-Resolution Image Synthesis with Latent Diffusion Models, table 7"
REPAINT = "Lugmayr et al. 2022, RePaint, table 1"
FFHQ = (
    "a write-up of Stable Diffusion inpainting on FFHQ with random rectangles, whose address is "
    "not known any more"
)


@dataclass(frozen=True)
class Published:
    """Figures of one table. dataset: which it is of. protocols: names of masks, one of which the
    run must have. size: side of the photos, None = any. rows: engine, figure, value. note, checked:
    see `Reference`."""

    dataset: str
    protocols: Sequence[str]
    size: int | None
    source: str
    rows: Sequence[tuple[str, str, float]]
    note: str = ""
    checked: str = ""


PUBLISHED: Sequence[Published] = (
    Published(
        "ffhq",
        ("rectangle",),
        None,
        FFHQ,
        (
            ("Stable Diffusion", "PSNR, mean", 25.53),
            ("Stable Diffusion", "PSNR, 90th percentile", 28.84),
            ("Stable Diffusion", "SSIM, most photos above", 0.78),
        ),
        "whole photos; the share that was masked is not stated",
    ),
    Published(
        "places2",
        ("lama-wide",),
        512,
        LDM,
        tuple(
            (engine, figure, value)
            for engine, fid, lpips in (
                ("LaMa", 2.21, 0.14),
                ("DeepFillv2", 5.20, 0.16),
                ("CoModGAN", 1.82, 0.15),
                ("latent diffusion", 1.50, 0.137),
            )
            for figure, value in (("FID", fid), ("LPIPS", lpips))
        ),
        "30,000 crops of 512 × 512, column of all samples; the figures of LaMa and DeepFillv2 are "
        "those of wide masks in LaMa's own table 1",
        "November 2026",
    ),
    *(
        Published(
            "celeba-hq",
            (protocol,),
            256,
            REPAINT,
            tuple(
                (engine, "LPIPS", value)
                for engine, value in zip(("RePaint", "LaMa", "DeepFillv2"), values, strict=True)
            ),
            "photos of 256 × 256",
            "November 2026",
        )
        for protocol, values in {
            "repaint-wide": (0.059, 0.045, 0.066),
            "repaint-narrow": (0.028, 0.028, 0.049),
            "repaint-sr2": (0.029, 0.177, 0.119),
            "repaint-lines": (0.009, 0.083, 0.049),
            "repaint-half": (0.165, 0.138, 0.209),
            "repaint-expand": (0.435, 0.342, 0.467),
        }.items()
    ),
)


def matching(dataset: str, protocol: Mapping[str, Any] | None, size: int | None) -> list[Reference]:
    """The published figures whose data set, masks and size are those of a run."""
    name = (protocol or {}).get("name")
    return [
        Reference(engine, figure, value, table.source, table.note, table.checked)
        for table in PUBLISHED
        if table.dataset == dataset and name in table.protocols and table.size in (None, size)
        for engine, figure, value in table.rows
    ]
