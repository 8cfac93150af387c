"""The page's events: which part calls which action, and where its view goes."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from infill import settings
from infill.errors import BadPrompt, InfillError
from infill.web import actions, controls, filling, view
from infill.web.examples import STARTS, Start
from infill.web.needs import follows_prompt, prompt_extra
from infill.web.page import BACKGROUND, EXTEND, REMOVE, SIDES, SUBJECT, Page, card_text
from infill.web.session import Session
from infill.web.view import View

LOG = logging.getLogger(__name__)
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
TAKE_MASK = "() => setTimeout(() => document.querySelector('#mask-file')?.click(), 150)"

SHOW_RESULT = """() => setTimeout(() => {
  const result = document.querySelector("#outcome");
  if (result?.offsetHeight) result.scrollIntoView({ behavior: "smooth", block: "nearest" });
}, 300)"""


@dataclass(frozen=True)
class Wires:
    """A page and what makes a session for whoever opens it."""

    page: Page
    new_session: Callable[[], Session]

    def answer(self, session: Session | None, action: Callable[..., View], *values: Any) -> Any:
        """What Gradio sets after an action; an error becomes a sentence on the page."""
        mine = session or self.new_session()
        return self.shown(mine, guarded(action, mine, *values))

    def shown(self, session: Session, found: View) -> dict[Any, Any]:
        """A view by component, and the session, whose lifetime begins anew."""
        parts = self.page.parts
        return {parts["session"]: session} | {parts[name]: value for name, value in found.items()}

    @property
    def outputs(self) -> list[Any]:
        """Every part that an action may change."""
        return [part for part in self.page.parts.values() if not isinstance(part, list)]

    def on(self, event: Any, action: Callable[..., View], *inputs: str, **how: Any) -> Any:
        """Call `action(session, values of inputs)` at the event, at once and beside all else."""

        def handler(session: Session | None, *values: Any) -> Any:
            return self.answer(session, action, *values)

        return self.listen(event, handler, *inputs, **how)

    def listen(self, event: Any, handler: Callable[..., Any], *inputs: str, **how: Any) -> Any:
        """Have Gradio call `handler(session, values of inputs)` at the event."""
        given = [self.page.parts[name] for name in ("session", *inputs)]
        return event(handler, given, self.outputs, **({"queue": False} | QUIET | how))


def guarded(action: Callable[..., View], session: Session, *values: Any) -> View:
    """The action's view, or the sentence of what went wrong and the photo as it was before."""
    try:
        return action(session, *values)
    except InfillError as failure:
        same = view.stage(session) if session.history.now else {}
        return same | view.error(failure)
    except Exception as failure:  # the page must say something, whatever it was
        LOG.exception("an action of the page failed")
        return _mistake(failure)


def connect(page: Page, new_session: Callable[[], Session]) -> None:
    """Give the page its events."""
    wires = Wires(page, new_session)
    with page.blocks:
        _photo_events(wires)
        _mask_events(wires)
        _fill_events(wires)


def _photo_events(wires: Wires) -> None:
    on, parts = wires.on, wires.page.parts

    def opened(session: Session, path: str | None, inverted: bool) -> View:
        try:
            return actions.open_photo(session, path, inverted) | {"drop": None}
        except InfillError as failure:
            return view.error(failure) | {"drop": None}

    on(parts["drop"].upload, opened, "drop", "invert")
    for button, start in zip(parts["examples"], STARTS, strict=True):
        on(button.click, _example(wires.page, start), "engine")
    on(parts["close"].click, actions.close_photo)
    on(parts["undo"].click, actions.undo)
    on(parts["redo"].click, actions.redo)
    on(parts["go_on"].click, actions.go_on)


def _example(page: Page, start: Start) -> Callable[..., View]:
    def action(session: Session, engine: str) -> View:
        found = _preset_view(page, REMOVE, engine) | actions.open_example(session, start)
        found["option:prompt:text"] |= {"value": start.prompt}
        found["option:negative_prompt:text"] |= {"value": start.negative}
        return found | {"preset": REMOVE}

    return action


def _mask_events(wires: Wires) -> None:
    on, parts, page = wires.on, wires.page.parts, wires.page

    def poke(event: gr.EventData, session: Session | None) -> Any:
        told = event._data
        return wires.answer(
            session, actions.click, float(told["x"]), float(told["y"]), bool(told["on"])
        )

    def paint(event: gr.EventData, session: Session | None) -> Any:
        told = event._data
        return wires.answer(
            session, actions.paint, told["points"], float(told["radius"]), bool(told["erase"])
        )

    def choose(event: gr.SelectData, session: Session | None) -> Any:
        return wires.answer(session, actions.choose, int(event.index))

    def advise(found: Any) -> None:
        on(found.then, actions.advise)

    advise(wires.listen(parts["stage"].poke, poke, trigger_mode="multiple"))
    advise(wires.listen(parts["stage"].paint, paint, trigger_mode="multiple"))
    advise(wires.listen(parts["choices"].select, choose))
    for name, label in (("add_point", True), ("add_not", False)):
        advise(on(parts[name].click, _point(label), "x", "y"))
    for name in actions.TOOLS:
        on(parts[f"tool:{name}"].click, _tool(name), "amount")
    on(parts["invert"].input, actions.invert, "invert")
    on(parts["another"].click, actions.another)
    on(parts["clear"].click, actions.clear)
    on(parts["reuse"].click, actions.reuse_mask)
    on(parts["mask_in"].upload, actions.upload_mask, "mask_in")
    on(parts["take_advice"].click, actions.take_advice)
    on(parts["leave_advice"].click, actions.leave_advice)
    ready = on(parts["mask_out"].click, _mask_file)
    ready.success(None, js=TAKE_MASK, queue=False, api_visibility="private")
    on(
        parts["preset"].input,
        lambda session, preset, engine: _preset(page, session, preset, engine),
        "preset",
        "engine",
    )
    on(
        parts["engine"].input,
        lambda session, preset, engine: _engine_view(page, preset, engine),
        "preset",
        "engine",
    )


