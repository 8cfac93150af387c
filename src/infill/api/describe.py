"""What OpenAPI is told of bodies and answers that are read and written by hand."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from infill.api.problems import MEDIA_TYPE
from infill.api.reading import FILES, SEVERAL
from infill.api.schemas import (
    FORMATS,
    Body,
    Filled,
    FillRequest,
    JobState,
    Problem,
    RefinedMask,
    RefineRequest,
    Segmented,
    SegmentRequest,
)

PHOTO = (
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAH0lEQVR42mM8UaHBgA0kPKrAKs7EQCIY1TCqYehoAACd"
    "iwNCHaRI6wAAAABJRU5ErkJggg=="
)
MASK = (
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAAAAAA6mKC9AAAAGElEQVR42mNgoAdghFD/4UwmdBWEBegDAKfmAQg1WQ/f"
    "AAAAAElFTkSuQmCC"
)
"""A photo of 16×16 pixels and a mask for it, PNG in base64: the examples can be run as they are."""

WORDS = {
    400: "The body cannot be parsed.",
    401: "The token is missing or wrong.",
    403: "A page of another origin asks.",
    404: "No such job, or its result is deleted.",
    405: "This address does not take this method.",
    406: "Accept names nothing that can be answered here.",
    408: "The body did not arrive in time.",
    409: "The job has not ended, or was cancelled.",
    413: "Too many bytes, pixels, steps or candidates.",
    415: "The body, or a picture in it, is of a kind that is not read.",
    421: "The Host header names another server.",
    422: "A field, picture, mask or option cannot be used.",
    429: "The queue is full; Retry-After says when to try again.",
    500: "The engine failed, or a mistake in Infill itself.",
    503: "The worker died, the time was up, or a package or the weights of a network are missing.",
}
ALWAYS = (401, 403, 421, 500)
WORK = (400, 406, 408, 413, 415, 422, 429, 503)

PROOF_HEADERS = {
    "Infill-Job": "The job's id, for GET /v1/jobs/{id}/result.",
    "Infill-Engine": "What filled.",
    "Infill-Seed": "The seed of this candidate.",
    "Infill-Outside-Max-Diff": "Largest difference outside the mask, before coding: 0.",
    "Infill-Outside-Pixels": "How many pixels outside the mask were compared.",
    "Infill-Lossy": "`true` if the container changed the pixels once more after the proof (JPEG, "
    "AVIF, and WebP with a quality or of a lossy photo); else it is not there.",
    "Infill-Candidates": "How many results the job has.",
}


def body(model: type[Body], example: Mapping[str, Any]) -> dict[str, Any]:
    """`openapi_extra` of an operation whose body is that model, in JSON or as a form."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)  # they are among the components
    form = {**schema, "properties": dict(schema["properties"])}
    for name in form["properties"]:
        told = _without_null(form["properties"][name])
        form["properties"][name] = told
        about: dict[str, Any] = {key: told[key] for key in ("description", "title") if key in told}
        if name in FILES:
            form["properties"][name] = {**about, "type": "string", "format": "binary"}
        elif name in SEVERAL:
            form["properties"][name] = {**about, "type": "array", "items": {"type": "string"}}
        elif name in ("options", "points", "labels"):
            form["properties"][name] = {**about, "type": "string"}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema, "example": dict(example)},
                "multipart/form-data": {"schema": form},
            },
        }
    }


def _without_null(told: Mapping[str, Any]) -> dict[str, Any]:
    """A form has no null: what is not given is left out."""
    others = [kind for kind in told.get("anyOf", []) if kind != {"type": "null"}]
    rest = {key: value for key, value in told.items() if key not in ("anyOf", "default")}
    return dict(told) if "anyOf" not in told else {**rest, **others[0]}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` for the statuses of problems, those that any request may meet among them."""
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}
    found: dict[int | str, dict[str, Any]] = {}
    for status in sorted({*ALWAYS, *statuses}):
        found[status] = {"description": WORDS[status], "content": content}
        if status == 429:
            found[status]["headers"] = _headers({"Retry-After": "Seconds to wait."}, "integer")
        if status == 401:
            found[status]["headers"] = _headers({"WWW-Authenticate": "Bearer."})
    return found


def pictures(
    words: str,
    formats: Iterable[str] = FORMATS,
    json: type | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[int | str, dict[str, Any]]:
    """The answer 200 that is a picture, or JSON where it is accepted."""
    content: dict[str, Any] = {
        FORMATS[name]: {"schema": {"type": "string", "format": "binary"}} for name in formats
    }
    if json is not None:
        content["application/json"] = {"schema": {"$ref": f"#/components/schemas/{json.__name__}"}}
    return {200: {"description": words, "content": content, "headers": _headers(headers or {})}}


def job_begun() -> dict[str, Any]:
    """The answer 202: a job that nobody waits for."""
    schema = {"$ref": f"#/components/schemas/{JobState.__name__}"}
    return {
        "description": "With `wait` false: the job. Location leads to it.",
        "content": {"application/json": {"schema": schema}},
        "headers": _headers({"Location": "Of the job."}),
    }


def components() -> dict[str, Any]:
    """The schemas that answers refer to, by name."""
    found: dict[str, Any] = {}
    requests = (FillRequest, SegmentRequest, RefineRequest)
    for model in (*requests, Problem, Filled, Segmented, RefinedMask, JobState):
        mode: Literal["validation", "serialization"] = (
            "validation" if model in requests else "serialization"
        )
        told = model.model_json_schema(ref_template="#/components/schemas/{model}", mode=mode)
        found |= told.pop("$defs", {})
        if model not in requests:  # these stand with their operations
            found[model.__name__] = told
    return found


def _headers(told: Mapping[str, str], kind: str = "string") -> dict[str, Any]:
    return {name: {"description": text, "schema": {"type": kind}} for name, text in told.items()}
