"""The page: its parts and where they stand. What they do is in `infill.web.wiring`."""

from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr

from infill import settings
from infill.engines.base import EngineCard
from infill.web import controls, needs, style
from infill.web.actions import TOOLS
from infill.web.examples import STARTS
from infill.web.uploads import Upload, UploadMask

LINE = (
    "Drop a photo, click what should go, press Fill: you get the photo back with only that changed."
)
REMOVE, SUBJECT, BACKGROUND, EXTEND = PRESETS = (
    "Remove",
    "Replace subject",
    "Replace background",
    "Extend canvas",
)
SIDES = ("left", "top", "right", "bottom")
WORDS = ("prompt", "negative_prompt", "reference")
"""Options that say what should be there; they stand above the button, all others below it."""
WIDEST = 2000
"""Pixels that the canvas can be extended by on each side."""


@dataclass(frozen=True)
class Page:
    """The Blocks and its parts by name.

    options: the field of each engine option. folded: which of them lie under "More options".
    """

    blocks: gr.Blocks
    parts: dict[str, Any]
    cards: dict[str, EngineCard]
    known: dict[controls.Key, controls.Control]
    folded: set[controls.Key]
    options: dict[controls.Key, Any] = field(default_factory=dict)

    def more(self, engine: str) -> bool:
        """Whether that engine has any option that is folded away."""
        return not self.folded.isdisjoint(controls.of_engine(engine))


