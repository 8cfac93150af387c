"""The page that asks: the photo and two or three fills without a name, and a choice for each
criterion.

The server keeps nothing of an open page. Whoever rates, and which ballot is open, the page says
itself with each click, and the booth holds that against what it knows. So a page that was open
when the server was killed goes on with the server that is started next.
"""

import logging
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from infill.errors import InfillError
from infill.lazy import need
from infill.rating import pictures
from infill.rating.ballots import LETTERS
from infill.rating.booth import SAME, Booth, Turn, clean_name
from infill.rating.criteria import CRITERIA, asked

LOG = logging.getLogger(__name__)
HERE = Path(__file__).parent
TITLE = "Which fill is better?"
LINE = (
    "You see a photo with a marked part, and what some programs put there instead. For each "
    "question choose the best, or “No difference”. Nobody, the page included, tells you whose is "
    "which."
)
KEYS = "Keys: A, B, C or 0 answer the next open question, Enter goes on, M shows the mark."
NOBODY = "No name? Leave it empty, and you get a random one that this browser remembers."

View = dict[str, Any]
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def css() -> str:
    """The style of what is this page's own."""
    return (HERE / "page.css").read_text(encoding="utf-8")


def build(booth: Booth, rater: str | None = None) -> Any:
    """The page as a Gradio Blocks with its events.

    rater: whose answers are taken, where it is known; None = the page asks.

    Raises `MissingExtra` where Gradio is not installed.
    """
    gr = need("gradio", extra="web")
    blocks = gr.Blocks(title="Infill: rate fills", analytics_enabled=False, fill_width=True)
    with blocks:
        parts = _parts(gr)
        _events(gr, blocks, parts, Answers(gr, booth, rater))
    return blocks


def _parts(gr: Any) -> dict[str, Any]:
    """What stands on the page, by name."""
    parts: dict[str, Any] = {
        # Kept by the browser. It is no secret; a fixed key lets the next server read it.
        "rater": gr.BrowserState("", storage_key="infill-rater", secret="infill-rater"),
        "ticket": gr.Textbox("", visible="hidden", label="Ballot", elem_id="ticket"),
    }
    gr.HTML(
        f"<h1>{escape(TITLE)}</h1><p>{escape(LINE)}</p>", elem_classes="masthead", js_on_load=None
    )
    parts["notice"] = gr.HTML("", elem_id="notice-area", js_on_load=None)
    with gr.Column(visible=False, elem_id="start-box") as parts["start_box"]:
        parts["name"] = gr.Textbox(
            label="Your name, or any word you will remember",
            info=NOBODY,
            max_lines=1,
            elem_id="name",
        )
        parts["start"] = gr.Button("Start", variant="primary", elem_id="start")
    with gr.Column(visible=False, elem_id="desk-box") as parts["desk_box"]:
        parts["progress"] = gr.HTML("", elem_id="progress-area", js_on_load=None)
        with gr.Row(elem_id="rate-desk"):
            with gr.Column(elem_id="rate-ballot", min_width=0):
                parts["ballot"] = gr.HTML(
                    None,
                    html_template=(HERE / "ballot.html").read_text(encoding="utf-8"),
                    js_on_load=(HERE / "ballot.js").read_text(encoding="utf-8"),
                    apply_default_css=False,
                    elem_id="ballot",
                )
            with gr.Column(elem_id="rate-asks", min_width=0):
                _asks(gr, parts)
    with gr.Column(visible=False, elem_id="done-box") as parts["done_box"]:
        parts["done"] = gr.HTML("", elem_id="done", js_on_load=None)
    with gr.Row(visible=False, elem_id="who-box") as parts["who_box"]:
        parts["who"] = gr.HTML("", elem_id="who", js_on_load=None)
        parts["leave"] = gr.Button("Someone else", size="sm", elem_id="leave")
    return parts


def _asks(gr: Any, parts: dict[str, Any]) -> None:
    # All letters from the start: a server that did not show the open ballot itself holds what the
    # page sends against these.
    for criterion in CRITERIA:
        parts[f"ask:{criterion.name}"] = gr.Radio(
            _choices(len(LETTERS)),
            label=f"{criterion.title}. {criterion.question}",
            elem_id=f"ask-{criterion.name}",
            elem_classes="ask",
            visible=False,
        )
    parts["next"] = gr.Button("Next", variant="primary", elem_id="next")
    gr.HTML(f"<p>{escape(KEYS)}</p>", elem_classes="hint", js_on_load=None)


def _choices(count: int) -> list[tuple[str, str]]:
    """What can be answered where `count` fills are shown: a title and a value each."""
    return [*((letter, letter) for letter in LETTERS[:count]), ("No difference", SAME)]


def _events(gr: Any, blocks: Any, parts: dict[str, Any], answers: "Answers") -> None:
    everything = list(parts.values())

    def on(event: Callable[..., Any], action: Callable[..., View], *inputs: str) -> None:
        def handler(*values: Any) -> dict[Any, Any]:
            return {parts[name]: value for name, value in guarded(action, *values).items()}

        event(handler, [parts[name] for name in inputs], everything, **QUIET)

    asks = [f"ask:{criterion.name}" for criterion in CRITERIA]
    on(blocks.load, answers.arrive, "rater")
    on(parts["start"].click, answers.start, "name")
    on(parts["name"].submit, answers.start, "name")
    on(parts["next"].click, answers.go_on, "rater", "ticket", *asks)
    on(parts["leave"].click, answers.leave)


