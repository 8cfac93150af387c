"""Writes the report of a run: the page, and the same as Markdown, CSV, JSON and one picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infill import settings
from infill.bench.report import album, files, markdown, page
from infill.bench.report.album import Room
from infill.bench.report.records import records
from infill.bench.summary import Summary
from infill.errors import Unwritable
from infill.files import write_atomically

Row = Mapping[str, Any]

PAGE, TEXT, TABLE, DATA, PICTURE = (
    "index.html", "report.md", "rows.csv", "summary.json", "summary.jpg",
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """What was written. page, picture: None where they were not asked for.

    full, small, bare: samples on the page that can be enlarged, are shown small, have figures only.
    """

    folder: Path
    page: Path | None
    markdown: Path
    csv: Path
    json: Path
    picture: Path | None
    full: int = 0
    small: int = 0
    bare: int = 0


def write(
    summary: Summary,
    rows: Sequence[Row],
    run: Path,
    out: Path,
    *,
    html: bool = True,
    picture: bool = True,
    room: Room | None = None,
    threads: int | None = None,
) -> Written:
    """Write the report of a run to the folder `out`, which is made; files of before are replaced.

    run:     the folder of the run, in which the pictures that rows and summary name are found.
             One that is missing or damaged is told on the page, and no error.
    html, picture: whether to write the page and the summary picture.
    room:    how many bytes and samples of pictures the page may hold (see `Room`).
    threads: that read and encode pictures (None: the setting). They change no byte.

    Raises `Unwritable` if `out` can't be made or written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unwritable(
            f"the folder {out} for the report can't be made: {error.strerror}"
        ) from error
    count = settings.current().worker_threads if threads is None else threads
    drawn = None
    if picture:
        from infill.bench.report import banner

        drawn = _put(out / PICTURE, banner.draw(summary, rows, run))
    text = markdown.write(summary, picture=PICTURE if picture else None)
    shown, paged = album.Album(), None
    if html:
        shown = album.make(summary.pictures, rows, run, room or Room(), max(1, count))
        whole = page.write(summary, records(rows, summary), shown)
        paged = _put(out / PAGE, whole.encode("utf-8", "replace"))
    return Written(
        folder=out,
        page=paged,
        markdown=_put(out / TEXT, text.encode("utf-8", "replace")),
        csv=_put(out / TABLE, files.csv_text(rows).encode("utf-8", "replace")),
        json=_put(out / DATA, files.json_text(summary).encode("utf-8", "replace")),
        picture=drawn,
        full=shown.full,
        small=shown.small,
        bare=shown.bare,
    )


def _put(path: Path, content: bytes) -> Path:
    return write_atomically(path, content, overwrite=True)
