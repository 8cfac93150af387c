"""Seconds a photo with a diffusion engine: ours against the library's own pipeline, in one run.

The architectures are those of Stable Diffusion 1.5 and SD-XL inpainting, full-size, with random
weights: speed does not depend on what they are. Both sides read the same folder, work in the same
number format with as many steps and with guidance, and take turns. Three are timed:

- library: the pipeline as its documentation shows it, on the whole photo.
- library, our size: the same on a picture of the size that our engine works at, so that what
  cropping gains and what tuning gains can be told apart.
- ours: `infill.fill` from photo to photo, its crop, its pasting and its proof included, with
  compiled networks. The guard against drift alone is off: it would refuse what random networks
  draw.

The holes: the whole photo but a thin rim (something must be left to fill from), and a square of
5 % of it in the middle. The fill that compiles is not among the timed ones, its seconds are told
beside them. Peak memory is that of the device: the weights of one pipeline and all that a fill
allocates.

    python -m benchmarks.diffusion --markdown out/diffusion.md --json out/diffusion.json
    python -m benchmarks.diffusion --tiny        # the same on tiny networks, on the processor

Without a GPU the table says "not measured".
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from benchmarks.limits import Limit, report, write_json

MODELS = ("sd", "sdxl")
HOLES = ("whole", "5%")
TARGETS = {"whole": 1.6, "5%": 3.0}
"""How many times as fast as the library ours has to be, by the hole."""

PROMPT = "a wooden bench under an old tree, morning light"
GUIDANCE = 7.5
KEPT = 16  # pixels on each side that are known at least: two cells of latents
RIM = 15 / 16  # of the photo's side is the side of the hole that is called whole
GB = 1e9
HEADINGS = (
    "model",
    "hole",
    "ours works at",
    "library, s",
    "library, our size, s",
    "ours, s",
    "times as fast",
    "target",
    "library, GB",
    "ours, GB",
    "ours, compiling, s",
)


@dataclass(frozen=True)
class Row:
    """One model and hole. Seconds are medians; memory in bytes, None = not
    measured; calls: of the denoiser; first: seconds of the fill that compiles."""

    model: str
    hole: str
    works_at: str
    library: float
    library_at_our_size: float
    ours: float
    first: float
    library_memory: float | None
    our_memory: float | None
    library_calls: int
    our_calls: int
    notes: tuple[str, ...]

    @property
    def speed(self) -> float:
        return self.library / self.ours


@dataclass(frozen=True)
class Setup:
    """What is measured, and where."""

    device: str
    dtype: str
    side: int
    steps: int
    rounds: int
    tiny: bool
    compile: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 if `--check` was given and a target was missed or could not be measured."""
    options = _parser().parse_args(arguments)
    setup = _setup(options)
    if setup is None:
        text, rows = table([], options.models), []
        print("no GPU here: not measured (try --tiny)\n")
    else:
        print(_machine(setup))
        rows = [row for model in options.models for row in measure(model, setup)]
        text = table(rows, options.models)
    print(text)
    limits = [] if setup is None or setup.tiny else _limits(rows)
    kept = report(limits) and bool(limits)
    if options.markdown:
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(text + "\n", encoding="utf-8")
    if options.json:
        facts = {"measured": setup is not None, "rows": [asdict(row) for row in rows]}
        where = {} if setup is None else {"setup": asdict(setup), "machine": _machine(setup)}
        write_json(options.json, limits, **facts, **where)
    return 1 if options.check and not kept else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.diffusion",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds (default: 5)")
    parser.add_argument("--steps", type=int, help="steps of the sampler (default: 30; tiny: 2)")
    parser.add_argument(
        "--side", type=int, help="of the photo in pixels (default: 1024; tiny: 128)"
    )
    parser.add_argument("--tiny", action="store_true", help="tiny networks, on the processor")
    parser.add_argument("--compile", default="on", choices=("on", "off"), help="ours, compiled")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table")
    parser.add_argument("--check", action="store_true", help="exit code 1 if a target is missed")
    return parser


def _setup(options: argparse.Namespace) -> Setup | None:
    """None where there is no GPU to measure on."""
    import torch

    from infill.engines.diffusers.memory import pick_dtype

    _hush()
    tiny = options.tiny
    if not (tiny or torch.cuda.is_available()):
        return None
    device = "cpu" if tiny else "cuda"
    return Setup(
        device,
        pick_dtype(device),
        options.side or (128 if tiny else 1024),
        options.steps or (2 if tiny else 30),
        options.rounds,
        tiny,
        "off" if tiny else options.compile,
    )


