"""The answers, in one SQLite file beside the run: one row for each answer to each criterion.

Every ballot is one transaction that is on disk before the next one is shown (write-ahead log,
`synchronous=FULL`), so a server may be killed at any moment and several may run at once. Each
call opens the file for itself; nothing is held between calls.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from infill.errors import BadSetting, Unreadable, Unwritable
from infill.rating.ballots import Ballot
from infill.rating.criteria import NAMES

FILE = "ratings.sqlite"
APPLICATION = 0x496E5274  # "InRt", tells our file from another program's
VERSION = 1
PATIENCE = 10.0  # seconds to wait for another writer

SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE answers (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  rater TEXT NOT NULL,
  question TEXT NOT NULL,
  repeat INTEGER NOT NULL,
  criterion TEXT NOT NULL,
  slug TEXT NOT NULL,
  photo TEXT NOT NULL,
  shown TEXT NOT NULL,
  place INTEGER,
  UNIQUE (rater, question, repeat, criterion)
) STRICT;
"""

COLUMNS = "at, rater, question, repeat, criterion, slug, photo, shown, place"

T = TypeVar("T")


@dataclass(frozen=True)
class Shown:
    """One fill as it was shown. sha256: of its pixels at that time."""

    engine: str
    trial: int
    sha256: str


@dataclass(frozen=True)
class Answer:
    """One answer. place: index into `shown`, from 0; None = no difference.

    photo: what the answer says something about, shared by samples of one photo. at: UTC, ISO 8601.
    """

    rater: str
    question: str
    repeat: int
    criterion: str
    slug: str
    photo: str
    shown: tuple[Shown, ...]
    place: int | None
    at: str = ""

    @property
    def chosen(self) -> str | None:
        """The engine that was chosen."""
        return None if self.place is None else self.shown[self.place].engine


