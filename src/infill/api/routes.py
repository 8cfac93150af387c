"""The addresses. Each reads its request, hands the work to the pool, and writes the answer."""

from typing import Annotated, Any, Literal
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

import infill
from infill.api import answers, catalogue, describe, inputs, schemas
from infill.api.answers import Choices
from infill.api.describe import MASK, PHOTO
from infill.api.metrics import CONTENT_TYPE
from infill.api.problems import Refused, every_kind
from infill.api.reading import in_thread, read
from infill.api.waiting import events, finished
from infill.jobs import Job, Pool, RefineTask, Task

router = APIRouter()
_choices: WeakKeyDictionary[Job, Choices] = WeakKeyDictionary()
"""How the answer to each fill was asked for, as long as the job is kept."""

Number = Annotated[str, Path(description="The id of a job.", max_length=64)]


def _pool(request: Request) -> Pool:
    pool: Pool = request.app.state.pool
    return pool


async def _submit(request: Request, kind: str, name: str, task: Task) -> Job:
    job = await in_thread(_pool(request).submit, task)
    request.app.state.metrics.follow(job, kind, name)
    return job


async def _now(request: Request, kind: str, name: str, task: Task) -> Any:
    """The value of a task that is not kept."""
    job = await _submit(request, kind, name, task)
    await finished(job, request)
    try:
        return job.result()
    finally:
        await in_thread(_pool(request).discard, job)


@router.post(
    "/v1/fill",
    response_class=Response,
    responses={
        **describe.pictures(
            "The filled photo; in JSON, every candidate.",
            json=schemas.Filled,
            headers=describe.PROOF_HEADERS,
        ),
        202: describe.job_begun(),
        **describe.problems(*describe.WORK),
    },
    openapi_extra=describe.body(
        schemas.FillRequest,
        {"photo": PHOTO, "mask": MASK, "engine": "telea", "seed": 1, "refine": "grow=1"},
    ),
)
async def fill(request: Request) -> Response:
    """Fill the hole in a photo.

    The answer is the picture: PNG, unless `format` or Accept asks for another container or for
    JSON. Further candidates are at `/v1/jobs/{id}/result?candidate=1`. A client that goes away
    cancels its job; with `wait` false it may, and finds the job at the answer's Location.
    """
    body = await read(request, schemas.FillRequest)
    form = answers.wanted_format(request, body.format)
    task, rough = await in_thread(inputs.fill_task, body, _pool(request).limits)
    if rough is not None:
        hole = await _now(request, "refine", "none", RefineTask(rough, body.refine))
        task = inputs.with_hole(task, hole)
    choices = Choices(form or "png", body.quality, body.recipe)
    wait = body.wait
    del body
    job = await _submit(request, "fill", task.engine, task)
    del task
    _choices[job] = choices
    if not wait:
        place = f"/v1/jobs/{job.id}"
        return answers.json_response(answers.job_state(job), 202, {"Location": place})
    await finished(job, request)
    if form is None:
        return await in_thread(answers.filled_json, job, choices)
    return await in_thread(answers.picture_response, job, 0, choices)


@router.post(
    "/v1/segment",
    response_class=Response,
    responses={
        **describe.pictures(
            "Masks, the likeliest first; as PNG, the first one alone.",
            ("png",),
            json=schemas.Segmented,
            headers={"Infill-Score": "Of the mask, from 0 to 1 (PNG alone)."},
        ),
        **describe.problems(*describe.WORK),
    },
    openapi_extra=describe.body(schemas.SegmentRequest, {"photo": PHOTO, "points": [[4, 8]]}),
)
async def segment(request: Request) -> Response:
    """Find the object that a person points at.

    The answer is JSON with one to three candidates, or the first one's mask if Accept asks for
    image/png.
    """
    kind = answers.accepted(request, [answers.JSON, "image/png"])
    body = await read(request, schemas.SegmentRequest)
    task = await in_thread(inputs.segment_task, body, _pool(request).limits)
    how = body.format
    del body
    found = await _now(request, "segment", task.segmenter or "none", task)
    if kind == answers.JSON:
        return await in_thread(answers.segmented_json, found, how)
    headers = {"Infill-Score": f"{found[0].score:.4f}"}
    content = await in_thread(answers.mask_png, found[0].mask)
    return Response(content, headers=headers, media_type="image/png")