def _point(label: bool) -> Callable[..., View]:
    def action(session: Session, x: float | None, y: float | None) -> View:
        if x is None or y is None:
            raise BadPrompt("give both numbers, x from the left and y from the top, in pixels")
        return actions.click(session, float(x), float(y), label)

    return action


def _tool(name: str) -> Callable[..., View]:
    return lambda session, amount: actions.refine(session, name, amount)


def _mask_file(session: Session) -> View:
    return {"mask_file": gr.update(value=str(filling.mask_file(session)))}


def _fill_events(wires: Wires) -> None:
    parts, page = wires.page.parts, wires.page
    fields = list(page.options)
    inputs = ["preset", "engine", "seed", "fresh", "candidates", "feather", "match", *SIDES]
    inputs += [f"option:{name}:{kind}" for name, kind in fields]

    def fill(session: Session | None, *values: Any) -> Iterator[Any]:
        mine = session or wires.new_session()
        try:
            order = _order(dict(zip(inputs, values, strict=True)))
            yield wires.shown(mine, {"seed": order.seed})
            for found in filling.fill(mine, order):
                yield wires.shown(mine, found)
        except InfillError as failure:
            yield wires.shown(mine, view.busy(False) | view.error(failure))
        except Exception as failure:  # the page must say something, whatever it was
            LOG.exception("a fill of the page failed")
            yield wires.shown(mine, view.busy(False) | _mistake(failure))

    done = wires.listen(parts["fill"].click, fill, *inputs, queue=True, concurrency_limit=None)
    done.then(None, js=SHOW_RESULT, queue=False, api_visibility="private")
    wires.on(done.then, filling.files, "save_as")
    wires.on(parts["cancel"].click, filling.cancel)
    wires.on(
        parts["position"].input,
        lambda session, percent: {"slider": gr.update(slider_position=percent)},
        "position",
    )
    wires.on(parts["save_as"].input, filling.files, "save_as")

    def pick(event: gr.SelectData, session: Session | None) -> Any:
        return wires.answer(session, actions.pick, int(event.index))

    picked = wires.listen(parts["results"].select, pick)
    wires.on(picked.then, filling.files, "save_as")
    for name in ("undo", "redo"):
        wires.on(parts[name].click, filling.files, "save_as")


def _order(values: dict[str, Any]) -> filling.Order:
    """What to fill with, from the values of the page's fields."""
    options: dict[controls.Key, Any] = {}
    for name, value in values.items():
        if name.startswith("option:"):
            _, option, kind = name.split(":")
            options[option, kind] = value
    margins = None
    if values["preset"] == EXTEND:
        left, top, right, bottom = (int(values[side] or 0) for side in SIDES)
        margins = (left, top, right, bottom)
    return filling.Order(
        engine=values["engine"],
        options=controls.options(values["engine"], options),
        seed=filling.seed_for(values["seed"], values["fresh"]),
        candidates=int(values["candidates"]),
        blend=float(values["feather"]),
        match_colour=bool(values["match"]),
        margins=margins,
    )


def _preset(page: Page, session: Session, preset: str, engine: str) -> View:
    """Set the page up for a preset: its mask, its fields and an engine that can do it."""
    wanted = preset == BACKGROUND
    found = actions.invert(session, wanted) if session.history.now else {"invert": wanted}
    return found | _preset_view(page, preset, engine)


def _preset_view(page: Page, preset: str, engine: str) -> View:
    said: View = view.notice("")
    card = page.cards.get(engine)
    if preset in (SUBJECT, BACKGROUND) and not (card and card.needs_prompt):
        better = follows_prompt(page.cards)
        if better is None:
            said = view.notice(
                f"no engine that follows a prompt is here yet{prompt_extra()}. "
                f"{engine} fills with what is around",
                "warning",
            )
        engine = better or engine
    elif preset == REMOVE and card and card.needs_prompt:
        engine = settings.current().engine
    return said | _engine_view(page, preset, engine) | {"engine": engine}


def _engine_view(page: Page, preset: str, engine: str) -> View:
    """The engine's card and its controls; the prompts too where something is to be put in."""
    has = controls.of_engine(engine)
    asks = {controls.key(control) for control in controls.PROMPTS}
    shown = {
        f"option:{entry[0]}:{entry[1]}": controls.update(
            has.get(entry),
            shown=entry in has or (entry in asks and preset in (SUBJECT, BACKGROUND)),
        )
        for entry in page.options
    }
    around = {
        "margins": gr.update(visible=preset == EXTEND),
        "more": gr.update(visible=page.more(engine)),
    }
    return shown | around | {"card": card_text(page.cards.get(engine))}


def _mistake(failure: Exception) -> View:
    return view.notice(
        f"a mistake in Infill itself ({type(failure).__name__}); your photo is still here, and "
        "the server's log says more",
        "error",
    )
