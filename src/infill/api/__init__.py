"""The HTTP API: the same fills, over a socket. Needs the extra `web`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from infill.api.bodies import Patience
    from infill.jobs import Pool


def create_app(
    pool: "Pool",
    *,
    token: str | None = None,
    cors: Sequence[str] = (),
    page: bool = False,
    hosts: Sequence[str] | None = None,
    patience: "Patience | None" = None,
) -> "FastAPI":
    """The API over a pool, as a FastAPI app; it closes the pool when it shuts down.

    token: what callers must show; None = nobody is asked.
    cors:  origins ("https://example.org") whose pages may call; none by default.
    page:  a web page will be mounted beside the API, which takes scripts and a cookie.
    hosts: names that a request's Host may have. None = those of this machine if there is no
           token, and any if there is one; ("*",) = any.
    patience: how long a request's body may take to arrive.

    Raises `MissingExtra`.
    """
    from infill.lazy import need

    for module in ("fastapi", "prometheus_client", "python_multipart"):
        need(module, extra="web")
    from infill.api.app import build

    return build(pool, token=token, cors=cors, page=page, hosts=hosts, patience=patience)
