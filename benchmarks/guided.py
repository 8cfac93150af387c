"""RePaint and target-guided filling, by numbers and pictures.

    INFILL_BENCH=photos python -m benchmarks.guided models/ddpm-photos-32 --out out/guided

Four parts, each with tables (Markdown, medians over all photos and seeds with 95 % bootstrap
intervals) and a sheet of pictures: `seam` (resampling against plain replacement), `lambda`
(closeness to the target against λ and p), `border` (the seam with and without heat and buffer),
and `recommend`, which chooses from what the others measured. Photos are brought to the model's
own size as the engine does it; targets are outlined objects of other photos. Each part writes
its figures to the folder, so that parts can be run one by one, and `report.md` from all of them;
what was measured before (by the same weights, settings and photos) is taken from `cache` there.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.guided_cases import Sample, Setting

SHOWN = 5  # photos on a sheet
UNTOLD = ("reference", "reference_mask", "found")  # options that differ from photo to photo
PARTS = ("seam", "lambda", "border", "recommend")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts that are asked for, write their tables and sheets, print the report."""
    options = parse(arguments)
    from benchmarks.threads import describe, set_threads, use_opencv_threads

    set_threads(options.threads)
    from infill import settings

    use_opencv_threads(options.threads)
    with settings.using(threads=options.threads, offline=1):
        print(describe(), file=sys.stderr)
        Bench(options).run()
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; nothing is imported for them, since threads must be set first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guided", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("model", help="folder of an unconditional DDPM")
    parser.add_argument("--out", type=Path, default=Path("out/guided"), help="where it all goes")
    parser.add_argument("--parts", type=lambda text: text.split(","), default=list(PARTS))
    parser.add_argument(
        "--targets",
        type=Path,
        help="folder of NAME.jpg with NAME_truth.png; "
        "default: `clicks` beside the folder INFILL_BENCH",
    )
    parser.add_argument("--photos", type=int, metavar="N", help="only N, spread over the kinds")
    parser.add_argument("--seeds", type=int, default=1, help="fills of each photo and setting")
    parser.add_argument("--batch", type=int, default=64, help="pictures at once")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu (the default), cuda, auto, …")
    parser.add_argument(
        "--dtype", default="float32", choices=("float32", "bfloat16"), help="of the network"
    )
    parser.add_argument("--steps", type=int, help="steps of the walk; default: the engine's own")
    parser.add_argument("--published", action="store_true",
                        help="also the paper's schedule, with ten times the calls")  # fmt: skip
    options = parser.parse_args(arguments)
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part!r}; there are: {', '.join(PARTS)}")
    return options


class Bench:
    """The model, the samples, and the outcomes so far."""

    def __init__(self, options: argparse.Namespace) -> None:
        import os

        from benchmarks.cases import cases_at_hand, choose
        from benchmarks.guided_cases import find_things, make_samples
        from infill.device import pick
        from infill.diffusion.model import load

        self.options, self.out = options, options.out
        self.device = pick(options.device, extra="diffusion")
        self.denoiser = load(options.model, self.device, precision=options.dtype)
        folder = options.targets or Path(os.environ.get("INFILL_BENCH", ".")).parent / "clicks"
        things = find_things(folder) if folder.is_dir() else []
        if not things:
            raise SystemExit(f"{folder} has no target (NAME.jpg, NAME_truth.png); give --targets")
        cases = choose(cases_at_hand(), options.photos)
        self.samples: list[Sample] = make_samples(cases, things, self.denoiser.side, seed=0)
        if not self.samples:
            raise SystemExit("no photo has a hole of a fair size")
        dropped = len(cases) - len(self.samples)
        self.about = (
            f"{len(self.samples)} photos at {self.denoiser.side} × {self.denoiser.side} pixels "
            f"({dropped} left out, whose hole is too small or too large in its frame), "
            f"{options.seeds} seed(s) each; model {options.model} in {options.dtype}"
        )
        print(self.about, file=sys.stderr)

    def run(self) -> None:
        """The parts that are asked for, then the report of all that have been run."""
        self.out.mkdir(parents=True, exist_ok=True)
        from benchmarks import guided_parts as parts

        todo = {"seam": parts.seam, "lambda": parts.weights, "border": parts.border}
        for part in self.options.parts:
            if part in todo:
                start = time.perf_counter()
                text, figures = todo[part](self)
                seconds = time.perf_counter() - start
                text = f"{text}\n\n{self.about}; {seconds:.0f} s.\n"
                (self.out / f"{part}.md").write_text(text, encoding="utf-8")
                (self.out / f"{part}.json").write_text(json.dumps(figures), encoding="utf-8")
        if "recommend" in self.options.parts:
            (self.out / "recommend.md").write_text(parts.recommend(self.out), encoding="utf-8")
        files = [self.out / f"{part}.md" for part in PARTS]
        report = "\n".join(file.read_text(encoding="utf-8") for file in files if file.exists())
        (self.out / "report.md").write_text(report, encoding="utf-8")
        print(report)

    def measured(self, label: str, setting: "Setting") -> Any:
        """What comes of a setting over all samples; progress goes to the terminal."""
        from benchmarks.guided_cases import Outcome, measure

        if self.options.steps and "num_inference_steps" not in setting:
            setting = {**setting, "num_inference_steps": self.options.steps}

        def told(fraction: float) -> None:
            if sys.stderr.isatty():
                print(f"\r{label}: {100 * fraction:3.0f} %", end="", file=sys.stderr)

        kept = self.out / "cache" / f"{self._key(setting)}.npz"
        if kept.exists():
            return Outcome.read(kept)
        start = time.perf_counter()
        made = measure(
            self.denoiser,
            self.samples,
            self.options.model,
            setting,
            seeds=range(self.options.seeds),
            batch=self.options.batch,
            device=self.device,
            told=told,
        )
        seconds = time.perf_counter() - start
        print(f"\r{label}: {seconds:.1f} s", file=sys.stderr, flush=True)
        made.write(kept)
        return made

    def _key(self, setting: "Setting") -> str:
        """What decides an outcome, as a name: one that is there already is not made again."""
        from benchmarks.guided_cases import options_for

        chosen = vars(options_for(self.samples[0], self.options.model, setting))
        plain = {name: value for name, value in chosen.items() if name not in UNTOLD}
        samples = [(sample.name, sample.thing.name) for sample in self.samples]
        told = [
            self.denoiser.sha256,
            self.options.dtype,
            plain,
            samples,
            self.options.seeds,
            self.device,
        ]
        text = json.dumps(told, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    def steps(self, setting: "Setting") -> int:
        """Steps of the walk with that setting."""
        from benchmarks.guided_cases import options_for
        from infill.engines.repaint import plan_of

        if self.options.steps:
            return int(self.options.steps)
        return plan_of(options_for(self.samples[0], self.options.model, setting)).steps

    def shown(self) -> list[tuple[int, "Sample"]]:
        """Some samples, spread evenly, with their places in the list."""
        count = min(SHOWN, len(self.samples))
        places = [k * len(self.samples) // count for k in range(count)]
        return [(place, self.samples[place]) for place in places]


if __name__ == "__main__":
    sys.exit(main())
