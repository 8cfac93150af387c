"""Weights by address and checksum: a server on this machine, and what is refused before one."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.unit.test_weights import no_sockets

from infill import weights
from infill.errors import Cancelled, MissingWeights
from infill.settings import using
from infill.weights import Source, transfer, url

pytest.importorskip("filelock")

CONTENT = bytes(range(256)) * 4000
SUM = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Place:
    """What a server gives, where it is, and what it was asked.

    cut: bytes after which the connection is closed, once for each entry, GETs counted from the
         second (the first one only asks for the size). lead: path → where it leads.
    beyond: how often the content comes again, without a size, once the size has been told.
    """

    content: bytes = CONTENT
    address: str = ""
    cut: list[int] = field(default_factory=list)
    lead: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    beyond: int = 0
    sent: int = 0
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr(transfer, "PAUSE", 0)
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "INFILL_OFFLINE", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    told = Place()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            start = self.headers.get("Range")
            told.asked.append((self.path, start))
            told.headers.append(dict(self.headers))
            if self.path in told.lead:
                self.send_response(302)
                self.send_header("Location", told.lead[self.path])
                self.end_headers()
                return
            if self.path == "/none":
                self.send_error(404)
                return
            first = int(start.removeprefix("bytes=").rstrip("-")) if start and told.ranges else 0
            body = told.content[first:]
            self.send_response(206 if first else 200)
            more = len(told.asked) > 1 and told.beyond
            if self.path != "/endless" and not more:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if more:
                with suppress(OSError):
                    for _ in range(told.beyond):
                        self.wfile.write(body)
                        told.sent += len(body)
                return
            if len(told.asked) > 1 and told.cut:
                body = body[: told.cut.pop(0)]
            with suppress(OSError):  # who only asks for the size does not wait for the rest
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def source(address: str, sum: str | None = SUM, **more: Any) -> Source:
    tail = "" if sum is None else f"#sha256={sum}"
    return Source(f"{address}{tail}", file="", inert=True, command="infill download it", **more)


def partials(tmp_path: Path) -> list[Path]:
    return list(tmp_path.rglob(f"*{transfer.PARTIAL}"))


class TestDownload:
    def test_kept_under_its_checksum_and_its_name(
        self, place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told: list[float] = []
        wanted = source(f"{place.address}/a/states_tf_x.pth?token=1")
        path = weights.find(wanted, progress=lambda fraction, word: told.append(fraction))
        assert path == tmp_path / "cache" / "infill" / "weights" / SUM / "states_tf_x.pth"
        assert path.read_bytes() == CONTENT
        assert told == sorted(told)
        assert told[-1] == 1
        err = capsys.readouterr().err
        assert "licence unknown, read it where the file is published" in err
        assert "1.0 MB from 127.0.0.1 into" in err
        assert not any("hf_secret" in str(one) for one in place.headers), "the hub's token"
        asked = len(place.asked)
        assert weights.find(wanted) == path == weights.here(wanted)
        assert len(place.asked) == asked, "the second time nobody is asked"

    def test_the_licence_that_is_known(
        self, place: Place, capsys: pytest.CaptureFixture[str]
    ) -> None:
        weights.find(source(f"{place.address}/x", licence="CC BY-NC 4.0", commercial_use=False))
        assert "licence CC BY-NC 4.0, commercial use: no;" in capsys.readouterr().err

    def test_goes_on_where_it_broke_off(self, place: Place, tmp_path: Path) -> None:
        place.cut = [100_000, 200_000]
        path = weights.find(source(f"{place.address}/x.pth"), progress=lambda *_: None)
        assert path.read_bytes() == CONTENT
        assert [start for _, start in place.asked] == [
            *(None, None, "bytes=100000-", "bytes=300000-")
        ]
        assert not partials(tmp_path)

    def test_stopped_and_taken_up_by_the_next_try(self, place: Place, tmp_path: Path) -> None:
        def stop(fraction: float, word: str) -> None:
            if fraction > 0.2:
                raise Cancelled("stopped")

        with pytest.raises(Cancelled):
            weights.find(source(f"{place.address}/x.pth"), progress=stop)
        (kept,) = partials(tmp_path)
        have = kept.stat().st_size
        assert 0 < have < len(CONTENT)
        path = weights.find(source(f"{place.address}/x.pth"), progress=lambda *_: None)
        assert path.read_bytes() == CONTENT
        assert place.asked[-1][1] == f"bytes={have}-"

    def test_a_server_without_ranges(self, place: Place) -> None:
        place.ranges, place.cut = False, [1000]
        path = weights.find(source(f"{place.address}/x.pth"), progress=lambda *_: None)
        assert path.read_bytes() == CONTENT

    def test_a_connection_that_always_breaks(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transfer, "TRIES", 1)
        place.cut = [1000, 0, 0, 0]
        with pytest.raises(MissingWeights, match=r"broke off .* type: infill download it$"):
            weights.find(source(f"{place.address}/x.pth"), progress=lambda *_: None)

    def test_a_file_with_another_sum_is_removed(self, place: Place, tmp_path: Path) -> None:
        place.content = b"x" * len(CONTENT)
        found = hashlib.sha256(place.content).hexdigest()
        with pytest.raises(MissingWeights, match=rf"its SHA-256 is {found}, not {SUM}"):
            weights.find(source(f"{place.address}/x.pth"), progress=lambda *_: None)
        assert not partials(tmp_path)
        assert weights.here(source(f"{place.address}/x.pth")) is None

    @pytest.mark.parametrize("right", [True, False])
    def test_more_than_was_told_fills_no_disk(
        self, place: Place, right: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        largest = [0]
        kept = transfer.Meter.add

        def add(meter: transfer.Meter, count: int) -> None:
            kept(meter, count)
            largest[0] = max(largest[0], meter.done)

        monkeypatch.setattr(transfer.Meter, "add", add)
        place.beyond = 200
        wanted = source(f"{place.address}/x.pth", SUM if right else "0" * 64)
        if right:
            path = weights.find(wanted, progress=lambda *_: None)
            assert path.read_bytes() == CONTENT
        else:
            with pytest.raises(MissingWeights, match="is not the file that was asked for"):
                weights.find(wanted, progress=lambda *_: None)
        assert largest[0] == len(CONTENT)
        assert place.sent < 100 * len(CONTENT), "the connection was closed"

    def test_the_hubs_too(self, place: Place, tmp_path: Path) -> None:
        pytest.importorskip("huggingface_hub")
        place.beyond = 200
        place.asked.append(("/", None))  # the size is known from elsewhere
        file = transfer.File("x", len(CONTENT), SUM)
        with transfer.metered("x", file.size, lambda *_: None) as meter:
            transfer.bring(source("x"), f"{place.address}/x", file, tmp_path / SUM, meter)
        assert (tmp_path / SUM).read_bytes() == CONTENT
        assert meter.done == len(CONTENT)

    def test_a_file_that_was_changed_is_fetched_again(self, place: Place) -> None:
        path = weights.find(source(f"{place.address}/x.pth"), progress=lambda *_: None)
        path.write_bytes(b"changed")
        again = weights.find(source(f"{place.address}/x.pth"), progress=lambda *_: None)
        assert (again, again.read_bytes()) == (path, CONTENT)

    def test_redirects_of_this_machine_to_itself(self, place: Place) -> None:
        place.lead = {"/x": f"{place.address}/y"}
        path = weights.find(source(f"{place.address}/x"), progress=lambda *_: None)
        assert (path.name, path.read_bytes()) == ("x", CONTENT)

    @pytest.mark.parametrize(
        "there", ["http://example.org/x", "file:///etc/passwd", "ftp://127.0.0.1/x"]
    )
    def test_redirects_to_what_is_not_https(self, place: Place, there: str) -> None:
        place.lead = {"/x": there}
        with pytest.raises(
            MissingWeights, match=r"is not https, so it is not followed|not allowed"
        ):
            weights.find(source(f"{place.address}/x"))

    def test_redirects_in_a_circle(self, place: Place) -> None:
        place.lead = {"/x": f"{place.address}/x"}
        with pytest.raises(MissingWeights, match="does not give") as caught:
            weights.find(source(f"{place.address}/x"))
        assert "\n" not in str(caught.value)

    def test_what_is_not_there(self, place: Place) -> None:
        with pytest.raises(MissingWeights, match=r"it answers 404 .* look at the address"):
            weights.find(source(f"{place.address}/none"))

    def test_a_file_of_unknown_size(self, place: Place) -> None:
        with pytest.raises(MissingWeights, match="does not say how large"):
            weights.find(source(f"{place.address}/endless"))

    def test_no_room(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(url, "HEADROOM", 2**62)
        with pytest.raises(MissingWeights, match=r"there is no room .* set XDG_CACHE_HOME"):
            weights.find(source(f"{place.address}/x"))

    def test_nobody_answers(self, place: Place) -> None:
        with pytest.raises(MissingWeights, match=r"127\.0\.0\.1 does not answer"):
            weights.find(source("http://127.0.0.1:9/x"))


class TestRefused:
    @pytest.mark.parametrize(
        "address",
        [
            *("file:///etc/passwd", "http://example.org/x", "ftp://example.org/x", "https:///x"),
            *("https://name:word@example.org/x", "data://x/y", "https://[x/y"),
        ],
    )
    def test_other_ways_than_https(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        tried = no_sockets(monkeypatch)
        with pytest.raises(MissingWeights, match="weights come over https alone"):
            weights.find(source(address))
        assert not tried

    @pytest.mark.parametrize("tail", ["", "#", "#sha256=", "#sha256=12", f"#md5={'0' * 64}"])
    def test_without_a_checksum(self, tail: str, monkeypatch: pytest.MonkeyPatch) -> None:
        tried = no_sockets(monkeypatch)
        with pytest.raises(MissingWeights, match=r"without its checksum; .* URL#sha256=HEX"):
            weights.find(source(f"https://example.org/x{tail}", sum=None))
        assert not tried

    def test_offline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tried = no_sockets(monkeypatch)
        with using(offline=1), pytest.raises(MissingWeights, match="type: infill download it;"):
            weights.find(source("https://example.org/x"))
        assert weights.here(source("https://example.org/x")) is None
        assert not tried

    def test_for_readers_of_safetensors_an_address_is_no_model(self) -> None:
        with pytest.raises(MissingWeights, match="there is no folder https://"):
            weights.locate(f"https://example.org/x#sha256={SUM}")

    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("/a/b.pth", "b.pth"),
            ("/", "weights"),
            ("/..", "weights"),
            ("/%2e%2e%2fetc%2fpasswd", "passwd"),
            ("/a b;c.pt?x=/y", "a_b_c.pt"),
        ],
    )
    def test_names_that_no_address_can_choose(self, path: str, name: str) -> None:
        assert url.parse(f"https://example.org{path}#sha256={SUM.upper()}").name == name
