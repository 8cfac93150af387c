"""What the second click on a photo costs, beside the first.

SAM ViT-Base at its published size (94 million parameters, 1024 × 1024) with random weights, which
take as long as trained ones, saved to a temporary folder and loaded from there. The first click
embeds the photo and decodes a mask; the second finds the embedding kept and decodes alone.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.limits import Limit, report, write_json

SHARE = 1 / 20
"""The second click may take this part of the first at most."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 if `--check` was given and a limit was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.segment_cache", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="later clicks (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="threads (default: 2)")
    parser.add_argument("--device", default="cpu", help="where the network runs (default: cpu)")
    parser.add_argument(
        "--size", type=int, default=1500, help="photo's longer side (default: 1500)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--check", action="store_true", help="exit code 1 if a limit is missed")
    options = parser.parse_args(arguments)
    limits, facts = measure(options.runs, options.threads, options.device, options.size)
    print(", ".join(f"{what} {value:.3f}" for what, value in facts.items()))
    kept = report(limits)
    if options.json:
        write_json(options.json, limits, facts=facts)
    return 1 if options.check and not kept else 0


def measure(
    runs: int, threads: int, device: str, size: int
) -> tuple[list[Limit], dict[str, float]]:
    """Seconds of the first click (the quicker of two photos, so that a busy moment does not
    flatter the second) and the median of `runs` later ones, on another place each.

    The network is loaded and has run once on another photo before, so that the first click is
    not charged with what only the first photo of a process costs.
    """
    import numpy as np

    from infill import segmentation, settings

    photo = np.random.default_rng(0).integers(0, 256, (size * 2 // 3, size, 3), np.uint8)

    def click(pixels: np.ndarray, number: int) -> float:
        start = time.perf_counter()
        segmentation.segment(pixels, points=[(100 + 40 * number, 120)], segmenter="sam")
        return time.perf_counter() - start

    with tempfile.TemporaryDirectory(prefix="infill-bench-") as folder:
        save(Path(folder))
        with settings.using(sam_checkpoint=folder, threads=threads, device=device):
            loading = click(photo[::-1].copy(), 0)
            first = min(click(np.roll(photo, shift, 1), 0) for shift in (1, 0))
            later = [click(photo, number) for number in range(1, runs + 1)]
            kept = segmentation.states().nbytes / 2**20
    second = statistics.median(later)
    facts = {
        "loading and one photo, s": loading,
        "first click, s": first,
        "second click, s": second,
        "slowest later click, s": max(later),
        "kept of three photos, MiB": kept,
    }
    what = "second click, part of the first"
    return [Limit(what, second / first, high=SHARE, digits=4)], facts


def save(folder: Path) -> None:
    """SAM ViT-Base with random weights, as a checkpoint."""
    import torch
    from transformers import SamConfig, SamModel

    torch.manual_seed(0)
    # The other defaults are those of ViT-Base. With this one, 1e-10, numbers would get so small
    # that processors compute with them many times more slowly than with those of trained weights.
    config = SamConfig(vision_config={"initializer_range": 0.02})
    SamModel(config).save_pretrained(folder)


if __name__ == "__main__":
    sys.exit(main())
