"""Curves of training runs side by side: what each look at the held-out photos measured.

    python -m benchmarks.curves L1=out/l1.run GAN=out/gan.run --svg docs/images/losses.svg

A run is a name and the folder with its log.jsonl (or that file). Prints a table in Markdown of
the looks after `--from`, and draws one small chart for each figure.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

FIGURES = {
    "masked_psnr": "masked PSNR, dB",
    "haarpsi": "HaarPSI",
    "texture": "texture distance",
    "sharpness": "sharpness",
}
DIGITS = {"masked_psnr": 2, "haarpsi": 4, "texture": 1, "sharpness": 2}
COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#8d6a9f", "#c98b1d")
WIDTH, HEIGHT, MARGIN, HEAD = 320, 220, 44, 26
"""Pixels of a chart, of its margins, and of the line with the names above all."""

Look = Mapping[str, float]


@dataclass(frozen=True)
class Run:
    """One curve: its name, and its looks in their order."""

    name: str
    looks: Sequence[Look]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.curves",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("runs", nargs="+", metavar="NAME=PATH")
    parser.add_argument("--from", dest="start", type=int, default=0, help="first step shown")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the charts")
    options = parser.parse_args(arguments)
    runs = [read(text, options.start) for text in options.runs]
    print(table(runs))
    if options.svg:
        options.svg.parent.mkdir(parents=True, exist_ok=True)
        options.svg.write_text(svg(runs), encoding="utf-8")
    return 0


def read(text: str, start: int = 0) -> Run:
    """The run that `NAME=PATH` names; only looks with all figures, at step `start` or later."""
    name, _, place = text.partition("=")
    path = Path(place)
    path = path / "log.jsonl" if path.is_dir() else path
    if not place or not path.is_file():
        raise SystemExit(f"{text} is no NAME=PATH of a run's log.jsonl")
    lines = path.read_text(encoding="utf-8").splitlines()
    looks = [json.loads(line) for line in lines]
    shown = [look for look in looks if look["step"] >= start and set(FIGURES) <= set(look)]
    if not shown:
        raise SystemExit(f"{path} has no look with {', '.join(FIGURES)} from step {start} on")
    return Run(name, shown)


def table(runs: Sequence[Run]) -> str:
    """Every look of every run, in Markdown."""
    from infill.sheets import markdown

    rows = [
        [run.name, f"{look['step']:,}", *(f"{look[key]:.{DIGITS[key]}f}" for key in FIGURES)]
        for run in runs
        for look in run.looks
    ]
    return markdown(["run", "step", *FIGURES.values()], rows, right=range(1, 2 + len(FIGURES)))


def svg(runs: Sequence[Run]) -> str:
    """The charts in a row, each with a line for every run."""
    charts = "".join(
        f'<g transform="translate({index * WIDTH} {HEAD})">{_chart(runs, key)}</g>'
        for index, key in enumerate(FIGURES)
    )
    names = "".join(
        f'<text x="{MARGIN + 150 * index}" y="17" fill="{_colour(index)}">{escape(run.name)}</text>'
        for index, run in enumerate(runs)
    )
    wide, tall = WIDTH * len(FIGURES), HEIGHT + HEAD
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" width="{wide}" '
        f'height="{tall}" font-family="sans-serif" font-size="12">'
        f'<rect width="{wide}" height="{tall}" fill="white"/>{names}{charts}</svg>\n'
    )


def _chart(runs: Sequence[Run], key: str) -> str:
    points = [(look["step"], look[key]) for run in runs for look in run.looks]
    (left, right), (low, high) = (_range(values) for values in zip(*points, strict=True))

    def place(step: float, value: float) -> str:
        x = MARGIN + (WIDTH - MARGIN - 16) * (step - left) / (right - left)
        y = HEIGHT - MARGIN + (2 * MARGIN - HEIGHT) * (value - low) / (high - low)
        return f"{x:.1f},{y:.1f}"

    lines = ""
    for index, run in enumerate(runs):
        path = " ".join(place(look["step"], look[key]) for look in run.looks)
        colour = _colour(index)
        lines += f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for point in path.split():
            x, y = point.split(",")
            lines += f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>'
    bottom, digits = HEIGHT - MARGIN, DIGITS[key]
    return (
        f'<text x="{MARGIN}" y="{MARGIN - 12}">{escape(FIGURES[key])}</text>'
        f'<path d="M{MARGIN} {MARGIN}V{bottom}H{WIDTH - 16}" fill="none" stroke="#888"/>'
        f'<text x="{MARGIN - 4}" y="{MARGIN + 8}" text-anchor="end">{high:.{digits}f}</text>'
        f'<text x="{MARGIN - 4}" y="{bottom}" text-anchor="end">{low:.{digits}f}</text>'
        f'<text x="{MARGIN}" y="{bottom + 16}">{left:,.0f}</text>'
        f'<text x="{WIDTH - 16}" y="{bottom + 16}" text-anchor="end">{right:,.0f}</text>{lines}'
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    """The least and the largest; never equal."""
    return min(values), max(values) if max(values) > min(values) else min(values) + 1


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


if __name__ == "__main__":
    sys.exit(main())
