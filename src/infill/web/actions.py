"""What a click, a stroke or a button does to a session, and what the page shows of it then.

Every function takes the session first, holds its lock while it changes the history, and returns
a view (see `infill.web.view`). Errors of the user or the photo are `InfillError`s that the page
shows as a sentence.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from infill import masks
from infill.errors import BadMask, BadPrompt, InfillError
from infill.jobs import SegmentTask
from infill.masks import as_mask
from infill.segmentation import eight_bits
from infill.segmenters.base import Candidate, Prompt
from infill.web import draw, uploads, view
from infill.web.examples import Start
from infill.web.history import Mask, Point, Step
from infill.web.session import Session, composed
from infill.web.view import View

CLICK_SECONDS = 60.0
"""Longest that a click waits for its mask."""

TOOLS: dict[str, tuple[str, Callable[[Mask, str], Mask]]] = {
    "grow": ("Grow", masks.grow),
    "shrink": ("Shrink", masks.shrink),
    "smooth": ("Smooth", masks.smooth),
    "fill-holes": ("Fill holes", lambda mask, amount: masks.fill_holes(mask)),
    "drop-specks": ("Drop specks", masks.drop_specks),
}
"""What each button of the mask tools is called and does, by an amount such as "4px"."""


def open_photo(session: Session, path: str | None, inverted: bool = False) -> View:
    """Begin with a photo that was uploaded, pasted or taken; inverted: fill its background."""
    photo = uploads.opened(path)
    with session.lock:
        _put_away(session)
        session.history.push(Step(photo, "photo", inverted=inverted))
    return view.everything(session) | view.notice("Now click the thing that should change")


def open_example(session: Session, start: Start) -> View:
    """Begin with one of the package's photos, its mask and its point."""
    from infill.picture import Picture

    photo = Picture.load(start.example.photo)
    mask = as_mask(start.example.mask, photo)
    with session.lock:
        _put_away(session)
        points: tuple[Point, ...] = ((*start.point, True),)
        step = Step(photo, start.example.name, points, (mask,))
        session.history.push(composed(step))
    said = (
        f"Selected by the example's own mask: {start.example.removes}. Press Fill, or click "
        "something else"
    )
    return view.everything(session) | view.notice(said)


def close_photo(session: Session) -> View:
    """Make room for another photo; the mask of this one is kept to be used again."""
    with session.lock:
        session.stop()
        _put_away(session)
        session.history.clear()
        session.delete_files()
    return view.everything(session) | view.notice("")


def click(session: Session, x: float, y: float, on: bool) -> View:
    """Add a point and find the object anew. x, y: photo pixels; on: it lies on the object."""
    with session.lock:
        step = session.step
        if not (0 <= x <= step.photo.width and 0 <= y <= step.photo.height):
            raise BadPrompt(
                f"the point {x:g}, {y:g} lies outside the photo, which is "
                f"{step.photo.width} wide and {step.photo.height} high"
            )
        points = (*step.points, (x, y, on))
        if not any(label for _, _, label in points):
            raise BadPrompt("point at the thing first, and then at what is not part of it")
        found = _segment(session, step, points)
        session.change(points=points, candidates=tuple(one.mask for one in found), chosen=0)
    return view.selection(session)


def choose(session: Session, index: int) -> View:
    """Take another of the candidates."""
    with session.lock:
        if not 0 <= index < len(session.step.candidates):
            raise BadMask("there is no such choice any more; click the thing again")
        session.change(chosen=index)
    return view.selection(session)


def paint(session: Session, points: Sequence[Sequence[float]], radius: float, erase: bool) -> View:
    """Add a brush stroke to what will be filled, or take it away.

    points: (x, y) in photo pixels, at least one; radius in photo pixels.
    """
    with session.lock:
        step = session.step
        shape = (step.photo.height, step.photo.width)
        drawn = draw.stroke(shape, points, radius)
        none = np.zeros(shape, bool)
        added = none if step.added is None else step.added
        erased = none if step.erased is None else step.erased
        if erase != (step.inverted and _selected(step)):  # what is filled grows where the subject
            added, erased = added & ~drawn, erased | drawn  # shrinks, once the mask is inverted
        else:
            added, erased = added | drawn, erased & ~drawn
        session.change(added=added, erased=erased)
    return view.selection(session)


def refine(session: Session, tool: str, amount: float) -> View:
    """Apply one of `TOOLS` to the mask. amount: in pixels of the photo."""
    with session.lock:
        mended = TOOLS[tool][1](session.mask(), f"{amount:g}px")
        if not mended.any():
            raise BadMask("that would leave nothing of the mask; take a smaller amount")
        replace_mask(session, mended)
    return view.selection(session)


