"""RePaint's published walk against cheaper ones, on a trained model.

    INFILL_BENCH=photos python -m benchmarks.walks models/ddpm-photos-32 --out out/walks

Every photo's hole is filled by every walk at once, at the model's own size. The figures are the
seam at the border, HaarPSI against the photo, and the sliced Wasserstein distance of all fills
from the photos. The published walk is made with two seeds: what they differ by is noise. A walk is
within noise where the interval of its differences from the published one, photo by photo, holds 0
(95 %, bootstrap); for the distance of the sets photos are drawn again together.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from benchmarks.guided_cases import Sample

WALKS: dict[str, dict[str, Any]] = {
    "published": {"schedule": "published"},
    "published, another seed": {"schedule": "published"},
    "fast": {"schedule": "fast"},
    "plain, 50 steps": {"schedule": "custom", "num_inference_steps": 50},
    "plain, 240 steps": {"schedule": "custom", "num_inference_steps": 240},
    "DDIM, 50 steps": {"schedule": "custom", "num_inference_steps": 50, "eta": 0.0},
    "60 steps, jump 2, 5 passes": {
        "schedule": "custom", "num_inference_steps": 60, "jump_length": 2, "jump_n_sample": 5,
    },
    "25 steps, jump 1, 10 passes": {
        "schedule": "custom", "num_inference_steps": 25, "jump_length": 1, "jump_n_sample": 10,
    },
    "25 steps, jump 3, 10 passes": {
        "schedule": "custom", "num_inference_steps": 25, "jump_length": 3, "jump_n_sample": 10,
    },
    "50 steps, jump 5, 5 passes": {
        "schedule": "custom", "num_inference_steps": 50, "jump_length": 5, "jump_n_sample": 5,
    },
    "50 steps, jump 5, 6 passes, none late": {
        "schedule": "custom", "num_inference_steps": 50, "jump_length": 5, "jump_n_sample": 6,
        "resample_until": 0.8,
    },
}  # fmt: skip
"""Each walk by the options of the engine."""

FIGURES = ("seam", "haarpsi")
RESAMPLES = 100  # of the photos, for the distance of the sets


def main(arguments: Sequence[str] | None = None) -> int:
    """Make every walk, write `walks.json`, print the table."""
    options = parse(arguments)
    from benchmarks.threads import describe, set_threads, use_opencv_threads

    set_threads(options.threads)
    from infill import settings

    use_opencv_threads(options.threads)
    with settings.using(threads=options.threads, offline=1):
        print(describe(), file=sys.stderr)
        run(options)
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; nothing heavy is imported for them, since threads must be set first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.walks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("model", help="folder of an unconditional DDPM")
    parser.add_argument("--out", type=Path, default=Path("out/walks"), help="where it all goes")
    parser.add_argument("--photos", type=int, metavar="N", help="only N, spread over the kinds")
    parser.add_argument("--walks", help="only these, by their beginnings, parted by ;")
    parser.add_argument("--dtype", default="auto", help="number format of the network")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    import os

    from benchmarks.cases import cases_at_hand, choose
    from benchmarks.guided_cases import find_things, make_samples
    from infill.diffusion.model import side_of

    folder = Path(os.environ["INFILL_BENCH"])
    cases = cases_at_hand()
    cases = choose(cases, options.photos) if options.photos else cases
    things = find_things(folder.parent / "clicks")
    samples = make_samples(cases, things, side_of(options.model), 0)
    wanted = [part.strip() for part in (options.walks or "").split(";")]
    made: dict[str, dict[str, Any]] = {}
    for index, (name, walk) in enumerate(WALKS.items()):
        if name.startswith(tuple(wanted)):
            made[name] = _kept(samples, {**walk, "dtype": options.dtype}, index == 1, options)
            told = ", ".join(f"{key} {_mean(made[name], key):.4f}" for key in FIGURES)
            print(f"{name}: {made[name]['calls']} calls, {told}", file=sys.stderr)
    options.out.mkdir(parents=True, exist_ok=True)
    _sheet(samples, made, options.out / "walks.jpg")
    print(table(samples, made))
    kept = {name: {k: v for k, v in one.items() if k != "pictures"} for name, one in made.items()}
    (options.out / "walks.json").write_text(json.dumps(kept, indent=1))


def _kept(
    samples: "Sequence[Sample]", walk: Mapping[str, Any], again: bool, options: argparse.Namespace
) -> dict[str, Any]:
    """What `_walk` made, from the folder `cache` if the same was made before."""
    import numpy as np

    from infill.diffusion.model import load

    weights = load(options.model, options.device).sha256
    told = [walk, again, weights, [sample.name for sample in samples], options.device]
    key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:20]
    path: Path = options.out / "cache" / f"{key}.npz"
    if not path.exists():
        made = _walk(samples, walk, again, options)
        path.parent.mkdir(parents=True, exist_ok=True)
        figures = {name: value for name, value in made.items() if name != "pictures"}
        np.savez_compressed(path, pictures=np.stack(made["pictures"]), figures=json.dumps(figures))
    with np.load(path) as kept:
        return {**json.loads(str(kept["figures"])), "pictures": list(kept["pictures"])}


def _walk(
    samples: "Sequence[Sample]", walk: Mapping[str, Any], again: bool, options: argparse.Namespace
) -> dict[str, Any]:
    """All samples filled in one batch; again: with other noise."""
    import numpy as np

    from infill.diffusion import running
    from infill.diffusion.sampler import repaint
    from infill.engines.base import make_options
    from infill.engines.repaint import Repaint, denoiser_of, plan_of
    from infill.metrics.base import METRICS

    chosen = make_options(Repaint(), {"model": options.model, **walk})
    denoiser, device = denoiser_of(chosen)
    rngs = [np.random.default_rng([int(again), index]) for index in range(len(samples))]
    begun = time.perf_counter()
    keep = np.stack([~sample.hole for sample in samples])
    with running.threads():
        import torch

        found = repaint(
            denoiser,
            running.to_tensor([sample.scene for sample in samples], device),
            torch.from_numpy(keep[:, None].astype(np.float32)).to(device),
            plan_of(chosen),
            running.drawer(rngs, device),
            on_step=lambda done, calls, clean: None,
        )
        pictures = [running.to_picture(one) for one in found]
    seconds = time.perf_counter() - begun
    pictures = [
        np.where(sample.hole[..., None], one, sample.scene).astype(np.float32)
        for sample, one in zip(samples, pictures, strict=True)
    ]
    rows: dict[str, list[float]] = {key: [] for key in FIGURES}
    for sample, one in zip(samples, pictures, strict=True):
        for key in FIGURES:
            rows[key].append(METRICS.get(key).measure(sample.truth, one, sample.hole)[key])
    return {**rows, "calls": plan_of(chosen).calls, "seconds": seconds, "pictures": pictures}


def table(samples: "Sequence[Sample]", made: Mapping[str, Mapping[str, Any]]) -> str:
    """The figures in Markdown, and what they differ by from those of the first walk."""
    from benchmarks.wasserstein import Slices, distance
    from infill import sheets

    holes = [sample.hole for sample in samples]
    truths = [sample.truth for sample in samples]
    slices = Slices(truths, holes)
    real = slices.of(truths, holes)
    sliced = {name: slices.of(one["pictures"], holes) for name, one in made.items()}
    first_name, first = next(iter(made.items()))
    rows = []
    for name, one in made.items():
        row = [name, str(one["calls"])]
        for key in FIGURES:
            row += [f"{_mean(one, key):.3f}", "" if one is first else _told(one, first, key)]
        row.append(f"{distance(real, sliced[name]):.4f}")
        row.append("" if one is first else _distances(real, sliced[name], sliced[first_name]))
        rows.append(row)
    head = ["walk", "calls", "seam", "difference", "HaarPSI", "difference", "SWD", "difference"]
    return sheets.markdown(head, rows, right=range(1, len(head)))


def _told(one: Mapping[str, Any], first: Mapping[str, Any], key: str) -> str:
    """The mean difference, photo by photo, and its bootstrap interval."""
    import numpy as np

    apart = np.subtract(one[key], first[key])
    drawn = np.random.default_rng(0).choice(apart, (2000, len(apart))).mean(axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return f"{apart.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def _distances(
    real: "Sequence[NDArray[np.float32]]",
    one: "Sequence[NDArray[np.float32]]",
    first: "Sequence[NDArray[np.float32]]",
) -> str:
    """The difference of two distances from the photos, photos drawn again together."""
    import numpy as np

    from benchmarks.wasserstein import distance

    rng, apart = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        drawn = rng.integers(len(real), size=len(real))
        truth = [real[i] for i in drawn]
        two = [distance(truth, [walk[i] for i in drawn]) for walk in (one, first)]
        apart.append(two[0] - two[1])
    low, high = np.percentile(apart, (2.5, 97.5))
    return f"{np.mean(apart):+.4f} [{low:+.4f}, {high:+.4f}]"


def _mean(one: Mapping[str, Any], key: str) -> float:
    return sum(one[key]) / len(one[key])


def _sheet(samples: "Sequence[Sample]", made: Mapping[str, Any], path: Path) -> None:
    from benchmarks.guided_report import draw

    bands = []
    for index in range(0, len(samples), max(1, len(samples) // 8)):
        sample = samples[index]
        row = [("photo", sample.truth), ("hole", sample.scene)]
        row += [(f"{one['calls']}: {name}", one["pictures"][index]) for name, one in made.items()]
        bands.append((sample.name, row))
    draw(bands, path)


if __name__ == "__main__":
    sys.exit(main())
