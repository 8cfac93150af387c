"""One file from afar: taken up where it broke off, checked, and counted."""

import hashlib
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infill.errors import MissingWeights
from infill.lazy import need
from infill.weights import Progress, Source

if TYPE_CHECKING:
    from tqdm import tqdm

SECONDS = 10
"""How long the hub may take to answer, and how long a download may stand still."""

TRIES = 5
"""How often a transfer is taken up again without a byte having come."""

PAUSE = 1.0
"""Seconds before the first of them; each waits longer by as much."""

PARTIAL = ".infill-partial"

HEADROOM = 2**28
"""Bytes that a download leaves free on the disk."""

LONGEST_NAME = 200
"""Characters of a name in a file, or of another's words, that an error of ours tells."""


@dataclass(frozen=True)
class File:
    """A file on the hub: its path in the repository, its bytes, and the sum that the hub states.

    sum: hex; SHA-256 of a large file, Git's own (SHA-1) of a small one.
    """

    path: str
    size: int
    sum: str

    def check(self) -> None:
        """Raise `MissingWeights` for a path or a sum that is none: they become names here."""
        parts = self.path.replace("\\", "/").split("/")
        if not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", str(self.sum)):
            raise MissingWeights(f"what answers for the hub states no checksum of {self.path}")
        if not all(parts) or {".", ".."} & set(parts) or ":" in self.path:
            raise MissingWeights(f"what answers for the hub names a file {self.path!r}")

    @property
    def blob(self) -> str:
        """The name under which the cache keeps it."""
        return self.sum

    def fits(self, path: Path) -> bool:
        """Whether a file here has the sum that the hub states."""
        with path.open("rb") as content:
            if len(self.sum) == 64:
                found = hashlib.file_digest(content, "sha256")
            else:
                found = hashlib.sha1(f"blob {self.size}\0".encode(), usedforsecurity=False)
                found.update(content.read())
        return found.hexdigest() == self.sum


def bring(source: Source, url: str, file: File, blob: Path, meter: "Meter") -> None:
    """A file by its URL to its place among the blobs, whole and checked, or not at all."""
    partial = blob.with_name(blob.name + PARTIAL)
    kinds = (need("huggingface_hub.errors", extra=source.extra).HTTPError,)
    resumed(
        partial, file.size, meter, lambda: _stream(source, url, file.size, partial, meter), kinds
    )
    if not file.fits(partial):
        partial.unlink()
        raise damaged(source, file)
    partial.replace(blob)


def damaged(source: Source, file: File) -> MissingWeights:
    return MissingWeights(
        f"{file.path} of {source.name} came damaged (its checksum is not the one that the hub "
        f"states) and was removed; type again: {source.typed()}"
    )


def resumed(
    partial: Path,
    size: int,
    meter: "Meter",
    stream: Callable[[], None],
    kinds: tuple[type[Exception], ...],
) -> None:
    """Bring the bytes that `partial` lacks, however often the connection breaks, as long as
    some come each time or `TRIES` are left.

    stream: appends to `partial` what comes. kinds: of errors that a connection makes; those by
    which the server refuses are raised at once, as all others are.
    """
    partial.touch()
    if partial.stat().st_size > size:
        partial.write_bytes(b"")
    have = partial.stat().st_size
    meter.add(have)
    tries = 0
    while have < size:
        before = have
        try:
            stream()
        except kinds as error:
            status = _status(error)
            if status < 500 and status not in (408, 429):
                raise
            reason: Exception = error
        else:
            reason = ConnectionError("the connection was closed too early")
        have = partial.stat().st_size if partial.is_file() else 0
        tries = 0 if have > before else tries + 1
        if tries > TRIES:
            raise reason
        if have < size:
            time.sleep(PAUSE * (tries + 1))


def _status(error: Exception) -> int:
    """What the server answered; 500 if it did not get as far as that."""
    told = getattr(error, "code", getattr(getattr(error, "response", None), "status_code", 500))
    return told if isinstance(told, int) else 500


def _stream(source: Source, url: str, size: int, partial: Path, meter: "Meter") -> None:
    """Append to `partial` what the server sends of the rest, up to `size` bytes in all."""
    utils = need("huggingface_hub.utils", extra=source.extra)
    have = partial.stat().st_size if partial.is_file() else 0
    headers = {**utils.build_hf_headers(), "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with utils.get_session().stream("GET", url, headers=headers, timeout=SECONDS) as answer:
        if answer.status_code >= 400:
            answer.read()
        utils.hf_raise_for_status(answer)
        if have and answer.status_code != 206:  # it sends the whole, whatever was asked for
            meter.add(-have)
            partial.unlink()
            have = 0
        left = size - have
        with partial.open("ab") as file:
            for chunk in answer.iter_bytes():  # as they come: with a size, a break loses some
                part = chunk[:left]
                file.write(part)
                meter.add(len(part))
                left -= len(part)
                if not left:
                    break


class Meter:
    """How much of a download has come: told to `progress`, or drawn as a bar on stderr."""

    def __init__(self, size: int, progress: Progress | None, bar: "tqdm[Any] | None") -> None:
        self.size, self.progress, self.bar, self.done = size, progress, bar, 0

    def add(self, count: int) -> None:
        """Count bytes. It may raise what `progress` raises."""
        self.done += count
        if self.bar is not None:
            self.bar.update(count)
        if self.progress is not None:
            share = self.done / self.size if self.size else 1.0
            self.progress(min(max(share, 0.0), 1.0), f"downloading {in_words(self.size)}")


@contextmanager
def metered(name: str, size: int, progress: Progress | None) -> Iterator[Meter]:
    if progress is not None or not size:
        yield Meter(size, progress, None)
        return
    from tqdm import tqdm

    slow = not sys.stderr.isatty()  # a log file: a line now and then
    with tqdm(
        total=size,
        desc=name,
        unit="B",
        unit_scale=True,
        file=sys.stderr,
        mininterval=10 if slow else 0.1,
        delay=0 if not slow else 5,
        leave=False,
    ) as bar:
        yield Meter(size, None, bar)


def printable(text: str) -> str:
    """A text from elsewhere for a person's terminal: no control characters, and not endless."""
    short = text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}…"
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in short
    )


def first_line(error: BaseException) -> str:
    """What an error of others says, for a sentence of ours: its first line, or else its kind."""
    told = str(error).strip() or type(error).__name__
    return printable(told.splitlines()[0].rstrip("."))


def in_words(size: int) -> str:
    """Bytes for a person: 6.9 GB."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"
