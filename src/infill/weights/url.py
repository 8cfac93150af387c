"""Weights by their address: URL#sha256=HEX, over https, kept under their checksum.

Whoever answers for the address, what is taken is the one file that has the sum: it goes into a
folder of that name in our own cache. Nothing is asked of the network if it lies there.
"""

import errno
import os
import re
import shutil
import ssl
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import partial as given
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from infill.errors import MissingWeights
from infill.lazy import need
from infill.weights import Progress, Source, missing, network_is_off, sha256_of, transfer
from infill.weights.transfer import HEADROOM, File, Meter, first_line, in_words, printable

HOW = "write it as URL#sha256=HEX, with the SHA-256 that whoever publishes the file states"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Hosts that may be asked without https: nobody is between us and them."""

PASSING = (
    urllib.error.URLError,
    TimeoutError,
    ConnectionError,
    ssl.SSLError,
    HTTPException,
)
"""What a connection that breaks raises, and a disk that is full does not."""


@dataclass(frozen=True)
class Address:
    """Where a file is, and its SHA-256 in lower-case hex."""

    url: str
    sha256: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def is_local(self) -> bool:
        return self.host in LOOPBACK

    @property
    def name(self) -> str:
        """What the file is called, in characters that every disk takes; its ending is kept."""
        last = unquote(urlsplit(self.url).path).rpartition("/")[2]
        return re.sub(r"[^A-Za-z0-9._-]", "_", last).lstrip(".")[-100:] or "weights"


def is_url(text: str) -> bool:
    """Whether a text is an address rather than a path or a name on the hub."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is not None


def parse(text: str) -> Address:
    """The address in URL#sha256=HEX.

    Raises `MissingWeights` for one without a sum, and for other ways than https.
    """
    url, _, told = text.partition("#")
    if not _may_be_asked(url, local=True):
        raise MissingWeights(
            f"{url} is not fetched: weights come over https alone; give such an address, or the "
            f"path of a file on this machine"
        )
    found = re.fullmatch(r"sha256=([0-9A-Fa-f]{64})", told)
    if found is None:
        raise MissingWeights(f"{url} comes without its checksum; {HOW}")
    return Address(url, found[1].lower())


def _may_be_asked(url: str, *, local: bool) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if parts.username or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and local and host in LOOPBACK)


def cache() -> Path:
    """The folder that holds what was fetched by address."""
    if sys.platform == "win32":
        root = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        root = "~/Library/Caches"
    else:
        root = "~/.cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or root).expanduser() / "infill" / "weights"


def place(address: Address) -> Path:
    """Where the file lies once it is here."""
    return cache() / address.sha256 / address.name


def find(source: Source, *, offline: bool | None = None, progress: Progress | None = None) -> Path:
    """The file at the address that is the source's name; see `infill.weights.find`."""
    address = parse(source.name)
    path = place(address)
    if path.is_file():
        if sha256_of(path) == address.sha256:
            return path
        path.unlink()  # somebody changed it, or the disk did
    if network_is_off() if offline is None else offline:
        raise MissingWeights(
            missing(source) + (" (the network is off)" if network_is_off() else "")
        )
    try:
        return _download(source, address, path, progress)
    except OSError as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is the server's answer, too
        raise MissingWeights(_advice(source, address, path, error)) from error
    except HTTPException as error:
        raise MissingWeights(f"{missing(source)} ({first_line(error)})") from error


def _download(source: Source, address: Address, path: Path, progress: Progress | None) -> Path:
    size = _size(address)
    path.parent.mkdir(parents=True, exist_ok=True)
    with need("filelock", extra=source.extra).FileLock(path.parent / ".lock"):
        if path.is_file():  # another process has brought it
            return path
        partial = path.with_name(path.name + transfer.PARTIAL)
        have = partial.stat().st_size if partial.is_file() else 0
        _check_room(source, path, size - min(have, size))
        _tell(source, address, size - min(have, size), path.parent)
        with transfer.metered(address.name, size, progress) as meter:
            bring = given(_stream, address, partial, meter)
            transfer.resumed(partial, size, meter, bring, PASSING)
        if not File(address.name, size, address.sha256).fits(partial):
            found = sha256_of(partial)
            partial.unlink()
            raise MissingWeights(
                f"what came from {address.url} is not the file that was asked for (its SHA-256 is "
                f"{found}, not {address.sha256}) and was removed; look at address and checksum"
            )
        partial.replace(path)
    return path


