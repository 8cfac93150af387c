"""`infill compare`: score filled photos against the truth."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import typer

from infill.cli import common, flags
from infill.errors import BatchError, InfillError, MaskError, Unreadable

METRICS = ("psnr", "ssim")
PERCENTILES = (5, 25, 75, 90, 95)

EXAMPLES = """[bold]Examples[/bold]

[green]infill compare filled.png truth.png --mask mask.png[/green]

[green]infill compare out/ photos/ --masks masks/[/green]   photos are matched by relative name

[green]infill compare out/ photos/ --masks masks/ --csv > scores.csv[/green]"""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("compare", epilog=EXAMPLES)(compare)


@common.command
def compare(
    filled: Annotated[Path, typer.Argument(help="The filled photo, or a folder of them.")],
    truth: Annotated[Path, typer.Argument(help="What it ought to be: a photo or a folder.")],
    mask: Annotated[
        Path | None,
        typer.Option("--mask", "--masks", "-m", help="Score inside this mask too (or folder)."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="NAME", help="Metrics to use. [default: psnr, ssim]"),
    ] = None,
    invert_mask: flags.InvertMask = False,
    threshold: flags.Threshold = 0.5,
    json: flags.AsJson = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print one line per photo as CSV.")] = False,
    verbose: flags.Verbose = 0,
) -> None:
    """Score filled photos against the truth, over the whole photo and inside the mask.

    For a folder: the mean, the median and percentiles. A photo that is equal has no finite PSNR;
    it is counted as exact and left out of the mean.
    """
    names = list(metric or METRICS)
    rows: dict[str, dict[str, float]] = {}
    failures: list[tuple[str, str]] = []
    for name, paths in pairs(filled, truth, mask):
        try:
            rows[name] = _score(paths, names, threshold, invert_mask)
        except InfillError as error:
            if not filled.is_dir():
                raise
            failures.append((name, str(error)))
    for name, why in failures:
        common.complain(f"{name}: {why}")
    if csv:
        _print_csv(rows)
    elif json:
        common.print_json(_report(rows, failures))
    elif filled.is_dir():
        _tell_many(rows)
    else:
        _tell_one(*rows.items())
    if failures:
        raise typer.Exit(1)


Paths = tuple[Path, Path, Path | None]


def pairs(filled: Path, truth: Path, mask: Path | None) -> Iterator[tuple[str, Paths]]:
    """Names, and the filled photo, the truth and the mask of each.

    Raises `Unreadable` if one does not exist, `BatchError` if one is a folder and the other is
    not, or nothing fits together.
    """
    for path in (filled, truth, mask):
        if path is not None and not path.exists():
            raise Unreadable(f"{path} does not exist; check the name")
    if not filled.is_dir():
        if truth.is_dir():
            raise BatchError(f"{filled} is a file and {truth} a folder; give two of a kind")
        yield filled.name, (filled, truth, mask)
        return
    for folder in (truth, mask):
        if folder is not None and not folder.is_dir():
            raise BatchError(f"{filled} is a folder and {folder} is none; give folders")
    from infill.batch.plan import MaskFinder, pictures

    truths: dict[str, list[str]] = {}
    for name in pictures(truth):
        truths.setdefault(_stem(name), []).append(name)
    finder = MaskFinder(mask, only_marked=mask.resolve() == filled.resolve()) if mask else None
    found = 0
    for name in pictures(filled):
        fitting = truths.get(_stem(name), [])
        fitting = [name] if name in fitting else fitting
        if len(fitting) != 1:
            continue
        found += 1
        place = finder.find(name)[0] if finder else None
        yield name, (filled / name, truth / fitting[0], Path(place) if place else None)
    if not found:
        raise BatchError(f"no photo in {filled} has the name of one in {truth}")


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _score(paths: Paths, names: Sequence[str], threshold: float, invert: bool) -> dict[str, float]:
    """One row; what is inside the mask is NaN where there is no mask."""
    import numpy as np

    from infill.masks.parse import as_mask
    from infill.metrics.base import measure_all, to_unit
    from infill.picture import Picture

    filled, truth = (Picture.load(path) for path in paths[:2])
    if (filled.height, filled.width) != (truth.height, truth.width):
        raise MaskError(
            f"{paths[0]} is {filled.width}×{filled.height} and {paths[1]} is "
            f"{truth.width}×{truth.height}; only photos of one size can be compared"
        )
    if paths[2] is None:
        hole = np.zeros((truth.height, truth.width), dtype=bool)
    else:
        hole = as_mask(str(paths[2]), truth, threshold=threshold, invert=invert)
    return measure_all(to_unit(truth.pixels), to_unit(filled.pixels), hole, names)


def statistics(values: Sequence[float]) -> dict[str, float]:
    """Mean, median and percentiles of the finite values, how many those are, and how many
    were exact (infinite). NaN where there is nothing finite."""
    import numpy as np

    finite = np.array([value for value in values if math.isfinite(value)])
    answer = {"count": float(len(finite)), "exact": float(sum(map(math.isinf, values)))}
    empty = not len(finite)
    answer["mean"] = math.nan if empty else float(finite.mean())
    answer["median"] = math.nan if empty else float(np.median(finite))
    for percent in PERCENTILES:
        answer[f"p{percent}"] = math.nan if empty else float(np.percentile(finite, percent))
    return answer


def _columns(rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Every figure that some photo has, in the metrics' order."""
    first = next(iter(rows.values()), {})
    return [key for key in first if any(not math.isnan(row[key]) for row in rows.values())]


def _report(
    rows: Mapping[str, Mapping[str, float]], failures: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    from infill.metrics.base import to_json

    summary = {
        key: to_json(statistics([row[key] for row in rows.values()])) for key in _columns(rows)
    }
    photos = [{"name": name, **to_json(row)} for name, row in rows.items()]
    failed = [{"name": name, "error": error} for name, error in failures]
    return {"photos": photos, "summary": summary, "failures": failed}


def _print_csv(rows: Mapping[str, Mapping[str, float]]) -> None:
    import csv
    import sys

    columns = _columns(rows)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["name", *columns])
    for name, row in rows.items():
        cells = ["exact" if math.isinf(row[key]) else row[key] for key in columns]
        writer.writerow([name, *("" if cell != cell else cell for cell in cells)])


def _digits(key: str) -> int:
    return 2 if "psnr" in key else 4


def _tell_one(item: tuple[str, Mapping[str, float]]) -> None:
    from infill.metrics.base import format_score

    name, row = item
    cells = [[key.replace("_", " "), format_score(row[key], _digits(key))] for key in row]
    common.table([name, ""], cells, right=[1])


def _tell_many(rows: Mapping[str, Mapping[str, float]]) -> None:
    from infill.metrics.base import format_score

    titles = ["photos", "exact", "mean", "median", *(f"{percent} %" for percent in PERCENTILES)]
    lines = []
    for key in _columns(rows):
        found = statistics([row[key] for row in rows.values()])
        figures = [found["mean"], found["median"], *(found[f"p{p}"] for p in PERCENTILES)]
        counts = [str(int(found["count"] + found["exact"])), str(int(found["exact"]))]
        lines.append(
            [key.replace("_", " "), *counts]
            + [format_score(figure, _digits(key)) for figure in figures]
        )
    common.table(["", *titles], lines, right=range(1, len(titles) + 1))
