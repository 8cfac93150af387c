"""What there is to rate: the fills of a benchmark's run, as its rows name them."""

from dataclasses import dataclass
from pathlib import Path

from infill.batch.rows import ROWS_FILE
from infill.bench import rows
from infill.bench.layout import sample_folder
from infill.bench.rows import Row
from infill.errors import BatchError, Unreadable

PHOTO_NAMES = ("before.png", "before.jpg")
NEEDED = {"slug", "engine", "trial", "output"}


@dataclass(frozen=True)
class Fill:
    """One fill. engine: its label in the run's tables. output: its file. sha256: its pixels'."""

    engine: str
    trial: int
    output: Path
    sha256: str


@dataclass(frozen=True)
class Sample:
    """A photo with a hole, and every fill of it; `group` is shared by samples of one photo."""

    slug: str
    group: str
    prompt: str
    before: Path
    mask: Path
    fills: tuple[Fill, ...]

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that filled it, sorted."""
        return tuple(sorted({fill.engine for fill in self.fills}))


def read(folder: Path) -> list[Sample]:
    """The samples of a run that have a fill, sorted by slug.

    Fills that failed, or whose file is not there, are left out, as is a sample without its photo
    or mask.

    Raises `Unreadable` where there is no such folder or no rows in it, and `BatchError` for rows
    of another format, or of another kind of run.
    """
    path = folder / ROWS_FILE
    if not path.is_file():
        raise Unreadable(f"{folder} is not the folder of a run (it has no {ROWS_FILE}); name one")
    by_slug: dict[str, list[Row]] = {}
    for row in rows.read(folder):
        if not NEEDED.issubset(row):
            raise BatchError(f"{path} holds no rows of a benchmark; name a run of `infill bench`")
        by_slug.setdefault(row["slug"], []).append(row)
    found = (_sample(folder, slug, mine) for slug, mine in sorted(by_slug.items()))
    return [sample for sample in found if sample is not None]


def _sample(folder: Path, slug: str, mine: list[Row]) -> Sample | None:
    place = folder / sample_folder(slug)
    before = next((place / name for name in PHOTO_NAMES if (place / name).is_file()), None)
    found = [fill for row in mine if (fill := _fill(folder, row)) is not None]
    if before is None or not (place / "mask.png").is_file() or not found:
        return None
    prompts = [str(row["prompt"]) for row in mine if row.get("prompt")]
    return Sample(
        slug=slug,
        group=str(mine[0].get("group") or slug),
        prompt=prompts[0] if prompts else "",
        before=before,
        mask=place / "mask.png",
        fills=tuple(sorted(found, key=lambda fill: (fill.engine, fill.trial))),
    )


def _fill(folder: Path, row: Row) -> Fill | None:
    """The fill of a row; None if it failed, or its file is gone or lies outside the run."""
    if row.get("error") or not row["output"]:
        return None
    output = folder / str(row["output"])
    if not output.is_file() or not output.resolve().is_relative_to(folder.resolve()):
        return None
    sha256 = str(row.get("output_sha256") or "")
    return Fill(str(row["engine"]), int(row["trial"]), output, sha256)
