"""The run as data: `rows.csv`, a line for each row, and `summary.json`."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from infill.bench.summary import Summary
from infill.bench.words import sane

Row = Mapping[str, Any]

FIRST = (
    "key", "sample", "slug", "kind", "dataset", "engine", "options", "trial", "seed",
    "width", "height", "coverage", "prompt",
)  # fmt: skip
LAST = (
    "first", "host_mb", "device_mb", "joules", "output", "output_sha256", "notes", "error",
    "format", "infill",
)  # fmt: skip
NESTED = ("seconds", "scores")
LEFT_OUT = frozenset({"recipe"})


def csv_text(rows: Sequence[Row]) -> str:
    """One line a row, in their order, after a line of names.

    Scores and seconds have a column each (`scores.psnr`, `seconds.total`), in the order in which
    they first appear; "exact" stands for infinity and an empty cell for what was not measured.
    Options and notes are JSON. What else rows have comes last. The recipe is left out: it is in
    `rows.jsonl` and in the fill.
    """
    inner = {name: list(dict.fromkeys(key for row in rows for key in row.get(name) or {}))
             for name in NESTED}  # fmt: skip
    told = {*FIRST, *NESTED, *LAST, *LEFT_OUT}
    last = [*LAST, *dict.fromkeys(key for row in rows for key in row if key not in told)]
    names = [
        *FIRST,
        *(f"seconds.{key}" for key in inner["seconds"]),
        *(f"scores.{key}" for key in inner["scores"]),
        *last,
    ]
    stream = io.StringIO()
    out = csv.writer(stream, lineterminator="\n")
    out.writerow(names)
    for row in rows:
        nested = [_cell((row.get(name) or {}).get(key)) for name in NESTED for key in inner[name]]
        out.writerow(
            [*(_cell(row.get(key)) for key in FIRST), *nested, *(_cell(row.get(k)) for k in last)]
        )
    return stream.getvalue()


def _cell(value: Any) -> str:
    if type(value) is str:
        return value  # most of them
    value = sane(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return str(value)


def json_text(summary: Summary) -> str:
    """The summary as JSON, indented; infinity as "exact", NaN as null."""
    return json.dumps(sane(asdict(summary)), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
