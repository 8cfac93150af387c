"""Errors as RFC 9457 problem details: one table from our exceptions to status and type."""

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from infill import errors
from infill.errors import InfillError, ServiceError

MEDIA_TYPE = "application/problem+json"
LONGEST = 500  # characters of a detail: it may quote what the client sent

STATUS: dict[type[InfillError], int] = {
    errors.PictureError: 422,
    errors.NotAPicture: 415,
    errors.EmptyFile: 422,
    errors.TruncatedPicture: 422,
    errors.TooManyPixels: 413,
    errors.BadPixels: 422,
    errors.FormatCannotHold: 422,
    errors.MaskError: 422,
    errors.MaskSizeMismatch: 422,
    errors.FullMask: 422,
    errors.BadMask: 422,
    errors.BadPrompt: 422,
    errors.UnknownPlugin: 422,
    errors.BadOption: 422,
    errors.BadSetting: 422,
    errors.EngineFailed: 500,
    errors.Drifted: 500,
    errors.MissingWeights: 503,
    errors.MissingExtra: 503,
    errors.QueueFull: 429,
    errors.OverLimit: 413,
    errors.NoSuchJob: 404,
    errors.WorkerDied: 503,
    errors.TimedOut: 503,
    errors.Cancelled: 409,
    errors.ServiceError: 500,
    errors.InfillError: 500,
}
"""The status of each error; one that is not here has that of the nearest class above it."""


class Refused(ServiceError):
    """What HTTP itself is refused for; see `REFUSALS` for the kinds.

    errors: for "invalid-request", what is wrong with which field.
    """

    def __init__(self, kind: str, detail: str, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(detail)
        self.kind = kind
        self.errors = list(errors)


REFUSALS: dict[str, tuple[int, str]] = {
    "malformed-request": (400, "The body cannot be parsed."),
    "unauthorised": (401, "The token is missing or wrong."),
    "cross-site": (403, "The request comes from a page of another origin, which is not allowed."),
    "not-found": (404, "There is nothing at this address."),
    "method-not-allowed": (405, "This address does not take this method."),
    "not-acceptable": (406, "Accept names nothing that can be answered here."),
    "too-slow": (408, "The body did not arrive in time."),
    "not-finished": (409, "The job has no result yet."),
    "too-large": (413, "The body is larger than the server reads."),
    "unsupported-media-type": (415, "The body is of a kind that is not read here."),
    "wrong-host": (421, "The Host header names another server."),
    "invalid-request": (422, "A field is missing, unknown or out of range."),
    "busy": (503, "The server is reading as much as it can already."),
    "internal-error": (500, "A mistake in Infill itself."),
}
"""Kind: status and title of what `Refused` is raised for."""


def slug(kind: type[InfillError]) -> str:
    """MaskSizeMismatch → mask-size-mismatch."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()


def every_kind() -> dict[str, tuple[int, str]]:
    """Every problem there is: the last part of its type, its status and its title."""
    ours = {slug(kind): (status, title(kind)) for kind, status in STATUS.items()}
    return dict(sorted((ours | REFUSALS).items()))


def title(kind: type[InfillError]) -> str:
    """The first sentence of the error's own description."""
    if kind is InfillError:
        return "Infill cannot do this."
    first = " ".join((kind.__doc__ or kind.__name__).split("\n\n")[0].split())
    return first.partition("; `")[0].rstrip(".").split(": `")[0] + "."


def status_of(error: InfillError) -> int:
    """The HTTP status of an error."""
    return int(problem(error)["status"])


def problem(error: Exception) -> dict[str, Any]:
    """The problem details of an error: type, title, status, detail, and what else it tells.

    Of an error that is none of ours nothing is told but that it happened.
    """
    if isinstance(error, Refused):
        status, heading = REFUSALS[error.kind]
        told = _details(error.kind, status, heading, str(error))
        return told | ({"errors": error.errors} if error.errors else {})
    for kind in type(error).__mro__:
        if kind in STATUS:
            told = _details(slug(kind), STATUS[kind], title(kind), str(error))
            if isinstance(error, errors.QueueFull):
                told["retry_after"] = round(error.retry_after)
            return told
    return _details(
        "internal-error", *REFUSALS["internal-error"], "something went wrong; the log has more"
    )


def _details(kind: str, status: int, heading: str, detail: str) -> dict[str, Any]:
    if len(detail) > LONGEST:
        detail = detail[: LONGEST - 1] + "…"
    return {"type": f"/problems/{kind}", "title": heading, "status": status, "detail": detail}


def headers(told: Mapping[str, Any]) -> dict[str, str]:
    """The headers that belong to a problem."""
    if told["status"] == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    if "retry_after" in told:
        return {"Retry-After": str(max(1, told["retry_after"]))}
    return {"Retry-After": "1"} if told["type"] == "/problems/busy" else {}


def body(told: Mapping[str, Any]) -> bytes:
    """The JSON, in ASCII: what a client sent may be quoted, and need not be valid text."""
    return json.dumps(told).encode("ascii")
