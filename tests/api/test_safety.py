"""Who may speak to a server, how much it reads, and what browsers are told."""

import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator

import httpx
import pytest

from infill.api import safety
from infill.api.bodies import Patience
from infill.api.safety import check_address, cookie_value, hosts_of, is_loopback
from infill.errors import BadSetting
from tests.api.tools import FLAT, LONG, MASK, PHOTO, Served, assert_problem, files, serving, until

TOKEN = "correct horse battery"


@pytest.fixture(scope="module")
def locked() -> Iterator[Served]:
    with serving({"upload_bytes": 200_000}, token=TOKEN, cors=["https://friend.example"]) as found:
        yield found


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class TestTheAddress:
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.0.0.9"])
    def test_of_this_machine_needs_nothing(self, host: str) -> None:
        assert is_loopback(host)
        check_address(host, None, insecure=False)
        assert host.strip("[]") in hosts_of(host, None, False)

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
    def test_of_another_one_needs_a_token_or_a_word(self, host: str) -> None:
        with pytest.raises(BadSetting, match="--token"):
            check_address(host, None, insecure=False)
        check_address(host, TOKEN, insecure=False)
        check_address(host, None, insecure=True)
        assert hosts_of(host, TOKEN, False) == ("*",)

    def test_a_short_token_is_none(self) -> None:
        with pytest.raises(BadSetting, match="8 characters"):
            check_address("0.0.0.0", "short", insecure=False)

    def test_insecure_on_this_machine_still_checks_the_host(self) -> None:
        assert "*" not in hosts_of("127.0.0.1", None, True)


class TestTheToken:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            bearer("wrong"),
            bearer(TOKEN[:-1]),
            bearer(TOKEN + "x"),
            bearer("ä"),
            {"Authorization": f"Basic {TOKEN}"},
            {"Authorization": "Bearer"},
            {"Cookie": f"{safety.COOKIE}={TOKEN}"},
            {"Cookie": f"{safety.COOKIE}={cookie_value(TOKEN)}"},  # of the page alone
        ],
    )
    def test_that_is_wrong(self, locked: Served, headers: dict[str, str]) -> None:
        raw = [(key.encode(), value.encode()) for key, value in headers.items()]
        for method, path in (("GET", "/v1/engines"), ("POST", "/v1/fill"), ("GET", "/metrics")):
            answer = locked.client.request(method, path, headers=raw)
            assert_problem(answer, 401, "unauthorised")
            assert answer.headers["www-authenticate"] == "Bearer"

    def test_in_the_address_lets_nobody_into_the_api(self, locked: Served) -> None:
        answer = locked.client.get("/v1/engines", params={"token": TOKEN})
        assert_problem(answer, 401, "unauthorised")

    def test_that_is_right(self, locked: Served) -> None:
        answer = locked.post(files=files(), data=FLAT, headers=bearer())
        assert answer.status_code == 200, answer.text
        assert locked.client.get("/v1/engines", headers=bearer()).status_code == 200

    def test_is_not_asked_for_health(self, locked: Served) -> None:
        assert locked.client.get("/healthz").json()["status"] == "ok"

    def test_is_compared_in_constant_time(
        self, locked: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared = []
        real = safety.hmac.compare_digest

        def spy(one: bytes, other: bytes) -> bool:
            compared.append((one, other))
            return real(one, other)

        monkeypatch.setattr(safety.hmac, "compare_digest", spy)
        locked.client.get("/v1/engines", headers=bearer("guess"))
        assert compared == [(b"guess", TOKEN.encode())]

    def test_opens_a_page_once_and_then_by_a_cookie(self) -> None:
        with serving(token=TOKEN, page=True) as served:
            wrong = served.client.get("/", params={"token": "guess"})
            assert_problem(wrong, 401, "unauthorised")
            secret = TOKEN.replace(" ", "+")
            head = (
                f"GET //evil.example/?token={secret}&a=b HTTP/1.1\nHost: x\nConnection: close\n\n"
            )
            assert b"\r\nlocation: /evil.example/?a=b\r\n" in raw(served, head)
            answer = served.client.get("/", params={"token": TOKEN})
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            cookie = answer.headers["set-cookie"]
            assert TOKEN not in cookie
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
            assert served.client.get("/v1/engines").status_code == 200  # the client has it now


class TestTheHost:
    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "a b"])
    def test_of_another_name_is_refused(self, served: Served, host: str) -> None:
        for method in ("GET", "POST", "DELETE"):
            answer = served.client.request(method, "/v1/engines", headers={"Host": host})
            assert_problem(answer, 421, "wrong-host")

    @pytest.mark.parametrize("host", ["localhost", "localhost:99", "LOCALHOST", "[::1]:7"])
    def test_of_this_machine(self, served: Served, host: str) -> None:
        assert served.client.get("/healthz", headers={"Host": host}).status_code == 200

    def test_with_a_token_any_name_will_do(self, locked: Served) -> None:
        headers = bearer() | {"Host": "photos.example"}
        assert locked.client.get("/v1/engines", headers=headers).status_code == 200


