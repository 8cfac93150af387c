"""What the page shows of a session: values of its parts, by their names in `infill.web.page`.

An action changes the session and returns one of these tables; parts that are not in it stay as
they are.
"""

import itertools
from html import escape
from typing import Any, Literal

import gradio as gr

from infill.errors import InfillError
from infill.picture import can_hold
from infill.web import draw
from infill.web.history import Step
from infill.web.session import Session

View = dict[str, Any]
SERIAL = itertools.count()
FORMATS = {
    "png": "PNG, exact",
    "tiff": "TIFF, exact",
    "webp": "WebP, exact",
    "jpeg": "JPEG, smaller",
    "avif": "AVIF, smaller",
}


def notice(sentence: str, kind: Literal["note", "warning", "error"] = "note") -> View:
    """One sentence for the person, read out by screen readers; "" clears it."""
    if not sentence:
        return {"notice": ""}
    role = "alert" if kind == "error" else "status"
    text = escape(sentence[0].upper() + sentence[1:])
    if not text.endswith((".", "!", "?")):
        text += "."
    return {"notice": f'<p class="notice {kind}" role="{role}">{text}</p>'}


def error(failure: InfillError) -> View:
    return notice(str(failure), "error")


def stage(session: Session, *, proposal: bool = False) -> View:
    """The photo with its mask, points and, if asked for, the proposed mend."""
    step = session.history.now
    if step is None:
        return {"stage": gr.update(value=None), "stage_box": gr.update(visible=False)}
    shown = session.file("photo.jpg", step.photo, lambda: draw.jpeg(draw.reduced(step.photo)))
    mask = step.mask
    value = {
        "photo": f"gradio_api/file={shown}",
        "width": step.photo.width,
        "height": step.photo.height,
        "overlay": draw.tinted(mask) if mask is not None and mask.any() else "",
        "proposal": "",
        "points": [[x, y, on] for x, y, on in step.points],
        "serial": next(SERIAL),  # new each time, so that the page answers every time
    }
    if proposal and session.proposal is not None and mask is not None:
        more = session.proposal[1] ^ mask
        value["proposal"] = draw.tinted(more, draw.PROPOSAL_COLOUR, tint=190)
    return {"stage": value}


def choices(session: Session) -> View:
    """The candidates to choose from, where there is a choice; and what can be undone."""
    history, step = session.history, session.history.now
    view: View = {
        "undo": gr.update(interactive=history.can_undo),
        "redo": gr.update(interactive=history.can_redo),
        "mend": gr.update(visible=False),
        "advice": "",
    }
    if step is None or len(step.candidates) < 2:
        return view | {"choices_box": gr.update(visible=False)}
    small = draw.reduced(step.photo, draw.THUMB)
    shown = [
        (draw.cut_out(small, mask), f"Choice {number}")
        for number, mask in enumerate(step.candidates, 1)
    ]
    return view | {
        "choices_box": gr.update(visible=True),
        "choices": gr.update(value=shown, selected_index=step.chosen),
    }


def selection(session: Session) -> View:
    """All that changes when the mask does: little, so that a click is answered at once."""
    step = session.history.now
    view = stage(session) | choices(session) | notice("")
    if step is not None:
        view["invert"] = step.inverted
    if step is None or not step.results:
        view["outcome"] = gr.update(visible=False)
    return view


def outcome(session: Session) -> View:
    """The result: before and after, the candidates, and what the pixels' proof says."""
    step = session.history.now
    if step is None or step.result is None:
        return {"outcome": gr.update(visible=False)}
    result = step.result
    before = session.file("photo.jpg", step.photo, lambda: draw.jpeg(draw.reduced(step.photo)))
    after = session.file("after.jpg", result, lambda: draw.jpeg(draw.reduced(result.picture)))
    gallery = []
    if len(step.results) > 1:
        gallery = [
            (draw.reduced(one.picture, 2 * draw.THUMB), f"Seed {one.recipe.seed}")
            for one in step.results
        ]
    offered = [(told, name) for name, told in FORMATS.items() if can_hold(name, result.picture)]
    return {
        "outcome": gr.update(visible=True),
        "slider": (str(before), str(after)),
        "results_box": gr.update(visible=bool(gallery)),
        "results": gr.update(value=gallery or None, selected_index=step.picked),
        "told": _told(step),
        "save_as": gr.update(choices=offered, value=natural_format(step)),
    }


def natural_format(step: Step) -> str:
    """The photo's own format where that keeps every bit, else PNG."""
    metadata = step.photo.metadata
    own = (metadata.format or "").lower()
    exact = own in ("png", "tiff") or (own == "webp" and metadata.lossless)
    return own if exact and can_hold(own, step.photo) else "png"


def everything(session: Session) -> View:
    """The whole page, as after an undo."""
    opened = session.history.now is not None
    return (
        selection(session)
        | outcome(session)
        | {"drop_box": gr.update(visible=not opened), "stage_box": gr.update(visible=opened)}
    )


def busy(working: bool) -> View:
    """The buttons while a fill runs, and after it."""
    view: View = {
        "fill": gr.update(interactive=not working),
        "cancel": gr.update(visible=working, interactive=working),
    }
    if not working:
        return view | {"progress": ""}
    files = ("download", "download_mask", "download_recipe")
    return view | {name: gr.update(interactive=False) for name in files}


def progress(snapshot: dict[str, Any], preview: bytes | None = None) -> View:
    """How far the work is: a bar, its stage, the time left, and a preview where there is one."""
    if snapshot["state"] == "queued":
        place = snapshot.get("position")
        words = f"waiting: number {place} in the queue" if place else "waiting for its turn"
    else:
        words = escape(str(snapshot.get("stage") or "working"))
        left = snapshot.get("seconds_left")
        if left is not None:
            words += f", {duration(left)} left"
    share = min(max(float(snapshot.get("fraction") or 0.0), 0.0), 1.0)
    picture = ""
    if preview:
        source = draw.data_url(preview, "png")
        picture = f'<img class="preview" alt="Preview of the fill so far" src="{source}">'
    return {
        "progress": f'<div class="progress"><progress max="1" value="{share:.3f}"'
        f' aria-label="Progress of the fill"></progress>'
        f"<span>{share:.0%}, {words}</span></div>{picture}"
    }


def duration(seconds: float) -> str:
    """ "4 s", "2 min 5 s": for a person."""
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def _told(step: Step) -> str:
    """What was done and what the proof says, in a line or two of HTML."""
    result = step.result
    assert result is not None
    seconds, proof = sum(result.seconds.values()), result.proof
    lines = [
        f"Filled by {result.card.name} in {seconds:.1f} s, seed {result.recipe.seed}",
        f"{proof.outside_pixels} pixels outside the mask compared, none changed",
        *result.notes,
    ]
    return "".join(f"<p>{escape(line)}.</p>" for line in lines)
