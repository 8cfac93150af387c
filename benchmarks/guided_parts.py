"""The parts of `benchmarks.guided`: what is measured, and the tables and sheets of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.guided_cases import Outcome, goal_shown
from benchmarks.guided_report import difference, draw, grid, median
from infill import sheets

if TYPE_CHECKING:
    from benchmarks.guided import Bench

STARTS = (0.25, 0.5, 0.75, 1.0)
ENDS = (0.4, 0.6, 0.8, 1.0)
HEATS = ((0, 0), (1, 1), (2, 2), (3, 4), (6, 12))  # width and passes
BUFFERS = (0, 1, 2)
ALLOWED = 1.5  # times the seam that RePaint has without a target, for a recommended setting

BARE: dict[str, Any] = {"heat_width": 0, "buffer": 0}
"""Neither heat nor buffer."""


def seam(bench: "Bench") -> tuple[str, Any]:
    """Resampling against plain replacement, with as many calls, too."""
    free = {"lambda_start": 0.0, **BARE}
    fast = bench.measured("RePaint", free)
    few, many = bench.steps(free), fast.calls
    plain = {**free, "schedule": "custom", "eta": 1.0}
    limit = min(many, len(bench.denoiser.schedule))
    outcomes = {
        f"plain replacement, {few} steps": bench.measured(
            "plain", {**plain, "num_inference_steps": few}
        ),
        f"plain replacement, {limit} steps": bench.measured(
            "plain, as many calls", {**plain, "num_inference_steps": limit}
        ),
        "RePaint, this project's schedule": fast,
    }
    if bench.options.published:
        published = {**free, "schedule": "published"}
        outcomes["RePaint, published schedule"] = bench.measured("published", published)
    seams = {name: _column(one, "seam") for name, one in outcomes.items()}
    first = next(iter(seams))
    rows = [
        [
            name,
            str(one.calls),
            str(median(seams[name])),
            "" if name == first else str(difference(seams[name], seams[first])),
            str(median(_column(one, "haarpsi"))),
        ]
        for name, one in outcomes.items()
    ]
    head = ["method", "calls", "seam", "less the first, photo by photo", "HaarPSI"]
    bands = []
    for index, sample in bench.shown():  # captions: method, calls, seam
        at = index * bench.options.seeds
        row = [("photo", sample.truth), ("hole", sample.scene)]
        row += [
            (f"{name.split()[0]} {one.calls}: {one.rows[at]['seam']:.2f}", one.pictures[at])
            for name, one in outcomes.items()
        ]
        bands.append((sample.name, row))
    draw(bands, bench.out / "seam.jpg")
    table = sheets.markdown(head, rows, right=range(1, len(head)))
    text = (
        "### The seam: resampling against plain replacement\n\n"
        "Seam: 1 = no rougher than the photo beside the border; lower is better.\n\n" + table
    )
    return text, {name: one.rows for name, one in outcomes.items()}


def weights(bench: "Bench") -> tuple[str, Any]:
    """Closeness to the target, and the seam, against λ₀ and p."""
    outcomes = {"none": bench.measured("without target", {"lambda_start": 0.0, **BARE})}
    settings: dict[str, Any] = {"none": {"lambda_start": 0.0}}
    for start in STARTS:
        for end in ENDS:
            settings[_cell(start, end)] = {"lambda_start": start, "lambda_until": end}
        constant = {"lambda_start": start, "lambda_kind": "constant"}
        settings[_cell(start, "constant")] = constant
    for name, setting in settings.items():
        if name not in outcomes:
            outcomes[name] = bench.measured(name, {**setting, **BARE})
    columns = [*(f"p = {end:g}" for end in ENDS), "constant"]
    tables = []
    for key, title in (
        ("distance", "Distance from the target (root mean square, of the full range)"),
        ("seam", "Seam"),
    ):
        cells = [[str(median(_column(outcomes["none"], key)))] * len(columns)] + [
            [str(median(_column(outcomes[_cell(start, end)], key))) for end in (*ENDS, "constant")]
            for start in STARTS
        ]
        names = ["λ₀ = 0 (RePaint)", *(f"λ₀ = {start:g}" for start in STARTS)]
        tables.append(f"{title}; lower is better:\n\n{grid('', names, columns, cells)}")
    _weights_sheet(bench, outcomes)
    text = "### Closeness to the target against λ₀ and p\n\n" + "\n\n".join(tables)
    figures = {
        name: {"setting": settings[name], "rows": one.rows} for name, one in outcomes.items()
    }
    return text, figures


def _weights_sheet(bench: "Bench", outcomes: dict[str, Outcome]) -> None:
    shown = list(bench.shown())[:3]
    bands = []
    first: list[tuple[str, Any]] = []
    for index, sample in shown:
        goal = goal_shown(sample, bench.options.model)
        free = outcomes["none"].pictures[index * bench.options.seeds]
        first += [("hole", sample.scene), ("target", goal), ("RePaint", free)]
        first += [("", goal * 0 + 1)] * (len(ENDS) + 1 - 3)
    bands.append(("", first))
    for start in STARTS:
        row = [
            (f"L {start:g} {_end(end)}", outcomes[_cell(start, end)].pictures[at])
            for at in (index * bench.options.seeds for index, _ in shown)
            for end in (*ENDS, "constant")
        ]
        bands.append(("", row))
    draw(bands, bench.out / "lambda.jpg")


def border(bench: "Bench") -> tuple[str, Any]:
    """The seam against heat and buffer, at the engine's own λ, in the paper's own form."""
    outcomes, settings = {}, {}
    for width, passes in HEATS:
        for buffer in BUFFERS:
            name = _border(width, passes, buffer)
            settings[name] = {
                "heat_width": width,
                "heat_passes": passes,
                "buffer": buffer,
                "placement": "frame",
            }
            outcomes[name] = bench.measured(name, settings[name])
    columns = [f"buffer {buffer}" for buffer in BUFFERS]
    names = [f"heat {width}, {passes} passes" for width, passes in HEATS]
    tables = []
    for key, title in (
        ("seam", "Seam"),
        ("seam_blended", "Seam if what was heated were kept, as in the paper"),
        ("distance", "Distance from the target"),
    ):
        cells = [
            [str(median(_column(outcomes[_border(*heat, buffer)], key))) for buffer in BUFFERS]
            for heat in HEATS
        ]
        tables.append(f"{title}; lower is better:\n\n{grid('', names, columns, cells)}")
    for key, kept in (("seam", ""), ("seam_blended", ", what was heated kept")):
        cells = [
            [
                str(difference(_column(outcomes[_border(*heat, buffer)], key),
                               _column(outcomes[_border(*HEATS[0], buffer)], "seam")))
                for buffer in BUFFERS
            ]
            for heat in HEATS[1:]
        ]  # fmt: skip
        tables.append(
            f"Seam less that without heat, photo by photo{kept}:\n\n"
            + grid("", names[1:], columns, cells)
        )
    shown = list(bench.shown())[:4]
    bands = [
        (
            name,
            [
                (f"{sample.name[:3]} buffer {buffer}",
                 outcomes[_border(*heat, buffer)].pictures[index * bench.options.seeds])
                for index, sample in shown
                for buffer in BUFFERS
            ],
        )
        for heat, name in zip(HEATS, names, strict=True)
    ]  # fmt: skip
    draw(bands, bench.out / "border.jpg")
    text = (
        "### The seam with and without heat and buffer\n\n"
        "The target fills the whole hole, its own background included (`placement=frame`).\n\n"
        + "\n\n".join(tables)
    )
    figures = {
        name: {"setting": settings[name], "rows": one.rows} for name, one in outcomes.items()
    }
    return text, figures


def recommend(out: Path) -> str:
    """λ and p that come close and cost the seam little; heat and buffer of the least seam."""
    files = [out / f"{part}.json" for part in ("lambda", "border")]
    if not all(file.exists() for file in files):
        return "### Recommended\n\nNot measured: run the parts lambda and border first.\n"
    lambdas, borders = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    limit = ALLOWED * median([row["seam"] for row in lambdas.pop("none")["rows"]]).value
    fair = {
        name: one
        for name, one in lambdas.items()
        if "lambda_kind" not in one["setting"] and _median_of(one, "seam") <= limit
    }
    rows = [
        _chosen("λ₀ and p", fair, "distance"),
        _chosen("heat and buffer", borders, "seam"),
    ]
    return (
        "### Recommended\n\n"
        "λ₀ and p: the closest to the target among those that fall to 0, so that the model has the "
        f"last word, and whose seam is at most {ALLOWED:g} times that of RePaint without a target "
        f"({limit:.3f}). Heat and buffer: the lowest seam.\n\n"
        + sheets.markdown(["", "setting", "distance", "seam"], rows, right=(2, 3))
        + "\n"
    )


def _chosen(title: str, table: Mapping[str, Any], key: str) -> list[str]:
    """The line of the setting whose median of `key` is lowest."""
    if not table:
        return [title, "none keeps the seam", "", ""]
    name = min(table, key=lambda name: _median_of(table[name], key))
    rows = table[name]["rows"]
    return [title, name, *(str(median([r[k] for r in rows])) for k in ("distance", "seam"))]


def _median_of(one: Mapping[str, Any], key: str) -> float:
    return median([row[key] for row in one["rows"]]).value


def _column(outcome: Outcome, key: str) -> list[float]:
    return [row[key] for row in outcome.rows]


def _end(end: float | str) -> str:
    return end if isinstance(end, str) else f"p {end:g}"


def _cell(start: float, end: float | str) -> str:
    return f"λ₀ = {start:g}, " + (end if isinstance(end, str) else f"p = {end:g}")


def _border(width: int, passes: int, buffer: int) -> str:
    return f"heat {width} × {passes}, buffer {buffer}"
