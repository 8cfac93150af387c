"""The app: routes, and around them what keeps it safe."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

import infill
from infill.api.answers import problem_response
from infill.api.bodies import BodyLimit, LastResort, Patience
from infill.api.describe import PROOF_HEADERS, components
from infill.api.metrics import Measured, Metrics
from infill.api.problems import Refused
from infill.api.routes import router
from infill.api.safety import LOOPBACK, Guard, Headers
from infill.api.waiting import ClientGone
from infill.errors import InfillError
from infill.jobs import Pool

DESCRIPTION = """Fills the masked part of a photo, and proves that nothing else changed.

Bodies are multipart forms or JSON with files in base64. A photo's own pixels outside the mask
come back as they were: the headers `Infill-Outside-Max-Diff` (always 0) and
`Infill-Outside-Pixels` tell what was measured, before the file was coded.
"""
TOGETHER = 8  # as many of the largest bodies are read at the same time


def build(
    pool: Pool,
    *,
    token: str | None,
    cors: Sequence[str],
    page: bool,
    hosts: Sequence[str] | None,
    patience: Patience | None,
) -> FastAPI:
    """See `infill.api.create_app`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        pool.close()

    app = FastAPI(
        title="Infill",
        version=infill.__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.state.pool = pool
    app.state.metrics = Metrics(pool)
    app.include_router(router)
    _handle_errors(app)
    _complete_schema(app)
    limits = pool.limits
    together = TOGETHER * limits.upload_bytes
    allowed = hosts if hosts is not None else (LOOPBACK if token is None else ("*",))
    # The last one added is the outermost.
    app.add_middleware(LastResort)
    app.add_middleware(
        BodyLimit,
        most=limits.upload_bytes,
        together=together,
        patience=patience or Patience(),
    )
    app.add_middleware(Guard, token=token, hosts=allowed, cors=cors, page=page)
    if cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=[*PROOF_HEADERS, "Infill-Score", "Location", "Retry-After"],
        )
    app.add_middleware(Headers, page=page, cors=bool(cors))
    app.add_middleware(Measured, metrics=app.state.metrics)
    return app


def _complete_schema(app: FastAPI) -> None:
    """Put into the schema what answers refer to; FastAPI adds what it writes itself alone."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made()["components"]["schemas"] |= components()
        return made()

    app.openapi = openapi  # type: ignore[method-assign]


def _handle_errors(app: FastAPI) -> None:
    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        ClientGone: _gone,
        InfillError: _ours,
        HTTPException: _http,
        RequestValidationError: _invalid,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it; the log and the metrics do


async def _ours(request: Request, error: Exception) -> Response:
    return problem_response(error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))
    kinds = {404: "not-found", 405: "method-not-allowed", 400: "malformed-request"}
    kind = kinds.get(error.status_code, "internal-error")
    if kind == "not-found":
        refused = Refused(kind, f"there is nothing at {request.url.path}")
    elif kind == "method-not-allowed":
        refused = Refused(kind, f"{request.url.path} does not take {request.method}")
    else:
        refused = Refused(kind, str(error.detail))
    return problem_response(refused, headers)


def _methods(request: Request) -> list[str]:
    """All that the address takes: Starlette names those of the first route that matches."""
    found = []
    for template, operations in request.app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), request.url.path):
            found += [method.upper() for method in operations]
    return found


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [
        {"field": ".".join(map(str, one["loc"][1:])), "detail": str(one["msg"])}
        for one in error.errors()[:20]
    ]
    first = found[0] if found else {"field": "request", "detail": "invalid"}
    sentence = f"{first['field']}: {first['detail']}"
    return problem_response(Refused("invalid-request", sentence, found))