@router.post(
    "/v1/masks/refine",
    response_class=Response,
    responses={
        **describe.pictures("The mask.", ("png",), json=schemas.RefinedMask),
        **describe.problems(*describe.WORK),
    },
    openapi_extra=describe.body(
        schemas.RefineRequest, {"mask": MASK, "chain": "grow=2,fill-holes", "feather": "1px"}
    ),
)
async def refine(request: Request) -> Response:
    """Grow, shrink, smooth, close, invert or feather a mask. PNG, or JSON if Accept asks for it."""
    kind = answers.accepted(request, ["image/png", answers.JSON])
    body = await read(request, schemas.RefineRequest)
    task = await in_thread(inputs.refine_task, body, _pool(request).limits)
    del body
    mask = await _now(request, "refine", "none", task)
    if kind == answers.JSON:
        return await in_thread(answers.refined_json, mask)
    content = await in_thread(answers.mask_png, mask)
    return Response(content, media_type="image/png")


@router.get("/v1/engines", response_model=schemas.Engines, responses=describe.problems())
def engines(request: Request) -> Response:
    """The engines: their cards, their options, and whether they can run here."""
    return answers.json_response(catalogue.engines(_pool(request).limits.engine))


@router.get("/v1/segmenters", response_model=schemas.Segmenters, responses=describe.problems())
def segmenters(request: Request) -> Response:
    """The segmenters, and whether they can run here."""
    return answers.json_response(catalogue.segmenters(_pool(request).limits))


@router.get("/v1/jobs/{id}", response_model=schemas.JobState, responses=describe.problems(404, 422))
def job(request: Request, id: Number) -> Response:
    """Where a job stands. Whoever has its id may ask; it cannot be guessed."""
    return answers.json_response(answers.job_state(_pool(request).job(id)))


@router.get(
    "/v1/jobs/{id}/events",
    response_class=Response,
    responses={
        200: {
            "description": "Events `progress`, then `done`, `failed` or `cancelled`; the data of "
            "each is what GET /v1/jobs/{id} answers.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **describe.problems(404, 422),
    },
)
async def job_events(request: Request, id: Number) -> Response:
    """A job's progress as server-sent events, until it ends."""
    job = _pool(request).job(id)
    return StreamingResponse(events(job), media_type="text/event-stream")


@router.get(
    "/v1/jobs/{id}/result",
    response_class=Response,
    responses={
        **describe.pictures("The filled photo.", headers=describe.PROOF_HEADERS),
        **describe.problems(404, 409, 413, 415, 422, 503),
    },
)
async def job_result(
    request: Request,
    id: Number,
    candidate: Annotated[int, Query(ge=0, le=10_000, description="Which, from 0.")] = 0,
    format: Annotated[
        schemas.Container | None, Query(description="None = as the fill asked for it.")
    ] = None,
    quality: Annotated[int | None, Query(ge=1, le=100, description="Of a lossy one.")] = None,
    recipe: Annotated[
        Literal["embed", "none"] | None, Query(description="Whether it tells how it was made.")
    ] = None,
) -> Response:
    """The filled photo of a job that is done, or the problem that ended it."""
    job = _pool(request).job(id)
    if not job.over:
        raise Refused("not-finished", f"the job is {job.state}; ask again when it is done")
    asked = _choices.get(job, Choices())
    choices = Choices(
        format or asked.format,
        quality if quality is not None or format is not None else asked.quality,
        recipe or asked.recipe,
    )
    return await in_thread(answers.picture_response, job, candidate, choices)


@router.delete(
    "/v1/jobs/{id}",
    status_code=204,
    response_class=Response,
    responses=describe.problems(404, 422),
)
def delete_job(request: Request, id: Number) -> Response:
    """Cancel a job, or delete its result."""
    _pool(request).forget(id)
    return Response(status_code=204)


@router.get("/healthz", response_model=schemas.Health, responses=describe.problems())
async def healthz() -> Response:
    """Whether the server is up. It asks for no token."""
    return answers.json_response({"status": "ok", "version": infill.__version__})


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus' text format.", "content": {"text/plain": {}}},
        **describe.problems(),
    },
)
def metrics(request: Request) -> Response:
    """Requests, jobs and the queue, for Prometheus."""
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE)


@router.get(
    "/problems/{kind}", response_model=schemas.ProblemKind, responses=describe.problems(404, 422)
)
def problem_kind(kind: Annotated[str, Path(max_length=64)]) -> Response:
    """What a type of problem means."""
    known = every_kind()
    if kind not in known:
        raise Refused("not-found", "there is no such type of problem")
    status, heading = known[kind]
    return answers.json_response({"type": f"/problems/{kind}", "title": heading, "status": status})
