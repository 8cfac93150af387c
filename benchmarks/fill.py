"""Fill photos whose truth is known, by every method, and score what comes out.

The methods take turns on each photo, so that whatever else the machine does hits all alike.
Each fills one photo untimed first. The hole is blanked before any method sees the photo, and
only hole pixels are taken from what it returns.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.threads import describe, set_threads, use_opencv_threads, warn_if_busy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from benchmarks.cases import Case
    from benchmarks.peers import Method

    Pixels = NDArray[np.uint8]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 if `--check` was given and a target was missed."""
    options = parse(arguments)
    set_threads(options.threads)
    from benchmarks import table
    from benchmarks.cases import cases_at_hand, choose

    use_opencv_threads(options.threads)
    cases = choose(cases_at_hand(), options.photos)
    if options.kinds:
        cases = [case for case in cases if case.kind in options.kinds]
    methods = ready(options.methods)
    if not cases or not methods:
        raise SystemExit("nothing to do: no photo, or no method that can run here")
    print(describe())
    warn_if_busy()
    print(f"{len(cases)} photos, {len(methods)} methods\n", flush=True)

    keep = Keep(options.fills, sheet=options.sheet is not None)
    warm_up(methods, cases[0])
    rows = run(cases, methods, options.repeats, keep)

    names = [method.name for method in methods]
    labels = {method.name: method.label for method in methods}
    summary = table.summarise(rows, names)
    print((table.as_markdown if options.markdown else table.as_text)(summary, labels) + "\n")
    limits = table.targets(summary, options.ours)
    for limit in limits:
        print(limit)
    if options.json:
        write(options.json, rows, limits)
    if options.sheet:
        draw_sheet(options, cases, rows, labels, keep)
    missed = not all(limit.kept for limit in limits)
    return 1 if options.check and missed else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; nothing is imported for them, since threads must be set first."""
    from benchmarks.names import NAMES, OURS

    parser = argparse.ArgumentParser(prog="python -m benchmarks.fill", description=__doc__)
    parser.add_argument(
        "--methods",
        type=lambda text: text.split(","),
        default=list(NAMES),
        help=f"comma between them: {', '.join(NAMES)}, or any engine's name; default: these",
    )
    parser.add_argument(
        "--ours",
        default=OURS,
        help=f"the engine that has to win; {OURS} has limits of its own (default)",
    )
    parser.add_argument("--photos", type=int, metavar="N", help="only N, spread over the kinds")
    parser.add_argument("--kinds", type=lambda text: text.split(","), help="only these kinds")
    parser.add_argument("--threads", type=int, default=2, help="threads for each (default: 2)")
    parser.add_argument(
        "--repeats", type=int, default=1, help="fills of each photo; the fastest counts"
    )
    parser.add_argument("--markdown", action="store_true", help="print tables in Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every row")
    parser.add_argument("--fills", type=Path, metavar="FOLDER", help="write every fill")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="draw fills side by side")
    parser.add_argument(
        "--sheet-of", type=lambda text: text.split(","), help="names of the photos on the sheet"
    )
    parser.add_argument(
        "--sheet-worst",
        default="haarpsi",
        metavar="SCORE",
        help="else those where ours is furthest behind in this score (default: haarpsi)",
    )
    parser.add_argument("--sheet-rows", type=int, default=8, help="how many (default: 8)")
    parser.add_argument("--check", action="store_true", help="exit code 1 if a target is missed")
    return parser.parse_args(arguments)


def ready(names: Sequence[str]) -> "list[Method]":
    """The methods that can run here; a line for each that cannot."""
    from benchmarks.peers import method

    methods = []
    for name in names:
        found = method(name)
        if found.missing:
            print(f"{found.label} is skipped: {found.missing}")
        else:
            methods.append(found)
    return methods


def warm_up(methods: "Sequence[Method]", case: "Case") -> None:
    """One untimed fill by each, so that no import and no compilation is timed."""
    from benchmarks.cases import blanked

    truth, hole = case.load()
    for method in methods:
        method.fill(blanked(truth, hole), hole)


class Keep:
    """The fills, written to a folder, or kept (as PNG, they are many) for the sheet."""

    def __init__(self, folder: Path | None, sheet: bool) -> None:
        self.folder = folder
        self.sheet = sheet
        self._fills: dict[tuple[str, str], Any] = {}

    def add(self, name: str, method: str, pixels: "Pixels") -> None:
        """Keep the fill of photo `name` by `method`, if anything is to be kept."""
        if self.folder is None and not self.sheet:
            return
        import cv2

        encoded = cv2.imencode(
            ".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1]
        )[1]
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"{name}.{method}.png").write_bytes(encoded.tobytes())
        if self.sheet:
            self._fills[name, method] = encoded

    def get(self, name: str, method: str) -> "Pixels | None":
        """The fill, or None if that method failed on that photo."""
        import cv2

        encoded = self._fills.get((name, method))
        if encoded is None:
            return None
        decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        return None if decoded is None else decoded[..., ::-1].astype("uint8")


def run(
    cases: "Sequence[Case]", methods: "Sequence[Method]", repeats: int, keep: Keep
) -> list[dict[str, Any]]:
    """A row for each photo and method; a method that raises gets a row with an error."""
    rows = []
    begun = time.perf_counter()
    for number, case in enumerate(cases, 1):
        truth, hole = case.load()
        for method, filled, row in take_turns(case, truth, hole, methods, repeats):
            if filled is not None:
                keep.add(case.name, method, filled)
            rows.append(row)
        if sys.stderr.isatty():
            spent = time.perf_counter() - begun
            left = spent / number * (len(cases) - number)
            print(f"\r{number}/{len(cases)}, {left:.0f} s left ", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return rows


def take_turns(
    case: "Case",
    truth: "Pixels",
    hole: "NDArray[np.bool_]",
    methods: "Sequence[Method]",
    repeats: int,
) -> "list[tuple[str, Pixels | None, dict[str, Any]]]":
    """Let every method fill the photo `repeats` times in turn, then score the fills."""
    from benchmarks.cases import blanked

    fills: dict[str, Pixels] = {}
    seconds: dict[str, float] = {}
    errors: dict[str, str] = {}
    for _ in range(repeats):
        for method in methods:
            if method.name in errors:
                continue
            try:
                fills[method.name], took = method.fill(blanked(truth, hole), hole.copy())
                seconds[method.name] = min(took, seconds.get(method.name, took))
            except Exception as error:  # the others go on; the row says what happened
                errors[method.name] = f"{type(error).__name__}: {error}"
                print(f"{case.name}: {method.label} failed: {errors[method.name]}")
    about: dict[str, Any] = {"name": case.name, "kind": case.kind, "hole": float(hole.mean())}
    about |= {"width": truth.shape[1], "height": truth.shape[0]}
    found: list[tuple[str, Pixels | None, dict[str, Any]]] = []
    for method in methods:
        row: dict[str, Any] = {**about, "method": method.name}
        if method.name in errors:
            found.append((method.name, None, row | {"error": errors[method.name]}))
            continue
        filled = truth.copy()
        filled[hole] = fills[method.name][hole]
        row |= {"seconds": seconds[method.name], **score(truth, filled, hole)}
        found.append((method.name, filled, row))
    return found


def score(truth: "Pixels", filled: "Pixels", hole: "NDArray[np.bool_]") -> dict[str, float]:
    """The measured metrics' row."""
    from benchmarks.table import MEASURED
    from infill.metrics.base import measure_all, to_unit

    return measure_all(to_unit(truth), to_unit(filled), hole, MEASURED)