def _hush() -> None:
    """No bars and no warnings of the libraries: SD-XL's own pipeline warns at each picture."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()


# --- measuring ----------------------------------------------------------------------------------


def measure(model: str, setup: Setup) -> Iterator[Row]:
    """The rows of one model."""
    from benchmarks.diffusion_models import build
    from infill import settings
    from infill.engines.diffusers import loading

    with tempfile.TemporaryDirectory(prefix="infill-bench-") as folder:
        made = build(model, tiny=setup.tiny, device=setup.device, dtype=setup.dtype)
        made.to("cpu").save_pretrained(folder)
        del made
        library = _library(model, folder, setup)
        with settings.using(device=setup.device, offline=1):
            for hole in HOLES:
                yield _row(model, hole, folder, library, setup)
        loading.forget()


def _library(model: str, folder: str, setup: Setup) -> Any:
    """The pipeline as anyone loads it."""
    import diffusers
    import torch

    from benchmarks.diffusion_models import FULL

    kind = getattr(diffusers, FULL[model].pipeline)
    pipe = kind.from_pretrained(folder, dtype=getattr(torch, setup.dtype))
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(setup.device)


def _row(model: str, hole: str, folder: str, library: Any, setup: Setup) -> Row:
    photo, mask = scene(setup.side, hole)

    def ours() -> tuple[str, ...]:
        return _fill(model, folder, photo, mask, setup)

    def plain(height: int, width: int) -> Callable[[], Any]:
        return lambda: _plain(library, photo, mask, (height, width), setup)

    whole = plain(setup.side, setup.side)
    theirs: list[tuple[int, int]] = []
    with _watching(theirs):
        whole()
    own: list[tuple[int, int]] = []
    with _watching(own):  # this is not the fill that is told as the first: watching costs time
        _fill(model, folder, photo, mask, replace(setup, compile="off"))
    height, width = (8 * side for side in own[-1])
    same = plain(height, width)
    same()
    first, notes = _timed(ours, setup)
    library_seconds, same_seconds, our_seconds = _take_turns([whole, same, ours], setup)
    return Row(
        model=model,
        hole=hole,
        works_at=f"{width}×{height}",
        library=library_seconds,
        library_at_our_size=same_seconds,
        ours=our_seconds,
        first=first,
        library_memory=_peak(whole, library, setup),
        our_memory=_peak(ours, _our_pipe(model, folder, setup), setup),
        library_calls=len(theirs),
        our_calls=len(own),
        notes=notes,
    )


def scene(side: int, hole: str) -> tuple[Any, Any]:
    """A photo (side, side, 3) uint8 and a mask (side, side) bool, True = hole."""
    import numpy as np

    rows, columns = np.mgrid[0:side, 0:side] / side
    waves = [np.sin(40 * rows * (index + 1)) * np.cos(25 * columns) for index in range(3)]
    photo = np.rint(127.5 + 100 * np.stack(waves, -1)).astype(np.uint8)
    share = RIM**2 if hole == "whole" else 0.05
    margin = max(KEPT, round(side * (1 - share**0.5) / 2))
    mask = np.zeros((side, side), bool)
    mask[margin : side - margin, margin : side - margin] = True
    return photo, mask


def _options(model: str, folder: str, setup: Setup) -> dict[str, Any]:
    """Of our engine; the strength is the library's, so that both take as many steps."""
    from infill.engines.base import ENGINES

    known = {entry.name for entry in fields(ENGINES.get(model).Options)}
    named = {"compile": setup.compile} if "compile" in known else {}
    return {
        "model": folder,
        "prompt": PROMPT,
        "num_inference_steps": setup.steps,
        "guidance_scale": GUIDANCE,
        "strength": 1.0,
        "memory": "full",
        "drift": "ignore",
        **named,
    }


def _fill(model: str, folder: str, photo: Any, mask: Any, setup: Setup) -> tuple[str, ...]:
    """Ours; returns its notes."""
    import infill

    result = infill.fill(photo, mask, engine=model, **_options(model, folder, setup))
    return tuple(result.notes)


def _our_pipe(model: str, folder: str, setup: Setup) -> Any:
    """The pipeline that the engine has kept."""
    from infill.engines.base import ENGINES, make_options

    engine: Any = ENGINES.get(model)
    return engine.load(make_options(engine, _options(model, folder, setup))).pipe


