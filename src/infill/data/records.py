"""A COCO instances file read piece by piece, however large: the records of its long lists.

`instances_train2017.json` has 450 MB, and five times as much once it is all objects of Python.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from infill.errors import BadMask

CHUNK = 1 << 20
SPACE = re.compile(r"[ \t\n\r]*")
LISTS = ("images", "annotations", "categories")


@dataclass(frozen=True)
class Record:
    """One entry of a list: which list, its content, and the bytes of the file that hold it."""

    key: str
    content: Any
    start: int
    length: int


def records(path: Path) -> Iterator[Record]:
    """The entries of `images`, `annotations` and `categories`, in the order of the file.

    Raises `BadMask`, naming the file, if it cannot be read or is no such file.
    """
    try:
        with path.open("rb") as file:
            yield from _Reader(file).lists()
    except OSError as error:
        raise BadMask(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    except (ValueError, RecursionError) as error:
        raise BadMask(
            f"{path} is no COCO instances file, or is cut off ({error}); "
            "give instances_val2017.json or the like"
        ) from error


def read_record(path: Path, start: int, length: int) -> Any:
    """The content of one record by its place. Raises `BadMask` if the file is another by now."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            return json.loads(file.read(length))
    except (OSError, ValueError) as error:
        raise BadMask(f"{path} has changed or gone while it was read; start again") from error


class _Reader:
    """A window on the file. Each byte is one character (Latin-1), so that places are bytes; the
    texts in a record are put right when it is handed out."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.text = file, ""
        self.before = 0  # bytes of the file before the window
        self.began = self.at = 0  # where the latest value began, and where it ended
        self.decoder = json.JSONDecoder()
        if self._peek() == "\xef":  # a byte order mark
            self.at += 3

    def lists(self) -> Iterator[Record]:
        self._take("{")
        found = False
        while self._peek() != "}":
            key = self._value()
            self._take(":")
            if key in LISTS:
                found = found or key == "annotations"
                yield from self._list(key)
            else:
                self._value()
            if self._peek() != "}":
                self._take(",")
        if not found:
            raise ValueError("it has no annotations")

    def _list(self, key: str) -> Iterator[Record]:
        self._take("[")
        while self._peek() != "]":
            content = self._value()
            start = self.before + self.began
            if not isinstance(content, dict):
                raise ValueError(f"one of its {key} is no record")
            if not self.text[self.began : self.at].isascii():
                content = json.loads(self.text[self.began : self.at].encode("latin-1"))
            yield Record(key, content, start, self.at - self.began)
            if self._peek() != "]":
                self._take(",")
        self._take("]")

    def _peek(self) -> str:
        """The next character that is no space."""
        while True:
            space = SPACE.match(self.text, self.at)
            assert space is not None  # the pattern matches nothing too
            self.at = space.end()
            if self.at < len(self.text):
                return self.text[self.at]
            if not self._more():
                raise ValueError("it ends too early")

    def _take(self, character: str) -> None:
        found = self._peek()
        if found != character:
            place = self.before + self.at
            raise ValueError(f"{character} belongs where {found} stands, at byte {place}")
        self.at += 1

    def _value(self) -> Any:
        """The next value, with `began` at its first character; the window grows until it fits."""
        self._peek()
        while True:
            try:
                value, end = self.decoder.raw_decode(self.text, self.at)
            except ValueError:
                if not self._more(len(self.text) - self.at):
                    raise
                continue
            if end == len(self.text) and self._more():
                continue  # a number may go on
            self.began, self.at = self.at, end
            return value

    def _more(self, least: int = 0) -> bool:
        """Drop what has been read and read on; whether there was more."""
        data = self.file.read(max(CHUNK, least))
        self.text = self.text[self.at :] + data.decode("latin-1")
        self.before += self.at
        self.at = 0
        return bool(data)
