"""What a run keeps on disk: `run.json`, the options it was started with, and `rows.jsonl`.

A row is appended with one write once the photo's output is in place, so a process that is
killed leaves at worst a torn last line, which the next start drops. The photo it was about is
then filled again, into the same bytes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from infill.closing import Closes
from infill.errors import BatchError, Unwritable
from infill.files import write_atomically

Row = dict[str, Any]

RUN_FILE = "run.json"
ROWS_FILE = "rows.jsonl"


class RowFile(Closes):
    """The rows of one output folder; a context manager that holds the folder's lock."""

    def __init__(
        self,
        folder: Path,
        identity: Mapping[str, Any],
        *,
        restart: bool,
        key: str = "input",
        held: Sequence[str] | None = None,
    ) -> None:
        """Open or continue the run in `folder`, which is made if it is missing.

        key: the entry that tells one row from another.
        held: the entries of each row that `rows` keeps in memory; None = all of them. On disk a
              row is always whole.

        Raises `BatchError` if another process is writing there, or if the folder holds a run
        with another `identity` (a flat mapping of names to JSON values) and not `restart`.
        """
        self.folder = folder
        self._key, self._held = key, held
        self.rows: dict[str, Row] = {}
        self.continues = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / ".lock").open("a")
        except OSError as error:
            raise BatchError(f"cannot write to {folder}: {error.strerror}") from error
        self._file: IO[bytes] | None = None
        try:
            _lock(self._lock, folder)
            self._open(identity, restart)
        except BaseException:
            self.close()
            raise

    def _open(self, identity: Mapping[str, Any], restart: bool) -> None:
        run_path, rows_path = self.folder / RUN_FILE, self.folder / ROWS_FILE
        if restart:
            rows_path.unlink(missing_ok=True)
            run_path.unlink(missing_ok=True)
        if run_path.exists():
            _check_identity(_read_json(run_path), json.loads(json.dumps(identity)), self.folder)
            self.continues = True
            self.rows = {name: self._slim(row) for name, row in _each(rows_path, self._key)}
        else:
            text = json.dumps(identity, indent=2, sort_keys=True) + "\n"
            write_atomically(run_path, text.encode(), overwrite=True)
        self._rewrite(list(self.rows))

    def _slim(self, row: Row) -> Row:
        return row if self._held is None else {name: row.get(name) for name in self._held}

    def _rewrite(self, names: Iterable[str]) -> None:
        """The file anew with the last row of each name, in that order; lines are copied one by one,
        so that they need not be in memory together."""
        if self._file is not None:
            self._file.close()
        path = self.folder / ROWS_FILE
        places = _places(path, self._key)

        def content(file: IO[bytes]) -> None:
            if not places:
                return
            with path.open("rb") as before:
                for name in names:
                    before.seek(places[name])
                    file.write(before.readline().rstrip(b"\n") + b"\n")

        write_atomically(path, content, overwrite=True)
        self._file = path.open("ab", buffering=0)

    def append(self, row: Row) -> None:
        """Keep `row` in place of an earlier one with the same key. One line, one write.

        Raises `Unwritable` (a full disk): the row is not kept, and the run can go on later.
        """
        assert self._file is not None
        line = _line(row)
        try:
            written = self._file.write(line)
        except OSError as error:
            raise Unwritable(
                f"{self.folder / ROWS_FILE} cannot be written: {(error.strerror or '').lower()}"
            ) from error
        if written != len(line):
            raise Unwritable(f"{self.folder / ROWS_FILE} cannot be written: the disk is full")
        self.rows[row[self._key]] = self._slim(row)

    def sort(self, inputs: Iterable[str]) -> None:
        """Put the rows of `inputs` in that order and drop all others: the run is complete."""
        self.rows = {name: self.rows[name] for name in inputs if name in self.rows}
        self._rewrite(list(self.rows))

    def close(self) -> None:
        """Close the files, which also gives the lock back."""
        if self._file is not None:
            self._file.close()
        self._lock.close()


def read_rows(path: Path, key: str = "input") -> dict[str, Row]:
    """The rows of a `rows.jsonl` by `key`, the last of each; lines that are torn are left out."""
    return dict(_each(path, key))


def _each(path: Path, key: str) -> Iterator[tuple[str, Row]]:
    """Name and row of each line that is whole, in their order."""
    for _, name, row in _lines(path, key):
        yield name, row


def _places(path: Path, key: str) -> dict[str, int]:
    """Where in the file the last row of each name begins."""
    return {name: start for start, name, _ in _lines(path, key)}


def _lines(path: Path, key: str) -> Iterator[tuple[int, str, Row]]:
    """Start, name and row of each line that is whole."""
    if not path.exists():
        return
    with path.open("rb") as file:
        start = 0
        for line in file:
            try:
                row = json.loads(line)
                yield start, row[key], row
            except (ValueError, TypeError, KeyError):
                pass  # torn
            start += len(line)


def _line(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False, sort_keys=False).encode() + b"\n"


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BatchError(f"{path} cannot be read ({error}); start over with --restart") from error


def _check_identity(before: Any, now: Mapping[str, Any], folder: Path) -> None:
    if before == now:
        return
    before = before if isinstance(before, dict) else {}
    changes = [
        f"{name} was {before.get(name)!r} and is now {now.get(name)!r}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
    raise BatchError(
        f"{folder} holds a run with other options ({'; '.join(changes)}); use the same ones to "
        "go on, another output folder, or --restart to start over"
    )


def _lock(file: IO[str], folder: Path) -> None:
    """Hold `file` for this process; the system lets go of it however the process ends."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise BatchError(f"another run is writing to {folder}; wait until it has ended") from None


def stamp(*paths: str | Path | None) -> list[int] | None:
    """Sizes in bytes and times of change in ns of the files, to notice that one was edited."""
    numbers: list[int] = []
    for path in paths:
        if path is not None:
            try:
                found = Path(path).stat()
            except OSError:
                return None
            numbers += [found.st_size, found.st_mtime_ns]
    return numbers
