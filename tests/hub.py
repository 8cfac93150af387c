"""A hub on this machine: enough of its protocol for the hub's own library, and faults on demand."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from infill.weights import transfer

COMMIT = "c0ffee" * 6 + "c0ff"
LARGE = (".safetensors", ".bin", ".ckpt", ".pth", ".zip")
"""Endings of files that a repository keeps as large ones, by their SHA-256."""


@dataclass
class Repository:
    """A model: its files by path, its licence, and what is wrong with it.

    cut:    path → bytes after which the connection is closed, once for each entry of the list.
    served: path → bytes that are sent in place of the true ones.
    locked: None, or the code of the refusal ("GatedRepo", "RepoNotFound").
    stall:  path → seconds for which it sends nothing more, once, half way.
    ranges: whether it sends parts of files.
    store:  whether large files are sent by another host, as the real hub's are.
    """

    files: dict[str, bytes]
    licence: str | None = "mit"
    cut: dict[str, list[int]] = field(default_factory=dict)
    served: dict[str, bytes] = field(default_factory=dict)
    locked: str | None = None
    stall: dict[str, float] = field(default_factory=dict)
    ranges: bool = True
    store: bool = False
    revisions: tuple[str, ...] = ("main", COMMIT)


@dataclass
class Hub:
    """What is on it, where it is, and what it was asked: (method, path, Range, bytes sent)."""

    models: dict[str, Repository] = field(default_factory=dict)
    endpoint: str = ""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    tokens: dict[str, str | None] = field(default_factory=dict)

    def gets(self, path: str) -> list[str | None]:
        """The Range of each GET of a file."""
        return [r for method, one, r in self.asked if method == "GET" and one.endswith(path)]


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub that answers on the loopback address until the block ends."""
    hub = Hub()

    class Handler(_Handler):
        told = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def known(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[Hub]:
    """`serving`, and the hub's own library goes there, keeps its files in `cache`, and does not
    wait before it tries again; no variable of the environment turns the network off."""
    from huggingface_hub import constants

    with serving() as running:
        monkeypatch.setattr(constants, "ENDPOINT", running.endpoint)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        monkeypatch.setattr(transfer, "PAUSE", 0)
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "INFILL_OFFLINE"):
            monkeypatch.delenv(name, raising=False)
        yield running


def describe(repository: Repository) -> dict[str, Any]:
    """What /api/models says of a model."""
    siblings = []
    for path, content in repository.files.items():
        git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        one: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": git}
        if path.endswith(LARGE):
            sha = hashlib.sha256(content).hexdigest()
            one["lfs"] = {"sha256": sha, "size": len(content), "pointerSize": 134}
        siblings.append(one)
    tags = [f"license:{repository.licence}"] if repository.licence else []
    return {"id": "x", "modelId": "x", "sha": COMMIT, "siblings": siblings, "tags": tags}


class _Handler(BaseHTTPRequestHandler):
    told: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing on stderr."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path).lstrip("/")
        self.told.asked.append((self.command, path, self.headers.get("Range")))
        self.told.events.append(f"{self.command} {path}")
        self.told.tokens[path] = self.headers.get("Authorization")
        if path.startswith("api/models/"):
            name, _, revision = path.removeprefix("api/models/").partition("/revision/")
            self._tell(name, revision or "main")
            return
        stored = path.startswith("store/")
        name, _, rest = path.removeprefix("store/").partition("/resolve/")
        revision, _, file = rest.partition("/")
        repository = self.told.models.get(name)
        if self._refused(repository, revision):
            return
        assert repository is not None
        if file not in repository.files:
            self._refuse(404, "EntryNotFound")
            return
        if repository.store and file.endswith(LARGE) and not stored:
            there = self.told.endpoint.replace("127.0.0.1", "localhost")
            self.send_response(302)
            self.send_header("Location", f"{there}/store/{path}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(repository, file)

    def _tell(self, name: str, revision: str) -> None:
        repository = self.told.models.get(name)
        if repository is not None and repository.locked == "GatedRepo":
            pass  # the list of files of such a model is open to all, as on the real hub
        elif self._refused(repository, revision):
            return
        assert repository is not None
        content = json.dumps(describe(repository)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _refused(self, repository: Repository | None, revision: str) -> bool:
        if repository is None:
            self._refuse(401, "RepoNotFound")
        elif repository.locked is not None:
            self._refuse(403, repository.locked)
        elif revision not in repository.revisions:
            self._refuse(404, "RevisionNotFound")
        else:
            return False
        return True

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", f"the hub says {code}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, repository: Repository, path: str) -> None:
        true = repository.files[path]
        content = repository.served.get(path, true)
        large = path.endswith(LARGE)
        header = b"" if large else b"blob %d\0" % len(true)
        etag = (hashlib.sha256 if large else hashlib.sha1)(header + true).hexdigest()
        start = 0
        given = self.headers.get("Range")
        if given and repository.ranges:
            start = int(given.removeprefix("bytes=").rstrip("-"))
        body = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{etag}"')
        if large:
            self.send_header("X-Linked-ETag", f'"{etag}"')
            self.send_header("X-Linked-Size", str(len(true)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if path in repository.stall:
            self.wfile.write(body[: len(body) // 2])
            self.told.sent[path] = len(body) // 2
            time.sleep(repository.stall.pop(path))
            self.close_connection = True
            return
        cuts = repository.cut.get(path)
        if cuts:
            body = body[: cuts.pop(0)]
            self.close_connection = True
        self.told.sent[path] = self.told.sent.get(path, 0) + len(body)
        self.wfile.write(body)