def build(lifetime: int) -> Page:
    """The page without its events. lifetime: seconds that files and photos are kept."""
    cards = needs.cards()
    known = controls.every(list(cards))
    often = max(1, min(300, lifetime // 2))
    blocks = gr.Blocks(
        title="Infill", analytics_enabled=False, fill_width=True, delete_cache=(often, lifetime)
    )
    page = Page(blocks, {}, cards, known, controls.folded(list(cards)))
    parts = page.parts
    with blocks:
        parts["session"] = gr.State(
            None, time_to_live=lifetime, delete_callback=lambda session: session and session.close()
        )
        gr.HTML(
            f"<h1>Infill</h1><p>{escape(LINE)}</p>",
            elem_classes="masthead",
            js_on_load=None,
        )
        parts["notice"] = _text("notice-area")
        with gr.Row(elem_id="desk"):
            with gr.Column(elem_id="desk-photo", min_width=0):
                _photo(parts)
            with gr.Column(elem_id="desk-panel", min_width=0):
                _panel(page)
            _outcome(parts)
    return page


def _text(name: str, extra: str = "") -> gr.HTML:
    """A place for words that come later; it takes no room while it is empty."""
    classes = ["empty-when-blank", *extra.split()]
    return gr.HTML("", elem_id=name, elem_classes=classes, js_on_load=None)


def _photo(parts: dict[str, Any]) -> None:
    """Where the photo comes in, the stage on which it is edited, and the mask's tools."""
    with gr.Column(visible=True) as parts["drop_box"]:
        parts["drop"] = Upload(
            label="Photo",
            placeholder="# Drop a photo here\nor click to choose a file; below: camera and paste",
            sources=["upload", "clipboard", "webcam"],
            type="filepath",
            height=300,
            elem_id="drop",
        )
        gr.HTML("<p>Or try one of these:</p>", elem_classes="hint", js_on_load=None)
        with gr.Row(elem_classes="examples-row row-buttons"):
            parts["examples"] = [
                gr.Button(
                    start.title,
                    icon=str(start.example.photo),
                    elem_id=f"example-{start.example.name}",
                )
                for start in STARTS
            ]
    with gr.Column(visible=False) as parts["stage_box"]:
        parts["stage"] = gr.HTML(
            None,
            html_template=style.stage_html(),
            js_on_load=style.stage_js(),
            apply_default_css=False,
            elem_id="stage",
        )
        with gr.Column(visible=False) as parts["choices_box"]:
            gr.HTML("<p>What was meant? Choose one:</p>", elem_classes="hint", js_on_load=None)
            parts["choices"] = gr.Gallery(
                label="What was meant? Choose one:",
                show_label=False,
                columns=3,
                height="auto",
                allow_preview=False,
                format="jpeg",
                object_fit="contain",
                buttons=[],
                elem_id="choices",
                elem_classes="picks",
            )
        parts["advice"] = _text("advice-area")
        with gr.Row(visible=False, elem_classes="row-buttons") as parts["mend"]:
            parts["take_advice"] = gr.Button("Use the mended mask", variant="primary", size="sm")
            parts["leave_advice"] = gr.Button("Leave it as it is", size="sm")
        with gr.Row(elem_classes="row-buttons"):
            for name, title in (
                ("undo", "Undo"),
                ("redo", "Redo"),
                ("another", "Select more"),
                ("clear", "Clear selection"),
                ("close", "Another photo"),
            ):
                parts[name] = gr.Button(title, size="sm", elem_id=f"do-{name}")
        _mask_tools(parts)


def _mask_tools(parts: dict[str, Any]) -> None:
    with gr.Accordion("Mask tools", open=False, elem_id="mask-tools"):
        parts["amount"] = gr.Slider(
            1, 100, value=6, step=1, label="Amount, in pixels", elem_id="amount"
        )
        with gr.Row(elem_classes="row-buttons"):
            for name, (title, _) in TOOLS.items():
                parts[f"tool:{name}"] = gr.Button(title, size="sm", elem_id=f"tool-{name}")
        parts["feather"] = gr.Slider(
            0,
            100,
            value=0,
            step=1,
            label="Feather, in pixels",
            info="A soft edge: in a band this wide around the mask, photo and fill are mixed.",
            elem_id="feather",
        )
        with gr.Row(elem_classes="row-buttons"):
            parts["mask_in"] = UploadMask(
                "Upload a mask", file_types=["image"], size="sm", elem_id="mask-in"
            )
            parts["mask_out"] = gr.Button("Download the mask", size="sm", elem_id="mask-out")
            parts["reuse"] = gr.Button("Use the last photo's mask", size="sm", elem_id="reuse")
            parts["mask_file"] = gr.DownloadButton("The mask", elem_id="mask-file")
        with gr.Row():
            parts["x"] = gr.Number(
                0, label="x, from the left", precision=0, min_width=110, elem_id="point-x"
            )
            parts["y"] = gr.Number(
                0, label="y, from the top", precision=0, min_width=110, elem_id="point-y"
            )
        with gr.Row(elem_classes="row-buttons"):
            parts["add_point"] = gr.Button("Add a point at x, y", size="sm", elem_id="add-point")
            parts["add_not"] = gr.Button("Not this at x, y", size="sm", elem_id="add-not")


def _outcome(parts: dict[str, Any]) -> None:
    """Before and after, the candidates, and the files to take away."""
    with gr.Column(visible=False, elem_id="outcome", min_width=0) as parts["outcome"]:
        parts["slider"] = gr.ImageSlider(
            label="Before and after: drag the handle",
            interactive=False,
            buttons=["fullscreen"],
            elem_id="slider",
            max_height=560,
        )
        parts["position"] = gr.Slider(
            0,
            100,
            value=50,
            step=5,
            label="Before and after, by the arrow keys",
            elem_id="position",
        )
        with gr.Column(visible=False) as parts["results_box"]:
            gr.HTML("<p>Candidates; choose one:</p>", elem_classes="hint", js_on_load=None)
            parts["results"] = gr.Gallery(
                label="Candidates; choose one:",
                show_label=False,
                columns=4,
                height="auto",
                allow_preview=False,
                format="jpeg",
                object_fit="contain",
                buttons=[],
                elem_id="results",
                elem_classes="picks",
            )
        parts["told"] = _text("told", "told")
        with gr.Row(elem_classes="row-buttons"):
            parts["go_on"] = gr.Button("Go on editing this result", elem_id="go-on")
        parts["save_as"] = gr.Dropdown(
            ["png"], value="png", label="Save as", interactive=True, elem_id="save-as"
        )
        parts["lossy"] = _text("lossy", "told")
        with gr.Row(elem_classes="row-buttons"):
            for name, title in (
                ("download", "Download the photo"),
                ("download_mask", "Mask"),
                ("download_recipe", "Recipe"),
            ):
                parts[name] = gr.DownloadButton(
                    title,
                    interactive=False,
                    elem_id=name.replace("_", "-"),
                    variant="primary" if name == "download" else "secondary",
                )


def _panel(page: Page) -> None:
    """What to do, with which engine, and the button that does it."""
    parts = page.parts
    chosen = settings.current().engine
    parts["preset"] = gr.Radio(list(PRESETS), value=REMOVE, label="What to do", elem_id="preset")
    parts["invert"] = gr.Checkbox(
        False, label="Change the background instead of what I clicked", elem_id="invert"
    )
    with gr.Column(visible=False, elem_id="margins") as parts["margins"]:
        for side in SIDES:
            parts[side] = gr.Slider(
                0,
                WIDEST,
                value=0,
                step=1,
                label=f"Pixels to add at the {side}",
                elem_id=f"margin-{side}",
            )
    words = [entry for entry in page.known if entry[0] in WORDS]
    _options(page, chosen, words)
    with gr.Row(elem_classes="row-buttons"):
        parts["fill"] = gr.Button("Fill", variant="primary", size="lg", elem_id="fill")
        parts["cancel"] = gr.Button(
            "Cancel", variant="stop", size="lg", visible=False, elem_id="cancel"
        )
    parts["progress"] = _text("progress-area")
    with gr.Row():
        parts["seed"] = gr.Number(
            0, label="Seed", precision=0, minimum=0, min_width=110, elem_id="seed"
        )
        parts["candidates"] = gr.Slider(
            1,
            settings.current().served_batch,
            value=1,
            step=1,
            label="Candidates",
            min_width=150,
            elem_id="candidates",
        )
    parts["fresh"] = gr.Checkbox(False, label="A new seed for every fill", elem_id="fresh")
    parts["engine"] = gr.Dropdown(
        [(title(card), name) for name, card in page.cards.items()],
        value=chosen,
        label="Engine",
        elem_id="engine",
    )
    parts["card"] = gr.HTML(
        card_text(page.cards.get(chosen)),
        elem_classes="card-text",
        elem_id="card",
        js_on_load=None,
    )
    rest = [entry for entry in page.known if entry not in words]
    _options(page, chosen, [entry for entry in rest if entry not in page.folded])
    with gr.Accordion(
        "More options", open=False, visible=page.more(chosen), elem_id="more-options"
    ) as parts["more"]:
        _options(page, chosen, [entry for entry in rest if entry in page.folded])
    parts["match"] = gr.Checkbox(
        False, label="Match the fill's colour to what is around it", elem_id="match"
    )


def _options(page: Page, engine: str, entries: list[controls.Key]) -> None:
    """The fields of those options; only what the engine has is shown."""
    has = controls.of_engine(engine)
    for entry in entries:
        shown = has.get(entry, page.known[entry])
        page.options[entry] = controls.component(shown, visible=entry in has)
        page.parts[f"option:{entry[0]}:{entry[1]}"] = page.options[entry]


def title(card: EngineCard) -> str:
    return f"{card.name} (not here yet)" if needs.to_type(card) else card.name


def card_text(card: EngineCard | None) -> str:
    """The engine's card as HTML: what it is, licence, memory, and what it needs."""
    if card is None:
        return "<p>This engine cannot be loaded; choose another one.</p>"
    size = sum(weights.size for weights in card.weights)
    memory = f"weights of {size / 2**20:.0f} MB" if size else "no weights to load"
    if card.checkpoint and not size:
        memory = f"{card.parameters / 1e6:.0f} million weights to load"
    use = "commercial use allowed" if card.commercial_use else "no commercial use"
    lines = [
        f"<b>{escape(card.name)}</b>: {escape(card.summary.rstrip('.'))}.",
        f"{escape(card.family)}, {escape(card.authors)}, {escape(card.published)}.",
        f"Licence {escape(card.licence)}, {use}; {memory}.",
    ]
    command = needs.to_type(card)
    if command:
        lines.append(f"It is not on this machine yet; type <code>{escape(command)}</code>.")
    return "".join(f"<p>{line}</p>" for line in lines)