def _tell(source: Source, address: Address, size: int, folder: Path) -> None:
    """One line on stderr before anything is fetched."""
    licence = source.licence or "unknown, read it where the file is published"
    word = {True: "yes", False: "no", None: "as the licence says"}[source.commercial_use]
    print(
        f"{address.url}: licence {licence}, commercial use: {word}; "
        f"{in_words(size)} from {address.host} into {folder}",
        file=sys.stderr,
        flush=True,
    )


def _check_room(source: Source, path: Path, size: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < size + HEADROOM:
        raise MissingWeights(
            f"there is no room for {path.name}: {in_words(size)} more are to come, "
            f"{in_words(free)} are free in {path.parent}; make room, or set XDG_CACHE_HOME to a "
            f"folder on another disk, and type: {source.typed()}"
        )


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to https alone; on this machine also to itself."""

    def __init__(self, local: bool) -> None:
        self.local = local

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if not _may_be_asked(newurl, local=self.local):
            raise MissingWeights(
                f"{req.full_url} leads to {newurl}, which is not https, so it is not followed; "
                f"fetch the file yourself and give its path"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(address: Address, start: int = 0) -> Any:
    """The server's answer, from byte `start` on if it can. No scheme but http(s) is known here."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(address.is_local),
    ):
        opener.add_handler(handler)
    headers = {"User-Agent": "infill", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(address.url, headers=headers)
    return opener.open(request, timeout=transfer.SECONDS)


def _size(address: Address) -> int:
    """Bytes of the file. Not by HEAD, which some stores refuse for what they give."""
    with _open(address) as answer:
        told = answer.headers.get("Content-Length", "")
    if not re.fullmatch("[0-9]{1,18}", told) or not int(told):
        raise MissingWeights(
            f"{address.host} does not say how large {address.url} is; fetch it yourself and give "
            f"its path"
        )
    return int(told)


def _stream(address: Address, partial: Path, meter: Meter) -> None:
    """Append to `partial` what the server sends of the rest, up to the size that it told."""
    have = partial.stat().st_size if partial.is_file() else 0
    with _open(address, have) as answer:
        if have and answer.status != 206:  # it sends the whole, whatever was asked for
            meter.add(-have)
            partial.unlink()
            have = 0
        left = meter.size - have  # what it sends beyond the size that it told fills no disk
        with partial.open("ab") as file:
            while left > 0 and (chunk := answer.read1(min(1 << 18, left))):
                left -= len(chunk)
                file.write(chunk)
                meter.add(len(chunk))


def _advice(source: Source, address: Address, path: Path, reason: OSError) -> str:
    """One sentence for an error of the network or of the disk."""
    if isinstance(reason, urllib.error.HTTPError):
        words = printable(" ".join(str(reason.reason).split()))
        return (
            f"{address.host} does not give {address.url} (it answers {reason.code} {words}); look "
            f"at the address, or fetch the file yourself and give its path"
        )
    if reason.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"there is no room in {path.parent}; make some, and type: {source.typed()}"
    if isinstance(reason, PermissionError):
        return f"{reason.filename} cannot be written; set XDG_CACHE_HOME to a folder of your own"
    if any(path.parent.glob(f"*{transfer.PARTIAL}")):
        return (
            f"the download of {address.url} broke off ({first_line(reason)}); what has come is "
            f"kept, and the next try goes on from there; type: {source.typed()}"
        )
    return f"{missing(source)} ({address.host} does not answer: {first_line(reason)})"
