"""A blind look: two methods' fills side by side, and nothing says which is whose.

`sheets` fills photos by both methods and draws them in random order, some rows to a sheet, with
what is what in a file that is not to be opened yet. Whoever looks writes a line for each pair,
`NUMBER A`, `NUMBER B` or `NUMBER =`, and `tally` opens the file and counts.

    python -m benchmarks.blind sheets hybrid exemplar --out out/blind
    python -m benchmarks.blind tally --out out/blind --answers answers.txt
"""

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.threads import set_threads, use_opencv_threads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from benchmarks.cases import Case
    from infill.geometry import Box

    Pixels = NDArray[np.uint8]

ROWS = 8
"""Pairs on a sheet."""

AROUND = 0.35
"""What is shown around the hole, as a fraction of its longer side."""

KEY = "key.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.blind",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    draw = commands.add_parser("sheets", help="fill, and draw the sheets")
    draw.add_argument("methods", nargs=2, metavar="METHOD", help="an engine, or a peer's name")
    draw.add_argument("--pairs", type=int, default=40, help="photos (default: 40)")
    draw.add_argument("--seed", type=int, default=0, help="of the order (default: 0)")
    draw.add_argument("--threads", type=int, default=2, help="threads for each (default: 2)")
    count = commands.add_parser("tally", help="count the answers")
    count.add_argument("--answers", type=Path, required=True, metavar="FILE")
    count.add_argument("--json", type=Path, metavar="FILE", help="write every answer")
    for command in (draw, count):
        command.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    options = parser.parse_args(arguments)
    return _sheets(options) if options.command == "sheets" else _tally(options)


# --- the sheets ---------------------------------------------------------------------------


def _sheets(options: argparse.Namespace) -> int:
    set_threads(options.threads)
    import numpy as np

    from benchmarks.cases import cases_at_hand, choose
    from benchmarks.fill import ready
    from benchmarks.sheet import draw

    use_opencv_threads(options.threads)
    cases = choose(cases_at_hand(), options.pairs)
    methods = ready(options.methods)
    if len(methods) < 2 or not cases:
        raise SystemExit("nothing to compare: no photo, or a method that cannot run here")
    order = np.random.default_rng(options.seed)
    key, bands = [], []
    for number, case in enumerate((cases[i] for i in order.permutation(len(cases))), 1):
        first, second = (methods[i] for i in order.permutation(2))
        key.append(Pair(number, case.name, case.kind, first.name, second.name))
        bands.append((f"{number}", _shown(case, first.fill, second.fill)))
    options.out.mkdir(parents=True, exist_ok=True)
    for page, start in enumerate(range(0, len(bands), ROWS), 1):
        path = options.out / f"sheet-{page}.png"
        draw(bands[start : start + ROWS], path)
        print(path)
    text = json.dumps([vars(pair) for pair in key], indent=1)
    (options.out / KEY).write_text(text + "\n", encoding="utf-8")
    print(f"{options.out / KEY} tells which is whose: do not open it before the answers are there")
    return 0


def _shown(case: "Case", *fills: "object") -> "list[tuple[str, Pixels | None]]":
    """The hole in grey, A and B, each cropped to the hole and what is around."""
    import numpy as np

    from benchmarks.cases import blanked

    truth, hole = case.load()
    box = view(hole)
    pictures = [("hole", np.where(hole[..., None], np.uint8(128), truth))]
    for name, fill in zip("AB", fills, strict=True):
        made, _ = fill(blanked(truth, hole), hole)  # type: ignore[operator]
        pictures.append((name, np.where(hole[..., None], made, truth)))
    return [(name, np.ascontiguousarray(one[box.slices])) for name, one in pictures]


def view(hole: "NDArray[np.bool_]") -> "Box":
    """What is shown of a photo with that hole."""
    from infill.geometry import bounds

    tight = bounds(hole)
    margin = math.ceil(AROUND * max(tight.height, tight.width))
    return tight.grown(margin, hole.shape)


# --- the answers --------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """One pair of fills: `a` and `b` are the methods."""

    number: int
    name: str
    kind: str
    a: str
    b: str


def read_answers(text: str, numbers: Sequence[int]) -> dict[int, str]:
    """`A`, `B` or `=` for every pair. Raises `SystemExit` for a line that is none, or a gap."""
    answers: dict[int, str] = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or not words[0].isdigit() or words[1] not in ("A", "B", "="):
            raise SystemExit(f"an answer is a number and A, B or =, not {line!r}")
        if int(words[0]) in answers:
            raise SystemExit(f"pair {words[0]} has two answers")
        answers[int(words[0])] = words[1]
    apart = sorted(set(numbers) ^ set(answers))
    if apart:
        raise SystemExit(f"pairs without an answer, or answers without a pair: {apart}")
    return answers


def count(pairs: Sequence[Pair], answers: Mapping[int, str]) -> dict[str, int]:
    """How often each method was preferred, and how often neither (`=`)."""
    wins = {name: 0 for pair in pairs for name in (pair.a, pair.b)} | {"=": 0}
    for pair in pairs:
        wins[{"A": pair.a, "B": pair.b, "=": "="}[answers[pair.number]]] += 1
    return wins


def sign_test(one: int, other: int) -> float:
    """How likely so uneven a count, or a more uneven one, is by chance: two-sided, no ties."""
    total = one + other
    tail = sum(math.comb(total, k) for k in range(min(one, other) + 1)) / 2**total
    return min(1.0, 2 * tail)


def _tally(options: argparse.Namespace) -> int:
    key = json.loads((options.out / KEY).read_text(encoding="utf-8"))
    pairs = [Pair(**one) for one in key]
    text = options.answers.read_text(encoding="utf-8")
    answers = read_answers(text, [pair.number for pair in pairs])
    for kind in [*dict.fromkeys(pair.kind for pair in pairs), "all"]:
        wins = count([pair for pair in pairs if kind in (pair.kind, "all")], answers)
        print(f"{kind}: " + ", ".join(f"{name} {number}" for name, number in wins.items()))
    one, other = (number for name, number in wins.items() if name != "=")
    print(f"by chance: {sign_test(one, other):.3f}")
    if options.json:
        rows = [vars(pair) | {"answer": answers[pair.number]} for pair in pairs]
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
