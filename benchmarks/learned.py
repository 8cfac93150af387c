"""Seconds a photo with DeepFillv2 and LaMa: ours against a plain eager run, in one process.

The networks are full-size, with random weights: speed does not depend on what they are. Each way
gets the same photo and hole and they take turns; medians of several rounds are told.

- plain: the network as it is made, float32, `torch.no_grad()`, tensors in and out.
- ours: what the engine does, from the photo as an array and back: in inference mode, in a number
  format and an order of memory, stopping between layers if it is asked to. What the engine
  does if nothing else is asked for is marked.
- compiled (with --compile): the same through `torch.compile`; compiling itself is not timed.

Memory is what a run needs at its peak beside the weights: of the device as PyTorch counts it, on
the processor by how far the process grows (Linux alone).

    python -m benchmarks.learned --threads 2 --markdown out/learned.md
    python -m benchmarks.learned --tiny          # tiny networks, for a test
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.limits import write_json

NETWORKS = ("deepfill", "lama")
HEADINGS = ("network", "device", "way", "s a photo", "times as fast", "peak memory, MB")
Picture = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Way:
    """One way of running a network."""

    name: str
    dtype: str = "float32"
    channels_last: bool = False
    compile: bool = False
    plain: bool = False


@dataclass(frozen=True)
class Row:
    """seconds: median over the rounds. memory: bytes at the peak; None = not measured."""

    network: str
    device: str
    way: str
    seconds: float
    speed: float
    memory: int | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    import torch

    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    devices = options.devices or ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    side = options.side or (64 if options.tiny else 512)
    print(f"{side} × {side}, {options.rounds} rounds; {_machine(devices, options.threads)}\n")
    rows = [
        row
        for device in devices
        for network in options.networks
        for row in measure(network, device, side, options)
    ]
    text = table(rows)
    print(text)
    if options.markdown:
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(text + "\n", encoding="utf-8")
    if options.json:
        machine = _machine(devices, options.threads)
        write_json(options.json, [], machine=machine, side=side, rows=[asdict(r) for r in rows])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learned",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    parser.add_argument("--devices", nargs="+", help="default: cpu, and cuda where there is one")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default: 2)")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds (default: 5)")
    parser.add_argument("--side", type=int, help="of the photo in pixels (default: 512)")
    parser.add_argument("--compile", action="store_true", help="also through torch.compile")
    parser.add_argument("--tiny", action="store_true", help="tiny networks at 64 pixels")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table")
    return parser


def _machine(devices: Sequence[str], threads: int) -> str:
    import torch

    cards = [torch.cuda.get_device_name(one) for one in devices if one.startswith("cuda")]
    return ", ".join([f"PyTorch {torch.__version__}", f"{threads} threads", *cards])


def ways(compile: bool) -> list[Way]:
    """All that are timed, the plain one first."""
    found = [Way("plain, float32", plain=True)]
    for dtype in ("float32", "bfloat16"):
        for last in (False, True):
            order = ", channels last" if last else ""
            found.append(Way(f"ours, {dtype}{order}", dtype, last))
        if compile:
            found.append(Way(f"ours, {dtype}, compiled", dtype, compile=True))
    return found


def measure(name: str, device: str, side: int, options: Any) -> Iterator[Row]:
    """The rows of one network on one device."""
    import torch

    photo, mask = scene(side)
    every = ways(options.compile)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        runs = [runner(name, way, device, photo, mask, options.tiny) for way in every]
    for run in runs:
        run()  # kernels are chosen and compiled, memory is had
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(options.rounds):
        for run, spent in zip(runs, seconds, strict=True):
            start = time.perf_counter()
            run()
            spent.append(time.perf_counter() - start)
    medians = [statistics.median(spent) for spent in seconds]
    for way, run, median in zip(every, runs, medians, strict=True):
        memory = peak(run, device)
        words = f"{way.name} (the engine's own)" if _is_own(way, device) else way.name
        yield Row(name, device, words, median, medians[0] / median, memory)


def _is_own(way: Way, device: str) -> bool:
    """Whether the engine runs so if nothing else is asked for."""
    from infill.engines.learned import running

    dtype = running.chosen_dtype("auto", device)
    order = running.likes_channels_last(device, dtype)
    return not (way.plain or way.compile) and (way.dtype, way.channels_last) == (dtype, order)


def scene(side: int) -> tuple[Picture, Picture]:
    """A photo (side, side, 3) in [0, 1], zero in its hole, and the hole: a quarter of it."""
    photo = np.random.default_rng(0).random((side, side, 3), np.float32)
    mask = np.zeros((side, side), np.bool_)
    mask[side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = True
    photo[mask] = 0
    return photo, mask


def runner(
    name: str, way: Way, device: str, photo: Picture, mask: Picture, tiny: bool
) -> Callable[[], Any]:
    """What runs the network once, and waits until it is done."""
    import torch

    network = build(name, tiny)
    run = _plain(name, network.to(device), device, photo, mask)
    if not way.plain:
        run = _ours(name, network, way, device, photo, mask)

    def whole() -> Any:
        made = run()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        return made

    return whole


def build(name: str, tiny: bool) -> Any:
    """The published architecture, or a tiny one, in evaluation, with random weights."""
    from infill.nets import deepfill, lama

    made: Any
    if name == "lama":
        made = lama.Generator(lama.Shape(width=8, blocks=2) if tiny else lama.Shape())
    else:
        made = deepfill.Generator(*([8] if tiny else []))
    return made.eval().requires_grad_(False)


def _plain(
    name: str, network: Any, device: str, photo: Picture, mask: Picture
) -> Callable[[], Any]:
    import torch

    from infill.nets import deepfill, lama

    given = torch.from_numpy(photo.transpose(2, 0, 1).copy())[None].to(device)
    hole = torch.from_numpy(mask.astype(np.float32))[None, None].to(device)

    def run() -> Any:
        with torch.no_grad():
            if name == "lama":
                return network(lama.prepare(given, hole))
            return network(deepfill.prepare(2 * given - 1, hole), hole)[1]

    return run


def _ours(
    name: str, network: Any, way: Way, device: str, photo: Picture, mask: Picture
) -> Callable[[], Any]:
    from infill.engines.base import ENGINES, no_progress
    from infill.engines.learned import running

    engine: Any = ENGINES.get(name)
    options = engine.Options()
    last_of = {"lama": lambda net: net.model[-2], "deepfill": lambda net: net.stage2.conv_to_rgb}
    loaded = running.ready(
        network, last_of[name], device, way.dtype, channels_last=way.channels_last
    )

    def run() -> Any:
        compiled = running.compiled(loaded, "on", photo.shape) if way.compile else nullcontext()
        with compiled:
            return engine.run(loaded, options, [photo], mask, no_progress)

    return run


# --- memory --------------------------------------------------------------------------------------


def peak(run: Callable[[], Any], device: str) -> int | None:
    """Bytes that a run needs at its peak beside what is held already; None if nobody tells."""
    import torch

    from infill.engines.scarce import free_memory

    free_memory()
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        return int(torch.cuda.max_memory_allocated() - before)
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    try:
        reset.write_text("5", encoding="ascii")  # the highest mark goes back to what is now
        before = _kilobytes(status, "VmRSS")
        run()
        return 1024 * (_kilobytes(status, "VmHWM") - before)
    except OSError:
        return None


def _kilobytes(status: Path, name: str) -> int:
    line = next(row for row in status.read_text(encoding="ascii").splitlines() if name in row)
    return int(line.split()[1])


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|" + "---|" * len(HEADINGS)]
    for row in rows:
        memory = "not measured" if row.memory is None else f"{row.memory / 1e6:.0f}"
        cells = (
            *(row.network, row.device, row.way),
            *(f"{row.seconds:.3f}", f"{row.speed:.2f}", memory),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
