"""The fill itself: from what is set on the page to a result, with progress, and its files."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infill import settings
from infill.api.inputs import check_work, make_checked
from infill.engines.base import ENGINES
from infill.errors import BadOption, Cancelled, InfillError, OverLimit
from infill.jobs import FillTask, Job
from infill.web import view
from infill.web.history import Step
from infill.web.session import Session
from infill.web.view import View

LOOK = 0.25
"""Seconds after which the page hears of a job in which nothing changed, for the time left."""
SEEDS = 2**31


@dataclass(frozen=True)
class Order:
    """What to fill with.

    margins: pixels to add at the left, top, right and bottom; None fills the mask instead.
    candidates: how many results, with the seeds that follow on `seed`.
    """

    engine: str
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    candidates: int = 1
    blend: float = 0.0
    match_colour: bool = False
    margins: tuple[int, int, int, int] | None = None


def seed_for(seed: float | None, fresh: bool) -> int:
    """The seed of the next fill: the one on the page, or a new one. Raises `BadOption`."""
    if fresh:
        return secrets.randbelow(SEEDS)
    if seed is None or seed != int(seed) or seed < 0:
        raise BadOption("the seed is a whole number from 0 up")
    return int(seed)


def fill(session: Session, order: Order) -> Iterator[View]:
    """Fill, and yield what the page shows on the way; the last view is of the result.

    If the page goes away meanwhile, or the iterator is closed, the work is stopped.
    """
    session.stop()
    most = settings.current().served_batch
    if not 1 <= order.candidates <= most:
        raise OverLimit(f"this server makes from 1 to {most} candidates at once")
    engine = ENGINES.get(order.engine)
    chosen = make_checked(engine, order.options)
    check_work(engine, chosen, order.candidates, settings.current())
    step = _prepared(session, order)
    seeds = tuple(range(order.seed, order.seed + order.candidates))
    task = FillTask(
        step.photo,
        step.mask,
        order.engine,
        dict(order.options),
        seeds,
        order.blend,
        order.match_colour,
    )
    job = session.job = session.pool.submit(task)
    try:
        yield from _watch(session, job)
    finally:
        if not job.over:
            job.cancel()
    try:
        results = tuple(job.result())
    except Cancelled:
        yield view.busy(False) | view.notice("Stopped; nothing was changed")
        return
    finally:
        if job.over:
            session.forget(job)
    with session.lock:
        if session.history.now is not step:  # the person undid or clicked while it was at work
            session.history.push(step)
        session.change(results=results, picked=0)
    yield view.selection(session) | view.outcome(session) | view.busy(False)


def cancel(session: Session) -> View:
    """Stop the running fill; its own iterator tells the rest."""
    if not session.stop():
        return view.busy(False)
    return {"cancel": view.gr.update(interactive=False)}


def files(session: Session, format: str) -> View:
    """The result in that format at full size and depth, its mask and its recipe, to download."""
    step = session.step
    result = step.result
    if result is None:
        return {}
    suffix = {"jpeg": "jpg", "tiff": "tif"}.get(format, format)
    lossless = True if format == "webp" else None
    photo = session.file(
        f"{step.name}-filled.{suffix}",
        result,
        lambda: result.to_bytes(format, lossless=lossless),
    )
    recipe = session.file(
        f"{step.name}-filled.recipe.json", result, lambda: f"{result.recipe.to_json()}\n".encode()
    )
    note = result.encoding_note(f"x.{suffix}", lossless=lossless)
    return {
        "download": view.gr.update(value=str(photo), interactive=True),
        "download_mask": view.gr.update(value=str(mask_file(session)), interactive=True),
        "download_recipe": view.gr.update(value=str(recipe), interactive=True),
        "lossy": f"<p>{note}.</p>" if note else "",
    }


def mask_file(session: Session) -> Path:
    """The mask as a PNG of the photo's size: white is what is filled. Raises `BadMask`."""
    from infill.masks import to_image
    from infill.picture import Picture

    mask = session.mask()
    name = f"{session.step.name}-mask.png"
    return session.file(name, mask, lambda: Picture.from_array(to_image(mask)).to_bytes("png"))


def _prepared(session: Session, order: Order) -> Step:
    """The step to fill: the current one, or one of the extended canvas."""
    with session.lock:
        if order.margins is None:
            session.mask()
            return session.step
        if not any(order.margins):
            raise InfillError("say by how much to extend the photo: move one of the four sliders")
        from infill.picture.canvas import extended

        step = session.step
        width = step.photo.width + order.margins[0] + order.margins[2]
        height = step.photo.height + order.margins[1] + order.margins[3]
        limit = settings.current().served_pixels
        if width * height > limit:
            raise OverLimit(
                f"the extended photo would have {width}×{height} pixels, and this server allows "
                f"{limit}; extend it by less"
            )
        photo, mask = extended(step.photo, *order.margins)
        return session.history.push(Step(photo, step.name, candidates=(mask,), mask=mask))


def _watch(session: Session, job: Job) -> Iterator[View]:
    """Views of the job's progress until it has ended."""
    yield view.stage(session) | view.busy(True) | view.notice("") | view.progress(job.snapshot())
    version, shown, picture = -1, None, b""
    while not job.over:
        snapshot = job.changes(LOOK, since=version)
        if job.preview is not None and job.preview is not shown:
            shown = job.preview
            picture = shown
        if snapshot["version"] != version or snapshot["seconds_left"] is not None:
            yield view.progress(snapshot, picture or None)
        version = snapshot["version"]
