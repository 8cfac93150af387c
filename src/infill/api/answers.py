"""From results to responses: pictures in the container that was asked for, or JSON."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from infill.api import problems
from infill.api.schemas import FORMATS
from infill.errors import InfillError
from infill.jobs import Job
from infill.picture import Picture
from infill.result import Result
from infill.segmenters.base import Candidate

JSON = "application/json"


@dataclass(frozen=True)
class Choices:
    """How a result is to be written."""

    format: str = "png"
    quality: int | None = None
    recipe: Literal["embed", "none"] = "embed"


def accepted(request: Request, offered: Sequence[str]) -> str:
    """The first of the offered media types that the client likes best.

    Raises `Refused`, "not-acceptable", if it takes none of them.
    """
    asked = ", ".join(filter(None, request.headers.getlist("accept"))) or "*/*"
    wishes: dict[str, float] = {}
    for part in asked.split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            wishes[name] = max(0.0, min(1.0, float(weight)))
        except ValueError:
            wishes[name] = 0.0

    def liking(kind: str) -> float:
        return wishes.get(kind, wishes.get(kind.partition("/")[0] + "/*", wishes.get("*/*", 0.0)))

    best = max(offered, key=liking)  # the first of equals
    if liking(best) <= 0:
        raise problems.Refused(
            "not-acceptable",
            f"the answer can be {', '.join(offered)}, and Accept asks for {asked[:100]}; "
            "name one of them, or */*",
        )
    return best


def wanted_format(request: Request, named: str | None) -> str | None:
    """The container that the field or Accept asks for; None = JSON. Raises `Refused`."""
    if named is not None:
        return named
    kind = accepted(request, [*FORMATS.values(), JSON])
    return None if kind == JSON else next(key for key, value in FORMATS.items() if value == kind)


def problem_response(error: Exception, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that an error is."""
    told = problems.problem(error)
    extra = dict(headers or {}) | problems.headers(told)
    if told["type"] in ("/problems/too-large", "/problems/too-slow", "/problems/busy"):
        extra["Connection"] = "close"  # the rest of the body is not read
    return Response(problems.body(told), told["status"], extra, problems.MEDIA_TYPE)


def json_response(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """JSON in ASCII: texts of clients and files are in it, and need not be valid Unicode."""
    return Response(json.dumps(content).encode("ascii"), status, dict(headers or {}), JSON)


def picture_response(job: Job, index: int, choices: Choices) -> Response:
    """One candidate as a file, with its proof and seed in the headers.

    Raises `FormatCannotHold`, `NoSuchJob`, and the error that ended the job.
    """
    results = _results(job)
    if not 0 <= index < len(results):
        raise problems.Refused(
            "not-found", f"the job has {len(results)} candidates, counted from 0; not {index}"
        )
    result = results[index]
    content = result.to_bytes(choices.format, recipe=choices.recipe, quality=choices.quality)
    headers = {
        "Infill-Job": job.id,
        "Infill-Engine": result.card.name,
        "Infill-Seed": str(result.recipe.seed),
        "Infill-Outside-Max-Diff": str(result.proof.outside_max_diff),
        "Infill-Outside-Pixels": str(result.proof.outside_pixels),
        "Infill-Candidates": str(len(results)),
    }
    if lossy(result, choices):
        headers["Infill-Lossy"] = "true"
    return Response(content, 200, headers, FORMATS[choices.format])


def lossy(result: Result, choices: Choices) -> bool:
    """Whether the container changes the pixels, so that the proof is not of what it holds."""
    if choices.format == "webp":
        return choices.quality is not None or not result.picture.metadata.lossless
    return choices.format in ("jpeg", "avif")


def filled_json(job: Job, choices: Choices) -> Response:
    """All candidates in one JSON object."""
    results = _results(job)
    told = [
        {
            "seed": result.recipe.seed,
            "picture": _base64(
                result.to_bytes(choices.format, recipe=choices.recipe, quality=choices.quality)
            ),
            "media_type": FORMATS[choices.format],
            "lossy": lossy(result, choices),
            "outside_max_diff": result.proof.outside_max_diff,
            "outside_pixels": result.proof.outside_pixels,
            "notes": list(result.notes),
            "recipe": json.loads(result.recipe.to_json()),
        }
        for result in results
    ]
    body = {"job": job.id, "engine": results[0].card.name, "results": told}
    return json_response(body, headers={"Infill-Job": job.id})


def _results(job: Job) -> list[Result]:
    results = job.result()
    if not (isinstance(results, list) and results and isinstance(results[0], Result)):
        raise problems.Refused("not-found", "this job has no filled picture")
    return cast(list[Result], results)


def segmented_json(found: Sequence[Candidate], how: str) -> Response:
    """Candidates with their masks as PNG in base64, or as COCO's run lengths."""
    from infill.masks.coco import to_rle

    told: list[dict[str, Any]] = []
    for candidate in found:
        one: dict[str, Any] = {
            "score": float(candidate.score),
            "coverage": float(candidate.mask.mean()),
        }
        if how == "rle":
            one["rle"] = to_rle(candidate.mask)
        else:
            one["mask"] = _base64(mask_png(candidate.mask))
        told.append(one)
    return json_response({"candidates": told})


def mask_png(mask: NDArray[Any]) -> bytes:
    """PNG of a (H, W) bool mask, or of a soft one in [0, 1]; white = mask."""
    grey = np.rint(np.multiply(mask, 255.0, dtype=np.float32)).astype(np.uint8)
    return Picture.from_array(grey).to_bytes("png")


def refined_json(mask: NDArray[Any]) -> Response:
    """A refined mask in JSON."""
    return json_response(
        {
            "mask": _base64(mask_png(mask)),
            "coverage": float(mask.mean(dtype=np.float64)),
            "pixels": int(np.count_nonzero(mask)),
        }
    )


def job_state(job: Job) -> dict[str, Any]:
    """What is told of a job; see `JobState`."""
    told = job.snapshot()
    del told["version"]
    times = {"created": job.created, "started": job.started, "ended": job.ended}
    return {
        "id": job.id,
        **told,
        **times,
        "candidates": _count(job),
        "error": problems.problem(job.error) if job.error is not None else None,
    }


def _count(job: Job) -> int | None:
    try:
        value = job.result()
    except InfillError:
        return None
    return len(value) if isinstance(value, list) else None


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