def invert(session: Session, inverted: bool) -> View:
    """Fill the background instead of the subject, or the subject again."""
    with session.lock:
        if inverted != session.step.inverted:
            session.change(inverted=inverted)
    return view.selection(session)


def another(session: Session) -> View:
    """Keep what is selected; the next click selects something in addition."""
    with session.lock:
        session.mask()
        step = session.step
        base = composed(replace(step, inverted=False)).mask
        session.change(points=(), candidates=(), chosen=0, added=base, erased=None)
    said = "What is selected stays selected; click the next thing"
    return view.selection(session) | view.notice(said)


def clear(session: Session) -> View:
    """Select nothing."""
    with session.lock:
        step = session.step
        session.history.push(Step(step.photo, step.name, inverted=step.inverted))
    return view.selection(session)


def upload_mask(session: Session, path: str | None) -> View:
    """Take a mask from a file: white, or opaque, is what will be filled."""
    with session.lock:
        photo = session.step.photo
        mask = as_mask(uploads.opened(path), photo)
        if not mask.any():
            raise BadMask("the mask in this file is empty: nothing in it is white")
        replace_mask(session, mask, points=())
    return view.selection(session)


def reuse_mask(session: Session) -> View:
    """Take the mask of the photo that was open before, stretched to this one's size."""
    with session.lock:
        photo, before = session.step.photo, session.before
        if before is None:
            raise BadMask("no mask was made on an earlier photo of this page yet")
        replace_mask(session, draw.resized_mask(before, photo.width, photo.height), points=())
    return view.selection(session)


def undo(session: Session) -> View:
    with session.lock:
        session.history.undo()
    return view.everything(session) | view.notice("")


def redo(session: Session) -> View:
    with session.lock:
        session.history.redo()
    return view.everything(session) | view.notice("")


def advise(session: Session) -> View:
    """Look whether the mask seems incomplete; if so, show the mended one and offer it."""
    from infill.masks.advice import advise as advice_on

    step = session.history.now
    session.proposal = None
    if step is None or step.mask is None or not step.mask.any() or step.inverted or step.results:
        return {}
    found = advice_on(eight_bits(step.photo), step.mask)
    with session.lock:
        if session.history.now is not step or not found:  # a newer click overtook this one
            return {}
        best = found[0]
        session.proposal = (step.mask, best.mask)
    text = view.notice(best.sentence, "warning")["notice"]
    offer = {"advice": text, "mend": view.gr.update(visible=True)}
    return view.stage(session, proposal=True) | offer


def take_advice(session: Session) -> View:
    """Take the mended mask that is proposed."""
    with session.lock:
        proposal, step = session.proposal, session.step
        session.proposal = None
        if proposal is None or proposal[0] is not step.mask:
            raise BadMask("the mask has changed since; look at it again")
        replace_mask(session, proposal[1])
    return view.selection(session)


def leave_advice(session: Session) -> View:
    """Keep the mask as it is."""
    session.proposal = None
    hidden = {"advice": "", "mend": view.gr.update(visible=False)}
    return view.stage(session) | hidden


def pick(session: Session, index: int) -> View:
    """Show another of the results."""
    with session.lock:
        if not 0 <= index < len(session.step.results):
            raise InfillError("that result is gone; fill again")
        session.change(picked=index)
    return view.everything(session)


def go_on(session: Session) -> View:
    """Take the shown result as the photo to be edited next."""
    with session.lock:
        step = session.step
        if step.result is None:
            raise InfillError("there is no result to go on with yet; fill first")
        session.history.push(Step(step.result.picture, step.name))
    return view.everything(session) | view.notice("Click what should change next")


def replace_mask(session: Session, mask: Mask, **changes: object) -> Step:
    """Make `mask` what will be filled, whatever was selected before."""
    step = session.step
    base = ~mask if step.inverted else mask
    return session.change(candidates=(base,), chosen=0, added=None, erased=None, **changes)


def _selected(step: Step) -> bool:
    return bool(step.candidates) or step.added is not None


def _segment(session: Session, step: Step, points: Sequence[Point]) -> list[Candidate]:
    """The candidates for the points. Raises what segmenting raises, and if it takes too long."""
    prompt = Prompt(tuple((x, y) for x, y, _ in points), tuple(label for _, _, label in points))
    job = session.pool.submit(SegmentTask(step.photo, prompt))
    if not job.wait(CLICK_SECONDS):
        job.cancel()
        raise BadPrompt("finding the object took too long; click again, or use the brush")
    try:
        found: list[Candidate] = job.result()
        return found
    finally:
        session.forget(job)


def _put_away(session: Session) -> None:
    """Keep the mask of the open photo, for `reuse_mask`."""
    now = session.history.now
    if now is not None and now.mask is not None and now.mask.any():
        session.before = now.mask
    session.proposal = None
