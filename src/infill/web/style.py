"""How the page looks: one style sheet, and fonts every system has, so nothing is fetched."""

from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
MONO = ("ui-monospace", "Menlo", "Consolas", "monospace")


def theme() -> Any:
    """Gradio's plain theme in blue with the system's own fonts, its greys dark enough to read."""
    import gradio as gr

    plain = gr.themes.Default(
        primary_hue="blue", neutral_hue="slate", radius_size="md", font=SANS, font_mono=MONO
    )
    both = {
        "button_primary_background_fill": "#1d4ed8",
        "button_primary_background_fill_hover": "#1e40af",
        "button_primary_text_color": "#ffffff",
        "button_cancel_background_fill": "#b3261e",
        "button_cancel_background_fill_hover": "#8c1d18",
        "button_cancel_text_color": "#ffffff",
    }
    return plain.set(
        **both,
        **{f"{name}_dark": colour for name, colour in both.items()},
        block_info_text_color="#475569",
        block_title_text_color="#1e293b",
        block_label_text_color="#334155",
        body_text_color_subdued="#475569",
        block_info_text_color_dark="#cbd5e1",
        block_title_text_color_dark="#f1f5f9",
        block_label_text_color_dark="#e2e8f0",
        body_text_color_subdued_dark="#cbd5e1",
    )


def css() -> str:
    return (HERE / "style.css").read_text(encoding="utf-8")


def stage_html() -> str:
    return (HERE / "stage.html").read_text(encoding="utf-8")


def stage_js() -> str:
    return (HERE / "stage.js").read_text(encoding="utf-8")