def _plain(pipe: Any, photo: Any, mask: Any, shape: tuple[int, int], setup: Setup) -> Any:
    """The library's pipeline on the whole photo, made `shape` large (height, width)."""
    import torch
    from PIL import Image

    size = shape[::-1]
    return pipe(
        prompt=PROMPT,
        image=Image.fromarray(photo).resize(size),
        mask_image=Image.fromarray(mask).resize(size),
        height=shape[0],
        width=shape[1],
        num_inference_steps=setup.steps,
        guidance_scale=GUIDANCE,
        strength=1.0,
        generator=torch.Generator("cpu").manual_seed(0),
    ).images


@contextmanager
def _watching(seen: list[tuple[int, int]]) -> Iterator[None]:
    """Append the size of the latents (h, w) at each call of a UNet, whosever it is."""
    import diffusers
    import torch

    def look(module: Any, given: tuple[Any, ...]) -> None:
        if isinstance(module, diffusers.UNet2DConditionModel):
            seen.append(tuple(given[0].shape[-2:]))

    handle = torch.nn.modules.module.register_module_forward_pre_hook(look)
    try:
        yield
    finally:
        handle.remove()


def _take_turns(actions: Sequence[Callable[[], Any]], setup: Setup) -> list[float]:
    """Median seconds of each action, called in turn."""
    taken: list[list[float]] = [[] for _ in actions]
    for _ in range(setup.rounds):
        for action, seconds in zip(actions, taken, strict=True):
            seconds.append(_timed(action, setup)[0])
    return [statistics.median(seconds) for seconds in taken]


def _timed(action: Callable[[], Any], setup: Setup) -> tuple[float, Any]:
    _wait(setup)
    start = time.perf_counter()
    done = action()
    _wait(setup)
    return time.perf_counter() - start, done


def _wait(setup: Setup) -> None:
    import torch

    if setup.device != "cpu":
        torch.cuda.synchronize()


def _peak(action: Callable[[], Any], pipe: Any, setup: Setup) -> float | None:
    """Bytes of the device that one pipeline and its fill take; None on the processor.

    The other pipeline lies on the device too, so this is the growth and the own weights.
    """
    import torch

    from infill.engines.diffusers.memory import weights_by_part

    if setup.device == "cpu":
        return None
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    action()
    grown = torch.cuda.max_memory_allocated() - before
    return float(grown + sum(weights_by_part(pipe).values()))


# --- telling ----------------------------------------------------------------------------------


def table(rows: Sequence[Row], models: Sequence[str]) -> str:
    """In Markdown; a line for each model and hole, "not measured" where there is no row."""
    from infill.sheets import markdown

    found: Mapping[tuple[str, str], Row] = {(row.model, row.hole): row for row in rows}
    lines = [_line(model, hole, found.get((model, hole))) for model in models for hole in TARGETS]
    return markdown(HEADINGS, lines, right=range(3, len(HEADINGS)))


def _line(model: str, hole: str, row: Row | None) -> list[str]:
    target = f"≥ {TARGETS[hole]:g}"
    if row is None:
        return [model, hole, *["not measured"] * 5, target, *["not measured"] * 3]
    taken = (row.library_memory, row.our_memory)
    memory = ["–" if size is None else f"{size / GB:.1f}" for size in taken]
    seconds = [f"{value:.2f}" for value in (row.library, row.library_at_our_size, row.ours)]
    speed = f"{row.speed:.2f}"
    return [model, hole, row.works_at, *seconds, speed, target, *memory, f"{row.first:.1f}"]


def _limits(rows: Sequence[Row]) -> list[Limit]:
    return [
        Limit(f"{row.model}, hole {row.hole}: times as fast", row.speed, low=TARGETS[row.hole])
        for row in rows
    ] + [
        Limit(
            f"{row.model}, hole {row.hole}: denoiser calls beyond the library's",
            row.our_calls - row.library_calls,
            low=0,
            high=0,
            digits=0,
        )
        for row in rows
    ]


def _machine(setup: Setup) -> str:
    import diffusers
    import torch

    device = "the processor" if setup.device == "cpu" else torch.cuda.get_device_name()
    networks = "tiny networks" if setup.tiny else "full-size networks, random weights"
    return (
        f"{networks} on {device}, {setup.dtype}; {setup.side}×{setup.side} pixels, "
        f"{setup.steps} steps, guidance {GUIDANCE:g}; median of {setup.rounds} rounds; "
        f"torch {torch.__version__}, diffusers {diffusers.__version__}"
    )


if __name__ == "__main__":
    sys.exit(main())