class Answers:
    """What the page does when it is opened and clicked. Every method returns what changes.

    fixed: the rater whose page it is, whatever a browser says; None = the browser's.
    """

    def __init__(self, gr: Any, booth: Booth, fixed: str | None) -> None:
        self._gr, self._booth = gr, booth
        self._fixed = None if fixed is None else clean_name(fixed)

    def arrive(self, rater: Any) -> View:
        """The page was opened: on with the rater's ballots, or the question for a name."""
        known = self._fixed or (rater if isinstance(rater, str) and rater else None)
        return self.leave() if known is None else self._turn(clean_name(known))

    def start(self, name: Any) -> View:
        """A rater has said who she is."""
        return self._turn(self._fixed or clean_name(name if isinstance(name, str) else ""))

    def go_on(self, rater: Any, ticket: Any, *letters: Any) -> View:
        """Keep the answers, then show the next ballot."""
        known = self._fixed or (rater if isinstance(rater, str) and rater else None)
        if known is None:
            return self.leave()
        known = clean_name(known)
        given = {
            criterion.name: letter if isinstance(letter, str) else None
            for criterion, letter in zip(CRITERIA, letters, strict=True)
        }
        # Whatever ballot of hers the page shows: after a new start of the server, or when the run
        # has grown, it need not be the one that comes next now.
        if isinstance(ticket, str) and ticket and self._booth.answer(known, ticket, given):
            return self._turn(known)
        said = "this ballot was answered before, in another window perhaps; here is your next one"
        return self._turn(known) | notice(said, "warning")

    def leave(self) -> View:
        """Ask who rates."""
        update = self._gr.update
        return {
            "rater": "",
            "ticket": "",
            "start_box": update(visible=True),
            "desk_box": update(visible=False),
            "done_box": update(visible=False),
            "who_box": update(visible=False),
            "ballot": None,
        } | notice("")

    def _turn(self, rater: str) -> View:
        """The rater's next ballot, or the thanks after the last one."""
        update = self._gr.update
        turn, drawn = self._shown(rater)
        view: View = {
            "rater": rater,
            "ticket": turn.ticket,
            "name": "",
            "start_box": update(visible=False),
            "desk_box": update(visible=turn.ballot is not None),
            "done_box": update(visible=turn.ballot is None),
            "who_box": update(visible=True),
            "who": f"<p>You rate as <strong>{escape(rater)}</strong>.</p>",
            "leave": update(visible=self._fixed is None),
            "progress": _progress(turn),
            "done": f'<p class="thanks" role="status">Thank you: all {turn.total} ballots are '
            "done. Every answer is kept; you can close this page.</p>",
        }
        return view | self._ballot(turn, drawn) | notice("")

    def _shown(self, rater: str) -> tuple[Turn, View]:
        """The rater's next ballot whose pictures can be shown, and they."""
        while True:
            turn = self._booth.turn(rater)
            if turn.ballot is None:
                return turn, {}
            try:
                return turn, pictures.value(turn.ballot)
            except InfillError as failure:
                LOG.warning("a ballot is left out: %s", failure)
                self._booth.leave_out(turn.ballot)

    def _ballot(self, turn: Turn, drawn: View) -> View:
        if turn.ballot is None:
            return {"ballot": None}
        prompt = turn.ballot.question.sample.prompt
        choices = _choices(len(turn.ballot.places))
        there = {criterion.name for criterion in asked(prompt)}
        asks = {
            f"ask:{criterion.name}": self._gr.update(
                choices=choices, value=None, visible=criterion.name in there
            )
            for criterion in CRITERIA
        }
        return asks | {"ballot": drawn | {"prompt": prompt, "serial": turn.ticket}}


def guarded(action: Callable[..., View], *values: Any) -> View:
    """The action's view, or the sentence of what went wrong; the page stays as it is then."""
    try:
        return action(*values)
    except InfillError as failure:
        return notice(str(failure), "error")
    except Exception as failure:  # the page must say something, whatever it was
        LOG.exception("an action of the page failed")
        return notice(f"a mistake in Infill itself ({type(failure).__name__})", "error")


def notice(sentence: str, kind: str = "note") -> View:
    """One sentence for the rater, read out by screen readers; "" clears it."""
    if not sentence:
        return {"notice": ""}
    role = "alert" if kind == "error" else "status"
    text = escape(sentence[0].upper() + sentence[1:])
    return {"notice": f'<p class="notice {kind}" role="{role}">{text}.</p>'}


def _progress(turn: Turn) -> str:
    left = turn.total - turn.done
    return (
        f'<div class="progress"><progress max="{turn.total}" value="{turn.done}" '
        f'aria-label="Ballots done"></progress><span>{turn.done} done, {left} left</span></div>'
    )