def write(path: Path, rows: Sequence[dict[str, Any]], limits: Sequence[Any]) -> None:
    """Every row and target as JSON, with what is infinite or undefined in words JSON has."""
    from benchmarks.limits import write_json
    from infill.metrics.base import to_json

    plain = [row | to_json({k: v for k, v in row.items() if isinstance(v, float)}) for row in rows]
    json.dumps(plain, allow_nan=False)
    write_json(path, limits, threads=describe(), rows=plain)
    print(f"rows: {path}")


def draw_sheet(
    options: argparse.Namespace,
    cases: "Sequence[Case]",
    rows: Sequence[dict[str, Any]],
    labels: dict[str, str],
    keep: Keep,
) -> None:
    """Draw the photos named, or those on which ours is worst."""
    from benchmarks import sheet

    names = options.sheet_of or sheet.worst(rows, options.sheet_worst, options.sheet_rows)
    bands = []
    for case in [case for name in names for case in cases if case.name == name]:
        truth, hole = case.load()
        of = {row["method"]: row for row in rows if row["name"] == case.name}
        band: list[Any] = [("truth", truth), ("hole", sheet.hole_shown(truth, hole))]
        for name in sheet.ordered(list(of)):
            band.append((sheet.caption(of[name], labels[name]), keep.get(case.name, name)))
        bands.append((sheet.title(case.name, of), band))
    if not bands:
        print("no photo for the sheet")
        return
    sheet.draw(bands, options.sheet)
    print(f"sheet: {options.sheet}")


if __name__ == "__main__":
    sys.exit(main())