class Store:
    """The answers of a run. The file is made when the first thing is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, rater: str, ballot: Ballot, places: Mapping[str, int | None]) -> bool:
        """Keep a rater's answers to a ballot, all or none; on disk when this returns.

        places: for each criterion, the place that was chosen, from 0; None = no difference.
        returns: whether they are new. The first answer to a question counts, so that a second
        click, or a second page, changes nothing.

        Raises `BadSetting` for a criterion or a place that there is not, and `Unwritable`.
        """
        if not places or not set(places) <= set(NAMES):
            raise BadSetting(f"answers are to {', '.join(NAMES)}")
        if any(
            place is not None and place not in range(len(ballot.places))
            for place in places.values()
        ):
            raise BadSetting("an answer names a place that the ballot does not have")
        shown = json.dumps([[fill.engine, fill.trial, fill.sha256] for fill in ballot.shown])
        at = datetime.now(UTC).isoformat(timespec="seconds")
        sample = ballot.question.sample
        common = (sample.slug, sample.group, shown)
        rows = [
            (at, rater, ballot.question.id, ballot.repeat, criterion, *common, place)
            for criterion, place in places.items()
        ]
        with self._writing() as file:
            known = file.execute(
                "SELECT 1 FROM answers WHERE rater = ? AND question = ? AND repeat = ?",
                rows[0][1:4],
            ).fetchone()
            if known is None:
                file.executemany(
                    f"INSERT INTO answers ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    rows,
                )
        return known is None

    def settle(
        self, wanted: Mapping[str, int | None], defaults: Mapping[str, int]
    ) -> dict[str, int]:
        """What the ballots of this run are drawn by, settled once for all who rate it.

        wanted: what this start asks for; None = what was settled, or the default.

        Raises `BadSetting` for another value than the one that was settled.
        """
        with self._writing() as file:
            kept = {
                name: int(value) for name, value in file.execute("SELECT name, value FROM settings")
            }
            for name, value in wanted.items():
                if name in kept and value is not None and value != kept[name]:
                    raise BadSetting(
                        f"this run is rated with {name} {kept[name]}, and all who rate it are "
                        f"asked the same; leave --{name} out, or delete {self.path} to start anew"
                    )
                if name not in kept:
                    kept[name] = defaults[name] if value is None else value
                    file.execute(
                        "INSERT INTO settings (name, value) VALUES (?, ?)", (name, str(kept[name]))
                    )
        return {name: kept[name] for name in wanted}

    def answered(self, rater: str) -> set[tuple[str, int]]:
        """Ballots that a rater has answered: question and repeat."""
        if not self.path.exists():
            return set()
        with self._reading() as file:
            found = file.execute(
                "SELECT DISTINCT question, repeat FROM answers WHERE rater = ?", (rater,)
            )
            return {(str(question), int(repeat)) for question, repeat in found}

    def answers(self) -> list[Answer]:
        """Every answer, in the order in which they were given; none where there is no file.

        Raises `BadSetting` for a file of another version, and `Unreadable`.
        """
        if not self.path.exists():
            return []
        with self._reading() as file:
            return [
                _answer(row) for row in file.execute(f"SELECT {COLUMNS} FROM answers ORDER BY id")
            ]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; what is raised in it undoes it."""
        if not self.path.parent.is_dir():
            raise Unwritable(f"{self.path} cannot be written: there is no such folder")
        try:
            file = _patiently(self._opened)
        except sqlite3.Error as error:
            raise Unwritable(f"{self.path} cannot be written: {error}") from error
        try:
            file.execute("BEGIN IMMEDIATE")
            try:
                yield file
            except BaseException:
                file.execute("ROLLBACK")
                raise
            file.execute("COMMIT")
        except sqlite3.Error as error:
            raise Unwritable(f"{self.path} cannot be written: {error}") from error
        finally:
            file.close()

    def _opened(self) -> sqlite3.Connection:
        """The file, made and of our version."""
        file = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
        try:
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA synchronous = FULL")
            file.execute("BEGIN IMMEDIATE")  # two servers may find it empty at the same time
            if self._is_new(file):
                for statement in filter(str.strip, SCHEMA.split(";")):
                    file.execute(statement)
                file.execute(f"PRAGMA application_id = {APPLICATION}")
                file.execute(f"PRAGMA user_version = {VERSION}")
            file.execute("COMMIT")
        except BaseException:
            file.close()
            raise
        return file

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The file without a way to change it; also from a folder that may not be written."""
        try:
            file, new = self._opened_to_read()
        except sqlite3.Error as error:
            raise Unreadable(f"{self.path} cannot be read: {error}") from error
        try:
            if new:  # a server was killed while it made the file
                file.close()
                file = sqlite3.connect(":memory:")
                file.executescript(SCHEMA)
            yield file
        except sqlite3.Error as error:
            raise Unreadable(f"{self.path} cannot be read: {error}") from error
        finally:
            file.close()

    def _opened_to_read(self) -> tuple[sqlite3.Connection, bool]:
        """The file, and whether there is nothing in it."""
        address = f"{self.path.resolve().as_uri()}?mode=ro"
        try:
            return self._checked(address)
        except sqlite3.OperationalError:
            # To read the log beside it, SQLite writes to the folder. Where it may not, the file
            # alone can be read, which is whole if there is nothing in the log.
            log = self.path.with_name(f"{self.path.name}-wal")
            if log.exists() and log.stat().st_size:
                raise
            return self._checked(f"{address}&immutable=1")

    def _checked(self, address: str) -> tuple[sqlite3.Connection, bool]:
        file = sqlite3.connect(address, uri=True, timeout=PATIENCE)
        try:
            return file, self._is_new(file)
        except BaseException:
            file.close()
            raise

    def _is_new(self, file: sqlite3.Connection) -> bool:
        """Whether there is nothing in it yet. Raises `BadSetting` for a file that is not ours."""
        (version,) = file.execute("PRAGMA user_version").fetchone()
        (application,) = file.execute("PRAGMA application_id").fetchone()
        (tables,) = file.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables and not version:
            return True
        if application != APPLICATION:
            raise BadSetting(f"{self.path} is not a file of ratings; move it away")
        if version != VERSION:
            raise BadSetting(
                f"{self.path} is of version {version}, and this Infill reads version {VERSION}; "
                "use the Infill that wrote it, or move it away"
            )
        return False


def _answer(row: Sequence[Any]) -> Answer:
    """An answer from its `COLUMNS`."""
    at, rater, question, repeat, criterion, slug, photo, shown, place = row
    return Answer(
        rater=rater,
        question=question,
        repeat=repeat,
        criterion=criterion,
        slug=slug,
        photo=photo,
        shown=tuple(Shown(*entry) for entry in json.loads(shown)),
        place=place,
        at=at,
    )


def _patiently(attempt: Callable[[], T]) -> T:
    """Try again while another process holds the file: SQLite does not itself wait for the change
    to a write-ahead log.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(0.05)