class TestOtherSites:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://localhost:1"},
            {"Origin": "http://["},
            {"Sec-Fetch-Site": "cross-site"},
        ],
    )
    def test_may_not_post(self, served: Served, headers: dict[str, str]) -> None:
        assert_problem(served.post(files=files(), data=FLAT, headers=headers), 403, "cross-site")
        assert_problem(served.client.delete("/v1/jobs/x", headers=headers), 403, "cross-site")

    def test_our_own_page_may(self, served: Served) -> None:
        answer = served.post(files=files(), data=FLAT, headers={"Origin": served.url})
        assert answer.status_code == 200

    def test_cors_is_closed(self, served: Served) -> None:
        origin = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        answer = served.client.options("/v1/fill", headers=origin)
        assert answer.status_code != 200
        answer = served.client.get("/v1/engines", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in answer.headers

    def test_cors_opens_to_those_that_were_named(self, locked: Served) -> None:
        friend = {"Origin": "https://friend.example"}
        asked = friend | {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        answer = locked.client.options("/v1/fill", headers=asked)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://friend.example"
        answer = locked.post(files=files(), data=FLAT, headers=bearer() | friend)
        assert answer.status_code == 200
        assert "Infill-Seed" in answer.headers["access-control-expose-headers"]
        answer = locked.post(headers=friend)  # a problem can be read as well
        assert_problem(answer, 401, "unauthorised")
        assert answer.headers["access-control-allow-origin"] == "https://friend.example"
        stranger = bearer() | {"Origin": "https://evil.example"}
        assert_problem(locked.post(files=files(), headers=stranger), 403, "cross-site")


class TestHeaders:
    @pytest.mark.parametrize("path", ["/v1/engines", "/nothing", "/metrics", "/v1/jobs/x"])
    def test_are_on_every_answer(self, served: Served, path: str) -> None:
        headers = served.client.get(path).headers
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in headers

    def test_a_page_may_have_scripts_and_still_no_frame(self) -> None:
        with serving(page=True) as served:
            policies = [
                served.client.get(path).headers["content-security-policy"]
                for path in ("/", "/v1/engines")
            ]
        assert policies[1] == "default-src 'none'; frame-ancestors 'none'"
        assert policies[0].startswith("default-src 'self'"), "the page loads nothing from elsewhere"
        assert policies[0].endswith("frame-ancestors 'none'")


def chunks(total: int) -> Iterator[bytes]:
    for _ in range(total // 10_000):
        yield bytes(10_000)


def raw(served: Served, head: str, body: bytes = b"") -> bytes:
    """What the server answers to these bytes until it closes the connection."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=LONG) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + body)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


class TestSizes:
    def test_a_body_that_says_it_is_too_large_is_not_read(self, locked: Served) -> None:
        head = (
            f"POST /v1/fill HTTP/1.1\nHost: x\nAuthorization: Bearer {TOKEN}\n"
            "Content-Type: application/json\nContent-Length: 999999999\n\n"
        )
        answer = raw(locked, head)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"/problems/too-large" in answer

    def test_a_body_in_chunks_is_counted(self, locked: Served) -> None:
        headers = bearer() | {"Content-Type": "application/json"}
        answer = locked.client.post("/v1/fill", content=chunks(220_000), headers=headers)
        assert_problem(answer, 413, "too-large")

    def test_a_form_in_chunks_is_counted(self, locked: Served) -> None:
        request = httpx.Request("POST", locked.url, files=files(photo=bytes(210_000)))
        body = request.read()
        headers = bearer() | {"Content-Type": request.headers["content-type"]}
        parts = (body[start : start + 9999] for start in range(0, len(body), 9999))
        answer = locked.client.post("/v1/fill", content=parts, headers=headers)
        assert_problem(answer, 413, "too-large")

    def test_bodies_are_counted_together(self) -> None:
        with serving({"upload_bytes": 20_000}) as served:
            idle = [_half_sent(served, 19_000) for _ in range(8)]
            try:
                until(lambda: _busy(served), "that the server reads as much as it can")
            finally:
                for connection in idle:
                    connection.close()
            until(lambda: not _busy(served), "that what was given up is forgotten")

    def test_a_decompression_bomb_is_refused_before_it_is_decoded(self, served: Served) -> None:
        header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
        body = zlib.compress(bytes(1_000_000))
        bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
        )
        begun = time.monotonic()
        for given in (files(photo=bomb), files(mask=bomb)):
            assert_problem(served.post(files=given, data=FLAT), 413, "too-many-pixels")
        answer = served.post("/v1/masks/refine", files={"mask": ("m.png", bomb)})
        assert_problem(answer, 413, "too-many-pixels")
        assert time.monotonic() - begun < LONG / 4

    def test_pixels_candidates_and_steps(self) -> None:
        with serving({"served_pixels": 3000, "served_batch": 2}) as served:
            asked = [
                served.post(files=files(), data=FLAT),
                served.post("/v1/masks/refine", files={"mask": ("m.png", MASK)}),
            ]
            for answer in asked:
                told = assert_problem(answer, 413, "too-many-pixels")
                assert "INFILL_SERVED_PIXELS" in told["detail"]
                assert "INFILL_MAX_PIXELS" not in told["detail"]
        with serving({"served_batch": 2}) as served:
            for data in ({"candidates": "3"}, {"seeds": "1,2,3"}, {"candidates": str(10**18)}):
                answer = served.post(files=files(), data=FLAT | data)
                assert_problem(answer, 413, "over-limit")

    def test_many_fields(self, served: Served) -> None:
        answer = served.post(files=files(), data={f"field{i}": "x" for i in range(400)})
        assert_problem(answer, 400, "malformed-request")


def _half_sent(served: Served, size: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", served.port), timeout=LONG)
    head = (
        "POST /v1/fill HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {size + 1}\r\n\r\n"
    )
    connection.sendall(head.encode() + bytes(size))
    return connection


def _busy(served: Served) -> bool:
    answer = served.client.post(
        "/v1/fill", content=bytes(10_000), headers={"Content-Type": "application/json"}
    )
    if answer.status_code == 503:
        assert_problem(answer, 503, "busy")
        assert answer.headers["retry-after"] == "1"
        return True
    assert_problem(answer, 400, "malformed-request")
    return False


class TestPatience:
    def test_a_client_that_drips_is_sent_away(self) -> None:
        with serving(patience=Patience(seconds=0.5)) as served:
            head = (
                "POST /v1/fill HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                "Content-Length: 100000\r\n\r\n"
            )
            with socket.create_connection(("127.0.0.1", served.port), LONG) as connection:
                connection.sendall(head.encode())
                stop = threading.Event()
                dripper = threading.Thread(target=_drip, args=(connection, stop))
                dripper.start()
                answer = b""
                while part := connection.recv(65536):
                    answer += part
                stop.set()
                dripper.join()
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b"/problems/too-slow" in answer
            fine = served.post(files=files(), data=FLAT)
            assert fine.status_code == 200

    def test_waiting_for_the_answer_is_not_dripping(self) -> None:
        with serving(patience=Patience(seconds=0.2)) as served:
            answer = served.post(files=files())  # the first fill waits for a process to start
            assert answer.status_code == 200

    def test_a_client_that_leaves_in_the_middle_of_its_body(self, served: Served) -> None:
        _half_sent(served, 1000).close()
        assert served.client.get("/healthz").status_code == 200


def _drip(connection: socket.socket, stop: threading.Event) -> None:
    while not stop.wait(0.02):
        try:
            connection.sendall(b" ")
        except OSError:
            return


class TestFileNames:
    @pytest.mark.parametrize("name", ["../../evil.png", "/etc/passwd", "a\\b.png", "C:\\x.png"])
    def test_mean_nothing(self, served: Served, name: str) -> None:
        given = {"photo": (name, PHOTO), "mask": (name, MASK)}
        answer = served.post(files=given, data=FLAT)
        assert answer.status_code == 200
        assert name not in json.dumps(dict(answer.headers))

    @pytest.mark.parametrize("path", ["/etc/passwd", "https://example.org/a.png", "file:///x"])
    def test_a_path_or_an_address_is_no_picture(self, served: Served, path: str) -> None:
        answer = served.post(json={"photo": path, "engine": "flat"})
        assert answer.status_code == 422
        answer = served.post(data={"photo": path}, files={"mask": ("m.png", MASK)})
        assert_problem(answer, 422, "invalid-request")
        answer = served.post(files={"photo": ("a", path.encode()), "mask": ("m.png", MASK)})
        assert_problem(answer, 415, "not-a-picture")

    def test_a_pickle_is_no_picture(self, served: Served) -> None:
        import pickle

        answer = served.post(files=files(photo=pickle.dumps({"a": 1})), data=FLAT)
        assert_problem(answer, 415, "not-a-picture")
