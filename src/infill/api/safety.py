"""What keeps a server safe: who may speak to it, and what browsers are told.

Plain ASGI, so that the web page that is mounted beside the API is kept by the same.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from infill.api.bodies import SAFE_METHODS, App, Message, Receive, Scope, Send, headers_of, refuse
from infill.api.problems import Refused
from infill.errors import BadSetting

LOOPBACK = ("localhost", "127.0.0.1", "::1")
COOKIE = "infill_token"
OPEN_PATHS = ("/healthz",)
"""What anybody may ask: whether the server is up."""

API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "base-uri 'self'; form-action 'self'; object-src 'none'; frame-ancestors 'none'"
)
"""Gradio's scripts and styles stand in the page itself; nothing comes from elsewhere."""


def check_address(host: str, token: str | None, insecure: bool) -> None:
    """Raise `BadSetting` if the server would be open to others without a token.

    host: the address to bind. Only this machine's own loopback addresses need neither token nor
    `insecure`.
    """
    if token is not None and len(token) < 8:
        raise BadSetting("the token has fewer than 8 characters; take a longer one")
    if token is None and not insecure and not is_loopback(host):
        raise BadSetting(
            f"on {host} others could use this server; give --token, or --insecure if they may"
        )


def hosts_of(host: str, token: str | None, insecure: bool) -> tuple[str, ...]:
    """The names that a request's Host may have, see `Guard`: with neither token nor `insecure`,
    those of this machine.
    """
    if token is not None or (insecure and not is_loopback(host)):
        return ("*",)
    return (*LOOPBACK, host.strip("[]").lower())


def is_loopback(host: str) -> bool:
    """Whether a name or address reaches this machine from itself alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def same(given: str, expected: str) -> bool:
    """Compare two secrets in a time that does not tell how much of them is equal."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8"))


def cookie_value(token: str) -> str:
    """What the page's cookie holds: it proves the token and does not tell it."""
    return hmac.new(token.encode(), b"infill page", hashlib.sha256).hexdigest()


class Guard:
    """Refuses strangers: a wrong token, a foreign Host, a request from another site's page.

    token: what `Authorization: Bearer` must show; None = nobody is asked.
    hosts: names that Host may have; ("*",) = any. It keeps out pages whose name was made to
           point to this machine (DNS rebinding).
    cors:  origins whose pages may call.
    page:  the token may also come once as ?token=… and then in a cookie.
    """

    def __init__(
        self,
        app: App,
        token: str | None,
        hosts: Sequence[str],
        cors: Sequence[str] = (),
        page: bool = False,
    ) -> None:
        self._app = app
        self._token = token
        self._hosts = frozenset(host.lower() for host in hosts)
        self._cors = frozenset(origin.rstrip("/").lower() for origin in cors)
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = headers_of(scope)
        try:
            self._check_host(headers)
            self._check_origin(scope, headers)
            if self._token is not None and scope["path"] not in OPEN_PATHS:
                if self._enters_with_token(scope):
                    await self._let_in(scope, send)
                    return
                self._check_token(headers)
        except Refused as refused:
            await refuse(scope, receive, send, refused)
            return
        await self._app(scope, receive, send)

    def _check_host(self, headers: dict[str, str]) -> None:
        if "*" in self._hosts:
            return
        name = _host_name(headers.get("host", ""))
        if name not in self._hosts:
            raise Refused("wrong-host", f"this server does not go by the name {name!r}")

    def _check_origin(self, scope: Scope, headers: dict[str, str]) -> None:
        """Refuse what a page of another site has a browser do. Reading is the browser's to
        refuse, by its own rules; a websocket is not.
        """
        if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
            return
        origin = headers.get("origin")
        if origin is None:
            if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
                raise Refused("cross-site", "pages of other sites may not use this server")
            return
        if "*" in self._cors or origin.lower() in self._cors:
            return
        try:
            place = urlsplit(origin).netloc.lower()
        except ValueError:
            place = ""
        if not place or place != headers.get("host", "").lower():
            raise Refused("cross-site", f"pages of {origin} may not use this server; see --cors")

    def _check_token(self, headers: dict[str, str]) -> None:
        assert self._token is not None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and same(given.strip(), self._token):
            return
        if self._page and same(_cookie(headers), cookie_value(self._token)):
            return
        raise Refused("unauthorised", "send the server's token as Authorization: Bearer TOKEN")

    def _enters_with_token(self, scope: Scope) -> bool:
        """Whether it is a page opened as ?token=… with the right one."""
        if not self._page or scope["type"] != "http" or scope["method"] != "GET":
            return False
        given = dict(_query(scope)).get("token")
        return given is not None and same(given, self._token or "")

    async def _let_in(self, scope: Scope, send: Send) -> None:
        """Set the cookie, and lead to the same page without the token in its address."""
        rest = urlencode([(key, value) for key, value in _query(scope) if key != "token"])
        # A path of two slashes would name another server.
        path = "/" + scope["path"].lstrip("/\\")
        place = path.encode("ascii", "replace").decode() + (f"?{rest}" if rest else "")
        cookie = f"{COOKIE}={cookie_value(self._token or '')}; HttpOnly; SameSite=Strict; Path=/"
        headers = [(b"location", place.encode("latin-1")), (b"set-cookie", cookie.encode())]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


class Headers:
    """Tells browsers not to frame, sniff, refer or embed what is served."""

    def __init__(self, app: App, page: bool, cors: bool) -> None:
        self._app = app
        self._page = page
        self._always = [
            (b"x-frame-options", b"DENY"),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-resource-policy", b"cross-origin" if cors else b"same-origin"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        ours = not self._page or scope["path"].startswith("/v1/")
        extra = [
            *self._always,
            (b"content-security-policy", (API_POLICY if ours else PAGE_POLICY).encode()),
        ]
        if ours:
            extra.append((b"cache-control", b"no-store"))

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in extra}
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in names]
                message["headers"] = [*kept, *extra]
            await send(message)

        await self._app(scope, receive, add)


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _cookie(headers: dict[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
